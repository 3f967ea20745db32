"""Laws of `genbook.collapse.causes`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.collapse import causes, remedies
from genbook.games import duality
from genbook.games.play import from_convex
from genbook.kit.seeds import Streams, mlp
from tests.collapse.given import FEW


@FEW
@given(start=st.floats(0.7, 3), rate=st.floats(0.01, 0.3), steps=st.integers(1, 12))
def test_against_a_critic_that_stands_still_the_width_is_a_power(start, rate, steps):
    path = causes.stale(start, rate, 0, steps)
    factor = 1 - rate * (1 - start**-2)
    assert path[-1].item() == pytest.approx(start * factor**steps)


@FEW
@given(start=st.floats(0.5, 3))
def test_against_a_critic_that_is_renewed_each_step_the_width_becomes_the_datas(start):
    assert causes.stale(start, 0.1, 1, 400)[-1].item() == pytest.approx(1, abs=1e-6)


def test_the_stale_step_is_the_gradient_of_the_mean_score():
    sigma = torch.tensor(1.4, dtype=torch.float64, requires_grad=True)
    x = torch.linspace(-14, 14, 8001, dtype=torch.float64)
    log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
    log_q = torch.distributions.Normal(0.0, 2.0).log_prob(x)
    fakes = torch.distributions.Normal(0.0, sigma).log_prob(x).exp()
    torch.trapezoid(fakes * (log_p - log_q), x).backward()
    moved = 1.4 + 0.1 * sigma.grad.item()
    assert moved == pytest.approx(1.4 * (1 - 0.1 * (1 - 2.0**-2)), abs=1e-6)


def test_a_change_where_no_fake_falls_pushes_nothing():
    streams = Streams([0], dtype=torch.float64)
    generator, critic = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
    noise = streams.normal(50, 2)
    far = torch.tensor([40.0, 0.0])
    near = generator(noise)[0, 0].detach()
    for convex in duality.TABLE:
        for practical in (False, True):
            game = from_convex(convex, practical=practical)
            before = causes.push(generator, critic, game, noise)
            lifted = causes.Elsewhere(critic, far, 1.0, 100.0)
            assert torch.equal(before, causes.push(generator, lifted, game, noise))
    lifted = causes.Elsewhere(critic, near + 0.1, 1.0, 100.0)
    assert not torch.equal(before, causes.push(generator, lifted, remedies.PLAIN, noise))


@FEW
@given(unroll=st.integers(0, 10), look=st.floats(0.05, 0.5), rate=st.floats(0.02, 0.2))
def test_the_bilinear_step_is_autograds(unroll, look, rate):
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(-0.4, dtype=torch.float64)
    imagined = y
    for _ in range(unroll):
        imagined = imagined + look * x
    (slope,) = torch.autograd.grad(x * imagined, x)
    step = causes.bilinear_step(unroll, look=look, rate=rate)
    moved = step @ torch.stack([x.detach(), y])
    assert moved[0].item() == pytest.approx(0.7 - rate * slope.item())
    assert moved[1].item() == pytest.approx(-0.4 + rate * 0.7)


def test_looking_ahead_turns_a_spiral_out_into_a_spiral_in():
    radius = [
        torch.linalg.eigvals(causes.bilinear_step(k, look=0.2, rate=0.1)).abs().max().item()
        for k in range(6)
    ]
    assert radius[0] == pytest.approx(math.sqrt(1.01))
    assert max(radius[1:]) < 1
    assert radius[1:] == sorted(radius[1:], reverse=True)
