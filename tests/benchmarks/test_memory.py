from __future__ import annotations

import numpy as np
import pytest

from benchmarks import memory
from benchmarks.machine import peak_memory_mb


def test_the_high_water_mark_is_read():
    assert peak_memory_mb("VmPeak:\t 900 kB\nVmHWM:\t  250000 kB\nVmRSS:\t 100 kB\n") == 256
    with pytest.raises(ValueError, match="names no VmHWM"):
        peak_memory_mb("VmRSS:\t 100 kB\n")


def test_the_high_water_mark_stays():
    block = np.ones(50_000_000, np.uint8)
    high = peak_memory_mb()
    assert high > block.nbytes / 1e6
    del block
    assert peak_memory_mb() > high - 5  # the kernel counts in batches


def test_a_small_training_is_measured_in_its_own_process():
    ballast = np.ones(1_000_000_000, np.uint8)  # of this process, and so no part of the answer
    result = memory.measure(algorithms=["td3"], learner={"buffer_steps": 1_280, "hidden": [16, 16]})
    assert ballast.nbytes / 1e6 > result["peak_mb"]["td3"] > 100
    assert [goal["what"] for goal in memory.goals_of(result)] == ["td3 on ant_gather: peak memory"]
    assert "| ant_gather | td3 |" in memory.report(result)
