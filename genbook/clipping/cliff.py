r"""The cliff: one unit, fifty steps, and the error as a function of its two parameters."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

STEPS = 50
START = 0.5
TARGET = 0.7


def final_state(w: Tensor, b: Tensor, steps: int = STEPS) -> Tensor:
    r"""Where one unit without input ends up.

    .. math:: x_t = w\,\sigma(x_{t-1}) + b,\qquad x_0 = \tfrac12

    Args:
        w: recurrent weight, ``[...]``.
        b: bias, ``[...]``.
        steps: how many.

    Returns:
        :math:`x_{\text{steps}}`, ``[...]``.

    Raises:
        ValueError: if ``steps`` is negative.

    Example:
        >>> final_state(torch.tensor(0.0), torch.tensor(2.0)).item()
        2.0
    """
    if steps < 0:
        raise ValueError(f"expected steps ≥ 0, got {steps}")
    x = torch.full(torch.broadcast_shapes(w.shape, b.shape), START, dtype=w.dtype, device=w.device)
    for _ in range(steps):
        x = w * torch.sigmoid(x) + b
    return x


def error(w: Tensor, b: Tensor, steps: int = STEPS) -> Tensor:
    r"""The surface of figure 6 of Pascanu et al.

    .. math:: \mathcal E(w, b) = \big(\sigma(x_{50}) - 0.7\big)^2

    Args:
        w: recurrent weight, ``[...]``.
        b: bias, ``[...]``.
        steps: how many.

    Returns:
        Shape ``[...]``.

    Source:
        Pascanu, Mikolov & Bengio (2013), section 2.3 and figure 6.

    Example:
        >>> error(torch.tensor(0.0), torch.tensor(50.0)).item()
        0.0900...
    """
    return (torch.sigmoid(final_state(w, b, steps)) - TARGET) ** 2


def slopes(w: Tensor, b: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    r"""The derivatives of the last state, carried forward with the state.

    .. math::
        \frac{\partial x_t}{\partial w} = \sigma(x_{t-1})
            + w\sigma'(x_{t-1})\frac{\partial x_{t-1}}{\partial w},\qquad
        \frac{\partial x_t}{\partial b} = 1 + w\sigma'(x_{t-1})\frac{\partial x_{t-1}}{\partial b}

    Args:
        w: recurrent weight, ``[...]``.
        b: bias, ``[...]``.
        steps: how many.

    Returns:
        The last state ``[...]`` and its gradient by (w, b), ``[..., 2]``.

    Example:
        >>> slopes(torch.tensor(0.0), torch.tensor(0.0), 3)[1]
        tensor([0.5000, 1.0000])
    """
    x, by_w, by_b = final_state(w, b, 0), torch.zeros_like(w + b), torch.zeros_like(w + b)
    for _ in range(steps):
        squashed = torch.sigmoid(x)
        factor = w * squashed * (1 - squashed)
        by_w, by_b = squashed + factor * by_w, 1 + factor * by_b
        x = w * squashed + b
    return x, torch.stack([by_w, by_b], -1)


def gradient(points: Tensor, steps: int = STEPS) -> tuple[Tensor, Tensor]:
    r"""Error and gradient at points of the plane.

    Args:
        points: (w, b), ``[..., 2]``.
        steps: of the unit.

    Returns:
        The errors ``[...]`` and the gradients ``[..., 2]``.

    Example:
        >>> gradient(torch.zeros(2, dtype=torch.float64))[1][0].item()
        -0.04999...
    """
    x, by = slopes(points[..., 0], points[..., 1], steps)
    squashed = torch.sigmoid(x)
    off = squashed - TARGET
    return off**2, (2 * off * squashed * (1 - squashed))[..., None] * by


def wall(w: Tensor) -> Tensor:
    r"""The bias at which the state never moves from where it starts.

    .. math:: b = \tfrac12 - w\,\sigma(\tfrac12)

    Args:
        w: recurrent weight, ``[...]``.

    Returns:
        Shape ``[...]``.

    Example:
        >>> final_state(w := torch.tensor(3.0).double(), wall(w)).item()
        0.5
    """
    return START - w * torch.sigmoid(torch.full_like(w, START))


def wall_slope(w: Tensor, steps: int = STEPS) -> Tensor:
    r"""The derivative by b on :func:`wall`, where every step multiplies by the same factor.

    .. math::
        \frac{\partial x_t}{\partial b} = \sum_{i<t} r^i
            = \frac{r^t-1}{r-1}\;\;(t\text{ at }r=1),\qquad
        r = w\,\sigma'(\tfrac12) \approx 0.235\,w

    Args:
        w: recurrent weight, ``[...]``.
        steps: t.

    Returns:
        Shape ``[...]``.

    Example:
        >>> wall_slope(torch.tensor(0.0)).item()
        1.0
    """
    return (wall_factor(w)[..., None] ** torch.arange(steps, device=w.device)).sum(-1)


def wall_factor(w: Tensor) -> Tensor:
    r"""The factor r of :func:`wall_slope`; the wall is steep where r > 1, beyond w ≈ 4.26.

    Args:
        w: recurrent weight, ``[...]``.

    Example:
        >>> round(1 / wall_factor(torch.tensor(1.0)).item(), 3)
        4.255
    """
    half = torch.full_like(w, START)
    return w * torch.sigmoid(half) * torch.sigmoid(-half)


@dataclass(frozen=True, eq=False)
class Descent:
    r"""A walk over the surface.

    Attributes:
        points: (w, b) before each step and after the last, ``[N + 1, ..., 2]``.
        errors: at those points, ``[N + 1, ...]``.
        lengths: of the gradient before clipping, at those points, ``[N + 1, ...]``.
    """

    points: Tensor
    errors: Tensor
    lengths: Tensor


def starts_below(count: int, generator: torch.Generator) -> Tensor:
    r"""Random points on the plateau below the wall, to descend from.

    Args:
        count: how many.
        generator: source of randomness.

    Returns:
        (w, b) with w from 4.3 to 6 and b from 0.3 to 1 below the wall, ``[count, 2]``.

    Example:
        >>> starts_below(3, torch.Generator().manual_seed(0)).shape
        torch.Size([3, 2])
    """
    across, below = torch.rand(
        2, count, generator=generator, device=generator.device, dtype=torch.float64
    )
    w = 4.3 + 1.7 * across
    return torch.stack([w, wall(w) - 0.3 - 0.7 * below], -1)


def step(points: Tensor, rate: float | Tensor, limits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""One step of gradient descent on the cliff, the gradient clipped by norm.

    .. math:: \theta - \eta\,g\,\min\big(1, c / \lVert g\rVert\big)

    Args:
        points: (w, b), ``[..., 2]``.
        rate: learning rate.
        limits: thresholds c, ``[...]``; infinite: no clipping.

    Returns:
        The points after the step ``[..., 2]``; before it, errors and the gradient's lengths,
        ``[...]`` each.

    Example:
        >>> step(torch.tensor([0.0, 0.0]), 1.0, torch.tensor(1e-3))[0].norm().item()
        0.00100...
    """
    errors, slope = gradient(points)
    lengths = slope.norm(dim=-1)
    scale = torch.where(lengths >= limits, limits / lengths, torch.ones_like(lengths))
    return points - rate * scale[..., None] * slope, errors, lengths


def descend(
    start: tuple[float, float] | Tensor, rate: float, thresholds: Tensor, *, steps: int = 100
) -> Descent:
    r"""Gradient descent on the cliff, its gradient clipped by norm.

    Args:
        start: (w, b), or many of them, ``[..., 2]``.
        rate: learning rate.
        thresholds: one for each walk, ``[...]``, against which the starts are broadcast; infinite:
            no clipping.
        steps: how many.

    Returns:
        All walks.

    Raises:
        ValueError: if the rate or a threshold is not positive, or ``steps`` negative.

    Example:
        >>> descend((4.5, -3.0), 0.3, torch.tensor([1.0, float("inf")]), steps=5).points.shape
        torch.Size([6, 2, 2])
    """
    if not rate > 0 or not bool((thresholds > 0).all()) or steps < 0:
        raise ValueError(
            f"expected rate > 0, thresholds > 0 and steps ≥ 0, got {rate}, {thresholds}, {steps}"
        )
    limits = thresholds.to(torch.float64)
    first = torch.as_tensor(start, dtype=torch.float64, device=limits.device)
    points = first.expand(*torch.broadcast_shapes(first.shape[:-1], limits.shape), 2)
    record = []
    for _ in range(steps + 1):
        after, errors, lengths = step(points, rate, limits)
        record.append((points, errors, lengths))
        points = after
    return Descent(*(torch.stack(part) for part in zip(*record, strict=True)))
