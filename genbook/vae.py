r"""From the autoencoder to the evidence lower bound.

Shapes are written with ``N`` images, ``P`` pixels, ``D`` latent units and ``k`` samples an image.
Likelihoods, bounds and divergences are in nats; a log-likelihood of an image is a **sum** over its
pixels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.kit import data
from genbook.kit.device import Device, budget, pick, seeded
from genbook.kit.studies import Study
from genbook.kit.training import Step, finite

LOG_2PI = math.log(2 * math.pi)

# --- Distributions ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Gaussian:
    r"""A diagonal Gaussian over the last axis.

    .. math:: q(z) = \mathcal N\bigl(z;\ \mu,\ \mathrm{diag}(\sigma^2)\bigr)

    Args:
        mean: :math:`\mu`, shape ``[..., D]``.
        log_var: :math:`\log \sigma^2`, shape ``[..., D]``. The logarithm keeps the variance
            positive whatever a network returns.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> q = Gaussian(torch.zeros(3), torch.zeros(3))
        >>> q.std
        tensor([1., 1., 1.])
    """

    mean: Tensor
    log_var: Tensor

    def __post_init__(self) -> None:
        if self.mean.shape != self.log_var.shape:
            raise ValueError(
                f"expected mean and log_var of one shape, got {list(self.mean.shape)} and "
                f"{list(self.log_var.shape)}"
            )

    @property
    def std(self) -> Tensor:
        r"""Standard deviation :math:`\sigma = e^{\frac12 \log \sigma^2}`, shape ``[..., D]``."""
        return torch.exp(0.5 * self.log_var)

    def place(self, noise: Tensor) -> Tensor:
        r"""Turn standard normal noise into a sample: the reparameterisation.

        .. math:: z = \mu + \sigma \odot \epsilon, \qquad \epsilon \sim \mathcal N(0, I)

        Args:
            noise: :math:`\epsilon`, shape ``[..., D]``, broadcast against the mean.

        Returns:
            ``z``, differentiable in mean and log_var.

        Source: Kingma and Welling, Auto-encoding variational Bayes, section 2.4.
        """
        _last_axis("noise", noise, self.mean.shape[-1])
        return self.mean + self.std * noise

    def log_prob(self, z: Tensor) -> Tensor:
        r"""Log-density, summed over the latent units.

        .. math:: \log q(z) = -\tfrac12 \sum_j \Bigl(\log 2\pi + \log\sigma_j^2
            + \tfrac{(z_j-\mu_j)^2}{\sigma_j^2}\Bigr)

        Args:
            z: shape ``[..., D]``.

        Returns:
            Shape ``[...]``, nats.
        """
        _last_axis("z", z, self.mean.shape[-1])
        square = (z - self.mean) ** 2 * torch.exp(-self.log_var)
        return -0.5 * (LOG_2PI + self.log_var + square).sum(-1)


def prior_log_prob(z: Tensor) -> Tensor:
    r"""Log-density of the prior :math:`p(z) = \mathcal N(0, I)`.

    Args:
        z: shape ``[..., D]``.

    Returns:
        Shape ``[...]``, nats.

    Example:
        >>> round(prior_log_prob(torch.zeros(2)).exp().item() * 2 * math.pi, 6)
        1.0
    """
    return -0.5 * (LOG_2PI + z**2).sum(-1)


def gaussian_kl(q: Gaussian) -> Tensor:
    r"""Divergence of a diagonal Gaussian from the prior, one number a latent unit.

    .. math:: \mathrm{KL}\bigl(\mathcal N(\mu_j, \sigma_j^2) \,\|\, \mathcal N(0, 1)\bigr)
        = \tfrac12\bigl(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\bigr)

    Args:
        q: mean and log-variance of shape ``[..., D]``.

    Returns:
        Shape ``[..., D]``, nats, ≥ 0; sum over the last axis for the divergence of the vector.

    Source: Kingma and Welling, Auto-encoding variational Bayes, appendix B.

    Example:
        >>> gaussian_kl(Gaussian(torch.tensor([0.0, 2.0]), torch.zeros(2)))
        tensor([0., 2.])
    """
    return 0.5 * (q.mean**2 + torch.expm1(q.log_var) - q.log_var)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    r"""Log-probability of binary pixels, summed over the image.

    .. math:: \log p(x \mid z) = \sum_i x_i \ell_i - \log(1 + e^{\ell_i})

    Args:
        x: pixels 0 or 1, shape ``[..., P]``.
        logits: :math:`\ell`, the log-odds of a white pixel, shape ``[..., P]``.

    Returns:
        Shape ``[...]`` of the two broadcast together, nats, ≤ 0.

    Raises:
        ValueError: if the numbers of pixels differ.

    Example:
        >>> bernoulli_log_prob(torch.ones(4), torch.zeros(4)).exp()
        tensor(0.0625)
    """
    _last_axis("logits", logits, x.shape[-1])
    return -functional.softplus((1 - 2 * x) * logits).sum(-1)


def binarise(images: Tensor, generator: torch.Generator) -> Tensor:
    r"""Draw every pixel as a coin whose bias is its grey value.

    Args:
        images: grey values in [0, 1], any shape.
        generator: source of the coins, on the images' device.

    Returns:
        Zeros and ones, same shape and dtype.

    Raises:
        ValueError: if a grey value lies outside [0, 1].

    Example:
        >>> binarise(torch.tensor([0.0, 1.0]), seeded(0))
        tensor([0., 1.])
    """
    _grey(images)
    return _coins(images, generator)


def _coins(images: Tensor, generator: torch.Generator) -> Tensor:
    noise = torch.rand(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return (noise < images).to(images.dtype)


# --- Models -----------------------------------------------------------------------------------


class LatentModel(Protocol):
    """What a bound needs to know of a model: how many latent units, and p(x | z)."""

    @property
    def latent(self) -> int:
        """``D``."""
        ...

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z) of shape ``[..., N]`` for x ``[N, P]`` and z ``[..., N, D]``."""
        ...


class InferenceModel(LatentModel, Protocol):
    """A latent-variable model that also guesses its own posterior."""

    def encode(self, x: Tensor) -> Gaussian:
        """The guess q(z | x), mean and log-variance ``[N, D]``."""
        ...


class Autoencoder(nn.Module):
    r"""Squeeze an image through a few numbers and redraw it: no noise, no prior.

    .. math:: z = e(x), \qquad \ell = d(z)

    Args:
        pixels: ``P``.
        latent: ``D``, the width of the bottleneck.
        hidden: widths of the hidden layers of the encoder; the decoder mirrors them.
        generator: source of the initial weights.
    """

    def __init__(
        self,
        pixels: int,
        latent: int,
        *,
        hidden: Sequence[int] = (200, 200),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.pixels, self.latent = pixels, latent
        self.encoder = network([pixels, *hidden, latent], generator)
        self.decoder = network([latent, *reversed(hidden), pixels], generator)

    def encode(self, x: Tensor) -> Tensor:
        """Codes ``[..., D]`` of images ``[..., P]``."""
        code: Tensor = self.encoder(x)
        return code.to(x.dtype)

    def decode(self, z: Tensor) -> Tensor:
        """Logits ``[..., P]`` of codes ``[..., D]``."""
        logits: Tensor = self.decoder(z)
        return logits.to(z.dtype)


@torch.no_grad()
def rescale(model: Autoencoder, matrix: Tensor) -> None:
    r"""Change the coordinates of an autoencoder's codes, and undo it in the decoder.

    .. math:: e'(x) = A\, e(x), \qquad d'(z) = d(A^{-1} z)

    Every reconstruction stays as it is; every code moves.

    Args:
        model: changed in place.
        matrix: :math:`A`, invertible, shape ``[D, D]``.

    Raises:
        ValueError: if the model is no :class:`Autoencoder` or the shapes do not fit.
    """
    if not isinstance(model, Autoencoder) or matrix.shape != (model.latent, model.latent):
        raise ValueError(
            f"expected an Autoencoder and a matrix [D, D], got {type(model).__name__} and "
            f"{list(matrix.shape)}"
        )
    weight, bias = list(model.encoder.parameters())[-2:]
    first = next(model.decoder.parameters())
    weight.copy_(matrix @ weight)
    bias.copy_(matrix @ bias)
    first.copy_(first @ torch.linalg.inv(matrix))


class VAE(nn.Module):
    r"""An encoder that answers with a distribution, and a decoder that is a generative model.

    .. math:: z \sim \mathcal N(0, I), \qquad x_i \mid z \sim \mathrm{Bernoulli}(\sigma(d(z)_i)),
        \qquad q(z \mid x) = \mathcal N\bigl(\mu(x), \mathrm{diag}\,\sigma^2(x)\bigr)

    The defaults are the one-layer network of Burda, Grosse and Salakhutdinov (Importance weighted
    autoencoders): two deterministic layers of 200 tanh units on each side.

    Args:
        pixels: ``P``.
        latent: ``D``.
        hidden: widths of the hidden layers of the encoder; the decoder mirrors them.
        generator: source of the initial weights.

    Example:
        >>> model = VAE(64, 2, hidden=(16,), generator=seeded(0))
        >>> model.encode(torch.zeros(5, 64)).mean.shape
        torch.Size([5, 2])
    """

    def __init__(
        self,
        pixels: int,
        latent: int,
        *,
        hidden: Sequence[int] = (200, 200),
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.pixels, self.latent = pixels, latent
        self.encoder = network([pixels, *hidden, 2 * latent], generator)
        self.decoder = network([latent, *reversed(hidden), pixels], generator)

    def encode(self, x: Tensor) -> Gaussian:
        """The guessed posterior q(z | x), mean and log-variance ``[..., D]``, of x ``[..., P]``."""
        mean, log_var = self.encoder(x).to(x.dtype).chunk(2, dim=-1)
        return Gaussian(mean, log_var)

    def decode(self, z: Tensor) -> Tensor:
        """Logits ``[..., P]`` of latent vectors ``[..., D]``."""
        logits: Tensor = self.decoder(z)
        return logits.to(z.dtype)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z), shape ``[..., N]``, for x ``[N, P]`` and z ``[..., N, D]``."""
        return bernoulli_log_prob(x, self.decode(z))

    def sample(self, count: int, generator: torch.Generator) -> Tensor:
        """Pixel probabilities ``[count, P]`` decoded from draws of the prior."""
        weight = next(self.parameters())
        z = torch.randn(
            count, self.latent, generator=generator, device=weight.device, dtype=weight.dtype
        )
        return torch.sigmoid(self.decode(z))


class PeekingVAE(VAE):
    r"""A VAE whose decoder also sees the pixels before the one it predicts.

    .. math:: \log p(x \mid z) = \sum_i \log p(x_i \mid x_{<i}, z), \qquad
        \ell_i = d(z)_i + u_i\bigl(x_{<i}\bigr)

    where :math:`u` is a masked network with one hidden layer: hidden unit :math:`h` may look at
    pixels up to :math:`m_h`, and pixel :math:`i` listens to units with :math:`m_h < i`. Strong
    enough to explain an image without ``z``.

    Args:
        pixels: ``P``.
        latent: ``D``.
        hidden: widths of the hidden layers of encoder and decoder.
        peek: width of the masked layer.
        generator: source of the initial weights.
    """

    look: Tensor
    speak: Tensor

    def __init__(
        self,
        pixels: int,
        latent: int,
        *,
        hidden: Sequence[int] = (200, 200),
        peek: int = 200,
        generator: torch.Generator,
    ) -> None:
        super().__init__(pixels, latent, hidden=hidden, generator=generator)
        order = torch.arange(pixels)
        reach = torch.arange(peek) * max(1, pixels - 1) // peek
        self.register_buffer("look", (order[None, :] <= reach[:, None]).float())
        self.register_buffer("speak", (reach[None, :] < order[:, None]).float())
        self.inward = _linear(pixels, peek, generator)
        self.outward = _linear(peek, pixels, generator)

    def peek(self, x: Tensor) -> Tensor:
        """What the pixels before each pixel say about it: logits ``[..., P]``."""
        seen = functional.linear(x, self.inward.weight * self.look, self.inward.bias)
        said = functional.linear(
            functional.relu(seen), self.outward.weight * self.speak, self.outward.bias
        )
        return said.to(x.dtype)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z), shape ``[..., N]``, for x ``[N, P]`` and z ``[..., N, D]``."""
        return bernoulli_log_prob(x, self.decode(z) + self.peek(x))


def network(sizes: Sequence[int], generator: torch.Generator) -> nn.Sequential:
    r"""Linear layers with tanh between them and none at the end.

    Args:
        sizes: widths, input first, output last.
        generator: source of the weights, drawn uniformly in Glorot's range; biases are zero.

    Returns:
        The network.

    Raises:
        ValueError: if fewer than two widths are given or one is below 1.

    Example:
        >>> [tuple(p.shape) for p in network([3, 5, 2], seeded(0)).parameters()]
        [(5, 3), (5,), (2, 5), (2,)]
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"expected at least two widths ≥ 1, got {list(sizes)}")
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [_linear(inputs, outputs, generator), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


def _linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


# --- Bounds on log p(x) -----------------------------------------------------------------------


@dataclass(frozen=True)
class Bound:
    r"""The two halves of an ELBO.

    .. math:: \mathcal L = \mathbb E_{q}\log p(x \mid z) - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    Args:
        reconstruction: the first term, shape ``[N]``, nats.
        kl: the second, one number a latent unit, shape ``[N, D]``, nats.
    """

    reconstruction: Tensor
    kl: Tensor

    @property
    def value(self) -> Tensor:
        """The bound, shape ``[N]``."""
        return self.reconstruction - self.kl.sum(-1)


def elbo(model: InferenceModel, x: Tensor, noise: Tensor) -> Bound:
    r"""The evidence lower bound with one sample an image and the divergence in closed form.

    .. math:: \mathcal L(x) \approx \log p(x \mid \mu + \sigma \odot \epsilon)
        - \tfrac12 \sum_j (\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2)

    Args:
        model: gives q(z | x) and p(x | z).
        x: binary images, shape ``[N, P]``.
        noise: :math:`\epsilon`, shape ``[N, D]``.

    Returns:
        Both terms; the first is an unbiased estimate, the second exact.

    Source: Kingma and Welling, Auto-encoding variational Bayes, equation 10 with L = 1.

    Example:
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> elbo(model, torch.ones(3, 4), torch.zeros(3, 2)).value.shape
        torch.Size([3])
    """
    q = model.encode(x)
    return Bound(model.log_likelihood(x, q.place(noise)), gaussian_kl(q))


def log_weights(model: LatentModel, q: Gaussian, x: Tensor, noise: Tensor) -> Tensor:
    r"""Logarithms of the importance weights of samples from q.

    .. math:: \log w_i = \log p(x \mid z_i) + \log p(z_i) - \log q(z_i \mid x)

    The mean of one log-weight is the ELBO; the logarithm of the mean weight is log p(x).

    Args:
        model: gives p(x | z).
        q: proposal, mean ``[N, D]``.
        x: images, shape ``[N, P]``.
        noise: shape ``[k, N, D]``.

    Returns:
        Shape ``[k, N]``, nats.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, equation 8.
    """
    z = q.place(noise)
    return model.log_likelihood(x, z) + prior_log_prob(z) - q.log_prob(z)


def iwae_bound(log_w: Tensor) -> Tensor:
    r"""The bound that k importance samples buy.

    .. math:: \mathcal L_k = \mathbb E \log \frac1k \sum_{i=1}^k w_i, \qquad
        \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p(x)

    Args:
        log_w: log-weights, shape ``[k, ...]``.

    Returns:
        One unbiased estimate of :math:`\mathcal L_k` an image, shape ``[...]``, nats.

    Raises:
        ValueError: if there is no sample.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, equation 8.

    Example:
        >>> iwae_bound(torch.tensor([0.0, 0.0, 0.0]))
        tensor(0.)
    """
    if log_w.ndim == 0 or log_w.shape[0] == 0:
        raise ValueError(
            f"expected log-weights of shape [k, ...] with k ≥ 1, got {list(log_w.shape)}"
        )
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[0])


def doubling_bounds(log_w: Tensor) -> Tensor:
    r"""Estimates of the bounds for k = 1, 2, 4, ..., K, all from the same weights.

    The weights are cut into groups of k; :math:`\mathcal L_k` is the mean over the groups. Two
    groups merge into one at every doubling, so by Jensen's inequality the estimates never fall,
    not even by chance.

    Args:
        log_w: log-weights, shape ``[K, ...]``, K a power of two.

    Returns:
        Shape ``[1 + log2 K, ...]``, nats.

    Raises:
        ValueError: if K is not a power of two.

    Example:
        >>> doubling_bounds(torch.log(torch.tensor([1.0, 3.0]))).exp()
        tensor([1.7321, 2.0000])
    """
    count = log_w.shape[0] if log_w.ndim else 0
    if count < 1 or count & (count - 1):
        raise ValueError(f"expected log-weights [K, ...] with K a power of two, got K = {count}")
    groups = [log_w.reshape(-1, 2**power, *log_w.shape[1:]) for power in range(count.bit_length())]
    return torch.stack([iwae_bound(group.transpose(0, 1)).mean(0) for group in groups])


@torch.no_grad()
def importance_log_prob(
    model: InferenceModel,
    x: Tensor,
    *,
    samples: int,
    generator: torch.Generator,
    rows: int = 2_000,
) -> Tensor:
    r"""Estimate log p(x) by importance sampling, a few thousand decoded rows at a time.

    .. math:: \log p(x) \approx \log \frac1k \sum_{i=1}^k w_i, \qquad z_i \sim q(z \mid x)

    A lower bound in expectation. The negative mean over a test set is the reported NLL.

    Args:
        model: gives q(z | x) and p(x | z).
        x: binary images, shape ``[N, P]``.
        samples: ``k``.
        generator: source of the noise, on the images' device.
        rows: latent vectors decoded at once; bounds the memory.

    Returns:
        Shape ``[N]``, nats.

    Raises:
        ValueError: if ``samples`` or ``rows`` is below 1, or x is not ``[N, P]``.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.

    Example:
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> importance_log_prob(model, torch.ones(3, 4), samples=10, generator=seeded(1)).shape
        torch.Size([3])
    """
    _matrix("x", x)
    if samples < 1 or rows < 1:
        raise ValueError(f"expected samples ≥ 1 and rows ≥ 1, got {samples} and {rows}")
    estimates = []
    for images in torch.split(x, max(1, rows // samples)):
        q = model.encode(images)
        total = images.new_full((len(images),), -math.inf)
        for count in _portions(samples, max(1, rows // len(images))):
            noise = _noise((count, *q.mean.shape), generator, like=q.mean)
            part = torch.logsumexp(log_weights(model, q, images, noise), dim=0)
            total = torch.logaddexp(total, part)
        estimates.append(total - math.log(samples))
    return torch.cat(estimates)


@torch.no_grad()
def activity(model: InferenceModel, x: Tensor) -> Tensor:
    r"""How much each latent unit moves with the image.

    .. math:: A_j = \mathrm{Var}_x\bigl(\mathbb E_{q(z \mid x)}[z_j]\bigr)

    A unit counts as active when :math:`A_j > 10^{-2}`.

    Args:
        model: gives q(z | x).
        x: images, shape ``[N, P]``, N ≥ 2.

    Returns:
        Shape ``[D]``.

    Raises:
        ValueError: if x is not ``[N, P]`` with N ≥ 2.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.

    Example:
        >>> activity(VAE(4, 2, hidden=(8,), generator=seeded(0)), torch.eye(4)).shape
        torch.Size([2])
    """
    _matrix("x", x)
    if len(x) < 2:
        raise ValueError("expected at least two images to compare, got one")
    return model.encode(x).mean.var(dim=0)


# --- Two ways to a gradient -------------------------------------------------------------------


def path_gradients(f: Callable[[Tensor], Tensor], q: Gaussian, noise: Tensor) -> Tensor:
    r"""Gradient of :math:`\mathbb E_q f(z)` through the sample, one estimate a row.

    .. math:: \nabla_\mu = f'(z), \qquad \nabla_{\log\sigma^2} = \tfrac12 f'(z) \odot \sigma
        \odot \epsilon, \qquad z = \mu + \sigma \odot \epsilon

    Args:
        f: maps ``[S, D]`` to ``[S]``, differentiable.
        q: mean and log-variance of shape ``[D]``.
        noise: shape ``[S, D]``.

    Returns:
        Shape ``[S, 2 D]``: derivatives in the mean, then in the log-variance.

    Source: Kingma and Welling, Auto-encoding variational Bayes, section 2.4.

    Example:
        >>> q = Gaussian(torch.zeros(1), torch.zeros(1))
        >>> path_gradients(lambda z: 3 * z.sum(-1), q, torch.ones(1, 1))
        tensor([[3.0000, 1.5000]])
    """
    z = q.place(noise).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return torch.cat([slope, 0.5 * slope * q.std * noise], dim=-1).detach()


def score_gradients(
    f: Callable[[Tensor], Tensor], q: Gaussian, noise: Tensor, *, baseline: float = 0.0
) -> Tensor:
    r"""Gradient of :math:`\mathbb E_q f(z)` from values of f alone, one estimate a row.

    .. math:: \nabla = \bigl(f(z) - b\bigr)\, \nabla \log q(z), \qquad
        \nabla_\mu \log q = \frac{\epsilon}{\sigma}, \quad
        \nabla_{\log\sigma^2} \log q = \tfrac12(\epsilon^2 - 1)

    Args:
        f: maps ``[S, D]`` to ``[S]``; need not be differentiable.
        q: mean and log-variance of shape ``[D]``.
        noise: shape ``[S, D]``.
        baseline: a constant b; it changes the variance and not the mean.

    Returns:
        Shape ``[S, 2 D]``: derivatives in the mean, then in the log-variance.

    Source: Kingma and Welling, Auto-encoding variational Bayes, section 2.2 (where its high
    variance is the reason for the other estimator).

    Example:
        >>> q = Gaussian(torch.zeros(1), torch.zeros(1))
        >>> score_gradients(lambda z: 3 * z.sum(-1), q, torch.ones(1, 1))
        tensor([[3., 0.]])
    """
    value = (f(q.place(noise)) - baseline)[:, None]
    return torch.cat([value * noise / q.std, 0.5 * value * (noise**2 - 1)], dim=-1).detach()


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
        noise = _noise((1, len(x), model.latent), generator, like=x)
        loss, _ = objective(model, x, config, 1.0, noise)
        for mean, slope in zip(means, torch.autograd.grad(loss, weights), strict=True):
            mean += slope / draws
            squares += float(slope.double().square().sum())
    total = sum(float(mean.double().square().sum()) for mean in means)
    return (squares - draws * total) / (draws - 1)


# --- Models whose log p(x) is known -----------------------------------------------------------


@dataclass(frozen=True)
class LinearGaussian:
    r"""A latent-variable model in which every quantity of this chapter has a closed form.

    .. math:: z \sim \mathcal N(0, I), \qquad x \mid z \sim \mathcal N(W z + b,\ s^2 I)

    Args:
        weight: :math:`W`, shape ``[P, D]``.
        bias: :math:`b`, shape ``[P]``.
        noise: :math:`s`, standard deviation of a pixel.

    Raises:
        ValueError: if the shapes do not fit or the noise is not positive.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 1.0)
        >>> posterior = model.posterior(torch.tensor([[2.0]]))
        >>> posterior.mean.item(), round(posterior.variance.item(), 6)
        (1.0, 0.5)
    """

    weight: Tensor
    bias: Tensor
    noise: float

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                "expected weight [P, D] and bias [P], got "
                f"{list(self.weight.shape)} and {list(self.bias.shape)}"
            )
        if not (math.isfinite(self.noise) and self.noise > 0):
            raise ValueError(f"expected a positive standard deviation, got noise={self.noise}")

    @property
    def latent(self) -> int:
        """``D``."""
        return int(self.weight.shape[1])

    @property
    def precision(self) -> Tensor:
        r"""Precision of the posterior, :math:`I + W^\top W / s^2`, shape ``[D, D]``."""
        eye = torch.eye(self.latent, dtype=self.weight.dtype, device=self.weight.device)
        return eye + self.weight.T @ self.weight / self.noise**2

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z), shape ``[..., N]``, for x ``[N, P]`` and z ``[..., N, D]``."""
        _last_axis("x", x, len(self.bias))
        square = ((x - z @ self.weight.T - self.bias) ** 2).sum(-1) / self.noise**2
        return -0.5 * square - len(self.bias) * (0.5 * LOG_2PI + math.log(self.noise))

    def log_prob(self, x: Tensor) -> Tensor:
        r"""Exact :math:`\log p(x)`, with :math:`x \sim \mathcal N(b, W W^\top + s^2 I)`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Shape ``[N]``, nats.
        """
        _last_axis("x", x, len(self.bias))
        eye = torch.eye(len(self.bias), dtype=x.dtype, device=x.device)
        covariance = self.weight @ self.weight.T + self.noise**2 * eye
        marginal = torch.distributions.MultivariateNormal(self.bias, covariance)
        log_prob: Tensor = marginal.log_prob(x)
        return log_prob

    def posterior(self, x: Tensor) -> torch.distributions.MultivariateNormal:
        r"""Exact posterior, a Gaussian with mean :math:`\Lambda^{-1} W^\top (x - b) / s^2`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Batch of N; every member has covariance :math:`\Lambda^{-1}`.
        """
        _last_axis("x", x, len(self.bias))
        projected = (x - self.bias) @ self.weight / self.noise**2
        mean = torch.linalg.solve(self.precision, projected.T).T
        return torch.distributions.MultivariateNormal(mean, precision_matrix=self.precision)

    def encode(self, x: Tensor) -> Gaussian:
        r"""The best diagonal guess: the posterior's mean, variances :math:`1/\Lambda_{jj}`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Mean and log-variance of shape ``[N, D]``.
        """
        mean = self.posterior(x).mean
        return Gaussian(mean, -self.precision.diagonal().log().expand_as(mean))

    def elbo(self, x: Tensor, q: Gaussian) -> Tensor:
        r"""Exact bound for any diagonal q: the expected reconstruction has a closed form.

        .. math:: \mathbb E_q \log p(x \mid z) = \log p(x \mid \mu)
            - \frac{1}{2 s^2} \sum_j \sigma_j^2 \lVert W_{:j} \rVert^2

        Args:
            x: shape ``[N, P]``.
            q: mean ``[N, D]``.

        Returns:
            Shape ``[N]``, nats.
        """
        wobble = (q.std**2 * (self.weight**2).sum(0)).sum(-1) / (2 * self.noise**2)
        return self.log_likelihood(x, q.mean) - wobble - gaussian_kl(q).sum(-1)

    def gap(self, x: Tensor, q: Gaussian) -> Tensor:
        r"""Exact :math:`\mathrm{KL}(q \,\|\, p(z \mid x))`, from the two covariances.

        Args:
            x: shape ``[N, P]``.
            q: mean ``[N, D]``.

        Returns:
            Shape ``[N]``, nats, ≥ 0.
        """
        guess = torch.distributions.MultivariateNormal(q.mean, torch.diag_embed(q.std**2))
        divergence: Tensor = torch.distributions.kl_divergence(guess, self.posterior(x))
        return divergence


def all_binary(pixels: int, *, dtype: torch.dtype = torch.float64) -> Tensor:
    r"""Every image of a few binary pixels.

    Args:
        pixels: ``P`` ≤ 16.
        dtype: floating dtype of the result.

    Returns:
        Shape ``[2**P, P]``.

    Raises:
        ValueError: if ``pixels`` is not between 1 and 16.

    Example:
        >>> all_binary(2).tolist()
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    if not 1 <= pixels <= 16:
        raise ValueError(f"expected 1 to 16 pixels (2**P images), got {pixels}")
    codes = torch.arange(2**pixels)[:, None]
    return (codes >> torch.arange(pixels - 1, -1, -1) & 1).to(dtype)


@torch.no_grad()
def quadrature_log_prob(model: LatentModel, x: Tensor, *, nodes: int = 64) -> Tensor:
    r"""Log p(x) by Gauss-Hermite quadrature, for a model with one or two latent units.

    .. math:: p(x) = \int \mathcal N(z; 0, I)\, p(x \mid z)\, dz \approx \sum_m v_m\, p(x \mid z_m)

    Args:
        model: gives p(x | z).
        x: images, shape ``[N, P]``.
        nodes: nodes an axis.

    Returns:
        Shape ``[N]``, nats.

    Raises:
        ValueError: if the model has more than two latent units.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 1.0)
        >>> x = torch.tensor([[2.0]])
        >>> bool((quadrature_log_prob(model, x) - model.log_prob(x)).abs() < 1e-5)
        True
    """
    if model.latent not in (1, 2):
        raise ValueError(
            f"expected a model with 1 or 2 latent units, got {model.latent}; "
            "use importance_log_prob"
        )
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    z, log_v = x.new_tensor(points)[:, None], x.new_tensor(np.log(weights) - 0.5 * LOG_2PI)
    if model.latent == 2:
        z = torch.cartesian_prod(z[:, 0], z[:, 0])
        log_v = (log_v[:, None] + log_v[None, :]).flatten()
    terms = model.log_likelihood(x, z[:, None, :].expand(-1, len(x), -1))
    return torch.logsumexp(log_v[:, None] + terms, dim=0)


@torch.no_grad()
def elbo_forms(model: InferenceModel, x: Tensor, *, nodes: int = 64) -> tuple[Tensor, Tensor]:
    r"""The ELBO as it is defined and as it is trained, without sampling.

    .. math:: \mathbb E_q\bigl[\log p(x, z) - \log q(z \mid x)\bigr]
        = \mathbb E_q \log p(x \mid z) - \mathrm{KL}(q \,\|\, p(z))

    Args:
        model: with one latent unit.
        x: images, shape ``[N, P]``.
        nodes: of the Gauss-Hermite quadrature under q.

    Returns:
        Both sides, each of shape ``[N]``, nats.

    Raises:
        ValueError: if the model has more than one latent unit.

    Example:
        >>> model = VAE(3, 1, hidden=(4,), generator=seeded(0)).double()
        >>> left, right = elbo_forms(model, all_binary(3))
        >>> bool((left - right).abs().max() < 1e-12)
        True
    """
    if model.latent != 1:
        raise ValueError(f"expected a model with one latent unit, got {model.latent}")
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    share = x.new_tensor(weights / weights.sum())[:, None]
    q = model.encode(x)
    noise = x.new_tensor(points)[:, None, None].expand(-1, *q.mean.shape)
    joint = (share * log_weights(model, q, x, noise)).sum(0)
    reconstruction = (share * model.log_likelihood(x, q.place(noise))).sum(0)
    return joint, reconstruction - gaussian_kl(q).sum(-1)


# --- Training ---------------------------------------------------------------------------------


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
    _matrix("kl", kl)
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
        noise = _noise((config.samples, len(x), model.latent), generator, like=x)
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
    _matrix("images", images)
    _grey(images)
    if optimiser is None:
        optimiser = torch.optim.Adam(
            model.parameters(), lr=config.lr, eps=config.epsilon, fused=True
        )
    slices = data.batches(images, min(config.batch, len(images)), generator, steps=config.steps)
    for index, grey in enumerate(slices):
        with autocast():
            value, terms = loss(_coins(grey, generator), index)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        if (index + 1) % config.every == 0 or index + 1 == config.steps:
            numbers = finite(index, loss=value, **terms)
            yield Step(index, config.steps, numbers)


# --- Judging ----------------------------------------------------------------------------------


def auc(inliers: Tensor, outliers: Tensor) -> float:
    r"""Probability that a random inlier scores above a random outlier; ties count half.

    .. math:: \Pr(s_{in} > s_{out}) + \tfrac12 \Pr(s_{in} = s_{out})

    1 separates perfectly, 0.5 is a coin, below 0.5 the score prefers the outliers.

    Args:
        inliers: scores, shape ``[N]``.
        outliers: scores, shape ``[M]``.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if either is empty, not a vector, or holds NaN.

    Example:
        >>> auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]))
        0.875
    """
    for name, scores in (("inliers", inliers), ("outliers", outliers)):
        if scores.ndim != 1 or len(scores) == 0 or bool(scores.isnan().any()):
            raise ValueError(f"expected {name} as a vector of numbers, got {scores!r}")
    ordered = outliers.sort().values
    below = torch.searchsorted(ordered, inliers.contiguous())
    through = torch.searchsorted(ordered, inliers.contiguous(), right=True)
    return float((below + through).double().mean() / (2 * len(outliers)))


def neighbour_accuracy(
    codes: Tensor, labels: Tensor, test_codes: Tensor, test_labels: Tensor
) -> float:
    r"""Share of test codes whose nearest training code carries the same label.

    Args:
        codes: shape ``[N, D]``.
        labels: shape ``[N]``.
        test_codes: shape ``[M, D]``.
        test_labels: shape ``[M]``.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if codes and labels differ in number.

    Example:
        >>> codes = torch.tensor([[0.0], [1.0]])
        >>> labels = torch.tensor([3, 7])
        >>> neighbour_accuracy(codes, labels, torch.tensor([[0.9]]), torch.tensor([7]))
        1.0
    """
    if len(codes) != len(labels) or len(test_codes) != len(test_labels):
        raise ValueError(
            "expected one label a code, got "
            f"{len(codes)} / {len(labels)} and {len(test_codes)} / {len(test_labels)}"
        )
    nearest = torch.cdist(test_codes, codes).argmin(-1)
    return float((labels[nearest] == test_labels).double().mean())


def impostors(images: Tensor, photos: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    r"""Images that are not digits, or not as digits should be.

    Args:
        images: digits, shape ``[N, 1, H, W]``, grey values in [0, 1].
        photos: patches of photographs of the same size, shape ``[M, 1, H, W]``.
        generator: source of the noise and of the permutations.

    Returns:
        By name, each of shape ``[·, H W]``: ``noise`` (the digits' pixels, shuffled anew for each
        image), ``photographs``, ``negatives``, ``upside down``, ``half and half`` (top of one
        digit, bottom of another) and ``blank``.

    Raises:
        ValueError: if the sizes differ.

    Example:
        >>> sorted(impostors(torch.rand(4, 1, 8, 8), torch.rand(2, 1, 8, 8), seeded(0)))
        ['blank', 'half and half', 'negatives', 'noise', 'photographs', 'upside down']
    """
    if images.ndim != 4 or images.shape[1:] != photos.shape[1:]:
        raise ValueError(
            "expected digits and photographs of one size [·, 1, H, W], got "
            f"{list(images.shape)} and {list(photos.shape)}"
        )
    flat, half = images.flatten(1), images.shape[2] // 2
    keys = torch.rand(flat.shape, generator=generator, device=generator.device)
    other = images[torch.randperm(len(images), generator=generator, device=generator.device)]
    mixed = torch.cat([images[:, :, :half], other[:, :, half:]], dim=2)
    return {
        "noise": flat.gather(1, keys.argsort(1).to(flat.device)),
        "photographs": photos.flatten(1),
        "negatives": 1 - flat,
        "upside down": images.flip(2, 3).flatten(1),
        "half and half": mixed.flatten(1),
        "blank": torch.zeros_like(flat),
    }


# --- Helpers ----------------------------------------------------------------------------------


def _noise(shape: tuple[int, ...], generator: torch.Generator, *, like: Tensor) -> Tensor:
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)


def _portions(total: int, largest: int) -> list[int]:
    full, rest = divmod(total, largest)
    return [largest] * full + ([rest] if rest else [])


def _last_axis(name: str, tensor: Tensor, size: int) -> None:
    if tensor.ndim == 0 or tensor.shape[-1] != size:
        raise ValueError(f"expected {name} of shape [..., {size}], got {list(tensor.shape)}")


def _grey(images: Tensor) -> None:
    if images.numel() == 0 or not (images.min() >= 0 and images.max() <= 1):
        found = f"{images.min():g} to {images.max():g}" if images.numel() else "no pixel"
        raise ValueError(f"expected grey values in [0, 1], got {found}; divide bytes by 255")


def _matrix(name: str, tensor: Tensor) -> None:
    if tensor.ndim != 2:
        raise ValueError(
            f"expected {name} of shape [N, ·], got {list(tensor.shape)}; flatten images with "
            ".flatten(1)"
        )


# --- The recorded study -----------------------------------------------------------------------

LONGEST = 8
"""Stages of the whole schedule of Burda, Grosse and Salakhutdinov: 3280 passes."""


@dataclass(frozen=True)
class Recipe:
    r"""Network and schedule for one data set.

    Args:
        hidden: widths of the deterministic layers.
        latent: ``D``.
        unit: passes over the training set that stage 0 takes; stage i takes 3**i times as many.
        batch: images in a minibatch.
    """

    hidden: tuple[int, ...]
    latent: int
    unit: int
    batch: int = 20

    def passes(self, index: int) -> int:
        r"""Passes over the data in a stage: :math:`3^i` units.

        Args:
            index: ``i``, 0 to 7.

        Returns:
            How many.

        Raises:
            ValueError: if there is no such stage.

        Example:
            >>> sum(RECIPES["mnist"].passes(index) for index in range(LONGEST))
            3280
        """
        if not 0 <= index < LONGEST:
            raise ValueError(f"expected a stage from 0 to {LONGEST - 1}, got {index}")
        return int(self.unit * 3**index)

    def config(self, index: int, images: int, samples: int) -> TrainConfig:
        r"""The settings of a stage: step size :math:`10^{-3 - i/7}`.

        Args:
            index: ``i``, 0 to 7.
            images: how many there are to train on.
            samples: ``k``.

        Returns:
            Settings for :func:`train`.

        Raises:
            ValueError: if there is no such stage.

        Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.
        """
        steps = max(1, self.passes(index) * images // self.batch)
        lr = 1e-3 * 10 ** (-index / 7)
        return TrainConfig(steps=steps, batch=self.batch, lr=lr, samples=samples, every=500)


RECIPES = {
    "mnist": Recipe(hidden=(200, 200), latent=50, unit=1),
    "digits": Recipe(hidden=(100, 100), latent=20, unit=20),
}
"""The paper's network for MNIST; a smaller one, trained for more passes, for the 8×8 digits."""


def build(dataset: str, seed: int, device: Device | None = None) -> tuple[VAE, torch.Generator]:
    r"""The study's model for a data set, and the generator that will train it.

    Args:
        dataset: ``"mnist"`` or ``"digits"``.
        seed: of the weights, and of everything random in the training.
        device: where to put both; as :func:`genbook.kit.device.pick` chooses by default.

    Returns:
        Model and generator.

    Raises:
        ValueError: if there is no recipe for the data set.

    Example:
        >>> build("digits", 0, pick("cpu"))[0].latent
        20
    """
    if dataset not in RECIPES:
        raise ValueError(f"expected a data set of {sorted(RECIPES)}, got {dataset!r}")
    recipe, where = RECIPES[dataset], pick(device)
    pixels = {"mnist": 784, "digits": 64}[dataset]
    model = VAE(pixels, recipe.latent, hidden=recipe.hidden, generator=seeded(seed))
    return model.to(where.device), seeded(seed + 1_000, where)


@dataclass(frozen=True)
class Judge:
    r"""How a trained model is judged: one bound on all test images, a tighter one on a few.

    .. math:: -\log p(x) \lesssim -\overline{\mathcal L_k}
        - \overline{(\mathcal L_K - \mathcal L_k)}

    The second mean runs over few images only; it needs no more, because both bounds are taken on
    the same images and their difference varies little.

    Args:
        samples: ``k``, spent on every test image.
        tight: ``K``, spent on the first ``few`` test images.
        few: how many those are; 0 leaves the second mean out.
    """

    samples: int = 100
    tight: int = 5_000
    few: int = 0

    def __call__(self, model: InferenceModel, x: Tensor) -> dict[str, float | int]:
        r"""The scores of a model.

        Args:
            model: gives q(z | x) and p(x | z).
            x: binary test images, shape ``[N, P]``.

        Returns:
            ``nll`` (as above), ``nll_k`` (:math:`-\mathcal L_k` alone), both in nats an image, and
            the number of ``active`` units.

        Example:
            >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
            >>> sorted(Judge(samples=5)(model, torch.eye(4)))
            ['active', 'nll', 'nll_k']
        """

        def bound(images: Tensor, samples: int, seed: int) -> Tensor:
            source = seeded(seed, x.device)
            return importance_log_prob(model, images, samples=samples, generator=source).double()

        loose = bound(x, self.samples, 1)
        few = x[: self.few]
        gain = float((bound(few, self.tight, 2) - loose[: len(few)]).mean()) if len(few) else 0.0
        nll_k = -float(loose.mean())
        active = int((activity(model, x) > 1e-2).sum())
        return {"nll": nll_k - gain, "nll_k": nll_k, "active": active}


def learning_curve(
    train_images: Tensor,
    test_images: Tensor,
    *,
    dataset: str,
    samples: int,
    seed: int,
    stages: int,
    judge: Judge,
    device: Device,
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
) -> Iterator[dict[str, float | int | str]]:
    r"""Train stage by stage on the schedule of the recipe, and judge the model after each.

    Args:
        train_images: grey values, shape ``[N, P]``.
        test_images: grey values, shape ``[M, P]``, binarised once, with a seed of their own.
        dataset: key of :data:`RECIPES`.
        samples: ``k`` of the objective; 1 is the VAE.
        seed: of the run.
        stages: how many stages to train.
        judge: how to judge.
        device: where the images are.
        autocast: context of the forward pass in training, ``device.autocast`` by default; judging
            is done in full precision.

    Yields:
        One flat row a stage: ``objective``, ``k``, ``seed``, ``passes``, ``nll``, ``active``, ...

    Raises:
        ValueError: if there is no recipe for the data set or no such stage.
    """
    model, generator = build(dataset, seed, device)
    recipe, passes, seconds = RECIPES[dataset], 0, 0.0
    optimiser = torch.optim.Adam(model.parameters(), eps=1e-4, fused=True)
    x = binarise(test_images, seeded(0, device))
    for index in range(stages):
        config = recipe.config(index, len(train_images), samples)
        optimiser.param_groups[0]["lr"] = config.lr
        start = time.perf_counter()
        *_, last = train(
            model,
            train_images,
            config,
            generator=generator,
            optimiser=optimiser,
            autocast=autocast or device.autocast,
        )
        passes, seconds = passes + recipe.passes(index), seconds + time.perf_counter() - start
        yield {
            "dataset": dataset,
            "objective": "VAE" if samples == 1 else "IWAE",
            "k": samples,
            "seed": seed,
            "passes": passes,
            "train_bound": last.terms["bound"],
            **judge(model, x),
            "train_seconds": round(seconds, 1),
        }


def probe(
    train_images: Tensor, test_images: Tensor, *, dataset: str, seed: int, device: Device
) -> dict[str, float | int | str]:
    r"""The short run that a chapter repeats live: stage 0 of the VAE, judged on few images.

    Args:
        train_images: grey values, shape ``[N, P]``.
        test_images: grey values, shape ``[M, P]``; the first thousand are judged.
        dataset: key of :data:`RECIPES`.
        seed: of the run.
        device: where the images are.

    Returns:
        One row, as :func:`learning_curve` yields.

    Raises:
        ValueError: if there is no recipe for the data set.
    """
    rows = learning_curve(
        train_images,
        test_images[:1_000],
        dataset=dataset,
        samples=1,
        seed=seed,
        stages=1,
        judge=Judge(samples=100),
        device=device,
    )
    return next(rows)


@dataclass(frozen=True)
class NllConfig:
    r"""Settings of the recorded study: objectives, data sets and how far each is trained.

    Args:
        datasets: keys of :data:`RECIPES`.
        samples: ``k`` of the objectives; 1 is the VAE.
        stages: stages of the schedule on MNIST; 3 are 13 passes, 8 are the paper's 3280.
        longer: seed 0 gets one more stage on MNIST for these ``k``.
        digit_stages: stages on the 8×8 digits.
        probes: short runs a seed, as :func:`probe` does and a chapter repeats.
        judge: how the curves are judged.
    """

    datasets: tuple[str, ...] = ("digits", "mnist")
    samples: tuple[int, ...] = (1, 5, 50)
    stages: int = 3
    longer: tuple[int, ...] = (1, 5)
    digit_stages: int = 2
    probes: int = 2
    judge: Judge = Judge(samples=50, tight=5_000, few=100)

    def depth(self, dataset: str, k: int, seed: int) -> int:
        r"""How many stages one learning curve gets.

        Args:
            dataset: ``"mnist"`` or ``"digits"``.
            k: of the objective.
            seed: of the run.

        Returns:
            1 to 8.

        Example:
            >>> NllConfig().depth("mnist", 1, seed=0), NllConfig().depth("mnist", 50, seed=0)
            (4, 3)
        """
        if dataset == "digits":
            return self.digit_stages
        return min(LONGEST, self.stages + (seed == 0 and k in self.longer))


SLICE = NllConfig(
    datasets=("digits",),
    samples=(1, 5),
    digit_stages=1,
    probes=1,
    judge=Judge(samples=20, tight=100, few=10),
)
"""A small piece of the study, on the bundled digits only; seconds."""

SEEDS = (0, 1, 2)
PROBE_SEED = 100
"""Seeds of the probes begin here, so that no probe shares a seed with a learning curve."""


def nll_rows(
    config: NllConfig, seed: int, device: Device
) -> Iterator[dict[str, float | int | str]]:
    r"""All rows of one seed: on each data set the probes, then the learning curves.

    The forward pass of the curves runs in bfloat16, whatever the objective; probes run as a
    chapter does. Everything is judged in full precision.

    Args:
        config: what to train.
        seed: 0, 1, ...
        device: where.

    Yields:
        Flat rows; ``part`` is ``"probe"`` or ``"curve"``.

    Raises:
        ValueError: if MNIST is asked for and not there.
    """

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast(device.type, torch.bfloat16)

    for dataset in config.datasets:
        load = {"mnist": data.mnist, "digits": data.digits}[dataset]
        train_set, test_set = load("train", device=device), load("test", device=device)
        if train_set.name != dataset:
            raise ValueError(f"expected {dataset} for the study: {train_set.notice}")
        images = {"train_images": train_set.flat, "test_images": test_set.flat}
        for number in range(config.probes):
            row = probe(
                **images,
                dataset=dataset,
                seed=PROBE_SEED + config.probes * seed + number,
                device=device,
            )
            yield {"part": "probe", **row}
        for k in config.samples:
            curve = learning_curve(
                **images,
                dataset=dataset,
                samples=k,
                seed=seed,
                stages=config.depth(dataset, k, seed),
                judge=config.judge,
                device=device,
                autocast=autocast,
            )
            for row in curve:
                yield {"part": "curve", **row}


def record_nll(slice: bool, seed: int) -> Iterator[dict[str, float | int | str]]:
    r"""The study ``vae_nll``, one seed of it.

    A GPU, or ``GENBOOK_PROFILE=full``, goes through all eight stages of the paper's schedule.

    Args:
        slice: only :data:`SLICE`.
        seed: one of :data:`SEEDS`.

    Yields:
        Rows of :func:`nll_rows`.
    """
    stages = budget(cpu=NllConfig.stages, gpu=LONGEST)
    yield from nll_rows(SLICE if slice else replace(NllConfig(), stages=stages), seed, pick())


STUDIES = (
    Study(
        name="vae_nll",
        topic="vae",
        run=record_nll,
        seeds=SEEDS,
        config={
            "network": "MNIST 784-200-200-50, digits 64-100-100-20, tanh, one stochastic layer",
            "schedule": "3^i passes at step size 10^(-3 - i/7), batch 20, Adam with epsilon 1e-4",
            "training": "binarised afresh each minibatch, forward pass in bfloat16",
            "nll": "L_50 on all test images + mean of L_5000 - L_50 on the first 100",
            "probe": "VAE, stage 0, full precision; L_100 on at most 1000 test images",
        },
    ),
)
