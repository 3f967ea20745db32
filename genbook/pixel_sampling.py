r"""Painting pixel by pixel: the naive way, and with a cache of everything already computed."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad, relu

from genbook.pixel_masks import MaskedConv
from genbook.pixelcnn import GatedLayer, GatedPixelCNN, PixelCNN, PixelModel, gate

Step = Callable[[Tensor, int, int], Tensor]


def sample(
    net: PixelModel,
    canvas: Tensor,
    *,
    generator: torch.Generator,
    known: Tensor | None = None,
    labels: Tensor | None = None,
    cached: bool = True,
) -> Tensor:
    r"""Draw images, or what is missing in them.

    .. math:: x_i = \min\{\ell : u_i \le P(X_i \le \ell \mid x_{<i})\}, \qquad u_i \sim U(0, 1)

    All :math:`u_i` are drawn first, so the two ways turn the same luck into the same image.

    Args:
        net: the network.
        canvas: shape ``[N, C, H, W]``; read only where ``known``.
        generator: draws the :math:`u_i`, on the CPU.
        known: booleans ``[H, W]``: pixels to keep. Those after a missing pixel do not guide it.
        labels: of a conditional network, shape ``[N]``.
        cached: compute each feature once, instead of the whole network for each value.

    Returns:
        Images, shape ``[N, C, H, W]``.

    Raises:
        ValueError: if ``known`` has another shape, or there is no cache for this network.
    """
    height, width = canvas.shape[2:]
    kept = torch.zeros(height, width, dtype=torch.bool) if known is None else known
    if kept.shape != (height, width):
        raise ValueError(f"expected known pixels [{height}, {width}], got {list(kept.shape)}")
    luck = torch.rand(canvas.shape, generator=generator, dtype=torch.float64)
    x = torch.where(kept, canvas, torch.zeros_like(canvas))
    with torch.no_grad():
        step = _cache(net, x, labels) if cached else _naive(net, labels)
        for row in range(height):
            for column in range(width):
                for colour in range(net.colours):
                    if kept[row, column] and not cached:
                        continue
                    logits = step(x, row, column)[:, colour]
                    if not kept[row, column]:
                        x[:, colour, row, column] = _level(logits, luck[:, colour, row, column])
    return x


def _level(logits: Tensor, luck: Tensor) -> Tensor:
    """Invert the distribution function; shape [N]."""
    below = logits.double().softmax(1).cumsum(1)[:, :-1]
    return (luck[:, None] > below).sum(1).float() / (logits.shape[1] - 1)


def _naive(net: PixelModel, labels: Tensor | None) -> Step:
    return lambda x, row, column: net(x, labels)[..., row, column]


def _cache(net: PixelModel, x: Tensor, labels: Tensor | None) -> Step:
    if isinstance(net, PixelCNN):
        return _PlainCache(net, x)
    if isinstance(net, GatedPixelCNN):
        return _GatedCache(net, x, labels)
    raise ValueError(f"no cache for {type(net).__name__}; pass cached=False")


class _Matrix:
    """A masked convolution at one pixel: a matrix on a flattened window."""

    def __init__(self, conv: MaskedConv) -> None:
        self.weight = conv.open_weight.flatten(1).T.contiguous()
        self.bias: Tensor = conv.bias
        self.half: int = conv.reach

    def __call__(self, window: Tensor) -> Tensor:
        return torch.addmm(self.bias, window.flatten(1), self.weight)


class _PlainCache:
    """Each block keeps the features that its middle convolution looks at."""

    def __init__(self, net: PixelCNN, x: Tensor) -> None:
        self.net, self.first = net, _Matrix(net.first)
        self.blocks = [
            (_Matrix(block.squeeze), _Matrix(block.look), _Matrix(block.widen))  # type: ignore[arg-type]
            for block in net.blocks
        ]
        self.head = _Matrix(net.head.mix), _Matrix(net.head.out)
        self.seen = [
            x.new_zeros(
                len(x), squeeze.weight.shape[1], x.shape[2] + look.half, x.shape[3] + 2 * look.half
            )
            for squeeze, look, _ in self.blocks
        ]
        half = self.first.half
        self.image = pad(x, (half, half, half, 0))

    def __call__(self, x: Tensor, row: int, column: int) -> Tensor:
        half = self.first.half
        top = max(0, row - 1)  # the last pixel of the row above was drawn since
        self.image[:, :, top + half : row + half + 1, half:-half] = x[:, :, top : row + 1]
        h = self.first(_window(self.image, row, column, half))
        for (squeeze, look, widen), seen in zip(self.blocks, self.seen, strict=True):
            half = look.half
            seen[:, :, row + half, column + half] = relu(squeeze(relu(h)))
            h = h + widen(relu(look(_window(seen, row, column, half))))
        return _logits(self.head, h, self.net)


def _window(padded: Tensor, row: int, column: int, half: int) -> Tensor:
    return padded[:, :, row : row + half + 1, column : column + 2 * half + 1]


def _logits(head: tuple[_Matrix, _Matrix], h: Tensor, net: PixelModel) -> Tensor:
    mix, out = head
    return out(relu(mix(relu(h)))).unflatten(1, (net.colours, net.levels))


class _GatedCache:
    """The vertical stack a whole row at a time, the horizontal one pixel by pixel."""

    def __init__(self, net: GatedPixelCNN, x: Tensor, labels: Tensor | None) -> None:
        self.net, self.row = net, -1
        self.layers: list[GatedLayer] = list(net.layers)  # type: ignore[arg-type]
        self.shifts = [layer.shifts(labels) for layer in self.layers]
        self.matrices = [(_Matrix(layer.horizontal), _Matrix(layer.out)) for layer in self.layers]
        self.head = _Matrix(net.head.mix), _Matrix(net.head.out)
        self.rows = [
            x.new_zeros(len(x), layer.vertical.weight.shape[1], *x.shape[2:])
            for layer in self.layers
        ]

    def start(self, x: Tensor, row: int) -> None:
        """Everything the rows above say about this row, and empty horizontal features."""
        self.row, self.down = row, []
        self.rows[0] = x
        for index, layer in enumerate(self.layers):
            conv, (above, _) = layer.vertical, self.shifts[index]
            u = self._vertical(conv, self.rows[index], row)
            self.down.append(layer.down(u)[:, :, 0])
            if index + 1 < len(self.layers):
                v = gate(u[:, :, 0] + (above[..., None] if isinstance(above, Tensor) else above))
                self.rows[index + 1][:, :, row] = v
        self.left = [
            x.new_zeros(
                len(x), layer.horizontal.weight.shape[1], x.shape[3] + layer.horizontal.reach
            )
            for layer in self.layers
        ]

    def _vertical(self, conv: MaskedConv, v: Tensor, row: int) -> Tensor:
        tall, half = conv.weight.shape[2], conv.reach
        top = row - half
        rows = pad(v[:, :, max(0, top) : top + tall], (half, half, max(0, -top), 0))
        return conv2d(rows[:, :, :tall], conv.open_weight, conv.bias)

    def __call__(self, x: Tensor, row: int, column: int) -> Tensor:
        if row != self.row:
            self.start(x, row)
        h = x[:, :, row, column]
        self.left[0][:, :, self.matrices[0][0].half :] = x[:, :, row]
        for index, (look, out) in enumerate(self.matrices):
            half, left = look.half, self.left[index]
            left[:, :, column + half] = h
            shift = self.shifts[index][1]
            seen = look(left[:, :, column : column + half + 1])
            new = out(gate(seen + self.down[index][:, :, column] + shift))
            h = h + new if self.layers[index].residual else new
        return _logits(self.head, h, self.net)
