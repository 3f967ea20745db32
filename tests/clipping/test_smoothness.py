"""Laws of `genbook.clipping.smoothness`."""

from __future__ import annotations

import math

import pytest

from genbook.clipping.smoothness import arrival, fewest_steps, largest_rate


@pytest.mark.parametrize("start", [0.5, 2.0, 6.0, 14.0])
def test_at_the_largest_rate_a_step_ends_as_far_on_the_other_side(start):
    assert start - largest_rate(start) * math.sinh(start) == pytest.approx(-start)


@pytest.mark.parametrize("start", [3.0, 8.0])
def test_above_it_no_run_arrives_and_below_it_every_run_does(start):
    rate = largest_rate(start)
    assert arrival(start, 1.001 * rate) is None
    assert arrival(start, 0.999 * rate) is not None
    assert arrival(-start, 0.5 * rate) is not None


@pytest.mark.parametrize("start", [1.0, 5.0, 50.0, 600.0])
def test_clipped_it_takes_two_steps_a_unit_and_one_a_halving(start):
    steps = arrival(start, 0.5, threshold=1.0)
    assert steps is not None
    assert 2 * (start - 0.9) <= steps <= 2 * start + math.log2(1e6) + 2


@pytest.mark.parametrize("rate", [0.0003, 0.01, 0.1, 0.5, 0.79])
@pytest.mark.parametrize("within", [1e-8, 1e-3, 0.5, 1.0])
def test_from_1_a_fixed_rate_needs_the_least_number_of_steps(rate, within):
    steps = arrival(1.0, rate, within=within)
    assert steps is not None
    assert steps >= fewest_steps(rate, within)


def test_from_farther_out_one_step_may_do():
    assert arrival(4.0, 4 / math.sinh(4)) == 1 < fewest_steps(4 / math.sinh(4))


def test_whoever_is_there_needs_no_step_and_who_has_few_does_not_arrive():
    assert arrival(0.0, 0.1) == 0
    assert arrival(5.0, 0.001, most=10) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: largest_rate(0.0), "start > 0"),
        (lambda: arrival(1.0, 0.0), "rate, threshold"),
        (lambda: arrival(1.0, 0.1, threshold=-1.0), "rate, threshold"),
        (lambda: fewest_steps(0.85), "rate < 0.8"),
        (lambda: fewest_steps(0.1, 2.0), "δ ≤ 1"),
    ],
)
def test_bad_numbers_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
