r"""What two papers report on the ring of eight and the grid of 25, and their protocols."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev


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
