r"""Black and white images from grey ones, in three ways; a likelihood belongs to one of them."""

from __future__ import annotations

import torch
from torch import Tensor

BINARISATIONS = ("stochastic", "fixed", "threshold")
"""The three ways."""

FIXED_SEED = 2016
"""The seed of the one draw that ``"fixed"`` means."""


def binarise(grey: Tensor, kind: str, generator: torch.Generator | None = None) -> Tensor:
    r"""Black and white images from grey ones.

    ``"stochastic"`` draws each pixel anew at each call, :math:`x_i\sim\text{Bernoulli}(g_i)`;
    ``"fixed"`` draws once and for all, from :data:`FIXED_SEED`; ``"threshold"`` asks
    :math:`g_i > \tfrac12`.

    Args:
        grey: values in [0, 1], any shape.
        kind: one of :data:`BINARISATIONS`.
        generator: source of the coins; only for ``"stochastic"``.

    Returns:
        Zeros and ones of the same shape and dtype.

    Raises:
        ValueError: if the kind is unknown, a value lies outside [0, 1], or the generator is
            missing.

    Example:
        >>> binarise(torch.tensor([0.0, 0.4, 0.6, 1.0]), "threshold").tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    if kind not in BINARISATIONS:
        raise ValueError(f"expected a kind out of {', '.join(BINARISATIONS)}, got {kind!r}")
    if not bool(((grey >= 0) & (grey <= 1)).all()):
        raise ValueError("expected grey values in [0, 1]; divide bytes by 255")
    if kind == "threshold":
        return (grey > 0.5).to(grey.dtype)
    if kind == "fixed":
        generator = torch.Generator().manual_seed(FIXED_SEED)
    if generator is None:
        raise ValueError("expected a generator for the stochastic binarisation, got None")
    return coins(grey, generator)


def coins(grey: Tensor, generator: torch.Generator) -> Tensor:
    r"""Toss every pixel as a coin whose bias is its grey value, unchecked: for training loops.

    Args:
        grey: values in [0, 1], any shape.
        generator: source of the coins.

    Returns:
        Zeros and ones of the same shape and dtype, on the images' device.

    Example:
        >>> coins(torch.tensor([0.0, 1.0]), torch.Generator().manual_seed(0)).tolist()
        [0.0, 1.0]
    """
    noise = torch.rand(grey.shape, generator=generator, device=generator.device, dtype=grey.dtype)
    return (noise.to(grey.device) < grey).to(grey.dtype)
