"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.quiver import Quiver
from scipy.special import beta

from genbook.kit.device import seeded
from genbook.ogan import codes, figures, training


def label(**changed: float) -> str:
    pair = training.Players(9, 0, code=5, hidden=8)
    images = torch.rand(3, 9, generator=seeded(1))
    options = {"which": 0, "average": 0.0, "deviation": 1.0, "turn": 0.0, **changed}
    return figures.freedoms(pair, images, (3, 3), **options).get_label()


def ink(text: str) -> str:
    return text.split("the picture")[1]


def test_only_the_turn_changes_the_picture_and_only_the_average_the_score():
    start = label()
    assert ink(label(average=1.5)) == ink(label(deviation=0.5)) == ink(start)
    assert ink(label(turn=1.0)) != ink(start)
    assert "D says 1.50" in label(average=1.5, turn=0.5)


def test_a_squared_error_pushes_to_one_place_and_a_correlation_nowhere():
    for average, deviation, rho in ((1.0, 1.5, 0.5), (-0.5, 0.5, -0.5)):
        z, e = correlated(rho)
        code = average + deviation * e
        cost = codes.squared_error(z, code).item()
        told = figures.demands("squared error", average, deviation, rho).get_label()
        assert told.replace("−", "-").endswith(f"it costs {cost:.2f}")
        free = figures.demands("correlation", average, deviation, rho).get_label()
        assert "pushed by 0.00 and 0.00" in free
        assert free.endswith(f"it costs {1 - rho:.2f}")


def correlated(rho: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Two directions with this correlation."""
    e = codes.parts(torch.tensor([1.0, -1.0, 2.0, 0.5], dtype=torch.float64)).direction
    z = codes.parts(torch.tensor([0.3, 1.0, -1.0, 0.2], dtype=torch.float64)).direction
    across = codes.parts(z - (z * e).mean() * e).direction
    return rho * e + (1 - rho**2) ** 0.5 * across, e


@pytest.mark.parametrize("rho", [-0.5, 0.5, 1.0])
@pytest.mark.parametrize("link", training.LINKS[:2])
def test_the_arrows_are_minus_the_slopes_of_the_link(link, rho):
    (arrows,) = (
        c for c in figures.demands(link, 0.5, 1.5, rho).axes[0].collections if isinstance(c, Quiver)
    )
    z, direction = correlated(rho)
    place = torch.tensor(arrows.XY, dtype=torch.float64, requires_grad=True)
    code = place[:, :1] + place[:, 1:] * direction
    loss = training.tie(link, z.expand_as(code), code) * len(code)
    (slope,) = torch.autograd.grad(loss, place)
    drawn = torch.tensor(np.array([arrows.U, arrows.V]).T)
    assert torch.allclose(drawn, -slope, atol=1e-9)


def test_each_bar_is_its_own_demand():
    z, direction = correlated(0.5)
    wanted = codes.error_parts(z, 1.0 + 1.5 * direction)
    bars = [b.get_height() for b in figures.demands("squared error", 1.0, 1.5, 0.5).axes[1].patches]
    parts = (wanted.average, wanted.deviation, wanted.direction)
    assert bars == pytest.approx([float(part) for part in parts])


@pytest.mark.parametrize("n", [3, 4, 16])
def test_the_drawn_law_is_the_density_of_the_theorem(n):
    (line,) = (x for x in figures.by_chance(n, 0.5).axes[0].lines if x.get_label() == "the theorem")
    rho, drawn = (np.asarray(v, dtype=float) for v in line.get_data())
    law = (1 - rho**2) ** (n / 2 - 2) / beta(0.5, n / 2 - 1)
    assert np.allclose(drawn, law, rtol=1e-4)


def test_the_lines_join_the_means_and_each_seed_has_a_dash():
    columns = {
        name: {w: [w, 3 * w, 5 * w] for w in (0.1, 0.5)}
        for name in ("correlation", "squared error")
    }
    lines = figures.sweep(columns, "spread", 1.0).axes[0].lines
    joined = [line for line in lines if line.get_label() in columns]
    assert [list(line.get_ydata()) for line in joined] == [pytest.approx([0.3, 1.5])] * 2
    dashes = sorted(float(y) for line in lines if line not in joined for y in line.get_ydata())
    assert dashes == pytest.approx(sorted(2 * [0.1, 0.3, 0.5, 0.5, 1.5, 2.5]))


def test_the_bars_have_the_average_and_the_deviation_that_the_sliders_say():
    pair = training.Players(9, 0, code=5, hidden=8)
    images = torch.rand(3, 9, generator=seeded(1))
    for turn in (0.0, 0.5, 1.0):
        figure = figures.freedoms(
            pair, images, (3, 3), which=0, average=1.5, deviation=0.5, turn=turn
        )
        heights = np.array([bar.get_height() for bar in figure.axes[0].patches])
        assert heights.mean() == pytest.approx(1.5, abs=1e-5)
        assert heights.std() == pytest.approx(0.5, abs=1e-5)


@pytest.mark.parametrize("n", [3, 16])
def test_the_share_of_lucky_codes_is_the_theorems(n):
    told = float(figures.by_chance(n, 0.5).get_label().split(": ")[1].split("%")[0]) / 100
    wanted = 1 - float(codes.chance_below(torch.tensor(0.5), n))
    assert told == pytest.approx(wanted, abs=0.02)
