"""Laws of `genbook.divergences.fitting`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given
from problems import GaussianPair, gaussian_pairs
from torch.distributions import Normal

from genbook.divergences import densities, fitting, measures
from tests.divergences.given import FEW


def normal(mu: float, sigma: float) -> Normal:
    return Normal(torch.tensor(mu, dtype=torch.float64), torch.tensor(sigma, dtype=torch.float64))


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


def test_infinitely_many_times_too_large_a_start_is_refused_too():
    grid = torch.linspace(-40, 40, 4001, dtype=torch.float64)
    log_p = normal(-2.0, 2.0).log_prob(grid)
    with pytest.raises(ValueError, match="expected a finite Pearson"):
        fitting.fit_gaussian(measures.PEARSON, log_p, grid, start=(1.14, 0.66))


@FEW
@example(pair=GaussianPair(normal(-2, 0.5), normal(2, 0.5)))  # eight widths apart: a long step
@given(pair=gaussian_pairs())
@pytest.mark.parametrize("divergence", [measures.KL, measures.REVERSE_KL, measures.JENSEN_SHANNON])
def test_a_gaussian_fitted_to_a_gaussian_is_that_gaussian(divergence, pair):
    grid = torch.linspace(-40, 40, 4001, dtype=torch.float64)
    fit = fitting.fit_gaussian(
        divergence, pair.p.log_prob(grid), grid, start=(pair.q.loc.item(), pair.q.scale.item())
    )
    assert fit.mu == pytest.approx(pair.p.loc.item(), abs=2e-3)
    assert fit.sigma == pytest.approx(pair.p.scale.item(), abs=2e-3)
    assert fit.value == pytest.approx(0, abs=1e-5)


def test_two_gaussians_recover_a_mixture_of_two_under_every_smooth_divergence():
    grid = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    p = densities.mixture(
        torch.tensor([0.3, 0.7]).double(), torch.tensor([-2.0, 2.0]).double(), torch.ones(2) / 2
    )
    for divergence in (measures.KL, measures.REVERSE_KL, measures.JENSEN_SHANNON):
        fit = fitting.fit_two_gaussians(
            divergence, p.log_prob(grid), grid, means=(-1.0, 1.0), sigma=1.0
        )
        assert fit.weight == pytest.approx(0.3, abs=1e-3)
        assert fit.means == pytest.approx((-2.0, 2.0), abs=1e-3)
        assert fit.sigmas == pytest.approx((0.5, 0.5), abs=1e-3)


def slope(divergence, log_p, grid, fit):
    theta = torch.tensor([fit.mu, fit.sigma], dtype=torch.float64, requires_grad=True)
    log_q = densities.gaussian_log_density(grid, theta[0], theta[1])
    value = measures.on_grid(divergence, log_p, log_q, grid)
    return torch.autograd.grad(value, theta)[0].abs().max().item()


@pytest.mark.parametrize("start", [(1.0, 2.0), (0.0, 1.0), (-1.0, 3.0)])
def test_a_steep_divergence_is_followed_to_its_minimum(start):
    grid = torch.linspace(-12, 12, 2401, dtype=torch.float64)
    p = densities.mixture(
        torch.tensor([0.5, 0.5]).double(),
        torch.tensor([-1.5, 1.5]).double(),
        torch.tensor([0.6, 0.9]).double(),
    )
    fit = fitting.fit_gaussian(measures.NEYMAN, p.log_prob(grid), grid, start=start)
    assert (fit.mu, fit.sigma) == pytest.approx((1.102, 1.158), abs=1e-3)
    assert fit.value == pytest.approx(0.8146, abs=1e-4)
    assert slope(measures.NEYMAN, p.log_prob(grid), grid, fit) < 1e-5


def test_a_search_that_does_not_settle_says_so(monkeypatch):
    grid = torch.linspace(-12, 12, 401, dtype=torch.float64)
    log_p = normal(1.0, 0.5).log_prob(grid)
    monkeypatch.setattr(fitting, "SETTLED", 0.0)
    with pytest.raises(RuntimeError, match="expected to settle"):
        fitting.fit_gaussian(measures.KL, log_p, grid, start=(0.0, 1.0))
