"""What pictures of the ring show."""

import math

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from envs.tasks import make
from envs.traffic.drawing import AUTOMATED_COLOUR, HUMAN_COLOUR, draw_ring, ring_picture
from envs.traffic.ring_traffic import TIME_STEP

CIRCUMFERENCE = 240.0
POSITIONS = np.array([0.0, 60.0, 100.0])
AUTOMATED = np.array([False, False, True])
SHORT = {"warmup_steps": 20, "horizon": 30}


def vehicles():
    axes = Figure().add_subplot()
    draw_ring(axes, CIRCUMFERENCE, POSITIONS, AUTOMATED)
    (collection,) = [artist for artist in axes.collections if isinstance(artist, PolyCollection)]
    return axes, collection


def test_vehicles_are_where_they_drive():
    """Counter-clockwise from the lowest point, in metres; five metres long along the lane."""
    axes, collection = vehicles()
    radius = CIRCUMFERENCE / (2 * math.pi)
    corners = np.array([path.vertices[:4] for path in collection.get_paths()])
    fronts, rears = corners[:, :2].mean(axis=1), corners[:, 2:].mean(axis=1)
    np.testing.assert_allclose(fronts[:2], [(0, -radius), (radius, 0)], atol=1e-9)
    angles = np.arctan2(fronts[:, 1], fronts[:, 0]) - np.arctan2(rears[:, 1], rears[:, 0])
    np.testing.assert_allclose(angles * radius, 5)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert (abs(corners) < right).all()
    assert (left, low, high) == (-right, -right, right)


def test_automated_vehicle_has_a_colour_of_its_own():
    _, collection = vehicles()
    expected = [to_rgba(AUTOMATED_COLOUR if automated else HUMAN_COLOUR) for automated in AUTOMATED]
    np.testing.assert_allclose(collection.get_facecolors(), expected)


def test_same_state_same_picture():
    picture = ring_picture(CIRCUMFERENCE, POSITIONS, AUTOMATED, 3.2)
    assert (picture.shape, picture.dtype) == ((480, 480, 3), np.uint8)
    np.testing.assert_array_equal(ring_picture(CIRCUMFERENCE, POSITIONS, AUTOMATED, 3.2), picture)
    assert (ring_picture(CIRCUMFERENCE, POSITIONS + 1, AUTOMATED, 3.2) != picture).any()
    with matplotlib.rc_context({"figure.dpi": 50, "savefig.dpi": 50}):
        assert ring_picture(CIRCUMFERENCE, POSITIONS, AUTOMATED, 3.2).shape == picture.shape


def automated_pixels(picture):
    colour = np.round(255 * np.array(to_rgba(AUTOMATED_COLOUR)[:3]))
    return np.argwhere((picture == colour).all(axis=-1))


def test_ring_road_shows_its_automated_vehicle_and_is_left_alone():
    actions = np.full((12, 1), 0.5)
    seen, unseen = [], []
    for observations, render_mode in ((seen, "rgb_array"), (unseen, None)):
        env = make("ring_road", SHORT, render_mode=render_mode)
        observations.append(env.reset(seed=3)[0])
        before = env.render()
        observations += [env.step(action)[0] for action in actions]
        if render_mode:
            start, end = (automated_pixels(picture).mean(axis=0) for picture in (before, env.render()))
            assert 5 < np.hypot(*(end - start)) < 100
        env.close()
    np.testing.assert_array_equal(seen, unseen)


def test_time_is_real():
    assert make("ring_road").metadata == {"render_modes": ["rgb_array"], "render_fps": 1 / TIME_STEP}


def test_there_is_no_picture_before_the_first_reset():
    with pytest.raises(RuntimeError, match="nothing to draw before the first reset"):
        make("ring_road", render_mode="rgb_array").render()
