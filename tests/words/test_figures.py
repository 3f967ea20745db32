"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import math

import pytest
import torch
from matplotlib.colors import to_rgba
from matplotlib.patches import Arc

from genbook.kit.plotting import MODEL
from genbook.words import corpus, figures, pmi, shelf


@pytest.mark.parametrize("rule", figures.RULES)
def test_the_shelf_shows_an_order_with_its_cost_and_its_gaps(rule):
    figure = figures.shelves("mild", 0.3, rule)
    joint = shelf.seven("mild", 0.3)
    order = figure.get_label().split(": ")[1][:7]
    places = torch.tensor([order.index(book) + 1.0 for book in figures.BOOKS]).double()
    cost = shelf.cost(joint, places)
    assert f"costs {cost:.3f} steps" in figure.get_label()
    bars = [bar.get_height() for bar in figure.axes[1].patches]
    assert sum(bars) == pytest.approx(float(cost))
    assert f"best order {shelf.best(joint).cost:.3f}" in figure.get_label()


def test_popular_first_stands_in_the_order_of_the_alphabet():
    assert ": ABCDEFG from" in figures.shelves("steep", 0.0, "popular first").get_label()
    assert ": GFEDCBA from" in figures.shelves("steep", 0.0, figures.RULES[2]).get_label()


@pytest.mark.parametrize(("value", "k"), [(1.5, 5), (-3.0, 15), (0.0, 1)])
def test_the_marked_place_is_the_lowest_of_the_curve(value, k):
    figure = figures.valley(value, k)
    (curve,) = [line for line in figure.axes[0].lines if line.get_label() == "both"]
    lowest = curve.get_xdata()[curve.get_ydata().argmin()]
    assert lowest == pytest.approx(value - math.log(k), abs=0.06)
    (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert dot.get_ydata()[0] == pytest.approx(curve.get_ydata().min(), abs=0.01)


def test_the_shift_colours_what_is_kept_and_counts_who_has_nothing():
    values = torch.tensor([[1.0, -math.inf], [0.2, 2.0], [-1.0, 0.1]])
    figure = figures.shifted(values, values.isfinite(), 2.0)
    kept = [bar for bar in figure.axes[0].patches if bar.get_facecolor() == to_rgba(MODEL, 0.8)]
    assert sum(bar.get_height() for bar in kept) == pytest.approx(2 / 1000)
    assert "40.0% of the pairs" in figure.get_label()
    assert figure.get_label().endswith("nothing is left of 1 words")


def test_the_neighbours_are_those_of_the_cut():
    counts = torch.rand(12, 12, generator=torch.Generator().manual_seed(0)).double()
    found = corpus.Corpus(tuple("abcdefghijkl"), counts + counts.T)
    parts = pmi.decomposed(pmi.positive(pmi.pmi(found.joint, found.noise)))
    figure = figures.ranked(found, parts, "c", 3)
    from genbook.words.neighbours import nearest

    names = [word for word, _ in nearest(found, parts.cut(3).words, "c", 8)]
    assert figure.get_label() == "c, rank 3: " + ", ".join(names)


def test_both_lines_stand_at_their_losses():
    losses = {"counted": [2.5, 2.4], "other": [2.6, 2.7]}
    figure = figures.held_out([2, 8], losses, 2.45, 2.2)
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert lines["counted"] == [2.5, 2.4]
    assert lines["other"] == [2.6, 2.7]
    assert lines["mixed, other text"] == [2.45, 2.45]


@pytest.mark.parametrize(("kind", "loyalty"), [("steep", 0.0), ("mild", 1.0)])
def test_crossings_stand_on_one_another_and_arcs_are_as_wide_as_friendships(kind, loyalty):
    figure = figures.shelves(kind, loyalty, "popular first")
    joint = shelf.seven(kind, loyalty)
    ways, second = shelf.gaps(joint, shelf.popular_first(joint))
    bars = figure.axes[1].patches
    assert [bar.get_height() for bar in bars] == pytest.approx([*ways.tolist(), *second.tolist()])
    assert [bar.get_y() for bar in bars[7:]] == pytest.approx(ways.tolist())
    arcs = [patch for patch in figure.axes[0].patches if isinstance(patch, Arc)]
    pairs = joint + joint.T
    assert [arc.get_linewidth() for arc in arcs] == pytest.approx(
        [0.5 + 10 * float(pairs[book, shelf.FRIENDS[book]]) for book in range(3)]
    )


def test_the_line_counts_the_words_with_nothing_left():
    values = torch.tensor([[1.0, -math.inf], [0.2, 2.0], [-1.0, 0.1]])
    line = figures.shifted(values, values.isfinite(), 2.0).axes[1].lines[0]
    assert list(line.get_ydata()) == [0, 1, 2, 3, 3, 3, 3, 3]  # k = 1, 2, 4, 8, …


def test_the_kept_singular_values_are_the_first():
    counts = torch.rand(12, 12, generator=torch.Generator().manual_seed(0)).double()
    found = corpus.Corpus(tuple("abcdefghijkl"), counts + counts.T)
    parts = pmi.decomposed(pmi.positive(pmi.pmi(found.joint, found.noise)))
    every, kept = figures.ranked(found, parts, "c", 3).axes[1].lines
    assert list(kept.get_xdata()) == list(every.get_xdata())[:3] == [1, 2, 3]
    assert list(kept.get_ydata()) == list(every.get_ydata())[:3] == parts.values[:3].tolist()
