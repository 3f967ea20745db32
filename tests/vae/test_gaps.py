"""Laws of `genbook.vae.gaps`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.vae import bounds, gaps, models
from genbook.vae.exact import all_binary, quadrature_log_prob
from tests.vae.given import F64, guess, tiny

MODEL, X = tiny(6, 2), all_binary(6)
PLANE = gaps.plane_of(MODEL, X, step=0.16)
Q = guess(64, 2)


def test_log_prob_is_the_quadrature():
    exact = quadrature_log_prob(MODEL, X, nodes=100)
    assert torch.allclose(PLANE.log_prob(), exact, atol=1e-4)
    assert PLANE.log_prob().exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_bound_and_gap_add_up_to_log_prob_for_any_guess():
    assert torch.allclose(PLANE.elbo(Q) + PLANE.gap(Q), PLANE.log_prob(), atol=1e-10)
    assert (PLANE.gap(Q) >= 0).all()


def test_the_bound_is_the_mean_of_sampled_bounds():
    q = models.Gaussian(Q.mean.clamp(-1.5, 1.5), Q.log_var.clamp(-2, -0.5))
    noise = torch.randn(5_000, 64, 2, generator=seeded(3), dtype=F64)
    rows = bounds.log_weights(MODEL, q, X, noise).detach()
    error = rows.std(0) / len(rows) ** 0.5
    assert ((PLANE.elbo(q) - rows.mean(0)).abs() < 5 * error + 1e-3).all()


def test_the_matched_gaussian_has_the_moments_of_the_posterior():
    flat = torch.zeros(1, len(PLANE.axis), len(PLANE.axis), dtype=F64)
    prior = gaps.Plane(PLANE.axis, flat).matched()
    assert torch.allclose(prior.mean, torch.zeros(1, 2, dtype=F64), atol=1e-10)
    assert torch.allclose(prior.log_var, torch.zeros(1, 2, dtype=F64), atol=1e-3)


def test_the_best_guess_of_a_model_that_ignores_the_code_is_the_prior():
    flat = torch.full((2, len(PLANE.axis), len(PLANE.axis)), -3.0, dtype=F64)
    plane = gaps.Plane(PLANE.axis, flat)
    best = gaps.best_guess(plane, guess(2, 2))
    assert (plane.gap(best) < 1e-4).all()


def test_both_parts_are_at_least_zero_and_add_up():
    split = gaps.split_gap(PLANE, Q)
    assert (split.approximation >= 0).all()
    assert (split.amortisation >= 0).all()
    assert torch.allclose(split.approximation + split.amortisation, PLANE.gap(Q), atol=1e-10)


def test_from_other_starts_the_search_finds_no_better_guess():
    best = PLANE.elbo(gaps.best_guess(PLANE, Q))
    other = PLANE.elbo(gaps.best_guess(PLANE, guess(64, 2, seed=7)))
    assert torch.allclose(best, other, atol=2e-3)


def test_a_step_that_worsens_is_not_kept():
    start = PLANE.matched()
    found = gaps.best_guess(PLANE, start, steps=3, lr=5.0)
    assert (PLANE.elbo(found) >= PLANE.elbo(start)).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: gaps.plane_of(tiny(6, 1), X),
        lambda: gaps.plane_of(models.PeekingVAE(6, 2, generator=seeded(0)).double(), X),
        lambda: gaps.plane_of(MODEL, X, step=0),
        lambda: gaps.plane_of(MODEL, X, reach=0.05),
        lambda: gaps.best_guess(PLANE, Q, steps=0),
        lambda: gaps.best_guess(PLANE, Q, lr=0),
    ],
)
def test_bad_input_is_refused_with_words(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()
