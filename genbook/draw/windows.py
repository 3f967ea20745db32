r"""Windows of Gaussian filters: where they sit, what they read, what they write.

Coordinates run from 1 to the size of the image, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Window:
    r"""Where an N × N grid of Gaussian filters sits; each field **[...]**.

    Args:
        x: column of the grid's centre, 1 is the first.
        y: row of the grid's centre.
        stride: pixels from filter to filter.
        variance: σ² of each filter, in pixels².
        gain: γ, a factor on what is read.
    """

    x: Tensor
    y: Tensor
    stride: Tensor
    variance: Tensor
    gain: Tensor


def window(raw: Tensor, size: int, patch: int) -> Window:
    r"""Five real numbers as a window.

    .. math::
        g_X=\tfrac{A+1}2(\tilde g_X+1),\quad \delta=\tfrac{A-1}{N-1}\tilde\delta,\quad
        \sigma^2,\tilde\delta,\gamma>0\text{ given by their logarithms}

    Args:
        raw: :math:`(\tilde g_X,\tilde g_Y,\log\sigma^2,\log\tilde\delta,\log\gamma)`,
            **[..., 5]**.
        size: A, of a square image, in pixels.
        patch: N; with N = 1 the stride plays no part and is 0.

    Returns:
        The window.

    Raises:
        ValueError: if the shape or a size does not fit.

    Source:
        Gregor et al. (2015), the attention of read and write.

    Example:
        >>> found = window(torch.zeros(5), size=28, patch=28)
        >>> found.x.item(), found.stride.item()
        (14.5, 1.0)
    """
    if raw.shape[-1:] != (5,) or size < 1 or patch < 1:
        raise ValueError(
            f"expected five numbers [..., 5], a size ≥ 1 and a patch ≥ 1, got {list(raw.shape)}, "
            f"{size} and {patch}"
        )
    x, y, variance, stride, gain = raw.unbind(-1)
    reach = (size - 1) / (patch - 1) if patch > 1 else 0.0
    middle = (size + 1) / 2
    return Window(
        middle * (x + 1), middle * (y + 1), reach * stride.exp(), variance.exp(), gain.exp()
    )


def filter_bank(centre: Tensor, stride: Tensor, variance: Tensor, patch: int, size: int) -> Tensor:
    r"""N Gaussian filters over a line of A pixels.

    .. math::
        F[i,a]=\frac1{Z_i}\exp\Big(-\frac{(a-\mu_i)^2}{2\sigma^2}\Big),\qquad
        \mu_i=g+\big(i-\tfrac N2-\tfrac12\big)\delta,\qquad a=1,\dots,A

    The weights are a softmax over a, so that each row sums to 1 even if its centre lies so far
    outside the image that every exponential underflows. As the centre moves out, the row tends to
    the border pixel alone: d pixels outside, its neighbour has about :math:`e^{-d/\sigma^2}` of its
    weight.

    Args:
        centre: g, **[...]**.
        stride: δ, **[...]**.
        variance: σ² > 0, **[...]**.
        patch: N.
        size: A.

    Returns:
        F, **[..., N, A]**.

    Raises:
        ValueError: if a variance is not positive or a size is below 1.

    Source:
        Gregor et al. (2015), the filterbank matrices.

    Example:
        >>> one = torch.tensor(1.0)
        >>> filter_bank(2 * one, one, 1e-4 * one, 3, 3).argmax(-1).tolist()
        [0, 1, 2]
    """
    if patch < 1 or size < 1 or not bool((variance > 0).all()):
        raise ValueError(
            f"expected patch ≥ 1, size ≥ 1 and variances > 0, got {patch}, {size} and a least "
            f"variance of {float(variance.min()):g}; exp(log σ²) keeps it positive"
        )
    return gaussians(centre, stride, variance, patch, size)


def gaussians(centre: Tensor, stride: Tensor, variance: Tensor, patch: int, size: int) -> Tensor:
    r"""The same for numbers known to be right; it looks at no value, so that it can be traced.

    Args:
        centre: g, **[...]**.
        stride: δ, **[...]**.
        variance: σ² > 0, **[...]**.
        patch: N.
        size: A.

    Returns:
        F, **[..., N, A]**.

    Example:
        >>> one = torch.tensor(1.0)
        >>> gaussians(2 * one, one, 1e-4 * one, 3, 3).argmax(-1).tolist()
        [0, 1, 2]
    """
    places = torch.arange(1, patch + 1, dtype=centre.dtype, device=centre.device)
    means = centre[..., None] + (places - patch / 2 - 0.5) * stride[..., None]
    pixels = torch.arange(1, size + 1, dtype=centre.dtype, device=centre.device)
    away = (pixels - means[..., None]).square() / (2 * variance[..., None, None])
    return (-away).softmax(-1)


def _banks(where: Window, patch: int, size: int) -> tuple[Tensor, Tensor]:
    centres = torch.stack([where.y, where.x])
    down, across = filter_bank(centres, where.stride, where.variance, patch, size)
    return down, across


def read(image: Tensor, where: Window, patch: int) -> Tensor:
    r"""What the window sees: :math:`\gamma\,F_Y\,x\,F_X^\top`.

    Args:
        image: **[..., A, A]**.
        where: fields **[...]**.
        patch: N.

    Returns:
        **[..., N, N]**.

    Raises:
        ValueError: if the image is not square.

    Example:
        >>> everything = window(torch.zeros(5), 6, 1)
        >>> read(torch.ones(6, 6), everything, 1).item()
        1.0
    """
    if image.ndim < 2 or image.shape[-1] != image.shape[-2]:
        raise ValueError(f"expected square images [..., A, A], got {list(image.shape)}")
    down, across = _banks(where, patch, image.shape[-1])
    return where.gain[..., None, None] * (down @ image @ across.mT)


def write(patch: Tensor, where: Window, size: int) -> Tensor:
    r"""What the window leaves on the canvas: :math:`\frac1\gamma F_Y^\top w\,F_X`.

    Args:
        patch: w, **[..., N, N]**.
        where: fields **[...]**.
        size: A.

    Returns:
        **[..., A, A]**.

    Raises:
        ValueError: if the patch is not square.

    Example:
        >>> write(torch.ones(1, 1), window(torch.zeros(5), 6, 1), 6).sum().round().item()
        1.0
    """
    if patch.ndim < 2 or patch.shape[-1] != patch.shape[-2]:
        raise ValueError(f"expected square patches [..., N, N], got {list(patch.shape)}")
    down, across = _banks(where, patch.shape[-1], size)
    return (down.mT @ patch @ across) / where.gain[..., None, None]
