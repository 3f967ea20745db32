"""Laws of `genbook.collapse.critics`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.collapse import causes, critics, digits, limits, onset, published, remedies
from genbook.games import classifier, duality
from genbook.games import classifier as games_classifier
from genbook.games import modes as games_modes
from genbook.kit import data
from genbook.kit.seeds import Streams, mlp
from tests.collapse.given import FEW, RING


def alone(make, seed):
    return make(Streams([seed], dtype=torch.float64))


MAKERS = {
    "packed": lambda s: critics.Packed(mlp([6, 8, 1], s), 3),
    "minibatch": lambda s: critics.MinibatchStd(mlp([3, 8, 1], s), 4),
    "spectral": lambda s: critics.SpectralMLP([2, 8, 8, 1], s),
    "waves": lambda s: torch.nn.Sequential(critics.Waves(2, 5), mlp([10, 8, 1], s)),
}


each_critic = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


@each_critic
def test_no_seed_sees_another(make):
    x = Streams([7, 8, 9], dtype=torch.float64).normal(12, 2)
    together = make(Streams([0, 1, 2], dtype=torch.float64))(x)
    for place in range(3):
        torch.testing.assert_close(together[place : place + 1], alone(make, place)(x[place, None]))


@each_critic
def test_critics_can_be_differentiated_twice(make):
    critic = alone(make, 0).eval()
    x = Streams([3], dtype=torch.float64).normal(12, 2).requires_grad_()
    assert torch.autograd.gradcheck(critic, (x,))
    assert torch.autograd.gradgradcheck(critic, (x,))


def test_a_pack_holds_neighbours():
    class Sum(torch.nn.Module):
        def forward(self, x):
            return x.sum(-1, keepdim=True)

    x = torch.arange(12.0).reshape(1, 6, 2)
    assert critics.Packed(Sum(), 3)(x).flatten().tolist() == [15.0, 51.0]


def test_minibatch_deviation_is_zero_for_a_collapsed_group_and_one_for_noise():
    still = critics.MinibatchStd(torch.nn.Identity(), 4, eps=0.0)(torch.ones(1, 8, 2))
    assert still[..., -1].abs().max() == 0
    noise = critics.MinibatchStd(torch.nn.Identity())(Streams([0]).normal(20_000, 2))
    assert noise[..., -1].mean().item() == pytest.approx(1, abs=0.02)


def test_minibatch_deviation_passes_a_gradient_where_all_samples_agree():
    x = torch.ones(1, 4, 2, requires_grad=True)
    critics.MinibatchStd(torch.nn.Identity())(x).sum().backward()
    assert x.grad is not None
    assert bool(torch.isfinite(x.grad).all())


def test_power_iteration_finds_the_largest_singular_value():
    weight = Streams([0, 1], dtype=torch.float64).normal(7, 5)
    start = Streams([2, 3], dtype=torch.float64).normal(5, 1)
    found = critics.spectral_norm(weight, start, 300)[0].flatten()
    torch.testing.assert_close(found, torch.linalg.matrix_norm(weight, 2), rtol=1e-6, atol=1e-8)


@FEW
@given(seed=st.integers(0, 1000))
def test_a_spectral_critic_is_no_steeper_than_its_scale(seed):
    streams = Streams([seed], dtype=torch.float64)
    critic = critics.SpectralMLP([2, 16, 16, 1], streams, scale=3.0)
    x, y = streams.normal(64, 2), streams.normal(64, 2)
    for _ in range(30):
        critic(x)
    rise = (critic(x) - critic(y)).abs().squeeze(-1)
    assert (rise <= 3.0 * torch.linalg.vector_norm(x - y, dim=-1) * (1 + 1e-3)).all()


def test_waves_change_no_faster_than_their_lipschitz_constant():
    waves = critics.Waves(2, 8)
    x, y = Streams([0]).normal(200, 2), Streams([1]).normal(200, 2)
    rise = torch.linalg.vector_norm(waves(x) - waves(y), dim=-1)
    assert (rise <= waves.lipschitz * torch.linalg.vector_norm(x - y, dim=-1) * (1 + 1e-5)).all()
    close = torch.linalg.vector_norm(waves(x) - waves(x + 1e-3), dim=-1)
    assert close.max() > 0


def test_waves_alone_repeat_and_the_position_tells_the_places_apart():
    placed = critics.PlacedWaves(8, 0.3, 4.0)
    placed.waves.rows.fill_(2 * math.pi)  # one cycle per unit: every shift by (1, 0) looks alike
    here, there = torch.zeros(1, 1, 2), torch.tensor([[[1.0, 0.0]]])
    torch.testing.assert_close(placed.waves(here), placed.waves(there), atol=1e-5, rtol=0)
    assert (placed(here) - placed(there)).abs().max() == pytest.approx(1 / 4)


def test_a_field_without_size_is_refused():
    with pytest.raises(ValueError, match="reach > 0"):
        critics.PlacedWaves(8, 0.3, 0.0)


ONE = torch.ones(1, 4, 2)


BAD_INPUT = {
    "flat samples": lambda: games_modes.nearest(torch.ones(4, 2), RING),
    "sigma zero": lambda: games_modes.score(ONE, RING, std=0.0),
    "negative counts": lambda: games_modes.histogram_kl(torch.tensor([-1, 2])),
    "another number of weights": lambda: games_modes.histogram_kl(torch.ones(3), torch.ones(2)),
    "one seed": lambda: published.mean_and_error([1.0]),
    "no radius": lambda: limits.ceiling(0.0),
    "no sample": lambda: limits.histogram_floor(8, 0),
    "more kept than there are": lambda: limits.kept_modes(duality.KL, 9, 8),
    "no pack": lambda: limits.packed_tv(torch.ones(1), torch.ones(1), 0),
    "no distribution": lambda: limits.packed_tv(torch.ones(2), torch.ones(2), 1),
    "flat centres": lambda: games_modes.distinct(torch.ones(3)),
    "flat images": lambda: classifier.Reader(torch.nn.Identity(), 1.0, "none").classes(RING),
    "pack of zero": lambda: critics.Packed(torch.nn.Identity(), 0),
    "batch that does not divide": lambda: critics.Packed(torch.nn.Identity(), 3)(ONE),
    "negative group": lambda: critics.MinibatchStd(torch.nn.Identity(), -1),
    "group that does not divide": lambda: critics.MinibatchStd(torch.nn.Identity(), 3)(ONE),
    "one size": lambda: critics.SpectralMLP([2], Streams([0])),
    "matrix without seeds": lambda: critics.spectral_norm(torch.eye(2), torch.ones(2, 1)),
    "no waves": lambda: critics.Waves(2, 0),
    "stale without width": lambda: causes.stale(0.0, 0.1, 1, 1),
    "ball without radius": lambda: causes.Elsewhere(torch.nn.Identity(), ONE[0, 0], 0.0, 1.0),
    "negative unroll": lambda: causes.bilinear(-1),
    "unknown method": lambda: remedies.method("BigGAN"),
    "no weight": lambda: remedies.flat_slopes(0.0),
    "no look": lambda: remedies.moments(5, 0),
    "radius zero": lambda: onset.own_rings(torch.zeros(1), torch.ones(1)),
    "unknown images": lambda: digits.reading("faces"),
    "no steps": lambda: games_classifier.learn_to_read(
        data.digits("train"), data.digits("test"), steps=0
    ),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected"):
        call()
