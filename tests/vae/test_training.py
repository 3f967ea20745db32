"""Laws of `genbook.vae.training`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.training import NonFiniteLoss
from genbook.vae import exact as vae_exact
from genbook.vae import models, training
from tests.vae.given import F64, tiny


def test_encoder_noise_is_the_variance_of_the_gradient():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:5]
    total = training.encoder_noise(model, x, "path", draws=30, generator=seeded(8))
    source, rows = seeded(8), []
    for _ in range(30):
        noise = torch.randn(1, 5, 2, generator=source, dtype=F64)
        loss, _ = training.objective(model, x, training.TrainConfig(steps=1), 1.0, noise)
        slopes = torch.autograd.grad(loss, list(model.encoder.parameters()))
        rows.append(torch.cat([slope.flatten() for slope in slopes]))
    assert total == pytest.approx(float(torch.stack(rows).var(0).sum()))
    assert training.encoder_noise(model, x, "score", draws=30, generator=seeded(8)) > total


def test_both_estimators_of_the_training_loss_agree_on_average():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:1].expand(60_000, 6)
    noise = torch.randn(1, len(x), 2, generator=seeded(6), dtype=F64)
    gradients = []
    for estimator in ("path", "score"):
        config = training.TrainConfig(steps=1, estimator=estimator)
        loss, _ = training.objective(model, x, config, 1.0, noise)
        gradients.append(torch.autograd.grad(loss, model.encoder[-1].bias)[0])
    torch.testing.assert_close(*gradients, atol=0.05, rtol=0)


def test_training_raises_the_bound_and_is_repeatable():
    images = data.digits("train", device="cpu").flat
    runs = []
    for _ in range(2):
        model = models.VAE(64, 2, hidden=(32,), generator=seeded(0))
        config = training.TrainConfig(steps=60, lr=5e-3, every=20)
        runs.append(list(training.train(model, images, config, generator=seeded(1))))
    assert runs[0] == runs[1]
    assert [step.index for step in runs[0]] == [19, 39, 59]
    assert runs[0][-1].terms["bound"] > runs[0][0].terms["bound"]
    terms = runs[0][-1].terms
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - terms["kl"], abs=1e-4)


@pytest.mark.parametrize(
    "options", [{"samples": 3}, {"warm_up": 5}, {"free_nats": 0.5}, {"estimator": "score"}]
)
def test_every_option_trains(options):
    model = models.VAE(9, 2, hidden=(8,), generator=seeded(0))
    config = training.TrainConfig(steps=8, batch=4, every=4, **options)
    images = torch.rand(20, 9, generator=seeded(2))
    assert len(list(training.train(model, images, config, generator=seeded(1)))) == 2


def test_a_strong_divergence_collapses_the_posterior_and_a_weak_one_does_not():
    images = data.digits("train", device="cpu").flat
    spent = []
    for beta in (20.0, 0.2):
        model = models.VAE(64, 4, hidden=(32,), generator=seeded(0))
        config = training.TrainConfig(steps=300, lr=5e-3, beta=beta)
        *_, last = training.train(model, images, config, generator=seeded(1))
        spent.append(last.terms["kl"])
    assert spent[0] < 0.05 < 3 < spent[1]


def test_free_nats_cost_nothing_until_they_are_spent():
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]])
    torch.testing.assert_close(training.kl_cost(kl), kl.sum(1).mean())
    torch.testing.assert_close(training.kl_cost(kl, 0.5), torch.tensor(3.5))
    leaf = kl.clone().requires_grad_()
    (slope,) = torch.autograd.grad(training.kl_cost(leaf, 0.5), leaf)
    assert torch.equal(slope, torch.tensor([[0.0, 0.5], [0.0, 0.5]]))


def test_the_autoencoder_learns_to_redraw():
    images = data.digits("train", device="cpu").flat
    model = models.Autoencoder(64, 2, hidden=(32,), generator=seeded(0))
    config = training.TrainConfig(steps=60, lr=5e-3, every=20)
    first, *_, last = training.train_autoencoder(model, images, config, generator=seeded(1))
    assert last.terms["reconstruction"] > first.terms["reconstruction"]


def test_a_loss_that_is_no_number_is_named():
    model = models.VAE(9, 2, hidden=(4,), generator=seeded(0))
    with torch.no_grad():
        model.decoder[-1].bias[0] = math.nan
    config = training.TrainConfig(steps=2, batch=4, every=1)
    with pytest.raises(NonFiniteLoss, match="loss"):
        list(training.train(model, torch.rand(8, 9), config, generator=seeded(1)))


@pytest.mark.parametrize("kind", ["autoencoder", "path", "score"])
def test_a_forward_pass_in_bfloat16_keeps_the_losses_near_those_of_single_precision(kind):
    from functools import partial

    from genbook.kit.device import seeded
    from genbook.vae import models, training

    def losses(autocast):
        images, width = torch.rand(64, 16, generator=seeded(0)), {"hidden": (16,)}
        options = {"generator": seeded(2), "autocast": autocast}
        if kind == "autoencoder":
            model = models.Autoencoder(16, 2, **width, generator=seeded(1))
            loop = training.train_autoencoder(
                model, images, training.TrainConfig(steps=5), **options
            )
        else:
            model = models.VAE(16, 2, **width, generator=seeded(1))
            config = training.TrainConfig(steps=5, estimator=kind)
            loop = training.train(model, images, config, **options)
        return torch.tensor([list(step.terms.values()) for step in loop])

    exact = losses(partial(torch.autocast, "cpu", enabled=False))
    coarse = losses(partial(torch.autocast, "cpu", dtype=torch.bfloat16))
    assert coarse.isfinite().all()
    assert not torch.equal(coarse, exact)
    torch.testing.assert_close(coarse, exact, rtol=0.03, atol=0.03)
