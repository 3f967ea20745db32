"""Laws of `genbook.translation.pix2pix`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genbook.translation import (
    pix2pix,
)
from genbook.translation.networks import PATCHES, PatchCritic
from genbook.translation.pix2pix import ABLATION, Recipe
from tests.translation.given import FEW, last, pairs_of, source


@pytest.mark.parametrize("name", ABLATION)
def test_every_loss_of_the_ablation_trains(name):
    step = last(pix2pix.train_pairs(pairs_of(), ABLATION[name], seed=0, iterations=2, batch=8))
    assert step.last
    assert ("critic" in step.terms) == (name != "L1")
    assert step.generator(pairs_of().x).shape == (64, 1, 8, 8)


def test_training_with_l1_comes_closer_to_the_answers():
    steps = pix2pix.train_pairs(pairs_of(), ABLATION["L1"], seed=0, iterations=60, batch=32)
    losses = [step.terms["l1"] for step in steps]
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_one_seed_gives_one_run():
    runs = [
        last(pix2pix.train_pairs(pairs_of(), Recipe(), seed=3, iterations=3, batch=8))
        for _ in range(2)
    ]
    assert runs[0].terms == runs[1].terms


def test_the_critic_without_input_is_blind_to_the_pairing():
    pairs, critic = pairs_of(), PatchCritic(source(), PATCHES[4]).double()
    x, y = pairs.x.double(), pairs.y.double()
    order = torch.randperm(len(y), generator=source())
    blind = [
        pix2pix.fooling_loss(critic, pix2pix.critic_view("y", x, y[o]))
        for o in (order, slice(None))
    ]
    assert blind[0].item() == pytest.approx(blind[1].item(), abs=1e-12)
    seeing = PatchCritic(source(), PATCHES[4], channels=2).double()
    views = [
        pix2pix.fooling_loss(seeing, pix2pix.critic_view("xy", x, y[o]))
        for o in (order, slice(None))
    ]
    assert abs(views[0].item() - views[1].item()) > 1e-4


def test_an_undecided_critic_loses_log_two_and_so_does_the_generator():
    class Undecided(nn.Module):
        def forward(self, images):
            return torch.zeros(len(images), 1, 2, 2)

    x = torch.zeros(3, 1, 4, 4)
    assert pix2pix.critic_loss(Undecided(), x, x).item() == pytest.approx(math.log(2))
    assert pix2pix.fooling_loss(Undecided(), x).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Recipe(critic="x"), "critic none"),
        (lambda: Recipe(patch=5), "patch"),
        (lambda: Recipe(critic="none", weight=0), "λ > 0"),
        (lambda: next(pix2pix.train_pairs(pairs_of(), Recipe(), seed=0, iterations=0)), "≥ 1"),
    ],
)
def test_recipes_that_cannot_be_trained_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@FEW
@given(st.integers(0, 100), st.sampled_from([1, 3, 11]))
def test_the_nearest_draw_is_the_median(seed, count):
    draws = torch.rand(count, generator=source(seed), dtype=torch.float64)
    assert pix2pix.best_constant(draws) == draws.median()


def test_no_draws_are_refused():
    with pytest.raises(ValueError, match="n ≥ 1"):
        pix2pix.best_constant(torch.zeros(0))
