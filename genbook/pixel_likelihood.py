r"""Exact likelihoods of pixel models: nats and bits, binarisation, training."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from genbook.pixelcnn import PixelModel

BINARISATIONS = ("threshold", "stochastic")


def binarised(images: Tensor, how: str, generator: torch.Generator | None = None) -> Tensor:
    r"""Grey images as black and white ones.

    ``threshold``: white above ½. ``stochastic``: white with the probability of its grey value.
    Drawn once and kept, that is the fixed binarisation of the literature; drawn anew for each
    batch, it is the stochastic one.

    Args:
        images: values in [0, 1].
        how: one of :data:`BINARISATIONS`.
        generator: draws, for ``stochastic``.

    Returns:
        Zeros and ones of the same shape.

    Raises:
        ValueError: for an unknown word, a missing generator or values outside [0, 1].

    Example:
        >>> binarised(torch.tensor([0.2, 0.9]), "threshold").tolist()
        [0.0, 1.0]
    """
    if how not in BINARISATIONS:
        raise ValueError(f"expected one of {', '.join(BINARISATIONS)}, got {how!r}")
    if not bool(((images >= 0) & (images <= 1)).all()):
        raise ValueError("expected values in [0, 1]; divide bytes by 255")
    if how == "threshold":
        return (images > 0.5).float()
    if generator is None:
        raise ValueError("expected a generator for stochastic binarisation, got None")
    return torch.bernoulli(images, generator=generator)


def surprise(net: PixelModel, images: Tensor, labels: Tensor | None = None) -> Tensor:
    r"""What each value costs, given all values before it, in nats.

    .. math:: -\log p(x_i \mid x_{<i}), \qquad -\log p(x) = \sum_i -\log p(x_i\mid x_{<i})

    Args:
        net: gives logits ``[N, C, L, H, W]``.
        images: on the grid of L levels, shape ``[N, C, H, W]``.
        labels: of a conditional network, shape ``[N]``.

    Returns:
        Shape ``[N, C, H, W]``.

    Raises:
        ValueError: if a value is not on the grid.
    """
    levels = (images * (net.levels - 1)).round()
    if not torch.allclose(levels / (net.levels - 1), images, atol=1e-5):
        raise ValueError(
            f"expected values on a grid of {net.levels} levels; binarise or round them"
        )
    logits = net(images, labels).transpose(1, 2)
    return cross_entropy(logits, levels.long(), reduction="none")


def nll(net: PixelModel, images: Tensor, labels: Tensor | None = None) -> Tensor:
    r"""Exact negative log-likelihood of whole images, in nats.

    Args:
        net: as in :func:`surprise`.
        images: shape ``[N, C, H, W]``.
        labels: shape ``[N]``, or ``None``.

    Returns:
        Shape ``[N]``.

    Raises:
        ValueError: as :func:`surprise`.
    """
    with torch.no_grad():
        return surprise(net, images, labels).flatten(1).sum(1)


def bits_per_dim(nats: Tensor, dimensions: int) -> Tensor:
    r"""Nats of an image as bits of one value.

    .. math:: \frac{-\log p(x)}{D\,\log 2}

    Args:
        nats: any shape.
        dimensions: D = C · H · W.

    Returns:
        The same shape.

    Raises:
        ValueError: if D is not positive.

    Example:
        >>> round(bits_per_dim(torch.tensor(784 * math.log(2)), 784).item(), 6)
        1.0
    """
    if dimensions < 1:
        raise ValueError(f"expected at least one dimension, got {dimensions}")
    return nats / (dimensions * math.log(2))


def every_image(height: int, width: int) -> Tensor:
    r"""All binary images of a size.

    Args:
        height: rows.
        width: columns; at most 16 pixels in all.

    Returns:
        Shape ``[2^{HW}, 1, H, W]``.

    Raises:
        ValueError: if there are too many.

    Example:
        >>> every_image(3, 3).shape
        torch.Size([512, 1, 3, 3])
    """
    pixels = height * width
    if not 1 <= pixels <= 16:
        raise ValueError(f"expected 1 to 16 pixels, got {pixels}")
    numbers = torch.arange(2**pixels)[:, None]
    return ((numbers >> torch.arange(pixels)) & 1).float().view(-1, 1, height, width)


def train(
    net: nn.Module,
    images: Tensor,
    *,
    steps: int,
    generator: torch.Generator,
    labels: Tensor | None = None,
    how: str | None = None,
    batch: int = 16,
    rate: float = 3e-3,
) -> Iterator[float]:
    r"""Minimise the mean surprise with Adam and a rate that falls to zero.

    Args:
        net: a :class:`~genbook.pixelcnn.PixelModel`.
        images: shape ``[N, C, H, W]``.
        steps: minibatches.
        generator: draws minibatches and coins.
        labels: shape ``[N]``, for a conditional network.
        how: binarise each batch so; ``None`` if the images are on the grid already.
        batch: images a step.
        rate: the first learning rate.

    Yields:
        The loss in nats an image.

    Raises:
        ValueError: if there is no step or no image.
    """
    if steps < 1 or batch < 1 or len(images) == 0:
        raise ValueError(
            f"expected steps, batch and images ≥ 1, got {steps}, {batch}, {len(images)}"
        )
    optimiser = torch.optim.Adam(net.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        rows = torch.randint(len(images), (batch,), generator=generator)
        x = images[rows] if how is None else binarised(images[rows], how, generator)
        loss = surprise(net, x, None if labels is None else labels[rows]).sum() / batch  # type: ignore[arg-type]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        yield loss.item()
