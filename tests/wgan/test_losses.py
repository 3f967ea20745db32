"""Laws of `genbook.wgan.losses`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genbook.games import duality
from genbook.games.play import Duel, RMSProp, critic_step, from_convex, mlp, scores
from genbook.kit import seeds
from genbook.kit.seeds import Streams
from genbook.wgan import depth, losses
from tests.wgan.given import FEW, any_seed, double


@FEW
@given(seed=any_seed)
def test_the_losses_are_the_bound_of_the_spine(seed):
    t_p, t_q = double(seed, seed + 1).normal(9), double(seed + 2, seed + 3).normal(9)
    value = duality.bound(t_p, t_q, duality.TRANSPORT.conjugate)
    torch.testing.assert_close(losses.wgan().critic_loss(t_p, t_q), -value)
    torch.testing.assert_close(losses.wgan().generator_loss(t_q), value - t_p.mean(-1))
    for other in (losses.wgan_gp(), losses.gan_qp()):
        torch.testing.assert_close(other.critic_loss(t_p, t_q), -value)


def duel(critic, x, y):
    return Duel(critic, x, y, critic(x), critic(y), double(*range(len(x))))


def quadratic(x):
    return 0.5 * x.square().sum(-1)


def test_slopes_of_a_quadratic_are_norms_of_the_points():
    x = double(0, 1).normal(7, 3)
    torch.testing.assert_close(losses.slopes(quadratic, x), x.norm(dim=-1))


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 4.0])
def test_the_penalty_of_a_linear_critic_is_two_sided(slope):
    x, y = double(0, 1).normal(5, 2), double(2, 3).normal(5, 2)

    def critic(z):
        return slope * (0.6 * z[..., 0] - 0.8 * z[..., 1])

    paid = losses.gradient_penalty(duel(critic, x, y))
    torch.testing.assert_close(paid, torch.full_like(paid, (slope - 1) ** 2))
    above = losses.gradient_penalty(duel(critic, x, y), one_sided=True)
    torch.testing.assert_close(above, torch.full_like(above, max(0.0, slope - 1) ** 2))


def test_the_penalty_takes_a_norm_a_sample_and_keeps_seeds_apart():
    x = double(0, 1).normal(6, 2)
    exact = (x.norm(dim=-1) - 1).square().mean(-1)
    torch.testing.assert_close(losses.gradient_penalty(duel(quadratic, x, x)), exact)


def test_points_lie_on_their_segments_with_one_share_a_sample():
    x, y = double(0).normal(50, 3), double(1).normal(50, 3)
    share = double(2).uniform(50)
    x_hat = losses.between(x, y, share)
    torch.testing.assert_close(x_hat - y, share[..., None] * (x - y))


def test_the_penalty_reaches_the_weights_and_not_the_data():
    critic = mlp([2, 5, 1], double(), nn.Tanh)
    x, y = double(3).normal(4, 2), double(4).normal(4, 2)
    losses.wgan_gp().penalty(duel(lambda z: scores(critic, z), x, y)).sum().backward()
    assert critic[0].weight.grad.abs().max() > 0
    assert x.grad is None


def test_batch_norm_blinds_the_penalty():
    streams = double()
    critic = nn.Sequential(mlp([2, 8, 1], streams), seeds.SeedBatchNorm(1, streams))
    measured = losses.slopes(lambda z: scores(critic, z), streams.normal(32, 2))
    assert measured.max() < 1e-10


def test_weights_are_within_the_limit_after_a_step_of_any_size():
    streams = Streams([0])
    critic = mlp([2, 8, 1], streams)
    optimiser = RMSProp(lr=10.0).over(critic.parameters())
    x = streams.normal(16, 2)
    critic_step(critic, optimiser, losses.wgan(), x, x + 1, streams, clip_weights=0.01)
    assert max(weight.abs().max().item() for weight in critic.parameters()) <= 0.01 + 1e-9


def test_clipping_leaves_small_weights_alone():
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.5, -0.003]]))
    losses.clip_weights(layer, 0.01)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.01, -0.003]]))


@FEW
@given(d=st.floats(0.01, 50), scale=st.floats(0.1, 20))
def test_two_points_are_half_lambda_d_apart(d, scale):
    real = torch.full((1, 1, 1), d, dtype=torch.float64)
    fake = torch.zeros_like(real)
    delta = torch.tensor([[scale * d]], dtype=torch.float64, requires_grad=True)
    game = losses.gan_qp(scale)
    pair = Duel(quadratic, real, fake, delta, 0 * delta, double())
    loss = game.critic_loss(delta, 0 * delta) + game.penalty(pair)
    (slope,) = torch.autograd.grad(loss.sum(), delta)
    assert loss.item() == pytest.approx(-losses.qp_at_points(d, scale), rel=1e-9)
    assert slope.item() == pytest.approx(0, abs=1e-9)


def test_a_search_finds_the_value_of_two_points_for_each_game():
    assert losses.best_at_points(losses.gan_qp(2.0), 3.0) == pytest.approx(3.0)
    assert losses.best_at_points(losses.wgan(), 3.0, most=7.0) == pytest.approx(7.0)
    assert losses.best_at_points(from_convex(duality.GAN), 3.0) == pytest.approx(0.0, abs=1e-9)


def test_both_distances_of_gan_qp_are_means_over_coordinates():
    x = torch.zeros(1, 2, 3, 4)
    y = x + torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
    for norm in losses.NORMS:
        assert losses.distance(x, y, norm).tolist() == [[1.0, 3.0]]


def test_layer_norms_are_what_autograd_says():
    streams = double(0, 1)
    critic = mlp([2, 6, 6, 1], streams, nn.ReLU)
    real, fake = streams.normal(9, 2), streams.normal(9, 2)
    norms = depth.layer_norms(critic, losses.wgan(), real, fake)
    both = torch.cat([real, fake], 1).requires_grad_()
    t = scores(critic, both)
    losses.wgan().critic_loss(t[:, :9], t[:, 9:]).sum().backward()
    torch.testing.assert_close(norms[:, 0], both.grad.flatten(1).norm(dim=1))
