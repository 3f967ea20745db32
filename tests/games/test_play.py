"""The loop that trains every GAN: its two steps, its seeds, its look ahead."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from genbook.games import duality, play
from genbook.kit.training import NonFiniteLoss

OBJECTIVE = play.from_convex(duality.GAN, practical=True)
CENTRES = torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)


def table(seeds, hidden=8):
    streams = play.Streams(seeds, dtype=torch.float64)
    generator = play.mlp([2, hidden, 2], streams, nn.Tanh)
    critic = play.mlp([2, hidden, 1], streams, nn.Tanh)
    return generator, critic, streams


def run(seeds, game, objective=OBJECTIVE, **options):
    generator, critic, streams = table(seeds)
    sample = play.around(CENTRES, 0.1)
    rounds = list(play.play(generator, critic, objective, sample, game, streams, **options))
    return generator, critic, rounds


def weights(module):
    return torch.cat([w.detach().flatten(1) for w in module.parameters()], dim=1)


@pytest.mark.parametrize(
    "game",
    [
        play.Game(iterations=8, batch=16),
        play.Game(iterations=4, batch=16, critic_steps=2, clip_weights=0.1, decay=0.5),
        play.Game(iterations=4, batch=16, unroll=3, unroll_rate=0.5, average=0.9),
        play.Game(
            4, 16, critic_optimiser=play.RMSProp(1e-3), generator_optimiser=play.RMSProp(1e-3)
        ),
    ],
    ids=["plain", "clipped", "unrolled", "rmsprop"],
)
def test_seeds_together_are_the_same_seeds_one_after_another(game):
    together, critics, rounds = run([5, 6, 7], game)
    for place, seed in enumerate([5, 6, 7]):
        alone, critic, lone_rounds = run([seed], game)
        torch.testing.assert_close(weights(together)[place], weights(alone)[0])
        torch.testing.assert_close(weights(critics)[place], weights(critic)[0])
        torch.testing.assert_close(rounds[-1].critic_loss[place], lone_rounds[-1].critic_loss[0])


def diverging(v):
    return torch.where(torch.arange(len(v)) == 1, torch.nan, 1.0) * v.mean(-1)


def test_a_loss_that_is_not_finite_stops_the_game():
    objective = play.Objective("bad", OBJECTIVE.critic_loss, diverging)
    with pytest.raises(NonFiniteLoss, match="generator"):
        run([0, 1, 2], play.Game(3, 8), objective)


def test_a_seed_that_diverges_leaves_the_others_alone():
    objective = play.Objective("bad", OBJECTIVE.critic_loss, diverging)
    fine = play.Objective("fine", OBJECTIVE.critic_loss, lambda v: v.mean(-1))
    generator, _, rounds = run([0, 1, 2], play.Game(3, 8), objective, keep_going=True)
    expected, *_ = run([0, 1, 2], play.Game(3, 8), fine)
    torch.testing.assert_close(weights(generator)[[0, 2]], weights(expected)[[0, 2]])
    assert weights(generator)[1].isnan().any()
    assert all(number == number for number in rounds[-1].terms.values())


def test_weights_stay_inside_the_clip():
    _, critic, _ = run([0, 1], play.Game(5, 16, clip_weights=0.02))
    assert weights(critic).abs().max() <= 0.02


def test_the_critic_does_not_move_in_the_generators_step():
    generator, critic, streams = table([0, 1])
    before = weights(critic)
    fake = generator(streams.normal(8, 2))
    optimiser = play.Adam().over(generator.parameters())
    moved = weights(generator)
    play.generator_step(generator, optimiser, OBJECTIVE, critic, fake)
    assert torch.equal(weights(critic), before)
    assert not torch.equal(weights(generator), moved)


def test_the_generator_does_not_move_in_the_critics_step():
    generator, critic, streams = table([0, 1])
    before, fake = weights(generator), play.generate(generator, streams, 8, 2)
    optimiser = play.Adam().over(critic.parameters())
    loss = play.critic_step(critic, optimiser, OBJECTIVE, streams.normal(8, 2), fake, streams)
    assert torch.equal(weights(generator), before)
    assert loss.shape == (2,)


def test_no_imagined_step_leaves_the_critic_as_it_is():
    generator, critic, streams = table([0, 1])
    fake, real = generator(streams.normal(8, 2)), streams.normal(8, 2)
    same = play.unrolled(critic, OBJECTIVE, real, fake, streams, steps=0, rate=1.0)
    assert torch.equal(same(fake), play.scores(critic, fake))


def test_an_imagined_step_is_a_gradient_step():
    generator, critic, streams = table([0])
    fake, real = generator(streams.normal(8, 2)), streams.normal(8, 2)
    imagined = play.unrolled(critic, OBJECTIVE, real, fake, streams, steps=2, rate=0.3)
    stepped = copy.deepcopy(critic)
    optimiser = torch.optim.SGD(stepped.parameters(), lr=0.3)
    for _ in range(2):
        play.critic_step(stepped, optimiser, OBJECTIVE, real, fake.detach(), streams)
    torch.testing.assert_close(imagined(fake), play.scores(stepped, fake))


def test_the_unrolled_gradient_goes_through_the_imagined_steps():
    _, critic, streams = table([0], hidden=4)
    real = streams.normal(6, 2)
    fake = streams.normal(6, 2).requires_grad_()

    def surrogate(x):
        ahead = play.unrolled(critic, OBJECTIVE, real, x, streams, steps=3, rate=0.7)
        return OBJECTIVE.generator_loss(ahead(x))

    assert torch.autograd.gradcheck(surrogate, fake)
    (full,) = torch.autograd.grad(surrogate(fake), fake)
    frozen = play.unrolled(critic, OBJECTIVE, real, fake.detach(), streams, steps=3, rate=0.7)
    (first_order,) = torch.autograd.grad(OBJECTIVE.generator_loss(frozen(fake)), fake)
    assert (full - first_order).abs().max() > 1e-3 * full.abs().max()


def test_rates_fall_linearly_over_the_last_share():
    game = play.Game(iterations=10, decay=0.5)
    assert [game.rate(index) for index in (0, 5, 6, 9)] == pytest.approx([1, 1, 0.8, 0.2])
    assert play.Game(iterations=10).rate(9) == 1


def test_the_average_follows_the_generator():
    generator, critic, streams = table([0])
    start = weights(generator).clone()
    game = play.Game(1, 8, average=0.75)
    sample = play.around(CENTRES, 0.1)
    (only,) = play.play(generator, critic, OBJECTIVE, sample, game, streams)
    expected = 0.75 * start + 0.25 * weights(generator)
    torch.testing.assert_close(weights(only.generator), expected)


def test_a_penalty_sees_the_duel_and_adds_to_the_critics_loss():
    seen = []

    def one(duel):
        seen.append(duel)
        torch.testing.assert_close(duel.critic(duel.real), duel.t_real)
        return torch.ones(2, dtype=torch.float64)

    plain = run([0, 1], play.Game(1, 8))[2][0].critic_loss
    objective = play.from_convex(duality.GAN, practical=True, penalty=one)
    more = run([0, 1], play.Game(1, 8), objective)[2][0].critic_loss
    torch.testing.assert_close(more, plain + 1)
    assert seen[0].fake.shape == (2, 8, 2)


def test_a_critic_learns_to_tell_two_gaussians_apart():
    _, critic, streams = table([0, 1], hidden=16)
    optimiser = play.Adam(lr=1e-2).over(critic.parameters())
    left, right = CENTRES[:1], CENTRES[1:]
    for _ in range(200):
        real, fake = play.around(left, 0.1)(streams, 64), play.around(right, 0.1)(streams, 64)
        loss = play.critic_step(critic, optimiser, OBJECTIVE, real, fake, streams)
    assert loss.max() < 0.05


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: play.Game(0), "iterations"),
        (lambda: play.Game(5, unroll=-1), "unroll"),
        (lambda: play.Game(5, decay=2.0), "decay"),
        (lambda: play.Game(5, clip_weights=0.0), "clip_weights"),
        (lambda: play.Game(5, average=1.0), "average"),
        (lambda: play.scores(lambda x: x, torch.zeros(1, 2, 3)), "returns"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
