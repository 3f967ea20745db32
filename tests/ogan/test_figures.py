"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest
import torch

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
        e = codes.parts(torch.tensor([1.0, -1.0, 2.0, 0.5], dtype=torch.float64)).direction
        z = codes.parts(torch.tensor([0.3, 1.0, -1.0, 0.2], dtype=torch.float64)).direction
        across = codes.parts(z - (z * e).mean() * e).direction
        z = rho * e + (1 - rho**2) ** 0.5 * across
        code = average + deviation * e
        cost = codes.squared_error(z, code).item()
        told = figures.demands("squared error", average, deviation, rho).get_label()
        assert told.replace("−", "-").endswith(f"it costs {cost:.2f}")
        free = figures.demands("correlation", average, deviation, rho).get_label()
        assert "pushed by 0.00 and 0.00" in free
        assert free.endswith(f"it costs {1 - rho:.2f}")


@pytest.mark.parametrize("n", [3, 16])
def test_the_share_of_lucky_codes_is_the_theorems(n):
    told = float(figures.by_chance(n, 0.5).get_label().split(": ")[1].split("%")[0]) / 100
    wanted = 1 - float(codes.chance_below(torch.tensor(0.5), n))
    assert told == pytest.approx(wanted, abs=0.02)
