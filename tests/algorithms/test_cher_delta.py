"""Where delta comes from, and what is reported of it."""

from __future__ import annotations

import numpy as np
import pytest
from plain_periods import filled
from toys import CPU, RELATIVE, make, settings

from algorithms.cher import CHER
from algorithms.config import load_preset, resolve


@pytest.mark.parametrize(("share", "delta"), [(0.25, -150), (0.5, -300), (0.75, -450)])
def test_delta_is_a_share_of_the_hrl_workers_return(share: float, delta: float) -> None:
    """A share of p is a cooperation ratio (J - delta) / J of 1 - p."""
    config = settings("cher", changes={"cher": {"delta": None, "delta_share": share}})
    assert config.needs_worker_return
    known = config.with_worker_return(-600)
    assert known.cher is not None
    assert known.cher.delta is not None
    assert known.cher.delta == pytest.approx(delta)
    assert (-600 - known.cher.delta) / -600 == pytest.approx(1 - share)
    assert not known.needs_worker_return


@pytest.mark.parametrize(("task", "delta"), [("ant_gather", -150), ("ring_road", -450)])
def test_share_of_the_paper(task: str, delta: float) -> None:
    config = resolve(load_preset("paper"), task, "cher", seeds=[0]).with_worker_return(-600)
    assert config.cher is not None
    assert config.cher.delta == pytest.approx(delta)


def test_delta_must_be_known() -> None:
    config = settings("cher", changes={"cher": {"delta": None}})
    with pytest.raises(ValueError, match=r"cher\.delta is not set; it must be a negative number"):
        CHER(config, RELATIVE, make("hrl").worker.bounds, CPU)


def test_metrics_of_lambda() -> None:
    algorithm = make("cher", (3, 8), changes={"cher": {"delta": -7}})
    filled(algorithm)
    for _ in range(60):
        algorithm.update()
    metrics = algorithm.metrics()
    assert metrics["delta"].tolist() == [-7, -7]
    np.testing.assert_array_equal(metrics["log_lambda"], algorithm.log_lambda.numpy().astype(np.float32))
    np.testing.assert_allclose(metrics["lambda"], np.exp(algorithm.log_lambda.numpy()), rtol=1e-6)
    assert (metrics["log_lambda"] < -4.2).all(), "values near zero satisfy a delta of -7"
