r"""From grey levels to a density and back to bits: dequantisation, the logit, bits a dimension."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

EDGE = 0.05
"""How far the logit keeps from 0 and 1."""


def dequantise(images: Tensor, levels: int, generator: torch.Generator) -> Tensor:
    r"""Grey levels with uniform noise that fills the gaps between them.

    .. math:: x=\frac{v+u}{L},\qquad v\in\{0,\dots,L-1\},\quad u\sim\mathcal U[0,1)

    Args:
        images: :math:`v/(L-1)`, in [0, 1], any shape.
        levels: L ≥ 2.
        generator: draws u.

    Returns:
        The same shape, in [0, 1).

    Raises:
        ValueError: if there are fewer than two levels.

    Source:
        Theis, van den Oord and Bethge (2016).

    Example:
        >>> x = dequantise(torch.tensor([0.0, 1.0]), 2, torch.Generator().manual_seed(0))
        >>> x[0].item() < 0.5 < x[1].item()
        True
    """
    if levels < 2:
        raise ValueError(f"expected at least two levels, got {levels}")
    noise = torch.rand(images.shape, generator=generator, device=images.device, dtype=images.dtype)
    return ((images * (levels - 1)).round() + noise) / levels


def bits(log_density: Tensor, levels: int, dimensions: int) -> float:
    r"""Bits a dimension of the grey levels, from the density of what was dequantised.

    .. math:: \log_2L-\frac{\mathbb E\ln p(x)}{D\ln2}\;\ge\;-\frac{\mathbb E\log_2P(v)}D

    Args:
        log_density: ln p(x) on :math:`[0,1]^D`, **[N]**, in nats.
        levels: L.
        dimensions: D.

    Returns:
        An upper bound of the bits that the model's own P(v) costs; :math:`\log_2L` if p = 1.

    Raises:
        ValueError: if there are fewer than two levels or no dimension.

    Source:
        Theis et al. (2016).

    Example:
        >>> bits(torch.zeros(5), 16, 64)
        4.0
    """
    if levels < 2 or dimensions < 1:
        raise ValueError(
            f"expected at least two levels and one dimension, got {levels} and {dimensions}"
        )
    return math.log2(levels) - float(log_density.double().mean()) / (dimensions * math.log(2))


@dataclass(frozen=True)
class Scales:
    r"""The logit of pixels, brought to mean 0 and deviation 1 on the training set.

    .. math:: s=\epsilon+(1-2\epsilon)x,\qquad y=\frac{\ln\frac s{1-s}-\mu}\sigma

    Args:
        mean: μ, **[D]**.
        std: σ > 0, **[D]**.
    """

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, x: Tensor) -> Scales:
        r"""Measured on dequantised rows.

        Args:
            x: **[N, D]**, in [0, 1).

        Returns:
            The scales.

        Example:
            >>> x = torch.rand(99, 3, generator=torch.Generator().manual_seed(0))
            >>> bool(Scales.of(x)(x)[0].mean(0).abs().max() < 1e-4)
            True
        """
        y = _logit(x)[0]
        return cls(y.mean(0), y.std(0))

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""What the flow is given, and the logarithm of the volume that this stretches.

        Args:
            x: **[N, D]**, in [0, 1).

        Returns:
            y, **[N, D]**, and :math:`\sum_i\ln\partial y_i/\partial x_i`, **[N]**.

        Example:
            >>> flat = Scales(torch.zeros(1), torch.ones(1))
            >>> flat(torch.tensor([[0.5]]))[0].item()
            0.0
        """
        y, volume = _logit(x)
        return (y - self.mean) / self.std, volume - self.std.log().sum()


def _logit(x: Tensor) -> tuple[Tensor, Tensor]:
    share = EDGE + (1 - 2 * EDGE) * x
    volume = math.log(1 - 2 * EDGE) - (share * (1 - share)).log()
    return torch.logit(share), volume.sum(-1)


def pixel_table(train: Tensor, test: Tensor, levels: int, extra: float = 0.1) -> float:
    r"""Bits a dimension of a model that knows how often each pixel has each level, and no more.

    .. math:: P(v)=\prod_i\frac{n_i(v_i)+\alpha}{N+\alpha L}

    Args:
        train: :math:`v/(L-1)`, **[N, D]**.
        test: **[M, D]**.
        levels: L.
        extra: α, so that no level costs ∞ bits.

    Returns:
        Bits a dimension of the test images.

    Example:
        >>> grey = torch.tensor([[0.0], [1.0]])
        >>> round(pixel_table(grey, grey, 2), 6)
        1.0
    """
    seen, asked = ((images * (levels - 1)).round().long() for images in (train, test))
    counts = torch.stack([(seen == v).sum(0) for v in range(levels)]).double() + extra
    return float(-(counts / counts.sum(0)).log2().gather(0, asked).mean())
