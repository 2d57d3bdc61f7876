"""Where a training continues: at its last checkpoint, or where a shorter one has ended."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from algorithms.checkpoint import CheckpointError, Checkpoints
from algorithms.nested import first_difference
from algorithms.settings import RunConfig
from algorithms.trainer import Trainer

log = logging.getLogger(__name__)

#: Settings that decide nothing before the end of a training.
ONLY_AT_END = ("run.checkpoint_every", "run.steps", "run.final_evaluation_episodes")


def resume(trainer: Trainer, checkpoints: Checkpoints, earlier: Checkpoints | None = None) -> int | None:
    """Continue from the last checkpoint, or that of a shorter training, if there is one.

    Args:
        trainer: a new one.
        checkpoints: of this training.
        earlier: of one with fewer steps, see :func:`shorter`.

    Returns:
        The step of the checkpoint, or None without one.
    """
    state = checkpoints.load()
    if state is None and earlier:
        try:
            state = earlier.load()
        except CheckpointError as error:
            log.warning("%s: starting anew, not where fewer steps had ended: %s", trainer.config.key, error)
    if state is None:
        return None
    trainer.load_state_dict(state)
    log.info("%s: continuing at step %s", trainer.config.key, f"{trainer.step:,}")
    return trainer.step


def shorter(config: RunConfig, checkpoints: Checkpoints) -> Checkpoints | None:
    """The longest finished training of fewer steps, but the same settings, that has kept its checkpoint.

    A longer training continues there as if that had never ended, since no setting but the number of steps, and of
    the final evaluation's episodes, knows where the end is.
    """
    found: dict[int, Checkpoints] = {}
    for other in checkpoints.others():
        theirs = json.loads((other.finished / "run.json").read_text())["config"]
        steps = theirs["run"]["steps"]
        if not first_difference(theirs, config.record, ONLY_AT_END)[0] and steps < config.run.steps:
            found[steps] = other
    return found[max(found)] if found else None


def holds(folder: Path, identity: str) -> bool:
    """Whether a run folder holds the training of this hash."""
    path = folder / "run.json"
    return path.is_file() and json.loads(path.read_text())["hash"] == identity
