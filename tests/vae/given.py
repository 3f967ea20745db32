"""What several test modules of `vae` are given."""

from __future__ import annotations

import torch
from hypothesis import settings
from torch import Tensor

from genbook.kit.device import seeded
from genbook.vae import exact as vae_exact
from genbook.vae import models

F64 = torch.float64


quick = settings(max_examples=25, deadline=None)


def tiny(pixels: int = 6, latent: int = 1, seed: int = 0) -> models.VAE:
    model = models.VAE(pixels, latent, hidden=(8,), generator=seeded(seed)).double()
    with torch.no_grad():
        for parameter in model.decoder.parameters():
            parameter.mul_(2)
    return model


def linear(pixels: int = 3, latent: int = 2, seed: int = 0, noise: float = 0.7):
    source = seeded(seed)
    weight = torch.randn(pixels, latent, generator=source, dtype=F64)
    bias = torch.randn(pixels, generator=source, dtype=F64)
    return vae_exact.LinearGaussian(weight, bias, noise)


def guess(count: int = 4, latent: int = 2, seed: int = 1) -> models.Gaussian:
    source = seeded(seed)
    return models.Gaussian(
        torch.randn(count, latent, generator=source, dtype=F64),
        torch.randn(count, latent, generator=source, dtype=F64),
    )


def points(count: int = 4, pixels: int = 3, seed: int = 2) -> Tensor:
    return torch.randn(count, pixels, generator=seeded(seed), dtype=F64)


def exact_gradient(model, x, q):
    mean, log_var = q.mean.clone().requires_grad_(), q.log_var.clone().requires_grad_()
    bound = model.elbo(x, models.Gaussian(mean, log_var)).sum()
    return torch.cat(torch.autograd.grad(bound, (mean, log_var)), dim=-1)[0]
