"""Laws of `genbook.collapse.limits`."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from genbook.collapse import limits
from genbook.games import duality
from genbook.games import modes as games_modes
from genbook.kit.seeds import Streams, around
from tests.collapse.given import FEW, GRID

each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)


def test_the_data_score_the_ceiling_and_the_floor():
    drawn = around(GRID, 0.05)(Streams(range(20)), 2500)
    found = games_modes.score(drawn, GRID, std=0.05)
    assert found.high_quality.mean().item() == pytest.approx(limits.ceiling(), abs=0.002)
    floor = limits.histogram_floor(25, 2500)
    assert found.reverse_kl.mean().item() == pytest.approx(floor, rel=0.2)
    assert found.modes.tolist() == [25] * 20


@pytest.mark.parametrize("dimension", [1, 2, 1200])
def test_the_ceiling_is_the_chi_square_distribution(dimension):
    radius = 10.0 if dimension == 1200 else 3.0
    exact = chi2.cdf(radius**2, dimension)
    assert limits.ceiling(radius, dimension) == pytest.approx(exact, abs=1e-9)


@each
@FEW
@given(kept=st.integers(1, 8))
def test_kept_modes_agree_with_the_divergence_of_discrete_distributions(convex, kept):
    tiny = 1e-13  # f(p/q) q needs q > 0
    p = torch.full((8,), 1 / 8, dtype=torch.float64)
    q = torch.full((8,), tiny, dtype=torch.float64)
    q[:kept] = (1 - tiny * (8 - kept)) / kept
    value = float((q * convex.f(p / q)).sum()) - convex.at_one
    exact = limits.kept_modes(convex, kept, 8)
    if math.isfinite(exact):
        assert value == pytest.approx(exact, rel=1e-4, abs=1e-5)
    else:
        assert value > 1.5


def by_words(p, q, m):
    words = itertools.product(range(len(p)), repeat=m)
    return sum(abs(math.prod(p[i] for i in w) - math.prod(q[i] for i in w)) for w in words) / 2


@FEW
@given(
    p=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    q=st.lists(st.floats(0.05, 1), min_size=3, max_size=3),
    m=st.integers(1, 4),
)
def test_packed_variation_sums_over_all_words(p, q, m):
    p, q = [v / sum(p) for v in p], [v / sum(q) for v in q]
    found = limits.packed_tv(
        torch.tensor(p, dtype=torch.float64), torch.tensor(q, dtype=torch.float64), m
    )
    assert found == pytest.approx(by_words(p, q, m), abs=1e-12)


@FEW
@given(lost=st.floats(0.01, 0.9), m=st.integers(1, 6))
def test_a_lost_mass_is_seen_unless_all_packed_samples_miss_it(lost, m):
    p = torch.tensor([lost, 1 - lost], dtype=torch.float64)
    q = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert limits.packed_tv(p, q, m) == pytest.approx(1 - (1 - lost) ** m)
