r"""Exact limits of the scores: what the data, or a perfect sampler of few modes, would get."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbook.games.duality import ConvexFunction
from genbook.games.modes import DEVIATIONS


def ceiling(deviations: float = DEVIATIONS, dimension: int = 2) -> float:
    r"""The share of good samples among samples of the data itself.

    .. math:: P(\|\epsilon\|<r) = \chi^2_d(r^2),\qquad d=2:\; 1-e^{-r^2/2}

    Args:
        deviations: r.
        dimension: d.

    Returns:
        The share; 98.9 % for three deviations in the plane.

    Raises:
        ValueError: if r or d is not positive.

    Example:
        >>> round(ceiling(), 4)
        0.9889
    """
    if not deviations > 0 or dimension < 1:
        raise ValueError(f"expected deviations > 0 and d ≥ 1, got {deviations} and {dimension}")
    half = torch.tensor([dimension / 2, deviations**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))


def histogram_floor(modes: int, samples: int) -> float:
    r"""The mean reverse KL of a histogram whose generator has forgotten nothing, to first order.

    .. math:: \mathbb E\,\mathrm{KL}(\hat q\|u)\approx\frac{K-1}{2n}

    Args:
        modes: K equally likely modes.
        samples: n.

    Returns:
        In nats.

    Raises:
        ValueError: if there is no mode or no sample.

    Example:
        >>> histogram_floor(25, 2500)
        0.0048
    """
    if modes < 1 or samples < 1:
        raise ValueError(f"expected at least one mode and one sample, got {modes}, {samples}")
    return (modes - 1) / (2 * samples)


def kept_modes(convex: ConvexFunction, kept: int, modes: int) -> float:
    r"""An f-divergence of a generator that draws k of K equal modes perfectly, the others never.

    .. math:: D_f = f\!\big(\tfrac kK\big) + \big(1-\tfrac kK\big)\,f'(\infty),\qquad
        f'(\infty)=\lim_{u\to\infty}\frac{f(u)}u

    Where the generator is, the density ratio is k/K; the mass it never reaches is charged at the
    slope of f at infinity, which is the upper end of f*'s domain.

    Args:
        convex: f.
        kept: k.
        modes: K ≥ k ≥ 1.

    Returns:
        The divergence less f(1), in the unit of f; ∞ if f grows faster than linearly and k < K.

    Raises:
        ValueError: if k is not between 1 and K.

    Example:
        >>> from genbook.games.duality import KL, REVERSE_KL
        >>> kept_modes(KL, 3, 4), round(kept_modes(REVERSE_KL, 3, 4), 4)
        (inf, 0.2877)
    """
    if not 1 <= kept <= modes:
        raise ValueError(f"expected 1 ≤ kept ≤ modes, got {kept} of {modes}")
    u = torch.tensor(kept / modes, dtype=torch.float64)
    missed = 0.0 if kept == modes else (1 - float(u)) * convex.domain[1]
    at_one = float(convex.f(torch.ones((), dtype=torch.float64)))
    return float(convex.f(u)) + missed - at_one


def packed_tv(p: Tensor, q: Tensor, packed: int) -> float:
    r"""The total variation of m independent samples, seen together.

    .. math:: \mathrm{TV}(P^m, Q^m) = \tfrac12\sum_{x_1,\dots,x_m}
        \Big|\prod_i p(x_i)-\prod_i q(x_i)\Big|

    Summed over how often each cell occurs, not over all :math:`K^m` words.

    Args:
        p: probabilities, **[K]**.
        q: probabilities, **[K]**.
        packed: m.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if p or q is not a distribution, or m < 1.

    Source:
        Lin et al. (2018), section 3.

    Example:
        >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0])
        >>> packed_tv(p, q, 1), packed_tv(p, q, 2)
        (0.5, 0.75)
    """
    both = torch.stack([p, q]).double()
    if packed < 1 or both.ndim != 2 or bool((both < 0).any()):
        raise ValueError(f"expected two lists of probabilities and m ≥ 1, got {p}, {q}, {packed}")
    if bool((both.sum(-1) - 1).abs().gt(1e-6).any()):
        raise ValueError(f"expected probabilities that sum to 1, got sums {both.sum(-1).tolist()}")
    total = 0.0
    for word in _counts(both.shape[1], packed):
        ways = math.factorial(packed) // math.prod(map(math.factorial, word))
        chances = both.pow(both.new_tensor(word)).prod(-1)
        total += ways * float((chances[0] - chances[1]).abs())
    return total / 2


def _counts(cells: int, total: int) -> list[tuple[int, ...]]:
    """All ways to put ``total`` into ``cells``."""
    if cells == 1:
        return [(total,)]
    return [
        (first, *rest) for first in range(total + 1) for rest in _counts(cells - 1, total - first)
    ]
