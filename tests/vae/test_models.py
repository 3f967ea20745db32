"""Laws of `genbook.vae.models`."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from genbook.kit.device import seeded
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import models
from tests.vae.given import F64, exact_gradient, guess, linear, points, quick, tiny

finite = st.floats(-3, 3)


@quick
@given(st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=4))
def test_log_prob_agrees_with_torch(rows):
    mean, log_var, z = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    q = models.Gaussian(mean, log_var)
    oracle = torch.distributions.Normal(mean, q.std)
    torch.testing.assert_close(q.log_prob(z), oracle.log_prob(z).sum())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(models.prior_log_prob(z), prior.log_prob(z).sum())
    torch.testing.assert_close(
        models.gaussian_kl(q), torch.distributions.kl_divergence(oracle, prior)
    )


@quick
@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=4))
def test_kl_is_nonnegative_and_zero_only_at_the_prior(rows):
    mean, log_var = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    assert (models.gaussian_kl(models.Gaussian(mean, log_var)) >= 0).all()
    at_prior = models.gaussian_kl(models.Gaussian(0 * mean, 0 * mean))
    assert torch.equal(at_prior, torch.zeros_like(mean))


def test_placed_noise_has_the_mean_and_the_variance(generator):
    q = guess(1, 3)
    z = q.place(torch.randn(200_000, 1, 3, generator=generator, dtype=F64))
    torch.testing.assert_close(z.mean(0), q.mean, atol=0.02, rtol=0)
    torch.testing.assert_close(z.var(0), q.std**2, atol=0.05, rtol=0.02)


@quick
@given(st.integers(1, 8), st.integers(0, 10_000))
def test_bernoulli_probabilities_of_all_images_sum_to_one(pixels, seed):
    logits = 4 * torch.randn(pixels, generator=seeded(seed), dtype=F64)
    total = models.bernoulli_log_prob(vae_exact.all_binary(pixels), logits).exp().sum()
    torch.testing.assert_close(total, torch.ones((), dtype=F64))


def test_bernoulli_survives_extreme_logits():
    logits = torch.tensor([500.0, -500.0])
    assert models.bernoulli_log_prob(torch.tensor([1.0, 0.0]), logits) == 0
    assert models.bernoulli_log_prob(torch.tensor([0.0, 1.0]), logits) == -1000


def test_models_do_not_touch_the_global_generator():
    before = torch.random.get_rng_state()
    first = models.VAE(9, 2, hidden=(4,), generator=seeded(3))
    assert torch.equal(before, torch.random.get_rng_state())
    second = models.VAE(9, 2, hidden=(4,), generator=seeded(3))
    for left, right in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(left, right)


def test_samples_are_probabilities(device):
    model = models.VAE(9, 2, hidden=(4,), generator=seeded(0)).to(device)
    images = model.sample(5, seeded(1, device))
    assert images.shape == (5, 9)
    assert ((images > 0) & (images < 1)).all()


def test_gradients_of_the_elbo_pass_gradcheck():
    model, x = tiny(3, 2), vae_exact.all_binary(3)[:3]
    noise = torch.randn(3, 2, generator=seeded(4), dtype=F64)

    def bound(z: Tensor, log_var: Tensor) -> Tensor:
        q = models.Gaussian(z, log_var)
        return model.log_likelihood(x, q.place(noise)) - models.gaussian_kl(q).sum(-1)

    q = guess(3, 2)
    assert torch.autograd.gradcheck(bound, (q.mean.requires_grad_(), q.log_var.requires_grad_()))


def test_a_peeking_pixel_sees_only_the_pixels_before_it():
    model = models.PeekingVAE(7, 2, hidden=(4,), peek=16, generator=seeded(0)).double()
    x = torch.rand(7, generator=seeded(1), dtype=F64)
    jacobian = torch.autograd.functional.jacobian(model.peek, x)
    assert torch.equal(jacobian, jacobian.tril(-1))
    assert (jacobian.tril(-1).abs().sum(0)[:-1] > 0).all()


def test_an_autoencoder_does_not_know_its_codes_scale():
    model = models.Autoencoder(6, 2, hidden=(8,), generator=seeded(0)).double()
    x = vae_exact.all_binary(6)
    before = model.decode(model.encode(x))
    models.rescale(model, torch.tensor([[3.0, 1.0], [-1.0, 0.2]], dtype=F64))
    torch.testing.assert_close(model.decode(model.encode(x)), before)


@quick
@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 10_000))
def test_elbo_plus_gap_is_log_prob(pixels, latent, seed):
    model, x = linear(pixels, latent, seed), points(4, pixels, seed + 1)
    q = guess(4, latent, seed + 2)
    torch.testing.assert_close(model.elbo(x, q) + model.gap(x, q), model.log_prob(x))
    assert (model.gap(x, q) >= -1e-9).all()


def test_no_diagonal_guess_beats_the_best_one(generator):
    model, x = linear(), points()
    best = model.encode(x)
    bound = model.elbo(x, best)
    for _ in range(20):
        shift, stretch = torch.randn(2, 4, 2, generator=generator, dtype=F64) * 0.3
        other = models.Gaussian(best.mean + shift, best.log_var + stretch)
        assert (model.elbo(x, other) <= bound + 1e-12).all()


@pytest.mark.parametrize("estimator", [vae_bounds.path_gradients, vae_bounds.score_gradients])
def test_both_gradient_estimators_are_unbiased(estimator, generator):
    model, x, q = linear(), points(1), guess(1)
    row = models.Gaussian(q.mean[0], q.log_var[0])
    noise = torch.randn(400_000, 2, generator=generator, dtype=F64)

    def f(z: Tensor) -> Tensor:
        return model.log_likelihood(x, z[:, None])[:, 0] + models.prior_log_prob(z)

    entropy = torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=F64)
    rows = estimator(f, row, noise) + entropy
    error = rows.std(0) / math.sqrt(len(rows))
    assert ((rows.mean(0) - exact_gradient(model, x, q)).abs() < 5 * error).all()


def test_a_baseline_does_not_move_the_mean_of_the_score():
    q = models.Gaussian(torch.zeros(1, dtype=F64), torch.zeros(1, dtype=F64))
    noise = torch.tensor([[-1.0], [1.0]], dtype=F64)  # mean 0 and variance 1, exactly
    means = [
        vae_bounds.score_gradients(lambda z: z.sum(-1), q, noise, baseline=b).mean(0)
        for b in (0.0, 9.0)
    ]
    assert torch.equal(*means)
