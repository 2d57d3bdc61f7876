import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs.ant.gather import APPLE, BOMB, AntGather, object_cells
from envs.tasks import make

STILL = np.zeros(8)
FAR = (9.0, 9.0, APPLE)
STOOD_STILL = {"violations": 0.0, "path_length": 0.0, "coverage": 1.0}


def place(env, objects):
    """Replace the objects of the field by (x, y, kind) triples."""
    env.object_positions = np.array([(x, y) for x, y, _ in objects], dtype=np.float64)
    env.object_kinds = np.array([kind for *_, kind in objects], dtype=np.int64)


@pytest.fixture
def env():
    env = AntGather()
    env.reset(seed=0)
    return env


@pytest.fixture
def frozen(env, monkeypatch):
    """An environment whose robot stays exactly at the origin."""
    monkeypatch.setattr(mujoco, "mj_step", lambda model, data, nstep: None)
    env.data.qpos[:3] = 0, 0, 0.55
    return env


@pytest.mark.filterwarnings("ignore:.*(normalized space|infinity)")
@pytest.mark.parametrize("contact_forces", [False, True])
def test_registered_and_follows_gymnasium(contact_forces):
    env = gymnasium.make("AntGather-v0", contact_forces=contact_forces)
    check_env(env.unwrapped, skip_render_check=True)  # needs OpenGL, see test_rendering.py


@pytest.mark.parametrize(("contact_forces", "size"), [(False, 49), (True, 145)])
def test_task_specification(contact_forces, size):
    env = make("ant_gather", {"contact_forces": contact_forces})
    task = env.task
    assert env.observation_space == gymnasium.spaces.Box(-np.inf, np.inf, (size,), np.float32)
    assert env.action_space == gymnasium.spaces.Box(-30, 30, (8,), np.float32)
    half_range = [10, 10, 0.5, 1, 1, 1, 1, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3]
    np.testing.assert_allclose(task.goal_high, half_range)
    np.testing.assert_array_equal(task.goal_low, -task.goal_high)
    assert task.goal_high.dtype == task.goal_low.dtype == np.float32
    assert task.goal_indices == tuple(range(15))
    assert task.relative_goals
    assert task.position_indices == (0, 1)
    assert task.manager_indices == task.worker_indices == tuple(range(size))
    assert (task.name, task.horizon, task.reward_scale) == ("ant_gather", 500, 10)
    np.testing.assert_array_equal(task.unit_scale, np.ones(size))
    assert [(point.name, point.options) for point in task.evaluation_points] == [("default", {})]
    assert task.episode_metrics == ("apples", "bombs", "died", "violations", "path_length", "coverage")
    assert not task.one_per_process


def test_worker_may_be_denied_the_position():
    task = AntGather(worker_hides_xy=True).task
    assert task.worker_indices == tuple(range(2, 49))
    assert task.manager_indices == tuple(range(49))


def test_admissible_cells():
    cells = object_cells()
    assert len(set(map(tuple, cells))) == len(cells) == 99
    assert set(cells.ravel()) == set(range(-10, 9, 2))
    assert (0, 0) not in set(map(tuple, cells))


def test_layouts_are_distinct_cells_and_uniform(env):
    admissible = set(map(tuple, object_cells()))
    counts = {kind: dict.fromkeys(admissible, 0) for kind in (APPLE, BOMB)}
    for _ in range(2000):
        env.reset()
        cells = list(map(tuple, env.object_positions))
        assert len(set(cells)) == 16
        assert np.bincount(env.object_kinds).tolist() == [8, 8]
        for cell, kind in zip(cells, env.object_kinds, strict=True):
            counts[kind][cell] += 1
    expected = 2000 * 8 / 99
    for kind in (APPLE, BOMB):
        deviation = np.abs(np.array(list(counts[kind].values())) - expected)
        assert deviation.max() < 5 * np.sqrt(expected)


def test_observation_layout(env):
    observation, *_ = env.step(np.full(8, 30.0))
    np.testing.assert_array_equal(observation[:15], env.data.qpos.astype(np.float32))
    np.testing.assert_array_equal(observation[15:29], env.data.qvel.astype(np.float32))


def test_readings_use_position_and_heading(frozen):
    frozen.data.qpos[:2] = 2, -1
    frozen.data.qpos[3:7] = np.sqrt(0.5), 0, 0, np.sqrt(0.5)
    place(frozen, [(5, -1, APPLE), (2, 0.5, BOMB)])
    observation, *_ = frozen.step(STILL)
    expected = np.zeros(20)
    expected[2] = 0.5
    expected[10 + 5] = 0.75
    np.testing.assert_allclose(observation[29:], expected, atol=1e-6)


def test_collected_objects_are_gone_from_the_observation(frozen):
    place(frozen, [(0.5, 0.5, APPLE), FAR])
    observation, *_ = frozen.step(STILL)
    assert not observation[29:].any()


@pytest.mark.parametrize(
    ("objects", "reward"),
    [
        ([(0.5, 0, APPLE)], 1),
        ([(0.5, 0, BOMB)], -1),
        ([(0.5, 0, APPLE), (0, 0.5, APPLE)], 2),
        ([(0.5, 0, APPLE), (0, 0.5, BOMB)], 0),
        ([(0.999, 0, APPLE)], 1),
        ([(1.0, 0, APPLE)], 0),
        ([(0.8, 0.8, APPLE)], 0),
    ],
)
def test_rewards(frozen, objects, reward):
    place(frozen, [*objects, FAR])
    _, received, terminated, truncated, info = frozen.step(STILL)
    assert received == reward
    assert isinstance(received, float)
    assert (terminated, truncated, info) == (False, False, {})


def test_object_counts_once(frozen):
    place(frozen, [(0.5, 0, APPLE), FAR])
    assert [frozen.step(STILL)[1] for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(("height", "alive"), [(0.299, False), (0.3, True), (1.0, True), (1.001, False)])
def test_death(frozen, height, alive):
    place(frozen, [(0, 0, APPLE), FAR])
    frozen.data.qpos[2] = height
    _, reward, terminated, truncated, info = frozen.step(STILL)
    assert (reward, terminated, truncated) == (float(alive), not alive, False)
    assert len(frozen.object_kinds) == 1 + (not alive)
    assert alive or info == {"episode_metrics": {"apples": 0.0, "bombs": 0.0, "died": 1.0, **STOOD_STILL}}


def test_last_object_ends_the_episode(frozen):
    place(frozen, [(0.5, 0, APPLE), (0, 0.5, BOMB), (0, -0.5, BOMB)])
    _, reward, terminated, truncated, info = frozen.step(STILL)
    assert (reward, terminated, truncated) == (-1, True, False)
    assert info == {"episode_metrics": {"apples": 1.0, "bombs": 2.0, "died": 0.0, **STOOD_STILL}}


def test_horizon_truncates(env):
    place(env, [FAR])
    for _ in range(499):
        *_, terminated, truncated, info = env.step(STILL)
        assert (terminated, truncated, info) == (False, False, {})
    *_, terminated, truncated, info = env.step(STILL)
    assert (terminated, truncated) == (False, True)
    assert info == {"episode_metrics": {"apples": 0.0, "bombs": 0.0, "died": 0.0, **env.robot_metrics()}}


def test_death_at_the_horizon_terminates_only(env):
    env.elapsed_steps = 499
    env.data.qpos[2] = 3
    *_, terminated, truncated, _ = env.step(STILL)
    assert (terminated, truncated) == (True, False)


def test_reset_clears_the_counters(frozen):
    place(frozen, [(0.5, 0, APPLE), FAR])
    frozen.step(STILL)
    frozen.reset()
    frozen.data.qpos[2] = 3
    assert frozen.step(STILL)[4]["episode_metrics"]["apples"] == 0
    assert len(frozen.object_kinds) == 16


def test_reset_options_are_refused(env):
    with pytest.raises(ValueError, match=r"unknown reset options \['target'\]; ant_gather has none"):
        env.reset(options={"target": (1, 2)})


class TestContactForces:
    @pytest.fixture
    def stepped(self):
        env = AntGather(contact_forces=True)
        env.reset(seed=0)
        generator = np.random.default_rng(0)
        observations = [env.step(generator.uniform(-30, 30, 8))[0] for _ in range(30)]
        return env, np.array(observations)

    def test_forces_of_the_bodies(self, stepped):
        env, observations = stepped
        forces = observations[:, 29:113].reshape(-1, 14, 6)
        assert np.abs(forces).max() == 1
        touching = forces.any(axis=(0, 2))
        feet = [
            env.model.body(f"{leg}_ankle").id for leg in ("front_left", "front_right", "back_left", "back_right")
        ]
        assert feet == [4, 7, 10, 13]
        assert touching[feet].all()
        assert not touching[0]

    def test_torso_frame_belongs_to_the_same_state(self, stepped):
        env, observations = stepped
        data = mujoco.MjData(env.model)
        data.qpos[:] = env.data.qpos
        mujoco.mj_forward(env.model, data)
        masses = env.model.body_mass[1:, None]
        centre = (masses * data.xipos[1:]).sum(axis=0) / masses.sum()
        np.testing.assert_array_equal(observations[-1, 113:122], data.xmat[1].astype(np.float32))
        np.testing.assert_allclose(observations[-1, 122:125], centre, rtol=1e-6)

    def test_the_rest_is_the_small_observation(self, stepped):
        _, observations = stepped
        plain = AntGather()
        plain.reset(seed=0)
        generator = np.random.default_rng(0)
        expected = [plain.step(generator.uniform(-30, 30, 8))[0] for _ in range(30)]
        np.testing.assert_array_equal(np.delete(observations, np.arange(29, 125), axis=1), expected)
