r"""Densities to compare: Gaussians, mixtures, their moments on a grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal


def check_grid(x: Tensor) -> None:
    r"""Refuse what is no increasing grid.

    Args:
        x: shape ``[n]``.

    Raises:
        ValueError: if it has fewer than two points, another shape, or does not increase.
    """
    if x.ndim != 1 or len(x) < 2 or not bool((x.diff() > 0).all()):
        raise ValueError(
            f"expected an increasing grid of shape [n] with n ≥ 2, got shape {list(x.shape)}; "
            "torch.linspace(low, high, n) makes one"
        )


def gaussian_kl(mu_1: Tensor, sigma_1: Tensor, mu_2: Tensor, sigma_2: Tensor) -> Tensor:
    r"""KL of two univariate Gaussians, in closed form.

    .. math::
        \mathrm{KL}(\mathcal N_1\|\mathcal N_2)
        = \log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2+(\mu_1-\mu_2)^2}{2\sigma_2^2}-\frac12

    Args:
        mu_1: mean of the first, shape ``[...]``.
        sigma_1: standard deviation of the first, > 0.
        mu_2: mean of the second.
        sigma_2: standard deviation of the second, > 0.

    Returns:
        Shape ``[...]``, nats.

    Raises:
        ValueError: if a standard deviation is not positive.

    Example:
        >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
        >>> gaussian_kl(zero, one, one, one).item()
        0.5
    """
    for name, sigma in (("sigma_1", sigma_1), ("sigma_2", sigma_2)):
        if not bool((sigma > 0).all()):
            raise ValueError(f"expected {name} > 0, got a minimum of {sigma.min().item():g}")
    ratio = (sigma_1 / sigma_2) ** 2
    return 0.5 * (ratio - 1 - ratio.log() + ((mu_1 - mu_2) / sigma_2) ** 2)


def mixture(weights: Tensor, means: Tensor, sigmas: Tensor) -> MixtureSameFamily:
    r"""A univariate mixture of Gaussians.

    .. math:: p(x) = \sum_k w_k\,\mathcal N(x;\mu_k,\sigma_k^2)

    Args:
        weights: shape ``[k]``, positive; normalised here.
        means: shape ``[k]``.
        sigmas: shape ``[k]``, positive.

    Returns:
        The distribution.

    Raises:
        ValueError: if the shapes differ or a weight or a width is not positive.

    Example:
        >>> mixture(torch.ones(2), torch.tensor([-1.0, 1.0]), torch.ones(2)).mean.item()
        0.0
    """
    if not (weights.shape == means.shape == sigmas.shape and weights.ndim == 1):
        raise ValueError(
            "expected weights, means and sigmas of one shape [k], got "
            f"{list(weights.shape)}, {list(means.shape)}, {list(sigmas.shape)}"
        )
    if not bool((weights > 0).all() and (sigmas > 0).all()):
        raise ValueError(f"expected positive weights and sigmas, got {weights} and {sigmas}")
    return MixtureSameFamily(Categorical(probs=weights), Normal(means, sigmas))


FGAN_WEIGHTS, FGAN_MEANS, FGAN_SIGMAS = (0.33, 0.67), (-1.0, 2.0), (0.255, 1.415)
"""The two Gaussians of :func:`fgan_mixture`."""


def fgan_mixture(dtype: torch.dtype = torch.float64) -> MixtureSameFamily:
    r"""The mixture of the f-GAN paper's univariate experiment, reconstructed from its table.

    .. math:: p = 0.33\,\mathcal N(-1, 0.255^2) + 0.67\,\mathcal N(2, 1.415^2)

    The paper plots p but does not print it. Its five parameters were found by least squares on
    the 15 published optima; :func:`fit_gaussian` reproduces them all within 5e-4.

    Args:
        dtype: type of the parameters.

    Returns:
        The distribution.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, section 2.5 (reconstructed).

    Example:
        >>> round(fgan_mixture().mean.item(), 4)
        1.01
    """
    return mixture(
        *(torch.tensor(numbers, dtype=dtype) for numbers in (FGAN_WEIGHTS, FGAN_MEANS, FGAN_SIGMAS))
    )


def moments(log_p: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean and standard deviation of a density on a grid.

    .. math:: \mu=\int x\,p, \qquad \sigma^2 = \int (x-\mu)^2 p

    Args:
        log_p: log-density at ``x``, shape ``[..., n]``.
        x: increasing grid, shape ``[n]``.

    Returns:
        Two tensors of shape ``[...]``.

    Raises:
        ValueError: if the grid does not increase.

    Example:
        >>> x = torch.linspace(-10, 10, 1001, dtype=torch.float64)
        >>> mu, sigma = moments(Normal(1.0, 2.0).log_prob(x), x)
        >>> round(mu.item(), 2), round(sigma.item(), 2)
        (1.0, 2.0)
    """
    check_grid(x)
    density = log_p.exp()
    density = density / torch.trapezoid(density, x, dim=-1)[..., None]
    mu = torch.trapezoid(density * x, x, dim=-1)
    variance = torch.trapezoid(density * (x - mu[..., None]) ** 2, x, dim=-1)
    return mu, variance.sqrt()


def gaussian_log_density(x: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    r"""Log-density of a Gaussian.

    .. math:: \log q(x) = -\tfrac12\left(\frac{x-\mu}{\sigma}\right)^2-\log\sigma-\tfrac12\log2\pi

    Args:
        x: points, shape ``[...]``.
        mu: mean, broadcastable to ``[...]``.
        sigma: standard deviation, > 0, broadcastable to ``[...]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if a standard deviation is not positive.

    Example:
        >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
        >>> round(gaussian_log_density(zero, zero, one).item(), 4)
        -0.9189
    """
    if not bool((sigma > 0).all()):
        raise ValueError(f"expected sigma > 0, got a minimum of {sigma.min().item():g}")
    return -0.5 * ((x - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)


def grid(low: float, high: float, points: int) -> Tensor:
    r"""An even grid in double precision.

    Args:
        low: first point.
        high: last point.
        points: how many.

    Returns:
        Shape ``[points]``.
    """
    return torch.linspace(low, high, points, dtype=torch.float64)
