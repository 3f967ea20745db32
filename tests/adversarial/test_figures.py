"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.adversarial import attacks, figures, linear, networks


@pytest.mark.parametrize("kind", figures.KINDS)
def test_the_label_tells_what_the_judge_reads(kind):
    judge = linear.Linear(torch.tensor([1.0, -2.0, 0.5, 1.0]).double(), torch.tensor(0.1).double())
    x = torch.tensor([[0.5, 0.1, 0.2, 0.9]]).double()
    options = {"which": 0, "epsilon": 0.3, "kind": kind}
    figure = figures.pushed(judge, x, torch.ones(1).double(), (2, 2), **options)
    assert figure.get_label().endswith(("read as 7", "read as 3"))
    if kind == figures.KINDS[0]:
        was, fall = float(judge.logit(x)[0]), 0.3 * 4.5
        assert f"from {was:.2f} to {was - fall:.2f}" in figure.get_label().replace("−", "-")


def test_signs_on_one_pixel_and_on_many():
    def wrong(doublings):
        label = figures.dimensions(doublings, 0.25).get_label()
        return float(label.split(": ")[1].split("%")[0])

    assert wrong(0) == pytest.approx(100 * 0.5 * math.erfc(2.75 / math.sqrt(2)), abs=0.06)
    assert wrong(12) > 99.9


def test_the_walk_ends_where_the_signed_step_does():
    net = networks.Classifier([16, 8, 10], 0)
    x, label = torch.rand(1, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([3])
    chance = net(attacks.sign_step(net.loss(label), x, 0.2)).softmax(1)[0, 3].item()
    assert (
        figures.walk(net, x, label, (4, 4), 0.2).get_label().endswith(f"a chance of {chance:.2f}")
    )
