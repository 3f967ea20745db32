"""Laws of `genbook.gran.exact_battles`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran import (
    exact_battles,
)
from genbook.gran.battle import Battle
from genbook.kit.seeds import Streams

FAULTY = [(kind, amount) for kind in exact_battles.KINDS for amount in (0.25, 0.5, 1.0)]


@pytest.mark.parametrize(("kind", "amount"), FAULTY)
def test_both_errors_of_the_best_discriminator_sum_to_one_less_total_variation(kind, amount):
    found = exact_battles.truth(exact_battles.degraded(kind, amount))
    assert found.own_error == pytest.approx(1 - found.tv, abs=1e-12)


def test_a_shift_moves_w1_by_itself_and_dropping_modes_costs_their_mass():
    assert exact_battles.truth(exact_battles.degraded("shifts", 0.4)).w1 == pytest.approx(0.6)
    dropped = exact_battles.truth(exact_battles.degraded("drops modes", 1.0))
    assert dropped.coverage == pytest.approx(0.5, abs=1e-4)
    assert dropped.w1 == pytest.approx(3.0, abs=1e-6)


def test_three_generators_beat_one_another_in_a_circle():
    p, q = exact_battles.cycle()
    wins = [Battle(exact_battles.bayes_rates(p, q[i], q[(i + 1) % 3])).winner for i in range(3)]
    assert len(set(wins)) == 1
    assert wins[0] != 0


def test_best_rates_are_those_of_single_battles():
    q = torch.stack([exact_battles.degraded(kind, 0.5) for kind in exact_battles.KINDS])
    test, cross = exact_battles.best_rates(q)
    one = exact_battles.bayes_rates(exact_battles.mixture(), q[1], q[2])
    table = [float(rate) for rate in (test[1], test[2], cross[1, 2], cross[2, 1])]
    assert [one.test_1, one.test_2, one.sample_1, one.sample_2] == pytest.approx(table)


def test_points_of_the_line_come_with_their_probabilities():
    points = exact_battles.from_line(exact_battles.mixture())(Streams([0]), 20_000)
    assert points.mean().abs() < 0.1
    spread = (exact_battles.mixture() @ exact_battles.line().square()).item()
    assert points.square().mean().item() == pytest.approx(spread, rel=0.03)


def test_bad_input_to_the_truth_is_refused():
    with pytest.raises(ValueError, match="a kind of"):
        exact_battles.degraded("sleeps", 0.5)
    with pytest.raises(ValueError, match="probabilities"):
        exact_battles.truth(torch.ones(241))
    with pytest.raises(ValueError, match="241"):
        exact_battles.from_line(torch.ones(3))
    with pytest.raises(ValueError, match="distances"):
        exact_battles.census(torch.zeros(2), torch.zeros(2, 2), torch.zeros(3))
