r"""Masks A and B, and the convolution that keeps to them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

STACKS = ("all", "vertical", "horizontal")
"""What a masked convolution may look at: everything before, rows above, the same row."""


def causal_mask(
    kernel: int,
    inputs: int = 1,
    outputs: int = 1,
    *,
    kind: str,
    colours: int = 1,
    stack: str = "all",
) -> Tensor:
    r"""Which weights of a convolution may be different from zero.

    Rows above the centre are open, and on the centre's row everything to its left. At the centre
    itself a feature of colour :math:`g` may look at a feature of colour :math:`g'` if

    .. math:: g' < g \quad\text{(kind A)}, \qquad g' \le g \quad\text{(kind B)}.

    Channels belong to colours in equal blocks: the first third to R, the next to G, the last to B.
    The vertical stack has no colours, since all it sees lies in rows above: kind A opens the rows
    above the centre, kind B the whole row of the centre too.

    Args:
        kernel: side of the kernel, odd.
        inputs: input channels, a multiple of ``colours``.
        outputs: output channels, a multiple of ``colours``.
        kind: ``"A"`` or ``"B"``.
        colours: 1 for grey, 3 for R, G, B.
        stack: one of :data:`STACKS`.

    Returns:
        Zeros and ones, shape ``[outputs, inputs, kernel, kernel]``.

    Raises:
        ValueError: if the kernel is not odd, the channels don't divide, or a word is unknown.

    Source:
        van den Oord, Kalchbrenner, Kavukcuoglu, *Pixel recurrent neural networks*, 2016, section
        3.4 (masks A and B); the stacks: *Conditional image generation with PixelCNN decoders*,
        2016, section 2.2.

    Example:
        >>> causal_mask(3, kind="A")[0, 0].int().tolist()
        [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
        >>> causal_mask(3, 3, 3, kind="B", colours=3)[:, :, 1, 1].int().tolist()
        [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    """
    _check_mask(kernel, inputs, outputs, kind, colours, stack)
    mask = torch.zeros(outputs, inputs, kernel, kernel)
    mask[:, :, : kernel // 2] = float(stack != "horizontal")
    mask[:, :, kernel // 2] = own_row(kernel, inputs, outputs, kind, colours, stack)
    return mask


def own_row(kernel: int, inputs: int, outputs: int, kind: str, colours: int, stack: str) -> Tensor:
    r"""The row of the centre in :func:`causal_mask`: open to the left, and the centre by kind.

    Args:
        kernel: side of the kernel, odd.
        inputs: input channels.
        outputs: output channels.
        kind: ``"A"`` or ``"B"``.
        colours: 1 or 3.
        stack: one of :data:`STACKS`.

    Returns:
        Zeros and ones, shape ``[outputs, inputs, kernel]``.

    Example:
        >>> own_row(5, 1, 1, "B", 1, "all")[0, 0].int().tolist()
        [1, 1, 1, 0, 0]
    """
    row, centre = torch.zeros(outputs, inputs, kernel), kernel // 2
    if stack == "vertical":
        return row + float(kind == "B")
    row[:, :, :centre] = 1
    sees = _colour_of(outputs, colours)[:, None]
    seen = _colour_of(inputs, colours)[None]
    row[:, :, centre] = (seen < sees if kind == "A" else seen <= sees).float()
    return row


def _colour_of(channels: int, colours: int) -> Tensor:
    return torch.arange(channels) * colours // channels


def _check_mask(
    kernel: int, inputs: int, outputs: int, kind: str, colours: int, stack: str
) -> None:
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"expected an odd kernel, so that it has a centre, got {kernel}; try 3")
    if colours < 1 or inputs < 1 or outputs < 1 or inputs % colours or outputs % colours:
        raise ValueError(
            f"expected channels that divide into {colours} colours, got {inputs} inputs and "
            f"{outputs} outputs; take multiples of {colours}"
        )
    if kind not in ("A", "B"):
        raise ValueError(f"expected the kind 'A' or 'B', got {kind!r}")
    if stack not in STACKS:
        raise ValueError(f"expected a stack out of {', '.join(STACKS)}, got {stack!r}")
    if stack == "vertical" and kind == "A" and kernel == 1:
        raise ValueError("a vertical kernel of side 1 and kind A would see nothing; take 3")


class MaskedConv(nn.Module):
    r"""A convolution that is blind where :func:`causal_mask` is zero.

    .. math::
        y_{o}(r, c) = b_o + \sum_{i,\,\delta}
        m_{oi\delta}\, w_{oi\delta}\, x_i\big((r, c) + \delta\big)

    Rows below the centre are masked for every feature, so they are not stored; for the horizontal
    stack neither are the rows above. Outside the image stand zeros.

    Args:
        inputs: channels in.
        outputs: channels out, a multiple of ``copies``.
        kernel: side, odd.
        kind: ``"A"`` or ``"B"``.
        colours: as in :func:`causal_mask`.
        stack: as in :func:`causal_mask`.
        copies: the outputs are so many blocks, each with all colours (2 for a gate).
        generator: draws the weights, on the CPU.

    Raises:
        ValueError: as :func:`causal_mask`.

    Example:
        >>> conv = MaskedConv(1, 4, 3, kind="A", generator=torch.Generator().manual_seed(0))
        >>> conv(torch.zeros(2, 1, 5, 6)).shape
        torch.Size([2, 4, 5, 6])
    """

    mask: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        kind: str,
        colours: int = 1,
        stack: str = "all",
        copies: int = 1,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        part = causal_mask(
            kernel, inputs, outputs // copies, kind=kind, colours=colours, stack=stack
        )
        half = kernel // 2
        rows, columns, self.edges = {
            "all": (slice(0, half + 1), slice(None), (half, half, half, 0)),
            "vertical": (
                slice(0, half + (kind == "B")),
                slice(None),
                (half, half, half, 0 if kind == "B" else -1),
            ),
            "horizontal": (slice(half, half + 1), slice(0, half + 1), (half, 0, 0, 0)),
        }[stack]
        mask = part[:, :, rows, columns].repeat(copies, 1, 1, 1).to(generator.device)
        self.register_buffer("mask", mask)
        weight = torch.randn(mask.shape, generator=generator, device=mask.device)
        fan_in = self.mask.sum((1, 2, 3), keepdim=True).clamp_min(1)
        self.weight = nn.Parameter(weight / fan_in.sqrt())
        self.bias = nn.Parameter(weight.new_zeros(outputs))
        self.reach = half

    @property
    def open_weight(self) -> Tensor:
        """The weights times the mask."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        r"""Convolve.

        Args:
            x: shape ``[N, inputs, H, W]``.

        Returns:
            Shape ``[N, outputs, H, W]``.
        """
        return conv2d(pad(x, self.edges), self.open_weight, self.bias)


def check_images(x: Tensor, colours: int) -> None:
    r"""Refuse what is no batch of images.

    Args:
        x: images.
        colours: how many there should be.

    Raises:
        ValueError: unless ``x`` has the shape ``[N, colours, H, W]``.
    """
    if x.ndim != 4 or x.shape[1] != colours:
        raise ValueError(f"expected images [N, {colours}, H, W], got {list(x.shape)}")


def check_labels(labels: Tensor | None, count: int, classes: int) -> None:
    r"""Refuse labels that a network cannot use.

    Args:
        labels: shape ``[N]``, or ``None``.
        count: N.
        classes: of the network, 0 if it has none.

    Raises:
        ValueError: if labels are missing, superfluous, of another shape or out of range.
    """
    if (labels is None) != (classes == 0):
        wanted = f"labels in 0, …, {classes - 1}" if classes else "no labels"
        raise ValueError(f"expected {wanted}, got {'none' if labels is None else 'some'}")
    if labels is not None:
        inside = bool(((labels >= 0) & (labels < classes)).all())
        if labels.shape != (count,) or labels.dtype != torch.int64 or not inside:
            raise ValueError(
                f"expected int64 labels [{count}] in 0, …, {classes - 1}, got {labels.dtype} "
                f"{list(labels.shape)}"
            )
