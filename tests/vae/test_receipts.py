"""The receipts of the chapter `vae`, broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from genbook.kit import data, studies
from genbook.kit.device import pick, seeded
from genbook.kit.receipts import ReceiptError, check
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import models, study, training
from tests.vae.given import F64, exact_gradient, guess, linear, points, tiny


def holds(error: float | Tensor, tol: float) -> None:
    check("claim", error=error, tol=tol, label="label", test="test")


def fails(error: float | Tensor, tol: float) -> None:
    with pytest.raises(ReceiptError):
        holds(error, tol)


@torch.no_grad()
def test_receipt_codes():
    x, matrix = vae_exact.all_binary(6), torch.randn(2, 2, generator=seeded(2), dtype=F64)
    model = models.Autoencoder(6, 2, hidden=(8,), generator=seeded(0)).double()
    before = model.decode(model.encode(x))
    models.rescale(model, matrix)
    holds((model.decode(model.encode(x)) - before).abs().max(), 1e-8)
    model.encoder[-1].bias += 0.1  # the codes move, the decoder does not follow
    fails((model.decode(model.encode(x)) - before).abs().max(), 1e-8)


def test_receipt_elbo_gap():
    model, x, q = linear(5, 3), points(4, 5), guess(4, 3)
    holds((model.elbo(x, q) + model.gap(x, q) - model.log_prob(x)).abs().max(), 1e-9)
    wider = models.Gaussian(q.mean, q.log_var + 0.01)  # a gap that belongs to another q
    fails((model.elbo(x, q) + model.gap(x, wider) - model.log_prob(x)).abs().max(), 1e-9)


def test_receipt_normalised(monkeypatch):
    model, x = tiny(), vae_exact.all_binary(6)
    holds((vae_exact.quadrature_log_prob(model, x).exp().sum() - 1).abs(), 1e-12)
    honest = models.bernoulli_log_prob
    monkeypatch.setattr(models, "bernoulli_log_prob", lambda x, logits: honest(x, logits) / 6)
    fails((vae_exact.quadrature_log_prob(model, x).exp().sum() - 1).abs(), 1e-12)


def test_receipt_two_forms(monkeypatch):
    model, x = tiny(), vae_exact.all_binary(6)
    joint, split = vae_exact.elbo_forms(model, x)
    holds((joint - split).abs().max(), 1e-12)
    monkeypatch.setattr(
        vae_exact, "gaussian_kl", lambda q: 0.5 * (q.mean**2 + q.std - 1 - q.log_var)
    )
    joint, split = vae_exact.elbo_forms(model, x)
    fails((joint - split).abs().max(), 1e-12)


def kl_error(kl: Tensor, q: models.Gaussian) -> float:
    z = q.place(torch.randn(200_000, 3, generator=seeded(3), dtype=F64))
    rows = q.log_prob(z) - models.prior_log_prob(z)
    return float((rows.mean() - kl.sum()).abs() / (rows.std() / math.sqrt(len(rows))))


def test_receipt_kl():
    q = models.Gaussian(*torch.randn(2, 3, generator=seeded(2), dtype=F64))
    holds(kl_error(models.gaussian_kl(q), q), 4)
    as_std = 0.5 * (q.mean**2 + q.std - 1 - 0.5 * q.log_var)  # variance taken for its root
    fails(kl_error(as_std, q), 4)


def gradient_errors(estimator, bend: float = 0.0) -> float:
    model, x, q = linear(), points(1), guess(1)
    row = models.Gaussian(q.mean[0], q.log_var[0])
    noise = torch.randn(100_000, 2, generator=seeded(4), dtype=F64)

    def f(z: Tensor) -> Tensor:
        return model.log_likelihood(x, z[:, None])[:, 0] + models.prior_log_prob(z)

    rows = estimator(f, row, noise) + torch.tensor([0.0, 0.0, 0.5, 0.5], dtype=F64) + bend
    error = rows.std(0) / math.sqrt(len(rows))
    return float(((rows.mean(0) - exact_gradient(model, x, q)).abs() / error).max())


def test_receipt_path():
    holds(gradient_errors(vae_bounds.path_gradients), 4)
    fails(gradient_errors(vae_bounds.path_gradients, bend=0.5), 4)


def test_receipt_score():
    holds(gradient_errors(vae_bounds.score_gradients), 4)
    fails(gradient_errors(vae_bounds.score_gradients, bend=2.0), 4)


def test_receipt_variance():
    model, x = tiny(6, 2), vae_exact.all_binary(6)[:20]
    path, score = (
        training.encoder_noise(model, x, name, draws=50, generator=seeded(5))
        for name in ("path", "score")
    )
    holds(max(0.0, 10 - score / path), 0)
    fails(max(0.0, 10 - path / path), 0)


def collapsed() -> models.VAE:
    model = tiny(6, 2)
    with torch.no_grad():
        for parameter in (*model.encoder[-1].parameters(), model.decoder[0].weight):
            parameter.zero_()
    return model


@torch.no_grad()
def test_receipt_collapse():
    model, x = collapsed(), vae_exact.all_binary(6)
    noise = torch.randn(8, len(x), 2, generator=seeded(6), dtype=F64)
    bound = vae_bounds.elbo(model, x, noise[0])
    alone = models.bernoulli_log_prob(x, model.decode(torch.zeros(2, dtype=F64)))
    holds(bound.kl.abs().max(), 0)
    holds((bound.value - alone).abs().max(), 1e-12)
    model.encoder[-1].bias[0] = 0.1  # one unit stirs
    stirred = vae_bounds.elbo(model, x, noise[0])
    fails(stirred.kl.abs().max(), 0)
    fails((stirred.value - alone).abs().max(), 1e-12)


def test_receipt_doubling():
    model, x = linear(), points(1)
    noise = torch.randn(64, 1, 2, generator=seeded(7), dtype=F64)
    log_w = vae_bounds.log_weights(model, guess(1), x, noise)
    bounds = vae_bounds.doubling_bounds(log_w)
    holds((-bounds.diff(dim=0)).clamp_min(0).max(), 1e-12)
    without_mean = bounds - torch.arange(7, dtype=F64)[:, None] * math.log(2)
    fails((-without_mean.diff(dim=0)).clamp_min(0).max(), 1e-12)


def test_receipt_below():
    model, x = linear(), points(1)
    q = model.encode(x)
    q = models.Gaussian(q.mean, q.log_var + 1)
    noise = torch.randn(64, 1, 2, generator=seeded(7), dtype=F64)
    top = vae_bounds.doubling_bounds(vae_bounds.log_weights(model, q, x, noise))[2]
    holds((top - model.log_prob(x)).clamp_min(0).max(), 0)
    fails((top + math.log(4) - model.log_prob(x)).clamp_min(0).max(), 0)  # a sum, not a mean


def test_receipt_importance():
    model, x = tiny(), vae_exact.all_binary(6)[::7]
    exact = vae_exact.quadrature_log_prob(model, x, nodes=200)
    estimate = vae_bounds.importance_log_prob(model, x, samples=20_000, generator=seeded(5))
    single = vae_bounds.importance_log_prob(model, x, samples=1, generator=seeded(5))
    holds((estimate - exact).abs().max(), 0.05)
    fails((single - exact).abs().max(), 0.05)


def test_receipt_live():
    recorded = studies.load("vae_nll")
    digits = {split: data.digits(split, device="cpu").flat for split in ("train", "test")}
    live = study.probe(
        digits["train"], digits["test"], dataset="digits", seed=7, device=pick("cpu")
    )
    before = studies.spread(recorded.rows, "nll", part="probe", dataset="digits")
    holds(studies.outside(float(live["nll"]), before), 1.0)
    fails(studies.outside(float(live["nll"]) + 2.0, before), 1.0)
    fails(studies.outside(float(live["nll"]) / 64, before), 1.0)  # nats a pixel


def recorded_order(shift: float) -> float:
    rows = studies.load("vae_nll").where(part="curve", dataset="mnist", passes=13)
    final = {k: [float(row["nll"]) for row in rows if row["k"] == k] for k in (1, 5, 50)}
    final[50] = [value + shift for value in final[50]]
    pairs = ((1, 5), (5, 50))
    return max(
        b - a for left, right in pairs for a, b in zip(final[left], final[right], strict=True)
    )


def test_receipt_order():
    holds(max(0.0, recorded_order(0.0)), 0)
    fails(max(0.0, recorded_order(5.0)), 0)
