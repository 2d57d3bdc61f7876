"""Training on a worker that is taken over, as a command: its files, its record, resume, and other sources."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from sources import saved_networks
from toys import equal

from algorithms import train
from algorithms.transfer import policy_digest

STEPS = 200
SMALL = ["--preset", "smoke", "--steps", str(STEPS)]
SMALL += [f"--set={text}" for text in ("run.warmup_steps=100", "run.log_every=50", "run.evaluate_every=200")]
SMALL += [f"--set={text}" for text in ("learner.hidden=[8, 8]", "learner.batch_size=8", "run.checkpoint_every=30")]
NAMES = ("progress.csv", "evaluations.csv", "probes.csv", "proposals.csv")


def run(out: Path, task: str, algorithm: str, variant: str, *extra: str) -> int:
    run = ["--task", task, "--algorithm", algorithm, "--variant", variant, "--seeds", "0", "--out", str(out)]
    return train.main([*SMALL, *run, *extra])


def transferred(out: Path, algorithm: str, source: Path, *extra: str) -> int:
    delta = ["--set", "cher.delta=-5"] if algorithm == "cher" else []
    variant = "worker_hiro" if algorithm == "hiro" else "worker_hrl"
    return run(out, "ant_maze", algorithm, variant, "--source", str(source), *delta, *extra)


def folder_of(out: Path, label: str, task: str = "ant_maze") -> Path:
    return out / "runs" / task / label / "seeds_0"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training of HRL on Ant Gather, whose worker sees the robot alone."""
    out = tmp_path_factory.mktemp("source")
    assert run(out, "ant_gather", "hrl", "transfer") == 0
    return folder_of(out, "hrl-transfer", "ant_gather")


@pytest.fixture(scope="module")
def uninterrupted(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("uninterrupted")
    assert transferred(out, "cher", source) == 0
    return out


def stop_at(monkeypatch: pytest.MonkeyPatch, polls: int) -> None:
    """Trainings in this process stop as after a signal, some steps after they began or went on."""

    def counted() -> train.Callable[[], bool]:
        left = iter(range(polls))
        return lambda: next(left, None) is None

    monkeypatch.setattr(train, "stop_on_signals", counted)


def test_the_source_is_recorded_and_its_policy_part_of_the_hash(uninterrupted: Path, source: Path) -> None:
    folder = folder_of(uninterrupted, "cher-worker_hrl")
    assert sorted(path.name for path in folder.iterdir()) == sorted(train.FILES)
    description, origin = (json.loads((path / "run.json").read_text()) for path in (folder, source))
    assert origin["source"] is None
    assert description["source"] == {"hash": origin["hash"], "seeds": [0], "policy": policy_digest(source)}
    assert description["config"]["transfer"] == {
        "task": "ant_gather",
        "algorithm": "hrl",
        "variant": "transfer",
        "policy": policy_digest(source),
    }
    arguments = [*SMALL, "--task", "ant_maze", "--algorithm", "cher", "--variant", "worker_hrl", "--seeds", "0"]
    arguments += ["--set", "cher.delta=-5", "--source", str(source)]
    assert train.read(train.parser().parse_args(arguments))[0].hash == description["hash"]


def test_the_finished_worker_is_the_sources(uninterrupted: Path, source: Path) -> None:
    folder = folder_of(uninterrupted, "cher-worker_hrl")
    assert equal(saved_networks(folder, "worker."), saved_networks(source, "worker."))
    assert not equal(saved_networks(folder, "manager."), saved_networks(source, "manager."))


def test_probes_of_the_worker_see_no_learning(uninterrupted: Path, source: Path, tmp_path: Path) -> None:
    """Whatever the manager does in between, the worker does the same at every evaluation."""
    assert transferred(tmp_path, "hrl", source, "--set", "run.evaluate_every=50") == 0
    rows = [line.split(",", 2) for line in (folder_of(tmp_path, "hrl-worker_hrl") / "probes.csv").open()][1:]
    by_step = {step: [rest for _, at, rest in rows if at == step] for step in ("50", "100", "150", "200")}
    assert len(rows) == 40
    assert by_step["50"] == by_step["100"] == by_step["150"] == by_step["200"]
    other = [line.split(",", 2) for line in (folder_of(uninterrupted, "cher-worker_hrl") / "probes.csv").open()][
        1:
    ]
    assert [rest for _, _, rest in other] == by_step["200"], "also under another manager"


@pytest.mark.parametrize("polls", [[137], [60, 1, 83]])
def test_stopped_and_continued_is_byte_identical(
    polls: list[int], uninterrupted: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the warm-up (100 steps), right afterwards, in mid-period; at last to the end."""
    for number in polls:
        with monkeypatch.context() as patch:
            stop_at(patch, number)
            assert transferred(tmp_path, "cher", source) == train.INTERRUPTED
    assert transferred(tmp_path, "cher", source) == 0
    folder, expected = (folder_of(out, "cher-worker_hrl") for out in (tmp_path, uninterrupted))
    assert json.loads((folder / "run.json").read_text())["resumed"] == len(polls)
    for name in NAMES:
        assert (folder / name).read_bytes() == (expected / name).read_bytes()
    assert equal(saved_networks(folder, ""), saved_networks(expected, ""))


def another_source(source: Path, folder: Path) -> Path:
    """The same run with another worker."""
    shutil.copytree(source, folder)
    saved = torch.load(folder / "policy.pt", weights_only=True)
    saved["networks"]["worker.actor.bias_0"] += 0.25
    torch.save(saved, folder / "policy.pt")
    return folder


def test_a_checkpoint_made_with_another_worker_is_refused(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = another_source(source, tmp_path / "other")
    stop_at(monkeypatch, 150)
    assert transferred(tmp_path, "hrl", source) == transferred(tmp_path, "hrl", other) == train.INTERRUPTED
    checkpoints = sorted((tmp_path / "checkpoints/ant_maze/hrl-worker_hrl/seeds_0").glob("*/checkpoint.pt"))
    assert len(checkpoints) == 2, "each has a folder of its own"
    for checkpoint in checkpoints:
        checkpoint.with_name("checkpoint.previous.pt").unlink(missing_ok=True)
    shutil.copy(checkpoints[0], tmp_path / "saved")
    shutil.copy(checkpoints[1], checkpoints[0])
    shutil.copy(tmp_path / "saved", checkpoints[1])
    capsys.readouterr()
    assert transferred(tmp_path, "hrl", source) == 2
    names = [checkpoint.parent.name for checkpoint in checkpoints]
    assert "belongs to another configuration" in (message := capsys.readouterr().err.strip().splitlines()[-1])
    assert all(name in message for name in names)


def test_a_finished_run_on_another_worker_is_not_overwritten(
    uninterrupted: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transferred(uninterrupted, "cher", source) == 0, "it is complete"
    other = another_source(source, tmp_path / "other")
    capsys.readouterr()
    assert transferred(uninterrupted, "cher", other) == 2
    there, here = policy_digest(source), policy_digest(other)
    expected = f"holds a finished run of another configuration (transfer.policy is {there} there, {here} here)"
    assert expected in capsys.readouterr().err


def test_what_is_wrong_with_a_source_is_said_in_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = "a folder of hrl-transfer on ant_gather"
    cases = [
        (run(tmp_path, "ant_maze", "hrl", "worker_hrl"), f"takes over a worker; give --source, {wanted}"),
        (transferred(tmp_path, "hrl", tmp_path / "none"), "holds no finished run (no run.json)"),
        (transferred(tmp_path, "hiro", source), "it must be one of hiro-transfer on ant_gather"),
        (transferred(tmp_path, "td3", source), "--source is not allowed for td3-worker_hrl on ant_maze"),
        (
            run(tmp_path, "ant_gather", "hrl", "transfer", "--source", str(source)),
            "--source is not allowed for hrl-",
        ),
        (transferred(tmp_path, "hrl", source, "--seeds", "1"), "holds seeds [0]; they must be [1]"),
    ]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(cases)
    for line, (status, message) in zip(lines, cases, strict=True):
        assert status == 2
        assert line.startswith("error: ")
        assert message in line
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_does_not_fit_ends_the_training_in_one_line(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transferred(tmp_path, "hrl", source, "--set", "learner.hidden=[16, 16]") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: --source {source}: its worker does not fit: ")
    assert not (tmp_path / "runs").exists()


def test_an_unknown_variant_needs_settings_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--preset", "smoke", "--task", "ant_gather", "--algorithm", "td3", "--seeds", "0", "--variant"]
    assert train.main([*arguments, "mine", "--out", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: variant 'mine' is not known; allowed: ratio_25, ")
    parsed = train.parser().parse_args([*arguments, "mine", "--set", "learner.tau=0.01"])
    config, sources, _ = train.read(parsed)
    assert (config.key, config.learner.tau) == ("ant_gather/td3-mine/seeds_0", 0.01)
    assert sources == train.NO_SOURCES._replace(lineage=config.hash)
