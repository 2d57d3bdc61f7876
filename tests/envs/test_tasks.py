"""What holds for every registered task."""

import gymnasium
import numpy as np
import pytest

from envs.ant.path import PATH_METRICS
from envs.names import TASKS
from envs.tasks import make, make_vector
from envs.traffic.drivers import desired_speed

SHORT = {
    "ring_road": {"warmup_steps": 20, "horizon": 30},
    "highway": {"pool": False, "warmup_steps": 200, "horizon": 30},
}
ANT_TASKS = [task for task, known in TASKS.items() if known.entry_point.startswith("envs.ant.")]


@pytest.fixture(params=TASKS)
def env(request):
    env = make(request.param, SHORT.get(request.param))
    yield env
    env.close()


def test_task_describes_the_environment(env):
    task, size = env.task, env.observation_space.shape[0]
    assert env.observation_space.dtype == np.float32
    assert len(task.unit_scale) == size
    assert len(task.goal_low) == len(task.goal_high) == len(task.goal_indices)
    assert (task.goal_low < task.goal_high).all()
    for indices in (task.goal_indices, task.manager_indices, task.worker_indices, task.position_indices):
        assert all(0 <= index < size for index in indices)
    assert set(task.position_indices) <= set(task.goal_indices)
    assert task.evaluation_points
    assert len({point.name for point in task.evaluation_points}) == len(task.evaluation_points)


def test_ideal_goals_can_be_set(env):
    """Those of the default options: a manager can only command what lies in its box."""
    goals = [point.ideal_goal for point in env.task.evaluation_points]
    for goal in filter(None, goals):
        assert env.task.goal_low.shape == (len(goal),)
        assert (env.task.goal_low <= goal).all()
        assert (env.task.goal_high >= goal).all()


def test_tasks_with_traffic_are_what_scripted_drivers_need(env):
    task, entry = env.task, TASKS[env.task.name]
    assert (task.vehicles is not None) == entry.is_traffic == ("human_only" in entry.options.model_fields)
    if task.vehicles is not None:
        assert task.vehicles.max_accel == env.options.max_accel
        assert task.vehicles.time_step > 0
        assert (env.action_space.low == -1).all()
        assert (env.action_space.high == 1).all()
        assert env.observation_space.shape[0] % env.action_space.shape[0] == 0
        assert all(0 < desired_speed(point, 1.0) < 30 for point in task.evaluation_points)


def test_episode_ends_at_the_horizon_with_its_metrics(env):
    env.reset(seed=0)
    for step in range(1, env.task.horizon + 1):
        *_, terminated, truncated, info = env.step(np.zeros(env.action_space.shape))
        assert not terminated
        assert truncated == (step == env.task.horizon)
        assert ("episode_metrics" in info) == truncated
    assert set(info["episode_metrics"]) == set(env.task.episode_metrics)
    assert all(isinstance(value, float) for value in info["episode_metrics"].values())


@pytest.mark.parametrize("task", ANT_TASKS)
def test_every_ant_task_reports_the_path(task):
    env = make(task)
    assert env.task.episode_metrics[-len(PATH_METRICS) :] == PATH_METRICS
    env.reset(seed=0)
    env.step(env.action_space.high)
    env.elapsed_steps = env.task.horizon - 1
    metrics = env.step(env.action_space.low)[-1]["episode_metrics"]
    assert metrics["path_length"] > 0
    assert metrics | env.path.metrics() == metrics


@pytest.mark.parametrize("action", [np.nan, np.inf])
def test_action_that_is_not_finite_is_refused_and_changes_nothing(env, action):
    env.reset(seed=0)
    before = env.episode_state
    with pytest.raises(ValueError, match=r"finite numbers?$"):
        env.step(np.full(env.action_space.shape, action))
    assert str(env.episode_state) == str(before)


def test_action_of_another_shape_is_refused(env):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="it must be"):
        env.step(np.zeros(env.action_space.shape[0] + 1))


def test_actions_are_clipped_to_the_box(env):
    observations = []
    for scale in (1, 10):
        env.reset(seed=3)
        observations.append(env.step(env.action_space.high * scale)[0])
    np.testing.assert_array_equal(*observations)


@pytest.mark.parametrize("task", TASKS)
def test_identifier_is_registered(task):
    assert gymnasium.spec(TASKS[task].gymnasium_id).entry_point == TASKS[task].entry_point


@pytest.mark.parametrize("task", TASKS)
def test_render_mode_is_passed_on_and_checked(task):
    env = make(task, render_mode="rgb_array")
    assert env.render_mode == "rgb_array"
    env.close()
    message = "render_mode is 'ascii'; allowed: rgb_array, None"
    with pytest.raises(ValueError, match=f"^{message}$"), pytest.warns(UserWarning, match="not in the possible"):
        make(task, render_mode="ascii")


def test_nothing_is_drawn_without_a_render_mode(env):
    env.reset(seed=0)
    assert env.render_mode is None
    assert env.render() is None


def test_vector_draws_its_members():
    vector = make_vector("ring_road", 1, SHORT["ring_road"], render_mode="rgb_array")
    vector.reset(seed=[0])
    (picture,) = vector.render()
    assert picture.shape == (480, 480, 3)
    vector.close()


@pytest.mark.parametrize("task", TASKS)
def test_members_of_a_vector_do_what_they_do_alone(task):
    options = SHORT.get(task)
    vector = make_vector(task, 2, options)
    seeds = [4, 9]
    together = [vector.reset(seed=list(seeds))[0]]
    shape = vector.action_space.shape
    actions = np.random.default_rng(0).uniform(-1, 1, (5, *shape)).astype(np.float32)
    together += [vector.step(action)[0] for action in actions]
    vector.close()
    for index, seed in enumerate(seeds):
        env = make(task, options)
        alone = [env.reset(seed=seed)[0]]
        alone += [env.step(action[index])[0] for action in actions]
        env.close()
        np.testing.assert_array_equal(np.stack(together)[:, index], np.stack(alone))
