"""Problems that carry their exact answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch.distributions import Normal


@dataclass(frozen=True)
class GaussianPair:
    """Two univariate Gaussians and the exact value of every divergence that has a closed form."""

    p: Normal
    q: Normal

    @property
    def exact(self) -> dict[str, float]:
        """Divergence name → value, in nats for the logarithmic ones."""
        m1, s1, m2, s2 = (v.item() for v in (self.p.loc, self.p.scale, self.q.loc, self.q.scale))

        def kl(a: float, s: float, b: float, t: float) -> float:
            return math.log(t / s) + (s**2 + (a - b) ** 2) / (2 * t**2) - 0.5

        overlap = math.sqrt(2 * s1 * s2 / (s1**2 + s2**2))
        bhattacharyya = overlap * math.exp(-((m1 - m2) ** 2) / (4 * (s1**2 + s2**2)))
        rest = 2 * s2**2 - s1**2
        pearson = math.inf
        if rest > 0 and (m1 - m2) ** 2 / rest < 600:
            pearson = s2**2 / (s1 * math.sqrt(rest)) * math.exp((m1 - m2) ** 2 / rest) - 1
        return {
            "KL": kl(m1, s1, m2, s2),
            "reverse KL": kl(m2, s2, m1, s1),
            "Jeffrey": kl(m1, s1, m2, s2) + kl(m2, s2, m1, s1),
            "squared Hellinger": 2 - 2 * bhattacharyya,
            "Pearson χ²": pearson,
        }


@st.composite
def gaussian_pairs(draw: st.DrawFn) -> GaussianPair:
    """Two Gaussians, not further apart than a few widths."""
    means, widths = st.floats(-2, 2), st.floats(0.5, 2)
    first, second = (
        Normal(
            torch.tensor(draw(means), dtype=torch.float64),
            torch.tensor(draw(widths), dtype=torch.float64),
        )
        for _ in range(2)
    )
    return GaussianPair(first, second)


@st.composite
def probability_pairs(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    """Two strictly positive probability vectors over the same 2 to 6 atoms."""
    size = draw(st.integers(2, 6))
    entries = st.lists(st.floats(0.01, 1), min_size=size, max_size=size)
    p, q = (torch.tensor(draw(entries), dtype=torch.float64) for _ in range(2))
    return p / p.sum(), q / q.sum()
