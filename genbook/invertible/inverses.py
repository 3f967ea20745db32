r"""The way back through a residual block, by a fixed-point iteration, and where it is lost.

.. math:: y=x+g(x),\qquad x_{n+1}=y-g(x_n)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.optimize import brentq
from torch import Tensor

from genbook.invertible import norms

Map = Callable[[Tensor], Tensor]


def way_back(g: Map, y: Tensor, steps: int, share: float = 1.0) -> Tensor:
    r"""The fixed-point iteration, with all its stops.

    .. math:: x_0=y,\qquad x_{n+1}=(1-s)\,x_n+s\,\big(y-g(x_n)\big)

    Args:
        g: the residual branch, from any shape to the same.
        y: what the block gave.
        steps: n ≥ 1.
        share: s, how much of each step is made, in (0, 1].

    Returns:
        x₀, …, xₙ, **[n + 1, …]**.

    Raises:
        ValueError: if there is no step, or the share of one is not in (0, 1].

    Source:
        Behrmann et al. (2019), with s = 1.

    Example:
        >>> y = torch.tensor([3.0])
        >>> way_back(lambda x: 0.5 * x, y, 30)[-1].item()  # x + x/2 = 3
        2.0
    """
    if steps < 1:
        raise ValueError(f"expected at least one step, got {steps}")
    if not 0 < share <= 1:
        raise ValueError(f"expected a share of each step in (0, 1], got {share}")
    stops = [y]
    for _ in range(steps):
        stops.append((1 - share) * stops[-1] + share * (y - g(stops[-1])))
    return torch.stack(stops)


def round_trip(g: Map, x: Tensor, steps: int, share: float = 1.0) -> Tensor:
    r"""Through a block and back: the stops of :func:`way_back` from :math:`y=x+g(x)`.

    Args:
        g: the residual branch.
        x: what is sent.
        steps: n ≥ 1.
        share: see :func:`way_back`.

    Returns:
        x₀, …, xₙ, **[n + 1, …]**; xₙ is near x if all goes well.

    Example:
        >>> round_trip(lambda x: 0.5 * x, torch.tensor([2.0]), 30)[-1].item()
        2.0
    """
    return way_back(g, x + g(x), steps, share)


def error_bound(lip: float, n: Tensor, first: Tensor) -> Tensor:
    r"""How far the n-th stop can be from the x that was sent.

    .. math:: \|x_n-x\|\le\frac{L^n}{1-L}\|x_1-x_0\|

    Args:
        lip: L, at least the Lipschitz constant of g, in [0, 1).
        n: steps.
        first: the length of the first one.

    Returns:
        The shape that n and ``first`` broadcast to.

    Raises:
        ValueError: if L is not below 1.

    Source:
        Banach's fixed-point theorem; Behrmann et al. (2019).

    Example:
        >>> error_bound(0.5, torch.tensor([0.0, 3.0]), torch.tensor(2.0)).tolist()
        [4.0, 0.5]
    """
    if not 0 <= lip < 1:
        raise ValueError(f"expected 0 ≤ L < 1, got {lip}; from 1 on nothing is promised")
    return lip**n / (1 - lip) * first


KINDS = ("pulls", "pushes", "turns")
"""What a block of :func:`bend` does at its centre: shrinks, stretches, turns and stretches."""


def bend(x: Tensor, c: float | Tensor, kind: str) -> Tensor:
    r"""A residual branch that is exactly c long: steepest at 0.

    .. math:: g(x)=c\,Q\tanh(x),\qquad
        Q\in\Big\{-I,\ I,\ \begin{pmatrix}0&-1\\1&0\end{pmatrix}\Big\},
        \qquad \mathrm{Lip}(g)=c

    Args:
        x: **[..., d]**; for a turn d = 2.
        c: ≥ 0.
        kind: one of :data:`KINDS`.

    Returns:
        **[..., d]**.

    Raises:
        ValueError: if there is no such kind.

    Example:
        >>> bend(torch.tensor([0.0, 9.0]), 0.5, "pulls").round(decimals=3).tolist()
        [-0.0, -0.5]
    """
    if kind not in KINDS:
        raise ValueError(f"expected one of {KINDS}, got {kind!r}")
    soft = torch.tanh(x)
    if kind == "turns":
        soft = torch.stack([-soft[..., 1], soft[..., 0]], -1)
    return -c * soft if kind == "pulls" else c * soft


def bent(c: float, kind: str) -> Map:
    r"""The branch of :func:`bend` with its length and kind set.

    Args:
        c: ≥ 0.
        kind: one of :data:`KINDS`.

    Returns:
        A map.

    Example:
        >>> bent(2.0, "pushes")(torch.zeros(1)).item()
        0.0
    """
    return lambda x: bend(x, c, kind)


def twins(c: float) -> tuple[float, float]:
    r"""Two numbers with one image, if a pull is longer than 1.

    .. math:: x-c\tanh x=0\quad\text{for}\quad x=\pm x^*,\qquad x^*>0\iff c>1

    Args:
        c: how long the pull is.

    Returns:
        :math:`-x^*` and :math:`x^*`.

    Raises:
        ValueError: if c ≤ 1: then each y has one x.

    Example:
        >>> first, second = twins(1.05)
        >>> round(second, 3), first == -second
        (0.389, True)
    """
    if not c > 1:
        raise ValueError(f"expected c > 1, got {c}; a shorter block has no two x with one y")
    found = float(brentq(lambda x: x - c * math.tanh(x), 1e-9, c, xtol=1e-15))
    return -found, found


def on_images(kernel: Tensor) -> Map:
    r"""A residual branch on images: one circular convolution and a tanh.

    .. math:: g(x)=\tanh(K*x),\qquad\mathrm{Lip}(g)=\|K*\|_2

    Args:
        kernel: **[1, 1, h, w]**, of odd sides.

    Returns:
        A map of **[N, 1, H, W]** to itself.

    Example:
        >>> on_images(torch.zeros(1, 1, 3, 3))(torch.ones(2, 1, 8, 8)).abs().max().item()
        0.0
    """
    return lambda images: torch.tanh(norms.convolve(images, kernel))


def soft_brush(width: int = 3) -> Tensor:
    r"""A kernel that averages its neighbourhood, heavier in the middle; its sum is 1.

    Args:
        width: of its sides, odd.

    Returns:
        **[1, 1, width, width]**, in double precision.

    Example:
        >>> round(soft_brush().sum().item(), 6), soft_brush()[0, 0, 1, 1].item()
        (1.0, 0.25)
    """
    row = torch.tensor([1.0], dtype=torch.float64)
    for _ in range(width - 1):
        row = torch.cat([row, row.new_zeros(1)]) + torch.cat([row.new_zeros(1), row])
    row = row / row.sum()
    return (row[:, None] * row)[None, None]
