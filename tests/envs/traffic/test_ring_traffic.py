import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from envs.traffic.car_following import acceleration_noise, automated_acceleration, idm_acceleration
from envs.traffic.ring_network import EDGES, edge_starts
from envs.traffic.ring_traffic import (
    AUTOMATED_VEHICLE,
    TIME_STEP,
    VEHICLES,
    RingTraffic,
    gaps,
    uniform_start,
)
from envs.traffic.simulation import libsumo

TRACE = Path(__file__).parents[1] / "data" / "flow_ring_trace.csv.gz"
NO_NOISE = np.zeros(VEHICLES - 1)


@pytest.fixture
def traffic() -> Iterator[RingTraffic]:
    ring = RingTraffic()
    yield ring
    ring.close()


def flow_trace() -> dict[str, np.ndarray]:
    """What Flow recorded on a ring of 260 m without noise, after each of 400 steps: arrays of shape [400, 22]."""
    table = pd.read_csv(TRACE)
    return {name: table[name].to_numpy().reshape(-1, VEHICLES) for name in ("x", "speed", "headway")}


def sine_speed(traffic: RingTraffic, step: int) -> float:
    """Next speed of the automated vehicle for the action sin(0.05 step)."""
    speed = float(traffic.speeds[AUTOMATED_VEHICLE])
    return max(0.0, speed + TIME_STEP * automated_acceleration(math.sin(0.05 * step), speed, 0.5, TIME_STEP))


def test_trajectories_are_flows(traffic: RingTraffic) -> None:
    flow = flow_trace()
    assert flow["x"].shape == (400, 22)
    traffic.start(260, uniform_start(260, 0.0, np.random.default_rng(0)), 99346)
    for step in range(400):
        traffic.step(NO_NOISE, sine_speed(traffic, step - 300) if step >= 300 else None)
        np.testing.assert_allclose(traffic.speeds, flow["speed"][step], rtol=0, atol=1e-6)
        np.testing.assert_allclose(traffic.positions, flow["x"][step], rtol=0, atol=1e-6)
        np.testing.assert_allclose(traffic.gaps, flow["headway"][step], rtol=0, atol=1e-6)


def test_first_commands_are_flows(traffic: RingTraffic) -> None:
    accelerations = pd.read_csv(TRACE)["cmd_accel_applied_this_step"].to_numpy().reshape(-1, VEHICLES)[0, :-1]
    traffic.start(260, uniform_start(260, 0.0, np.random.default_rng(0)), 99346)
    ours = idm_acceleration(traffic.speeds[:-1], traffic.speeds[1:], traffic.gaps[:-1])
    np.testing.assert_allclose(ours, accelerations, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours[0], 1.1881422, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("step", "mean", "deviation"), [(100, 4.897, 0.173), (300, 4.895, 0.294)])
def test_speeds_without_noise_from_equal_spacing(
    traffic: RingTraffic, step: int, mean: float, deviation: float
) -> None:
    traffic.start(260, uniform_start(260, 0.0, np.random.default_rng(0)), 99346)
    for _ in range(step):
        traffic.step(NO_NOISE, None)
    assert traffic.speeds.mean() == pytest.approx(mean, abs=2e-3)
    assert traffic.speeds.std() == pytest.approx(deviation, abs=2e-3)


def test_gap_is_sumos_plus_the_minimum_gap(traffic: RingTraffic) -> None:
    traffic.start(245, uniform_start(245, 0.5, np.random.default_rng(3)), 3)
    for step in range(300):
        traffic.step(NO_NOISE, sine_speed(traffic, step))
        for index in range(VEHICLES):
            leader, gap = libsumo.vehicle.getLeader(f"vehicle_{index}", 2000)
            assert leader == f"vehicle_{(index + 1) % VEHICLES}"
            assert traffic.gaps[index] == pytest.approx(gap + 0.5, abs=1e-9)


def test_gaps_wrap_around_the_ring() -> None:
    positions = np.linspace(3.0, 213.0, VEHICLES)
    assert gaps(positions, 240)[-1] == pytest.approx(240.4 - 210 - 5)
    np.testing.assert_allclose(gaps(positions, 240)[:-1], 5.0)


def test_identical_humans_form_the_known_waves(traffic: RingTraffic) -> None:
    """All 22 follow the same noisy model; steps 2500 to 3000 at 245 m.  Nobody leaves the ring."""
    generator = np.random.default_rng(0)
    traffic.start(245, uniform_start(245, 0.5, generator), 0)
    late_speeds = []
    for step in range(3000):
        noise = acceleration_noise(generator, 0.2, TIME_STEP, VEHICLES)
        accelerations = idm_acceleration(traffic.speeds, np.roll(traffic.speeds, -1), traffic.gaps) + noise
        last_speed = max(0.0, float(traffic.speeds[-1] + accelerations[-1] * TIME_STEP))
        assert not traffic.step(noise[:-1], last_speed)
        if step >= 2500:
            late_speeds.append(traffic.speeds)
    assert np.mean(late_speeds) == pytest.approx(3.14, abs=0.1)
    assert np.std(late_speeds, axis=1).mean() == pytest.approx(3.52, abs=0.15)
    assert libsumo.vehicle.getIDCount() == VEHICLES


def test_sumos_safe_speed_prevents_collisions_at_full_throttle(traffic: RingTraffic) -> None:
    traffic.start(220, uniform_start(220, 0.5, np.random.default_rng(0)), 0)
    smallest = []
    for _ in range(1500):
        assert not traffic.step(NO_NOISE, float(traffic.speeds[-1]) + 0.1)
        smallest.append(traffic.gaps.min())
    assert min(smallest) > 0.5


def test_braking_is_not_bounded_by_sumo(traffic: RingTraffic) -> None:
    traffic.start(260, uniform_start(260, 0.5, np.random.default_rng(0)), 0)
    for _ in range(100):
        traffic.step(NO_NOISE, None)
    assert traffic.speeds[AUTOMATED_VEHICLE] > 4
    traffic.step(NO_NOISE, 0.0)
    assert traffic.speeds[AUTOMATED_VEHICLE] == 0


def test_collision_is_told_and_leaves_the_state(traffic: RingTraffic) -> None:
    traffic.start(220, uniform_start(220, 0.0, np.random.default_rng(0)), 0)
    libsumo.vehicle.setSpeedMode("vehicle_21", 0)  # without safety bits SUMO obeys any command
    collided = False
    for _ in range(100):
        before = traffic.positions
        collided = traffic.step(NO_NOISE, float(traffic.speeds[-1]) + 1.0)
        if collided:
            break
    assert collided
    assert traffic.positions is before
    assert np.isfinite(traffic.gaps).all()


def test_start_positions_are_perturbed_within_their_edges() -> None:
    edges, exact = uniform_start(260, 0.0, np.random.default_rng(0))
    starts = np.array([edge_starts(260)[edge] for edge in edges])
    np.testing.assert_allclose(starts + exact, np.arange(22) * 260 / 22)
    generator = np.random.default_rng(1)
    moved = np.array([uniform_start(260, 0.5, generator)[1] for _ in range(500)])
    assert moved.min() >= 0
    assert moved.max() <= 65
    assert (moved[:, 1] - exact[1]).std() == pytest.approx(0.5, abs=0.05)
    assert [edges.index(edge) for edge in EDGES] == [0, 6, 12, 17]


def test_start_positions_always_leave_the_minimum_gap() -> None:
    generator = np.random.default_rng(2)
    for _ in range(20):
        edges, positions = uniform_start(165, 1.0, generator)
        fronts = [edge_starts(165)[e] + p for e, p in zip(edges, positions, strict=True)]
        fronts.append(fronts[0] + 165.4)
        assert min(b - a for a, b in pairwise(fronts)) >= 5.5
