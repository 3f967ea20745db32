r"""From the autoencoder to the evidence lower bound: densities and models.

Shapes are written with ``N`` images, ``P`` pixels, ``D`` latent units and ``k`` samples an image.
Likelihoods, bounds and divergences are in nats; a log-likelihood of an image is a **sum** over its
pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from genbook.vae.checks import check_last_axis

LOG_2PI = math.log(2 * math.pi)


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
        check_last_axis("noise", noise, self.mean.shape[-1])
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
        check_last_axis("z", z, self.mean.shape[-1])
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
    check_last_axis("logits", logits, x.shape[-1])
    return -functional.softplus((1 - 2 * x) * logits).sum(-1)


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
        >>> from genbook.kit.device import seeded
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
        device = generator.device
        order = torch.arange(pixels, device=device)
        reach = torch.arange(peek, device=device) * max(1, pixels - 1) // peek
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
        >>> from genbook.kit.device import seeded
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
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs, device=generator.device)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
