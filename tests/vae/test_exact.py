"""Laws of `genbook.vae.exact`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import models, scores, study, training
from tests.vae.given import F64, guess, linear, points, tiny


def test_a_peeking_decoder_still_defines_a_distribution():
    model = models.PeekingVAE(6, 2, hidden=(4,), peek=16, generator=seeded(0)).double()
    x = vae_exact.all_binary(6)
    z = torch.randn(2, generator=seeded(1), dtype=F64).expand(len(x), 2)
    torch.testing.assert_close(model.log_likelihood(x, z).exp().sum().item(), 1.0)


def test_log_prob_agrees_with_quadrature():
    for latent in (1, 2):
        model, x = linear(2, latent, seed=3), points(4, 2)
        torch.testing.assert_close(
            vae_exact.quadrature_log_prob(model, x, nodes=100), model.log_prob(x)
        )


def test_with_one_latent_unit_the_diagonal_guess_is_the_posterior():
    model, x = linear(3, 1), points()
    torch.testing.assert_close(model.elbo(x, model.encode(x)), model.log_prob(x))


def test_both_forms_of_the_elbo_lie_below_log_prob():
    model, x = tiny(), vae_exact.all_binary(6)
    joint, split = vae_exact.elbo_forms(model, x, nodes=100)
    torch.testing.assert_close(joint, split)
    assert (joint <= vae_exact.quadrature_log_prob(model, x, nodes=100)).all()


def test_importance_sampling_finds_the_exact_log_prob():
    model, x = tiny(), vae_exact.all_binary(6)[::7]
    exact = vae_exact.quadrature_log_prob(model, x, nodes=200)
    estimate = vae_bounds.importance_log_prob(
        model, x, samples=20_000, generator=seeded(5), rows=7_000
    )
    torch.testing.assert_close(estimate, exact, atol=0.05, rtol=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: models.Gaussian(torch.zeros(2), torch.zeros(3)), "one shape"),
        (lambda: guess().place(torch.zeros(4, 3)), "noise"),
        (lambda: guess().log_prob(torch.zeros(4, 3)), "expected z"),
        (lambda: models.bernoulli_log_prob(torch.zeros(3), torch.zeros(2)), "logits"),
        (lambda: models.network([3], seeded(0)), "two widths"),
        (lambda: models.rescale(torch.nn.Linear(1, 1), torch.eye(2)), "Autoencoder"),
        (lambda: vae_bounds.iwae_bound(torch.zeros(0, 3)), "k ≥ 1"),
        (lambda: vae_bounds.doubling_bounds(torch.zeros(3)), "power of two"),
        (lambda: vae_bounds.activity(tiny(), vae_exact.all_binary(6)[:1]), "two images"),
        (lambda: vae_bounds.activity(tiny(), vae_exact.all_binary(6)[0]), "flatten"),
        (lambda: vae_exact.LinearGaussian(torch.eye(2), torch.zeros(3), 1.0), "bias"),
        (lambda: vae_exact.LinearGaussian(torch.eye(2), torch.zeros(2), 0.0), "positive"),
        (lambda: linear().log_prob(torch.zeros(1, 2)), "expected x"),
        (lambda: vae_exact.all_binary(17), "1 to 16"),
        (
            lambda: vae_exact.quadrature_log_prob(tiny(6, 3), vae_exact.all_binary(6)),
            "1 or 2 latent",
        ),
        (lambda: vae_exact.elbo_forms(tiny(6, 2), vae_exact.all_binary(6)), "one latent unit"),
        (lambda: training.TrainConfig(steps=0), "steps ≥ 1"),
        (lambda: training.TrainConfig(steps=1, beta=-1), "beta ≥ 0"),
        (lambda: training.TrainConfig(steps=1, lr=0), "lr > 0"),
        (lambda: training.TrainConfig(steps=1, estimator="guess"), "estimator"),
        (lambda: training.TrainConfig(steps=1, samples=2, beta=2), "samples=1"),
        (lambda: training.kl_cost(torch.zeros(2)), "expected kl"),
        (
            lambda: training.encoder_noise(
                tiny(), vae_exact.all_binary(6), "path", draws=1, generator=seeded(0)
            ),
            "two draws",
        ),
        (lambda: study.build("fashion", 0), "data set"),
        (lambda: study.RECIPES["mnist"].passes(8), "stage"),
        (
            lambda: scores.neighbour_accuracy(*(torch.zeros(n, 1) for n in (2, 1, 1, 1))),
            "one label a code",
        ),
        (
            lambda: vae_bounds.importance_log_prob(
                tiny(), vae_exact.all_binary(6), samples=0, generator=seeded(0)
            ),
            "samples ≥ 1",
        ),
        (
            lambda: list(
                training.train(
                    tiny(),
                    torch.full((4, 6), 255.0),
                    training.TrainConfig(steps=1),
                    generator=seeded(0),
                )
            ),
            "divide bytes",
        ),
    ],
)
def test_bad_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
