import math

import mujoco
import numpy as np
import pytest

from envs.ant.gather import AntGather
from envs.ant.model import TORSO_BODY

RLLAB_POSE = [0, 0, 0.55, 1, 0, 0, 0, 0, 1, 0, -1, 0, -1, 0, 1]
GYM_POSE = [0, 0, 0.75, 1, *([0] * 11)]


def random_actions(seed, number):
    return np.random.default_rng(seed).uniform(-30, 30, (number, 8))


def reset_states(init, number=300):
    env = AntGather(init=init)
    env.reset(seed=0)
    states = [env.reset()[0][:29] for _ in range(number)]
    return np.array(states)


def test_rllab_reset():
    noise = reset_states("rllab") - [*RLLAB_POSE, *([0] * 14)]
    np.testing.assert_allclose(noise.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(noise.std(axis=0), [0.01] * 15 + [0.1] * 14, rtol=0.2)


def test_gym_reset():
    noise = reset_states("gym") - [*GYM_POSE, *([0] * 14)]
    positions = noise[:, :15]
    assert np.abs(positions).max() <= 0.1 + 1e-6
    np.testing.assert_allclose(positions.std(axis=0), 0.1 / math.sqrt(3), rtol=0.2)
    np.testing.assert_allclose(noise[:, 15:].std(axis=0), 0.1, rtol=0.2)


@pytest.mark.parametrize(
    ("init", "contact", "low", "high"), [("rllab", "soft", 0.5, 0.57), ("gym", "stiff", 0.595, 0.635)]
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_height_after_two_seconds_at_rest(init, contact, low, high, seed):
    env = AntGather(init=init, contact=contact)
    env.reset(seed=seed)
    for _ in range(20):
        env.step(np.zeros(8))
    assert low < env.height < high


def test_random_actions_move_the_robot():
    """Too weak motors leave it within 0.25 m, five times too strong ones throw it over."""
    env = AntGather()
    distances = []
    for seed in range(20):
        env.reset(seed=seed)
        for action in random_actions(seed, 500):
            env.simulate(action)
        distances.append(math.hypot(*env.position))
    assert 1 < np.mean(distances) < 3


@pytest.mark.parametrize(("init", "contact"), [("rllab", "soft"), ("gym", "stiff")])
def test_simulation_stays_sound(init, contact):
    env = AntGather(init=init, contact=contact)
    for seed in range(2):
        env.reset(seed=seed)
        for action in random_actions(seed, 500):
            env.simulate(action)
    assert not env.data.warning.number.any()
    assert np.abs(env.data.qvel).max() < 20


@pytest.mark.slow
def test_simulation_stays_sound_for_long():
    """Over 100 episodes; random actions do not make the robot fall."""
    env = AntGather()
    falls = 0
    for seed in range(100):
        env.reset(seed=seed)
        for action in random_actions(seed, 500):
            *_, terminated, truncated, info = env.step(action)
            if terminated or truncated:
                falls += int(info["episode_metrics"]["died"])
                break
    assert falls <= 1


def test_step_lasts_a_tenth_of_a_second():
    env = AntGather()
    env.reset(seed=0)
    env.step(np.zeros(8))
    assert env.data.time == pytest.approx(0.1)


def test_walls_stop_the_robot():
    env = AntGather()
    env.reset(seed=0)
    env.data.qpos[0], env.data.qvel[0] = 9.0, 8.0
    reach = []
    for _ in range(50):
        env.simulate(np.zeros(8))
        reach.append(env.position[0])
    assert 9.4 < max(reach) < 10.5


@pytest.mark.parametrize("yaw", [0.0, 0.7, math.pi / 2, -2.5])
@pytest.mark.parametrize("norm", [1.0, 1.1])
def test_heading_of_a_pure_yaw(yaw, norm):
    env = AntGather()
    env.data.qpos[3:7] = norm * np.array([math.cos(yaw / 2), 0, 0, math.sin(yaw / 2)])
    assert env.heading == pytest.approx(yaw)


def test_heading_is_the_torso_axis_on_the_ground():
    env = AntGather()
    quaternion = np.array([0.8, 0.3, -0.2, 0.4])
    env.data.qpos[3:7] = quaternion
    mujoco.mj_forward(env.model, env.data)
    axis = env.data.xmat[TORSO_BODY].reshape(3, 3)[:, 0]
    assert env.heading == pytest.approx(math.atan2(axis[1], axis[0]))


@pytest.mark.usefixtures("in_empty_folder")
class TestBreakdown:
    """MuJoCo logs its warnings to a file in the working directory, hence the fixture."""

    @pytest.fixture
    def in_empty_folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    @pytest.fixture
    def env(self):
        env = AntGather()
        env.reset(seed=0)
        return env

    def test_action_that_is_not_a_number(self, env):
        with pytest.raises(RuntimeError, match="step 1: mjWARN_BADCTRL"):
            env.simulate(np.full(8, np.nan))

    def test_exploded_velocity(self, env):
        env.step(np.zeros(8))
        env.data.qvel[0] = 1e12
        with pytest.raises(RuntimeError, match="step 2: mjWARN_BADQVEL"):
            env.step(np.zeros(8))

    @pytest.mark.parametrize("field", ["qpos", "qvel"])
    def test_state_lost_in_the_last_substep(self, env, monkeypatch, field):
        def lose(model, data, nstep):
            getattr(data, field)[3] = np.inf

        monkeypatch.setattr(mujoco, "mj_step", lose)
        with pytest.raises(RuntimeError, match="the state is not finite"):
            env.step(np.zeros(8))

    def test_reset_recovers(self, env):
        with pytest.raises(RuntimeError):
            env.simulate(np.full(8, np.nan))
        env.reset()
        env.step(np.zeros(8))


def test_unknown_init_is_refused():
    with pytest.raises(ValueError, match="init = 'zero' is not allowed; it must be 'rllab' or 'gym'"):
        AntGather(init="zero")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"worker_hides_xy": "no"}, "worker_hides_xy = 'no' is not allowed; it must be a valid boolean"),
        ({"contact_forces": 2}, "contact_forces = 2 is not allowed; it must be a valid boolean"),
        ({"contact": "hard"}, "contact = 'hard' is not allowed; it must be 'soft' or 'stiff'"),
        (
            {"wind": 1},
            "key 'wind' is not known; allowed: contact, init, contact_forces, worker_hides_xy, worker_sees",
        ),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        AntGather(**options)
