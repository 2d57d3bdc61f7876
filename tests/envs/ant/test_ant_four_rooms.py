"""Ant Four Rooms against the paper's and the authors' numbers, through its public face and MuJoCo's model."""

from itertools import pairwise

import gymnasium
import numpy as np
import pytest
from episodes import (
    STILL,
    check_distance_reward,
    check_entering_is_not_success,
    check_gym_reset,
    check_only_the_horizon_ends,
    check_settles,
    check_success_threshold,
    freeze,
    last_step,
    random_actions,
    run,
)
from floor_plans import FOUR_ROOMS
from gymnasium.utils.env_checker import check_env

from envs.tasks import make

CORNERS = {"target_20_0": (20, 0), "target_0_20": (0, 20), "target_20_20": (20, 20)}


@pytest.fixture
def env():
    return make("ant_four_rooms")


class TestRobot:
    @pytest.mark.parametrize(("contact", "solimp"), [("stiff", [0.9, 0.95, 0.001]), ("soft", [0.8, 0.8, 0.01])])
    def test_contact_impedance(self, env, contact, solimp):
        model = make("ant_four_rooms", {"contact": contact}).model
        np.testing.assert_allclose(model.geom_solimp[:, :3], [solimp] * model.ngeom)
        assert (env.model.geom_solimp == model.geom_solimp).all() == (contact == "stiff")

    def test_same_robot_as_in_gather(self, env):
        assert (env.model.nq, env.model.nv, env.model.nu, env.model.nbody) == (15, 14, 8, 14)
        assert env.model.body_mass.sum() == pytest.approx(0.9109, abs=1e-3)

    def test_reset(self, env):
        check_gym_reset(env)

    def test_settles(self, env):
        check_settles(env)

    def test_random_actions_do_not_leave_the_floor(self, env):
        for seed in range(3):
            env.reset(seed=seed)
            *_, info = run(env, random_actions(seed, 500))
            assert not any("violation" in step for step in info)
            assert info[-1]["episode_metrics"]["violations"] == 0
        assert not env.data.warning.number.any()


class TestObservation:
    @pytest.mark.parametrize(
        ("forces", "time", "size"), [(False, True, 32), (True, True, 116), (False, False, 31), (True, False, 115)]
    )
    def test_layout(self, forces, time, size):
        env = make("ant_four_rooms", {"contact_forces": forces, "time_feature": time})
        assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
        env.reset(seed=0, options={"target": (20, 0)})
        observation = run(env, random_actions(0, 7))[0][-1]
        np.testing.assert_array_equal(observation[:15], env.data.qpos.astype(np.float32))
        np.testing.assert_array_equal(observation[15:29], env.data.qvel.astype(np.float32))
        np.testing.assert_array_equal(observation[-2:], [20, 0])
        if time:
            assert observation[-3] == np.float32(0.007)

    @pytest.mark.parametrize(
        ("options", "worker", "manager"),
        [
            ({}, range(30), 32),
            ({"worker_hides_xy": True, "time_feature": False}, range(2, 29), 31),
            ({"contact_forces": True}, range(114), 116),
        ],
    )
    def test_what_the_levels_see(self, options, worker, manager):
        task = make("ant_four_rooms", options).task
        assert task.worker_indices == tuple(worker)
        assert task.manager_indices == tuple(range(manager))

    def test_task_specification(self, env):
        task, maze = env.task, make("ant_maze").task
        assert (task.name, task.horizon, task.image) == ("ant_four_rooms", 500, None)
        assert task.reward_scale == pytest.approx(0.1)
        assert task.goal_indices == tuple(range(15))
        assert task.relative_goals
        np.testing.assert_array_equal(task.goal_high, maze.goal_high)
        np.testing.assert_array_equal(task.goal_low, maze.goal_low)
        assert task.episode_metrics == maze.episode_metrics


class TestTargets:
    def test_drawn_from_the_corners(self, env):
        env.reset(seed=0)
        counts = dict.fromkeys(CORNERS.values(), 0)
        for _ in range(1800):
            observation = env.reset()[0]
            counts[tuple(env.target.tolist())] += 1
            np.testing.assert_array_equal(observation[-2:], env.target)
        deviation = np.abs(np.array(list(counts.values())) - 600)
        assert deviation.max() < 3.5 * np.sqrt(1800 * 2 / 9)

    def test_successive_targets_are_independent(self, env):
        env.reset(seed=1)
        drawn = []
        for _ in range(900):
            env.reset()
            drawn.append(tuple(env.target.tolist()))
        repeats = np.mean([first == second for first, second in pairwise(drawn)])
        assert abs(repeats - 1 / 3) < 3.5 * np.sqrt(2 / 9 / 900)

    def test_fixed_and_evaluation_points(self, env):
        points = {point.name: point.options for point in env.task.evaluation_points}
        assert points.keys() == CORNERS.keys()
        for name, options in points.items():
            assert options.keys() == {"target"}
            for seed in (0, 1):
                observation, _ = env.reset(seed=seed, options=dict(options))
                np.testing.assert_array_equal(env.target, CORNERS[name])
                np.testing.assert_array_equal(observation[-2:], CORNERS[name])

    @pytest.mark.parametrize("options", [{"corner": 1}, {"target": (np.nan, 0)}, {"target": (1, 2, 3)}])
    def test_wrong_reset_options_are_refused(self, env, options):
        with pytest.raises(ValueError, match="target"):
            env.reset(seed=0, options=options)


class TestEpisode:
    def test_reward_is_minus_the_distance_after_the_step(self, env):
        check_distance_reward(env, (20, 20))

    def test_raw_reward_at_the_start(self, env, monkeypatch):
        env.reset(seed=0, options={"target": (20, 20)})
        freeze(monkeypatch)
        env.data.qpos[:2] = 0
        assert env.step(STILL)[1] == pytest.approx(-np.sqrt(800), abs=1e-6)

    def test_success_within_5_metres(self, env):
        check_success_threshold(env, direction=0.8)

    @pytest.mark.parametrize("name", CORNERS)
    def test_entering_is_not_success(self, env, name):
        x, y = CORNERS[name]
        check_entering_is_not_success(env, near=(x, y), far=(4, 4), target=(x, y))

    def test_five_metres_around_a_corner_stay_in_its_room(self):
        """Nobody succeeds through a wall: 2 m of blocks lie outside all of these discs."""
        angles = np.linspace(0, 2 * np.pi, 73)
        for x, y in CORNERS.values():
            edge = np.stack([x + 5 * np.cos(angles), y + 5 * np.sin(angles)], axis=-1)
            inside = edge[((edge > -1) & (edge < 21)).all(axis=1)]
            assert not FOUR_ROOMS.blocked(inside).any()

    def test_only_the_horizon_ends(self, env):
        check_only_the_horizon_ends(env)

    def test_return_of_doing_nothing(self, env):
        returns = []
        for seed, corner in enumerate(CORNERS.values()):
            env.reset(seed=seed, options={"target": corner})
            returns.append(sum(run(env, [STILL] * 500)[1]))
        assert np.mean(returns) == pytest.approx(-11381, rel=0.015)


@pytest.mark.filterwarnings("ignore:.*(normalized space|infinity)")
def test_follows_gymnasium():
    check_env(gymnasium.make("AntFourRooms-v0").unwrapped, skip_render_check=True)


def test_time_ends_at_one_half(env):
    env.reset(seed=0)
    assert last_step(env)[0][29] == np.float32(0.5)


@pytest.mark.parametrize("options", [{"contact": "hard"}, {"evaluation": "corners"}, {"renderer": "analytic"}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make("ant_four_rooms", options)
