r"""Train an autoencoder or a VAE; measure the noise of its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.kit import data
from genbook.kit.data import coins
from genbook.kit.device import Device, seeded
from genbook.kit.training import Step, finite
from genbook.vae.bounds import iwae_bound, log_weights
from genbook.vae.checks import check_grey, check_matrix, noise_of
from genbook.vae.models import (
    VAE,
    Autoencoder,
    InferenceModel,
    bernoulli_log_prob,
    gaussian_kl,
)


@dataclass(frozen=True)
class TrainConfig:
    r"""How to train.

    Args:
        steps: minibatches.
        batch: images in a minibatch.
        lr: Adam's step size.
        samples: ``k``; 1 is the VAE with its divergence in closed form, more is the IWAE.
        beta: weight of the divergence; 1 is the ELBO.
        warm_up: steps over which the weight of the divergence grows from 0 to ``beta``.
        free_nats: divergence a unit may spend, on average over the minibatch, before it costs.
        estimator: ``"path"`` (reparameterised) or ``"score"`` gradients for the encoder.
        epsilon: Adam's ε.
        every: a :class:`~genbook.kit.training.Step` is yielded each so many minibatches.

    Raises:
        ValueError: if a number is out of range or the options exclude each other.

    Example:
        >>> TrainConfig(steps=100, beta=4.0).batch
        100
    """

    steps: int
    batch: int = 100
    lr: float = 1e-3
    samples: int = 1
    beta: float = 1.0
    warm_up: int = 0
    free_nats: float = 0.0
    estimator: str = "path"
    epsilon: float = 1e-4
    every: int = 50

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "samples", "every"):
            if getattr(self, name) < 1:
                raise ValueError(f"expected {name} ≥ 1, got {getattr(self, name)}")
        for name in ("beta", "warm_up", "free_nats"):
            if getattr(self, name) < 0:
                raise ValueError(f"expected {name} ≥ 0, got {getattr(self, name)}")
        for name in ("lr", "epsilon"):
            if not getattr(self, name) > 0:
                raise ValueError(f"expected {name} > 0, got {getattr(self, name)}")
        if self.estimator not in ("path", "score"):
            raise ValueError(f"expected estimator 'path' or 'score', got {self.estimator!r}")
        shaped = self.beta != 1 or self.warm_up or self.free_nats or self.estimator == "score"
        if self.samples > 1 and shaped:
            raise ValueError(
                "expected samples=1 with beta, warm_up, free_nats or estimator='score': "
                "the IWAE bound has no separate divergence to weigh"
            )


def kl_cost(kl: Tensor, free_nats: float = 0.0) -> Tensor:
    r"""What the divergence costs when each unit has an allowance.

    .. math:: \sum_j \max\Bigl(\lambda,\ \tfrac1N \sum_n \mathrm{KL}_{nj}\Bigr)

    Args:
        kl: divergence of each image and unit, shape ``[N, D]``.
        free_nats: the allowance :math:`\lambda` a unit; 0 gives the mean divergence.

    Returns:
        Shape ``[]``, nats.

    Source: Kingma et al., Improved variational inference with inverse autoregressive flow, 2016.

    Example:
        >>> kl_cost(torch.tensor([[0.1, 3.0]]), free_nats=0.5)
        tensor(3.5000)
    """
    check_matrix("kl", kl)
    return kl.mean(0).clamp(min=free_nats).sum()


def objective(
    model: InferenceModel, x: Tensor, config: TrainConfig, beta: float, noise: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    r"""The loss of one minibatch and its terms.

    .. math:: -\frac1N \sum_n \log p(x_n \mid z_n) + \beta \sum_j \max(\lambda, \mathrm{KL}_j)
        \qquad\text{or}\qquad -\frac1N \sum_n \mathcal L_k(x_n)

    Args:
        model: gives q(z | x) and p(x | z).
        x: binary images, shape ``[N, P]``.
        config: ``samples``, ``free_nats`` and ``estimator`` are read.
        beta: weight of the divergence at this step.
        noise: shape ``[k, N, D]``.

    Returns:
        The loss, shape ``[]``, and the detached terms by name.
    """
    q = model.encode(x)
    if config.samples > 1:
        bound = iwae_bound(log_weights(model, q, x, noise)).mean()
        return -bound, {"bound": bound.detach()}
    z, kl = q.place(noise[0]), gaussian_kl(q)
    if config.estimator == "score":
        z = z.detach()
    reconstruction = model.log_likelihood(x, z)
    loss = beta * kl_cost(kl, config.free_nats) - reconstruction.mean()
    if config.estimator == "score":
        loss = loss - (reconstruction.detach() * q.log_prob(z)).mean()
    terms = {
        "bound": (reconstruction - kl.sum(-1)).mean().detach(),
        "reconstruction": reconstruction.mean().detach(),
        "kl": kl.sum(-1).mean().detach(),
    }
    return loss, terms


def train(
    model: VAE,
    images: Tensor,
    config: TrainConfig,
    *,
    generator: torch.Generator,
    optimiser: torch.optim.Optimizer | None = None,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Step]:
    r"""Maximise the bound; every minibatch is binarised afresh.

    Args:
        model: changed in place.
        images: grey values in [0, 1], shape ``[N, P]``, on the model's device.
        config: how long and how.
        generator: source of minibatches, coins and noise, on the images' device.
        optimiser: continue with this one; Adam by default.
        autocast: context for the forward pass, such as ``Device.autocast``.

    Yields:
        Every ``config.every`` minibatches and at the end: ``bound`` (nats an image), and for
        ``samples=1`` its halves ``reconstruction`` and ``kl``.

    Raises:
        ValueError: if images are not ``[N, P]`` with values in [0, 1].
        NonFiniteLoss: if the loss stops being a number.

    Example:
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> config = TrainConfig(steps=10, batch=5, every=5)
        >>> [step.index for step in train(model, torch.rand(9, 4), config, generator=seeded(1))]
        [4, 9]
    """

    def loss(x: Tensor, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        noise = noise_of((config.samples, len(x), model.latent), generator, like=x)
        return objective(model, x, config, annealed(config, index), noise)

    return _fit(model, images, config, loss, generator, optimiser, autocast)


def train_autoencoder(
    model: Autoencoder,
    images: Tensor,
    config: TrainConfig,
    *,
    generator: torch.Generator,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> Iterator[Step]:
    r"""Minimise the reconstruction error alone, as cross-entropy summed over the pixels.

    Args:
        model: changed in place.
        images: grey values in [0, 1], shape ``[N, P]``.
        config: ``steps``, ``batch``, ``lr``, ``epsilon`` and ``every`` are read.
        generator: source of minibatches and coins.
        autocast: context for the forward pass.

    Yields:
        Every ``config.every`` minibatches and at the end: ``reconstruction``, nats an image.

    Raises:
        ValueError: if images are not ``[N, P]`` with values in [0, 1].
        NonFiniteLoss: if the loss stops being a number.
    """

    def loss(x: Tensor, index: int) -> tuple[Tensor, dict[str, Tensor]]:
        reconstruction = bernoulli_log_prob(x, model.decode(model.encode(x))).mean()
        return -reconstruction, {"reconstruction": reconstruction.detach()}

    return _fit(model, images, config, loss, generator, None, autocast)


def fit(
    model: Autoencoder | VAE, images: Tensor, config: TrainConfig, *, seed: int, device: Device
) -> Iterator[Step]:
    r"""Move a model to a device and train it there, with a seed and the device's precision.

    Args:
        model: changed in place; an autoencoder or a VAE.
        images: grey values in [0, 1], shape ``[N, P]``, on the device.
        config: how long and how.
        seed: of minibatches, coins and noise.
        device: where to train.

    Returns:
        The steps of :func:`train` or :func:`train_autoencoder`.

    Raises:
        ValueError: if images are not ``[N, P]`` with values in [0, 1].

    Example:
        >>> from genbook.kit.device import pick
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> config = TrainConfig(steps=4, batch=5, every=2)
        >>> len(list(fit(model, torch.rand(9, 4), config, seed=1, device=pick("cpu"))))
        2
    """
    source, autocast = seeded(seed, device), device.autocast
    if isinstance(model, Autoencoder):
        there = model.to(device.device)
        return train_autoencoder(there, images, config, generator=source, autocast=autocast)
    return train(model.to(device.device), images, config, generator=source, autocast=autocast)


def annealed(config: TrainConfig, index: int) -> float:
    r"""Weight of the divergence at a minibatch: a ramp to ``beta``, then flat.

    Args:
        config: ``beta`` and ``warm_up`` are read.
        index: 0 for the first minibatch.

    Returns:
        The weight.

    Source: Bowman et al., Generating sentences from a continuous space, 2016.

    Example:
        >>> [annealed(TrainConfig(steps=9, warm_up=4), index) for index in (0, 2, 4, 8)]
        [0.0, 0.5, 1.0, 1.0]
    """
    return config.beta * min(1.0, index / config.warm_up if config.warm_up else 1.0)


def _fit(
    model: nn.Module,
    images: Tensor,
    config: TrainConfig,
    loss: Callable[[Tensor, int], tuple[Tensor, dict[str, Tensor]]],
    generator: torch.Generator,
    optimiser: torch.optim.Optimizer | None,
    autocast: Callable[[], AbstractContextManager[object]],
) -> Iterator[Step]:
    check_matrix("images", images)
    check_grey(images)
    if optimiser is None:
        optimiser = torch.optim.Adam(
            model.parameters(), lr=config.lr, eps=config.epsilon, fused=True
        )
    slices = data.batches(images, min(config.batch, len(images)), generator, steps=config.steps)
    for index, grey in enumerate(slices):
        with autocast():
            value, terms = loss(coins(grey, generator), index)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        if (index + 1) % config.every == 0 or index + 1 == config.steps:
            numbers = finite(index, loss=value, **terms)
            yield Step(index, config.steps, numbers)


def encoder_noise(
    model: VAE, x: Tensor, estimator: str, *, draws: int, generator: torch.Generator
) -> float:
    r"""Total variance of an encoder's gradient over the draws of its latent noise.

    .. math:: \sum_w \mathrm{Var}_\epsilon\Bigl(\frac{\partial\,\text{loss}}{\partial w}\Bigr)

    The minibatch stays the same, so that nothing but the noise varies.

    Args:
        model: its encoder's weights are the :math:`w`.
        x: one minibatch of binary images, shape ``[N, P]``.
        estimator: ``"path"`` or ``"score"``.
        draws: how many gradients to compare, at least 2.
        generator: source of the noise.

    Returns:
        The variance, summed over the weights.

    Raises:
        ValueError: if there are fewer than two draws, or the estimator is unknown.
    """
    if draws < 2:
        raise ValueError(f"expected at least two draws to compare, got {draws}")
    config, weights = TrainConfig(steps=1, estimator=estimator), list(model.encoder.parameters())
    squares = 0.0
    means = [torch.zeros_like(weight) for weight in weights]
    for _ in range(draws):
        noise = noise_of((1, len(x), model.latent), generator, like=x)
        loss, _ = objective(model, x, config, 1.0, noise)
        for mean, slope in zip(means, torch.autograd.grad(loss, weights), strict=True):
            mean += slope / draws
            squares += float(slope.double().square().sum())
    total = sum(float(mean.double().square().sum()) for mean in means)
    return (squares - draws * total) / (draws - 1)
