import numpy as np
import pytest

from envs.traffic.car_following import equilibrium_speed
from envs.traffic.ring_metrics import RING_METRICS, RingRecord

LENGTH = 245


def record_of(speeds: np.ndarray, own_gaps: np.ndarray, horizon: int) -> RingRecord:
    """Record of steps with given speeds [steps, 22] and gaps [steps] of the automated vehicle, which is last."""
    record = RingRecord(LENGTH, horizon)
    for vehicles, own_gap in zip(speeds, own_gaps, strict=True):
        gaps = np.append(np.full(21, 99.0), own_gap)
        record.add(0.1 * vehicles.mean() ** 2, vehicles.mean(), vehicles, gaps)
    return record


def test_uniform_traffic() -> None:
    speed, gap = equilibrium_speed(LENGTH, 22), LENGTH / 22 - 5
    metrics = record_of(np.full((40, 22), speed), np.full(40, gap), horizon=40).metrics(collision=False)
    expected = (1, speed, LENGTH, 0, 1, 0, gap, gap)
    assert metrics == pytest.approx(dict(zip(RING_METRICS, expected, strict=True)))
    assert tuple(metrics) == RING_METRICS


def test_an_episode_that_ends_early_loses_return_but_not_speed() -> None:
    speed = equilibrium_speed(LENGTH, 22)
    metrics = record_of(np.full((10, 22), speed), np.ones(10), horizon=40).metrics(collision=True)
    assert metrics["return_fraction"] == pytest.approx(0.25)
    assert metrics["speed_fraction"] == pytest.approx(1)
    assert metrics["collisions"] == 1


@pytest.mark.parametrize(("early", "late", "expected"), [(0, 250, 2), (50, 250, 2), (0, 10, 2), (50, 200, 3.6)])
def test_waves_are_those_of_the_last_50_seconds(early: int, late: int, expected: float) -> None:
    """Half of the vehicles are faster than 10 m/s, half slower: at first by 10 m/s, then by 2 m/s."""
    signs = np.repeat([-1.0, 1.0], 11)
    speeds = 10 + np.concatenate([np.tile(10 * signs, (early, 1)), np.tile(2 * signs, (late, 1))])
    metrics = record_of(speeds, np.ones(early + late), horizon=300).metrics(collision=False)
    assert metrics["speed_std"] == pytest.approx(expected)


def test_gaps_are_the_automated_vehicles() -> None:
    own_gaps = np.random.default_rng(0).permutation(np.arange(1.0, 102.0))
    metrics = record_of(np.ones((101, 22)), own_gaps, horizon=101).metrics(collision=False)
    assert (metrics["gap_max"], metrics["gap_p95"]) == (101, 96)


def test_steps_are_counted() -> None:
    record = RingRecord(LENGTH, 10)
    assert record.steps == 0
    record.add(0.0, 1.0, np.ones(22), np.ones(22))
    assert record.steps == 1
