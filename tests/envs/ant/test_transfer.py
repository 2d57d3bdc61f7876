"""A worker moves between tasks only if robot, physics and what it sees are the same in all of them."""

import mujoco
import numpy as np
import pytest
from episodes import random_actions
from floor_plans import FOUR_ROOMS, U_MAZE, ground_height

from envs.names import TASKS
from envs.options import TRANSFER_OPTIONS
from envs.strict import parse
from envs.tasks import make

STATE = mujoco.mjtState.mjSTATE_INTEGRATION
ROBOT = tuple(range(2, 29))
ROOM_CENTRES = [(4, 4), (16, 5), (4, 16), (16, 17)]
CORNERS = {(20, 0), (0, 20), (20, 20)}
BODY = ("parentid", "pos", "quat", "ipos", "iquat", "mass", "inertia")
JOINT = ("type", "bodyid", "qposadr", "dofadr", "pos", "axis", "limited", "range", "stiffness", "solref", "solimp")
DOF = ("armature", "damping", "frictionloss", "invweight0", "solref", "solimp")
GEOM = (
    "type",
    "size",
    "pos",
    "quat",
    "friction",
    "margin",
    "gap",
    "condim",
    "contype",
    "conaffinity",
    "solref",
    "solimp",
)
ACTUATOR = ("trnid", "gear", "ctrlrange", "gainprm", "biasprm", "forcerange", "ctrllimited")
OPTION = (
    "timestep",
    "integrator",
    "gravity",
    "solver",
    "cone",
    "iterations",
    "tolerance",
    "disableflags",
    "enableflags",
)


@pytest.fixture
def envs():
    return {task: make(task, options) for task, options in TRANSFER_OPTIONS.items()}


def transplant(source, target):
    """Give the robot of one scene the exact state of another's."""
    state = np.empty(mujoco.mj_stateSize(source.model, STATE))
    mujoco.mj_getState(source.model, source.data, state, STATE)
    mujoco.mj_setState(target.model, target.data, state, STATE)


def boxes_touched(env):
    return (env.model.geom_type[env.data.contact.geom] == mujoco.mjtGeom.mjGEOM_BOX).any()


def test_tasks():
    assert set(TRANSFER_OPTIONS) == {"ant_gather", "ant_maze", "ant_four_rooms"}
    for task, options in TRANSFER_OPTIONS.items():
        parse(TASKS[task].options, options)


class TestRobot:
    @pytest.fixture
    def models(self, envs):
        return [env.model for env in envs.values()]

    @pytest.mark.parametrize(
        ("kind", "fields"), [("body", BODY), ("jnt", JOINT), ("dof", DOF), ("actuator", ACTUATOR)]
    )
    def test_same_parameters(self, models, kind, fields):
        for field in fields:
            values = [getattr(model, f"{kind}_{field}") for model in models]
            for value in values[1:]:
                np.testing.assert_array_equal(value, values[0], err_msg=field)

    @pytest.mark.parametrize("field", GEOM)
    def test_same_geoms(self, models, field):
        """Of the robot, and of the floor but for its size."""
        values = [getattr(model, f"geom_{field}") for model in models]
        for model, value in zip(models, values, strict=True):
            np.testing.assert_array_equal(value[model.geom_bodyid > 0], values[0][models[0].geom_bodyid > 0])
            floors = value[model.geom_type == mujoco.mjtGeom.mjGEOM_PLANE]
            assert len(floors) == 1
            if field != "size":
                np.testing.assert_array_equal(floors, values[0][models[0].geom_type == 0])

    @pytest.mark.parametrize("field", OPTION)
    def test_same_simulation(self, models, field):
        values = [getattr(model.opt, field) for model in models]
        for value in values[1:]:
            np.testing.assert_array_equal(value, values[0])

    def test_soft_contacts(self, models):
        for model in models:
            np.testing.assert_allclose(model.geom_solimp[:, :3], [[0.8, 0.8, 0.01]] * model.ngeom)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_same_motion_on_open_floor(envs, seed):
    """From a place where no wall is within 2 m of the robot's legs, in any of the scenes."""
    gather = envs["ant_gather"]
    for env in envs.values():
        env.reset(seed=seed)
    gather.data.qpos[:2] = 4, 1.5
    others = [env for env in envs.values() if env is not gather]
    for env in others:
        transplant(gather, env)
    for action in random_actions(seed, 40):
        observation = gather.step(action)[0]
        assert not boxes_touched(gather)
        for env in others:
            other = env.step(action)[0]
            assert not boxes_touched(env)
            np.testing.assert_array_equal(env.data.qpos, gather.data.qpos)
            np.testing.assert_array_equal(env.data.qvel, gather.data.qvel)
            np.testing.assert_array_equal(
                other[list(env.task.worker_indices)], observation[list(gather.task.worker_indices)]
            )


class TestWhatTheLevelsSee:
    def test_worker_sees_the_robot_without_its_place(self, envs):
        for env in envs.values():
            assert env.task.worker_indices == ROBOT

    def test_worker_may_see_its_place(self):
        for task, options in TRANSFER_OPTIONS.items():
            worker = make(task, {**options, "worker_hides_xy": False}).task.worker_indices
            assert worker == tuple(range(29))

    def test_goals_are_the_same(self, envs):
        tasks = [env.task for env in envs.values()]
        for task in tasks:
            assert task.goal_indices == tuple(range(15))
            assert task.relative_goals
            np.testing.assert_array_equal(task.goal_high, tasks[0].goal_high)
            np.testing.assert_array_equal(task.goal_low, tasks[0].goal_low)

    @pytest.mark.parametrize(("task", "extras"), [("ant_gather", 20), ("ant_maze", 2), ("ant_four_rooms", 2)])
    def test_manager_sees_its_extras_besides(self, envs, task, extras):
        """Twenty readings or a target after the 29 robot numbers, and no time."""
        env = envs[task]
        observation = env.reset(seed=0)[0]
        assert observation.shape == (29 + extras,)
        assert env.task.manager_indices == tuple(range(29 + extras))
        np.testing.assert_array_equal(observation[:15], env.data.qpos.astype(np.float32))
        if extras == 2:
            np.testing.assert_array_equal(observation[29:], env.target.astype(np.float32))

    @pytest.mark.parametrize(
        ("options", "worker"),
        [
            ({}, range(49)),
            ({"worker_sees": "all"}, range(49)),
            ({"worker_sees": "robot"}, range(29)),
            ({"worker_sees": "robot", "worker_hides_xy": True}, range(2, 29)),
            ({"worker_sees": "all", "worker_hides_xy": True}, range(2, 49)),
        ],
    )
    def test_worker_of_gather(self, options, worker):
        task = make("ant_gather", options).task
        assert task.worker_indices == tuple(worker)
        assert task.manager_indices == tuple(range(49))

    def test_wrong_value_is_refused(self):
        with pytest.raises(ValueError, match="worker_sees"):
            make("ant_gather", {"worker_sees": "nothing"})


class TestEvaluationPoints:
    def targets(self, env):
        points = {point.name: point.options["target"] for point in env.task.evaluation_points}
        for name, target in points.items():
            assert name == "target_{:g}_{:g}".format(*target)
            env.reset(seed=0, options={"target": target})
            np.testing.assert_array_equal(env.target, target)
        return [tuple(target) for target in points.values()]

    @pytest.mark.parametrize("options", [{"evaluation": "transfer"}, TRANSFER_OPTIONS["ant_maze"]])
    def test_cells_of_the_maze(self, options):
        targets = self.targets(make("ant_maze", options))
        assert len(targets) == 7
        assert set(targets) == U_MAZE.centres(blocked=False)

    @pytest.mark.parametrize("options", [{"evaluation": "transfer"}, TRANSFER_OPTIONS["ant_four_rooms"]])
    def test_corners_and_rooms(self, options):
        env = make("ant_four_rooms", options)
        targets = self.targets(env)
        assert len(targets) == 7
        assert set(targets) >= CORNERS
        assert not FOUR_ROOMS.blocked(targets).any()
        np.testing.assert_allclose(ground_height(env, targets), 0, atol=1e-9)
        rooms = sorted(set(targets) - CORNERS)
        for room, centre in zip(rooms, sorted(ROOM_CENTRES), strict=True):
            assert np.hypot(*np.subtract(room, centre)) <= 1

    @pytest.mark.parametrize("task", ["ant_maze", "ant_four_rooms"])
    def test_training_targets_stay(self, task):
        plain, transfer = make(task), make(task, {"evaluation": "transfer"})
        plain.reset(seed=3)
        transfer.reset(seed=3)
        np.testing.assert_array_equal(plain.target, transfer.target)
