"""Laws of `genbook.invertible.angles`."""

from __future__ import annotations

import math

import pytest
import torch
from invertible.given import normal

from genbook.invertible import angles


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180])
def test_signs_agree_as_the_angle_says(degrees):
    turn = math.radians(degrees)
    filters = torch.tensor([[1.0, math.cos(turn)], [0.0, math.sin(turn)]], dtype=torch.float64)
    circle = (torch.arange(3_600, dtype=torch.float64) + 0.5) * (2 * math.pi / 3_600)
    inputs = torch.stack([circle.cos(), circle.sin()], 1)
    found = angles.agreement(inputs @ filters)[0, 1]
    expected = angles.from_angles(filters)[0, 1]
    assert expected.item() == pytest.approx(1 - degrees / 90, abs=1e-7)
    assert found.item() == pytest.approx(expected.item(), abs=2e-3)


def test_lengths_do_not_matter_to_angles():
    filters = normal(5, 3)
    scaled = filters * torch.tensor([1.0, 10.0, 0.1])
    torch.testing.assert_close(angles.from_angles(filters), angles.from_angles(scaled))


def test_a_steep_tanh_is_a_sign():
    outputs = normal(500, 4)
    steep = angles.smooth_agreement(outputs, 1e6)
    torch.testing.assert_close(steep, angles.agreement(outputs), atol=1e-4, rtol=0)


def test_a_flat_tanh_sees_the_cosine_between_the_outputs():
    outputs = normal(500, 4)
    unit = outputs / outputs.norm(dim=0)
    flat = angles.smooth_agreement(outputs, 1e-4)
    torch.testing.assert_close(flat, unit.mT @ unit, atol=1e-6, rtol=0)


def test_the_penalty_is_made_of_what_is_beside_the_diagonal():
    outputs = normal(50, 3)
    found = angles.smooth_agreement(outputs)
    beside = [found[i, j] for i in range(3) for j in range(3) if i != j]
    by_hand = 100 * sum(beside) ** 2 + sum(x**2 for x in beside)
    torch.testing.assert_close(angles.self_orthogonality(outputs), by_hand)


def test_steps_lower_the_penalty_and_leave_the_given_filters():
    filters, inputs = normal(6, 3), normal(400, 6, seed=1)
    kept = filters.clone()
    better = angles.opened(filters, inputs, 100, 0.02)
    before, after = (angles.self_orthogonality(inputs @ w) for w in (filters, better))
    assert after < before / 4
    assert torch.equal(filters, kept)


def test_a_flat_sign_is_refused():
    with pytest.raises(ValueError, match="γ > 0, got 0"):
        angles.smooth_agreement(torch.ones(2, 2), 0.0)
