r"""Tensors as short text, for the rows of recorded studies: images, surfaces, points."""

from __future__ import annotations

import math

import torch
from torch import Tensor

FAR = 99.0
"""Points are kept within ±99 in each coordinate."""

MISSING = "-"
"""What stands for a coordinate that is NaN or infinite."""


def pack_images(images: Tensor) -> str:
    r"""Grey values as text, 16 levels, one hexadecimal digit each.

    Args:
        images: any shape; clamped to [0, 1].

    Returns:
        Hexadecimal text.

    Raises:
        ValueError: if a value is NaN.

    Example:
        >>> pack_images(torch.tensor([0.0, 0.4, 1.0]))
        '06f'
    """
    if bool(images.isnan().any()):
        raise ValueError("expected grey values in [0, 1], got NaN; leave this picture out")
    levels = (images.detach().clamp(0, 1) * 15).round().long().flatten().tolist()
    return "".join(f"{level:x}" for level in levels)


def unpack_images(text: str, *size: int) -> Tensor:
    r"""Undo :func:`pack_images`, up to the 16 levels.

    Args:
        text: hexadecimal.
        *size: of one image, such as height and width.

    Returns:
        **[N, \*size]** in [0, 1].

    Raises:
        ValueError: if the text does not hold whole images.

    Example:
        >>> unpack_images("0f0f", 1, 2).tolist()
        [[[0.0, 1.0]], [[0.0, 1.0]]]
    """
    if len(text) % math.prod(size):
        raise ValueError(f"expected images of {math.prod(size)} digits, got {len(text)} digits")
    levels = torch.tensor([int(digit, 16) for digit in text])
    return levels.reshape(-1, *size) / 15


def pack_surface(values: Tensor) -> str:
    r"""A surface as text: 256 levels from its lowest to its highest value, two digits each.

    Args:
        values: **[side, side]**.

    Returns:
        Hexadecimal text.

    Raises:
        ValueError: if a value is NaN or infinite.

    Example:
        >>> pack_surface(torch.tensor([[0.0, 2.0]]))
        '00ff'
    """
    if not bool(values.isfinite().all()):
        raise ValueError("expected a finite surface, got NaN or infinity; leave it out")
    low, high = values.min(), values.max()
    levels = ((values - low) / (high - low).clamp_min(1e-30) * 255).round()
    return bytes(levels.to(torch.uint8).flatten().tolist()).hex()


def unpack_surface(text: str, side: int) -> Tensor:
    r"""The surface that :func:`pack_surface` wrote, scaled to [0, 1].

    Args:
        text: hexadecimal.
        side: points along an edge.

    Returns:
        **[side, side]**.

    Raises:
        ValueError: if the text is not of that size.

    Example:
        >>> unpack_surface("00ff00ff", side=2).tolist()
        [[0.0, 1.0], [0.0, 1.0]]
    """
    levels = bytes.fromhex(text)
    if len(levels) != side * side:
        raise ValueError(f"expected {side * side} values, got {len(levels)}; record it again")
    return torch.tensor(list(levels)).reshape(side, side) / 255


def pack_points(points: Tensor) -> str:
    r"""Points of the plane as text, in hundredths.

    A coordinate beyond ±99 is written as ±9900: the point is far, and where is lost. One that is
    NaN or infinite is written as missing; the text does not tell NaN from infinity.

    Args:
        points: **[n, 2]**.

    Returns:
        Whole numbers, or ``-`` for a missing one, with spaces between.

    Example:
        >>> pack_points(torch.tensor([[0.504, -1.0], [torch.nan, 100.0]]))
        '50 -100 - 9900'
    """
    hundredths = (100 * points.clamp(-FAR, FAR)).round().flatten().tolist()
    known = points.isfinite().flatten().tolist()
    return " ".join(
        str(int(value)) if there else MISSING
        for value, there in zip(hundredths, known, strict=True)
    )


def unpack_points(text: str) -> Tensor:
    r"""The points that :func:`pack_points` wrote.

    Args:
        text: whole numbers or ``-``, two a point.

    Returns:
        **[n, 2]**; NaN where a coordinate is missing.

    Raises:
        ValueError: if the numbers do not come in pairs.

    Example:
        >>> unpack_points("50 -100 - -").tolist()
        [[0.5, -1.0], [nan, nan]]
    """
    numbers = [math.nan if word == MISSING else int(word) for word in text.split()]
    if len(numbers) % 2:
        raise ValueError(f"expected two numbers a point, got {len(numbers)} numbers")
    return torch.tensor(numbers, dtype=torch.float32).reshape(-1, 2) / 100
