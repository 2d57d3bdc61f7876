from __future__ import annotations

from math import hypot, inf, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.walking import neighbours, walking_distance, walking_distances
from envs.ant.arena import Maze
from envs.ant.four_rooms import AntFourRooms
from envs.ant.maze import AntMaze


@st.composite
def mazes(draw: st.DrawFn) -> Maze:
    """Random mazes of 4 x 5 cells with the start in a corner."""
    cells = draw(st.lists(st.sampled_from("001"), min_size=19, max_size=19))
    text = "R" + "".join(cells)
    return Maze([text[i : i + 5] for i in range(0, 20, 5)], 2.0)


def test_the_corridor_of_the_maze_is_walked_cell_by_cell():
    maze = AntMaze().arena
    corridor = [(0, 0), (8, 0), (16, 0), (16, 8), (16, 16), (8, 16), (0, 16)]
    assert [walking_distance(maze, *place) for place in corridor] == [0, 8, 16, 24, 32, 40, 48]


def test_in_a_room_walks_are_straight_and_between_rooms_they_lead_through_doors():
    rooms = AntFourRooms().arena
    assert walking_distance(rooms, 4, 4) == pytest.approx(4 * sqrt(2))
    assert walking_distance(rooms, 6, 0) == 6
    for corner in ((20, 0), (0, 20), (20, 20)):
        assert walking_distance(rooms, *corner) > hypot(*corner)


def test_corners_are_not_cut():
    maze = Maze(["R0", "10"], 1.0)
    assert walking_distances(maze) == {(0, 0): 0, (0, 1): 1, (1, 1): 2}


@pytest.mark.parametrize("place", [(1, 0), (2, 0), (-5, 0)])
def test_places_that_cannot_be_reached_are_refused(place: tuple[float, float]):
    with pytest.raises(ValueError, match=f"there is no way from the start to \\({place[0]}, {place[1]}\\)"):
        walking_distance(Maze(["R10"], 1.0), *place)


@settings(deadline=None)
@given(mazes())
def test_walks_are_shortest_paths(maze: Maze):
    """No step shortens a walk, each has one that explains it, and none is shorter than the straight line."""
    walks = walking_distances(maze)
    for cell, walk in walks.items():
        ways = [walks[other] + length for other, length in neighbours(maze, cell)]
        assert walk <= min(ways, default=inf) + 1e-9
        assert cell == maze.start or walk == pytest.approx(min(ways))
        assert walk >= hypot(*maze.centre(*cell)) - 1e-9
