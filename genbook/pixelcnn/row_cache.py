r"""What the pixels of a row tell each other: the part of a cache that all networks share.

A naive sampler asks at every pixel for everything it depends on. Here a number that is computed
*tells*: at once, times its weights, it is added to the signals of all that will ever read it on its
row. When the turn of a pixel comes its signals are complete, and nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import linear, pad

from genbook.pixelcnn.masks import MaskedConv

Bend = Callable[..., object]
"""``bend(*parts)`` turns the first of its parts into values, in place."""

Step = tuple[Bend, tuple[Tensor, ...], Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Unit:
    r"""A nonlinearity of a pixel: signals in, values out, and who is told.

    Args:
        name: the name by which others tell it something.
        width: how many values it has; a multiple of the colours.
        parts: how many signals a value is made of (a rectifier 1, a gate 2, an LSTM 4).
        bend: the function; the first part becomes the values.
        tells: unit → kernel ``[its signals, 1 + width, taps]``. Tap t reaches the pixel t columns
            to the right; the first input is the constant 1.
        cell: it has a cell for each column, which is the last of the parts and lasts over rows.
    """

    name: str
    width: int
    parts: int
    bend: Bend
    tells: Mapping[str, Tensor] = field(default_factory=dict)
    cell: bool = False


def affine(conv: MaskedConv) -> Tensor:
    r"""A 1×1 convolution as a kernel: its bias, then its weights.

    Args:
        conv: with a kernel of side 1.

    Returns:
        Shape ``[outputs, 1 + inputs, 1]``.
    """
    return torch.cat([conv.bias[:, None], conv.open_weight.flatten(1)], 1)[..., None]


def same(width: int, like: Tensor) -> Tensor:
    r"""The kernel that passes values on as they are.

    Args:
        width: how many.
        like: gives dtype and device.

    Returns:
        Shape ``[width, 1 + width, 1]``.
    """
    return pad(torch.eye(width).to(like), (1, 0))[..., None]


def along(conv: MaskedConv, first: Tensor | None = None) -> Tensor:
    r"""What a masked convolution does along the row of the pixel, without its bias.

    .. math:: K_{oit} = \sum_m w_{om}(0, -t)\, A_{mi}

    Args:
        conv: any stack but the vertical one.
        first: A, an :func:`affine` map that comes before it, ``[m, 1 + inputs, 1]``; the identity
            by default.

    Returns:
        Shape ``[outputs, 1 + inputs, taps]``.
    """
    taps = conv.open_weight[:, :, -1, : conv.reach + 1].flip(-1)
    first = same(taps.shape[1], taps) if first is None else first
    return torch.einsum("omt,mi->oit", taps, first[..., 0])


class Above:
    r"""A convolution over rows that are finished, one row of it at a time.

    Args:
        weight: shape ``[outputs, inputs, rows, columns]``; its first row lies ``up`` above.
        bias: shape ``[outputs]``.
        shape: images, rows and columns.
        up: how many rows the kernel begins above the pixel.
    """

    def __init__(self, weight: Tensor, bias: Tensor, shape: tuple[int, int, int], up: int) -> None:
        count, height, width = shape
        inputs, rows, columns = weight.shape[1:]
        half = columns // 2
        self.weight, self.bias, self.rows = weight.flatten(1), bias, rows
        held = weight.new_zeros(count, height + up, width + 2 * half, inputs)
        self.inside = held[:, up:, half : half + width].unbind(1)
        if rows:
            self.windows = held.unfold(1, rows, 1).unfold(2, columns, 1).unbind(1)

    def put(self, row: int, values: Tensor) -> None:
        r"""A row is finished.

        Args:
            row: from 0.
            values: shape ``[N, W, inputs]``.
        """
        self.inside[row].copy_(values)

    def drive(self, row: int) -> Tensor:
        r"""One row of the convolution.

        Args:
            row: from 0; the rows above it have been put.

        Returns:
            Shape ``[N, W, outputs]``, or the bias ``[outputs]`` if the kernel has no rows.
        """
        if not self.rows:
            return self.bias
        return linear(self.windows[row].flatten(2), self.weight, self.bias)


class Memory:
    r"""The signals of one row of pixels.

    Units are evaluated in their order; each tells only units that come after it, or pixels to its
    right. The first one is the image; the last one, whose signals are the logits, tells nobody.
    With colours, a unit is evaluated a colour at a time: R, then G, then B. All signals lie in one
    tensor; before those of a unit and a colour stands the constant 1.

    Args:
        units: what a pixel is made of.
        shape: images, rows and columns.
        colours: 1 or 3.
        like: gives dtype and device.
    """

    def __init__(
        self, units: Sequence[Unit], shape: tuple[int, int, int], colours: int, like: Tensor
    ) -> None:
        count, _, width = shape
        self.starts, self.total, self.colours = {}, 0, colours
        for unit in units:
            self.starts[unit.name] = self.total
            self.total += colours + unit.parts * unit.width
        reach = max(kernel.shape[2] for unit in units for kernel in unit.tells.values())
        self.signals = like.new_zeros(count, (width + reach - 1) * self.total)
        self.table = self.signals.view(count, -1, self.total)[:, :width]
        self.views = {unit.name: self._view(self.table, unit) for unit in units}
        for unit in units:
            self._blocks(self.table, unit)[..., 0] = 1.0
        self.blank = self.signals.clone()
        image, *middle, last = units
        steps = {unit.name: self._steps(unit, self._weights(unit, units)) for unit in units[:-1]}
        self.pixels = steps[image.name]
        self.steps = [
            list(zip(*(steps[unit.name][colour] for unit in middle), strict=True))
            for colour in range(colours)
        ]
        self.answers = [self.views[last.name][:, :, 0, k].unbind(1) for k in range(colours)]

    def _blocks(self, table: Tensor, unit: Unit) -> Tensor:
        """The part [..., colours, 1 + signals of a colour] of a table [..., total]."""
        start, size = self.starts[unit.name], self.colours + unit.parts * unit.width
        return table[..., start : start + size].unflatten(-1, (self.colours, -1))

    def _view(self, table: Tensor, unit: Unit) -> Tensor:
        """The signals of a unit, [..., parts, colours, width / colours]."""
        signals = self._blocks(table, unit)[..., 1:]
        return signals.unflatten(-1, (unit.parts, -1)).transpose(-2, -3)

    def _weights(self, unit: Unit, units: Sequence[Unit]) -> tuple[Tensor, int]:
        """What a unit tells, [1 + width, a stretch of signals], and where the stretch begins."""
        readers = [reader for reader in units if reader.name in unit.tells]
        taps = max(kernel.shape[2] for kernel in unit.tells.values())
        told = self.signals.new_zeros(1 + unit.width, taps, self.total)
        for reader in readers:
            kernel = unit.tells[reader.name].permute(1, 2, 0)
            mine = self._view(told[:, : kernel.shape[1]], reader)
            mine += kernel.unflatten(-1, mine.shape[2:])
        begin, last = self.starts[readers[0].name], readers[-1]
        end = self.starts[last.name] + self.colours + last.parts * last.width
        return told.flatten(1)[:, begin : (taps - 1) * self.total + end].contiguous(), begin

    def _steps(self, unit: Unit, told: tuple[Tensor, int]) -> list[list[Step]]:
        """For each colour and column: bend, parts, what tells, who is told, the weight."""
        weights, begin = told
        stretches = self.signals[:, begin:].unfold(1, weights.shape[1], self.total)
        heard = stretches[:, : self.table.shape[1]].unbind(1)
        constant, *shares = weights.split([1] + [unit.width // self.colours] * self.colours)
        steps = []
        for colour, share in enumerate(shares):
            weight = torch.cat([constant if colour == 0 else 0 * constant, share])
            parts = [part.unbind(1) for part in self.views[unit.name][:, :, :, colour].unbind(2)]
            if unit.cell:
                parts.append(tuple(torch.zeros_like(values) for values in parts[0]))
            tellers = self._blocks(self.table, unit)[:, :, colour, : len(weight)].unbind(1)
            columns = zip(zip(*parts, strict=True), tellers, heard, strict=True)
            steps.append([(unit.bend, mine, teller, who, weight) for mine, teller, who in columns])
        return steps

    def finished(self, name: str) -> Tensor:
        r"""The values of a unit on the row, once it is painted.

        Args:
            name: of the unit.

        Returns:
            Shape ``[N, W, width]``.
        """
        return self.views[name][:, :, 0].flatten(2)

    def begin(self, drives: Mapping[str, Tensor]) -> None:
        r"""A row begins: signals are what the rows above say, and nothing else yet.

        Args:
            drives: unit → signals, shape ``[N, W, parts · width]`` or what broadcasts to it.
        """
        self.signals.copy_(self.blank)
        for name, drive in drives.items():
            signals = self.views[name]
            signals.copy_(drive.unflatten(-1, signals.shape[2:]))

    def enter_row(self, row: int) -> None:
        r"""Compute what the rows above say, and :meth:`begin`. Every network does it its own way.

        Args:
            row: rows come in order.
        """
        raise NotImplementedError

    def tell(self, column: int, colour: int, value: Tensor) -> None:
        r"""A number of the image is known.

        Args:
            column: of the row that was entered last.
            colour: which.
            value: shape ``[N]``.
        """
        _, (pixel,), teller, told, weight = self.pixels[colour][column]
        pixel.copy_(value[:, None])
        told.addmm_(teller, weight)

    def logits(self, column: int, colour: int) -> Tensor:
        r"""The predictive distribution of one number.

        Args:
            column: columns come in order.
            colour: colours come in order.

        Returns:
            Shape ``[N, L]``.
        """
        for bend, parts, teller, told, weight in self.steps[colour][column]:
            bend(*parts)
            told.addmm_(teller, weight)
        return self.answers[colour][column]
