"""The chapter's machine: its walks are the chapter's, and what it reads out is true of them."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.clipping import cliff, machines
from genbook.kit.machine.parts import Twin

RATE, LIMIT = 0.125, 0.25  # exact in single precision


@pytest.fixture(scope="module")
def machine():
    return machines.descent()


def played(machine, start, steps):
    twin = Twin(machine, 1, {"rate": RATE, "threshold": LIMIT}, start, torch.float64)
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


@pytest.mark.parametrize("name", machines.STARTS)
def test_both_walks_are_the_chapters_descent(machine, name):
    start = machine.data[name].double()
    twin = played(machine, start, 30)
    walks = cliff.descend(start, RATE, torch.tensor([math.inf, LIMIT]), steps=30)
    for place, target in enumerate(("plain", "clipped")):
        trail = twin.targets[target]
        torch.testing.assert_close(trail[-31:], walks.points[:, place], atol=1e-7, rtol=0)
        assert torch.equal(trail[0], start)
        error, longest = (twin.targets[f"{target}_{what}"] for what in ("error", "longest"))
        torch.testing.assert_close(error, walks.errors[-1, place], atol=1e-7, rtol=0)
        torch.testing.assert_close(longest, walks.lengths[:-1, place].max(), rtol=1e-6, atol=0)
        lengths = twin.targets[f"{target}_lengths"][-30:]
        torch.testing.assert_close(
            10**lengths, walks.lengths[:-1, place].clamp(min=1e-6), rtol=1e-4, atol=0
        )


def test_no_clipped_step_is_longer_than_rate_times_threshold(machine):
    twin = played(machine, torch.tensor([5.0, -3.2]), 100)
    assert twin.targets["clipped"].diff(dim=0).norm(dim=-1).max() <= RATE * LIMIT + 1e-9
    assert twin.targets["clipped_longest"] > LIMIT  # something was clipped


def test_both_walks_stand_when_their_trail_is_full(machine):
    start = torch.tensor([5.0, -3.2])
    full, later = (played(machine, start, steps) for steps in (machines.TRAIL - 1, 250))
    assert torch.equal(full.targets["plain"], later.targets["plain"])
    assert torch.equal(full.targets["clipped"], later.targets["clipped"])
    assert torch.equal(later.targets["clipped"][0].float(), start)


def test_the_surface_is_a_share_and_dark_where_the_error_is_large(machine):
    surface = played(machine, torch.tensor([5.0, -3.0]), 0).targets["surface"]
    assert 0.5 <= surface.min() <= surface.max() <= 1
    rows = surface.view(machines.SIDE, machines.SIDE)
    for row, column in ((0, 0), (40, 70), (71, 3)):
        w = torch.linspace(*machines.ACROSS, machines.SIDE)[column]
        b = torch.linspace(*machines.UP, machines.SIDE)[row]
        assert rows[row, column].item() == pytest.approx(0.5 + cliff.error(w, b).item(), abs=1e-5)


def test_every_preset_lies_in_the_frame(machine):
    for w, b in machine.data.values():
        assert machines.ACROSS[0] < w < machines.ACROSS[1]
        assert machines.UP[0] < b < machines.UP[1]
