from __future__ import annotations

from pathlib import Path

import pytest

from analysis.references import COLUMNS, Reference, load

FILE = Path(__file__).parents[2] / "results/references/references.csv"
HEADER = ",".join(COLUMNS)


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "references.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def row(name: str, value: str = "1", uncertainty: str = "") -> str:
    return f"{name},{value},{uncertainty}" + "," * (len(COLUMNS) - 3)


def test_the_published_numbers_of_hiro_are_those_of_its_table():
    references = load(FILE)
    gather, maze = references["H_HIRO_AntGather"], references["H_HIRO_AntMaze"]
    assert (gather.number("value"), gather.number("uncertainty")) == (3.02, 1.49)
    assert (maze.number("value"), maze.number("uncertainty")) == (0.99, 0.01)
    assert gather.number("training_steps") == 10_000_000
    assert gather.number("n_seeds") == 10
    assert gather.uncertainty_type.startswith("standard error")
    assert gather.provenance.startswith("Table 1; HIRO arXiv 1805.08296")
    assert gather.provenance.endswith("stated table")


def test_every_row_has_a_source_and_ids_are_those_of_the_file():
    references = load(FILE)
    assert len(references) > 150
    assert all(isinstance(found, Reference) and found.id == name for name, found in references.items())
    assert all(found.source for found in references.values())


def test_words_and_infinities_are_no_numbers(tmp_path: Path):
    references = load(write(tmp_path, row("a", "about"), row("b", ""), row("c", "inf"), row("d", "1e6")))
    for name, text in (("a", "about"), ("b", ""), ("c", "inf")):
        with pytest.raises(ValueError, match=f"reference '{name}': value is '{text}', not a finite number"):
            references[name].number("value")
    assert references["d"].number("value") == 1e6


def test_a_reference_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match="there is no reference 'H_HIRO' among the 1 that were read"):
        load(write(tmp_path, row("a")))["H_HIRO"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row("a"), row("b"), row("a")], "line 4: id 'a' is not unique"),
        ([row("")], "line 2: id '' is missing"),
        ([row("a") + ",more"], "line 2: there are 18 cells instead of 17"),
        (["a,1"], "line 2: there are 2 cells instead of 17"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, rows: list[str], message: str):
    with pytest.raises(ValueError, match=message):
        load(write(tmp_path, *rows))


def test_other_columns_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="columns are id, worth; they must be id, value, uncertainty"):
        load(write(tmp_path, header="id,worth"))
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"empty.csv: columns are ; they must be"):
        load(tmp_path / "empty.csv")
