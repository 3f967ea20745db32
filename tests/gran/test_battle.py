"""Laws of `genbook.gran.battle`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.gran import (
    battle,
)
from genbook.gran.battle import Battle, Rates
from tests.gran.given import FEW

rates = st.floats(0, 1)


four = st.builds(Rates, rates, rates, rates, rates)


@FEW
@given(four, st.floats(0, 3))
def test_swapping_the_players_swaps_the_verdict(found, band):
    one = Battle(found, band)
    assert one.swapped().winner == {0: 0, 1: 2, 2: 1}[one.winner]


@FEW
@given(rates, rates, st.floats(0, 3))
def test_a_battle_with_oneself_is_a_tie(test, sample, band):
    assert Battle(Rates(test, test, sample, sample), band).winner == 0


@FEW
@given(four, st.floats(0, 3))
def test_nobody_wins_without_a_valid_test_ratio(found, band):
    one = Battle(found, band)
    assert one.valid or one.winner == 0


@FEW
@given(four, st.floats(0, 3), st.floats(0, 3))
def test_a_wider_band_takes_no_verdict_back(found, band, more):
    narrow, wide = Battle(found, band), Battle(found, band + more)
    assert narrow.winner in (0, wide.winner)


@FEW
@given(four)
def test_verdicts_of_a_table_are_those_of_single_battles(found):
    cross = torch.tensor([[0.0, found.sample_1], [found.sample_2, 0.0]], dtype=torch.float64)
    test = torch.tensor([found.test_1, found.test_2], dtype=torch.float64)
    outcome = battle.verdicts(test, cross)[0, 1].item()
    assert outcome == {0: 0, 1: 1, 2: -1}[Battle(found).winner]


@FEW
@given(four)
def test_without_the_test_ratio_the_accuracy_form_names_the_same_player(found):
    errors, accuracies = Battle(found, 1e9), Battle(found, 1e9, form="accuracy")
    assert errors.ahead == accuracies.ahead or 1 - found.sample_1 == 1 - found.sample_2


def test_both_forms_can_part_over_validity():
    found = Rates(0.05, 0.15, 0.3, 0.6)
    assert (Battle(found).winner, Battle(found, form="accuracy").winner) == (0, 1)


def test_gam_2_leaves_out_the_own_discriminator_on_request():
    cross = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.9, 0.4], [0.5, 0.6, 0.9]])
    found = battle.gam_2(cross, own=False)
    torch.testing.assert_close(found.average, torch.tensor([0.4, 0.35, 0.3]))
    torch.testing.assert_close(found.worst, torch.tensor([0.3, 0.1, 0.2]))
    several = battle.gam_2(cross.expand(2, 3, 3), own=False)
    torch.testing.assert_close(several.average[1], found.average)


def test_wilson_interval_matches_its_formula():
    n, share, z = 8, 5 / 8, 1.959963984540054
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    assert battle.interval(5, 8) == pytest.approx((middle - half, middle + half))


def test_bad_input_to_a_battle_is_refused():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        Rates(1.2, 0, 0, 0)
    with pytest.raises(ValueError, match="band ≥ 0"):
        Battle(Rates(0, 0, 0, 0), -1)
    with pytest.raises(ValueError, match="a form of"):
        Battle(Rates(0, 0, 0, 0), form="loss")
    with pytest.raises(ValueError, match="NaN"):
        battle.mistakes(torch.tensor([math.nan]), real=True)
    with pytest.raises(ValueError, match=r"cross \[\.\.\., P, P\]"):
        battle.verdicts(torch.zeros(2), torch.zeros(3, 3))
    with pytest.raises(ValueError, match="wins"):
        battle.interval(3, 2)
    with pytest.raises(ValueError, match="K ≥ 1"):
        battle.gam_2(torch.zeros(3))
    with pytest.raises(ValueError, match="leave out"):
        battle.gam_2(torch.zeros(2, 3), own=False)


def test_without_its_own_discriminator_a_player_meets_every_other_one():
    """Each generator's average and worst case, by hand, with leading axes of any length."""
    cross = torch.tensor([[9.0, 0.2, 0.3], [0.4, 9.0, 0.5], [0.6, 0.1, 9.0]])
    for batch in (cross, cross[None], cross.expand(4, 3, 3)):
        found = battle.gam_2(batch, own=False)
        shape = batch.shape[:-2]
        torch.testing.assert_close(found.average, torch.tensor([0.5, 0.15, 0.4]).expand(*shape, 3))
        torch.testing.assert_close(found.worst, torch.tensor([0.4, 0.1, 0.3]).expand(*shape, 3))


def test_the_worst_case_counts_a_players_own_discriminator_if_it_is_asked_for():
    cross = torch.tensor([[0.05, 0.2], [0.4, 0.3]])
    assert battle.gam_2(cross).worst.tolist() == pytest.approx([0.05, 0.2])


@pytest.mark.parametrize("shape", [(1, 1), (5, 1, 1), (2, 3), (4,)])
def test_leaving_out_ones_own_needs_two_players(shape):
    with pytest.raises(ValueError, match="P ≥ 2"):
        battle.gam_2(torch.zeros(shape), own=False)
