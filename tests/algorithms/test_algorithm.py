from __future__ import annotations

import numpy as np
import pytest
import torch
from toys import CPU

from algorithms.algorithm import Bounds, Entries


@pytest.mark.parametrize(
    "indices", [(0, 1, 2), (4,), (2, 3, 4, 5, 6), (6, 5, 4), (1, 3, 2), (1, 2, 2), (0, 2, 4), (3, 1)]
)
def test_entries_keep_number_and_order(indices: tuple[int, ...]) -> None:
    values = np.arange(14).reshape(2, 7)
    for each in (values, torch.from_numpy(values)):
        np.testing.assert_array_equal(Entries(indices)(each), values[:, list(indices)])


def test_consecutive_entries_copy_nothing() -> None:
    values = np.arange(14).reshape(2, 7)
    assert np.shares_memory(Entries((2, 3, 4))(values), values)
    tensor = torch.from_numpy(values)
    assert Entries((2, 3, 4))(tensor).data_ptr() == tensor[:, 2:].data_ptr()


def test_bounds_of_an_asymmetric_box() -> None:
    bounds = Bounds(np.array([0, -3], np.float64), np.array([10, -1], np.float64), CPU)
    assert bounds.size == 2
    assert bounds.middle.tolist() == [5, -2]
    assert bounds.half.tolist() == [5, 1]
    assert bounds.clip(torch.tensor([[11.0, 0.0], [-1.0, -4.0], [3.0, -2.0]])).tolist() == [
        [10, -1],
        [0, -3],
        [3, -2],
    ]
    assert bounds.low.dtype == torch.float32
