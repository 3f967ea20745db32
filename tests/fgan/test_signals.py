"""Laws of `genbook.fgan.signals`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal

from genbook.divergences import densities, measures
from genbook.fgan import conjugates, signals
from genbook.games import duality
from tests.fgan.given import FEW, smooth


@smooth
def test_signals_are_the_curvature_of_f_times_powers_of_u(convex):
    u = torch.tensor([0.05, 0.7, 1.0, 6.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(convex.f(u).sum(), u, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), u)
    pull = signals.signals(convex, u)
    torch.testing.assert_close(pull.practical, u.detach() * bend, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(pull.minimax, u.detach() ** 2 * bend, rtol=1e-9, atol=1e-9)


def test_total_variation_pulls_nowhere():
    pull = signals.signals(duality.TOTAL_VARIATION, torch.tensor([0.1, 3.0]))
    assert not pull.minimax.any()
    assert not pull.practical.any()


def gradient(divergence: measures.Divergence, log_p, theta, x):
    theta = theta.clone().requires_grad_()
    log_q = densities.gaussian_log_density(x, theta[0], theta[1].exp())
    return torch.autograd.grad(measures.on_grid(divergence, log_p, log_q, x), theta)[0]


@smooth
@FEW
@given(mu=st.floats(-1, 1), log_sigma=st.floats(-0.1, 0.3))
def test_the_minimax_step_follows_the_divergence_itself(convex, mu, log_sigma):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([mu, log_sigma], dtype=torch.float64)
    step = signals.expected_gradient(convex, log_p, theta, x, practical=False)
    exact = gradient(conjugates.as_divergence(convex), log_p, theta, x)
    torch.testing.assert_close(step, exact, rtol=1e-4, atol=1e-6)


PRACTICAL = {
    "KL": lambda g: g(measures.REVERSE_KL),
    "reverse KL": lambda g: g(measures.NEYMAN) / 2,
    "Pearson χ²": lambda g: 2 * g(measures.KL),
    "Jeffrey": lambda g: g(measures.REVERSE_KL) + g(measures.NEYMAN) / 2,
    "Jensen–Shannon": lambda g: g(measures.REVERSE_KL) - 2 * g(measures.JENSEN_SHANNON),
    "GAN": lambda g: g(measures.REVERSE_KL) - 2 * g(measures.JENSEN_SHANNON),
}


@pytest.mark.parametrize("name", PRACTICAL)
def test_the_practical_step_follows_another_divergence(name):
    x = torch.linspace(-14, 14, 2801, dtype=torch.float64)
    log_p = Normal(0.2, 1.1).log_prob(x)
    theta = torch.tensor([-0.6, 0.2], dtype=torch.float64)
    step = signals.expected_gradient(conjugates.row(name), log_p, theta, x, practical=True)
    other = PRACTICAL[name](lambda divergence: gradient(divergence, log_p, theta, x))
    torch.testing.assert_close(step, other, rtol=1e-6, atol=1e-8)


@smooth
def test_batches_agree_with_the_expectation_where_the_supports_overlap(convex, generator):
    x = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    theta = torch.tensor([0.5, 0.0], dtype=torch.float64)
    log_p = Normal(0.0, 1.0).log_prob(x)
    for practical in (False, True):
        batches = signals.batch_gradients(
            convex, 0.5, batches=40, size=2000, generator=generator, practical=practical
        )
        exact = signals.expected_gradient(convex, log_p, theta, x, practical=practical)[0]
        assert abs(batches.mean() - exact) < 5 * batches.std() / math.sqrt(40) + 1e-9
