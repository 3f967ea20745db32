"""Laws of `genbook.fgan.figures`."""

from __future__ import annotations

import math

import pytest

from genbook.fgan import figures
from tests.fgan.given import each

FRAMES = {
    "tangent": (figures.tangent, [("KL", -3.0), ("reverse KL", 2.0), ("total variation", 0.25)]),
    "sag": (figures.sag, [("KL", "shift", 1.0), ("Pearson χ²", "bump", -0.5)]),
    "blow up": (figures.blow_up, [("Neyman χ²", -3.0), ("GAN", 2.5)]),
}


@pytest.mark.parametrize(("draw", "places"), FRAMES.values(), ids=FRAMES.keys())
def test_the_axes_of_an_explorable_stand_still(draw, places):
    limits = [[(*a.get_xlim(), *a.get_ylim()) for a in draw(*at).axes] for at in places]
    assert all(frame == limits[0] for frame in limits)


def test_total_variation_loses_in_proportion_to_the_error_of_its_critic():
    shares, _ = figures._shares("total variation", "shift")
    assert shares[12::3] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0], abs=1e-6)


@each
def test_a_line_that_the_table_lacks_is_said_to_be_missing(convex):
    titles = {t: figures.tangent(convex.name, t).axes[1].get_title(loc="left") for t in (-2.0, 2.0)}
    steep = "no line of this slope" in titles[2.0]
    assert steep == math.isfinite(convex.domain[1])
    assert ("the table stops" in titles[-2.0]) == math.isfinite(convex.domain[0])


def test_the_drawn_line_touches_f_and_the_gap_is_fenchel_young():
    figure = figures.tangent("Pearson χ²", 1.0)
    title = figure.axes[1].get_title(loc="left")
    assert "−f*(t) = −1.25" in title
    assert "gap at u = 2: 0.25" in title


@pytest.mark.parametrize("name", ["reverse KL", "GAN"])
def test_at_the_open_end_of_the_domain_no_start_of_a_line_is_drawn(name):
    """f*(0) = ∞ there, so that the marker of −f* lies at the foot of the panel."""
    square = next(
        line for line in figures.tangent(name, 0.0).axes[1].lines if line.get_marker() == "s"
    )
    assert square.get_ydata()[0] == figures.FLOOR
