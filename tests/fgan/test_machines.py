"""The chapter's machine: what it makes of a drawn curve, and the game it plays with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial import ConvexHull

from genbook.fgan import machines
from genbook.games import duality
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin

F64 = torch.float64
SETTINGS = {"tilt": 0.0, "rate": 0.1}


def curves(count=8):
    """Rough curves, none of them convex, in double precision."""
    source = seeded(0)
    return [3 * torch.rand(machines.KNOTS, generator=source, dtype=F64) for _ in range(count)]


@pytest.fixture(scope="module")
def machine():
    return machines.drawn_game()


def played(machine, data, tilt, steps, seed=1):
    twin = Twin(machine, seed, {**SETTINGS, "tilt": tilt}, data, F64)
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_the_envelope_is_the_lower_side_of_scipys_hull():
    for heights in curves():
        place = np.arange(machines.KNOTS)
        points = np.stack([place, heights.numpy()], 1)
        hull = ConvexHull(points)
        below = hull.simplices[hull.equations[:, 1] < 0]
        corners = np.unique(below)
        wanted = np.interp(place, corners, points[corners, 1])
        np.testing.assert_allclose(machines.envelope(heights).numpy(), wanted, atol=1e-12)


def test_a_convex_curve_is_its_own_envelope():
    square = (machines.knots().to(F64) - 1) ** 2
    torch.testing.assert_close(machines.envelope(square), square, atol=1e-12, rtol=0)


def test_the_conjugate_of_the_conjugate_is_the_envelope():
    t = torch.linspace(-200, 200, 40_001, dtype=F64)
    for heights in curves(3):
        f = machines.convex(heights, torch.tensor(0.0, dtype=F64))
        star = machines.conjugate(f, t)
        kept = star < 1e5
        u = machines.knots().to(F64)
        again = (u[:, None] * t[kept] - star[kept]).amax(1)
        torch.testing.assert_close(again, f, atol=0.03, rtol=0)


def test_conjugates_are_those_of_the_chapters_table():
    """On slopes inside the drawn range, up to the width of a knot."""
    u = machines.knots().to(F64)
    for row, t in (
        (duality.PEARSON, torch.linspace(-1.5, 4, 12)),
        (duality.KL, torch.linspace(0.0, 2, 9)),
    ):
        f, t = row.f(u.clamp(min=1e-12)), t.to(F64)
        torch.testing.assert_close(machines.conjugate(f, t), row.conjugate(t), atol=0.02, rtol=0)


@pytest.mark.parametrize("tilt", [0.0, 1.5, -2.0])
def test_the_best_critic_reaches_the_divergence_of_any_drawn_curve(tilt):
    p = machines.data_density().to(F64)
    for number, heights in enumerate(curves()):
        f = machines.convex(heights, torch.tensor(tilt, dtype=F64))
        q = machines.model_density(torch.tensor([0.3 * number - 1, 0.2], dtype=F64))
        value, reached = machines.divergence(f, p, q), machines.best_bound(f, p, q)
        assert value.item() == pytest.approx(reached.item(), abs=1e-5)
        assert value >= -1e-12


def test_a_tilt_moves_the_conjugate_and_nothing_else(machine):
    data = machine.data["forward KL"].to(F64)
    flat, tilted = (played(machine, data, tilt, 60).targets for tilt in (0.0, 1.5))
    for name in ("q", "divergence", "mean", "deviation"):
        torch.testing.assert_close(flat[name], tilted[name], atol=1e-6, rtol=0)
    inside = slice(20, 50)
    assert (flat["conjugate"][inside] - tilted["conjugate"][inside]).abs().min() > 0.05
    moved = flat["f"] + 1.5 * (machines.knots() - 1)
    torch.testing.assert_close(tilted["f"].float(), moved.float(), atol=1e-5, rtol=0)


def test_a_hill_has_nothing_to_teach(machine):
    """Under a concave curve the convex one is a straight line: every divergence is 0."""
    twin = played(machine, machine.data["a hill"].to(F64), 0.0, 30)
    start = played(machine, machine.data["a hill"].to(F64), 0.0, 0)
    assert twin.targets["divergence"].item() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(twin.targets["q"], start.targets["q"], atol=1e-3, rtol=0)


def test_the_drawn_divergence_is_the_chapters(machine):
    p = machines.data_density().to(F64)
    q = machines.model_density(torch.tensor([0.2, 0.8], dtype=F64))
    u = machines.knots().to(F64)
    ratio = p / q
    assert ratio.max() < machines.LAST
    for row in (duality.PEARSON, duality.KL):
        drawn = machines.divergence(row.f(u.clamp(min=1e-12)), p, q).item()
        assert drawn == pytest.approx(duality.divergence(row, p, q).sum().item(), abs=0.02)


def test_forward_kl_covers_both_humps_and_reverse_kl_takes_one(machine):
    ends = {}
    for name in ("forward KL", "reverse KL"):
        twin = played(machine, machine.data[name].to(F64), 0.0, 300)
        ends[name] = twin.targets["mean"].abs().item(), twin.targets["deviation"].item()
    assert ends["forward KL"][1] > 1.5
    assert ends["reverse KL"][1] < 1
    assert ends["reverse KL"][0] > 1.5
