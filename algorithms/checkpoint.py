"""Checkpoints: private state of an unfinished training, never a result.

A checkpoint is one file, a digest followed by what ``torch.save`` writes.  It is written beside the old one and
then put in its place, and the one before is kept, so that at any moment at least one good checkpoint exists.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

_DIGEST = hashlib.sha256().digest_size
_NUMPY_TYPES = [
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
    """The checkpoints of one run, in a folder of their own.

    Args:
        folder: where they live; made when needed.
        identity: what the training is (configuration hash and seeds); a checkpoint of another one is refused.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self.identity = folder, identity
        self._current = folder / "checkpoint.pt"
        self._previous = folder / "checkpoint.previous.pt"

    def lock(self) -> FileLock:
        """Take the run for this process.

        Raises:
            CheckpointError: another process trains it at the moment.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CheckpointError(f"{self.folder}: another process is training this run") from None
        return lock

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint and keep the one before."""
        buffer = io.BytesIO()
        torch.save({"identity": self.identity, "state": state}, buffer)
        partial = self.folder / "checkpoint.partial"
        with partial.open("wb") as file:
            file.write(hashlib.sha256(buffer.getbuffer()).digest())
            file.write(buffer.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        if self._current.exists():
            os.replace(self._current, self._previous)
        os.replace(partial, self._current)

    def load(self) -> dict[str, Any] | None:
        """The newest good checkpoint, or None if there is none at all.

        Raises:
            CheckpointError: the checkpoint belongs to another configuration, or none of the files is intact.
        """
        candidates = [path for path in (self._current, self._previous) if path.exists()]
        for path in candidates:
            content = _read(path)
            if content is None:
                log.warning("%s is damaged, trying the checkpoint before it", path)
            elif content["identity"] != self.identity:
                raise CheckpointError(
                    f"{path} belongs to another configuration ({content['identity']}, not {self.identity}); "
                    f"delete {self.folder} to start anew"
                )
            else:
                state: dict[str, Any] = content["state"]
                return state
        if candidates:
            raise CheckpointError(f"{self.folder}: no checkpoint is intact; delete the folder to start anew")
        return None

    def remove(self) -> None:
        """Delete the checkpoints of a finished run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> dict[str, Any] | None:
    """The content of a checkpoint file, or None if it is damaged."""
    data = path.read_bytes()
    digest, payload = data[:_DIGEST], data[_DIGEST:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    with torch.serialization.safe_globals(_NUMPY_TYPES):
        content: dict[str, Any] = torch.load(io.BytesIO(payload), weights_only=True, map_location="cpu")
    return content
