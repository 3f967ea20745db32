"""Laws of `genbook.clipping.characters`."""

from __future__ import annotations

import math

import torch
from torch.nn.utils import clip_grad_norm_

from genbook.clipping import characters
from genbook.kit.device import seeded
from tests.clipping.given import INFINITE, TEXT, arms


def test_models_equal_a_loop_of_matrix_products():
    models = characters.Models(arms(INFINITE, 1.0))
    table, recurrent, bias, readout, offset = (p[1] for p in models.parameters)
    x = TEXT[:6]
    hidden = torch.zeros(1, characters.HIDDEN)
    for now in x:
        hidden = torch.tanh(hidden @ recurrent + table[now] + bias)
    wanted = hidden @ readout + offset
    scores = models.scores(x[None, :, None].expand(2, -1, -1))[1, -1]
    torch.testing.assert_close(scores, wanted[0], rtol=1e-4, atol=1e-5)


def test_many_arms_are_the_same_runs_one_after_another():
    both = arms(INFINITE, 0.1)
    together = list(characters.train(models := characters.Models(both), both, TEXT, total=4))
    for place, arm in enumerate(both):
        alone = list(characters.train(single := characters.Models([arm]), [arm], TEXT, total=4))
        torch.testing.assert_close(together[-1].losses[place], alone[-1].losses[0])
        for p, q in zip(models.parameters, single.parameters, strict=True):
            torch.testing.assert_close(p[place], q[0])


def test_one_clipped_update_is_torchs():
    arm = arms(0.1)
    ours, theirs = characters.Models(arm), characters.Models(arm)
    update = next(characters.train(ours, arm, TEXT, total=1))
    text = characters.stretches(TEXT, [seeded(10_000)])
    theirs.losses(text).sum().backward()
    length = clip_grad_norm_(theirs.parameters, 0.1)
    torch.optim.SGD(theirs.parameters, lr=0.5).step()
    torch.testing.assert_close(update.norms[0], length)
    for p, q in zip(ours.parameters, theirs.parameters, strict=True):
        torch.testing.assert_close(p, q)


def test_an_arm_that_breaks_stays_and_the_others_go_on():
    both = [characters.Arm(0, 1.0, 1.0), characters.Arm(0, 1.0, 1.0)]
    models = characters.Models(both)
    models.parameters[4].data[0] = math.nan
    before = models.parameters[1].detach().clone()
    list(characters.train(models, both, TEXT, total=2))
    assert torch.equal(models.parameters[1][0], before[0])
    assert not torch.equal(models.parameters[1][1], before[1])
    assert bool(models.parameters[1].isfinite().all())


def test_recurrent_weights_start_at_about_twice_the_gain():
    models = characters.Models(
        [characters.Arm(s, 1.0, gain=g) for s in range(3) for g in (0.4, 1.8)]
    )
    ratio = models.singular() / torch.tensor([0.4, 1.8] * 3)
    assert bool(((ratio > 1.8) & (ratio < 2.1)).all())
