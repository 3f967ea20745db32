"""Laws of `genbook.clipping.bounds`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from genbook.clipping import bounds, characters, cliff, penalty, rules
from genbook.kit.device import seeded
from genbook.lstm import paths
from tests.clipping.given import DOUBLE, FEW, INFINITE, POINT, SEEDS, TEXT, arms, bowl, walk


def net(seed: int, kind: str = "random", largest: float = 1.5, size: int = 6) -> tuple[Tensor, ...]:
    source = seeded(seed)
    weight = bounds.with_largest(kind, size, largest, source)
    return weight, torch.randn(20, size, generator=source, dtype=DOUBLE), torch.zeros(size).double()


# Gradients through many steps


@FEW
@given(SEEDS)
@pytest.mark.parametrize("squash", bounds.SQUASHES, ids=lambda s: s.name)
def test_products_equal_autograd(squash, seed):
    weight, drives, start = net(seed, size=4)
    xs = bounds.states(weight, drives, start, squash)
    wanted = torch.autograd.functional.jacobian(
        lambda x: bounds.states(weight, drives, x, squash)[-1], start
    )
    torch.testing.assert_close(bounds.products(weight, xs, squash)[-1], wanted)


@FEW
@given(SEEDS, st.floats(0.3, 8))
@pytest.mark.parametrize("kind", bounds.KINDS)
@pytest.mark.parametrize("squash", bounds.SQUASHES, ids=lambda s: s.name)
def test_the_gradient_lies_between_both_bounds(squash, kind, seed, largest):
    weight, drives, start = net(seed, kind, largest)
    xs = bounds.states(weight, drives, start, squash)
    norms = paths.norms(bounds.products(weight, xs, squash))
    upper = bounds.upper_bound(weight, 20, squash.gamma)
    lower = bounds.lower_bound(weight, xs, squash)
    assert bool((norms <= upper * (1 + 1e-9)).all())
    assert bool((norms >= lower * (1 - 1e-9)).all())


def test_the_lower_bound_is_the_root_of_the_determinant():
    weight, drives, start = net(3)
    xs = bounds.states(weight, drives, start)
    wanted = torch.linalg.det(bounds.products(weight, xs)).abs() ** (1 / 6)
    torch.testing.assert_close(bounds.lower_bound(weight, xs), wanted)


@FEW
@given(SEEDS, st.floats(0.2, 5))
def test_both_bounds_meet_for_a_linear_rotation(seed, largest):
    weight, drives, start = net(seed, "rotation", largest)
    xs = bounds.states(weight, drives, start, bounds.LINEAR)
    torch.testing.assert_close(
        bounds.lower_bound(weight, xs, bounds.LINEAR), bounds.upper_bound(weight, 20)
    )


@pytest.mark.parametrize("squash", bounds.SQUASHES, ids=lambda s: s.name)
def test_the_slope_is_the_derivative_and_gamma_its_maximum(squash):
    x = torch.linspace(-6, 6, 401, dtype=DOUBLE, requires_grad=True)
    (slope,) = torch.autograd.grad(squash.function(x).sum(), x)
    torch.testing.assert_close(squash.slope(x.detach()), slope)
    assert slope.max().item() == pytest.approx(squash.gamma)


def tilted_norms(largest, degrees, slopes, steps):
    """λ₁ᵏ |vᵀDu|ᵏ⁻¹ ‖Dv‖ for the rank-one matrix λ₁uvᵀ."""
    turn = math.radians(45 - degrees)
    v = torch.tensor([math.cos(turn), math.sin(turn)], dtype=DOUBLE)
    inner = (v * slopes).sum().abs() / math.sqrt(2)
    k = torch.arange(1, steps + 1, dtype=DOUBLE)
    later = largest**k * inner ** (k - 1) * (v * slopes).norm()
    return torch.cat([torch.ones(1, dtype=DOUBLE), later])


@FEW
@given(st.floats(0.3, 4), st.floats(0, 90), st.floats(0, 1))
def test_the_two_unit_net_follows_its_closed_form(largest, degrees, slope):
    slopes = torch.tensor([1.0, slope], dtype=DOUBLE)
    weight = bounds.tilted(largest, degrees)
    torch.testing.assert_close(
        bounds.held_norms(weight, slopes, 12),
        tilted_norms(largest, degrees, slopes, 12),
        rtol=1e-7,
        atol=1e-9,
    )


@FEW
@given(st.floats(0.3, 4), st.floats(0, 90))
def test_the_angle_sets_the_eigenvalue_and_leaves_the_singular_value(largest, degrees):
    weight = bounds.tilted(largest, degrees)
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(largest)
    cosine = math.cos(math.radians(degrees))
    assert paths.spectral_radius(weight).item() == pytest.approx(largest * cosine, abs=1e-6)


@FEW
@given(SEEDS)
def test_a_held_state_stays(seed):
    weight, _, _ = net(seed, largest=0.9)
    state = torch.randn(6, generator=seeded(seed), dtype=DOUBLE)
    drive = bounds.hold_at(weight, state)
    xs = bounds.states(weight, drive.expand(30, 6), state)
    torch.testing.assert_close(xs, state.expand(31, 6))


def test_one_way_weights_forget_after_as_many_steps_as_units():
    weight, drives, start = net(1, "one-way", 3.0)
    xs = bounds.states(weight, drives, start)
    assert bounds.products(weight, xs)[6:].abs().max() == 0


# Bad input


@pytest.mark.parametrize(
    "call",
    [
        lambda: bounds.states(torch.ones(2, 3), torch.ones(1, 2), torch.ones(2)),
        lambda: bounds.states(torch.eye(2), torch.ones(1, 3), torch.ones(2)),
        lambda: bounds.hold_at(torch.ones(2, 3), torch.ones(3)),
        lambda: bounds.products(torch.eye(2), torch.ones(3, 1)),
        lambda: bounds.upper_bound(torch.ones(3), 2),
        lambda: bounds.lower_bound(torch.ones(2, 1), torch.ones(3, 1)),
        lambda: bounds.with_largest("round", 3, 1.0, seeded(0)),
        lambda: bounds.with_largest("random", 3, 0.0, seeded(0)),
        lambda: bounds.tilted(-1.0, 0.0),
        lambda: bounds.held_norms(torch.ones(2, 3), torch.ones(3), 2),
        lambda: cliff.final_state(torch.ones(1), torch.ones(1), -1),
        lambda: cliff.descend((1.0, 1.0), 0.0, torch.ones(1)),
        lambda: cliff.descend((1.0, 1.0), 1.0, torch.zeros(1)),
        lambda: rules.norm([]),
        lambda: rules.by_norm([torch.ones(1)], 0.0),
        lambda: rules.by_value([torch.ones(1)], math.nan),
        lambda: rules.turned([torch.ones(1)], [torch.zeros(1)]),
        lambda: rules.largest_turn(0),
        lambda: rules.threshold_rule(torch.tensor([1.0, INFINITE])),
        lambda: rules.threshold_rule(torch.ones(2), factor=-1.0),
        lambda: rules.clipped(0.0),
        lambda: rules.Scaled(0.0),
        lambda: rules.layer_rate(nn.Linear(1, 1), -1.0, adaptive=True),
        lambda: rules.path(torch.optim.SGD, bowl, POINT, steps=-1),
        lambda: characters.Arm(0, 0.0),
        lambda: characters.Models([]),
        lambda: next(characters.train(characters.Models(arms(1.0)), arms(1.0), TEXT[:20])),
    ],
)
def test_bad_input_is_refused_with_what_was_expected(call):
    with pytest.raises(ValueError, match="expected"):
        call()


@FEW
@given(SEEDS)
@pytest.mark.parametrize("squash", bounds.SQUASHES, ids=lambda s: s.name)
def test_ratios_are_those_of_the_lengths_that_autograd_finds(squash, seed):
    weight, xs, errors = walk(seed, squash)
    lengths = torch.stack([error.norm() for error in errors])
    found = penalty.ratios(weight, xs, torch.stack(errors[1:]), squash)
    torch.testing.assert_close(found, lengths[:-1] / lengths[1:])


@FEW
@given(SEEDS, st.floats(0.1, 3))
def test_a_scaled_rotation_pays_the_square_of_what_it_misses(seed, scale):
    turn = bounds.with_largest("rotation", 5, scale, seeded(seed))
    xs, errors = torch.randn(2, 7, 3, 5, generator=seeded(seed + 1), dtype=DOUBLE)
    found = penalty.penalty(turn, xs, errors, bounds.LINEAR)
    torch.testing.assert_close(found, torch.full((3,), 7 * (scale - 1) ** 2, dtype=DOUBLE))
