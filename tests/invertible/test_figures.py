"""Laws of `genbook.invertible.figures`."""

from __future__ import annotations

import pytest
import torch

from genbook.invertible import figures, flows


def test_the_hook_shows_a_bound_only_where_there_is_one():
    for c, there in ((0.95, True), (1.0, False), (1.05, False)):
        _, right = figures.lost(c, "pulls", "near 0").axes
        bound = torch.as_tensor(right.lines[1].get_ydata())
        assert bool(bound.isfinite().any()) is there


def test_the_search_ends_elsewhere_at_five_percent_too_much():
    left, _ = figures.lost(1.05, "pulls", "near 0").axes
    ends, sent = (left.lines[k].get_xdata() for k in (2, 3))
    assert abs(float(ends[-1]) - float(sent[0])) > 0.5


def test_stems_are_shares_and_the_last_one_is_left():
    left, _ = figures.cold(20, 0).axes
    heights = torch.as_tensor(left.lines[0].get_ydata())
    assert heights.square().sum().item() == pytest.approx(1)
    assert heights.argmax() == 0
    assert heights.max() > 0.95


@pytest.mark.parametrize("kind", figures.KERNELS)
@pytest.mark.parametrize("width", [1, 3, 7])
def test_the_convolutions_bar_lies_between_the_two_others(kind, width):
    right = figures.waves(kind, width).axes[2]
    reshaped, true, most = (bar.get_width() for bar in right.patches)
    assert reshaped - 1e-9 <= true <= most + 1e-9


def test_a_density_is_shown_for_every_network():
    nets = {"a": flows.on_a_roll(flows.exact, 0, 1), "b": flows.on_a_roll(flows.exact, 1, 1)}
    figure = figures.densities(flows.roll(20, torch.Generator().manual_seed(0)), nets)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes][1:] == [
        "a",
        "b",
    ]
