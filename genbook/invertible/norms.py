r"""How far a layer may stretch: the norm of a matrix, of a convolution, of a stack of layers.

.. math:: \|W\|_2=\max_{x\neq0}\frac{\|Wx\|}{\|x\|}
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from genbook.collapse.critics import spectral_norm


def estimates(weight: Tensor, start: Tensor, steps: int) -> Tensor:
    r"""The norm as power iteration sees it after 1, 2, …, n steps.

    .. math:: \hat\sigma_k=v_k^\top Wu_k\le\|W\|_2

    Args:
        weight: W, **[S, in, out]**.
        start: u, **[S, out]**, not zero.
        steps: n ≥ 1.

    Returns:
        **[n, S]**, never falling and never above the norm.

    Raises:
        ValueError: if the shapes do not fit or there is no step.

    Source:
        Miyato, Kataoka, Koyama and Yoshida (2018), algorithm 1.

    Example:
        >>> w = torch.diag(torch.tensor([2.0, 1.0]))[None]
        >>> [round(x, 3) for x in estimates(w, torch.ones(1, 2), 3).flatten().tolist()]
        [1.844, 1.988, 1.999]
    """
    if weight.ndim != 3 or start.shape != (len(weight), weight.shape[-1]) or steps < 1:
        raise ValueError(
            "expected W [S, in, out], u [S, out] and at least one step, got "
            f"{list(weight.shape)}, {list(start.shape)} and {steps}"
        )
    u, seen = nn.functional.normalize(start, dim=1)[..., None], []
    for _ in range(steps):
        sigma, u = spectral_norm(weight, u)
        seen.append(sigma.flatten())
    return torch.stack(seen)


def expected_estimates(values: Tensor, parts: Tensor, steps: int) -> Tensor:
    r"""What power iteration must find, from the singular values alone.

    .. math:: \hat\sigma_k^2=\frac{\sum_ia_i^2\sigma_i^{4k}}{\sum_ia_i^2\sigma_i^{4k-2}}

    Args:
        values: σ, **[S, r]**, largest first, the first above 0.
        parts: :math:`a_i`, what of the first u lies along the right singular vectors, **[S, r]**.
        steps: n ≥ 1.

    Returns:
        **[n, S]**.

    Example:
        >>> found = expected_estimates(torch.tensor([[2.0, 1.0]]), torch.ones(1, 2), 3)
        >>> [round(x, 3) for x in found.flatten().tolist()]
        [1.844, 1.988, 1.999]
    """
    share = values / values[:, :1]  # no power overflows
    found = []
    for k in range(1, steps + 1):
        above = (parts.square() * share ** (4 * k)).sum(-1)
        under = (parts.square() * share ** (4 * k - 2)).sum(-1)
        found.append(values[:, 0] * (above / under).sqrt())
    return torch.stack(found)


def shortened(weight: Tensor, sigma: Tensor, c: float = 1.0) -> Tensor:
    r"""A weight divided so that its estimated norm is at most c; a shorter one stays as it is.

    .. math:: \tilde W=W/\max(1,\hat\sigma/c)

    Args:
        weight: **[..., in, out]**, or a kernel.
        sigma: :math:`\hat\sigma`, a scalar or broadcasting with it.
        c: > 0.

    Returns:
        The shape of the weight.

    Raises:
        ValueError: if c is not positive.

    Source:
        Behrmann et al. (2019).

    Example:
        >>> shortened(torch.tensor([[4.0]]), torch.tensor(4.0), c=0.5).item()
        0.5
        >>> shortened(torch.tensor([[0.2]]), torch.tensor(0.2), c=0.5).item() < 0.3
        True
    """
    if not c > 0:
        raise ValueError(f"expected a constant c > 0, got {c}")
    return weight / (sigma / c).clamp(min=1)


def reshaped_norm(kernel: Tensor) -> Tensor:
    r"""The norm of a kernel laid out as a matrix, one row an output channel.

    .. math:: \|R\|_2,\qquad R\in\mathbb R^{d_\text{out}\times(d_\text{in}hw)}

    It is not the convolution's: see :func:`convolution_norm`.

    Args:
        kernel: **[out, in, h, w]**.

    Returns:
        A scalar.

    Raises:
        ValueError: if it is no such kernel.

    Source:
        Miyato et al. (2018), who divide a convolution's kernel by this.

    Example:
        >>> round(reshaped_norm(torch.ones(1, 1, 3, 3)).item(), 4)
        3.0
    """
    _check_kernel(kernel)
    found: Tensor = torch.linalg.matrix_norm(kernel.flatten(1), 2)
    return found


def convolution_norm(kernel: Tensor, height: int, width: int) -> Tensor:
    r"""The norm of a circular convolution, exactly.

    .. math:: \|K*\|_2=\max_\omega\|\hat K(\omega)\|_2

    Waves keep their frequency under a circular convolution: at each ω it is a matrix of
    d_out × d_in.

    Args:
        kernel: **[out, in, h, w]**.
        height: of the images, at least h.
        width: of the images, at least w.

    Returns:
        A scalar.

    Raises:
        ValueError: if the kernel is larger than the images.

    Source:
        Sedghi, Gupta and Long (2019).

    Example:
        >>> round(convolution_norm(torch.ones(1, 1, 3, 3), 8, 8).item(), 4)
        9.0
    """
    _check_kernel(kernel)
    if kernel.shape[2] > height or kernel.shape[3] > width:
        raise ValueError(
            f"expected images no smaller than the kernel {list(kernel.shape[2:])}, got "
            f"{height} × {width}"
        )
    waves = torch.fft.fft2(kernel, s=(height, width)).permute(2, 3, 0, 1)
    return torch.linalg.matrix_norm(waves, 2).amax()


def convolve(images: Tensor, kernel: Tensor) -> Tensor:
    r"""A convolution whose images are tori: what leaves at one edge comes in at the other.

    Args:
        images: **[N, in, H, W]**.
        kernel: **[out, in, h, w]**, of odd sides.

    Returns:
        **[N, out, H, W]**.

    Raises:
        ValueError: if a side of the kernel is even.

    Example:
        >>> convolve(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 3, 3)).unique().tolist()
        [9.0]
    """
    _check_kernel(kernel)
    tall, wide = kernel.shape[2:]
    if tall % 2 == 0 or wide % 2 == 0:
        raise ValueError(f"expected a kernel of odd sides, got {tall} × {wide}")
    edges = (wide // 2, wide // 2, tall // 2, tall // 2)
    return nn.functional.conv2d(nn.functional.pad(images, edges, mode="circular"), kernel)


def as_matrix(kernel: Tensor, height: int, width: int) -> Tensor:
    r"""A circular convolution written out as one matrix, column by column.

    Args:
        kernel: **[out, in, h, w]**, of odd sides.
        height: of the images.
        width: of the images.

    Returns:
        **[out·H·W, in·H·W]**.

    Example:
        >>> as_matrix(torch.ones(1, 1, 1, 1), 2, 2).tolist() == torch.eye(4).tolist()
        True
    """
    size = kernel.shape[1] * height * width
    units = torch.eye(size, dtype=kernel.dtype, device=kernel.device)
    return convolve(units.reshape(size, -1, height, width), kernel).flatten(1).mT


def steepest(weights: Sequence[Tensor], points: Tensor) -> Tensor:
    r"""How much a stack of layers with rectifiers stretches near each point.

    .. math:: \|W_1D_1(x)\,W_2D_2(x)\cdots W_n\|_2\le\prod_\ell\|W_\ell\|_2

    Args:
        weights: **[in, out]** each; a rectifier after each but the last.
        points: **[N, d]**.

    Returns:
        **[N]**.

    Raises:
        ValueError: if there is no layer.

    Example:
        >>> steepest([torch.eye(2), torch.eye(2)], torch.tensor([[1.0, -1.0]])).tolist()
        [1.0]
    """
    if not weights:
        raise ValueError("expected at least one layer, got none")
    hidden, way = points @ weights[0], weights[0].expand(len(points), -1, -1)
    for weight in weights[1:]:
        way = (way * (hidden > 0)[:, None]) @ weight
        hidden = hidden.relu() @ weight
    found: Tensor = torch.linalg.matrix_norm(way, 2)
    return found


def normed(sizes: Sequence[int], generator: torch.Generator) -> list[Tensor]:
    r"""Gaussian layers, each of norm exactly 1.

    Args:
        sizes: features in, of each hidden layer, out.
        generator: draws them, in double precision.

    Returns:
        Weights **[in, out]**.

    Raises:
        ValueError: if there are fewer than two sizes.

    Example:
        >>> stack = normed([2, 8, 1], torch.Generator().manual_seed(0))
        >>> [round(torch.linalg.matrix_norm(w, 2).item(), 6) for w in stack]
        [1.0, 1.0]
    """
    if len(sizes) < 2:
        raise ValueError(f"expected at least two sizes, got {list(sizes)}")
    device, kind = generator.device, torch.float64
    drawn = [
        torch.randn(a, b, generator=generator, device=device, dtype=kind)
        for a, b in pairwise(sizes)
    ]
    return [w / torch.linalg.matrix_norm(w, 2) for w in drawn]


def cold_start(rows: int, columns: int, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    r"""Gaussian matrices and random directions to begin a power iteration with, a pair a seed.

    Args:
        rows: of a matrix.
        columns: of a matrix.
        seeds: one a pair.

    Returns:
        W, **[S, rows, columns]**, and u, **[S, columns]**, in double precision.

    Example:
        >>> weight, start = cold_start(4, 3, range(5))
        >>> weight.shape, start.shape
        (torch.Size([5, 4, 3]), torch.Size([5, 3]))
    """
    pairs = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(rows + 1, columns, generator=generator, dtype=torch.float64)
        pairs.append(drawn)
    both = torch.stack(pairs)
    return both[:, :-1] / math.sqrt(rows), both[:, -1]


def _check_kernel(kernel: Tensor) -> None:
    if kernel.ndim != 4 or kernel.numel() == 0:
        raise ValueError(f"expected a kernel [out, in, h, w], got {list(kernel.shape)}")
