"""Laws of `genbook.gran.judges`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran.judges import errors_about, fresh_judge
from genbook.gran.neighbours import Repeater
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


def test_a_judge_of_points_finds_one_and_misses_the_images_it_learned_from():
    grey = torch.full((1, 1, 8, 8), 0.5)
    sharp = errors_about(grey, IMAGES, IMAGES, 0, iterations=60)
    assert max(sharp) < 0.05
    blind = errors_about(IMAGES, IMAGES, IMAGES, 0, iterations=60)
    assert sum(blind) == pytest.approx(1)


def test_errors_about_points_are_mistakes_of_the_judge_that_a_repeater_meets():
    points, fresh = IMAGES[:7], IMAGES[200:]
    judge = fresh_judge(Repeater(points), 64, IMAGES[:200], 3, iterations=5)
    missed, passed = errors_about(points, IMAGES[:200], fresh, 3, iterations=5)
    assert missed == pytest.approx((judge(fresh) <= 0).double().mean().item())
    assert passed == pytest.approx((judge(points) > 0).double().mean().item())
