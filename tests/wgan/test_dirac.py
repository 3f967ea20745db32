"""Laws of `genbook.wgan.dirac`."""

from __future__ import annotations

import cmath
import math

import pytest
import torch

from genbook.wgan import dirac

START = torch.tensor([0.4, -0.3], dtype=torch.float64)


def reward(leash, theta, psi):
    """What the critic ascends, E_p[ψx] − E_q[ψx] − R(ψ), with data at 0."""
    away = {"two-sided penalty": (psi.abs() - 1) ** 2, "zero-centred penalty": psi**2 / 2}
    return -psi * theta - leash.strength * away.get(leash.kind, torch.zeros_like(psi))


@pytest.mark.parametrize("kind", dirac.LEASHES)
def test_the_field_is_what_the_players_ascend(kind):
    leash = dirac.Leash(kind, 0.7)
    theta, psi = START.clone().requires_grad_()
    (up,) = torch.autograd.grad(reward(leash, theta, psi), psi)
    expected = torch.stack([psi.detach(), up])
    torch.testing.assert_close(dirac.field(leash, START), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.3, 2.0, 5.0])
def test_the_eigenvalues_solve_their_equation(gamma):
    pair = dirac.eigenvalues(gamma)
    for value in pair:
        assert cmath.isclose(value**2 + gamma * value + 1, 0, abs_tol=1e-12)
    assert cmath.isclose(sum(pair), -gamma, abs_tol=1e-12)


def test_small_steps_without_a_leash_circle_and_large_ones_spiral_out():
    for rate in (0.001, 0.3):
        path = dirac.orbit(dirac.Leash("none"), START, rate, 50).norm(dim=-1)
        assert path[-1].item() == pytest.approx(0.5 * (1 + rate**2) ** 25, rel=1e-12)


def test_a_clip_holds_the_slope_and_nothing_else():
    far = torch.tensor([3.0, 0.0], dtype=torch.float64)
    path = dirac.orbit(dirac.Leash("clip", 0.25), far, 0.1, 3_000)
    assert path[:, 1].abs().max().item() == 0.25
    assert path[2_000:].norm(dim=-1).min() > 0.2
    free = dirac.orbit(dirac.Leash("none"), START / 10, 0.1, 10)
    torch.testing.assert_close(dirac.orbit(dirac.Leash("clip", 1.0), START / 10, 0.1, 10), free)


def test_the_two_sided_penalty_pushes_out_of_the_unit_disk_and_the_other_in():
    for strength in (0.1, 1.0):
        out, into = (
            dirac.orbit(dirac.Leash(kind, strength), START, 1e-3, 500).norm(dim=-1)
            for kind in dirac.LEASHES[2:]
        )
        assert out[-1] > out[0]
        assert into[-1] < into[0]


def test_paths_of_several_starts_run_together():
    starts = torch.stack([START, 2 * START])
    together = dirac.orbit(dirac.Leash("two-sided penalty"), starts, 0.1, 7)
    for place, each in enumerate(starts):
        alone = dirac.orbit(dirac.Leash("two-sided penalty"), each, 0.1, 7)
        torch.testing.assert_close(together[:, place], alone)


def test_what_does_not_fit_is_said():
    with pytest.raises(ValueError, match="leash"):
        dirac.Leash("rope")
    with pytest.raises(ValueError, match="strength > 0"):
        dirac.Leash("clip", 0.0)
    with pytest.raises(ValueError, match="rate > 0"):
        dirac.orbit(dirac.Leash("none"), START, 0.0, 1)
    with pytest.raises(ValueError, match="steps ≥ 0"):
        dirac.orbit(dirac.Leash("none"), START, 0.1, -1)
    with pytest.raises(ValueError, match="γ ≥ 0"):
        dirac.eigenvalues(math.nan)
