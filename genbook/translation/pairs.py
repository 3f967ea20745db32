r"""Pictures to translate: pairs made from digits and photographs, and two styles without pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.kit import data
from genbook.kit.data import ImageSet


@dataclass(frozen=True)
class Pairs:
    r"""Inputs with their answers.

    Args:
        name: what becomes what.
        x: inputs, **[N, C, H, W]** in [0, 1].
        y: answers, **[N, C', H, W]** in [0, 1].
        labels: **[N]**; what class a pair belongs to.

    Raises:
        ValueError: if the three do not have one length and one height and width.
    """

    name: str
    x: Tensor
    y: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        """Refuse pairs that do not fit."""
        if (
            self.x.shape[2:] != self.y.shape[2:]
            or len({len(self.x), len(self.y), len(self.labels)}) > 1
        ):
            raise ValueError(
                f"Pairs: expected x, y of one size and one length, with as many labels; got "
                f"{list(self.x.shape)}, {list(self.y.shape)}, {list(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def side(self) -> int:
        """Height and width."""
        return self.x.shape[-1]

    def take(self, count: int) -> Pairs:
        """The first ``count`` pairs."""
        return Pairs(self.name, self.x[:count], self.y[:count], self.labels[:count])


def coarse(images: Tensor, block: int) -> Tensor:
    r"""Average over blocks, and draw each block in its mean: a thumbnail at full size.

    Args:
        images: **[N, C, H, W]**.
        block: side of a block; it has to divide H and W.

    Returns:
        The same shape. Applied twice it changes nothing more: it is an orthogonal projection.

    Raises:
        ValueError: if the block does not divide the sides.

    Example:
        >>> coarse(torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]]), 2).flatten().tolist()
        [0.5, 0.5, 0.5, 0.5]
    """
    if block < 1 or images.shape[-1] % block or images.shape[-2] % block:
        raise ValueError(f"expected a block that divides {list(images.shape[2:])}, got {block}")
    means = torch.nn.functional.avg_pool2d(images, block)
    return means.repeat_interleave(block, 2).repeat_interleave(block, 3)


def outline(images: Tensor, threshold: float = 0.5) -> Tensor:
    r"""1 on the pixels above the threshold that touch one at or below it, left, right, up or down.

    Args:
        images: **[N, C, H, W]**; outside the frame counts as below.
        threshold: where ink begins.

    Returns:
        The same shape, zeros and ones.

    Example:
        >>> int(outline(torch.ones(1, 1, 5, 5)).sum())
        16
    """
    ink = torch.nn.functional.pad((images > threshold).to(images), (1, 1, 1, 1))
    inner = ink[..., 1:-1, 1:-1]
    sides = ink[..., :-2, 1:-1] * ink[..., 2:, 1:-1] * ink[..., 1:-1, :-2] * ink[..., 1:-1, 2:]
    return inner * (1 - sides)


def grey(images: Tensor) -> Tensor:
    r"""The luma of colour images (ITU-R BT.601).

    Args:
        images: **[N, 3, H, W]**.

    Returns:
        **[N, 1, H, W]**.

    Raises:
        ValueError: if there are no three channels.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected colour images [N, 3, H, W], got {list(images.shape)}")
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=images.dtype, device=images.device)
    return (images * weights[:, None, None]).sum(1, keepdim=True)


def edges(images: Tensor) -> Tensor:
    r"""How steep the luma is, from forward differences, scaled to at most 1 in each image.

    Args:
        images: **[N, 3, H, W]**.

    Returns:
        **[N, 1, H, W]** in [0, 1].
    """
    luma = torch.nn.functional.pad(grey(images), (0, 1, 0, 1), mode="replicate")
    across = luma[..., :-1, 1:] - luma[..., :-1, :-1]
    down = luma[..., 1:, :-1] - luma[..., :-1, :-1]
    steep = (across.square() + down.square()).sqrt()
    return steep / steep.amax((1, 2, 3), keepdim=True).clamp_min(1e-3)


def thumbnails(images: ImageSet) -> Pairs:
    r"""Thumbnail → digit: blocks of 4×4 on MNIST (7×7 of them), of 2×2 on the 8×8 digits.

    Args:
        images: square, with sides that are multiples of 4.

    Returns:
        The pairs, in the set's order.
    """
    block = 4 if images.size[1] == 28 else 2
    small = images.size[1] // block
    return Pairs(
        f"{small}×{small} thumbnail → digit",
        coarse(images.images, block),
        images.images,
        images.labels,
    )


def outlines(images: ImageSet) -> Pairs:
    r"""Outline → digit.

    Args:
        images: grey digits.

    Returns:
        The pairs, in the set's order.
    """
    return Pairs("outline → digit", outline(images.images), images.images, images.labels)


def photographs(
    make: Callable[[Tensor], Tensor], name: str, split: str, *, count: int, side: int = 32
) -> Pairs:
    r"""A drawing of a patch → the patch in colour, from the photographs that the book carries.

    Args:
        make: :func:`edges` or :func:`grey`.
        name: what becomes what.
        split: ``"train"`` or ``"test"``; they share no pixel.
        count: how many patches, at random places.
        side: of a patch.

    Returns:
        The pairs; a label is the photograph's place.
    """
    source = torch.Generator().manual_seed(len(split))
    patches = data.photos(
        side, split, count=count, generator=source, channels=3, shrink=2, device="cpu"
    )
    return Pairs(name, make(patches.images), patches.images, patches.labels)


@dataclass(frozen=True)
class Domains:
    r"""Two heaps of pictures of which nobody knows what belongs to what.

    Args:
        name: of the two.
        block: side of the blocks that pictures of X are made of; 1 if they are not.
        x: **[N, C, H, W]** in [0, 1].
        y: **[M, C, H, W]** in [0, 1].
        x_labels: **[N]**, for scoring only.
        y_labels: **[M]**, for scoring only.
    """

    name: str
    block: int
    x: Tensor
    y: Tensor
    x_labels: Tensor
    y_labels: Tensor

    def take(self, count: int) -> Domains:
        """The first ``count`` of each."""
        return Domains(
            self.name,
            self.block,
            self.x[:count],
            self.y[:count],
            self.x_labels[:count],
            self.y_labels[:count],
        )


def domains(split: str) -> Domains:
    r"""Coarse digits and fine digits, from different writers.

    With MNIST: scikit-learn's 8×8 digits, each pixel a block of 3×3 on a 28×28 canvas, and MNIST.
    Without it: one half of the 8×8 digits averaged over blocks of 2×2, and the other half as it is.

    Args:
        split: ``"train"`` or ``"test"``.

    Returns:
        The two heaps, without a pair.
    """
    small, large = data.digits(split, device="cpu"), data.mnist(split, device="cpu")
    if large.name == "mnist":
        blocks = small.images.repeat_interleave(3, 2).repeat_interleave(3, 3)
        canvas = torch.nn.functional.pad(blocks, (2, 2, 2, 2))
        return Domains("8×8 digits ↔ MNIST", 3, canvas, large.images, small.labels, large.labels)
    half = len(small) // 2
    x, y = small.take(slice(0, half)), small.take(slice(half, len(small)))
    return Domains("4×4 digits ↔ 8×8 digits", 2, coarse(x.images, 2), y.images, x.labels, y.labels)


def in_blocks(images: Tensor, block: int) -> Tensor:
    r"""The nearest picture that domain X could hold: constant on each block, zero on the margin.

    Args:
        images: **[N, C, H, W]**.
        block: as in :class:`Domains`; the margin is what is left of the side, on both ends.

    Returns:
        The orthogonal projection, the same shape.

    Raises:
        ValueError: if the block is below 1 or wider than the image.
    """
    if not 1 <= block <= images.shape[-1]:
        raise ValueError(f"expected 1 ≤ block ≤ {images.shape[-1]}, got {block}")
    margin = (images.shape[-1] % 8) // 2 if block > 1 else 0
    inside = images[..., margin : images.shape[-2] - margin, margin : images.shape[-1] - margin]
    return torch.nn.functional.pad(coarse(inside, block), (margin,) * 4)
