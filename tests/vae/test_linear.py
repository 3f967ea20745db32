"""Laws of `genbook.vae.linear`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.kit.device import seeded
from genbook.vae import linear, models
from genbook.vae.exact import LinearGaussian
from tests.vae.given import F64


def spread(count=200, pixels=5, seed=0):
    """Data with eigenvalues that are well apart, and a mean that is not zero."""
    draws = torch.randn(count, pixels, generator=seeded(seed), dtype=F64)
    turn = torch.linalg.qr(torch.randn(pixels, pixels, generator=seeded(seed + 1), dtype=F64)).Q
    return draws * torch.tensor([3.0, 2.0, 1.2, 0.6, 0.2][:pixels], dtype=F64) @ turn + 1.5


X = spread()
VALUES = torch.linalg.eigvalsh(linear.covariance(X)).flip(0)


def test_the_covariance_is_that_of_maximum_likelihood():
    assert torch.allclose(linear.covariance(X), torch.cov(X.T, correction=0), atol=1e-12)


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0, 2.5, 4.0])
@pytest.mark.parametrize("latent", [1, 3, 5])
def test_the_best_model_has_no_gap_and_the_height_of_the_formula(latent, noise):
    best = linear.best_linear(X, latent, noise)
    bound, exact = best.elbo(X, best.encode(X)).mean(), best.log_prob(X).mean()
    assert bound.item() == pytest.approx(exact.item(), abs=1e-10)
    assert linear.best_log_prob(VALUES, latent, noise) == pytest.approx(exact.item(), abs=1e-9)
    live = int((best.weight.norm(dim=0) > 0).sum())
    assert live == min(latent, int((noise**2 < VALUES).sum()))


@pytest.mark.parametrize("seed", range(8))
def test_no_other_decoder_and_no_other_bias_does_better(seed):
    noise, best = 0.8, linear.best_linear(X, 2, 0.8)
    top = best.log_prob(X).mean()
    weight = best.weight + 0.3 * torch.randn(5, 2, generator=seeded(seed), dtype=F64)
    shift = 0.1 * torch.randn(5, generator=seeded(seed + 100), dtype=F64)
    assert LinearGaussian(weight, best.bias, noise).log_prob(X).mean() < top
    assert LinearGaussian(best.weight, best.bias + shift, noise).log_prob(X).mean() < top


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_bound_is_the_elbo_of_the_best_diagonal_encoder(seed):
    weight = torch.randn(5, 3, generator=seeded(seed), dtype=F64)
    model = LinearGaussian(weight, X.mean(0), 0.7)
    whole = model.elbo(X, model.encode(X)).mean()
    assert linear.mean_bound(weight, 0.7, linear.covariance(X)).item() == pytest.approx(
        whole.item(), abs=1e-9
    )
    other = model.encode(X)
    wider = models.Gaussian(other.mean, other.log_var + 0.1)
    assert model.elbo(X, wider).mean() < whole


def test_a_turn_of_the_columns_keeps_log_p_and_opens_a_gap():
    best = linear.best_linear(X, 2, 0.5)
    turn = torch.tensor([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]]).double()
    turned = LinearGaussian(best.weight @ turn, best.bias, 0.5)
    assert torch.allclose(turned.log_prob(X), best.log_prob(X), atol=1e-9)
    assert turned.elbo(X, turned.encode(X)).mean() < best.elbo(X, best.encode(X)).mean() - 0.01


@pytest.mark.parametrize("seed", range(3))
def test_a_climb_ends_at_the_top(seed):
    weight = linear.climb(X, 3, 1.0, seeded(seed))
    height = linear.mean_bound(weight, 1.0, linear.covariance(X)).item()
    assert height == pytest.approx(linear.best_log_prob(VALUES, 3, 1.0), abs=1e-7)


@pytest.mark.parametrize("noise", [0.3, 0.9, 1.5])
def test_the_curvature_of_a_collapsed_unit_is_the_formula(noise):
    values, vectors = torch.linalg.eigh(linear.covariance(X))
    model = linear.best_linear(X, 1, noise)
    for value, direction in zip(values[:-1], vectors.T[:-1], strict=True):
        bent = linear.measured_curvature(model, X, direction)
        named = linear.collapse_curvature(value.item(), noise)
        assert torch.allclose(bent, named, atol=1e-9)
        assert bool(torch.linalg.eigvalsh(bent)[1] > 0) == bool(value > noise**2)


def test_the_curvature_is_the_same_where_the_decoder_is_centred_beside_the_mean():
    values, vectors = torch.linalg.eigh(linear.covariance(X))
    model = linear.best_linear(X, 1, 0.9)
    moved = linear.LinearGaussian(model.weight, model.bias + 0.5, model.noise)
    bent = linear.measured_curvature(moved, X, vectors[:, 0])
    named = linear.collapse_curvature(values[0].item(), 0.9)
    assert torch.allclose(bent, named, atol=1e-9)


def test_learned_noise_is_the_mean_of_what_is_left_out():
    best = VALUES[2:].mean().sqrt().item()
    heights = [linear.best_log_prob(VALUES, 2, best * factor) for factor in (0.97, 1.0, 1.03)]
    assert heights[1] > max(heights[0], heights[2])
    assert best**2 <= VALUES[1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: linear.best_linear(X, 6, 1.0),
        lambda: linear.best_linear(X, 0, 1.0),
        lambda: linear.best_linear(X, 2, 0.0),
        lambda: linear.best_log_prob(VALUES, 2, -1.0),
        lambda: linear.collapse_curvature(0.0, 1.0),
        lambda: linear.collapse_curvature(1.0, 0.0),
    ],
)
def test_bad_input_is_refused_with_words(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()
