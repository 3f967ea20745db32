r"""Networks that paint one pixel at a time: PixelCNN, plain and gated.

Images are **[N, C, H, W]** with values on the grid 0, 1/(L−1), …, 1 of L levels. A network gives
logits **[N, C, L, H, W]**: for each pixel, each colour and each level one number that depends on
nothing but the pixels before it (rows from the top, pixels from the left) and the colours before
it at the same pixel (R, then G, then B).
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from genbook.pixelcnn.masks import MaskedConv, check_images, check_labels


class PixelModel(Protocol):
    """What likelihood and sampling need of a network."""

    colours: int
    levels: int

    def __call__(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Logits ``[N, C, L, H, W]`` of images ``[N, C, H, W]``."""


class Head(nn.Module):
    r"""Two masked 1×1 convolutions from features to a softmax of L levels for each colour.

    Args:
        channels: features.
        colours: 1 or 3.
        levels: of a pixel, at least 2.
        generator: draws the weights.

    Raises:
        ValueError: if there are fewer than two levels.
    """

    def __init__(
        self, channels: int, colours: int, levels: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        if levels < 2:
            raise ValueError(f"expected at least two levels of a pixel, got {levels}")
        self.colours, self.levels = colours, levels
        self.mix = MaskedConv(channels, channels, 1, kind="B", colours=colours, generator=generator)
        self.out = MaskedConv(
            channels, colours * levels, 1, kind="B", colours=colours, generator=generator
        )

    def forward(self, h: Tensor) -> Tensor:
        r"""Logits of features.

        Args:
            h: shape ``[N, channels, H, W]``.

        Returns:
            Shape ``[N, C, L, H, W]``.
        """
        logits = self.out(relu(self.mix(relu(h))))
        return logits.unflatten(1, (self.colours, self.levels))


class ResidualBlock(nn.Module):
    r"""Half the channels, look around, widen again, and add to what came in, once.

    .. math:: h \;+\; W_3 * \rho\big(W_2 * \rho(W_1 * \rho(h))\big), \qquad \rho = \max(0, \cdot)

    Args:
        channels: of h, even.
        kernel: of the middle convolution; the outer two are 1×1.
        colours: 1 or 3.
        generator: draws the weights.

    Source:
        *Pixel recurrent neural networks*, figure 5.
    """

    def __init__(
        self, channels: int, kernel: int, colours: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        half = channels // 2
        self.squeeze = MaskedConv(channels, half, 1, kind="B", colours=colours, generator=generator)
        self.look = MaskedConv(half, half, kernel, kind="B", colours=colours, generator=generator)
        self.widen = MaskedConv(half, channels, 1, kind="B", colours=colours, generator=generator)

    def forward(self, h: Tensor) -> Tensor:
        """Shape ``[N, channels, H, W]`` in and out."""
        return h + self.widen(relu(self.look(relu(self.squeeze(relu(h))))))


class PixelCNN(nn.Module):
    r"""The plain PixelCNN: one stack of masked convolutions. It has a blind spot.

    .. math:: \log p(x) = \sum_{r,c}\sum_{g} \log p\big(x_g(r,c) \mid
        \text{rows above},\ \text{left of } c,\ x_{<g}(r,c)\big)

    Args:
        channels: features between blocks, a multiple of ``2 · colours``.
        depth: residual blocks, ≥ 0.
        colours: 1 or 3.
        levels: of a pixel; 2 for binary images, 256 for bytes.
        first: side of the first kernel, of kind A.
        kernel: side of the kernels inside the blocks, of kind B.
        generator: draws the weights, on the CPU.

    Raises:
        ValueError: if the numbers don't fit.

    Source:
        *Pixel recurrent neural networks*, table 1 (7×7 mask A, blocks of 3×3 mask B, two 1×1).

    Example:
        >>> net = PixelCNN(8, 2, generator=torch.Generator().manual_seed(0))
        >>> net(torch.zeros(3, 1, 6, 5)).shape
        torch.Size([3, 1, 2, 6, 5])
    """

    def __init__(
        self,
        channels: int = 32,
        depth: int = 4,
        *,
        colours: int = 1,
        levels: int = 2,
        first: int = 7,
        kernel: int = 3,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        _check_net(channels, depth, 2 * colours)
        self.colours, self.levels = colours, levels
        self.first = MaskedConv(
            colours, channels, first, kind="A", colours=colours, generator=generator
        )
        self.blocks = nn.ModuleList(
            ResidualBlock(channels, kernel, colours, generator) for _ in range(depth)
        )
        self.head = Head(channels, colours, levels, generator)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        r"""Logits of every pixel at once.

        Args:
            x: images, shape ``[N, C, H, W]``.
            labels: not used; the plain network has no classes.

        Returns:
            Shape ``[N, C, L, H, W]``.

        Raises:
            ValueError: if the images have other colours.
        """
        check_images(x, self.colours)
        h = self.first(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h)


def gate(x: Tensor, axis: int = 1) -> Tensor:
    r"""Half of the features decide how much of the other half passes.

    .. math:: y = \tanh(x_1) \odot \sigma(x_2)

    Args:
        x: an even number of features along ``axis``.
        axis: where the features are.

    Returns:
        Half as many features.

    Source:
        *Conditional image generation with PixelCNN decoders*, equation 2.

    Example:
        >>> gate(torch.zeros(1, 4)).tolist()
        [[0.0, 0.0]]
    """
    value, door = x.chunk(2, axis)
    return torch.tanh(value) * torch.sigmoid(door)


class GatedLayer(nn.Module):
    r"""Two stacks: a vertical one for the rows above, a horizontal one for the pixels to the left.

    .. math::
        u = V * v, \quad v' = \mathrm{gate}(u + a_k), \qquad
        h' = h + W\,\mathrm{gate}\big(H * h + D\,u + b_k\big)

    The vertical stack never reads h. The residual joins the horizontal stack alone, and not in the
    first layer, where h is the image itself.

    Args:
        inputs: channels of what comes in; the same for both stacks.
        channels: features of each stack.
        kernel: side of the vertical kernel; the horizontal one is half a row of it.
        kind: ``"A"`` for the first layer, else ``"B"``.
        colours: 1 or 3.
        classes: how many classes shift the gates; 0 for none.
        generator: draws the weights.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        kernel: int,
        *,
        kind: str,
        colours: int,
        classes: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.residual = kind == "B"
        two = 2 * channels
        self.vertical = MaskedConv(
            inputs, two, kernel, kind=kind, stack="vertical", generator=generator
        )
        self.down = MaskedConv(two, two, 1, kind="B", generator=generator)
        self.horizontal = MaskedConv(
            inputs,
            two,
            kernel,
            kind=kind,
            colours=colours,
            stack="horizontal",
            copies=2,
            generator=generator,
        )
        self.out = MaskedConv(channels, channels, 1, kind="B", colours=colours, generator=generator)
        start = torch.randn(classes, 2 * two, generator=generator, device=generator.device) / 10
        self.shift = nn.Parameter(start) if classes else None

    def shifts(self, labels: Tensor | None) -> tuple[Tensor | float, Tensor | float]:
        r"""What the class adds inside the gates of the two stacks.

        Args:
            labels: shape ``[N]``, or ``None``.

        Returns:
            Two tensors ``[N, 2 channels]``, or zeros.
        """
        if self.shift is None or labels is None:
            return 0.0, 0.0
        vertical, horizontal = self.shift[labels].chunk(2, 1)
        return vertical, horizontal

    def forward(self, v: Tensor, h: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        r"""One layer of both stacks.

        Args:
            v: the vertical stack, shape ``[N, inputs, H, W]``.
            h: the horizontal stack, of the same shape.
            labels: shape ``[N]``, or ``None``.

        Returns:
            Both stacks, shape ``[N, channels, H, W]``.
        """
        above, left = (_as_map(shift) for shift in self.shifts(labels))
        u = self.vertical(v)
        new = self.out(gate(self.horizontal(h) + self.down(u) + left))
        return gate(u + above), h + new if self.residual else new


def _as_map(shift: Tensor | float) -> Tensor | float:
    return shift[:, :, None, None] if isinstance(shift, Tensor) else shift


class GatedPixelCNN(nn.Module):
    r"""The gated PixelCNN: two stacks, no blind spot, and classes if you like.

    Args:
        channels: features of each stack, a multiple of ``colours``.
        depth: layers after the first, ≥ 0.
        colours: 1 or 3.
        levels: of a pixel.
        first: side of the first kernel, of kind A.
        kernel: side of the others, of kind B.
        classes: the network is conditional on one of so many labels; 0 for none.
        generator: draws the weights, on the CPU.

    Raises:
        ValueError: if the numbers don't fit.

    Source:
        van den Oord et al., *Conditional image generation with PixelCNN decoders*, 2016.

    Example:
        >>> net = GatedPixelCNN(6, 1, classes=10, generator=torch.Generator().manual_seed(0))
        >>> net(torch.zeros(2, 1, 6, 5), torch.tensor([3, 7])).shape
        torch.Size([2, 1, 2, 6, 5])
    """

    def __init__(
        self,
        channels: int = 32,
        depth: int = 4,
        *,
        colours: int = 1,
        levels: int = 2,
        first: int = 7,
        kernel: int = 3,
        classes: int = 0,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        _check_net(channels, depth, colours)
        self.colours, self.levels, self.classes = colours, levels, classes

        def layer(inputs: int, side: int, kind: str) -> GatedLayer:
            return GatedLayer(
                inputs,
                channels,
                side,
                kind=kind,
                colours=colours,
                classes=classes,
                generator=generator,
            )

        below = (layer(channels, kernel, "B") for _ in range(depth))
        self.layers = nn.ModuleList([layer(colours, first, "A"), *below])
        self.head = Head(channels, colours, levels, generator)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        r"""Logits of every pixel at once.

        Args:
            x: images, shape ``[N, C, H, W]``.
            labels: shape ``[N]``, int64; needed if the network is conditional.

        Returns:
            Shape ``[N, C, L, H, W]``.

        Raises:
            ValueError: if the images have other colours, or the labels don't fit.
        """
        check_images(x, self.colours)
        check_labels(labels, len(x), self.classes)
        v, h = x, x
        for layer in self.layers:
            v, h = layer(v, h, labels)
        return self.head(h)


def _check_net(channels: int, depth: int, multiple: int) -> None:
    if channels < 1 or channels % multiple or depth < 0:
        raise ValueError(
            f"expected channels in multiples of {multiple} and depth ≥ 0, got {channels} channels "
            f"and depth {depth}"
        )
