"""A video of evaluation episodes, for readers who want to see what a policy does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from math import ceil
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe, write_frames
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from algorithms.repetition import Moment, Repetition
from envs.base import DrawingError, Image, TaskEnv

VIDEO_ENDING = ".mp4"
MOST_FRAMES_PER_SECOND = 25
CAPTION_HEIGHT = 32  # pixels; with pictures of even sizes, frames have even sizes, which H.264 needs
_FONT_SIZE = 16


class Video(Repetition):
    """One seed's first episode at each evaluation point, one after the other, at ``env.video_speed``.

    Args:
        env: made with a render mode; repeats the episodes.
        seed: the first of the evaluated seeds.
        step: training step, part of the evaluation's random streams.

    Raises:
        DrawingError: this machine cannot draw the task, or has no encoder.
    """

    def __init__(self, env: TaskEnv, seed: int, step: int) -> None:
        env.prepare_to_draw()
        try:
            get_ffmpeg_exe()
        except RuntimeError as error:
            raise DrawingError(f"a video needs ffmpeg: {' '.join(str(error).split())}") from error
        super().__init__(env, seed, step)
        steps_per_second = env.metadata["render_fps"] * env.video_speed
        self._steps_per_frame = ceil(steps_per_second / MOST_FRAMES_PER_SECOND)
        self._frames_per_second = steps_per_second / self._steps_per_frame

    def frames(self) -> Iterator[Image]:
        """All frames: every episode's start, one after every so many steps, and its end."""
        for moment in self._moments():
            if moment.step % self._steps_per_frame == 0 or moment.last:
                yield self._frame(moment)

    def _write(self, path: Path, ending: str) -> None:
        _write_video(path, self.frames(), self._frames_per_second)

    def _frame(self, moment: Moment) -> Image:
        """A picture of the present state below a line that says what it is."""
        picture = self._env.render()
        assert picture is not None, "the environment was made without a render mode"
        seconds, speed = moment.step / self._env.metadata["render_fps"], self._env.video_speed
        text = f"seed {self._seed}, {moment.target}    {seconds:.1f} s    return {moment.total:.1f}"
        line = Picture.new("RGB", (picture.shape[1], CAPTION_HEIGHT), "white")
        font = ImageFont.load_default(_FONT_SIZE)
        ImageDraw.Draw(line).text((8, 7), text + f"    {speed} x" * (speed > 1), fill="black", font=font)
        return np.concatenate([np.asarray(line), picture])


def _write_video(path: Path, frames: Iterator[Image], frames_per_second: float) -> None:
    """Write frames of one size as H.264 into an mp4 file of any name."""
    first = next(frames)
    height, width, _ = first.shape
    settings = {"codec": "libx264", "macro_block_size": 2, "output_params": ["-f", "mp4"]}
    writer = write_frames(str(path), (width, height), fps=frames_per_second, **settings)
    with closing(writer):
        writer.send(None)
        for frame in chain([first], frames):
            writer.send(np.ascontiguousarray(frame))
