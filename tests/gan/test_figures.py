"""Laws of `genbook.gan.figures`."""

from __future__ import annotations

import pytest

from genbook.games import play
from genbook.gan import figures
from tests.gan.given import RING

FRAMES = {
    "duel": (figures.duel, [(-4.0, 0.4), (2.5, 1.6)]),
    "circling": (figures.circling, [("simultaneous", 4, True), ("extragradient", -4, False)]),
}


def limits(figure):
    return [(*axes.get_xlim(), *axes.get_ylim()) for axes in figure.axes]


@pytest.mark.parametrize(("draw", "places"), FRAMES.values(), ids=FRAMES.keys())
def test_the_axes_of_an_explorable_stand_still(draw, places):
    assert limits(draw(*places[0])) == limits(draw(*places[1]))


def test_the_arena_stands_still_too(forked):
    real = RING(play.Streams([1]), 10)[0]
    frames = [figures.arena(forked, real, at, mode) for at in (0, 3) for mode in forked]
    assert all(limits(frame) == limits(frames[0]) for frame in frames)


def test_a_verdict_says_what_the_growth_factor_says():
    assert "flies apart" in figures.circling("simultaneous", 0, False).get_label()
    assert "cycles" in figures.circling("alternating", 2, False).get_label()
    assert "converges" in figures.circling("simultaneous", 2, True).get_label()
