r"""What the VAE modules share: checks of shapes and grey values, noise, portions."""

from __future__ import annotations

import torch
from torch import Tensor


def noise_of(shape: tuple[int, ...], generator: torch.Generator, *, like: Tensor) -> Tensor:
    r"""Standard normal noise of a shape, where and of what type ``like`` is."""
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)


def portions(total: int, largest: int) -> list[int]:
    r"""Split ``total`` into parts no larger than ``largest``."""
    full, rest = divmod(total, largest)
    return [largest] * full + ([rest] if rest else [])


def check_last_axis(name: str, tensor: Tensor, size: int) -> None:
    r"""Raise ``ValueError`` unless the last axis has ``size`` entries."""
    if tensor.ndim == 0 or tensor.shape[-1] != size:
        raise ValueError(f"expected {name} of shape [..., {size}], got {list(tensor.shape)}")


def check_grey(images: Tensor) -> None:
    r"""Raise ``ValueError`` unless all values lie in [0, 1]."""
    if images.numel() == 0 or not (images.min() >= 0 and images.max() <= 1):
        found = f"{images.min():g} to {images.max():g}" if images.numel() else "no pixel"
        raise ValueError(f"expected grey values in [0, 1], got {found}; divide bytes by 255")


def check_matrix(name: str, tensor: Tensor) -> None:
    r"""Raise ``ValueError`` unless the shape is ``[N, ·]``."""
    if tensor.ndim != 2:
        raise ValueError(
            f"expected {name} of shape [N, ·], got {list(tensor.shape)}; flatten images with "
            ".flatten(1)"
        )
