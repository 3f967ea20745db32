r"""Divergences and likelihoods estimated from samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Distribution

from genbook.divergences.measures import Divergence


@dataclass(frozen=True)
class Estimate:
    r"""A Monte Carlo mean with its standard error.

    Args:
        value: the mean.
        standard_error: its standard error; same unit.
    """

    value: float
    standard_error: float


def from_samples(
    divergence: Divergence,
    p: Distribution,
    q: Distribution,
    count: int,
    generator: torch.Generator,
) -> Estimate:
    r"""A divergence estimated from samples of the mixture m = (p + q)/2.

    .. math:: D(p\|q) = \mathbb E_{x\sim m}\left[\frac{\pi(p(x),q(x))}{m(x)}\right]

    Sampling from m visits every place where either density has mass, so the weight never divides
    by a density that was not sampled. Half of the samples come from p and half from q, no more and
    no less, so only the spread *within* each half is left in the error:

    .. math:: \mathrm{SE}^2 = \tfrac14\Big(\frac{s_p^2}{n/2}+\frac{s_q^2}{n/2}\Big)

    Args:
        divergence: which one.
        p: has ``sample`` and ``log_prob``.
        q: has ``sample`` and ``log_prob``, over the same space.
        count: number of samples, ≥ 4, an even number; half from each.
        generator: source of randomness.

    Returns:
        The mean and its standard error.

    Raises:
        ValueError: if the count is odd or below four.

    Example:
        >>> from genbook.divergences.measures import KL
        >>> from torch.distributions import Normal
        >>> generator = torch.Generator().manual_seed(0)
        >>> estimate = from_samples(KL, Normal(0.0, 1.0), Normal(0.0, 1.0), 10, generator)
        >>> estimate.value
        0.0
    """
    if count < 4 or count % 2:
        raise ValueError(
            f"expected an even number of samples, at least 4, got {count}: half come from p and "
            "half from q, and a standard error needs two of each"
        )
    half = count // 2
    x = torch.cat([draw(p, half, generator), draw(q, half, generator)])
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    weighted = (divergence.penalty(log_p, log_q) / log_m.exp()).double()
    spreads = torch.stack([part.std() for part in weighted.split(half)])
    return Estimate(weighted.mean().item(), (spreads.norm() / (2 * math.sqrt(half))).item())


def draw(distribution: Distribution, count: int, generator: torch.Generator) -> Tensor:
    r"""Sample a :class:`torch.distributions.Distribution` from a generator of one's own.

    Args:
        distribution: any distribution of batch shape ``[*b]`` and event shape ``[*e]``.
        count: number of samples.
        generator: source of randomness; it advances by one draw.

    Returns:
        Shape ``[count, *b, *e]``.

    Raises:
        ValueError: if the count is negative.

    Example:
        >>> from torch.distributions import Normal
        >>> draw(Normal(0.0, 1.0), 3, torch.Generator().manual_seed(1)).shape
        torch.Size([3])
    """
    if count < 0:
        raise ValueError(f"expected a count ≥ 0, got {count}")
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return distribution.sample(torch.Size([count]))


def nll(log_q: Tensor) -> Tensor:
    r"""Mean negative log-likelihood of samples.

    .. math:: -\frac1N\sum_{n=1}^N \log q(x_n)

    Args:
        log_q: log-density or log-probability of each sample, shape ``[N]``.

    Returns:
        Shape ``[]``, nats a sample.

    Raises:
        ValueError: if there are no samples, or one is impossible under q.

    Example:
        >>> from torch.distributions import Normal
        >>> round(nll(Normal(0.0, 1.0).log_prob(torch.zeros(3))).item(), 4)
        0.9189
    """
    if log_q.numel() == 0:
        raise ValueError("expected at least one sample, got none")
    if not bool(torch.isfinite(log_q).all()):
        raise ValueError(
            "expected every sample to be possible under q, got a log-density that is not finite: "
            "the likelihood is zero; give q full support"
        )
    return -log_q.mean()


def empirical(values: Tensor, size: int) -> Tensor:
    r"""The empirical distribution of integer observations.

    .. math:: \hat p_k = \frac1N\,\#\{n: x_n=k\}

    Args:
        values: observations in 0, …, size − 1, shape ``[N]``, int64.
        size: number of atoms.

    Returns:
        Shape ``[size]``, float64; sums to 1.

    Raises:
        ValueError: if there are no observations or one is out of range.

    Example:
        >>> empirical(torch.tensor([0, 0, 2, 2]), 3).tolist()
        [0.5, 0.0, 0.5]
    """
    if values.numel() == 0:
        raise ValueError("expected at least one observation, got none")
    if not bool(((values >= 0) & (values < size)).all()):
        raise ValueError(
            f"expected observations in 0, …, {size - 1}, got {values.min()} to {values.max()}"
        )
    counts = torch.bincount(values, minlength=size).double()
    return counts / counts.sum()
