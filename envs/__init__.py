"""The tasks of the suite.  Importing this package registers their gymnasium ids (and no simulator)."""

import gymnasium

from envs.names import TASKS

__all__ = ["TASKS"]

for _entry in TASKS.values():
    gymnasium.register(id=_entry.gymnasium_id, entry_point=_entry.entry_point)
