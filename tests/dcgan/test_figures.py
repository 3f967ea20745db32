"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest
import torch

from genbook.dcgan import concepts, figures
from genbook.dcgan.networks import Design, Generator
from genbook.dcgan.training import codes
from genbook.kit.device import seeded


@pytest.fixture(scope="module")
def generator():
    return Generator(Design(), seeded(0)).settle(codes(200, 16, seeded(1)))


def length(label):
    return float(label.split("length ")[1])


def test_the_middle_of_a_straight_walk_is_shorter_than_that_of_an_arc(generator):
    ends = codes(2, 16, seeded(2)).unflatten(0, (1, 2))
    told = {
        way: figures.walk(generator, ends, pair=0, way=way, t=0.5).get_label()
        for way in figures.WAYS
    }
    straight, curved = (length(told[way]) for way in figures.WAYS[:2])
    assert straight < curved
    assert straight == pytest.approx(ends[0].mean(0).norm().item(), abs=0.006)
    assert "length" not in told["pixels"]


@pytest.mark.parametrize(("kernel", "stride", "words"), [
    (4, 2, "all alike"), (5, 2, "4, 6, 9"), (2, 3, "0, 1"), (7, 4, "1, 2, 4"),
])  # fmt: skip
def test_the_stamps_are_counted(kernel, stride, words):
    assert words in figures.stamps(kernel, stride).get_label()


def test_the_worst_and_the_best_seed_are_told():
    kept = [[9.0, 3.0], [8.0, 2.0]]
    label = figures.broken([0, 10], kept, [[9.0, 7.0], [9.0, 5.0]], "x").get_label()
    assert label == "x: after 10 steps 5.0 to 7.0"


def test_a_sum_says_whether_it_is_right(generator):
    z = codes(60, 16, seeded(3))
    images = concepts.drawn(generator, z)
    bank = concepts.Bank(z, images, torch.arange(60) % 2, torch.linspace(-1, 1, 60))
    found = concepts.sums(bank, exemplars=3, trials=2, source=seeded(4))
    for k, words in enumerate(("codes is right", "is not right")):
        verdict = torch.tensor([True, False])
        label = figures.added(bank, generator, found, verdict, k).get_label()
        assert words in label
        assert f"leaning {int(found.wanted[k])}" in label


@pytest.mark.parametrize("apart", [0.0, 1.5])
def test_only_equal_widths_project(apart):
    assert "by 0.00 in" in figures.two_classes(apart, 1.0).get_label()
    assert "by 0.00 in" not in figures.two_classes(apart, 1.5).get_label()
