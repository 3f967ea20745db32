"""Laws of `genbook.gran.referee`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.gran import referee
from genbook.gran.referee import Contestant, Evidence, Fight, judge
from tests.gran.given import FEW

RULES = (None, 0.3)


def logits(*shifts, count=300, seed=0):
    source = torch.Generator().manual_seed(seed)
    return tuple(
        shift + torch.randn(2, count, generator=source, dtype=torch.float64) for shift in shifts
    )


def evidence(test=(1.0, 1.0), crossed=(-1.0, 0.0), seed=0):
    return Evidence(logits(*test, seed=seed), logits(*test, seed=seed + 1), logits(*crossed))


@pytest.mark.parametrize("miss", RULES)
def test_a_fight_with_oneself_is_a_tie_with_an_interval_of_no_width(place, runs, miss):
    images = place.validation.images, place.test.images
    for way in referee.contestants(runs["T = 3"]).values():
        found = referee.fight(way, way, *images, samples=60, miss=miss)
        assert (found.winner, found.low, found.high) == (0, 0.0, 0.0)
        assert found.battle.rates == found.battle.rates.swapped()


@pytest.mark.parametrize("miss", RULES)
def test_the_other_corner_sees_the_mirror_image(place, runs, miss):
    images = place.validation.images, place.test.images
    one, two = (referee.contestants(runs[f"T = {steps}"])["average"] for steps in (1, 3))
    here = referee.fight(one, two, *images, samples=60, miss=miss)
    there = referee.fight(two, one, *images, samples=60, miss=miss)
    assert here.battle.rates == there.battle.rates.swapped()
    assert (here.low, here.high) == (-there.high, -there.low)
    assert here.winner == {0: 0, 1: 2, 2: 1}[there.winner]
    assert here == referee.fight(one, two, *images, samples=60, miss=miss)


@FEW
@given(st.integers(0, 99), st.floats(-3, 3), st.floats(-3, 3))
def test_judging_mirrors_whatever_the_logits(seed, one, two):
    seen = evidence(crossed=(one, two), seed=seed)
    here, there = judge(seen, repeats=40), judge(seen.swapped(), repeats=40)
    assert (here.low, here.high) == (-there.high, -there.low)
    assert here.battle.rates == there.battle.rates.swapped()


def test_the_sharper_discriminator_wins_a_clear_fight_and_an_even_one_is_a_tie():
    assert judge(evidence(crossed=(-2.0, 1.0))).winner == 1
    assert judge(evidence(crossed=(1.0, -2.0))).winner == 2
    assert judge(evidence(crossed=(0.0, 0.0))).winner == 0


def test_equal_thresholds_mend_a_shift_that_the_raw_rule_calls_invalid():
    seen = Evidence(logits(1.0, 3.0), logits(1.0, 3.0, seed=1), logits(-1.0, 2.0, seed=2))
    raw, even = judge(seen, miss=None), judge(seen, miss=0.3)
    assert not raw.battle.valid
    assert raw.winner == 0
    assert even.battle.valid
    assert even.winner == 1
    assert even.battle.rates.test_1 == pytest.approx(0.3, abs=0.06)


def test_a_monotone_change_of_the_logits_changes_no_calibrated_rate():
    seen = evidence()
    bent = Evidence(*((part[0], part[1].exp()) for part in vars(seen).values()))
    assert referee.rates(seen, 0.3) == referee.rates(bent, 0.3)


def test_rates_are_averaged_over_discriminators():
    row = torch.tensor([[-1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    found = referee.rates(Evidence((row, row), (row, row), (row, row)), None)
    assert (found.test_1, found.sample_2) == (0.25, 0.75)


def test_an_unsure_win_is_a_tie():
    won = judge(evidence(crossed=(-2.0, 1.0))).battle
    assert [Fight(won, *ends).winner for ends in ((-2, -1), (-1, 1), (0.0, 1), (0.1, 1))] == [
        1,
        0,
        0,
        1,
    ]
    assert Fight(won, -1, 1).verdict == "tie"


def test_a_ratio_of_zeros_is_one_and_zero_over_something_is_sure():
    nobody = judge(evidence(crossed=(-99.0, -99.0)))
    assert (nobody.low, nobody.high, nobody.winner) == (0.0, 0.0, 0)
    assert judge(evidence(crossed=(-99.0, 1.0))).high == -math.inf


def test_a_threshold_misses_the_share_it_was_asked_for():
    values = logits(0.0, count=1_000)[0]
    for miss in (0.001, 0.3, 0.999):
        edge = referee.threshold(values, miss)
        assert (values < edge).double().mean(1).tolist() == pytest.approx([miss] * 2, abs=2e-3)
    assert referee.threshold(values, None).tolist() == [[0.0], [0.0]]


def test_a_curve_holds_the_rates_at_each_share():
    seen = evidence()
    assert referee.curve(seen, [0.1, 0.3]) == [referee.rates(seen, s) for s in (0.1, 0.3)]


def test_gathering_shows_each_discriminator_the_others_samples(place):
    def painter(grey):
        return lambda z: torch.full((len(z), 1, 8, 8), grey)

    def eye(weight):
        return lambda x: weight * x.mean((1, 2, 3))

    one = Contestant("one", painter(0.25), (eye(1.0),), 3)
    two = Contestant("two", painter(0.75), (eye(10.0), eye(100.0)), 3)
    seen = referee.gather(one, two, place.validation.images, place.test.images, samples=1_500)
    assert seen.crossed[0].shape == (1, 1_500)
    assert seen.crossed[1].shape == (2, 1_500)
    assert seen.crossed[0].unique().tolist() == [0.75]
    assert seen.crossed[1][:, 0].tolist() == [2.5, 25.0]
    torch.testing.assert_close(seen.test[0][0], place.test.images.mean((1, 2, 3)).double())
    assert seen.validation[1].shape == (2, len(place.validation))
    with pytest.raises(ValueError, match="one size"):
        referee.gather(one, Contestant("x", painter(0.0), (eye(1.0),), 4), *[torch.zeros(1)] * 2)


def test_a_run_sends_its_last_its_averaged_and_its_late_discriminators(runs):
    sent = referee.contestants(runs["T = 3"])
    assert [len(one.critics) for one in sent.values()] == [1, 4, 1]
    assert sent["last"].generator is runs["T = 3"].last.generator
    assert sent["snapshots"].critics[-1] is runs["T = 3"].snapshots[-1].critic
    assert (
        sent["average"].generator is sent["snapshots"].generator is runs["T = 3"].average.generator
    )
    assert sent["average"].name == "T = 3"


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="share in"):
        judge(evidence(), miss=1.0)
    with pytest.raises(ValueError, match="40 repeats"):
        judge(evidence(), repeats=10)
    with pytest.raises(ValueError, match="band ≥ 0"):
        judge(evidence(), band=-1.0)
