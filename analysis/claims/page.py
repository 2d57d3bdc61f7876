"""Verdicts for readers: a Markdown page and a web page, claim by claim."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis import style
from analysis.claims.comparison import ALL, Claim
from analysis.claims.reproduction import short
from analysis.tables.writing import DASH, significant, to_csv, to_markdown

VERDICTS = ("supported", "contradicted", "inconclusive")
SYMBOLS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?"}
NUMBERS = ["effect", "ci_low", "ci_high", "p_value", "standard", "standard_low", "standard_high"]
INTRODUCTION = (
    "A verdict is what the tests say at the level of 5 %, two-sided, adjusted for all comparisons of the same "
    "kind (Holm).  Inconclusive is no verdict against a claim: the last column says what is lacking."
)
Row = Mapping[Hashable, Any]


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for programs."""
    return rows.assign(**{name: significant(rows[[name]])[name] for name in NUMBERS})


def counted(rows: pd.DataFrame) -> str:
    """How many comparisons have which verdict."""
    counts = rows["verdict"].value_counts()
    return ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts.get(name))


def overview(rows: pd.DataFrame, claims: Sequence[Claim]) -> pd.DataFrame:
    """One row per claim; what is told besides is counted by itself."""
    besides, table = {claim.id: claim.besides for claim in claims}, []
    for name, group in rows.groupby("claim", sort=False):
        first, reduced = group.iloc[0], int(group["reduced"].sum())
        extra = group["part"].isin(besides[str(name)])
        verdicts = counted(group[~extra])
        verdicts += f"; besides: {counted(group[extra])}" if extra.any() else ""
        missing = int((group["n_seeds"] == 0).sum())
        notes = [f"{reduced} of reduced runs"] * bool(reduced) + [f"{missing} not judged"] * bool(missing)
        cells = (str(name), first["section"], first["statement"], verdicts, ", ".join(notes))
        table.append(dict(zip(("Claim", "Section", "Statement", "Verdicts", "Of these"), cells, strict=True)))
    return pd.DataFrame(table)


def comparisons(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per comparison of a claim, all cells texts."""
    return pd.DataFrame([_comparison(row) for row in rows.to_dict("records")])


def _comparison(row: Row) -> dict[str, str]:
    p_value = row["p_value"]
    return {
        "": SYMBOLS[row["verdict"]],
        "Task": "all" if row["task"] == ALL else style.task_name(row["task"]),
        "Comparison": row["comparison"],
        "Effect": f"{short(row['effect'])} {row['unit']}".strip() if row["n_seeds"] else DASH,
        "95 % interval": _interval(row),
        "p": DASH if pd.isna(p_value) else f"{p_value:.3f}" if p_value >= 0.001 else "<\N{NO-BREAK SPACE}0.001",
        "Seeds": str(row["n_seeds"]) if row["n_seeds"] else DASH,
        "Verdict": row["verdict"],
        "Lacks": row["lacks"],
    }


def _interval(row: Row) -> str:
    if pd.isna(row["ci_low"]) or pd.isna(row["ci_high"]):
        return DASH
    return f"[{short(row['ci_low'])}, {short(row['ci_high'])}]"


def tests(rows: pd.DataFrame) -> str:
    """The tests of a claim and what their limits are, each once."""
    kinds = rows[["test", "limit"]].drop_duplicates()
    by_test = kinds.groupby("test", sort=False)["limit"].agg(lambda limits: "; ".join(limits))
    return " ".join(
        f"{test[0].upper()}{test[1:]}: {limits}."
        for test, limits in zip(map(str, by_test.index), by_test, strict=True)
    )


def to_page(rows: pd.DataFrame, claims: Sequence[Claim]) -> str:
    """The Markdown page."""
    remarks = {claim.id: claim.remark for claim in claims}
    parts = ["# Claims of the paper, and what the results say", INTRODUCTION, counted(rows) + ".", ""]
    parts.append(to_markdown(overview(rows, claims)))
    for name, group in rows.groupby("claim", sort=False):
        first = group.iloc[0]
        parts += [f"## {name} ({first['section']}): {first['statement']}", tests(group)]
        parts += [remarks[str(name)]] if remarks[str(name)] else []
        parts.append(to_markdown(comparisons(group)))
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def to_html(rows: pd.DataFrame, claims: Sequence[Claim]) -> str:
    """The web page, which needs no other file."""
    folder = FileSystemLoader(Path(__file__).parent)
    template = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    ).get_template("claims.html.j2")
    remarks = {claim.id: claim.remark for claim in claims}
    sections = [
        {
            "id": name,
            "section": group.iloc[0]["section"],
            "statement": group.iloc[0]["statement"],
            "tests": tests(group),
            "remark": remarks[str(name)],
            "table": comparisons(group).to_dict("records"),
        }
        for name, group in rows.groupby("claim", sort=False)
    ]
    return template.render(
        introduction=INTRODUCTION,
        counted=counted(rows),
        overview=overview(rows, claims).to_dict("records"),
        sections=sections,
    )


def write(rows: pd.DataFrame, claims: Sequence[Claim], folder: Path) -> None:
    """Write ``claims.csv``, ``claims.md`` and ``claims.html`` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"csv": to_csv(numbers(rows)), "md": to_page(rows, claims), "html": to_html(rows, claims)}
    for ending, text in texts.items():
        (folder / f"claims.{ending}").write_text(text, encoding="utf-8")
