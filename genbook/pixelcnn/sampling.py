r"""Drawing images pixel by pixel: by the definition, and with what was computed before kept."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from genbook.pixelcnn.network_caches import recall
from genbook.pixelcnn.networks import PixelModel


def pick_level(logits: Tensor, noise: Tensor) -> Tensor:
    r"""Draw a level from a softmax: add noise to the logits and take the largest.

    .. math:: \ell = \arg\max_k\,(\ell_k + g_k), \qquad g_k = -\log(-\log u_k),\; u_k\sim U(0, 1)

    With this noise, Gumbel's, level k comes out with probability :math:`\mathrm{softmax}(\ell)_k`;
    with none, it is the likeliest level.

    Args:
        logits: shape ``[N, L]``.
        noise: g, of the same shape.

    Returns:
        Integers in 0, …, L − 1, shape ``[N]``.

    Example:
        >>> pick_level(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.5, 0.2]])).tolist()
        [0]
    """
    return (logits + noise).argmax(1)


def sample(
    model: PixelModel,
    count: int,
    size: tuple[int, int],
    generator: torch.Generator,
    *,
    labels: Tensor | None = None,
    start: Tensor | None = None,
    known: Tensor | None = None,
    cached: bool = True,
    greedy: bool = False,
) -> Tensor:
    r"""Draw images, one pixel at a time; with ``known`` pixels, complete them.

    Both ways take the same noise from the generator, so they give the same image. Without the cache
    each pixel costs a pass over the whole image; with it, the work of one pixel.

    Args:
        model: the network.
        count: N.
        size: height and width.
        generator: draws, on the CPU.
        labels: shape ``[N]``, for a conditional model.
        start: images ``[N, C, H, W]`` whose ``known`` pixels are kept.
        known: booleans ``[H, W]``.
        cached: keep what was computed; for a plain or gated PixelCNN and a Row LSTM.
        greedy: no noise: the likeliest level of each number.

    Returns:
        Images ``[N, C, H, W]`` on the model's levels.

    Raises:
        ValueError: if a number is not positive, ``start`` and ``known`` don't fit, or a network of
            another kind is to be cached.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> sample(net, 2, (5, 4), torch.Generator().manual_seed(1)).shape
        torch.Size([2, 1, 5, 4])
    """
    _check(model, count, size, start, known)
    weight = next(iter(model.parameters()))  # type: ignore[attr-defined]
    canvas = weight.new_zeros(*size, model.colours, count)
    x = canvas.permute(3, 2, 0, 1)
    given = torch.zeros(size, dtype=torch.bool) if known is None else known
    if start is not None:
        x.copy_(torch.where(given.to(x.device), start.to(x), x))
    with torch.inference_mode():
        way = recall(model, x.shape, labels) if cached else LongWay(model, x, labels)
        for row, line in enumerate(canvas):
            coins = torch.rand(
                *line.shape,
                model.levels,
                generator=generator,
                device=generator.device,
                dtype=torch.float64,
            )
            noise = torch.zeros_like(coins) if greedy else -torch.log(-torch.log(coins))
            way.enter_row(row)
            paint(way, line, noise.to(x), given[row].tolist())
    return x.contiguous()


def predictions(
    model: PixelModel, images: Tensor, *, labels: Tensor | None = None, cached: bool = True
) -> Tensor:
    r"""The logits met on the way through given images, pixel by pixel.

    They are those of a single pass over the whole images, since no output sees what comes later.

    Args:
        model: the network.
        images: on the model's levels, **[N, C, H, W]**.
        labels: shape ``[N]``, for a conditional model.
        cached: keep what was computed, as :func:`sample` does.

    Returns:
        Shape ``[N, C, L, H, W]``.

    Raises:
        ValueError: if the images are not of the model's colours, or a network of another kind is to
            be cached.

    Example:
        >>> from genbook.pixelcnn.networks import GatedPixelCNN
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0)).double()
        >>> x = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]], dtype=torch.float64)
        >>> bool((predictions(net, x) - net(x)).abs().max() < 1e-12)
        True
    """
    count, colours, height, width = images.shape
    _check(model, count, (height, width), None, None)
    if colours != model.colours:
        raise ValueError(f"expected images of {model.colours} colours, got {colours}")
    met = []
    with torch.inference_mode():
        canvas = torch.zeros_like(images)
        way = recall(model, canvas.shape, labels) if cached else LongWay(model, canvas, labels)
        for row in range(height):
            way.enter_row(row)
            for column in range(width):
                for colour in range(colours):
                    met.append(way.logits(column, colour).clone())
                    value = images[:, colour, row, column]
                    canvas[:, colour, row, column] = value
                    way.tell(column, colour, value)
    return torch.stack(met, -1).unflatten(-1, (height, width, colours)).permute(0, 4, 1, 2, 3)


def paint(way: Way, line: Tensor, noise: Tensor, given: list[bool]) -> None:
    r"""Fill a row from left to right.

    Args:
        way: gives the distribution of each number.
        line: shape ``[W, C, N]``; changed in place.
        noise: for :func:`pick_level`, shape ``[W, C, N, L]``.
        given: for each pixel, whether it is not to be drawn.
    """
    colours, levels = line.shape[1], noise.shape[3]
    grid = torch.arange(levels).to(line) / (levels - 1)
    numbers = zip(line.flatten(0, 1).unbind(), noise.flatten(0, 1).unbind(), strict=True)
    for place, (number, chance) in enumerate(numbers):
        column, colour = divmod(place, colours)
        logits = way.logits(column, colour)
        if not given[column]:
            torch.index_select(grid, 0, pick_level(logits, chance), out=number)
        way.tell(column, colour, number)


class Way(Protocol):
    """What drawing needs: rows, columns and colours are asked for in order."""

    def enter_row(self, row: int) -> None:
        """A row begins."""

    def logits(self, column: int, colour: int) -> Tensor:
        """The predictive distribution of one number, ``[N, L]``."""

    def tell(self, column: int, colour: int, value: Tensor) -> None:
        """The number is known, ``[N]``."""


class LongWay:
    r"""A pass over the whole image for each number.

    Args:
        model: the network.
        x: the canvas ``[N, C, H, W]``, read whenever a number is asked for.
        labels: as the network wants them.
    """

    def __init__(self, model: PixelModel, x: Tensor, labels: Tensor | None) -> None:
        self.model, self.x, self.labels, self.row = model, x, labels, 0

    def enter_row(self, row: int) -> None:
        """Remember nothing but where we are."""
        self.row = row

    def logits(self, column: int, colour: int) -> Tensor:
        """Ask the network about all pixels, and take one."""
        return self.model(self.x, self.labels)[:, colour, :, self.row, column]

    def tell(self, column: int, colour: int, value: Tensor) -> None:
        """Nothing to do: the canvas holds it."""


def _check(
    model: PixelModel,
    count: int,
    size: tuple[int, int],
    start: Tensor | None,
    known: Tensor | None,
) -> None:
    if count < 1 or min(size) < 1:
        raise ValueError(f"expected a count and a size ≥ 1, got {count} and {size}")
    if (start is None) != (known is None):
        raise ValueError("expected start and known together, or neither")
    if start is not None and known is not None:
        shape = (count, model.colours, *size)
        if start.shape != shape or known.shape != size or known.dtype != torch.bool:
            raise ValueError(
                f"expected start {list(shape)} and booleans {list(size)}, got "
                f"{list(start.shape)} and {known.dtype} {list(known.shape)}"
            )
