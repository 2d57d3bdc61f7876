"""A video of evaluation episodes, for readers who want to see what a policy does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from math import ceil
from pathlib import Path

import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe, write_frames
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from algorithms.algorithm import Array
from algorithms.diagnostics import Step
from algorithms.records import in_one_move
from algorithms.seeding import evaluation_start
from envs.base import DrawingError, Image, TaskEnv

VIDEO_ENDING = ".mp4"
MOST_FRAMES_PER_SECOND = 25
CAPTION_HEIGHT = 32  # pixels; with pictures of even sizes, frames have even sizes, which H.264 needs
_FONT_SIZE = 16


class Video:
    """One seed's first episode at each evaluation point, one after the other, at ``env.video_speed``.

    The actions are noted during the evaluation, which thereby stays as it is; the episodes are repeated with them
    in an environment of their own when the file is written.

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
        self._env, self._seed, self._step = env, seed, step
        self._actions: dict[int, list[Array]] = defaultdict(list)
        steps_per_second = env.metadata["render_fps"] * env.video_speed
        self._steps_per_frame = ceil(steps_per_second / MOST_FRAMES_PER_SECOND)
        self._frames_per_second = steps_per_second / self._steps_per_frame

    def record(self, episodes: NDArray[np.int64], lengths: NDArray[np.int64], step: Step) -> None:
        """Take in one step of all environments, see :class:`~algorithms.trajectories.Recorder`."""
        point, episode = episodes[0].tolist()
        if episode == 0:
            self._actions[point].append(step.actions[0].copy())

    def write(self, path: Path) -> None:
        """Repeat the episodes, write them as H.264 in one move, and close the environment."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with in_one_move(path) as partial:
                _write_video(partial, self.frames(), self._frames_per_second)
        finally:
            self._env.close()

    def frames(self) -> Iterator[Image]:
        """All frames: every episode's start, one after every so many steps, and its end."""
        for point, actions in sorted(self._actions.items()):
            condition = self._env.task.evaluation_points[point]
            start = evaluation_start(self._seed, self._step, point, 0)
            self._env.reset(seed=start, options=dict(condition.options))
            total = 0.0
            yield self._frame(condition.name, 0, total)
            for step, action in enumerate(actions, 1):
                total += self._env.step(action)[1]
                if step % self._steps_per_frame == 0 or step == len(actions):
                    yield self._frame(condition.name, step, total)

    def _frame(self, condition: str, step: int, total: float) -> Image:
        """A picture of the present state below a line that says what it is."""
        picture = self._env.render()
        assert picture is not None, "the environment was made without a render mode"
        seconds, speed = step / self._env.metadata["render_fps"], self._env.video_speed
        text = f"seed {self._seed}, {condition}    {seconds:.1f} s    return {total:.1f}"
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
