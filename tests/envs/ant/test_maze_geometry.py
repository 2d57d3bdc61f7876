"""Blocks, corridors and doors of the mazes, measured in MuJoCo's model."""

import numpy as np
import pytest
from episodes import STILL
from floor_plans import FOUR_ROOMS, U_MAZE, boxes, ground_height, ray

from envs.ant.arena import Maze
from envs.tasks import make

# In the order in which a robot passes them.
FREE = [(0, 0), (8, 0), (16, 0), (16, 8), (16, 16), (8, 16), (0, 16)]


class TestAntMaze:
    @pytest.fixture
    def env(self):
        return make("ant_maze")

    def test_blocks(self, env):
        centres, halves = boxes(env.model)
        assert len(centres) == 18
        np.testing.assert_allclose(halves, [[4, 4, 2]] * 18)
        np.testing.assert_allclose(centres[:, 2], 2)
        assert {(x, y) for x, y, _ in centres.tolist()} == U_MAZE.centres(blocked=True)

    def test_collidable(self, env):
        scene = env.model.geom_bodyid == 0
        np.testing.assert_array_equal(env.model.geom_conaffinity[scene], 1)
        np.testing.assert_array_equal(env.model.geom_condim[scene], 3)

    def test_outline(self, env):
        centres, halves = boxes(env.model)
        np.testing.assert_allclose((centres - halves)[:, :2].min(axis=0), -12)
        np.testing.assert_allclose((centres + halves)[:, :2].max(axis=0), 28)

    def test_heights_seen_from_above(self, env):
        points = np.random.default_rng(0).uniform(-12, 28, (400, 2))
        expected = np.where(U_MAZE.blocked(points), 4.0, 0.0)
        np.testing.assert_allclose(ground_height(env, points), expected, atol=1e-9)

    def test_free_floor(self):
        points = np.random.default_rng(1).uniform(-12, 28, (400, 2))
        outer = (np.abs(points - 8) < 12).all(axis=1)
        wall = ((points > (-4, 4)) & (points < (12, 12))).all(axis=1)
        np.testing.assert_array_equal(~U_MAZE.blocked(points), outer & ~wall)

    @pytest.mark.parametrize(
        ("start", "direction", "length"),
        [
            ((0, 0), (1, 0), 20),
            ((0, 0), (-1, 0), 4),
            ((0, 0), (0, 1), 4),
            ((0, 0), (0, -1), 4),
            ((16, 0), (0, 1), 20),
            ((16, 8), (-1, 0), 4),
            ((16, 16), (-1, 0), 20),
            ((0, 16), (0, -1), 4),
        ],
    )
    def test_corridors_are_8_metres_wide(self, env, start, direction, length):
        for height in (0.05, 3.95):
            assert ray(env, (*start, height), (*direction, 0)) == pytest.approx(length)
        assert ray(env, (*start, 4.05), (*direction, 0)) == -1

    def test_every_free_cell_is_reached(self):
        distances = U_MAZE.distances()
        assert set(distances) == U_MAZE.centres(blocked=False) == set(FREE)
        assert [distances[cell] for cell in FREE] == list(range(7))
        assert 8 * distances[0, 16] == 48

    def test_targets_are_on_the_floor(self, env):
        np.testing.assert_allclose(ground_height(env, [(16, 0), (16, 16), (0, 16)]), 0, atol=1e-9)

    def test_walls_stop_the_robot(self, env):
        env.reset(seed=0)
        env.data.qpos[0], env.data.qvel[0] = 18.0, 8.0
        reach = [env.step(STILL)[0][0] for _ in range(30)]
        assert 18.5 < max(reach) < 20


class TestAntFourRooms:
    @pytest.fixture
    def env(self):
        return make("ant_four_rooms")

    def test_blocks(self, env):
        centres, halves = boxes(env.model)
        assert len(centres) == 61
        np.testing.assert_allclose(halves, [[1, 1, 0.5]] * 61)
        np.testing.assert_allclose(centres[:, 2], 0.5)
        assert {(x, y) for x, y, _ in centres.tolist()} == FOUR_ROOMS.centres(blocked=True)

    def test_collidable(self, env):
        scene = env.model.geom_bodyid == 0
        np.testing.assert_array_equal(env.model.geom_conaffinity[scene], 1)

    def test_outline(self, env):
        centres, halves = boxes(env.model)
        np.testing.assert_allclose((centres - halves)[:, :2].min(axis=0), -3)
        np.testing.assert_allclose((centres + halves)[:, :2].max(axis=0), 23)

    def test_heights_seen_from_above(self, env):
        points = np.random.default_rng(0).uniform(-3, 23, (500, 2))
        expected = np.where(FOUR_ROOMS.blocked(points), 1.0, 0.0)
        np.testing.assert_allclose(ground_height(env, points), expected, atol=1e-9)

    @pytest.mark.parametrize(
        ("across", "along", "doors"),
        [
            ((10, None), "vertical", [(1, 5), (15, 19)]),
            ((None, 10), "left", [(1, 5)]),
            ((None, 12), "right", [(15, 19)]),
        ],
    )
    def test_doors_are_4_metres_wide(self, env, across, along, doors):
        low, high = {"vertical": (-1, 21), "left": (-1, 9), "right": (11, 21)}[along]
        positions = np.arange(low + 0.05, high, 0.1)
        points = [tuple(position if fixed is None else fixed for fixed in across) for position in positions]
        open_ = [any(start < position < end for start, end in doors) for position in positions]
        np.testing.assert_array_equal(ground_height(env, points) < 0.5, open_)

    @pytest.mark.parametrize(
        ("start", "direction", "length"),
        [
            ((0, 0), (1, 0), 9),
            ((0, 0), (0, 1), 9),
            ((0, 0), (-1, 0), 1),
            ((0, 0), (0, -1), 1),
            ((4, 3), (1, 0), 17),
            ((4, 4), (0, 1), 17),
            ((20, 0), (0, 1), 11),
            ((20, 20), (0, -1), 7),
            ((16, 4), (0, 1), 17),
            ((0, 20), (1, 0), 9),
            ((0, 20), (0, -1), 9),
        ],
    )
    def test_rooms(self, env, start, direction, length):
        for height in (0.05, 0.95):
            assert ray(env, (*start, height), (*direction, 0)) == pytest.approx(length)
        assert ray(env, (*start, 1.05), (*direction, 0)) == -1

    def test_every_free_cell_is_reached(self):
        distances = FOUR_ROOMS.distances()
        assert set(distances) == FOUR_ROOMS.centres(blocked=False)
        assert len(distances) == 13 * 13 - 61

    def test_corners_are_on_the_floor(self, env):
        np.testing.assert_allclose(ground_height(env, [(20, 0), (0, 20), (20, 20)]), 0, atol=1e-9)

    def test_walls_stop_the_robot(self, env):
        env.reset(seed=0)
        env.data.qpos[:3], env.data.qvel[0] = (6.5, 7.0, 0.6), 3.0
        reach = [env.step(STILL)[0][0] for _ in range(30)]
        assert 7 < max(reach) < 9


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("11", "R"), "row 'R' of a maze must be 2 characters out of 0, 1 and R"),
        (("1x", "R0"), "row '1x' of a maze must be 2 characters out of 0, 1 and R"),
        (("10", "00"), "a maze must have one cell R, where the robot starts, not 0"),
        (("1R", "R0"), "a maze must have one cell R, where the robot starts, not 2"),
    ],
)
def test_wrong_maps_are_refused(rows, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Maze(rows, 1.0)
