"""Every chapter's machine computes in the page what its twin computes in torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pytest
import torch
from browser.conftest import Visits
from browser.machines import gap, settle_on, step, wait, written

from genbook.clipping import machines as clipping
from genbook.collapse import machines as collapse
from genbook.divergences import machines as divergences
from genbook.fgan import machines as fgan
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Machine, Twin
from genbook.pixelcnn import machines as pixelcnn
from genbook.pixelcnn.networks import GatedPixelCNN
from genbook.wgan import machines as wgan


@dataclass(frozen=True)
class Case:
    """A machine, where its controls stand, and which preset it begins with."""

    make: Callable[[], Machine]
    settings: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""


def finisher() -> Machine:
    """A small network, untrained, on images of 9 × 8 pixels."""
    net = GatedPixelCNN(8, 2, kernel=5, first=5, generator=seeded(0))
    top = torch.zeros(9, 8)
    top[2, 1:6] = 1
    return pixelcnn.completing(net, (9, 8), {"a bar": top, "nothing": torch.zeros(9, 8)})


CASES = {
    "a top finished": Case(finisher),
    "nothing finished": Case(finisher, {}, "nothing"),
    "four pixels a step": Case(finisher, {"pixels": 4}),
    "cures, none": Case(collapse.forgetting),
    "cures, pack four": Case(collapse.forgetting, {"game": "pack four"}, "grid"),
    "cures, three steps ahead": Case(
        collapse.forgetting,
        {"game": "look three steps ahead", "critic_rate": 5e-4, "generator_rate": 5e-4},
    ),
    "cures, flat slopes": Case(collapse.forgetting, {"game": "flat slopes (R1 + R2)"}, "two"),
    "drawn f, KL": Case(fgan.drawn_game),
    "drawn f, a tilted wave": Case(fgan.drawn_game, {"tilt": 1.0, "rate": 0.1}, "a wave"),
    "drawn f, total variation": Case(fgan.drawn_game, {"tilt": -0.5}, "total variation"),
    "cliff, as it begins": Case(clipping.descent),
    "cliff, small steps": Case(
        clipping.descent, {"rate": 0.03, "threshold": 0.03}, "above the wall"
    ),
    "cliff, large steps": Case(
        clipping.descent, {"rate": 1.0, "threshold": 10.0}, "on a gentle slope"
    ),
    "heaps, as it begins": Case(wgan.two_heaps),
    "heaps, one between two": Case(wgan.two_heaps, {"share": 0.25}, "two against one"),
    "heaps, ramps": Case(wgan.two_heaps, {"share": 0.125}, "two ramps"),
    **{
        f"curve, {score}": Case(divergences.drawn_curve, {"score": score})
        for score in divergences.scores()
    },
    "curve, a slope": Case(divergences.drawn_curve, {"rate": 0.01}, "a slope"),
}


@lru_cache(maxsize=8)
def made(make: Callable[[], Machine]) -> Machine:
    return make()


@pytest.mark.parametrize("name", CASES)
def test_one_step_and_twenty_are_torchs(
    name: str, visits: Visits, tmp_path: Any, report: dict[str, Any]
) -> None:
    case = CASES[name]
    parts = made(case.make)
    page = visits.open(written(parts, tmp_path))
    wait(page, parts.name)
    settle_on(page, parts, dict(case.settings), case.data)
    data = parts.data[case.data] if case.data else next(iter(parts.data.values()))
    twin = Twin(parts, 1, {**parts.beginning(), **case.settings}, data)
    step(page, parts.name, 1)
    twin.step()
    twin.look()
    first = gap(page, twin)
    step(page, parts.name, 19)
    for _ in range(19):
        twin.step()
    twin.look()
    twenty = gap(page, twin)
    report[f"machine, {name} (millionths)"] = {"one step": 1e6 * first, "twenty": 1e6 * twenty}
    assert first <= 1e-6
    assert twenty <= 1e-4
    page.context.close()
