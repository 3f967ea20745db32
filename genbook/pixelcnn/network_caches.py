r"""A memory for each of the three networks: what the rows above say, and how a row is wired."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import linear

from genbook.pixelcnn.masks import MaskedConv, check_labels
from genbook.pixelcnn.networks import (
    GatedLayer,
    GatedPixelCNN,
    Head,
    PixelCNN,
    PixelModel,
    ResidualBlock,
    gate,
)
from genbook.pixelcnn.row_cache import Above, Memory, Unit, affine, along, same
from genbook.pixelcnn.row_lstm import RowLayer, RowLSTM

Shape = tuple[int, int, int]
"""Images, rows, columns."""


def _gate(value: Tensor, door: Tensor) -> None:
    value.tanh_().mul_(door.sigmoid_())


def _lstm(o: Tensor, f: Tensor, i: Tensor, g: Tensor, cell: Tensor) -> None:
    cell.mul_(f.sigmoid_()).addcmul_(i.sigmoid_(), g.tanh_())
    o.sigmoid_().mul_(cell.tanh())


def _image(colours: int, tells: dict[str, Tensor]) -> Unit:
    return Unit("image", colours, 1, torch.relu_, tells)


def _head(head: Head) -> list[Unit]:
    channels = head.mix.weight.shape[0]
    return [
        Unit("h", channels, 1, torch.relu_, {"mix": affine(head.mix)}),
        Unit("mix", channels, 1, torch.relu_, {"logits": affine(head.out)}),
        Unit("logits", head.colours * head.levels, 1, torch.relu_),
    ]


class GatedMemory(Memory):
    r"""A gated PixelCNN: the vertical stack a row at a time, the horizontal one a pixel at a time.

    Args:
        model: the network.
        shape: images, rows and columns.
        labels: as the network wants them.

    Raises:
        ValueError: if the labels don't fit.
    """

    def __init__(self, model: GatedPixelCNN, shape: Shape, labels: Tensor | None) -> None:
        check_labels(labels, shape[0], model.classes)
        layers = self.layers = cast(list[GatedLayer], list(model.layers))
        units = [_image(model.colours, {"layer 0": along(layers[0].horizontal)})]
        for number, layer in enumerate(layers):
            out = affine(layer.out)
            later = {f"layer {k}": along(layers[k].horizontal, out) for k in _after(number, layers)}
            units.append(Unit(f"layer {number}", len(out), 2, _gate, {**later, "h": out}))
        super().__init__(units + _head(model.head), shape, model.colours, model.head.mix.weight)
        self.shifts = [layer.shifts(labels) for layer in layers]
        self.above = [_vertical(layer.vertical, shape) for layer in layers]
        self.down = [
            (layer.down.open_weight.flatten(1), layer.down.bias + layer.horizontal.bias)
            for layer in layers
        ]

    def enter_row(self, row: int) -> None:
        """One row of the vertical stack, which feeds the horizontal one."""
        if row:
            self.above[0].put(row - 1, self.finished("image"))
        drives = {}
        for number, (up, side) in enumerate(self.shifts):
            u = self.above[number].drive(row)
            drives[f"layer {number}"] = linear(u, *self.down[number]) + _on_row(side)
            if number + 1 < len(self.layers):
                self.above[number + 1].put(row, gate(u + _on_row(up), 2))
        self.begin(drives)


class PlainMemory(Memory):
    r"""A plain PixelCNN: each block keeps the rows that its convolution reads.

    Args:
        model: the network.
        shape: images, rows and columns.
    """

    def __init__(self, model: PixelCNN, shape: Shape) -> None:
        blocks = cast(list[ResidualBlock], list(model.blocks))
        self.streams = [f"h {number}" for number in range(len(blocks))] + ["h"]
        units = [_image(model.colours, dict.fromkeys(self.streams, along(model.first)))]
        for number, block in enumerate(blocks):
            squeeze, widen = affine(block.squeeze), affine(block.widen)
            names = f"squeeze {number}", f"look {number}"
            later = dict.fromkeys(self.streams[number + 1 :], widen)
            units += [
                Unit(self.streams[number], len(widen), 1, torch.relu_, {names[0]: squeeze}),
                Unit(names[0], len(squeeze), 1, torch.relu_, {names[1]: along(block.look)}),
                Unit(names[1], len(squeeze), 1, torch.relu_, later),
            ]
        super().__init__(units + _head(model.head), shape, model.colours, model.head.mix.weight)
        self.first = _plain(model.first, shape)
        self.looks = [_plain(block.look, shape) for block in blocks]

    def enter_row(self, row: int) -> None:
        """The part of each convolution that lies in finished rows."""
        if row:
            self.first.put(row - 1, self.finished("image"))
            for number, look in enumerate(self.looks):
                look.put(row - 1, self.finished(f"squeeze {number}"))
        drives = dict.fromkeys(self.streams, self.first.drive(row))
        drives |= {f"look {number}": look.drive(row) for number, look in enumerate(self.looks)}
        self.begin(drives)


class RowLSTMMemory(Memory):
    r"""A Row LSTM: of the rows above it needs the last states and the cells.

    Args:
        model: the network.
        shape: images, rows and columns.
    """

    def __init__(self, model: RowLSTM, shape: Shape) -> None:
        layers = self.layers = cast(list[RowLayer], list(model.layers))
        units = [_image(1, {"layer 0": along(layers[0].look)})]
        for number, layer in enumerate(layers):
            later = {f"layer {k}": along(layers[k].look) for k in _after(number, layers)}
            whole = {**later, "h": same(layer.channels, layer.state)}
            units.append(Unit(f"layer {number}", layer.channels, 4, _lstm, whole, cell=True))
        super().__init__(units + _head(model.head), shape, 1, model.head.mix.weight)
        self.above = [
            Above(layer.state[:, :, None], layer.look.bias, shape, up=1) for layer in layers
        ]

    def enter_row(self, row: int) -> None:
        """The convolution of the states of the row above."""
        for number, above in enumerate(self.above):
            if row:
                above.put(row - 1, self.finished(f"layer {number}"))
        self.begin({f"layer {number}": a.drive(row) for number, a in enumerate(self.above)})


def recall(model: PixelModel, shape: tuple[int, ...], labels: Tensor | None) -> Memory:
    r"""The memory that fits a network.

    Args:
        model: the network.
        shape: of the canvas, ``(N, C, H, W)``.
        labels: as the network wants them.

    Returns:
        It is asked for row by row.

    Raises:
        ValueError: if there is none for this kind of network, or the labels don't fit.
    """
    size = shape[0], shape[2], shape[3]
    if isinstance(model, GatedPixelCNN):
        return GatedMemory(model, size, labels)
    if isinstance(model, PixelCNN):
        return PlainMemory(model, size)
    if isinstance(model, RowLSTM):
        return RowLSTMMemory(model, size)
    raise ValueError(
        f"expected a PixelCNN, a GatedPixelCNN or a RowLSTM, got {type(model).__name__}; "
        "sample it with cached=False"
    )


def _after(number: int, layers: Sequence[object]) -> range:
    return range(number + 1, len(layers))


def _on_row(shift: Tensor | float) -> Tensor | float:
    return shift[:, None] if isinstance(shift, Tensor) else shift


def _vertical(conv: MaskedConv, shape: Shape) -> Above:
    return Above(conv.open_weight, conv.bias, shape, conv.reach)


def _plain(conv: MaskedConv, shape: Shape) -> Above:
    """The kernel without the pixel's own row."""
    return Above(conv.open_weight[:, :, :-1], conv.bias, shape, conv.reach)
