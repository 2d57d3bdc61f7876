"""The floor plans of the mazes, drawn here once more: rows along y, columns along x, R the start, 1 a block."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class Plan:
    """A drawing, the side of its square cells and the height of its blocks, both in metres."""

    drawing: tuple[str, ...]
    side: float
    height: float

    def start(self):
        """Row and column of the cell whose centre is the origin."""
        return next((row, line.index("R")) for row, line in enumerate(self.drawing) if "R" in line)

    def centre(self, row, column):
        start_row, start_column = self.start()
        return (column - start_column) * self.side, (row - start_row) * self.side

    def centres(self, blocked):
        """Centres of all cells that are blocks, or of all that are not."""
        return {
            self.centre(row, column)
            for row, line in enumerate(self.drawing)
            for column, mark in enumerate(line)
            if (mark == "1") == blocked
        }

    def cell(self, points):
        """Rows and columns of points x, y, shape [..., 2]."""
        start_row, start_column = self.start()
        column, row = np.moveaxis(np.floor(np.asarray(points) / self.side + 0.5).astype(int), -1, 0)
        return row + start_row, column + start_column

    def blocked(self, points):
        """Whether points inside the plan, shape [..., 2], lie in a block."""
        marks = np.array([list(line) for line in self.drawing]) == "1"
        return marks[self.cell(points)]

    def neighbours(self, point):
        """Centres of the free cells beside a free cell."""
        free = self.centres(blocked=False)
        steps = [(self.side, 0), (-self.side, 0), (0, self.side), (0, -self.side)]
        return {(point[0] + x, point[1] + y) for x, y in steps} & free

    def distances(self):
        """Number of moves between neighbouring cells from the origin to every cell that can be reached."""
        known, border = {(0, 0): 0}, [(0, 0)]
        for point in border:
            for other in self.neighbours(point) - known.keys():
                known[other] = known[point] + 1
                border.append(other)
        return known

    def free_points(self, generator, number):
        """Points drawn uniformly from the free floor, shape [number, 2]."""
        low = min(self.centres(blocked=True))
        extent = np.array([len(self.drawing[0]), len(self.drawing)]) * self.side
        points = np.array(low) - self.side / 2 + generator.uniform(0, extent, (20 * number, 2))
        return points[~self.blocked(points)][:number]


U_MAZE = Plan(("11111", "1R001", "11101", "10001", "11111"), side=8, height=4)
FOUR_ROOMS = Plan(
    (
        "1111111111111",
        "1R00001000001",
        "1000000000001",
        "1000000000001",
        "1000001000001",
        "1000001000001",
        "1100111000001",
        "1000001110011",
        "1000001000001",
        "1000000000001",
        "1000000000001",
        "1000001000001",
        "1111111111111",
    ),
    side=2,
    height=1,
)


def boxes(model):
    """Centres and half sizes of the boxes of a scene, each of shape [n, 3]."""
    of_scene = (model.geom_bodyid == 0) & (model.geom_type == mujoco.mjtGeom.mjGEOM_BOX)
    return model.geom_pos[of_scene], model.geom_size[of_scene]


def ray(env, start, direction):
    """Length of a ray through the scene, and -1 if it meets nothing.  The robot is moved far away."""
    env.data.qpos[:3] = 300, 300, 50
    mujoco.mj_kinematics(env.model, env.data)
    return mujoco.mj_ray(
        env.model, env.data, np.array(start, float), np.array(direction, float), None, True, -1, None
    )


def ground_height(env, points):
    """Height of whatever lies on top at points x, y, shape [n, 2], seen from above."""
    return np.array([30 - ray(env, (x, y, 30), (0, 0, -1)) for x, y in points])
