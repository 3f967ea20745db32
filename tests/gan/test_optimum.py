"""Laws of `genbook.gan.optimum`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from problems import GaussianPair, gaussian_pairs
from torch.distributions import Normal

from genbook.divergences import measures
from genbook.gan import optimum
from tests.gan.given import FEW, GRID


def normal(mu, sigma):
    return Normal(*torch.tensor([mu, sigma], dtype=torch.float64))


@FEW
@given(pair=gaussian_pairs())
def test_the_best_discriminator_is_the_posterior_of_two_equal_classes(pair: GaussianPair):
    x = torch.linspace(-3, 3, 13, dtype=torch.float64)
    p, g = pair.p.log_prob(x), pair.q.log_prob(x)
    both = optimum.optimal_discriminator(p, g)
    torch.testing.assert_close(both, p.exp() / (p.exp() + g.exp()))
    torch.testing.assert_close(
        both + optimum.optimal_discriminator(g, p), torch.ones_like(x).double()
    )


@FEW
@given(pair=gaussian_pairs())
def test_the_criterion_is_twice_js_above_minus_log_four(pair: GaussianPair):
    p, g = pair.p.log_prob(GRID), pair.q.log_prob(GRID)
    js = measures.on_grid(measures.JENSEN_SHANNON, p, g, GRID)
    assert optimum.criterion(p, g, GRID).item() == pytest.approx(
        2 * js.item() - math.log(4), abs=1e-6
    )


@FEW
@given(tilt=st.floats(-2, 2), shift=st.floats(-2, 2))
def test_no_discriminator_has_a_higher_value(tilt, shift):
    p, g = Normal(0.0, 1.0).log_prob(GRID), Normal(1.0, 1.5).log_prob(GRID)
    other = optimum.optimal_logit(p, g) + tilt * torch.sin(GRID) + shift
    assert optimum.value(other, p, g, GRID) <= optimum.criterion(p, g, GRID) + 1e-12


def test_a_discriminator_that_says_half_has_value_minus_log_four():
    p, g = (normal(mu, s).log_prob(GRID) for mu, s in ((-2.0, 1.0), (3.0, 0.5)))
    value = optimum.value(torch.zeros_like(GRID), p, g, GRID)
    assert value.item() == pytest.approx(-math.log(4), abs=1e-9)


def test_a_discriminator_that_is_certain_and_wrong_has_value_minus_infinity():
    p = Normal(0.0, 1.0).log_prob(GRID)
    assert optimum.value(torch.full_like(GRID, -math.inf), p, p, GRID) == -math.inf


def test_where_neither_density_lives_nothing_is_said():
    nowhere = torch.tensor(-math.inf)
    assert optimum.optimal_discriminator(nowhere, nowhere) == 0.5


def test_disjoint_supports_have_the_value_zero_at_any_distance():
    x = torch.linspace(-6, 7, 1301, dtype=torch.float64) + 0.005
    values = [
        optimum.criterion(*optimum.disjoint_intervals(t, x), x).item() for t in (-4.0, 1.1, 5.0)
    ]
    assert values == [0.0, 0.0, 0.0]
