r"""What n samples can know of W₁: its floor, its exact mean on the line, its fall in the cube."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.special import betainc
from torch import Tensor

from genbook.kit.seeds import Streams


def to_uniform(x: Tensor) -> Tensor:
    r"""W₁ of a sample and the uniform distribution on [0, 1], exactly.

    .. math:: W_1=\sum_i\int_{(i-1)/n}^{i/n}|x_{(i)}-u|\,du

    Args:
        x: samples in [0, 1], **[..., n]**.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if there are no samples, or one is outside [0, 1].

    Source:
        The area of Vallender (1974), read along the quantiles.

    Example:
        >>> to_uniform(torch.tensor([0.25, 0.75])).item()
        0.125
    """
    if x.ndim == 0 or x.shape[-1] == 0 or not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError(f"expected samples [..., n] in [0, 1], got shape {list(x.shape)}")
    n = x.shape[-1]
    borders = torch.arange(n + 1, dtype=x.dtype, device=x.device) / n
    low, high = borders[:-1] - x.sort(-1).values, borders[1:] - x.sort(-1).values
    return (high * high.abs() - low * low.abs()).sum(-1) / 2


def expected_to_uniform(n: int) -> float:
    r"""The mean of :func:`to_uniform` over n independent uniform samples, exactly.

    De Moivre's mean deviation of a binomial count,
    :math:`\mathbb E|nF_n(t)-nt|=2\nu\binom n\nu t^\nu(1-t)^{n-\nu+1}` with
    :math:`\nu=\lfloor nt\rfloor+1`, integrated over t:

    .. math:: \mathbb E\,W_1=\frac2n\sum_{\nu=1}^n\frac{\nu(n-\nu+1)}{(n+1)(n+2)}
        \Big[I_{\nu/n}-I_{(\nu-1)/n}\Big](\nu+1,\,n-\nu+2)

    with the regularised incomplete beta function I. As n grows, √n times it tends to
    √(2π)/8, the mean area under a Brownian bridge.

    Args:
        n: how many samples.

    Returns:
        The mean.

    Raises:
        ValueError: if n is below 1.

    Source:
        Derived; the mean deviation is De Moivre's (1730).

    Example:
        >>> round(expected_to_uniform(1), 12)
        0.333333333333
    """
    if n < 1:
        raise ValueError(f"expected n ≥ 1 samples, got {n}")
    nu = np.arange(1, n + 1, dtype=np.float64)
    a, b = nu + 1, n - nu + 2
    share = betainc(a, b, nu / n) - betainc(a, b, (nu - 1) / n)
    return float(2 / n * (nu * (n - nu + 1) / ((n + 1) * (n + 2)) * share).sum())


def floor(n: int, dimension: int, density: float = 1.0) -> float:
    r"""No n points, however chosen, are closer than this to a density that is at most M.

    .. math:: W_1\ge\frac d{d+1}\,(nM\omega_d)^{-1/d},\qquad
        \omega_d=\frac{\pi^{d/2}}{\Gamma(d/2+1)}

    Balls of radius r around the points hold a mass of at most :math:`nM\omega_dr^d`, and what is
    outside travels farther than r; integrate over r.

    Args:
        n: how many points, with any weights.
        dimension: d.
        density: M > 0, the largest value of the density.

    Returns:
        The bound.

    Raises:
        ValueError: if a number is not positive.

    Source:
        The classic argument of quantisation, with its constant; derived in the chapter.

    Example:
        >>> round(floor(2, 1), 12)
        0.125
    """
    if n < 1 or dimension < 1 or not density > 0:
        raise ValueError(
            f"expected n ≥ 1, a dimension ≥ 1 and a density > 0, got {n}, {dimension}, {density}"
        )
    log_ball = dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2 + 1)
    radius = math.exp(-(math.log(n) + math.log(density) + log_ball) / dimension)
    return dimension / (dimension + 1) * radius


@dataclass(frozen=True)
class Matching:
    r"""The cheapest way to pair two samples of one size.

    Args:
        cost: W₁, the mean length of a pair.
        partner: **[n]**; x[i] goes to y[partner[i]].
    """

    cost: float
    partner: Tensor


def match(x: Tensor, y: Tensor) -> Matching:
    r"""W₁ of two samples of one size in any dimension, by an exact assignment.

    .. math:: W_1=\min_\sigma\frac1n\sum_i\|x_i-y_{\sigma(i)}\|

    A plan between two samples of equal weights may be taken to be a permutation (Birkhoff).

    Args:
        x: **[n, d]**.
        y: **[n, d]**.

    Returns:
        The cost and the partners.

    Raises:
        ValueError: if the shapes are not both [n, d] with n ≥ 1.

    Source:
        SciPy's ``linear_sum_assignment``, after Crouse (2016).

    Example:
        >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
        >>> match(x, x.flip(0) + torch.tensor([0.0, 1.0])).cost
        1.0
    """
    if x.ndim != 2 or x.shape != y.shape or len(x) == 0:
        raise ValueError(
            f"expected two samples [n, d] of one shape, got {list(x.shape)} and {list(y.shape)}"
        )
    lengths = torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")
    costs = lengths.detach().cpu().numpy()
    rows, columns = linear_sum_assignment(costs)
    partner = torch.from_numpy(columns).to(x.device)
    return Matching(float(costs[rows, columns].mean()), partner)


def in_cube(dimension: int, sizes: Sequence[int], streams: Streams) -> Tensor:
    r"""W₁ of two independent uniform samples in the unit cube, for several sizes.

    Args:
        dimension: d.
        sizes: sample sizes n.
        streams: one a repetition; the first n points of one draw make the sample of size n.

    Returns:
        Shape **[S, len(sizes)]**, float64.

    Raises:
        ValueError: if the dimension or a size is below 1.

    Example:
        >>> in_cube(2, [8, 16], Streams([0, 1])).shape
        torch.Size([2, 2])
    """
    if dimension < 1 or not sizes or min(sizes) < 1:
        raise ValueError(f"expected d ≥ 1 and sizes ≥ 1, got {dimension} and {list(sizes)}")
    drawn = streams.uniform(2, max(sizes), dimension)
    costs = [[match(pair[0, :n], pair[1, :n]).cost for n in sizes] for pair in drawn]
    return torch.tensor(costs, dtype=torch.float64)


def slope(sizes: Sequence[int], values: Tensor) -> Tensor:
    r"""The least-squares slope of log value against log size.

    Args:
        sizes: n, at least two different ones.
        values: positive, **[..., len(sizes)]**.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if the shapes do not fit, or there are fewer than two sizes.

    Example:
        >>> slope([1, 10, 100], torch.tensor([1.0, 0.1, 0.01], dtype=torch.float64)).item()
        -1.0
    """
    if len(set(sizes)) < 2 or values.shape[-1:] != (len(sizes),):
        raise ValueError(
            f"expected values [..., {len(sizes)}] for two different sizes or more, got "
            f"{list(values.shape)} for {list(sizes)}"
        )
    at = torch.tensor([math.log10(n) for n in sizes], dtype=values.dtype, device=values.device)
    at = at - at.mean()
    return (values.log10() * at).sum(-1) / at.square().sum()
