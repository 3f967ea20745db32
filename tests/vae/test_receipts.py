"""The receipts of the chapter `vae`, broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from chapters import altered, assert_breaks, method, rewritten, swap

from genbook.kit.device import seeded
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import gaps, linear, models, training


def few_steps(monkeypatch):
    """Train for a moment only, where the receipt is not about what was learned."""
    config = training.TrainConfig

    def shorter(**settings):
        return config(**{**settings, "steps": min(5, settings["steps"])})

    monkeypatch.setattr(training, "TrainConfig", shorter)


def pixels_averaged(original):
    def bernoulli_log_prob(x, logits):
        return original(x, logits) / x.shape[-1]

    return bernoulli_log_prob


def test_receipt_codes():
    @torch.no_grad()
    def forward_only(model, matrix):
        last = model.encoder[-1]
        last.weight.copy_(matrix @ last.weight)
        last.bias.copy_(matrix @ last.bias)

    @torch.no_grad()
    def transposed(model, matrix):
        forward_only(model, matrix)
        first = model.decoder[0]
        first.weight.copy_(first.weight @ matrix.T)

    assert_breaks(
        "vae",
        "test_receipt_codes",
        swap(models.rescale, forward_only),
        swap(models.rescale, transposed),
        given=few_steps,
    )


def test_receipt_elbo_gap():
    honest = vae_exact.LinearGaussian

    def without_wobble(self, x, q):
        return self.log_likelihood(x, q.mean) - models.gaussian_kl(q).sum(-1)

    def forward_divergence(self, x, q):
        guess = torch.distributions.MultivariateNormal(q.mean, torch.diag_embed(q.std**2))
        return torch.distributions.kl_divergence(self.posterior(x), guess)

    assert_breaks(
        "vae",
        "test_receipt_elbo_gap",
        method(honest, "elbo", without_wobble),
        method(honest, "gap", forward_divergence),
        altered(models.gaussian_kl, lambda kl: 1.001 * kl),
    )


def test_receipt_normalised():
    nodes = vae_exact.quadrature_log_prob
    assert_breaks(
        "vae",
        "test_receipt_normalised",
        swap(models.bernoulli_log_prob, pixels_averaged(models.bernoulli_log_prob)),
        altered(nodes, lambda log_prob: log_prob + 1e-9),
    )


def test_receipt_two_forms():
    def of_a_std(q):
        return 0.5 * (q.mean**2 + q.std - 1 - q.log_var)

    def without_constant(z):
        return -0.5 * z.square().sum(-1)

    def without_proposal(model, q, x, noise):
        z = q.place(noise)
        return model.log_likelihood(x, z) + models.prior_log_prob(z)

    assert_breaks(
        "vae",
        "test_receipt_two_forms",
        swap(models.gaussian_kl, of_a_std),
        swap(models.prior_log_prob, without_constant),
        swap(vae_bounds.log_weights, without_proposal),
    )


def test_receipt_kl():
    def of_a_std(q):
        return 0.5 * (q.mean**2 + q.std - 1 - 0.5 * q.log_var)

    assert_breaks(
        "vae",
        "test_receipt_kl",
        swap(models.gaussian_kl, of_a_std),
        altered(models.gaussian_kl, lambda kl: 1.02 * kl),
    )


def in_the_variance(estimator, change):
    """An estimator whose derivative in the log-variance is changed."""

    def wrong(f, q, noise, **options):
        in_mean, in_log_var = estimator(f, q, noise, **options).chunk(2, dim=-1)
        return torch.cat([in_mean, change(in_log_var)], dim=-1)

    return swap(estimator, wrong)


def test_receipt_path():
    estimator = vae_bounds.path_gradients
    assert_breaks(
        "vae",
        "test_receipt_path",
        in_the_variance(estimator, lambda rows: 2 * rows),
        altered(estimator, lambda rows: 1.05 * rows),
    )


def test_receipt_score():
    estimator = vae_bounds.score_gradients

    def uncentred(f, q, noise, *, baseline=0.0):
        value = (f(q.place(noise)) - baseline)[:, None]
        return torch.cat([value * noise / q.std, 0.5 * value * noise**2], dim=-1)

    assert_breaks(
        "vae",
        "test_receipt_score",
        in_the_variance(estimator, lambda rows: 2 * rows),
        swap(estimator, uncentred),
        swap(estimator, vae_bounds.path_gradients),
    )


def test_receipt_variance():
    honest = training.objective

    def by_path(model, x, config, beta, noise):
        return honest(model, x, training.TrainConfig(steps=1), beta, noise)

    assert_breaks("vae", "test_receipt_variance", swap(honest, by_path), given=few_steps)


def test_receipt_collapse():
    honest = models.gaussian_kl

    def without_one(q):
        return honest(q) + 0.5

    def with_code(self, x, z):
        return models.bernoulli_log_prob(x, self.decode(z)) + models.prior_log_prob(z)

    assert_breaks(
        "vae",
        "test_receipt_collapse",
        swap(honest, without_one),
        method(models.VAE, "log_likelihood", with_code),
    )


def test_receipt_doubling():
    """Another average of the weights; weights of anything, or without a constant."""

    def twice_divided(log_w):
        return torch.logsumexp(log_w, dim=0) - 2 * math.log(log_w.shape[0])

    def mean_of_logarithms(log_w):
        return log_w.mean(0)

    def a_sum(log_w):
        return torch.logsumexp(log_w, dim=0)

    def the_largest(log_w):
        return log_w.max(0).values

    def any_weights(model, q, x, noise):
        return torch.randn(noise.shape[:-1], generator=seeded(0)).to(noise)

    assert_breaks(
        "vae",
        "test_receipt_doubling",
        swap(vae_bounds.iwae_bound, twice_divided),
        swap(vae_bounds.iwae_bound, mean_of_logarithms),
        swap(vae_bounds.iwae_bound, a_sum),
        swap(vae_bounds.iwae_bound, the_largest),
        swap(vae_bounds.log_weights, any_weights),
        swap(models.prior_log_prob, lambda z: -0.5 * z.square().sum(-1)),
    )


def test_receipt_below():
    def a_sum(log_w):
        return torch.logsumexp(log_w, dim=0)

    assert_breaks(
        "vae",
        "test_receipt_below",
        swap(vae_bounds.iwae_bound, a_sum),
        swap(models.prior_log_prob, lambda z: -0.5 * z.square().sum(-1)),
    )


def test_receipt_importance():
    honest = vae_bounds.importance_log_prob

    def one_sample(model, x, *, samples, generator, rows=2_000):
        return honest(model, x, samples=1, generator=generator)

    assert_breaks(
        "vae",
        "test_receipt_importance",
        swap(honest, one_sample),
        altered(honest, lambda log_prob: log_prob - math.log(1.1)),
        swap(models.prior_log_prob, lambda z: -0.5 * z.square().sum(-1)),
    )


def test_receipt_live():
    honest = vae_bounds.importance_log_prob

    def few_samples(model, x, *, samples, generator, rows=2_000):
        return honest(model, x, samples=2, generator=generator)

    assert_breaks(
        "vae",
        "test_receipt_live",
        altered(honest, lambda log_prob: log_prob / 64),
        swap(honest, few_samples),
        altered(models.gaussian_kl, lambda kl: 0.2 * kl),
    )


def test_receipt_order():
    def worse(k, column):
        return lambda row: {column: row[column] + (5 if row["k"] == k else 0)}

    assert_breaks(
        "vae",
        "test_receipt_order",
        *(rewritten("vae_nll", worse(k, column)) for k in (5, 50) for column in ("nll", "nll_k")),
    )


def test_receipt_beta():
    """A divergence of the wrong sign."""
    assert_breaks("vae", "test_receipt_beta", altered(models.gaussian_kl, lambda kl: -kl))


def test_receipt_stationary():
    """A divergence with a slope at the prior; another likelihood than the decoder is best for."""
    honest, likelihood = models.gaussian_kl, models.bernoulli_log_prob
    assert_breaks(
        "vae",
        "test_receipt_stationary",
        swap(honest, lambda q: honest(q) + 0.1 * q.mean),
        swap(likelihood, lambda x, logits: likelihood(x, 1.1 * logits)),
    )


def test_receipt_correction():
    """Shows that the claims are read from the record."""
    assert_breaks(
        "vae",
        "test_receipt_correction",
        rewritten("vae_nll", lambda row: {"nll_k": row["nll"] + 1}),
    )


def test_receipt_units():
    """Shows that a record in which samples cost units would be seen."""
    assert_breaks(
        "vae",
        "test_receipt_units",
        rewritten("vae_nll", lambda row: {"active": 50 - row["active"]}),
    )


@pytest.mark.timeout(900)  # seven trainings, four times
def test_receipt_cures():
    """Cures that are not applied."""
    cost, annealed = training.kl_cost, training.annealed
    assert_breaks(
        "vae",
        "test_receipt_cures",
        swap(cost, lambda kl, free_nats=0.0: cost(kl)),
        swap(annealed, lambda config, index: config.beta),
        method(models.PeekingVAE, "log_likelihood", models.VAE.log_likelihood),
    )


def without_wobble(monkeypatch):
    """A bound that forgets what the variance of q costs in the reconstruction."""

    def elbo(self, x, q):
        return self.log_likelihood(x, q.mean) - models.gaussian_kl(q).sum(-1)

    method(vae_exact.LinearGaussian, "elbo", elbo)(monkeypatch)


def test_receipt_linear():
    """Columns as long as the data's spread; a bound without a term."""
    best = linear.best_linear

    def too_long(x, latent, noise):
        found = best(x, latent, noise)
        return vae_exact.LinearGaussian(1.01 * found.weight, found.bias, noise)

    assert_breaks("vae", "test_receipt_linear", swap(best, too_long), without_wobble)


def test_receipt_climb():
    """Without the gap, log p(x) alone: as high, but the columns come in any turn."""
    bound, climb = linear.mean_bound, linear.climb

    def log_prob(weight, noise, covariance):
        precision = torch.eye(weight.shape[1]).double() + weight.T @ weight / noise**2
        gap = precision.diagonal().log().sum() - precision.logdet()
        return bound(weight, noise, covariance) + 0.5 * gap

    assert_breaks(
        "vae",
        "test_receipt_climb",
        swap(bound, log_prob),
        swap(climb, lambda *rest: climb(*rest, steps=2)),
    )


def test_receipt_saddle():
    """A Hessian with a wrong sign; a bound without a term, where every collapse can be left."""
    assert_breaks(
        "vae",
        "test_receipt_saddle",
        altered(linear.collapse_curvature, lambda bend: bend * torch.eye(2)),
        without_wobble,
    )


def test_receipt_split():
    """A bound without its divergence; a search that ends beside its start; a gap beside the gap."""

    def no_divergence(plane, q):
        left, right = plane.log_guess(q).exp().unbind(1)
        return torch.einsum("ni,nij,nj->n", left, plane.table, right)

    def lost(plane, start, **_):
        return models.Gaussian(start.mean + 1, start.log_var)

    gap = gaps.Plane.gap
    assert_breaks(
        "vae",
        "test_receipt_split",
        method(gaps.Plane, "elbo", no_divergence),
        swap(gaps.best_guess, lost),
        method(gaps.Plane, "gap", lambda plane, q: 1.001 * gap(plane, q)),
        given=few_steps,
    )


def unsearched(monkeypatch):
    """The encoder's answer is taken for the best."""
    swap(gaps.best_guess, lambda plane, start, **_: start)(monkeypatch)


def test_receipt_encoder():
    assert_breaks("vae", "test_receipt_encoder", unsearched)


def test_receipt_best():
    """No search at all; none in the first of the three networks."""
    honest = gaps.best_guess

    def not_in_the_first(monkeypatch):
        planes = []

        def guess(plane, start, **rest):
            planes.append(plane)
            return start if plane is planes[0] else honest(plane, start, **rest)

        swap(honest, guess)(monkeypatch)

    assert_breaks("vae", "test_receipt_best", unsearched, not_in_the_first, given=few_steps)
