"""Laws of `genbook.wgan.sinkhorn`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given

from genbook.divergences import measures
from genbook.wgan import sinkhorn, transport
from tests.wgan.given import FEW, any_seed, double


def problem(seed, n=6, m=8):
    streams = double(seed)
    p, q = streams.uniform(n)[0], streams.uniform(m)[0]
    cost = torch.cdist(streams.normal(n, 2)[0], streams.normal(m, 2)[0])
    return p / p.sum(), q / q.sum(), cost


@FEW
@given(any_seed)
def test_the_plan_has_its_marginals_and_its_form(seed):
    p, q, cost = problem(seed)
    found = sinkhorn.entropic(p, q, cost, 0.3)
    torch.testing.assert_close(found.plan.sum(1), p, atol=1e-9, rtol=0)
    torch.testing.assert_close(found.plan.sum(0), q, atol=1e-12, rtol=0)
    tilt = (found.potential_p[:, None] + found.potential_q - cost) / 0.3
    torch.testing.assert_close(found.plan, p[:, None] * q * tilt.exp(), atol=1e-12, rtol=0)
    ratio = found.plan / (p[:, None] * q)
    assert found.information == pytest.approx((found.plan * ratio.log()).sum().item(), abs=1e-9)


@FEW
@given(any_seed)
def test_no_other_plan_has_a_lower_objective(seed):
    p, q, cost = problem(seed)
    found = sinkhorn.entropic(p, q, cost, 0.5)
    others = (transport.solve(p, q, cost).plan, p[:, None] * q, found.plan)
    for share in (0.01, 0.5, 1.0):
        for other in others:
            mixed = (1 - share) * found.plan + share * other
            information = torch.special.xlogy(mixed, mixed / (p[:, None] * q)).sum()
            assert float((mixed * cost).sum() + 0.5 * information) >= found.objective - 1e-8


@FEW
@given(any_seed)
def test_the_cost_rises_with_blur_from_the_program_to_the_product(seed):
    p, q, cost = problem(seed)
    exact = transport.solve(p, q, cost).cost
    spent = [sinkhorn.entropic(p, q, cost, e).cost for e in (0.05, 0.5, 5.0, 1e4)]
    assert spent == sorted(spent)
    least = min(float(measures.entropy(p)), float(measures.entropy(q)))
    assert exact - 1e-8 <= spent[0] <= exact + 0.05 * least
    assert spent[-1] == pytest.approx(float(p @ cost @ q), abs=1e-3)


def test_two_points_in_closed_form():
    half, cost = torch.tensor([0.5, 0.5]), 1 - torch.eye(2)
    for epsilon in (0.02, 0.5, 3.0):
        stray = math.exp(-1 / epsilon)
        found = sinkhorn.entropic(half, half, cost, epsilon)
        assert found.cost == pytest.approx(stray / (1 + stray), abs=1e-12)


def test_what_has_no_mass_is_left_out():
    p, q, cost = problem(3)
    wider = torch.cat([p, p.new_zeros(1)]), torch.cat([cost, cost[:1] + 1])
    bare = sinkhorn.entropic(p, q, cost, 0.3)
    found = sinkhorn.entropic(wider[0], q, wider[1], 0.3)
    assert found.objective == pytest.approx(bare.objective, abs=1e-9)
    torch.testing.assert_close(found.plan[:-1], bare.plan, atol=1e-9, rtol=0)
    assert float(found.plan[-1].abs().max()) == 0


def test_twins_and_strangers_take_the_same_road():
    """p = q takes a shortcut; a mass moved by 1e-9 takes the usual way to the same value."""
    p, _, _ = problem(4)
    points = double(4).normal(6, 2)[0]
    cost = torch.cdist(points, points)
    other = p.clone()
    other[:2] += torch.tensor([1e-9, -1e-9])
    twins, strangers = (sinkhorn.entropic(p, each, cost, 0.5) for each in (p, other))
    assert twins.objective == pytest.approx(strangers.objective, abs=1e-7)
    torch.testing.assert_close(twins.plan, twins.plan.T, atol=1e-12, rtol=0)


@FEW
@given(any_seed)
def test_the_debiased_divergence_is_zero_at_home_and_positive_abroad(seed):
    points = double(seed).normal(7, 2)[0]
    cost = torch.cdist(points, points)
    p, q = (row / row.sum() for row in double(seed, seed + 1).uniform(7) + 0.05)
    assert sinkhorn.debiased(p, p, cost, 0.5) == pytest.approx(0, abs=1e-12)
    value = sinkhorn.debiased(p, q, cost, 0.5)
    assert value > 1e-4
    assert value == pytest.approx(sinkhorn.debiased(q, p, cost, 0.5), abs=1e-8)


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.inf, math.nan])
def test_a_blur_is_positive_and_finite(epsilon):
    with pytest.raises(ValueError, match="ε > 0"):
        sinkhorn.entropic(*problem(0), epsilon)


def test_what_does_not_fit_or_settle_is_said():
    p, q, cost = problem(0)
    with pytest.raises(ValueError, match="finite cost"):
        sinkhorn.entropic(p, q, cost.T, 1.0)
    with pytest.raises(ValueError, match="probabilities in q"):
        sinkhorn.entropic(p, 2 * q, cost, 1.0)
    with pytest.raises(ValueError, match="after 2 rounds"):
        sinkhorn.entropic(p, q, cost, 0.01, rounds=2)
    with pytest.raises(ValueError, match="symmetric"):
        sinkhorn.debiased(p, p, cost[:, :6] + torch.ones(6).diag().roll(1, 0), 1.0)
