"""Laws of `genbook.gran.judges`."""

from __future__ import annotations

import torch

from genbook.gran.judges import fresh_judge
from genbook.kit import data

IMAGES = data.digits("train", device="cpu").images[:400]


def errors(judge, fakes):
    real = (judge(IMAGES) < 0).double().mean().item()
    return real + (judge(fakes) > 0).double().mean().item()


def test_a_judge_tells_grey_from_digits_and_digits_from_digits_it_does_not():
    def grey(z):
        return torch.full((len(z), 1, 8, 8), 0.5)

    def digits(z):
        place = (z[:, 0].sigmoid() * len(IMAGES)).long()
        return IMAGES[place]

    settings = {"iterations": 60, "batch": 32, "channels": 4}
    sharp = fresh_judge(grey, 3, IMAGES, 0, **settings)
    assert errors(sharp, grey(torch.zeros(10, 3))) < 0.05
    blind = fresh_judge(digits, 3, IMAGES, 0, **settings)
    assert 0.6 < errors(blind, IMAGES) < 1.4


def test_the_same_seed_gives_the_same_judge_and_it_is_frozen():
    def grey(z):
        return torch.full((len(z), 1, 8, 8), 0.5)

    one, two, other = (
        fresh_judge(grey, 3, IMAGES, seed, iterations=2, batch=4, channels=2) for seed in (0, 0, 1)
    )
    assert torch.equal(one(IMAGES), two(IMAGES))
    assert not torch.equal(one(IMAGES), other(IMAGES))
    assert not any(part.requires_grad for part in one.parameters())
