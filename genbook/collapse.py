r"""What a generator forgets, and how it is counted: modes, quality, histograms, and exact limits.

Two papers define the ring of eight and the grid of 25 (:data:`VEEGAN`, :data:`PACGAN`). Both count
a sample as good within three deviations of its nearest centre. Everything that is measured on
samples carries the leading seed axis **[S, …]** of :mod:`genbook.seeds`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import torch
from torch import Tensor

from genbook.duality import ConvexFunction

DEVIATIONS = 3.0
"""Both papers call a sample good within three standard deviations of the nearest centre."""


@dataclass(frozen=True)
class Protocol:
    r"""How a paper measures collapse, and what it trains.

    Args:
        name: of the paper.
        samples: drawn from each trained generator.
        trials: trained generators that a number is the mean of.
        spread: what stands behind the ±, if anything.
        measures: what is reported.
        networks: generator and discriminator.
        training: optimiser, batch, length.
    """

    name: str
    samples: int
    trials: int
    spread: str
    measures: tuple[str, ...]
    networks: str
    training: str


VEEGAN = Protocol(
    name="VEEGAN",
    samples=2500,
    trials=5,
    spread="none printed",
    measures=("modes captured", "high-quality share"),
    networks="perceptrons with two hidden layers; unrolled: 5 steps",
    training="the same networks for every method",
)
"""Srivastava et al. (2017), section 4 and table 1."""

PACGAN = Protocol(
    name="PacGAN",
    samples=2500,
    trials=10,
    spread="standard error",
    measures=("modes captured", "high-quality share", "reverse KL of the histogram"),
    networks="G: 4 × 400 ReLU with batch norm; D: 3 × 200 maxout of 5 pieces",
    training="Adam 1e-4, β₁ 0.8, batch 100, 400 epochs of 100,000 samples",
)
"""Lin et al. (2018), section 4.1 and table 1, with their code."""


@dataclass(frozen=True)
class Published:
    r"""A line of a paper's table.

    Args:
        protocol: of which paper.
        method: as the paper calls it.
        ring: modes of 8, share of good samples in %, reverse KL (``None``: not reported).
        grid: the same for 25 modes.
    """

    protocol: Protocol
    method: str
    ring: tuple[float, float, float | None]
    grid: tuple[float, float, float | None]


PUBLISHED = (
    Published(VEEGAN, "GAN", (1.0, 99.3, None), (3.3, 0.5, None)),
    Published(VEEGAN, "ALI", (2.8, 0.13, None), (15.8, 1.6, None)),
    Published(VEEGAN, "Unrolled GAN", (7.6, 35.6, None), (23.6, 16.0, None)),
    Published(VEEGAN, "VEEGAN", (8.0, 52.9, None), (24.6, 40.0, None)),
    Published(PACGAN, "GAN", (6.3, 98.2, 0.45), (17.3, 94.8, 0.70)),
    Published(PACGAN, "ALI", (6.6, 97.6, 0.36), (24.1, 95.7, 0.14)),
    Published(PACGAN, "PacGAN2", (7.9, 95.6, 0.07), (23.8, 91.3, 0.13)),
    Published(PACGAN, "PacGAN3", (7.8, 97.7, 0.10), (24.6, 94.2, 0.06)),
    Published(PACGAN, "PacGAN4", (7.8, 95.9, 0.07), (24.8, 93.6, 0.04)),
)
"""Table 1 of Srivastava et al. (2017) and table 1 of Lin et al. (2018)."""


# --- Measures on samples ----------------------------------------------------------------------


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
    p = torch.ones(counts.shape[-1]) if weights is None else weights
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


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    r"""The mean of several seeds and its standard error, :math:`s/\sqrt n`.

    Args:
        values: one number a seed.

    Returns:
        Mean and standard error.

    Raises:
        ValueError: if there are fewer than two.

    Example:
        >>> mean_and_error([1.0, 3.0])
        (2.0, 1.0)
    """
    if len(values) < 2:
        raise ValueError(f"expected at least two seeds for an error, got {len(values)}")
    return fmean(values), stdev(values) / math.sqrt(len(values))


# --- What the data itself would score ---------------------------------------------------------


def ceiling(deviations: float = DEVIATIONS, dimension: int = 2) -> float:
    r"""The share of good samples among samples of the data itself.

    .. math:: P(\|\epsilon\|<r) = \chi^2_d(r^2),\qquad d=2:\; 1-e^{-r^2/2}

    Args:
        deviations: r.
        dimension: d.

    Returns:
        The share; 98.9 % for three deviations in the plane.

    Raises:
        ValueError: if r or d is not positive.

    Example:
        >>> round(ceiling(), 4)
        0.9889
    """
    if not deviations > 0 or dimension < 1:
        raise ValueError(f"expected deviations > 0 and d ≥ 1, got {deviations} and {dimension}")
    half = torch.tensor([dimension / 2, deviations**2 / 2], dtype=torch.float64)
    return float(torch.special.gammainc(half[0], half[1]))


def histogram_floor(modes: int, samples: int) -> float:
    r"""The mean reverse KL of a histogram whose generator has forgotten nothing, to first order.

    .. math:: \mathbb E\,\mathrm{KL}(\hat q\|u)\approx\frac{K-1}{2n}

    Args:
        modes: K equally likely modes.
        samples: n.

    Returns:
        In nats.

    Raises:
        ValueError: if there is no mode or no sample.

    Example:
        >>> histogram_floor(25, 2500)
        0.0048
    """
    if modes < 1 or samples < 1:
        raise ValueError(f"expected at least one mode and one sample, got {modes}, {samples}")
    return (modes - 1) / (2 * samples)


# --- The value of forgetting ------------------------------------------------------------------


def kept_modes(convex: ConvexFunction, kept: int, modes: int) -> float:
    r"""An f-divergence of a generator that draws k of K equal modes perfectly, the others never.

    .. math:: D_f = f\!\big(\tfrac kK\big) + \big(1-\tfrac kK\big)\,f'(\infty),\qquad
        f'(\infty)=\lim_{u\to\infty}\frac{f(u)}u

    Where the generator is, the density ratio is k/K; the mass it never reaches is charged at the
    slope of f at infinity, which is the upper end of f*'s domain.

    Args:
        convex: f.
        kept: k.
        modes: K ≥ k ≥ 1.

    Returns:
        The divergence less f(1), in the unit of f; ∞ if f grows faster than linearly and k < K.

    Raises:
        ValueError: if k is not between 1 and K.

    Example:
        >>> from genbook.duality import KL, REVERSE_KL
        >>> kept_modes(KL, 3, 4), round(kept_modes(REVERSE_KL, 3, 4), 4)
        (inf, 0.2877)
    """
    if not 1 <= kept <= modes:
        raise ValueError(f"expected 1 ≤ kept ≤ modes, got {kept} of {modes}")
    u = torch.tensor(kept / modes, dtype=torch.float64)
    missed = 0.0 if kept == modes else (1 - float(u)) * convex.domain[1]
    at_one = float(convex.f(torch.ones((), dtype=torch.float64)))
    return float(convex.f(u)) + missed - at_one


# --- Packing ----------------------------------------------------------------------------------


def packed_tv(p: Tensor, q: Tensor, packed: int) -> float:
    r"""The total variation of m independent samples, seen together.

    .. math:: \mathrm{TV}(P^m, Q^m) = \tfrac12\sum_{x_1,\dots,x_m}
        \Big|\prod_i p(x_i)-\prod_i q(x_i)\Big|

    Summed over how often each cell occurs, not over all :math:`K^m` words.

    Args:
        p: probabilities, **[K]**.
        q: probabilities, **[K]**.
        packed: m.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if p or q is not a distribution, or m < 1.

    Source:
        Lin et al. (2018), section 3.

    Example:
        >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0])
        >>> packed_tv(p, q, 1), packed_tv(p, q, 2)
        (0.5, 0.75)
    """
    both = torch.stack([p, q]).double()
    if packed < 1 or both.ndim != 2 or bool((both < 0).any()):
        raise ValueError(f"expected two lists of probabilities and m ≥ 1, got {p}, {q}, {packed}")
    if bool((both.sum(-1) - 1).abs().gt(1e-6).any()):
        raise ValueError(f"expected probabilities that sum to 1, got sums {both.sum(-1).tolist()}")
    total = 0.0
    for word in _counts(both.shape[1], packed):
        ways = math.factorial(packed) // math.prod(map(math.factorial, word))
        chances = both.pow(torch.tensor(word)).prod(-1)
        total += ways * float((chances[0] - chances[1]).abs())
    return total / 2


def _counts(cells: int, total: int) -> list[tuple[int, ...]]:
    """All ways to put ``total`` into ``cells``."""
    if cells == 1:
        return [(total,)]
    return [
        (first, *rest) for first in range(total + 1) for rest in _counts(cells - 1, total - first)
    ]


# --- The trap ---------------------------------------------------------------------------------


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


# --- Images -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    r"""A classifier of digits, with what it scored on digits it had not seen.

    Args:
        logits: maps flat images **[N, P]** to **[N, 10]**.
        accuracy: share right on the test set.
        images: name of the data.
    """

    logits: Callable[[Tensor], Tensor]
    accuracy: float
    images: str

    def classes(self, samples: Tensor) -> Tensor:
        r"""How many samples it reads as each digit.

        Args:
            samples: **[S, n, P]**.

        Returns:
            **[S, 10]**.

        Raises:
            ValueError: if the shape is another.
        """
        if samples.ndim != 3:
            raise ValueError(f"expected samples [S, n, P], got {list(samples.shape)}")
        with torch.no_grad():
            read = self.logits(samples.flatten(0, 1)).argmax(-1).reshape(samples.shape[:2])
        return torch.nn.functional.one_hot(read, 10).sum(1)
