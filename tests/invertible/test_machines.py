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


def test_every_line_of_the_lattice_is_walked_from_end_to_end_both_ways():
    lines, ticks = machines.lattice(), torch.linspace(-2, 2, 8)
    for axis in (0, 1):
        for tick in ticks:
            on = (lines[:, axis] - tick).abs() < 1e-6
            assert {-2.0, 2.0} <= set(lines[on, 1 - axis].tolist())
    steps = lines.diff(dim=0).abs().amax(1)
    assert (steps < 4 / 7 + 1e-6).all()  # no stroke leaves out what lies between


@pytest.mark.parametrize("blocks", list(machines.CHAINS))
def test_each_panel_shows_what_its_title_says(machine, blocks):
    x, c = torch.tensor([[1.1, -0.4]]), 0.7
    twin = twin_of(machine, blocks, c, (1.1, -0.4), steps=4)
    bend = {
        "pulls": lambda v: v - c * v.tanh(),
        "pushes": lambda v: v + c * v.tanh(),
        "turns": lambda v: v + c * torch.stack([-v[:, 1].tanh(), v[:, 0].tanh()], 1),
    }

    def block(points):
        for kind in machines.CHAINS[blocks]:
            points = bend[kind](points)
        return points

    first, second, third = machine.panels
    shown = [[twin.targets.get(layer.of) for layer in p.layers] for p in (first, second, third)]
    lattice, _ = shown[0]
    torch.testing.assert_close(lattice, machines.lattice())
    sent, y = shown[1]
    torch.testing.assert_close(sent, block(lattice))
    torch.testing.assert_close(y.reshape(1, 2), block(x))
    back, trail, _, here = shown[2]
    torch.testing.assert_close(here, trail[-1])
    home = (back - lattice).norm(dim=1) < machines.NEAR
    torch.testing.assert_close(twin.targets["share"], home.float().mean())
    torch.testing.assert_close(twin.targets["error"], (here - x[0]).norm())
    assert [layer.of for layer in third.layers] == ["back", "trail", "data", "here"]
    misfit = (block(here[None]) - block(x)).norm()
    proven = misfit / (1 - c) ** len(machines.CHAINS[blocks])
    torch.testing.assert_close(twin.targets["bound"][0], proven, atol=1e-3, rtol=1e-3)


def test_the_readout_names_each_number_for_what_it_is(machine):
    said = machine.words
    for words in (
        "After {made#} steps",
        "{share%} of the lattice",
        "{error} from yours",
        "proves at most {bound}",
    ):
        assert words in said


def test_the_machine_begins_where_the_way_back_is_proven(machine):
    assert machine.beginning() == {"blocks": "one that pulls", "c": 0.9}
    lengths = next(control.values for control in machine.controls if control.name == "c")
    assert min(lengths) < 1 < max(lengths)


def test_another_point_starts_another_trail():
    kept = machines.fresh(("pulls",))
    far, near, c = torch.tensor([2.0, 2.0]), torch.tensor([0.1, 0.1]), torch.tensor(0.5)
    for _ in range(3):
        kept = machines.step(kept, far, c, ("pulls",))
    _, made, _, trail = machines.standing(kept, near, c, ("pulls",))
    y = machines.through(near[None], c, ("pulls",))
    assert made.item() == 0
    torch.testing.assert_close(trail, y.expand(machines.TRAIL, 2))


def test_a_point_that_moves_along_one_axis_only_begins_anew_too():
    kept, c = machines.fresh(("pulls",)), torch.tensor(0.5)
    kept = machines.step(kept, torch.tensor([1.0, 1.0]), c, ("pulls",))
    assert machines.standing(kept, torch.tensor([1.0, 2.0]), c, ("pulls",))[1].item() == 0
    assert machines.standing(kept, torch.tensor([1.0, 1.0]), c, ("pulls",))[1].item() == 1


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
        assert twin.targets["error"] <= twin.targets["bound"][0]
        twin.step()
        twin.look()
    assert twin.targets["share"] == 1
    assert twin.targets["error"] < 1e-4


@pytest.mark.parametrize("blocks", list(machines.CHAINS))
@pytest.mark.parametrize("c", [0.3, 0.9, 0.95])
def test_what_is_proven_is_no_less_than_the_error_when_only_rounding_is_left(machine, blocks, c):
    for data in ((0.5, 0.3), (1.4, -1.1), (-2.2, 1.9), (0.03, 2.0)):
        twin = twin_of(machine, blocks, c, data, steps=150)
        assert twin.targets["error"] <= twin.targets["bound"][0]
        assert twin.targets["bound"][0] < 0.05


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
