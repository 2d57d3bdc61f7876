import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from envs.ant.sensor import range_readings

APPLE, BOMB = 0, 1


def sense(objects, heading=0.0):
    """Readings for (x, y, kind) triples around a robot at the origin."""
    offsets = np.array([(x, y) for x, y, _ in objects], dtype=np.float64).reshape(-1, 2)
    kinds = np.array([kind for *_, kind in objects], dtype=np.int64)
    return range_readings(offsets, kinds, heading)


def only(kind, index, value):
    expected = np.zeros((2, 10))
    expected[kind, index] = value
    return expected


@pytest.mark.parametrize(
    ("x", "y", "heading", "index"),
    [
        (3, 0, 0.0, 5),
        (3, 0, math.pi / 2, 2),
        (3, 0, -math.pi / 2, 7),
        (0, 3, 0.0, 7),
        (0, -3, 0.0, 2),
        (-3, 0, 0.0, 9),
        (-3, -0.0, 0.0, 9),
        (3, 0, math.pi, 9),
        (-3, -1e-9, 0.0, 0),
        (3, -1e-9, 0.0, 4),
    ],
)
def test_bin_of_an_apple_three_metres_away(x, y, heading, index):
    np.testing.assert_allclose(sense([(x, y, APPLE)], heading), only(APPLE, index, 0.5))


def test_bombs_are_read_apart():
    readings = sense([(3, 0, APPLE), (1.5, 0, BOMB)])
    np.testing.assert_allclose(readings, only(APPLE, 5, 0.5) + only(BOMB, 5, 0.75))


@pytest.mark.parametrize("order", [1, -1])
def test_nearest_object_of_a_bin_wins(order):
    objects = [(4.5, 0.1, APPLE), (1.5, 0, APPLE), (3, 0.1, APPLE)][::order]
    np.testing.assert_allclose(sense(objects), only(APPLE, 5, 0.75))


@pytest.mark.parametrize("distance", [6.0, 6.01, 14.0])
def test_reading_vanishes_at_six_metres(distance):
    np.testing.assert_array_equal(sense([(distance, 0, APPLE)]), np.zeros((2, 10)))


def test_object_beyond_range_does_not_go_negative():
    assert sense([(7, 0, APPLE), (0, 9, BOMB)]).min() == 0


def test_nothing_left():
    np.testing.assert_array_equal(sense([]), np.zeros((2, 10)))


def reference(objects, heading):
    """The sensor object by object, in the robot's own frame; None when one lies too close to an edge to call."""
    readings = [[0.0] * 10 for _ in range(2)]
    for x, y, kind in objects:
        ahead = math.cos(heading) * x + math.sin(heading) * y
        left = -math.sin(heading) * x + math.cos(heading) * y
        distance = math.sqrt(x * x + y * y)
        sector = (math.degrees(math.atan2(left, ahead)) + 180) / 36
        if abs(sector - round(sector)) < 1e-9 or abs(distance - 6) < 1e-9:
            return None
        if distance < 6:
            index = math.floor(sector)
            readings[kind][index] = max(readings[kind][index], 1 - distance / 6)
    return readings


coordinate = st.floats(-12, 12, allow_subnormal=False)
objects_lists = st.lists(st.tuples(coordinate, coordinate, st.sampled_from([APPLE, BOMB])), max_size=16)


@given(objects=objects_lists, heading=st.floats(-math.pi, math.pi, allow_subnormal=False))
def test_agrees_with_reference(objects, heading):
    expected = reference(objects, heading)
    assume(expected is not None)
    np.testing.assert_allclose(sense(objects, heading), expected, atol=1e-12)


@given(objects=objects_lists, heading=st.floats(-10, 10))
def test_readings_lie_in_the_unit_interval(objects, heading):
    readings = sense(objects, heading)
    assert readings.shape == (2, 10)
    assert ((readings >= 0) & (readings <= 1)).all()
