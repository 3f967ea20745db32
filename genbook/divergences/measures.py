r"""Divergences between two distributions, exactly: on atoms and on grids."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.divergences.densities import check_grid


@dataclass(frozen=True)
class Divergence:
    r"""A divergence :math:`D(p\|q)=\int \pi(p(x), q(x))\,dx` with a pointwise penalty π ≥ 0.

    The penalty is :math:`q\,[f(u)-f'(1)(u-1)]` with :math:`u=p/q` for the divergence's convex
    generator f. The tilt integrates to zero for normalised p and q, so the divergence is
    unchanged, and what is left is non-negative at every x: it shows *where* the cost arises.
    Nothing is clamped: where p and q nearly agree, rounding may leave a penalty of −1e-16.

    Args:
        name: its name in the book.
        symbol: a short label for figures.
        penalty: maps ``log_p`` and ``log_q`` of one shape ``[...]`` to the penalty, ``[...]``.
        bound: the largest value it can take, in nats for the logarithmic ones; may be infinite.
    """

    name: str
    symbol: str
    penalty: Callable[[Tensor, Tensor], Tensor]
    bound: float = math.inf


def _times_log_ratio(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``p log(p/q)`` with 0 log 0 = 0."""
    possible = log_p > -math.inf
    log_ratio = torch.where(possible, log_p, 0.0) - torch.where(possible, log_q, 0.0)
    return log_p.exp() * log_ratio


def _squared_over(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``(p - q)² / q``: zero where both vanish, infinite where only q does."""
    possible = log_p > -math.inf
    squared = torch.exp(2 * torch.where(possible, log_p, 0.0) - torch.where(possible, log_q, 0.0))
    return torch.where(possible, squared - 2 * log_p.exp() + log_q.exp(), log_q.exp())


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _times_log_ratio(log_p, log_q) - log_p.exp() + log_q.exp()


def _reverse_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _kl(log_q, log_p)


def _jeffrey(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _kl(log_p, log_q) + _kl(log_q, log_p)


def _jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    possible = torch.maximum(log_p, log_q) > -math.inf
    somewhere = torch.stack([torch.where(possible, log, 0.0) for log in (log_p, log_q)])
    # logaddexp has no second derivative where one density is far below the other
    log_m = torch.where(possible, somewhere.logsumexp(0) - math.log(2), -math.inf)
    return 0.5 * (_kl(log_p, log_m) + _kl(log_q, log_m))


def _pearson(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _squared_over(log_p, log_q)


def _neyman(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _squared_over(log_q, log_p)


def _squared_hellinger(log_p: Tensor, log_q: Tensor) -> Tensor:
    return torch.square(torch.exp(log_p / 2) - torch.exp(log_q / 2))


def _total_variation(log_p: Tensor, log_q: Tensor) -> Tensor:
    return 0.5 * (log_p.exp() - log_q.exp()).abs()


KL = Divergence("KL", "KL(p‖q)", _kl)
REVERSE_KL = Divergence("reverse KL", "KL(q‖p)", _reverse_kl)
JEFFREY = Divergence("Jeffrey", "Jeffrey", _jeffrey)
JENSEN_SHANNON = Divergence("Jensen–Shannon", "JS", _jensen_shannon, math.log(2))
PEARSON = Divergence("Pearson χ²", "χ²(p‖q)", _pearson)
NEYMAN = Divergence("Neyman χ²", "χ²(q‖p)", _neyman)
SQUARED_HELLINGER = Divergence("squared Hellinger", "H²", _squared_hellinger, 2.0)
TOTAL_VARIATION = Divergence("total variation", "TV", _total_variation, 1.0)
DIVERGENCES = (
    KL,
    REVERSE_KL,
    JEFFREY,
    JENSEN_SHANNON,
    PEARSON,
    NEYMAN,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
)


def on_grid(divergence: Divergence, log_p: Tensor, log_q: Tensor, x: Tensor) -> Tensor:
    r"""A divergence of two densities, integrated by the trapezoid rule.

    .. math:: D(p\|q) \approx \sum_i \tfrac12(\pi_i+\pi_{i+1})(x_{i+1}-x_i)

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[..., n]``.
        log_q: log-density of q at ``x``, shape ``[..., n]``.
        x: increasing grid that holds all mass that matters, shape ``[n]``.

    Returns:
        Shape ``[...]``; nats for the logarithmic divergences.

    Raises:
        ValueError: if the shapes do not fit, or the grid does not increase.

    Example:
        >>> from torch.distributions import Normal
        >>> x = torch.linspace(-12, 12, 2001, dtype=torch.float64)
        >>> log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
        >>> round(on_grid(KL, log_p, log_q, x).item(), 6)
        0.5
    """
    check_grid(x)
    for name, values in (("log_p", log_p), ("log_q", log_q)):
        if values.shape[-1:] != x.shape:
            raise ValueError(
                f"expected {name} of shape [..., {len(x)}] to match the grid, "
                f"got {list(values.shape)}; evaluate it at x"
            )
    return torch.trapezoid(divergence.penalty(log_p, log_q), x, dim=-1)


def on_atoms(divergence: Divergence, p: Tensor, q: Tensor) -> Tensor:
    r"""A divergence of two probability vectors.

    .. math:: D(p\|q) = \sum_i \pi(p_i, q_i)

    Args:
        divergence: which one.
        p: probabilities, shape ``[..., k]``; each row sums to 1.
        q: probabilities, shape ``[..., k]``; each row sums to 1.

    Returns:
        Shape ``[...]``; infinite where the definition says so, never NaN.

    Raises:
        ValueError: if the last dimensions differ, or a row is not a probability vector.

    Example:
        >>> on_atoms(TOTAL_VARIATION, torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item()
        1.0
        >>> on_atoms(KL, torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])).item()
        inf
    """
    if p.shape[-1:] != q.shape[-1:]:
        raise ValueError(
            f"expected p and q over the same atoms, got {list(p.shape)} and {list(q.shape)}"
        )
    for name, values in (("p", p), ("q", q)):
        _check_probabilities(name, values)
    return divergence.penalty(p.log(), q.log()).sum(-1)


def _check_probabilities(name: str, values: Tensor) -> None:
    if not values.is_floating_point():
        raise ValueError(f"expected floating-point {name}, got {values.dtype}; use .double()")
    off = (values.sum(-1) - 1).abs().max().item()
    low = values.min().item()
    if not (off <= 1e-4 and low >= 0):
        raise ValueError(
            f"expected probabilities in {name}: each row ≥ 0 with sum 1, got a smallest entry of "
            f"{low:g} and a sum that is off by {off:g}; divide by the row's sum"
        )


def entropy(p: Tensor) -> Tensor:
    r"""Shannon entropy of probability vectors.

    .. math:: H(p) = -\sum_i p_i \log p_i

    Args:
        p: probabilities, shape ``[..., k]``.

    Returns:
        Shape ``[...]``, nats.

    Raises:
        ValueError: if a row is not a probability vector.

    Example:
        >>> round(entropy(torch.tensor([0.5, 0.5])).item(), 4)
        0.6931
    """
    _check_probabilities("p", p)
    return torch.special.entr(p).sum(-1)
