r"""What an output has seen: exact Jacobians, and receptive fields by theory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Network = Callable[[Tensor], Tensor]


def sensitivity(
    network: Network, images: Tensor, at: tuple[int, int], colour: int | None = None
) -> Tensor:
    r"""How strongly the outputs at one pixel react to each input, in any of some images.

    .. math:: S_{k}(r', c') = \max_{n,\,j}
        \left|\frac{\partial\, y^{(n)}_j(r, c)}{\partial\, x^{(n)}_k(r', c')}\right|

    An input that is never used has a sensitivity of *exactly* 0: autograd multiplies by a masked
    weight, and 0 · w = 0 without rounding.

    Args:
        network: maps ``[N, C, H, W]`` to ``[N, ..., H, W]``.
        images: where to differentiate, shape ``[N, C, H, W]``; several, since a rectifier that is
            off in one image is on in another.
        at: row and column of the output pixel.
        colour: only the outputs ``[:, colour]``; all by default.

    Returns:
        Shape ``[C, H, W]``, ≥ 0.

    Raises:
        ValueError: if the pixel lies outside the images, or an output is not finite.

    Example:
        >>> image = torch.zeros(1, 1, 2, 2)
        >>> sensitivity(lambda x: 3 * x, image, (0, 1))[0].tolist()
        [[0.0, 3.0], [0.0, 0.0]]
    """
    height, width = images.shape[2:]
    row, column = at
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"expected a pixel inside {height} × {width}, got {at}")
    leaf = images.detach().clone().requires_grad_()
    outputs = network(leaf)
    seen = outputs if colour is None else outputs[:, colour]
    numbers = seen[..., row, column].flatten(1)
    if not bool(torch.isfinite(numbers).all()):
        raise ValueError("expected finite outputs, got NaN or infinity; the Jacobian means nothing")
    most = torch.zeros_like(leaf[0])
    for number in numbers.sum(0):
        (slope,) = torch.autograd.grad(number, leaf, retain_graph=True, allow_unused=True)
        if slope is not None:
            most = torch.maximum(most, slope.abs().amax(0))
    return most


def before(size: tuple[int, int], at: tuple[int, int]) -> Tensor:
    r"""The pixels that come before one in reading order.

    Args:
        size: height and width.
        at: row and column.

    Returns:
        Booleans, shape ``[H, W]``.

    Example:
        >>> before((2, 3), (1, 1)).int().tolist()
        [[1, 1, 1], [1, 0, 0]]
    """
    height, width = size
    place = torch.arange(height * width).view(height, width)
    return place < at[0] * width + at[1]


def field(
    size: tuple[int, int], at: tuple[int, int], kernel: int, layers: int, *, stacks: int
) -> Tensor:
    r"""What a network of masked convolutions sees: the theorem of the chapter.

    With :math:`m = (k-1)/2` and L layers, the first of kind A, one stack sees the pixel r rows up
    and s columns to the right if and only if

    .. math:: 1\le r\le Lm,\;\; -Lm\le s\le m\min(r, L)
        \qquad\text{or}\qquad r = 0,\;\; -Lm\le s\le-1 .

    Two stacks see the whole box: :math:`s\le Lm` in the rows above.

    Args:
        size: height and width of the image.
        at: the pixel that is predicted.
        kernel: k, the same odd side in all layers.
        layers: L ≥ 1.
        stacks: 1 or 2.

    Returns:
        Booleans, shape ``[H, W]``.

    Raises:
        ValueError: if the kernel is even, there is no layer, or there are other than 1 or 2 stacks.

    Example:
        >>> field((3, 4), (2, 1), kernel=3, layers=2, stacks=1).int().tolist()
        [[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0]]
        >>> field((3, 4), (2, 1), kernel=3, layers=2, stacks=2).int().tolist()
        [[1, 1, 1, 1], [1, 1, 1, 1], [1, 0, 0, 0]]
    """
    if kernel < 1 or kernel % 2 == 0 or layers < 1 or stacks not in (1, 2):
        raise ValueError(
            "expected an odd kernel, at least one layer and one or two stacks, got "
            f"{kernel}, {layers} and {stacks}"
        )
    m = kernel // 2
    up = at[0] - torch.arange(size[0])[:, None].expand(size)
    right = torch.arange(size[1])[None].expand(size) - at[1]
    furthest = m * up.clamp_max(layers) if stacks == 1 else layers * m
    rows = (up >= 1) & (up <= layers * m) & (right <= furthest)
    return (rows | ((up == 0) & (right <= -1))) & (right >= -layers * m)


def blind_spot(size: tuple[int, int], at: tuple[int, int], kernel: int, layers: int) -> Tensor:
    r"""What two stacks see and one stack misses; arguments and errors as for :func:`field`.

    Example:
        >>> blind_spot((3, 4), (2, 1), kernel=3, layers=2).int().tolist()
        [[0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    """
    one, two = (field(size, at, kernel, layers, stacks=stacks) for stacks in (1, 2))
    return two & ~one


def blind_share(layers: int) -> float:
    r"""The share of the box that 3×3 kernels miss, far from the image's edge.

    .. math:: \frac{\tfrac12L(L-1)}{L(2L+1)+L} = \frac{L-1}{4(L+1)} \;\to\; \frac14

    Args:
        layers: L ≥ 1.

    Returns:
        A number in [0, ¼).

    Raises:
        ValueError: if there is no layer.

    Example:
        >>> blind_share(3)
        0.125
    """
    if layers < 1:
        raise ValueError(f"expected at least one layer, got {layers}")
    return (layers - 1) / (4 * (layers + 1))


def sheared_coins(
    count: int, size: tuple[int, int], generator: torch.Generator, *, shift: int = 2
) -> tuple[Tensor, Tensor]:
    r"""Images of coins, each row the one above moved to the left, with new coins at the end.

    .. math:: x(r, c) = x(r-1, c+s) \quad\text{where that exists; a fair coin elsewhere}

    Everything that determines a pixel lies on the line one row up, s columns to the right. For
    s = 2 that line is in the blind spot of 3×3 kernels at every depth. The entropy is log 2 times
    the number of coins.

    Args:
        count: of images.
        size: height and width.
        generator: draws the coins, on the CPU.
        shift: s ≥ 1.

    Returns:
        Images ``[count, 1, H, W]`` of 0 and 1, and booleans ``[H, W]``: which pixels are copies.

    Raises:
        ValueError: if a number is not positive.

    Example:
        >>> x, copied = sheared_coins(1, (2, 4), torch.Generator().manual_seed(0))
        >>> torch.equal(x[0, 0, 1, :2], x[0, 0, 0, 2:]), copied.int().tolist()
        (True, [[0, 0, 0, 0], [1, 1, 0, 0]])
    """
    height, width = size
    if min(count, height, width, shift) < 1:
        raise ValueError(f"expected numbers ≥ 1, got {count} images, {size}, shift {shift}")
    line = torch.randint(
        2,
        (count, 1, 1, width + shift * (height - 1)),
        generator=generator,
        device=generator.device,
    ).float()
    rows = [line[..., shift * row : shift * row + width] for row in range(height)]
    copied = torch.zeros(height, width, dtype=torch.bool, device=line.device)
    copied[1:, : max(0, width - shift)] = True
    return torch.cat(rows, 2), copied


def sheared(images: Tensor, shift: int = 2) -> Tensor:
    r"""Real images with each row rolled further to the left: same pixels, other neighbours.

    .. math:: x'(r, c) = x\big(r, (c + s\,r) \bmod W\big)

    What stood in one column now stands on a line that goes up and to the right, s columns a row.

    Args:
        images: shape ``[N, C, H, W]``.
        shift: s.

    Returns:
        The same shape.

    Raises:
        ValueError: if these are no images.

    Example:
        >>> sheared(torch.eye(3)[None, None], 1)[0, 0].int().tolist()
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]]
    """
    if images.ndim != 4:
        raise ValueError(f"expected images [N, C, H, W], got {list(images.shape)}")
    rows = [images[:, :, row].roll(-shift * row, -1) for row in range(images.shape[2])]
    return torch.stack(rows, 2)
