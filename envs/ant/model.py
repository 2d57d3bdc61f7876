"""The Ant and the scene around it as a MuJoCo model.

The robot is the Ant of rllab, HIRO and the CHER authors' code.  It is not gymnasium's: actuators apply at
most 30 N m through gear 1 (gymnasium: 150 N m), and the time step is 0.02 s.
"""

from __future__ import annotations

from collections.abc import Iterable

import mujoco

from envs.ant.arena import Block

TIME_STEP = 0.02
MAX_TORQUE = 30.0
TORSO_BODY = 1

# Constraint impedance (solimp) of contacts.  The authors' maze model leaves it to MuJoCo ("stiff"); rllab's
# model, which their gather task uses, sets it ("soft").
CONTACTS: dict[str, str] = {"stiff": ".9 .95 .001", "soft": ".8 .8 .01"}

# Legs in joint order: name, direction of the leg in the x-y plane, ankle axis, ankle range in degrees.
_LEGS = (
    ("front_left", (1, 1), "-1 1 0", "30 70"),
    ("front_right", (-1, 1), "1 1 0", "-70 -30"),
    ("back_left", (-1, -1), "-1 1 0", "-70 -30"),
    ("back_right", (1, -1), "1 1 0", "30 70"),
)
# Actuators are not in joint order: the fourth leg comes first.
_ACTUATED_LEGS = ("back_right", "front_left", "front_right", "back_left")


def build_model(blocks: Iterable[Block] = (), *, contact: str = "stiff") -> mujoco.MjModel:
    """Compile the Ant on a floor among ``blocks``.

    Args:
        blocks: fixed boxes the robot collides with.
        contact: a key of :data:`CONTACTS`.

    Raises:
        ValueError: ``contact`` is unknown.
    """
    if contact not in CONTACTS:
        raise ValueError(f"contact is {contact!r}; allowed: {', '.join(CONTACTS)}")
    return mujoco.MjModel.from_xml_string(
        _SCENE.format(
            time_step=TIME_STEP,
            max_torque=MAX_TORQUE,
            solimp=CONTACTS[contact],
            blocks="".join(_block_xml(index, block) for index, block in enumerate(blocks)),
            legs="".join(_leg_xml(*leg) for leg in _LEGS),
            motors="".join(_motors_xml(leg) for leg in _ACTUATED_LEGS),
        )
    )


def _block_xml(index: int, block: Block) -> str:
    centre, half_size, colour = (" ".join(map(str, v)) for v in (block.centre, block.half_size, block.colour))
    return (
        f'<geom name="block_{index}" type="box" pos="{centre}" size="{half_size}" conaffinity="1" '
        f'rgba="{colour} 1"/>'
    )


def _leg_xml(name: str, direction: tuple[int, int], ankle_axis: str, ankle_range: str) -> str:
    short = f"{0.2 * direction[0]} {0.2 * direction[1]} 0"
    long = f"{0.4 * direction[0]} {0.4 * direction[1]} 0"
    return _LEG.format(name=name, short=short, long=long, ankle_axis=ankle_axis, ankle_range=ankle_range)


def _motors_xml(leg: str) -> str:
    return f'<motor name="{leg}_hip" joint="{leg}_hip"/><motor name="{leg}_ankle" joint="{leg}_ankle"/>'


# Armature 1 dwarfs the inertia of the links and is part of the robot.  The free joint must not inherit it,
# hence <freejoint>, which takes no defaults.  Geoms of the robot have conaffinity 0: it cannot collide with
# itself.
_SCENE = """
<mujoco model="ant">
  <compiler angle="degree"/>
  <option integrator="RK4" timestep="{time_step}"/>
  <default>
    <joint type="hinge" armature="1" damping="1"/>
    <geom density="5" friction="1 .5 .5" margin=".01" condim="3" contype="1" conaffinity="0"
          solref=".02 1" solimp="{solimp}" rgba=".8 .6 .4 1"/>
    <motor gear="1" ctrllimited="true" ctrlrange="-{max_torque} {max_torque}"/>
  </default>
  <asset>
    <texture name="sky" type="skybox" builtin="gradient" width="100" height="100" rgb1="1 1 1" rgb2="0 0 0"/>
  </asset>
  <worldbody>
    <light type="directional" pos="0 0 5" dir="0 0 -1" diffuse="1 1 1" castshadow="false"/>
    <geom name="floor" type="plane" size="40 40 1" conaffinity="1" rgba=".8 .9 .8 1"/>
    {blocks}
    <body name="torso" pos="0 0 .75">
      <freejoint name="root"/>
      <geom name="torso" type="sphere" size=".25"/>
      {legs}
    </body>
  </worldbody>
  <actuator>{motors}</actuator>
</mujoco>
"""

_LEG = """
<body name="{name}_base">
  <geom name="{name}_base" type="capsule" size=".08" fromto="0 0 0 {short}"/>
  <body name="{name}_hip" pos="{short}">
    <joint name="{name}_hip" axis="0 0 1" range="-30 30"/>
    <geom name="{name}_hip" type="capsule" size=".08" fromto="0 0 0 {short}"/>
    <body name="{name}_ankle" pos="{short}">
      <joint name="{name}_ankle" axis="{ankle_axis}" range="{ankle_range}"/>
      <geom name="{name}_ankle" type="capsule" size=".08" fromto="0 0 0 {long}"/>
    </body>
  </body>
</body>
"""
