"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.uses import figures, outliers, samplers, tables


def test_the_share_of_pairs_is_the_detectors():
    digits = torch.bernoulli(torch.full((30, 4, 4), 0.6), generator=seeded(0))
    others = {"empty": torch.zeros(30, 4, 4)}
    table = tables.fit(digits)
    for corrected in (False, True):
        shown = figures.histogram_of_costs(table, digits, others, "empty", corrected)
        costs = [
            table.nats(x) - corrected * outliers.compressed(x) for x in (digits, others["empty"])
        ]
        assert shown.get_label().startswith(f"empty: {outliers.detected(*costs):.1%} of pairs")


@pytest.mark.parametrize("stranger", [0.5, 1.0])
def test_strangers_without_entropy_pass(stranger):
    label = figures.two_coins(0.7, 0.7, stranger).get_label()
    assert label.endswith("pass" if stranger == 1.0 else "stand out")


def test_the_accuracy_does_not_hang_on_the_spread_and_the_loss_does():
    labels = [figures.shrunk(2.0, t).get_label() for t in (0.5, 1.0)]
    assert [f"accuracy {samplers.tight_classes(2.0, 1.0)[0]:.1%}" in x for x in labels] == [
        True
    ] * 2
    assert labels[0].split("entropy")[1] != labels[1].split("entropy")[1]


def test_the_learned_chance_is_the_logistic_curve_of_the_best_log_odds():
    for apart, spread in ((2.0, 0.5), (3.0, 1.5)):
        figure = figures.shrunk(apart, spread)
        left, right = figure.axes
        for line, tau in zip(right.lines, (1.0, spread), strict=True):
            x, chance = map(torch.as_tensor, line.get_data())
            one, other = (
                torch.distributions.Normal(side * apart / 2, tau).log_prob(x) for side in (1, -1)
            )
            assert torch.allclose(chance, (one - other).sigmoid(), atol=1e-9)
        heights = sorted(
            float(line.get_ydata().max()) for line in left.lines if len(line.get_xdata()) > 2
        )
        assert heights[-1] / heights[0] == pytest.approx(max(spread, 1 / spread), rel=0.01)


def test_a_bar_ends_where_the_cost_does():
    figure = figures.two_coins(0.7, 0.4, 0.9)
    (axes,) = figure.axes
    ends = sorted(
        {round(bar.get_x() + bar.get_width(), 9) for bar in axes.patches if bar.get_x() > 0}
    )
    q = torch.tensor([0.4, 0.6], dtype=torch.float64)
    costs = [-float(torch.tensor([p, 1 - p], dtype=torch.float64) @ q.log()) for p in (0.7, 0.9)]
    assert ends == pytest.approx(sorted(costs))
    marks = sorted(line.get_xdata()[0] for line in axes.lines)
    assert marks == pytest.approx(sorted(costs))


def test_means_of_the_seeds_are_drawn():
    columns = {"pixels": {10: [0.1, 0.2, 0.6]}, "net, code": {10: [0.4, 0.4, 0.7]}}
    lines = figures.worth(columns, "pixels").axes[0].lines
    assert [float(line.get_ydata()[0]) for line in lines] == pytest.approx([0.3, 0.5])


def test_a_point_is_a_seeds_cost_and_lesson_and_pairs_are_counted_within_a_seed():
    models = {
        "table of patterns": ([30.0, 31.0], [0.2, 0.3]),
        "VAE a class": ([12.0, 20.0], [0.5, 0.7]),
        "PixelCNN": ([11.0, 10.0], [0.6, 0.6]),
    }
    figure = figures.priced_and_taught(models)
    (axes,) = figure.axes
    drawn = [tuple(map(list, line.get_data())) for line in axes.lines]
    assert drawn == [tuple(map(list, both)) for both in models.values()]
    assert [line.get_label() for line in axes.lines] == list(models)
    assert "in 5 of 6 pairs" in figure.get_label()
