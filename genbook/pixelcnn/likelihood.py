r"""Exact likelihood of images under a pixel model: binarisation, nats, bits, and training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbook.kit import data
from genbook.kit.data import BINARISATIONS, binarise
from genbook.kit.training import Step, finite
from genbook.pixelcnn.networks import PixelModel


def quantise(images: Tensor, levels: int) -> Tensor:
    r"""The nearest of L evenly spaced values.

    Args:
        images: values in [0, 1].
        levels: L ≥ 2.

    Returns:
        Values 0, 1/(L−1), …, 1.

    Raises:
        ValueError: if there are fewer than two levels.

    Example:
        >>> quantise(torch.tensor([0.1, 0.4, 0.9]), 3).tolist()
        [0.0, 0.5, 1.0]
    """
    return _places(images, levels).to(images.dtype) / (levels - 1)


def _places(images: Tensor, levels: int) -> Tensor:
    if levels < 2:
        raise ValueError(f"expected at least two levels, got {levels}")
    return (images * (levels - 1)).round().long()


def level_of(images: Tensor, levels: int) -> Tensor:
    r"""The number of each pixel's level, 0, …, L − 1.

    Args:
        images: on the grid 0, 1/(L−1), …, 1.
        levels: L ≥ 2.

    Returns:
        Integers of the same shape.

    Raises:
        ValueError: if a value is not one of the levels; binarise or quantise first.

    Example:
        >>> level_of(torch.tensor([0.0, 0.5, 1.0]), 3).tolist()
        [0, 1, 2]
    """
    places = _places(images, levels)
    off = (places.to(images.dtype) / (levels - 1) - images).abs().max()
    if not bool(off < 1e-4) or int(places.min()) < 0 or int(places.max()) >= levels:
        raise ValueError(
            f"expected pixels on {levels} levels between 0 and 1, got others; "
            "call binarise or quantise first"
        )
    return places


def pixel_nll(model: PixelModel, x: Tensor, labels: Tensor | None = None) -> Tensor:
    r"""What each pixel and colour costs, in nats.

    .. math:: -\log p\big(x_g(r,c)\mid \text{all before}\big)

    Args:
        model: the network.
        x: images on the grid of its levels, shape ``[N, C, H, W]``.
        labels: shape ``[N]``, if the model wants them.

    Returns:
        Shape ``[N, C, H, W]``.

    Raises:
        ValueError: if a value is not one of the levels; binarise or quantise first.
    """
    places = level_of(x, model.levels)
    return cross_entropy(model(x, labels).transpose(1, 2), places, reduction="none")


@torch.no_grad()
def nll(
    model: PixelModel, images: Tensor, labels: Tensor | None = None, *, batch: int = 200
) -> Tensor:
    r"""Exact negative log-likelihood of whole images: one forward pass.

    .. math:: -\log p(x) = -\sum_i \log p(x_i\mid x_1,\dots,x_{i-1})

    Args:
        model: the network.
        images: on the grid of its levels, shape ``[N, C, H, W]``.
        labels: shape ``[N]``, if the model wants them.
        batch: images at a time.

    Returns:
        Nats, shape ``[N]``.

    Raises:
        ValueError: as :func:`pixel_nll`.
    """
    shares = labels.split(batch) if labels is not None else [None] * -(-len(images) // batch)
    costs = [
        pixel_nll(model, x, y).flatten(1).sum(1)
        for x, y in zip(images.split(batch), shares, strict=True)
    ]
    return torch.cat(costs)


def bits_per_dim(nats: float | Tensor, dimensions: int) -> float:
    r"""Nats of an image as bits of one number in it.

    .. math:: \frac{\text{nats}}{D\log2}

    Args:
        nats: of a whole image.
        dimensions: D, pixels times colours.

    Returns:
        Bits per dimension.

    Raises:
        ValueError: if there is no dimension.

    Example:
        >>> round(bits_per_dim(3072 * math.log(256), 3072), 6)
        8.0
    """
    if dimensions < 1:
        raise ValueError(f"expected at least one dimension, got {dimensions}")
    return float(nats) / (dimensions * math.log(2))


def all_images(height: int, width: int, *, colours: int = 1, levels: int = 2) -> Tensor:
    r"""Every image there is of a size.

    Args:
        height: rows.
        width: columns.
        colours: 1 or 3.
        levels: of a pixel.

    Returns:
        Shape ``[levels^(colours · height · width), colours, height, width]``, doubles.

    Raises:
        ValueError: if there are more than 2¹⁶.

    Example:
        >>> all_images(3, 3).shape
        torch.Size([512, 1, 3, 3])
    """
    numbers = colours * height * width
    if levels**numbers > 2**16:
        raise ValueError(f"expected at most 65536 images, got {levels}^{numbers}; take fewer")
    rows = torch.tensor(list(product(range(levels), repeat=numbers)), dtype=torch.float64)
    return (rows / (levels - 1)).view(-1, colours, height, width)


@dataclass(frozen=True)
class PixelTraining:
    r"""How to train.

    Args:
        steps: minibatches.
        batch: images in one.
        lr: Adam's step size.
        binarisation: one of :data:`BINARISATIONS`, or ``None`` for images on the model's levels.
        every: a step is yielded each so many minibatches.
        falling: over this last share of the minibatches the step size falls in a straight line.
        low: the factor on the step size at the end.

    Raises:
        ValueError: if a number is not positive or the word is unknown.
    """

    steps: int
    batch: int = 32
    lr: float = 3e-3
    binarisation: str | None = "stochastic"
    every: int = 20
    falling: float = 1 / 3
    low: float = 0.1

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.every) < 1 or self.lr <= 0:
            raise ValueError(f"expected positive numbers, got {self}")
        if not (0 < self.falling <= 1 and 0 <= self.low <= 1):
            raise ValueError(f"expected shares between 0 and 1, got {self}")
        if self.binarisation is not None and self.binarisation not in BINARISATIONS:
            words = ", ".join(BINARISATIONS)
            raise ValueError(f"expected a binarisation out of {words}, got {self.binarisation!r}")

    def rate(self, step: int) -> float:
        r"""The factor on the step size: 1, then down to ``low`` in a straight line.

        Args:
            step: from 0.

        Returns:
            In [low, 1].

        Example:
            >>> PixelTraining(steps=30).rate(10), round(PixelTraining(steps=30).rate(30), 6)
            (1.0, 0.1)
        """
        late = 1 - (1 - step / self.steps) / self.falling
        return 1 - (1 - self.low) * min(1.0, max(0.0, late))


def train(
    model: nn.Module,
    images: Tensor,
    config: PixelTraining,
    generator: torch.Generator,
    labels: Tensor | None = None,
) -> Iterator[Step]:
    r"""Maximum likelihood by Adam.

    Args:
        model: a pixel model; changed in place.
        images: grey in [0, 1] if they are binarised, else on the model's levels, ``[N, C, H, W]``.
        config: how.
        generator: draws minibatches and coins, on the CPU.
        labels: shape ``[N]``, for a conditional model.

    Yields:
        Steps with the term ``nll``, nats an image on the minibatch.

    Raises:
        ValueError: as :func:`pixel_nll`.
    """
    optimiser = torch.optim.Adam(model.parameters(), lr=config.lr)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, config.rate)
    if config.binarisation in ("fixed", "threshold"):
        images = binarise(images, config.binarisation)
    places = torch.arange(len(images), device=images.device)
    order = data.batches(places, min(config.batch, len(images)), generator, steps=config.steps)
    for index, chosen in enumerate(order):
        x = images[chosen]
        if config.binarisation == "stochastic":
            x = binarise(x, "stochastic", generator)
        y = None if labels is None else labels[chosen]
        loss = pixel_nll(model, x, y).flatten(1).sum(1).mean()  # type: ignore[arg-type]
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 200.0)
        optimiser.step()
        falling.step()
        terms = finite(index, nll=loss)
        if index % config.every == 0 or index == config.steps - 1:
            yield Step(index, config.steps, terms)
