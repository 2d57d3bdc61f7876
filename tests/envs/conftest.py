from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from family import children, time_limit


@pytest.fixture
def simulators() -> Iterator[Callable[[], set[int]]]:
    """Names the processes that a test has started, and sees to it that it ends, and that they do."""
    others = children()
    with time_limit(60):
        yield lambda: children() - others
    assert children() <= others, "a process or a zombie was left behind"
