"""Laws of `genbook.clipping.cliff`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genbook.clipping import cliff
from tests.clipping.given import DOUBLE, FEW, INFINITE

# The cliff

POINTS = st.tuples(st.floats(-3.9, 6.5), st.floats(-4, 1))


@FEW
@given(POINTS)
def test_the_gradient_carried_forward_is_autograds(point):
    at = torch.tensor(point, dtype=DOUBLE, requires_grad=True)
    (wanted,) = torch.autograd.grad(cliff.error(at[0], at[1], 20), at)
    torch.testing.assert_close(cliff.gradient(at.detach(), 20)[1], wanted, rtol=1e-6, atol=1e-9)


def test_the_surface_passes_gradcheck():
    at = torch.tensor([[3.0, -1.0], [2.0, -2.0]], dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: cliff.error(p[:, 0], p[:, 1], 10), (at,))


@FEW
@given(st.floats(0, 6))
def test_on_the_wall_the_slope_is_a_geometric_sum(weight):
    w = torch.tensor(weight, dtype=DOUBLE)
    x, by = cliff.slopes(w, cliff.wall(w))
    assert x.item() == pytest.approx(0.5, abs=1e-6)
    assert by[1].item() == pytest.approx(cliff.wall_slope(w).item(), rel=1e-5)
    assert by[0].item() == pytest.approx(by[1].item() * torch.sigmoid(x).item(), rel=1e-5)


@FEW
@given(st.floats(0, 3.99), st.floats(-6, 6))
def test_left_of_four_there_is_no_cliff(weight, bias):
    _, by = cliff.slopes(torch.tensor(weight).double(), torch.tensor(bias).double())
    assert by.abs().max().item() <= 1 / (1 - weight / 4) + 1e-9


def test_a_walk_never_clipped_is_torchs_gradient_descent():
    walk = cliff.descend((3.0, -2.0), 0.2, torch.tensor(INFINITE), steps=15)
    at = nn.Parameter(torch.tensor([3.0, -2.0], dtype=DOUBLE))
    stepper = torch.optim.SGD([at], lr=0.2)
    for _ in range(15):
        stepper.zero_grad()
        cliff.error(at[0], at[1]).backward()
        stepper.step()
    torch.testing.assert_close(walk.points[-1], at.detach())


@FEW
@given(st.floats(0.01, 5), st.floats(0.05, 2))
def test_no_clipped_step_is_longer_than_rate_times_threshold(threshold, rate):
    walk = cliff.descend((4.5, -3.0), rate, torch.tensor([threshold]), steps=40)
    longest = walk.points.diff(dim=0).norm(dim=-1).max().item()
    assert longest <= rate * threshold * (1 + 1e-6)
