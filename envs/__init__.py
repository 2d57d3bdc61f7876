"""The tasks of the suite.  Importing this package registers their gymnasium ids (and no simulator)."""

import gymnasium
from gymnasium.envs.registration import WrapperSpec

from envs.names import TASKS

__all__ = ["TASKS"]

_IMAGE_AND_STATE = WrapperSpec("ImageAndState", "envs.image:ImageAndState", {})

for _entry in TASKS.values():
    _wrappers = (_IMAGE_AND_STATE,) if _entry.has_image else ()
    gymnasium.register(_entry.gymnasium_id, _entry.entry_point, additional_wrappers=_wrappers)
