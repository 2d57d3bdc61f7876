import mujoco
import numpy as np
import pytest

from envs.ant.arena import SquareField
from envs.ant.model import build_model

GREY = (0.4, 0.4, 0.4)
HIP = np.deg2rad([-30, 30])
ANKLE_UP, ANKLE_DOWN = np.deg2rad([30, 70]), np.deg2rad([-70, -30])


@pytest.fixture(scope="module")
def model() -> mujoco.MjModel:
    return build_model(SquareField(10.5, GREY).blocks, contact="soft")


def robot_geoms(model: mujoco.MjModel) -> np.ndarray:
    return np.flatnonzero(model.geom_bodyid > 0)


def test_sizes_and_integrator(model):
    assert (model.nq, model.nv, model.nu, model.nbody) == (15, 14, 8, 14)
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_RK4
    assert model.opt.timestep == 0.02
    np.testing.assert_array_equal(model.opt.gravity, [0, 0, -9.81])


def test_masses(model):
    assert model.body_mass.sum() == pytest.approx(0.9109, abs=1e-3)
    np.testing.assert_allclose(model.body_mass, [0, 0.3272, *([0.0392, 0.0392, 0.0676] * 4)], atol=1e-4)


@pytest.mark.parametrize("field", ["dof_armature", "dof_damping"])
def test_free_joint_has_no_armature_or_damping(model, field):
    np.testing.assert_array_equal(getattr(model, field), [0] * 6 + [1] * 8)


def test_joints_follow_the_legs(model):
    names = [model.joint(index).name for index in range(model.njnt)]
    legs = ["front_left", "front_right", "back_left", "back_right"]
    assert names == ["root"] + [f"{leg}_{joint}" for leg in legs for joint in ("hip", "ankle")]
    np.testing.assert_array_equal(model.jnt_qposadr, [0, *range(7, 15)])
    np.testing.assert_array_equal(model.jnt_limited, [0] + [1] * 8)
    ranges = [HIP, ANKLE_UP, HIP, ANKLE_DOWN, HIP, ANKLE_DOWN, HIP, ANKLE_UP]
    np.testing.assert_allclose(model.jnt_range[1:], ranges)


def test_joint_axes(model):
    diagonal, other = np.array([-1, 1, 0]) / np.sqrt(2), np.array([1, 1, 0]) / np.sqrt(2)
    np.testing.assert_allclose(model.jnt_axis[1::2], [[0, 0, 1]] * 4)
    np.testing.assert_allclose(model.jnt_axis[2::2], [diagonal, other, diagonal, other])


def test_fourth_leg_is_actuated_first(model):
    names = [model.joint(joint).name for joint in model.actuator_trnid[:, 0]]
    legs = ["back_right", "front_left", "front_right", "back_left"]
    assert names == [f"{leg}_{joint}" for leg in legs for joint in ("hip", "ankle")]
    np.testing.assert_array_equal(model.actuator_ctrlrange, [[-30, 30]] * 8)
    np.testing.assert_array_equal(model.actuator_gear[:, 0], np.ones(8))


def test_robot_touches_the_scene_but_not_itself(model):
    robot = robot_geoms(model)
    scene = np.setdiff1d(np.arange(model.ngeom), robot)
    assert (len(robot), len(scene)) == (13, 5)

    def collide(first, second):
        there = model.geom_contype[first][:, None] & model.geom_conaffinity[second]
        back = model.geom_contype[second] & model.geom_conaffinity[first][:, None]
        return (there | back) != 0

    assert not collide(robot, robot).any()
    assert collide(robot, scene).all()


def test_contact_parameters_of_every_geom(model):
    np.testing.assert_array_equal(model.geom_friction, [[1, 0.5, 0.5]] * model.ngeom)
    np.testing.assert_array_equal(model.geom_margin, np.full(model.ngeom, 0.01))
    np.testing.assert_array_equal(model.geom_condim, np.full(model.ngeom, 3))


@pytest.mark.parametrize(("contact", "solimp"), [("soft", [0.8, 0.8, 0.01]), ("stiff", [0.9, 0.95, 0.001])])
def test_contact_impedance(contact, solimp):
    model = build_model(contact=contact)
    np.testing.assert_array_equal(model.geom_solimp[:, :3], [solimp] * model.ngeom)
    np.testing.assert_array_equal(model.geom_solref, [[0.02, 1]] * model.ngeom)


def test_walls_enclose_the_arena(model):
    walls = model.geom_type == mujoco.mjtGeom.mjGEOM_BOX
    centres, halves = model.geom_pos[walls], model.geom_size[walls]
    assert sorted(map(tuple, centres)) == [(-11, 0, 0), (0, -11, 0), (0, 11, 0), (11, 0, 0)]
    for centre, half in zip(centres, halves, strict=True):
        across = int(np.argmax(np.abs(centre)))
        assert abs(centre[across]) - half[across] == 10.5
        assert (half[across], half[1 - across], half[2]) == (0.5, 11.5, 1.0)


def test_unknown_contact_is_refused():
    with pytest.raises(ValueError, match="contact is 'hard'; allowed: stiff, soft"):
        build_model(contact="hard")
