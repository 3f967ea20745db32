"""Laws of `genbook.divergences.witness`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.divergences import figures, measures, witness
from tests.divergences.given import FEW


@FEW
@given(st.integers(0, 10_000), st.integers(1, 7))
def test_both_programs_find_total_variation(seed, outcomes):
    generator = torch.Generator().manual_seed(seed)
    mass = torch.rand(2, outcomes, generator=generator, dtype=torch.float64)
    mass = (mass - 0.2).clamp_min(0) + 1e-3
    p, q = mass / mass.sum(-1, keepdim=True)
    tv = measures.on_atoms(measures.TOTAL_VARIATION, p, q).item()
    critic, pair = witness.best_bounded(p, q), witness.closest_pair(p, q)
    assert critic.value == pytest.approx(tv, abs=1e-9)
    assert float(critic.at @ (p - q)) == pytest.approx(tv, abs=1e-9)
    assert critic.at.abs().max() <= 0.5 + 1e-9
    assert pair.value == pytest.approx(tv, abs=1e-9)
    torch.testing.assert_close(pair.at.sum(1), p, atol=1e-9, rtol=0)
    torch.testing.assert_close(pair.at.sum(0), q, atol=1e-9, rtol=0)
    torch.testing.assert_close(pair.at.diagonal(), torch.minimum(p, q), atol=1e-9, rtol=0)


def test_what_is_no_pair_of_distributions_is_said():
    half = torch.tensor([0.5, 0.5])
    for function in (witness.best_bounded, witness.closest_pair):
        with pytest.raises(ValueError, match="same outcomes"):
            function(half, torch.tensor([1.0]))
        with pytest.raises(ValueError, match="probabilities in q"):
            function(half, 2 * half)


def test_the_walk_ends_at_zero():
    assert "TV 0.000" in figures.walk(0.9, 0.1, 1.0).get_label()
    assert "TV 0.600" in figures.walk(0.9, 0.1, 0.25).get_label()
