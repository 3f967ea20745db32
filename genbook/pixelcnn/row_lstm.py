r"""Recurrent networks over pixels: the grid recurrence, by diagonals, and a small Row LSTM."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, pad

from genbook.pixelcnn.masks import MaskedConv, check_images
from genbook.pixelcnn.networks import Head


def skew(x: Tensor) -> Tensor:
    r"""Shift each row one step further to the right, so that diagonals become columns.

    .. math:: \tilde x(r, r + c) = x(r, c), \qquad [H, W] \to [H, W + H - 1]

    Args:
        x: shape ``[..., H, W]``.

    Returns:
        Shape ``[..., H, W + H − 1]``, zeros in the corners.

    Raises:
        ValueError: if there are no rows and columns.

    Source:
        *Pixel recurrent neural networks*, figure 3.

    Example:
        >>> skew(torch.tensor([[1, 2], [3, 4]])).tolist()
        [[1, 2, 0], [0, 3, 4]]
    """
    if x.ndim < 2:
        raise ValueError(f"expected rows and columns [..., H, W], got {list(x.shape)}")
    height, width = x.shape[-2:]
    wide = pad(x, (0, height)).flatten(-2)  # rows of W + H, read with a stride of W + H − 1
    return wide[..., : height * (width + height - 1)].unflatten(-1, (height, -1))


def unskew(x: Tensor) -> Tensor:
    r"""Undo :func:`skew`.

    Args:
        x: shape ``[..., H, W + H − 1]``.

    Returns:
        Shape ``[..., H, W]``.

    Raises:
        ValueError: if the width is less than the height.

    Example:
        >>> unskew(skew(torch.tensor([[1, 2], [3, 4]]))).tolist()
        [[1, 2], [3, 4]]
    """
    if x.ndim < 2 or x.shape[-1] < x.shape[-2]:
        raise ValueError(f"expected skewed rows [..., H, W + H − 1], got {list(x.shape)}")
    height = x.shape[-2]
    flat = pad(x.flatten(-2), (0, height)).unflatten(-1, (height, -1))
    return flat[..., : x.shape[-1] + 1 - height]


class GridRecurrence(nn.Module):
    r"""A state at each pixel that is computed from its two neighbours.

    .. math:: h(x, y) = \tanh\big(A\,h(x-1, y) + B\,h(x, y-1) + U\,i(x, y) + b\big)

    Here x counts columns, y rows, and the input i holds the pixel to the left and the pixel above,
    so no state has seen its own pixel. All states of one diagonal x + y can be computed at once.

    Args:
        channels: of the state.
        colours: of the image.
        generator: draws the weights.

    Raises:
        ValueError: if a number is not positive.

    Example:
        >>> net = GridRecurrence(4, generator=torch.Generator().manual_seed(0))
        >>> net(torch.zeros(2, 1, 3, 5)).shape
        torch.Size([2, 4, 3, 5])
    """

    def __init__(self, channels: int, colours: int = 1, *, generator: torch.Generator) -> None:
        super().__init__()
        if channels < 1 or colours < 1:
            raise ValueError(f"expected channels and colours ≥ 1, got {channels} and {colours}")
        self.colours = colours

        def matrix(inputs: int) -> nn.Parameter:
            drawn = torch.randn(channels, inputs, generator=generator, device=generator.device)
            return nn.Parameter(drawn / (3 * inputs) ** 0.5)

        self.left, self.above = matrix(channels), matrix(channels)
        self.enter = matrix(2 * colours)
        self.bias = nn.Parameter(self.left.new_zeros(channels))

    def inputs(self, x: Tensor) -> Tensor:
        r"""What enters: the pixel to the left and the pixel above, through U.

        Args:
            x: shape ``[N, C, H, W]``.

        Returns:
            Shape ``[N, channels, H, W]``.
        """
        seen = torch.cat([pad(x, (1, -1)), pad(x, (0, 0, 1, -1))], 1)
        return torch.einsum("oi,nihw->nohw", self.enter, seen) + self.bias[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        r"""All states, one diagonal at a time: W + H − 1 steps.

        Args:
            x: images, shape ``[N, C, H, W]``.

        Returns:
            States, shape ``[N, channels, H, W]``.

        Raises:
            ValueError: if the images have other colours.
        """
        check_images(x, self.colours)
        enter = skew(self.inputs(x))
        inside = skew(torch.ones_like(x[0, 0]))
        h, columns = torch.zeros_like(enter[..., 0]), []
        for step in range(enter.shape[-1]):
            above = pad(h, (1, -1))
            h = torch.tanh(self.left @ h + self.above @ above + enter[..., step])
            h = h * inside[:, step]
            columns.append(h)
        return unskew(torch.stack(columns, -1))

    def one_by_one(self, x: Tensor) -> Tensor:
        r"""The same states by the definition: a double loop, H · W steps.

        Args:
            x: shape ``[N, C, H, W]``.

        Returns:
            Shape ``[N, channels, H, W]``.
        """
        enter, rows = self.inputs(x), []
        above = torch.zeros_like(enter[:, :, 0])
        for row in range(x.shape[2]):
            h, states = torch.zeros_like(above[..., 0]), []
            for column in range(x.shape[3]):
                drive = h @ self.left.T + above[..., column] @ self.above.T
                h = torch.tanh(drive + enter[:, :, row, column])
                states.append(h)
            above = torch.stack(states, -1)
            rows.append(above)
        return torch.stack(rows, 2)


class RowLayer(nn.Module):
    r"""One layer of a Row LSTM: rows from top to bottom, a whole row at each step.

    .. math::
        (o, f, i, g) &= K^{ss} * h_{y-1} + K^{is} * x_y\\
        c_y &= \sigma(f)\odot c_{y-1} + \sigma(i)\odot\tanh(g), \qquad
        h_y = \sigma(o)\odot\tanh(c_y)

    :math:`K^{ss}` covers three states of the row above; :math:`K^{is}`, masked, looks along the
    row that is being read.

    Args:
        inputs: channels in.
        channels: of the state.
        kernel: side of :math:`K^{is}`, odd.
        kind: its mask, ``"A"`` or ``"B"``.
        generator: draws the weights.

    Source:
        *Pixel recurrent neural networks*, section 3.1, equation 3.
    """

    def __init__(
        self, inputs: int, channels: int, kernel: int, *, kind: str, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.channels, self.residual = channels, kind == "B"
        self.look = MaskedConv(
            inputs, 4 * channels, kernel, kind=kind, stack="horizontal", generator=generator
        )
        drawn = torch.randn(4 * channels, channels, 3, generator=generator, device=generator.device)
        self.state = nn.Parameter(drawn / (3 * channels) ** 0.5)
        with torch.no_grad():
            self.look.bias[channels : 2 * channels] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        r"""All rows.

        Args:
            x: shape ``[N, inputs, H, W]``.

        Returns:
            Shape ``[N, channels, H, W]``; after the first layer with what came in added.
        """
        seen, rows = self.look(x), []
        h = c = x.new_zeros(len(x), self.channels, x.shape[3])
        for row in range(x.shape[2]):
            h, c = lstm_step(seen[:, :, row] + conv1d(h, self.state, padding=1), c)
            rows.append(h)
        states = torch.stack(rows, 2)
        return x + states if self.residual else states


def lstm_step(gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    r"""The cell of an LSTM from its four gates.

    Args:
        gates: output, forget, input, candidate, shape ``[N, 4 channels, ...]``.
        c: the old cell, shape ``[N, channels, ...]``.

    Returns:
        The new state and the new cell.

    Example:
        >>> h, c = lstm_step(torch.zeros(1, 4), torch.ones(1, 1))
        >>> c.item()
        0.5
    """
    o, f, i, g = gates.chunk(4, 1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


class RowLSTM(nn.Module):
    r"""A Row LSTM with a softmax on top. Its context is a triangle.

    Args:
        channels: of each state.
        depth: layers after the first, ≥ 0.
        levels: of a pixel.
        first: side of the first kernel, of kind A.
        kernel: side of the others, of kind B.
        generator: draws the weights, on the CPU.

    Raises:
        ValueError: if the numbers don't fit.

    Source:
        *Pixel recurrent neural networks*, section 3.1; grey images only here.

    Example:
        >>> net = RowLSTM(4, 1, generator=torch.Generator().manual_seed(0))
        >>> net(torch.zeros(2, 1, 6, 5)).shape
        torch.Size([2, 1, 2, 6, 5])
    """

    colours = 1

    def __init__(
        self,
        channels: int = 16,
        depth: int = 1,
        *,
        levels: int = 2,
        first: int = 7,
        kernel: int = 3,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if channels < 1 or depth < 0:
            raise ValueError(f"expected channels ≥ 1 and depth ≥ 0, got {channels} and {depth}")
        self.levels = levels
        below = (
            RowLayer(channels, channels, kernel, kind="B", generator=generator)
            for _ in range(depth)
        )
        entry = RowLayer(1, channels, first, kind="A", generator=generator)
        self.layers = nn.ModuleList([entry, *below])
        self.head = Head(channels, 1, levels, generator)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        r"""Logits of every pixel at once.

        Args:
            x: images, shape ``[N, 1, H, W]``.
            labels: not used.

        Returns:
            Shape ``[N, 1, L, H, W]``.

        Raises:
            ValueError: if the images are not grey.
        """
        check_images(x, 1)
        h = x
        for layer in self.layers:
            h = layer(h)
        return self.head(h)
