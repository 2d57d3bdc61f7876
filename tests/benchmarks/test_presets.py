from __future__ import annotations

import pytest

from algorithms.config import learns, load_preset, resolve
from algorithms.registry import ALGORITHMS
from algorithms.studies import validate
from benchmarks import presets
from benchmarks.presets import paper
from envs.names import TASKS


@pytest.mark.parametrize(
    ("task", "algorithm"),
    [(task, algorithm) for task in TASKS for algorithm in ALGORITHMS if learns(algorithm, task)],
)
def test_it_is_the_papers_preset_but_for_delta(task: str, algorithm: str):
    validate(paper())
    measured, full = (resolve(values, task, algorithm, seeds=[0]) for values in (paper(), load_preset("paper")))
    assert not measured.needs_worker_return
    if measured.cher is None:
        assert measured == full
    else:
        changed = measured.model_copy(update={"cher": measured.cher.model_copy(update={"delta": None})})
        assert changed == full
        assert measured.cher.delta == presets.DELTA
