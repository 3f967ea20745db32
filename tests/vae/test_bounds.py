"""Laws of `genbook.vae.bounds`."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import torch
from hypothesis import given
from torch import Tensor

from genbook.kit.device import seeded
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import models
from tests.vae.given import F64, guess, linear, points, quick, tiny


def test_sampled_elbo_agrees_with_the_closed_form(generator):
    model, x, q = linear(), points(), guess()
    noise = torch.randn(100_000, 4, 2, generator=generator, dtype=F64)
    log_w = vae_bounds.log_weights(model, q, x, noise)
    error = log_w.std(0) / math.sqrt(len(log_w))
    assert ((log_w.mean(0) - model.elbo(x, q)).abs() < 5 * error).all()


def test_weights_of_the_exact_posterior_do_not_vary(generator):
    model, x = linear(3, 1), points()
    noise = torch.randn(5, 4, 1, generator=generator, dtype=F64)
    log_w = vae_bounds.log_weights(model, model.encode(x), x, noise)
    torch.testing.assert_close(log_w, model.log_prob(x).expand(5, 4))


@quick
@given(st.lists(st.floats(-50, 50), min_size=8, max_size=8))
def test_doubled_bounds_never_fall(values):
    bounds = vae_bounds.doubling_bounds(torch.tensor(values, dtype=F64))
    assert (bounds.diff() >= -1e-12).all()
    torch.testing.assert_close(bounds[0].item(), sum(values) / 8)
    torch.testing.assert_close(bounds[-1], vae_bounds.iwae_bound(torch.tensor(values, dtype=F64)))


def test_importance_sampling_in_portions_counts_every_sample(monkeypatch):
    seen = []

    def constant(model, q, x, noise):
        seen.append(noise.shape[0])
        return torch.full(noise.shape[:2], -3.0, dtype=F64)

    monkeypatch.setattr(vae_bounds, "log_weights", constant)
    estimate = vae_bounds.importance_log_prob(
        tiny(), vae_exact.all_binary(6)[:5], samples=10, generator=seeded(0), rows=8
    )
    torch.testing.assert_close(estimate, torch.full((5,), -3.0, dtype=F64))
    assert sum(seen) == 50


def test_a_unit_that_ignores_the_image_is_inactive():
    model = tiny(6, 2)
    with torch.no_grad():
        model.encoder[-1].weight[0] = 0
    activity = vae_bounds.activity(model, vae_exact.all_binary(6))
    assert activity[0] == 0
    assert activity[1] > 1e-2


def test_the_path_varies_less_than_the_score(generator):
    q = models.Gaussian(torch.zeros(2, dtype=F64), torch.zeros(2, dtype=F64))
    noise = torch.randn(50_000, 2, generator=generator, dtype=F64)

    def f(z: Tensor) -> Tensor:
        return -(z**2).sum(-1) - 10

    path, score = (
        g(f, q, noise).var(0) for g in (vae_bounds.path_gradients, vae_bounds.score_gradients)
    )
    assert (score > 10 * path).all()
    calmer = vae_bounds.score_gradients(f, q, noise, baseline=-12.0).var(0)
    assert (calmer < score / 5).all()
