"""Laws of `genbook.divergences.densities`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from torch.distributions import kl_divergence

from genbook.divergences import densities, fitting, measures
from tests.divergences.given import FEW


@FEW
@given(gaussian_pairs())
def test_gaussian_kl_equals_torch(pair: GaussianPair):
    ours = densities.gaussian_kl(pair.p.loc, pair.p.scale, pair.q.loc, pair.q.scale)
    torch.testing.assert_close(ours, kl_divergence(pair.p, pair.q))


@FEW
@given(weight=st.floats(0.1, 0.9), separation=st.floats(0.5, 6))
def test_forward_fit_of_a_mixture_matches_its_exact_moments(weight, separation):
    p = densities.mixture(
        torch.tensor([weight, 1 - weight], dtype=torch.float64),
        torch.tensor([0.0, separation], dtype=torch.float64),
        torch.tensor([0.6, 0.9], dtype=torch.float64),
    )
    grid = torch.linspace(-25, 30, 5001, dtype=torch.float64)
    fit = fitting.fit_gaussian(measures.KL, p.log_prob(grid), grid, start=(1.0, 2.0))
    assert fit.mu == pytest.approx(p.mean.item(), abs=1e-5)
    assert fit.sigma == pytest.approx(p.stddev.item(), abs=1e-5)
    mean, deviation = densities.moments(p.log_prob(grid), grid)
    torch.testing.assert_close(torch.stack([mean, deviation]), torch.stack([p.mean, p.stddev]))
