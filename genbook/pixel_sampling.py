r"""Drawing images pixel by pixel: by the definition, and with what was computed before kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import conv2d, linear, pad, relu

from genbook.pixel_masks import MaskedConv, check_labels
from genbook.pixelcnn import GatedLayer, GatedPixelCNN, PixelModel, gate


def pick_level(logits: Tensor, coin: Tensor) -> Tensor:
    r"""Draw a level from a softmax by inverting its distribution function.

    .. math:: \ell = \#\{k < L - 1 : u \ge P(0) + \dots + P(k)\}, \qquad u\sim U(0, 1)

    Args:
        logits: shape ``[N, L]``.
        coin: u, shape ``[N]``, in [0, 1).

    Returns:
        Integers in 0, …, L − 1, shape ``[N]``.

    Example:
        >>> pick_level(torch.zeros(2, 2), torch.tensor([0.4, 0.6])).tolist()
        [0, 1]
    """
    steps = logits.softmax(1).cumsum(1)[:, :-1]
    return (coin[:, None].to(steps.dtype) >= steps).sum(1)


@torch.no_grad()
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

    Both ways draw the same numbers from the generator in the same order, so they give the same
    image. Without the cache each pixel costs a pass over the whole image; with it, the work of one
    pixel. Only :class:`~genbook.pixelcnn.GatedPixelCNN` has a cache; other models go the long way.

    Args:
        model: the network.
        count: N.
        size: height and width.
        generator: draws, on the CPU.
        labels: shape ``[N]``, for a conditional model.
        start: images ``[N, C, H, W]`` whose ``known`` pixels are kept.
        known: booleans ``[H, W]``.
        cached: keep what was computed.
        greedy: take the likeliest level of each pixel and draw nothing.

    Returns:
        Images ``[N, C, H, W]`` on the model's levels.

    Raises:
        ValueError: if a number is not positive, or ``start`` and ``known`` don't fit.

    Example:
        >>> net = GatedPixelCNN(4, 1, generator=torch.Generator().manual_seed(0))
        >>> sample(net, 2, (5, 4), torch.Generator().manual_seed(1)).shape
        torch.Size([2, 1, 5, 4])
    """
    _check(model, count, size, start, known)
    weight = next(iter(model.parameters()))  # type: ignore[attr-defined]
    x = torch.zeros(count, model.colours, *size, dtype=weight.dtype, device=weight.device)
    if start is not None and known is not None:
        x = torch.where(known, start.to(x), x)
    keeps = cached and isinstance(model, GatedPixelCNN)
    logits = _cached(model, x, labels) if keeps else _naive(model, x, labels)  # type: ignore[arg-type]
    for row, column, colour, value in logits:
        coin = torch.rand(count, generator=generator).to(x.device)
        if known is None or not bool(known[row, column]):
            level = value.argmax(1) if greedy else pick_level(value, coin)
            x[:, colour, row, column] = level.to(x) / (model.levels - 1)
    return x


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


Draw = tuple[int, int, int, Tensor]


def _naive(model: PixelModel, x: Tensor, labels: Tensor | None) -> Iterator[Draw]:
    """Row, column, colour and logits [N, L]; the caller fills x in between."""
    for row in range(x.shape[2]):
        for column in range(x.shape[3]):
            for colour in range(x.shape[1]):
                yield row, column, colour, model(x, labels)[:, colour, :, row, column]


def _cached(model: GatedPixelCNN, x: Tensor, labels: Tensor | None) -> Iterator[Draw]:
    memory = Memory(model, x, labels)
    for row in range(x.shape[2]):
        memory.enter_row(row)
        for column in range(x.shape[3]):
            for colour in range(x.shape[1]):
                yield row, column, colour, memory.logits(row, column)[:, colour]


class Memory:
    r"""What a gated PixelCNN has computed so far.

    The vertical stack depends on rows above only: one row of it is computed when a row begins. The
    horizontal stack then costs a few products of one pixel's features.

    Args:
        model: the network.
        x: the canvas ``[N, C, H, W]``, read whenever a pixel is asked for.
        labels: as the network wants them.

    Raises:
        ValueError: if the labels don't fit.
    """

    def __init__(self, model: GatedPixelCNN, x: Tensor, labels: Tensor | None) -> None:
        check_labels(labels, len(x), model.classes)
        self.model, self.x = model, x
        self.layers = cast(list[GatedLayer], list(model.layers))
        self.shifts = [layer.shifts(labels) for layer in self.layers]
        self.above = [self._canvas(layer.vertical) for layer in self.layers]
        self.left = [self._canvas(layer.horizontal)[:, :, 0] for layer in self.layers]
        self.rows: list[Tensor] = []
        self.weights = [(_flat(layer.horizontal), _flat(layer.out)) for layer in self.layers]
        self.head = (_flat(model.head.mix), _flat(model.head.out))

    def _canvas(self, conv: MaskedConv) -> Tensor:
        count, _, height, width = self.x.shape
        empty = self.x.new_zeros(count, conv.weight.shape[1], height, width)
        return pad(empty, (conv.reach, conv.reach, conv.reach, 0))

    def enter_row(self, row: int) -> None:
        r"""Compute the vertical stack of one row; rows come in order.

        Args:
            row: from 0.
        """
        self.rows = []
        first = self.layers[0].vertical.reach
        if row:
            self.above[0][:, :, first + row - 1, first : -first or None] = self.x[:, :, row - 1]
        for number, layer in enumerate(self.layers):
            conv, (up, side) = layer.vertical, self.shifts[number]
            seen = self.above[number][:, :, row : row + conv.weight.shape[2]]
            u = conv2d(seen, conv.open_weight, conv.bias)
            drive = layer.down(u)[:, :, 0]
            self.rows.append(drive + (side[:, :, None] if isinstance(side, Tensor) else side))
            self.left[number].zero_()
            if number + 1 < len(self.layers):
                half = self.layers[number + 1].vertical.reach
                shifted = u + (up[:, :, None, None] if isinstance(up, Tensor) else up)
                self.above[number + 1][:, :, half + row, half : -half or None] = gate(shifted)[
                    :, :, 0
                ]

    def _read(self, row: int, column: int) -> None:
        """What was painted since: the pixel before, and the colours of this one."""
        low, half = max(0, column - 1), self.layers[0].horizontal.reach
        self.left[0][:, :, half + low : half + column + 1] = self.x[:, :, row, low : column + 1]

    def logits(self, row: int, column: int) -> Tensor:
        r"""The predictive distribution of one pixel.

        Args:
            row: the row that was entered last.
            column: columns come in order.

        Returns:
            Shape ``[N, C, L]``.
        """
        self._read(row, column)
        h = self.x[:, :, row, column]
        for number, layer in enumerate(self.layers):
            half, held = layer.horizontal.reach, self.left[number]
            held[:, :, half + column] = h
            (look, bias), (mix, mix_bias) = self.weights[number]
            seen = held[:, :, column : column + half + 1].flatten(1)
            signal = linear(seen, look, bias) + self.rows[number][:, :, column]
            new = linear(gate(signal), mix, mix_bias)
            h = h + new if layer.residual else new
        (mix, mix_bias), (out, out_bias) = self.head
        logits = linear(relu(linear(relu(h), mix, mix_bias)), out, out_bias)
        return logits.unflatten(1, (self.model.colours, self.model.levels))


def _flat(conv: MaskedConv) -> tuple[Tensor, Tensor]:
    """The weights [outputs, inputs · columns] of a kernel with one row, and the bias."""
    return conv.open_weight.flatten(1).detach(), conv.bias.detach()
