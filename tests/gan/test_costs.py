"""Laws of `genbook.gan.costs`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.distributions import Normal

from genbook.divergences import measures
from genbook.games import parzen, play
from genbook.gan import algorithm, bilinear, figures, optimum
from genbook.gan import costs as gan_costs
from genbook.gan import scenes as gan_runs
from genbook.gan.bilinear import SmallGame
from genbook.kit.receipts import ReceiptError
from genbook.kit.training import NonFiniteLoss
from tests.gan.given import FEW, GRID, RING, flat

each_cost = pytest.mark.parametrize("cost", gan_costs.COSTS, ids=lambda cost: cost.name)


@FEW
@given(alpha=st.floats(0, 0.4), beta=st.floats(0, 0.4), ratio=st.floats(-2, 2))
def test_the_smoothed_loss_is_stationary_at_the_smoothed_optimum(alpha, beta, ratio):
    p, g = torch.tensor([ratio, 0.0], dtype=torch.float64).log_softmax(0)
    best = optimum.smoothed_discriminator(p, g, alpha=alpha, beta=beta).clamp(1e-12, 1 - 1e-12)
    v = torch.logit(best).reshape(1, 1).requires_grad_()
    game, held = gan_costs.smoothed(gan_costs.SATURATING, alpha=alpha, beta=beta), v.detach()
    loss = p.exp() * game.critic_loss(v, held) + g.exp() * game.critic_loss(held, v)
    (slope,) = torch.autograd.grad(loss.sum(), v)
    assert slope.abs().item() < 1e-9


def test_without_smoothing_nothing_changes():
    p, g = torch.randn(2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    plain, soft = (
        gan_costs.objective(gan_costs.SATURATING),
        gan_costs.smoothed(gan_costs.SATURATING, alpha=0.0),
    )
    torch.testing.assert_close(soft.critic_loss(p, g), plain.critic_loss(p, g))
    torch.testing.assert_close(
        optimum.smoothed_discriminator(p, g, alpha=0.0), optimum.optimal_discriminator(p, g)
    )


@each_cost
@FEW
@given(mu=st.floats(-1.5, 1.5), sigma=st.floats(0.8, 1.8))
def test_each_cost_has_the_gradient_of_its_divergences(cost, mu, sigma):
    density = figures.target().log_prob
    ours = gan_costs.generator_gradient(cost, density, mu, sigma)
    theirs = gan_costs.divergence_gradient(cost.descends, density, mu, sigma, GRID)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@each_cost
def test_losses_and_their_slopes_are_consistent(cost):
    v = torch.linspace(-3, 2, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(cost.loss, v)


def test_pushes_stand_as_d_to_one_minus_d():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    d = torch.sigmoid(3 * x + 1)
    weak, strong = (
        gan_costs.pushes(cost, lambda y: 3 * y + 1, x)
        for cost in (gan_costs.SATURATING, gan_costs.NON_SATURATING)
    )
    torch.testing.assert_close(weak * (1 - d), strong * d)


@FEW
@given(steep=st.floats(1, 30), distance=st.floats(0.2, 3))
def test_the_saturating_gradient_obeys_its_bound(steep, distance):
    z = torch.linspace(0, 1, 201, dtype=torch.float64)
    d = torch.sigmoid(-steep * (z + distance))
    epsilon = torch.maximum(d, steep * d * (1 - d)).max().item()
    pull = (
        gan_costs.pushes(gan_costs.SATURATING, lambda x: -steep * x, z + distance)
        .mean()
        .abs()
        .item()
    )
    if epsilon < 1:
        assert pull <= gan_costs.saturation_bound(epsilon, 1.0)


def two_players(seeds=(0,), width=8):
    streams = play.Streams(seeds)
    return play.mlp([2, width, 2], streams), play.mlp([2, width, 1], streams), streams


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_algorithm_1_takes_the_steps_of_the_engine(critic_steps):
    g, d, streams = two_players()
    both = play.Adam().over(d.parameters()), play.Adam().over(g.parameters())
    settings_ = {"iterations": 5, "batch": 16, "latent": 2, "critic_steps": critic_steps}
    game = gan_costs.objective(gan_costs.NON_SATURATING)
    list(algorithm.algorithm_1(g, d, game, RING, both, streams, **settings_))
    h, e, streams = two_players()
    list(play.play(h, e, game, RING, play.Game(**settings_), streams))
    assert torch.equal(flat(g, d), flat(h, e))


def test_an_infinite_loss_stops_algorithm_1():
    g, d, streams = two_players()
    both = play.Adam().over(d.parameters()), play.Adam().over(g.parameters())
    steps = algorithm.algorithm_1(
        *(g, d, gan_costs.objective(gan_costs.SATURATING)),
        *(lambda s, n: s.normal(n, 2) * math.inf, both, streams),
        **{"iterations": 1, "batch": 4, "latent": 2},
    )
    with pytest.raises(NonFiniteLoss):
        list(steps)


def test_costs_side_by_side_are_each_seeds_own():
    v = torch.tensor([[0.5, -1.0], [0.5, -1.0]])
    both = algorithm.side_by_side((gan_costs.SATURATING, gan_costs.NON_SATURATING)).generator_loss(
        v
    )
    alone = [
        gan_costs.objective(c).generator_loss(v[:1])
        for c in (gan_costs.SATURATING, gan_costs.NON_SATURATING)
    ]
    torch.testing.assert_close(both, torch.cat(alone))


def test_a_discriminator_of_equal_piles_learns_one_half():
    streams = play.Streams([0])
    critic, same = play.mlp([1, 8, 1], streams, nn.Tanh), play.around(torch.zeros(1, 1), 1.0)
    game = gan_costs.objective(gan_costs.SATURATING)
    list(algorithm.fit_discriminator(critic, game, same, same, streams, iterations=150, lr=0.01))
    with torch.no_grad():
        assert play.scores(critic, torch.linspace(-1, 1, 5)[None, :, None]).abs().max() < 0.2


def test_gradient_norms_are_those_of_backward():
    g, d, streams = two_players((0, 1))
    noise = streams.normal(7, 2)
    norms = algorithm.gradient_norms(g, d, gan_costs.NON_SATURATING, noise)
    gan_costs.objective(gan_costs.NON_SATURATING).generator_loss(
        play.scores(d, g(noise))
    ).sum().backward()
    squares = sum(w.grad.flatten(1).square().sum(1) for w in g.parameters())
    torch.testing.assert_close(norms, squares.sqrt())


def test_a_race_without_rounds_moves_nothing():
    g, d, streams = two_players((0, 0))
    costs = (gan_costs.SATURATING, gan_costs.NON_SATURATING)
    rule = algorithm.Momentum()
    seen = gan_runs.race(
        (g, d), costs, RING, rule, streams, latent=2, ahead=4, rounds=0, batch=8, every=2
    )
    assert seen.moved.tolist() == [0, 0]
    assert seen.steps == [0, 2, 4]
    assert seen.norms[gan_costs.SATURATING.symbol].shape == (3, 2)
    torch.testing.assert_close(seen.before[0], seen.before[1])  # only costs differ


ONE = torch.zeros(1, 1)


FLAT = torch.zeros(3)


STANDARD = Normal(0.0, 1.0).log_prob


BAD_INPUT = {
    "target above one": lambda: gan_costs.smoothed(gan_costs.SATURATING, alpha=1.2),
    "target below zero": lambda: optimum.smoothed_discriminator(ONE, ONE, alpha=0.0, beta=-0.1),
    "grid that falls": lambda: optimum.value(FLAT, FLAT, FLAT, -torch.arange(3.0)),
    "grid of another length": lambda: optimum.criterion(FLAT, FLAT, torch.arange(4.0)),
    "width of zero": lambda: gan_costs.generator_gradient(gan_costs.SATURATING, STANDARD, 0.0, 0.0),
    "negative width": lambda: gan_costs.divergence_gradient(
        {measures.KL: 1.0}, STANDARD, 0.0, -1.0, GRID
    ),
    "epsilon of one": lambda: gan_costs.saturation_bound(1.0, 1.0),
    "rate of zero": lambda: SmallGame(0.0, 1.0),
    "negative number of steps": lambda: bilinear.orbit(
        bilinear.alternating, SmallGame(1.0, 1.0), torch.zeros(2), -1
    ),
    "nothing conserved": lambda: bilinear.conserved(SmallGame(1.0, 1.0, 0.1), torch.zeros(2)),
    "one cost too few": lambda: algorithm.side_by_side((gan_costs.SATURATING,)).generator_loss(
        torch.zeros(2, 3)
    ),
    "images that are no rows": lambda: parzen.parzen(torch.zeros(2, 3, 3), FLAT, [1.0]),
    "no width": lambda: parzen.parzen(ONE, ONE, []),
    "window of zero": lambda: parzen.parzen_score(ONE, ONE, ONE, [0.0]),
    "fork between two scenes": lambda: gan_runs.forked_run(RING, seed=0, rounds=4, fork=1, every=2),
}


@pytest.mark.parametrize("call", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected") as caught:
        call()
    assert not isinstance(caught.value, ReceiptError)
