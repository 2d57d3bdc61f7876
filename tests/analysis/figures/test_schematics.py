"""Figures 2 and 3: everything is said, nothing overlaps, and every arrow joins two boxes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import drawings
import pytest

from analysis.figures import figure_02, figure_03
from analysis.schematic import MANAGER, WORKER, Schematic

FIGURES = (figure_02, figure_03)
WORDS = {
    figure_02: {
        "(a) Two levels",
        "(b) A meta-period of $k$ steps",
        "(c) Goals are desired states",
        "Manager",
        "Worker",
        "Environment",
        "Intrinsic reward",
        "a goal every $k$ steps",
        "$r_w(s_t, g_t, s_{t+1})$",
        r"$r_m = r_t + \cdots + r_{t+k-1}$",
        "goals are carried over:\n$g_{i+1} = h(s_i, g_i, s_{i+1})$",
        "$g_{t+k-1}$",
        "$g_{t+k}$",
    },
    figure_03: {
        "Manager",
        "Manager's critic",
        "Worker",
        "Worker's critic",
        "Intrinsic reward",
        r"$J_m + \lambda J_w$",
        r"$\times \lambda$",
        r"$\nabla_{\theta_m} g_t$",
        r"$\nabla_g r_w$",
        r"$\nabla_g \pi_w$",
        r"$\nabla_a Q_w$",
    },
}


@pytest.fixture(scope="module", params=FIGURES, ids=("figure_02", "figure_03"))
def module(request: pytest.FixtureRequest) -> ModuleType:
    return request.param


@pytest.fixture(scope="module")
def drawing(module: ModuleType) -> Schematic:
    return module.compose()


def test_everything_is_said(module: ModuleType, drawing: Schematic):
    assert WORDS[module] <= drawings.words(drawing)


def test_texts_can_be_read(drawing: Schematic):
    assert drawings.outside(drawing) == []
    assert drawings.overlaps(drawing) == []
    assert drawings.too_long(drawing) == []
    assert min(text.get_fontsize() for text in drawings.texts(drawing)) >= 7


def test_arrows_join_boxes(drawing: Schematic):
    assert len(drawing.arrows) >= 15
    assert drawings.loose_ends(drawing) == []
    assert drawings.crossed(drawing) == []
    assert {corners[-1] for corners in drawing.arrows} <= set(drawings.tips(drawing))


def test_width_is_two_columns(drawing: Schematic):
    assert drawing.figure.get_size_inches()[0] == 7


@pytest.mark.filterwarnings("error")
def test_same_bytes_again(module: ModuleType, tmp_path: Path):
    for name in ("a", "b"):
        module.main(["--out", str(tmp_path / f"{name}.svg")])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_levels_have_the_same_colours_in_both_figures(drawing: Schematic):
    colours = {text.get_text(): text.get_color() for text in drawings.texts(drawing)}
    assert (colours["Manager"], colours["Worker"]) == (MANAGER, WORKER)


def test_what_is_wrong_is_found():
    """The checks above can fail."""
    drawing = Schematic(4, 2)
    left = drawing.box((0.5, 1), (0.4, 0.4), "much too long", WORKER)
    right = drawing.box((3.5, 1), (0.4, 0.4), "", WORKER)
    drawing.arrow(left.side("right"), right.side("left"))
    drawing.arrow(left.side("top"), (0.5, 1.9))
    for x, text in ((2.0, "on the arrow"), (2.1, "on the text"), (3.9, "over the edge")):
        drawing.text((x, 1), text)
    assert drawings.outside(drawing) == ["over the edge"]
    assert drawings.overlaps(drawing) == [("on the arrow", "on the text")]
    assert drawings.too_long(drawing) == ["much too long"]
    assert drawings.loose_ends(drawing) == [(0.5, 1.9)]
    assert set(drawings.crossed(drawing)) >= {"on the arrow", "on the text"}


def test_the_worker_acts_at_every_step_and_the_manager_at_every_kth():
    texts = [text.get_text() for text in drawings.texts(figure_02.compose())]
    assert texts.count(r"$\pi_w$") == 4
    assert texts.count(r"$\pi_m$") == 2


def test_gradients_run_against_the_computation():
    """Every dashed arrow has a solid one in the other direction, at twice the distance of both to their course."""
    drawing = figure_03.compose()
    pairs = [(corners[0], corners[-1]) for corners in drawing.arrows[4:]]
    for forward, back in zip(pairs[::2], pairs[1::2], strict=True):
        for one, other in zip(forward, reversed(back), strict=True):
            assert abs(one[0] - other[0]) + abs(one[1] - other[1]) == pytest.approx(2 * figure_03.APART)


def test_the_equation_has_its_terms_in_the_colours_of_their_levels():
    drawing = figure_03.compose()
    numbers = [text.get_text() for text in drawings.texts(drawing) if text.get_text() in "123"]
    assert sorted(numbers) == ["1", "1", "2", "2", "3", "3"]
    colours = {text.get_text(): text.get_color() for text in drawings.texts(drawing)}
    assert colours[r"$\nabla_a Q_m(s, a)|_{a=\pi_m(s)} \, \nabla_{\theta_m} \pi_m(s)$"] == MANAGER
    assert colours[r"$\pi_w(s_t, g) \, \nabla_a Q_w(s_t, g_t, a)|_{a=\pi_w(s_t, g_t)}$"] == WORKER
