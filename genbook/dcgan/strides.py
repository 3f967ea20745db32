r"""Strided convolutions, the transposed ones that undo their shape, and what overlaps in them.

.. math:: \langle Cx,y\rangle=\langle x,C^\top y\rangle
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def down(x: Tensor, kernel: Tensor, stride: int, padding: int = 0) -> Tensor:
    r"""A strided convolution C: one number for each place the kernel is laid on.

    Args:
        x: **[N, in, H, W]**.
        kernel: **[out, in, k, k]**.
        stride: how far the kernel moves.
        padding: rows and columns of zeros around x.

    Returns:
        **[N, out, H', W']**.

    Example:
        >>> down(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2), 2).flatten().tolist()
        [4.0, 4.0, 4.0, 4.0]
    """
    return functional.conv2d(x, kernel, stride=stride, padding=padding)


def up(y: Tensor, kernel: Tensor, stride: int, padding: int = 0, rest: int = 0) -> Tensor:
    r"""The transposed convolution :math:`C^\top`: each number stamps the kernel, and stamps add.

    Args:
        y: **[N, out, H', W']**, what :func:`down` gives.
        kernel: **[out, in, k, k]**, the same as there.
        stride: the same.
        padding: the same; here it cuts a margin off.
        rest: rows and columns that :func:`down` does not reach for want of a whole stride.

    Returns:
        **[N, in, H, W]**.

    Example:
        >>> up(torch.ones(1, 1, 1, 2), torch.ones(1, 1, 1, 3), 2).flatten().tolist()
        [1.0, 1.0, 2.0, 1.0, 1.0]
    """
    return functional.conv_transpose2d(
        y, kernel, stride=stride, padding=padding, output_padding=rest
    )


def as_matrix(kernel: Tensor, height: int, width: int, stride: int, padding: int = 0) -> Tensor:
    r"""A strided convolution written out as one matrix, column by column.

    Args:
        kernel: **[out, in, k, k]**.
        height: of the input.
        width: of the input.
        stride: of the convolution.
        padding: of the convolution.

    Returns:
        **[out·H'·W', in·H·W]**.

    Example:
        >>> as_matrix(torch.ones(1, 1, 2, 2), 2, 2, 1).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """
    size = kernel.shape[1] * height * width
    units = torch.eye(size, dtype=kernel.dtype, device=kernel.device)
    images = units.reshape(size, -1, height, width)
    return down(images, kernel, stride, padding).flatten(1).mT


def overlaps(inputs: int, kernel: int, stride: int, padding: int = 0) -> Tensor:
    r"""How many stamps reach each place of a line.

    .. math:: n_j=\#\{i:\ 0\le i<n,\ 0\le j+p-is<k\}

    On an image the counts of rows and columns multiply.

    Args:
        inputs: n, how many numbers stamp.
        kernel: k, the length of a stamp.
        stride: s, between two stamps.
        padding: p, what is cut off at each end.

    Returns:
        Whole numbers **[(n − 1)s + k − 2p]**.

    Raises:
        ValueError: if a number is out of range or nothing is left.

    Source:
        Odena, Dumoulin and Olah (2016).

    Example:
        >>> overlaps(4, 3, 2).tolist()
        [1, 1, 2, 1, 2, 1, 2, 1, 1]
        >>> overlaps(4, 4, 2, padding=1).tolist()
        [1, 2, 2, 2, 2, 2, 2, 1]
    """
    length = (inputs - 1) * stride + kernel - 2 * padding
    if min(inputs, kernel, stride) < 1 or padding < 0 or length < 1:
        raise ValueError(
            "expected inputs, kernel and stride ≥ 1, padding ≥ 0 and something left, got "
            f"{inputs}, {kernel}, {stride} and {padding}"
        )
    into = torch.arange(length)[:, None] + padding - stride * torch.arange(inputs)
    return ((into >= 0) & (into < kernel)).sum(1)


def checkerboard(images: Tensor) -> Tensor:
    r"""The share of an image's variance that lies between its four squares of a checkerboard.

    Pixels are sorted by whether their row and their column are even; if the four means differ, the
    image has a pattern of period two. Images that change smoothly have next to none.

    Args:
        images: **[N, H, W]** with even sides.

    Returns:
        **[N]**, in [0, 1]; 0 for a constant image.

    Raises:
        ValueError: if a side is odd.

    Example:
        >>> board = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(1, 2, 2)
        >>> checkerboard(board).item(), checkerboard(torch.ones(1, 4, 4)).item()
        (1.0, 0.0)
    """
    if images.ndim != 3 or images.shape[1] % 2 or images.shape[2] % 2:
        raise ValueError(f"expected images [N, H, W] of even sides, got {list(images.shape)}")
    squares = images.unflatten(2, (-1, 2)).unflatten(1, (-1, 2)).mean((1, 3))
    between = squares.flatten(1).var(1, correction=0)
    whole = images.flatten(1).var(1, correction=0)
    return torch.where(whole > 0, between / whole.where(whole > 0, torch.ones_like(whole)), 0)
