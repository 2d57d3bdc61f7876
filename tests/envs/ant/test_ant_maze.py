"""Ant Maze against the paper's and the authors' numbers, through its public face and MuJoCo's model alone."""

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
    metrics_at_the_end,
    random_actions,
    run,
)
from floor_plans import U_MAZE
from gymnasium.utils.env_checker import check_env
from scipy.stats import kstest

from envs.tasks import make

TARGETS = {"target_16_0": (16, 0), "target_16_16": (16, 16), "target_0_16": (0, 16)}
FREE = [(0, 0), (8, 0), (16, 0), (16, 8), (16, 16), (8, 16), (0, 16)]
HALF_RANGE = [10, 10, 0.5, 1, 1, 1, 1, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3]


@pytest.fixture
def env():
    return make("ant_maze")


class TestRobot:
    def test_same_robot_as_in_gather(self, env):
        model = env.model
        assert (model.nq, model.nv, model.nu, model.nbody) == (15, 14, 8, 14)
        assert model.body_mass.sum() == pytest.approx(0.9109, abs=1e-3)
        assert env.action_space == gymnasium.spaces.Box(-30, 30, (8,), np.float32)

    @pytest.mark.parametrize(
        ("options", "solimp"),
        [
            ({}, [0.9, 0.95, 0.001]),
            ({"contact": "stiff"}, [0.9, 0.95, 0.001]),
            ({"contact": "soft"}, [0.8, 0.8, 0.01]),
        ],
    )
    def test_contact_impedance(self, options, solimp):
        model = make("ant_maze", options).model
        np.testing.assert_allclose(model.geom_solimp[:, :3], [solimp] * model.ngeom)
        np.testing.assert_allclose(model.geom_solref, [[0.02, 1]] * model.ngeom)

    def test_reset(self, env):
        check_gym_reset(env)

    def test_settles(self, env):
        check_settles(env)

    def test_crouched_reset(self):
        env = make("ant_maze", {"init": "rllab"})
        pose = [0, 0, 0.55, 1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 1]
        np.testing.assert_allclose(env.reset(seed=0)[0][:15], pose, atol=0.06)
        run(env, [STILL] * 20)
        assert 0.5 < env.data.qpos[2] < 0.57

    def test_random_actions_move_the_robot(self, env):
        distances = []
        for seed in range(6):
            env.reset(seed=seed)
            *_, info = run(env, random_actions(seed, 500))
            distances.append(np.hypot(*env.position))
            assert not any("violation" in step for step in info)
            assert info[-1]["episode_metrics"]["violations"] == 0
        assert 0.8 < np.mean(distances) < 3
        assert not env.data.warning.number.any()


class TestObservation:
    @pytest.mark.parametrize(
        ("forces", "time", "size"), [(False, True, 32), (True, True, 116), (False, False, 31), (True, False, 115)]
    )
    def test_layout(self, forces, time, size):
        env = make("ant_maze", {"contact_forces": forces, "time_feature": time})
        assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
        first = env.reset(seed=0, options={"target": (3.5, -1.25)})[0]
        observations = [first, *run(env, random_actions(0, 3))[0]]
        for step, observation in enumerate(observations):
            assert observation.shape == (size,)
            np.testing.assert_array_equal(observation[-2:], [3.5, -1.25])
            if time:
                assert observation[-3] == np.float32(0.001 * step)
        np.testing.assert_array_equal(observations[-1][:15], env.data.qpos.astype(np.float32))
        np.testing.assert_array_equal(observations[-1][15:29], env.data.qvel.astype(np.float32))

    def test_last_time_is_one_half(self, env):
        env.reset(seed=0)
        assert last_step(env)[0][29] == np.float32(0.5)
        assert env.reset()[0][29] == 0

    def test_contact_forces(self):
        env, plain = make("ant_maze", {"contact_forces": True}), make("ant_maze")
        env.reset(seed=0)
        plain.reset(seed=0)
        actions = random_actions(0, 30)
        observations = np.array(run(env, actions)[0])
        forces = observations[:, 29:113].reshape(-1, 14, 6)
        assert np.abs(forces).max() == 1
        touching = forces.any(axis=(0, 2))
        assert touching[[4, 7, 10, 13]].all()
        assert not touching[0]
        np.testing.assert_array_equal(np.delete(observations, np.arange(29, 113), axis=1), run(plain, actions)[0])

    @pytest.mark.parametrize(
        ("options", "worker", "manager"),
        [
            ({}, range(30), 32),
            ({"worker_hides_xy": True}, range(2, 30), 32),
            ({"time_feature": False}, range(29), 31),
            ({"contact_forces": True}, range(114), 116),
            ({"contact_forces": True, "worker_hides_xy": True, "time_feature": False}, range(2, 113), 115),
        ],
    )
    def test_what_the_levels_see(self, options, worker, manager):
        task = make("ant_maze", options).task
        assert task.worker_indices == tuple(worker)
        assert task.manager_indices == tuple(range(manager))
        np.testing.assert_array_equal(task.unit_scale, np.ones(manager))

    def test_task_specification(self, env):
        task = env.task
        np.testing.assert_allclose(task.goal_high, HALF_RANGE)
        np.testing.assert_array_equal(task.goal_low, -task.goal_high)
        assert task.goal_indices == tuple(range(15))
        assert task.relative_goals
        assert task.position_indices == (0, 1)
        assert (task.name, task.horizon, task.image) == ("ant_maze", 500, None)
        assert task.reward_scale == pytest.approx(0.1)
        named = {"success", "entered", "final_distance", "violations", "path_length", "coverage"}
        assert set(task.episode_metrics) == named


class TestTargets:
    @pytest.fixture
    def drawn(self, env):
        env.reset(seed=0)
        targets = []
        for _ in range(4000):
            observation = env.reset()[0]
            targets.append(np.array(env.target))
            np.testing.assert_array_equal(observation[-2:], env.target.astype(np.float32))
        return np.array(targets)

    def test_drawn_uniformly(self, drawn):
        assert drawn.shape == (4000, 2)
        assert -4 <= drawn.min() < drawn.max() <= 20
        for axis in drawn.T:
            assert kstest(axis, "uniform", args=(-4, 24)).pvalue > 1e-3
        assert abs(np.corrcoef(drawn.T)[0, 1]) < 3 / np.sqrt(4000)
        share, expected = U_MAZE.blocked(drawn).mean(), 128 / 576
        assert abs(share - expected) < 3 * np.sqrt(expected * (1 - expected) / 4000)

    def test_expected_return_of_doing_nothing(self, drawn):
        axis = np.linspace(-4, 20, 2401)[:-1] + 0.005
        exact = -500 * np.hypot(*np.meshgrid(axis, axis)).mean()
        assert exact == pytest.approx(-6803, abs=1)
        returns = -500 * np.hypot(*drawn.T)
        assert abs(returns.mean() - exact) < 3 * returns.std() / np.sqrt(len(returns))

    def test_fixed(self, env):
        for seed in (0, 1, None):
            observation, _ = env.reset(seed=seed, options={"target": (16, -2.5)})
            np.testing.assert_array_equal(env.target, [16, -2.5])
            np.testing.assert_array_equal(observation[-2:], [16, -2.5])
        env.reset()
        assert (env.target != [16, -2.5]).all()

    def test_stays_during_the_episode(self, env):
        env.reset(seed=0)
        target = env.target.copy()
        run(env, random_actions(0, 5))
        np.testing.assert_array_equal(env.target, target)

    def test_evaluation_points(self, env):
        points = {point.name: point.options for point in env.task.evaluation_points}
        assert points.keys() == TARGETS.keys()
        for name, options in points.items():
            env.reset(seed=0, options=dict(options))
            np.testing.assert_array_equal(env.target, TARGETS[name])
            assert options.keys() == {"target"}

    @pytest.mark.parametrize(
        "options",
        [
            {"goal": (1, 2)},
            {"target": (1, 2), "seed": 3},
            {"target": (1,)},
            {"target": (1, 2, 3)},
            {"target": ((1, 2),)},
            {"target": (np.nan, 0)},
            {"target": (0, np.inf)},
            {"target": None},
            {"target": "ab"},
            {"target": "12"},
            {"target": ("1", "2")},
            {"target": 3.0},
        ],
    )
    def test_wrong_reset_options_are_refused(self, env, options):
        with pytest.raises(ValueError, match="target"):
            env.reset(seed=0, options=options)


class TestEpisode:
    def test_reward_is_minus_the_distance_after_the_step(self, env):
        check_distance_reward(env, (16, 0))

    def test_raw_reward_at_the_start(self, env, monkeypatch):
        env.reset(seed=0, options={"target": (16, 0)})
        freeze(monkeypatch)
        env.data.qpos[:2] = 0
        reward = env.step(STILL)[1]
        assert reward == pytest.approx(-16, abs=1e-6)
        assert env.task.reward_scale * reward == pytest.approx(-1.6)

    def test_reward_at_the_target_is_finite(self, env, monkeypatch):
        env.reset(seed=0, options={"target": (16, 0)})
        freeze(monkeypatch)
        env.data.qpos[:2] = 16, 0
        assert -1e-4 < env.step(STILL)[1] <= 0

    @pytest.mark.parametrize("direction", [0.0, 2.0, -2.3])
    def test_success_within_5_metres(self, env, direction):
        check_success_threshold(env, direction)

    @pytest.mark.parametrize("name", TARGETS)
    def test_entering_is_not_success(self, env, name):
        x, y = TARGETS[name]
        check_entering_is_not_success(env, near=(x, y), far=(8, 0), target=(x, y))

    def test_start_is_no_entry(self, env):
        env.reset(seed=0, options={"target": (0, 0)})
        env.data.qpos[:2] = 16, 0
        assert metrics_at_the_end(env)["entered"] == 0

    def test_only_the_horizon_ends(self, env):
        check_only_the_horizon_ends(env)

    def test_return_of_doing_nothing(self, env):
        """The first steps throw the robot some decimetres off, which moves a return by up to 3 %."""
        returns = []
        for seed, target in enumerate(TARGETS.values()):
            env.reset(seed=seed, options={"target": target})
            returns.append(sum(run(env, [STILL] * 500)[1]))
            assert returns[-1] == pytest.approx(-500 * np.hypot(*target), rel=0.03)
        assert np.mean(returns) == pytest.approx(-9105, rel=0.015)


@pytest.mark.filterwarnings("ignore:.*(normalized space|infinity)")
@pytest.mark.parametrize("options", [{}, {"contact_forces": True, "time_feature": False}])
def test_follows_gymnasium(options):
    check_env(gymnasium.make("AntMaze-v0", **options).unwrapped, skip_render_check=True)


@pytest.mark.parametrize(
    "options",
    [{"contact": "hard"}, {"init": "zero"}, {"evaluation": "all"}, {"time_feature": 1}, {"wind": 1}],
)
def test_wrong_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make("ant_maze", options)
