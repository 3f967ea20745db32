"""Laws of `genbook.divergences.fitting`."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from genbook.divergences import densities, fitting, measures


def test_reverse_fit_depends_on_its_start_and_the_best_is_kept():
    grid = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    p = densities.mixture(
        torch.tensor([0.4, 0.6]).double(), torch.tensor([-2.0, 2.0]).double(), torch.ones(2) / 2
    )
    left, right = (
        fitting.fit_gaussian(measures.REVERSE_KL, p.log_prob(grid), grid, start=(at, 0.5))
        for at in (-2, 2)
    )
    assert left.mu < 0 < right.mu
    assert right.value < left.value
    best = fitting.best_gaussian(
        measures.REVERSE_KL, p.log_prob(grid), grid, starts=((-2.0, 0.5), (2.0, 0.5))
    )
    assert best == right


def test_an_infinite_start_is_refused():
    grid = torch.linspace(-400, 400, 801, dtype=torch.float64)
    log_p = Normal(0.0, 1.0).log_prob(grid)
    with pytest.raises(ValueError, match="expected a finite Neyman"):
        fitting.fit_gaussian(measures.NEYMAN, log_p, grid, start=(300.0, 1.0))
