"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import math

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


def pixels(axes):
    return torch.as_tensor(axes.images[0].get_array().data).double()


@pytest.mark.parametrize("stop", [0, 3, 8])
def test_the_marker_stands_under_the_stop_that_is_shown_large(generator, stop):
    ends = codes(2, 16, seeded(2)).unflatten(0, (1, 2))
    figure = figures.walk(generator, ends, pair=0, way=figures.WAYS[0], t=stop / 8)
    large, small = figure.axes
    (at,) = small.lines[0].get_xdata()
    left = round(at - 3.5)
    torch.testing.assert_close(pixels(small)[:, left : left + 8], pixels(large))


@pytest.mark.parametrize(("kernel", "stride", "words"), [
    (4, 2, "all alike"), (5, 2, "4, 6, 9"), (2, 3, "0, 1"), (7, 4, "1, 2, 4"),
])  # fmt: skip
def test_the_stamps_are_counted(kernel, stride, words):
    assert words in figures.stamps(kernel, stride).get_label()


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (5, 2), (2, 1), (2, 4), (7, 4)])
def test_the_shades_are_the_counts_inside_and_no_panel_is_white(kernel, stride):
    figure = figures.stamps(kernel, stride)
    left, right = figure.axes
    shades = pixels(right)
    assert shades.sum().item() * stride**2 / shades.numel() == pytest.approx(kernel**2)
    assert shades.max().item() < right.images[0].get_clim()[1]
    heights = [bar.get_height() for bar in left.patches]
    assert heights[: min(stride, kernel)] == [1.0] * min(stride, kernel)  # the first stamp alone


def two_sets():
    kept = [[9.0, 3.0], [8.0, 2.0]]
    pictures = torch.rand(6, 3, 4, 4, generator=seeded(0))
    return {
        "small": figures.Compared(kept, [[9.0, 7.0], [9.0, 5.0]]),
        "large": figures.Compared([[90.0, 4.0]], [[80.0, 60.0]], pictures),
    }


def test_the_worst_and_the_best_seed_of_each_set_are_told():
    sets = {**two_sets(), "other": figures.Compared([[2.0, 1.0]], [])}
    label = figures.broken(10, sets, "x").get_label()
    assert label == "x, at the end: small 5.0 to 7.0; large 60.0 to 60.0; other not run"


def test_each_column_has_the_runs_and_the_images_of_its_set():
    sets = two_sets()
    figure = figures.broken(10, sets, "x")
    above, below = figure.axes[:2], figure.axes[2:]
    for axes, (name, found) in zip(above, sets.items(), strict=True):
        assert axes.get_title(loc="left") == name
        drawn = [list(line.get_ydata()) for line in axes.lines]
        assert drawn == [*found.kept, *found.other]
        colours = [line.get_color() for line in axes.lines]
        assert len(set(colours[: len(found.kept)]) & set(colours[len(found.kept) :])) == 0
    assert not below[0].images
    shown = torch.as_tensor(below[1].images[0].get_array().data).permute(2, 0, 1)
    assert shown.shape == (3, 9, 14)
    torch.testing.assert_close(shown[:, 5:, 5:9].double(), sets["large"].images[4].double())


def test_a_run_that_ended_early_is_drawn_as_far_as_it_went():
    found = figures.Compared([[9.0, 8.0, 7.0], [9.0, 8.0]], [[9.0, 8.5]])
    (axes, _) = figures.broken(5, {"s": found}, "x").axes
    assert [list(line.get_xdata()) for line in axes.lines] == [[0, 5, 10], [0, 5], [0, 5]]
    assert axes.get_xlim() == (0, 10)


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


def test_a_sum_shows_the_concepts_then_the_sum_of_codes_then_that_of_pixels(generator):
    z = codes(60, 16, seeded(3))
    bank = concepts.collect(generator, lambda flat: torch.eye(10)[torch.arange(60) % 2], z)
    found = concepts.sums(bank, exemplars=3, trials=2, source=seeded(4))
    figure = figures.added(bank, generator, found, torch.tensor([True, False]), 1)
    seen = [pixels(figure.axes[0])[:, 9 * k : 9 * k + 8] for k in range(5)]
    wanted = [*bank.images[found.members[1]].mean(1)]
    wanted += [concepts.drawn(generator, found.codes)[1], found.blended[1]]
    for image, right in zip(seen, wanted, strict=True):
        torch.testing.assert_close(image, right.double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("spread", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("apart", [0.0, 0.5, 2.0])
def test_the_best_logits_of_two_classes(apart, spread):
    figure = figures.two_classes(apart, spread)
    left, right = figure.axes
    x, first = (torch.as_tensor(part) for part in left.lines[0].get_data())
    second = torch.as_tensor(left.lines[1].get_ydata())
    torch.testing.assert_close(first.flatten(), ((apart - 1) ** 2 - 1) / 2 - apart * x.flatten())
    at_its_mean = second[(x.flatten() - 1).abs().argmin()].item()
    assert at_its_mean == pytest.approx(apart**2 / 2 - math.log(spread))
    difference = torch.as_tensor(right.lines[0].get_ydata())
    torch.testing.assert_close(difference, second - first)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        for drawn in axes.lines:
            assert low < drawn.get_ydata().min() <= drawn.get_ydata().max() < high


@pytest.mark.parametrize("apart", [0.0, 1.5])
def test_only_equal_widths_project(apart):
    assert "by 0.00 (" in figures.two_classes(apart, 1.0).get_label()
    assert "by 0.00 (" not in figures.two_classes(apart, 1.5).get_label()
