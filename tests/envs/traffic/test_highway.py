from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.base import SimulationError
from envs.options import HighwayOptions
from envs.strict import parse
from envs.tasks import make
from envs.traffic import pool
from envs.traffic.highway import Highway
from envs.traffic.highway_network import HIGHWAY_LENGTH, LANE_STARTS, write_highway
from envs.traffic.simulation import libsumo

NOTHING = np.zeros(5, dtype=np.float32)
SMALL_POOL = {"warmup_steps": 400, "states": 2, "end_speeds": [5.0]}
MakeHighway = Callable[..., Highway]


@pytest.fixture
def make_highway() -> Iterator[MakeHighway]:
    """Makes environments and closes them after the test."""
    made: list[Highway] = []

    def make(**options: Any) -> Highway:
        made.append(Highway(**options))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.fixture(scope="module")
def small_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Options whose saved states are there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(pool.CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        pool.build(parse(HighwayOptions, SMALL_POOL))
        yield SMALL_POOL


def test_network_is_that_of_the_constants(tmp_path: Path) -> None:
    write_highway(tmp_path / "highway.net.xml", 6.0)
    text = (tmp_path / "highway.net.xml").read_text()
    assert text.count("<lane ") == 5
    assert 'speed="18.00" length="0.10"' in text
    np.testing.assert_allclose(LANE_STARTS, [0, 1250, 1250.1, 2500.1, 2500.2])
    assert pytest.approx(2800.2) == HIGHWAY_LENGTH


def test_every_22nd_vehicle_of_a_saved_state_is_automated(
    make_highway: MakeHighway, small_pool: dict[str, Any]
) -> None:
    env = make_highway(**small_pool)
    observation, info = env.reset(seed=0)
    positions = env.traffic.positions[21::22]
    expected = positions[(positions >= 500) & (positions < 2300)][::-1][:5]
    controlled = env.snapshot().positions[env.snapshot().automated][::-1]
    np.testing.assert_array_equal(controlled, expected)
    assert info["controlled"] == len(expected) > 0
    speeds = env.snapshot().speeds[env.snapshot().automated][::-1]
    slots = observation.reshape(5, 25)
    np.testing.assert_allclose(slots[: len(speeds), 0], speeds, rtol=1e-6)
    assert (slots[:, 5:] == 0).all(), "there is no past yet"
    assert (slots[len(speeds) :] == 0).all()


def test_full_throttle_and_full_brake_do_what_they_say(
    make_highway: MakeHighway, small_pool: dict[str, Any]
) -> None:
    env = make_highway(**small_pool)
    changes = {}
    for action in (-1.0, 1.0):
        env.reset(seed=0)
        observation, *_ = env.step(np.full(5, action, dtype=np.float32))
        slots = observation.reshape(5, 25)
        changes[action] = slots[slots[:, 5] > 1][:, 0] - slots[slots[:, 5] > 1][:, 5]
    assert changes[-1.0] == pytest.approx(-0.2, abs=1e-5)
    assert (changes[1.0] <= 0.2 + 1e-5).all()
    assert changes[1.0].max() == pytest.approx(0.2, abs=1e-5)


def test_human_drivers_ignore_the_actions(make_highway: MakeHighway, small_pool: dict[str, Any]) -> None:
    env = make_highway(**small_pool, human_only=True)
    ends = []
    for action in (-1.0, 1.0):
        env.reset(seed=0)
        for _ in range(20):
            observation, *_ = env.step(np.full(5, action, dtype=np.float32))
        ends.append(observation)
        assert not env.snapshot().automated.any()
    np.testing.assert_array_equal(*ends)


def test_three_simulation_steps_per_step(make_highway: MakeHighway, small_pool: dict[str, Any]) -> None:
    one, three = (make_highway(**small_pool, sims_per_step=number) for number in (1, 3))
    brake = np.full(5, -1, dtype=np.float32)
    one.reset(seed=0)
    for _ in range(15):
        assert not one.step(brake)[2]
    expected = one.snapshot()
    three.reset(seed=0)
    for _ in range(5):
        assert not three.step(brake)[2]
    assert three.snapshot().time == pytest.approx(expected.time) == pytest.approx(6.0)
    np.testing.assert_array_equal(three.snapshot().positions, expected.positions)


def test_evaluation_points_are_two_states_per_end_speed() -> None:
    points = make("highway").task.evaluation_points
    assert [point.options["end_speed"] for point in points] == [5, 5, 6, 6, 7, 7]
    assert [point.options["state"] for point in points] == [0, 1] * 3


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("end_speed", 6.0, "end_speed must be one of 5, got 6.0"),
        ("state", 2, "state must be a whole number from 0 to 1, got 2"),
        ("simulation_seed", -1, "simulation_seed must be a whole number from 0 to 100000, got -1"),
        ("speed", 5, "unknown reset option 'speed'; allowed are end_speed, state, simulation_seed"),
    ],
)
def test_reset_options_are_checked(
    make_highway: MakeHighway, small_pool: dict[str, Any], option: str, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_highway(**small_pool).reset(options={option: value})


def test_missing_states_are_told_with_the_command_that_makes_them(
    make_highway: MakeHighway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pool.CACHE_VARIABLE, str(tmp_path))
    env = make_highway(warmup_steps=30, states=1)
    with pytest.raises(
        pool.MissingStatesError, match=r"python -m envs\.traffic\.pool --options '(.*)'$"
    ) as caught:
        env.reset(seed=0)
    assert "\n" not in str(caught.value)
    given = str(caught.value).split("--options '")[1].split("'")[0]
    assert pool.main(["--options", given]) == 0
    env.reset(seed=0)


def test_saved_states_are_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = []
    for name in ("a", "b"):
        monkeypatch.setenv(pool.CACHE_VARIABLE, str(tmp_path / name))
        folder = pool.build(parse(HighwayOptions, {"warmup_steps": 60, "states": 2}))
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
        assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 3 * 2 + 1


def test_the_cache_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(pool.CACHE_VARIABLE, "/dev/null/cache")
    assert pool.main(["--options", '{"warmup_steps": 10}']) == 2
    assert capsys.readouterr().err == "error: the cache /dev/null/cache cannot be written: Not a directory\n"


def test_without_saved_states_none_can_be_asked_for(make_highway: MakeHighway) -> None:
    env = make_highway(pool=False, warmup_steps=5)
    assert all("state" not in point.options for point in env.task.evaluation_points)
    with pytest.raises(ValueError, match="unknown reset option 'state'; allowed are end_speed, simulation_seed"):
        env.reset(options={"state": 0})


def test_the_enforced_limit_does_not_shape_the_saved_states(make_highway: MakeHighway) -> None:
    """As in the authors' code, where 5 and 7 m/s shape the states and 6 m/s hold in every episode."""
    own, enforced = (HighwayOptions(enforced_end_speed=value) for value in (None, 6.0))
    assert pool.folder(own) == pool.folder(enforced)
    speeds = {}
    for value in (None, 9.0):
        limits = {"end_speeds": [5.0], "enforced_end_speed": value}
        env = make_highway(pool=False, warmup_steps=450, noise=0.0, human_only=True, **limits)
        env.reset(seed=0)
        before = env.snapshot()
        for _ in range(100):
            env.step(NOTHING)
        after = env.snapshot()
        speeds[value] = [shot.speeds[shot.positions > 2600].mean() for shot in (before, after)]
    assert speeds[None][0] == speeds[9.0][0] == pytest.approx(5.0, abs=0.1)
    assert speeds[None][1] == pytest.approx(5.0, abs=0.1)
    assert speeds[9.0][1] > 8


def test_with_safe_speeds_nobody_collides(make_highway: MakeHighway) -> None:
    """A vehicle leaves its slot as it has entered it: for those in slots alone SUMO keeps safe speeds."""
    options = {"pool": False, "warmup_steps": 900, "end_speeds": [5.0], "horizon": 400, "flows": [1800.0, 200.0]}
    env = make_highway(**options, automated_share=0.1, av_speed_mode=25, max_accel=2.0)
    env.reset(seed=0)
    in_slots: set[str] = set()
    for _ in range(400):
        _, _, terminated, _, _ = env.step(np.ones(5, dtype=np.float32))
        assert not terminated
        names = {name for name in env.traffic.names if libsumo.vehicle.getSpeedMode(name) == 25}
        snapshot = env.snapshot()
        assert names == set(np.array(snapshot.names)[snapshot.automated])
        in_slots |= names
    assert len(in_slots) > 8, "some have left, others have entered"


def test_changed_states_are_noticed_when_an_episode_is_restored(
    make_highway: MakeHighway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pool.CACHE_VARIABLE, str(tmp_path))
    options = {"warmup_steps": 300, "states": 2, "end_speeds": [5.0]}
    folder = pool.build(parse(HighwayOptions, options))
    env = make_highway(**options)
    env.reset(seed=0, options={"state": 0})
    env.step(NOTHING)
    state = env.episode_state
    env.episode_state = state
    (folder / "end_5.0_1.xml.gz").replace(folder / "end_5.0_0.xml.gz")
    with pytest.raises(SimulationError, match=r"^the episode on highway does not repeat itself: .* has changed$"):
        env.episode_state = state
    assert pool.build(parse(HighwayOptions, options)) == folder, "a state is missing, so all are made again"
    env.episode_state = state


def test_wrong_options_of_the_pool_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for text, reason in (("[]", "it must be a JSON object"), ('{"noize": 1}', "key 'noize' is not known")):
        assert pool.main(["--options", text]) == 2
        error = capsys.readouterr().err
        assert reason in error
        assert error.count("\n") == 1


def test_nobody_drives_on_after_a_collision(make_highway: MakeHighway, small_pool: dict[str, Any]) -> None:
    env = make_highway(**small_pool)
    env.reset(seed=0)
    terminated = False
    while not terminated:
        *_, terminated, truncated, _ = env.step(np.ones(5, dtype=np.float32))
        assert not truncated
    with pytest.raises(RuntimeError, match=r"^the episode has ended; call reset first$"):
        env.step(NOTHING)
    env.reset()
    env.step(NOTHING)


def test_picture_shows_the_road(make_highway: MakeHighway, small_pool: dict[str, Any]) -> None:
    env = make_highway(**small_pool, render_mode="rgb_array")
    with pytest.raises(RuntimeError, match="before the first reset"):
        env.render()
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.shape == (160, 960, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 10


def test_arbitrary_resets_leave_nothing_behind(make_highway: MakeHighway, small_pool: dict[str, Any]) -> None:
    env, generator = make_highway(**small_pool, horizon=50), np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(400):
        observation, reward, terminated, truncated, _ = env.step(generator.uniform(-1, 1, 5).astype(np.float32))
        assert np.isfinite(observation).all()
        assert reward >= 0
        if terminated or truncated or generator.random() < 0.05:
            env.reset()
            assert libsumo.vehicle.getIDCount() == len(env.traffic.names)
