"""Images in the description of a task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from envs.base import ImageSpec, TaskSpec

IMAGE = ImageSpec(2, 3, 1)
PLAIN = TaskSpec(
    name="task",
    goal_low=np.array([-1], np.float32),
    goal_high=np.array([1], np.float32),
    goal_indices=(0,),
    relative_goals=True,
    position_indices=(0, 1),
    manager_indices=(3, 0),
    worker_indices=(2, 1),
    horizon=10,
    reward_scale=1,
    unit_scale=np.array([2, 2, 2, 2, 1, 1, 1, 1, 1, 1], np.float32),
    evaluation_points=(),
    episode_metrics=(),
)
PIXELS = tuple(range(4, 10))
SEEN = {"image": IMAGE, "manager_indices": (3, 0, *PIXELS)}


def test_an_image_is_the_end_of_an_observation() -> None:
    task = replace(PLAIN, **SEEN)
    assert IMAGE.size == 6
    assert IMAGE.shape == (2, 3, 1)
    assert task.states == 4
    assert task.manager_image == IMAGE


def test_a_manager_may_do_without_the_image() -> None:
    task = replace(PLAIN, image=IMAGE)
    assert task.states == 4
    assert task.manager_image is None
    assert PLAIN.states == 10
    assert PLAIN.manager_image is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"worker_indices": (2, 4)}, r"worker_indices holds 4, a pixel; allowed are states, 0 to 3"),
        ({"goal_indices": (9,)}, r"goal_indices holds 9, a pixel; allowed are states, 0 to 3"),
        ({"position_indices": (1, 5)}, r"position_indices holds 5, a pixel; allowed are states, 0 to 3"),
        ({"manager_indices": (3, *PIXELS[:-1])}, r"manager_indices must end with all pixels in order"),
        ({"manager_indices": (*PIXELS, 3)}, r"manager_indices must end with all pixels in order"),
        ({"manager_indices": (3, *PIXELS[::-1])}, r"manager_indices must end with all pixels in order"),
        ({"unit_scale": np.full(10, 2, np.float32)}, r"unit_scale of an image must be 1"),
        ({"unit_scale": np.ones(6, np.float32)}, r"an image of 6 entries leaves no states in 6"),
    ],
)
def test_what_does_not_fit_the_image_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **SEEN | changes)


@pytest.mark.parametrize("shape", [(0, 3, 1), (2, -1, 1), (2, 3, 0)])
def test_an_image_has_pixels(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"is not allowed; each of the three sizes must be at least 1"):
        ImageSpec(*shape)
