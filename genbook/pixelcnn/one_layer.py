r"""Drawing with a single masked convolution: what a row cache is, before there are many layers."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import conv2d, pad

from genbook.pixelcnn.masks import MaskedConv

Draw = Callable[[Tensor], Tensor]
"""From the signals ``[N, outputs]`` of a pixel to its values ``[N, inputs]``."""


def row_by_row(
    conv: MaskedConv, draw: Draw, count: int, size: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    r"""Draw images from one masked convolution; each weight meets each pixel once.

    When a row begins, one convolution says what the finished rows mean for each of its pixels. On
    the row a drawn value adds its weights to the signals of the next m pixels.

    .. math:: s(c) = b + \sum_{r=1}^{m}\sum_{\delta=-m}^{m} w_{-r,\delta}\,x_{-r}(c+\delta)
        + \sum_{\delta=1}^{m} w_{0,-\delta}\,x_0(c-\delta)

    Args:
        conv: with mask A, a side 2m + 1 of at least 3, and the whole view before a pixel.
        draw: the values of a pixel from its signals.
        count: N images.
        size: height and width.

    Returns:
        The images ``[N, inputs, H, W]``, and the signals met on the way ``[N, outputs, H, W]``.

    Raises:
        ValueError: if the convolution's kernel has side 1, another stack, or sees the pixel itself.

    Example:
        >>> import torch
        >>> conv = MaskedConv(1, 1, 3, kind="A", generator=torch.Generator().manual_seed(0))
        >>> images, signals = row_by_row(conv, torch.sigmoid, 2, (4, 5))
        >>> bool((signals - conv(images)).abs().max() < 1e-5)
        True
    """
    _check(conv)
    m, (height, width) = conv.reach, size
    above, own = conv.open_weight[:, :, :m], conv.open_weight[:, :, m]
    images = above.new_zeros(count, above.shape[1], height + m, width + 2 * m)
    met = above.new_zeros(count, len(above), height, width)
    for row in range(height):
        signals = pad(conv2d(images[:, :, row : row + m], above, conv.bias)[:, :, 0], (0, m))
        for column in range(width):
            met[:, :, row, column] = signals[:, :, column]
            value = draw(signals[:, :, column])
            images[:, :, row + m, column + m] = value
            for step in range(1, m + 1):
                signals[:, :, column + step] += value @ own[:, :, m - step].T
    return images[:, :, m:, m:-m], met


def _check(conv: MaskedConv) -> None:
    side = 2 * conv.reach + 1
    if conv.reach < 1 or tuple(conv.mask.shape[2:]) != (conv.reach + 1, side):
        raise ValueError(
            "expected a convolution that sees rows above and pixels to the left, got a kernel of "
            f"{list(conv.mask.shape[2:])} weights; take stack='all' and a side of at least 3"
        )
    if bool(conv.mask[:, :, -1, conv.reach].any()):
        raise ValueError("expected a mask that hides the pixel itself, got kind 'B'; take kind='A'")
