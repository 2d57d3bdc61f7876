from __future__ import annotations

import numpy as np
import pytest

from envs.options import RingRoadOptions
from envs.strict import parse
from envs.traffic.frames import FRAME_SIZE, FRAMES, FrameHistory


def newest_entries(history: FrameHistory) -> list[float]:
    """First entry of every frame that is shown; zeros where there is none."""
    return history.values()[::FRAME_SIZE].tolist()


def filled(number: int, **options: object) -> FrameHistory:
    history = FrameHistory(parse(RingRoadOptions, options))
    for index in range(1, number + 1):
        history.add(np.full(FRAME_SIZE, float(index)))
    return history


def test_five_newest_frames_newest_first() -> None:
    assert newest_entries(filled(0)) == [0, 0, 0, 0, 0]
    assert newest_entries(filled(3)) == [3, 2, 1, 0, 0]
    assert newest_entries(filled(9)) == [9, 8, 7, 6, 5]


def test_frames_apart() -> None:
    assert newest_entries(filled(30, frame_skip=3)) == [30, 27, 24, 21, 18]
    assert newest_entries(filled(8, frame_skip=3)) == [8, 5, 2, 0, 0]


def test_the_authors_history_forgets_all_but_one_of_six() -> None:
    valid = [sum(value > 0 for value in newest_entries(filled(n, history_bug=True))) for n in range(1, 12)]
    assert valid == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1]
    assert newest_entries(filled(7, history_bug=True)) == [7, 6, 0, 0, 0]
    assert FRAMES == 5


def test_the_authors_history_is_of_consecutive_frames() -> None:
    with pytest.raises(ValueError, match="history_bug needs consecutive frames; frame_skip is 2, allowed is 1"):
        filled(0, history_bug=True, frame_skip=2)
