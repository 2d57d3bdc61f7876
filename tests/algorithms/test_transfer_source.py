"""Which finished run a worker is taken from, and workers that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from sources import finished, fresh, networks_of, on_a_worker, planned, saved_networks
from toys import equal

from algorithms.config import ConfigError
from algorithms.transfer import adopt_worker, complete, policy_digest

# ---- what does not fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("algorithm", "variant", "changes"),
    [
        ("hrl", None, {}),
        ("hrl", "transfer_xy", {}),
        ("hrl", "transfer", {"learner": {"hidden": [16, 8], "buffer_steps": 2_000}}),
        ("td3", None, {}),
    ],
)
def test_a_worker_that_sees_or_is_something_else_is_refused(
    tmp_path: Path, algorithm: str, variant: str | None, changes: dict[str, Any]
) -> None:
    folder = finished(tmp_path / "other", planned("ant_gather", algorithm, variant, **changes))
    learner = fresh(planned("ant_maze", "hrl", "worker_hrl"))
    before = networks_of(learner, "worker.")
    with pytest.raises(ConfigError) as caught:
        adopt_worker(learner, folder)
    message = f"--source {folder}: its worker does not fit: saved networks do not fit: worker.actor."
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert equal(networks_of(learner, "worker."), before)


def test_workers_of_more_seeds_are_refused(tmp_path: Path) -> None:
    folder = finished(tmp_path, planned("ant_gather", "hrl", "transfer", seeds=(0, 1)))
    with pytest.raises(ConfigError, match=r"^--source .*: its worker does not fit: [^\n]*$"):
        adopt_worker(fresh(planned("ant_maze", "hrl", "worker_hrl")), folder)


def test_without_a_folder_there_is_nothing_to_take_over() -> None:
    with pytest.raises(ConfigError, match="there is no run folder to take it from"):
        adopt_worker(on_a_worker("hrl"), None)


@pytest.mark.parametrize("task", ["ant_maze", "ant_four_rooms"])
@pytest.mark.parametrize("suffix", ["", "_xy"])
def test_the_papers_workers_fit(tmp_path: Path, task: str, suffix: str) -> None:
    for algorithm in ("hrl", "hiro"):
        folder = finished(tmp_path / algorithm, planned("ant_gather", algorithm, f"transfer{suffix}"))
        learner = fresh(planned(task, algorithm, f"worker_{algorithm}{suffix}"))
        adopt_worker(learner, folder)
        assert equal(networks_of(learner, "worker."), saved_networks(folder, "worker."))


# ---- which run ------------------------------------------------------------------------------------------------

RUN = planned("ant_maze", "hrl", "worker_hrl", seeds=(0, 1))
WANTED = "hrl-transfer on ant_gather"


def test_the_policy_is_part_of_the_run_and_of_its_hash(tmp_path: Path) -> None:
    folder = finished(tmp_path, planned("ant_gather", "hrl", "transfer", seeds=(0, 1)))
    assert RUN.transfer.policy is None
    run, record = complete(RUN, folder)
    digest = policy_digest(folder)
    assert run.transfer.policy is not None
    assert run.experiment["transfer"]["policy"] == digest
    assert record == {
        "hash": json.loads((folder / "run.json").read_text())["hash"],
        "seeds": [0, 1],
        "policy": digest,
    }
    torch.save({"networks": {}}, folder / "policy.pt")
    again, _ = complete(RUN, folder)
    assert len({RUN.hash, run.hash, again.hash}) == 3
    assert run.key == again.key == RUN.key
    with pytest.raises(ConfigError, match=rf"holds policy {policy_digest(folder)}; transfer.policy is {digest}$"):
        complete(run, folder)


def test_a_run_that_takes_over_nothing_is_left_as_it_is() -> None:
    run = planned("ant_maze", "hrl")
    assert complete(run, None) == (run, None)


def test_a_source_is_needed_or_not_allowed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        complete(RUN, None)
    expected = f"hrl-worker_hrl on ant_maze takes over a worker; give --source, a folder of {WANTED}"
    assert str(caught.value) == expected
    for algorithm, variant, label in (("hrl", None, "hrl"), ("td3", "worker_hrl", "td3-worker_hrl")):
        with pytest.raises(ConfigError) as caught:
            complete(planned("ant_maze", algorithm, variant), tmp_path)
        expected = f"--source is not allowed for {label} on ant_maze: it takes over no worker"
        assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("made", "seeds", "reason"),
    [
        (("ant_gather", "hrl", None), (0, 1), f"holds a run of hrl on ant_gather; it must be one of {WANTED}"),
        (("ant_gather", "hiro", "transfer"), (0, 1), "holds a run of hiro-transfer on ant_gather; it must be"),
        (("ant_maze", "hrl", "transfer"), (0, 1), "holds a run of hrl-transfer on ant_maze; it must be one of"),
        (("ant_gather", "hrl", "transfer_xy"), (0, 1), "holds a run of hrl-transfer_xy on ant_gather; it must be"),
        (("ant_gather", "hrl", "transfer"), (0,), "holds seeds [0]; they must be [0, 1]"),
        (("ant_gather", "hrl", "transfer"), (1, 0), "holds seeds [1, 0]; they must be [0, 1]"),
    ],
)
def test_another_run_is_refused_in_one_line(
    tmp_path: Path, made: tuple[str, str, str | None], seeds: tuple[int, ...], reason: str
) -> None:
    if made == ("ant_maze", "hrl", "transfer"):
        config = planned("ant_maze", "hrl").model_copy(update={"variant": "transfer", "seeds": list(seeds)})
    else:
        config = planned(*made, seeds=seeds)
    folder = finished(tmp_path, config)
    with pytest.raises(ConfigError) as caught:
        complete(RUN, folder)
    assert str(caught.value).startswith(f"--source {folder} {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["run.json", "policy.pt"])
def test_an_unfinished_run_is_refused(tmp_path: Path, name: str) -> None:
    folder = finished(tmp_path, planned("ant_gather", "hrl", "transfer", seeds=(0, 1)))
    (folder / name).unlink()
    with pytest.raises(ConfigError) as caught:
        complete(RUN, folder)
    assert str(caught.value) == f"--source {folder} holds no finished run (no {name})"


@pytest.mark.parametrize(("text", "reason"), [("", ""), ("{", ""), ("[1]", "it describes no run"), ("{}", "it ")])
def test_a_damaged_description_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    folder = finished(tmp_path, planned("ant_gather", "hrl", "transfer", seeds=(0, 1)))
    (folder / "run.json").write_text(text)
    with pytest.raises(ConfigError, match=rf"^--source [^\n]*: run.json is damaged: {reason}[^\n]*$"):
        complete(RUN, folder)


def test_a_damaged_policy_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = finished(tmp_path, planned("ant_gather", "hrl", "transfer"))
    (folder / "policy.pt").write_bytes((folder / "policy.pt").read_bytes()[:1_000])
    with pytest.raises(ConfigError, match=r"^--source [^\n]*: policy.pt cannot be read: [^\n]*$"):
        adopt_worker(fresh(planned("ant_maze", "hrl", "worker_hrl")), folder)
