"""Laws of `genbook.wgan.contests`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.kit import data
from genbook.wgan import contests, frechet


def test_a_gan_that_cannot_tell_believes_in_no_divergence():
    contest = contests.contests()["GAN"]
    assert contest.believed(torch.tensor(2 * math.log(2))).item() == pytest.approx(0, abs=1e-6)
    assert contest.believed(torch.tensor(0.0)).item() == pytest.approx(math.log(2))


def test_games_are_marked_in_time_and_seeds_do_not_meet():
    images = data.digits("train")
    judge = frechet.train_judge(images, images, steps=1)
    for contest in contests.contests().values():
        plan = {"iterations": 2, "every": 1, "critic_steps": 1}
        together = list(contests.compete(contest, images.flat, judge, (0, 1), **plan))
        alone = list(contests.compete(contest, images.flat, judge, (1,), **plan))
        assert [mark.iteration for mark in together] == [1, 2]
        for both, one in zip(together, alone, strict=True):
            torch.testing.assert_close(both.believed[1:], one.believed, rtol=1e-4, atol=1e-4)


def test_every_budget_has_as_many_steps():
    totals = {b.iterations * (b.critic_steps + 1) for b in contests.BUDGETS}
    assert len(totals) == 1
