"""The machine of the chapter: what it shows is what the chapter's functions say."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.invertible import inverses, machines
from genbook.kit.machine.parts import Twin


@pytest.fixture(scope="module")
def machine():
    return machines.there_and_back()


def twin_of(machine, blocks="one that pulls", c=0.9, data=(0.5, 0.3), steps=0):
    twin = Twin(machine, 1, {"blocks": blocks, "c": c}, torch.tensor(data))
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_the_lattice_is_one_stroke_of_straight_lines():
    lines = machines.lattice()
    assert lines.abs().max() == machines.REACH
    strokes = lines.diff(dim=0).abs()
    assert (strokes.min(dim=1).values == 0).all()  # each goes along one axis
    assert len({tuple(p) for p in lines.tolist()}) >= machines.LINES * machines.DOTS
    turns = (strokes[:, 0] > 0).long()
    assert {0, 1} == set(turns.tolist())


@pytest.mark.parametrize("kind", ["pulls", "pushes", "turns"])
def test_one_block_goes_back_by_the_chapters_iteration(machine, kind):
    twin = twin_of(machine, f"one that {kind}", 0.8, steps=5)
    x = torch.cat([machines.lattice(), torch.tensor([[0.5, 0.3]])])
    stops = inverses.round_trip(inverses.bent(0.8, kind), x, 5)
    torch.testing.assert_close(twin.targets["back"], stops[-1, :-1])
    torch.testing.assert_close(twin.targets["trail"][-6:], stops[:, -1])
    error = (stops[-1, -1] - x[-1]).norm()
    torch.testing.assert_close(twin.targets["error"], error)
    assert twin.targets["made"] == 5


def test_three_blocks_come_home_and_the_proof_holds_all_the_way(machine):
    twin = twin_of(machine, "all three", 0.7)
    for _ in range(120):
        assert twin.targets["error"] <= twin.targets["bound"][0] + 1e-4
        twin.step()
        twin.look()
    assert twin.targets["share"] == 1
    assert twin.targets["error"] < 1e-4


@pytest.mark.parametrize("kind", ["pulls", "pushes", "turns"])
def test_below_one_all_is_home_and_beyond_some_is_lost_for_good(machine, kind):
    blocks = f"one that {kind}"
    assert twin_of(machine, blocks, 0.8, steps=60).targets["share"] == 1
    lost = twin_of(machine, blocks, 1.5, steps=200)
    assert lost.targets["share"] < 1
    assert math.isinf(lost.targets["bound"][0])


def test_a_pull_of_five_percent_too_much_loses_a_point_near_the_centre(machine):
    near = twin_of(machine, c=1.05, data=(0.2, 0.2), steps=400)
    assert near.targets["error"] > 0.5
    mended = twin_of(machine, c=0.95, data=(0.2, 0.2), steps=400)
    assert mended.targets["error"] < 1e-4


def test_another_point_or_another_length_begins_anew(machine):
    twin = twin_of(machine, steps=4)
    twin.data = torch.tensor([1.0, -1.0])
    twin.look()
    assert twin.targets["made"] == 0
    torch.testing.assert_close(twin.targets["here"], twin.targets["y"])
    twin.step()
    twin.settings = {**twin.settings, "c": 0.5}
    twin.look()
    assert twin.targets["made"] == 0
    fresh = twin_of(machine, c=0.5, data=(1.0, -1.0), steps=3)
    for _ in range(3):
        twin.step()
    twin.look()
    torch.testing.assert_close(twin.targets["back"], fresh.targets["back"])
