from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path

from analysis.schematic import ROUNDING, Box, Schematic, beside, rounded, tint

SIDES = ("left", "right", "top", "bottom")
COURSE = [(0.0, 0.0), (0.0, 1.0), (2.0, 1.0)]


@given(side=st.sampled_from(SIDES), shift=st.floats(-0.4, 0.4))
def test_points_on_sides_are_on_the_outline(side, shift):
    assert Box(1, 2, 1.0, 0.8).distance(Box(1, 2, 1.0, 0.8).side(side, shift)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("point", "distance"), [((1.0, 2.0), 0.4), ((1.5, 2.5), 0.1), ((1.8, 2.8), 0.5)])
def test_distance_to_the_outline_from_within_and_without(point, distance):
    assert Box(1, 2, 1.0, 0.8).distance(point) == pytest.approx(distance)


def test_a_course_beside_another_keeps_its_distance():
    assert beside(COURSE, 0.1) == [(-0.1, 0.0), (-0.1, 1.1), (2.0, 1.1)]
    assert beside(COURSE, -0.1) == [(0.1, 0.0), (0.1, 0.9), (2.0, 0.9)]
    assert beside(beside(COURSE, 0.1), -0.1) == COURSE


def test_turns_are_arcs_and_ends_stay():
    path = rounded(COURSE)
    assert path.codes is not None
    assert path.codes.tolist() == [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
    np.testing.assert_array_equal(path.vertices[[0, -1]], [COURSE[0], COURSE[-1]])
    np.testing.assert_allclose(path.vertices[1], (0, 1 - ROUNDING))
    np.testing.assert_allclose(path.vertices[3], (ROUNDING, 1))


def test_short_legs_have_smaller_arcs():
    np.testing.assert_allclose(rounded([(0, 0), (0, 0.06), (1, 0.06)]).vertices[1], (0, 0.03))


def test_tint_mixes_with_white():
    assert tint("black", 0.25) == (0.75, 0.75, 0.75)
    assert tint("white") == (1, 1, 1)


def test_parts_of_a_formula_follow_each_other():
    drawing = Schematic(7, 2)
    parts = [drawing.extent(text) for text in drawing.formula((1, 1), [("a + b", "black"), ("= c", "red")])]
    gap = parts[1].side("left")[0] - parts[0].side("right")[0]
    assert parts[0].side("left")[0] == pytest.approx(1, abs=0.02)
    assert 0 <= gap < 0.05
