"""What a training keeps for itself: checkpoints while it runs, and afterwards its finished files.

A checkpoint is one file, a digest followed by what ``torch.save`` writes.  It is written beside the old one and
then put in its place, and the one before is kept, so that at any moment at least one good checkpoint exists.

The finished files are kept because Snakemake deletes the outputs of a job that it did not see end, or whose
settings have changed since: the next process puts them back instead of training again.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

#: Raised with every change of what a checkpoint holds.
LAYOUT = 5

_DIGEST = hashlib.sha256().digest_size
_ALLOWED_TYPES = [
    bytes,  # what an empty array's content is written as
    np.ndarray,
    np.dtype,
    np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    *{
        type(np.dtype(kind))
        for kind in ("float32", "float64", "int32", "int64", "uint8", "uint32", "uint64", "bool")
    },
]


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used; the message is one line."""


class Checkpoints:
    """The private folder of one run.

    Args:
        run: folder of all trainings that have led, or will lead, to this run; made when needed.
        identity: what the training is (its configuration's hash); each has a folder of its own in ``run``, and a
            checkpoint of another one is refused.
    """

    def __init__(self, run: Path, identity: str) -> None:
        self.run, self.folder, self.identity = run, run / identity, identity
        self.finished = self.folder / "finished"
        self._current = self.folder / "checkpoint.pt"
        self._previous = self.folder / "checkpoint.previous.pt"
        self._partial = self.folder / "checkpoint.partial"

    def lock(self) -> FileLock:
        """Take the run for this process.

        Raises:
            CheckpointError: another process trains it at the moment.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.run / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CheckpointError(f"{self.run}: another process is training this run") from None
        return lock

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint and keep the one before."""
        buffer = io.BytesIO()
        torch.save({"layout": LAYOUT, "identity": self.identity, "state": state}, buffer)
        with self._partial.open("wb") as file:
            file.write(hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        if self._current.exists():
            os.replace(self._current, self._previous)
        os.replace(self._partial, self._current)

    def load(self) -> dict[str, Any] | None:
        """The newest good checkpoint, or None if there is none at all.

        Raises:
            CheckpointError: the checkpoint belongs to another configuration or version, or none of the files is
                intact.
        """
        candidates = [path for path in (self._current, self._previous) if path.exists()]
        for path in candidates:
            content = _read(path)
            if content is None:
                log.warning("%s is damaged, trying the checkpoint before it", path)
            elif content["identity"] != self.identity:
                raise CheckpointError(
                    f"{path} belongs to another configuration ({content['identity']}, not {self.identity}); "
                    f"delete {self.folder}/checkpoint* to start anew"
                )
            elif content.get("layout") != LAYOUT:
                raise CheckpointError(
                    f"{path} was written by another version of this software; "
                    f"delete {self.folder}/checkpoint* to start anew"
                )
            else:
                state: dict[str, Any] = content["state"]
                return state
        if candidates:
            raise CheckpointError(
                f"{self.folder}: no checkpoint is intact; delete {self.folder}/checkpoint* to start anew"
            )
        return None

    def remove(self, *, keep_last: bool = False) -> None:
        """Delete the checkpoints of a finished run, but for the last one if asked to; its finished files stay."""
        for path in (self._current, self._previous, self._partial):
            if not (keep_last and path == self._current):
                path.unlink(missing_ok=True)

    def others(self) -> list[Checkpoints]:
        """Those of finished trainings with other settings in this place that have kept a checkpoint."""
        found = [path.parent for path in sorted(self.run.glob(f"*/{self._current.name}"))]
        others = [Checkpoints(self.run, folder.name) for folder in found if folder != self.folder]
        return [other for other in others if (other.finished / "run.json").is_file()]

    def publish(self, folder: Path, names: Sequence[str]) -> bool:
        """Put the finished files into a run folder, in the order given, each in one move.

        They are hard links where the file system allows it, and cost no space then.

        Returns:
            False if there are no finished files; the run folder is left alone.
        """
        if not all((self.finished / name).is_file() for name in names):
            return False
        folder.mkdir(parents=True, exist_ok=True)
        (folder / names[-1]).unlink(
            missing_ok=True
        )  # it makes the others complete, and not those of another training
        for name in names:
            partial = folder / f".{name}.partial"
            partial.unlink(missing_ok=True)
            try:
                os.link(self.finished / name, partial)
            except OSError:
                shutil.copyfile(self.finished / name, partial)
            os.replace(partial, folder / name)
            partial.unlink(missing_ok=True)  # renaming a link onto another of the same file leaves both
        return True


def _read(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint file, or None if it is damaged."""
    data = path.read_bytes()
    digest, payload = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    with torch.serialization.safe_globals(_ALLOWED_TYPES):
        content: dict[str, Any] = torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu")
    return content
