r"""Modes found and samples that are good, counted; everything carries the seed axis **[S, …]**."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

DEVIATIONS = 3.0
"""Both papers call a sample good within three standard deviations of the nearest centre."""


@dataclass(frozen=True)
class Score:
    r"""What a batch of samples shows of the modes.

    Args:
        counts: good samples at each mode, **[S, K]**.
        high_quality: share of samples that are good, **[S]**.
    """

    counts: Tensor
    high_quality: Tensor

    @property
    def modes(self) -> Tensor:
        r"""Modes with at least one good sample, **[S]**."""
        return (self.counts > 0).sum(-1)

    @property
    def reverse_kl(self) -> Tensor:
        r"""See :func:`histogram_kl`, **[S]**."""
        return histogram_kl(self.counts)


def nearest(samples: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    r"""The nearest centre of each sample and its distance.

    Args:
        samples: **[S, n, d]**.
        centres: **[K, d]**.

    Returns:
        Distances **[S, n]** and places in ``centres`` **[S, n]**.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> nearest(torch.tensor([[[0.9, 0.0]]]), torch.eye(2))[1].tolist()
        [[0]]
    """
    if samples.ndim != 3 or centres.ndim != 2 or samples.shape[-1] != centres.shape[-1]:
        raise ValueError(
            "expected samples [S, n, d] and centres [K, d], got "
            f"{list(samples.shape)} and {list(centres.shape)}"
        )
    gaps = samples[:, :, None] - centres.to(samples)
    found = torch.linalg.vector_norm(gaps, dim=-1).min(-1)
    return found.values, found.indices


def score(samples: Tensor, centres: Tensor, std: float, *, deviations: float = DEVIATIONS) -> Score:
    r"""Count good samples at each mode. A sample that is not finite is not good.

    .. math:: n_k = \#\{x : \|x-c_k\| < 3\sigma,\; k = \arg\min_j\|x-c_j\|\}

    Args:
        samples: **[S, n, d]**.
        centres: **[K, d]**.
        std: σ, the deviation of each coordinate.
        deviations: how many deviations are still good.

    Returns:
        Counts and shares.

    Raises:
        ValueError: if the shapes do not fit, or σ or ``deviations`` is not positive.

    Source:
        Srivastava et al. (2017), section 4: modes captured, high-quality samples.

    Example:
        >>> found = score(torch.tensor([[[0.0, 0.0], [0.0, 9.0]]]), torch.zeros(1, 2), std=1.0)
        >>> found.modes.tolist(), found.high_quality.tolist()
        ([1], [0.5])
    """
    if not (std > 0 and deviations > 0):
        raise ValueError(f"expected σ > 0 and deviations > 0, got {std} and {deviations}")
    distance, where = nearest(samples, centres)
    good = distance < deviations * std
    counts = torch.zeros(len(samples), len(centres), dtype=torch.int64, device=samples.device)
    counts.scatter_add_(1, where, good.long())
    return Score(counts, good.double().mean(-1))


def histogram_kl(counts: Tensor, weights: Tensor | None = None) -> Tensor:
    r"""The reverse KL divergence of the histogram of modes, in nats.

    .. math:: \mathrm{KL}(\hat q\,\|\,p) = \sum_k \hat q_k\log\frac{\hat q_k}{p_k},\qquad
        \hat q_k = \frac{n_k}{\sum_j n_j}

    PacGAN's code counts good samples only; a uniform p gives :math:`\log K - H(\hat q)`.

    Args:
        counts: **[…, K]**, n ≥ 0.
        weights: p, **[K]**, scaled to sum to 1; uniform by default.

    Returns:
        **[…]**, float64; ∞ where there is no sample at all.

    Raises:
        ValueError: if a count is negative, or a weight is not positive.

    Source:
        Lin et al. (2018), section 4.1.

    Example:
        >>> round(histogram_kl(torch.tensor([5, 5, 0, 0])).item(), 4)
        0.6931
    """
    p = counts.new_ones(counts.shape[-1]) if weights is None else weights
    if bool((counts < 0).any()) or bool((p <= 0).any()) or p.shape != counts.shape[-1:]:
        raise ValueError(
            f"expected counts ≥ 0 and one weight > 0 a mode, got counts {list(counts.shape)} "
            f"and weights {p.tolist()}"
        )
    p = p.to(counts.device, torch.float64)
    total = counts.double().sum(-1)
    share = counts.double() / total.clamp_min(1)[..., None]
    kl = torch.special.xlogy(share, share / (p / p.sum())).sum(-1)
    return torch.where(total > 0, kl, math.inf)


def distinct(centres: Tensor, *, apart: float = 1e-6) -> int:
    r"""How many centres are left when those at the same place are counted once.

    Args:
        centres: **[K, d]**.
        apart: closer than this is the same place.

    Returns:
        Their number.

    Raises:
        ValueError: if the shape is not [K, d].

    Example:
        >>> angles = torch.linspace(0, 2 * math.pi, 8)
        >>> distinct(torch.stack([angles.cos(), angles.sin()], 1))
        7
    """
    if centres.ndim != 2:
        raise ValueError(f"expected centres [K, d], got {list(centres.shape)}")
    gaps = torch.linalg.vector_norm(centres[:, None] - centres[None], dim=-1)
    earlier = (gaps < apart).tril(-1).any(1)
    return int((~earlier).sum())
