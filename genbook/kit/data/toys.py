r"""Toy distributions in one and two dimensions.

Every function draws on the generator's device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbook.kit.data._checks import random_source, real, whole


def ring_centres(
    n_modes: int = 8, radius: float = 1.0, *, dtype: torch.dtype = torch.float32
) -> Tensor:
    r"""Centres evenly spaced on a circle, :math:`r\,(\cos 2\pi i/n, \sin 2\pi i/n)`, no two alike.

    Args:
        n_modes: :math:`n`.
        radius: :math:`r > 0`.
        dtype: Floating dtype.

    Returns:
        Centres **[n_modes, 2]**.

    Raises:
        ValueError: If ``n_modes`` < 1 or ``radius`` ≤ 0.

    Example:
        >>> ring_centres(4).round(decimals=3).abs().tolist()
        [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    whole("n_modes", n_modes, 1)
    real("radius", radius, above=0)
    angles = 2 * math.pi * torch.arange(n_modes, dtype=torch.float64) / n_modes
    return (radius * torch.stack([angles.cos(), angles.sin()], dim=1)).to(dtype)


def ring(
    n: int,
    generator: torch.Generator,
    *,
    n_modes: int = 8,
    radius: float = 1.0,
    std: float = 0.01,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    r"""Draw from Gaussians of equal weight on a ring (see :func:`ring_centres`).

    Args:
        n: Number of points.
        generator: Draws modes and noise.
        n_modes: Number of Gaussians.
        radius: Radius of the ring.
        std: Spread of each Gaussian, per coordinate.
        dtype: Floating dtype.

    Returns:
        Points **[n, 2]**.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> bool((ring(100, seeded(0)).norm(dim=1) - 1).abs().max() < 0.1)
        True
    """
    return _around(ring_centres(n_modes, radius, dtype=dtype), n, std, generator)


def grid_centres(
    side: int = 5, spacing: float = 2.0, *, dtype: torch.dtype = torch.float32
) -> Tensor:
    r"""Centres on a square lattice around 0; by default the 25 points of {−4, −2, 0, 2, 4}².

    Args:
        side: Centres along an edge.
        spacing: Distance between neighbours, > 0.
        dtype: Floating dtype.

    Returns:
        Centres **[side², 2]**.

    Raises:
        ValueError: If ``side`` < 1 or ``spacing`` ≤ 0.

    Example:
        >>> grid_centres()[:, 0].unique().tolist()
        [-4.0, -2.0, 0.0, 2.0, 4.0]
    """
    whole("side", side, 1)
    real("spacing", spacing, above=0)
    ticks = (torch.arange(side, dtype=dtype) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(ticks, ticks)


def grid(
    n: int,
    generator: torch.Generator,
    *,
    side: int = 5,
    spacing: float = 2.0,
    std: float = 0.05,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    r"""Draw from Gaussians of equal weight on a square lattice (see :func:`grid_centres`).

    Args:
        n: Number of points.
        generator: Draws modes and noise.
        side: Gaussians along an edge.
        spacing: Distance between neighbours.
        std: Spread of each Gaussian, per coordinate.
        dtype: Floating dtype.

    Returns:
        Points **[n, 2]**.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> grid(100, seeded(0)).shape
        torch.Size([100, 2])
    """
    return _around(grid_centres(side, spacing, dtype=dtype), n, std, generator)


def swiss_roll(
    n: int,
    generator: torch.Generator,
    *,
    turns: float = 1.5,
    noise: float = 0.02,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    r"""Draw from a spiral in the plane that begins at radius 1/3 and ends at radius 1.

    .. math:: x = r(t)\,(\cos t, \sin t) + \varepsilon,\quad r(t) = t / t_1,\quad
              t \sim U(t_1 / 3,\, t_1),\quad t_1 = 3\pi \cdot \text{turns}

    Args:
        n: Number of points.
        generator: Draws place and noise.
        turns: Number of turns, > 0.
        noise: Standard deviation of :math:`\varepsilon`, per coordinate.
        dtype: Floating dtype.

    Returns:
        Points **[n, 2]**.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> bool(swiss_roll(100, seeded(0), noise=0.0).norm(dim=1).max() <= 1)
        True
    """
    whole("n", n, 1)
    real("turns", turns, above=0)
    real("noise", noise, least=0)
    random_source(generator)
    end = 3 * math.pi * turns
    place = torch.rand(n, generator=generator, dtype=dtype, device=generator.device)
    angle = end * (1 + 2 * place) / 3
    curve = (angle / end)[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return curve + noise * torch.randn(
        n, 2, generator=generator, dtype=dtype, device=generator.device
    )


def _around(centres: Tensor, n: int, std: float, generator: torch.Generator) -> Tensor:
    """``n`` points around centres that are chosen evenly at random."""
    whole("n", n, 1)
    real("std", std, least=0)
    device = random_source(generator).device
    which = torch.randint(len(centres), (n,), generator=generator, device=device)
    noise = torch.randn(n, 2, generator=generator, dtype=centres.dtype, device=device)
    return centres.to(device)[which] + std * noise
