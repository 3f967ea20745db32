"""Laws of `genbook.wgan.critics`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.games.play import Adam, mlp, scores
from genbook.kit.seeds import Streams
from genbook.wgan import critics, losses
from tests.wgan.given import FEW, any_seed, double


def test_the_three_data_sets_have_about_unit_deviation():
    deviation = critics.toys(4_000, seed=0).std(1)
    assert (deviation - 1).abs().max() < 0.12


@FEW
@given(seed=any_seed, scale=st.floats(0.01, 100))
def test_a_certificate_is_a_bound_and_does_not_see_the_scale(seed, scale):
    x, y = double(seed).normal(12, 2)[0], double(seed + 1).normal(15, 2)[0] + 1
    critic = mlp([2, 8, 1], double(seed))
    with torch.no_grad():
        t_x, t_y = scores(critic, x[None])[0], scores(critic, y[None])[0]
    plain = critics.certify(t_x, t_y, x, y)
    scaled = critics.certify(scale * t_x, scale * t_y, x, y)
    assert plain.bound <= plain.exact + 1e-12
    assert scaled.share == pytest.approx(plain.share, rel=1e-6)


def test_a_penalised_critic_finds_the_distance_of_two_heaps():
    streams = Streams([0])
    critic = critics.shallow(streams, width=16)
    tables = torch.zeros(1, 1, 2)
    settings = {"optimiser": Adam(5e-3, betas=(0.5, 0.9)), "streams": streams, "batch": 128}
    for _ in critics.fit(critic, losses.wgan_gp(), tables, steps=250, **settings):
        pass
    fresh = streams.normal(300, 2)[0]
    with torch.no_grad():
        t_fake = scores(critic, fresh[None])[0]
        t_real = scores(critic, torch.zeros(1, 300, 2))[0]
    value = (t_real.mean() - t_fake.mean()).item()
    assert value == pytest.approx(math.sqrt(math.pi / 2), rel=0.15)
