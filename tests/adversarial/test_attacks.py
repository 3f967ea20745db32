"""Attacks: how far they go, where they stay, and what they refuse."""

from __future__ import annotations

import pytest
import torch

from genbook.adversarial import attacks
from genbook.kit.device import seeded


def bowl(x):
    return (x * x).sum(1)


@pytest.fixture
def x():
    return torch.randn(6, 5, generator=seeded(0), dtype=torch.float64)


def test_the_slope_of_a_sum_of_squares_is_twice_the_input(x):
    torch.testing.assert_close(attacks.slope(bowl, x), 2 * x)


def test_the_slope_leaves_the_input_alone(x):
    before = x.clone()
    attacks.slope(bowl, x)
    assert torch.equal(x, before)
    assert not x.requires_grad


def test_every_number_moves_by_epsilon(x):
    torch.testing.assert_close((attacks.sign_step(bowl, x, 0.3) - x).abs(), torch.full_like(x, 0.3))


def test_one_long_step_of_many_is_the_signed_step(x):
    many = attacks.many_steps(bowl, x, 0.3, steps=1, rate=5.0)
    torch.testing.assert_close(many, attacks.sign_step(bowl, x, 0.3))


def test_many_steps_stay_in_the_box_and_reach_its_corner(x):
    many = attacks.many_steps(bowl, x, 0.3, steps=20, rate=0.1)
    torch.testing.assert_close((many - x).abs(), torch.full_like(x, 0.3))


def test_many_steps_find_what_one_step_misses():
    def ridge(x):  # rises to 0.2, falls beyond
        return -(x - 0.2).abs().sum(1)

    start = torch.zeros(1, 1)
    one = ridge(attacks.sign_step(ridge, start, 0.5))
    many = ridge(attacks.many_steps(ridge, start, 0.5, steps=20, rate=0.02))
    assert many > one + 0.2


def test_small_steps_go_their_rate_a_time_and_follow_the_slope_where_they_are():
    def ridge(x):
        return -(x - 0.25).abs().sum(1)

    start, places = torch.zeros(1, 1, dtype=torch.float64), []
    for steps in (1, 2, 3, 4):
        places.append(attacks.many_steps(ridge, start, 0.5, steps=steps, rate=0.1).item())
    assert places == pytest.approx([0.1, 0.2, 0.3, 0.2])


def test_an_input_that_needs_a_gradient_gets_none_from_an_attack(x):
    watched = x.clone().requires_grad_()
    for moved in (
        attacks.sign_step(bowl, watched, 0.1),
        attacks.many_steps(bowl, watched, 0.1, steps=2, rate=0.03),
    ):
        assert not moved.requires_grad


def test_coins_are_fair_and_of_the_asked_size():
    moved = attacks.random_signs(torch.zeros(200, 50), 0.25, seeded(0))
    assert moved.abs().unique().tolist() == [0.25]
    assert abs(moved.mean().item()) < 4 * 0.25 / 100


def test_all_corners_are_there_once():
    assert len(attacks.corners(6, like=torch.zeros(1)).unique(dim=0)) == 64


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: attacks.sign_step(bowl, torch.zeros(3), 0.1), r"inputs \[N, d\]"),
        (lambda: attacks.sign_step(bowl, torch.zeros(2, 3, dtype=torch.long), 0.1), "floating"),
        (lambda: attacks.sign_step(bowl, torch.zeros(2, 3), -0.1), "ε ≥ 0"),
        (lambda: attacks.sign_step(bowl, torch.zeros(2, 3), float("nan")), "ε ≥ 0"),
        (lambda: attacks.random_signs(torch.zeros(3), 0.1, seeded(0)), r"\[N, d\]"),
        (lambda: attacks.slope(lambda x: x.sum(), torch.zeros(2, 3)), "one loss an input"),
        (lambda: attacks.many_steps(bowl, torch.zeros(2, 3), 0.1, steps=0, rate=1.0), "steps ≥ 1"),
        (lambda: attacks.many_steps(bowl, torch.zeros(2, 3), 0.1, steps=1, rate=0.0), "rate > 0"),
        (
            lambda: attacks.many_steps(bowl, torch.zeros(2, 3), 0.1, steps=1, rate=float("inf")),
            "finite rate",
        ),
        (lambda: attacks.corners(17, like=torch.zeros(1)), "2\\^d"),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
