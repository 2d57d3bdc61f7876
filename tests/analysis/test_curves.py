from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.curves import draw_curves

ROWS = pd.DataFrame(
    {"label": ["a", "a", "b", "b"], "step": [1, 2, 1, 2], "mean": [0.0, 1, 2, 3], "std": [0.5, 1, 0, 0]}
)
COLOURS = {"a": "red", "b": "blue"}


def test_a_transform_applies_to_the_mean_and_to_both_edges_of_the_band():
    axes = Figure().subplots()
    draw_curves(axes, ROWS, COLOURS, transform=np.exp)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.exp([0, 1]))
    corners = axes.collections[0].get_paths()[0].vertices
    last = corners[corners[:, 0] == 2, 1]
    np.testing.assert_allclose([last.min(), last.max()], np.exp([0, 2]))


def test_lines_have_the_styles_that_are_given_and_no_band_on_request():
    axes = Figure().subplots()
    draw_curves(axes, ROWS, COLOURS, linestyles={"b": "--"}, band=False)
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--"]
    assert not axes.collections
