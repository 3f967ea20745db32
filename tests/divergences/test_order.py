"""Laws of `genbook.divergences.order`."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from genbook.divergences import figures, measures, order
from tests.divergences.given import FEW

ROWS = {
    "JS": measures.JENSEN_SHANNON,
    "TV": measures.TOTAL_VARIATION,
    "KL(p‖q)": measures.KL,
    "KL(q‖p)": measures.REVERSE_KL,
}


@FEW
@given(st.floats(0, 1), st.floats(1e-6, 1e6))
def test_closed_forms_are_the_sums_over_the_two_atoms(share, distance):
    found = order.misplaced(share, distance)
    p, q, points = order.misplaced_atoms(share, distance)
    for name, row in ROWS.items():
        summed = measures.on_atoms(row, p, q).item()
        assert found[name] == pytest.approx(summed, rel=1e-9, abs=1e-12), name
    exact = wasserstein_distance(points[:, 0], points[:, 0], p, q)
    rounding = 4 * sys.float_info.epsilon * distance  # the sum takes 1 − share from 1
    assert found["W₁"] == pytest.approx(exact, rel=1e-12, abs=rounding)
    assert tuple(found) == order.NAMES


def test_all_and_nothing():
    nothing, everything = order.misplaced(0.0, 3.0), order.misplaced(1.0, 3.0)
    assert set(nothing.values()) == {0.0}
    assert everything["KL(p‖q)"] == everything["KL(q‖p)"] == math.inf
    assert everything["JS"] == pytest.approx(math.log(2))
    assert (everything["TV"], everything["W₁"]) == (1.0, 3.0)


@pytest.mark.parametrize(
    "pair", [(-0.1, 1.0), (1.1, 1.0), (math.nan, 1.0), (0.5, 0.0), (0.5, -1.0), (0.5, math.inf)]
)
def test_a_share_is_a_probability_and_a_distance_positive(pair):
    for function in (order.misplaced, order.misplaced_atoms):
        with pytest.raises(ValueError, match="share in"):
            function(*pair)


def test_the_figure_says_each_score():
    said = figures.sequence(1.0, 1.5, 4).get_label()
    assert said.startswith("n = 16: W₁ 4, JS")
    assert "KL(p‖q) ∞" in said
