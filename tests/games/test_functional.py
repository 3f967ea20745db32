"""A step as a function of its state is the step that changes networks in place."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from genbook.games import duality, play
from genbook.games.functional import (
    Ahead,
    adam,
    critic_update,
    generator_update,
    opening,
    with_weights,
)

GAMES = [play.from_convex(duality.GAN, practical=True), play.from_convex(duality.REVERSE_KL)]


def players():
    streams = play.Streams([3])
    return tuple(play.mlp([2, 16, 16, out], streams, nn.Tanh) for out in (2, 1))


@pytest.mark.parametrize("game", GAMES, ids=lambda game: game.name)
def test_twenty_steps_of_both_players_are_plays_own_with_torchs_adam(game):
    generator, critic = players()
    makes, judges = opening(copy.deepcopy(generator)), opening(copy.deepcopy(critic))
    settings = play.Adam(lr=1e-3)
    optimisers = [settings.over(net.parameters()) for net in (critic, generator)]
    streams, rate = play.Streams([5]), torch.tensor(1e-3)
    for _ in range(20):
        real, z, other = streams.normal(64, 2) + 2, streams.normal(64, 2), streams.normal(64, 2)
        with torch.no_grad():
            fake = generator(z)
        wanted = play.critic_step(critic, optimisers[0], game, real, fake, streams)
        fake = with_weights(generator, makes[0], z)
        judges, loss = critic_update(critic, judges, game, real, fake, rate)
        torch.testing.assert_close(loss.detach(), wanted[0], atol=1e-5, rtol=1e-4)
        wanted = play.generator_step(generator, optimisers[1], game, critic, generator(other))
        makes, loss = generator_update(generator, makes, critic, judges[0], game, other, rate)
        torch.testing.assert_close(loss.detach(), wanted[0], atol=1e-5, rtol=1e-4)
    for net, player in ((critic, judges), (generator, makes)):
        for theirs, ours in zip(net.parameters(), player[0], strict=True):
            torch.testing.assert_close(ours.detach(), theirs.detach(), atol=2e-5, rtol=1e-3)


def test_a_penalty_sees_the_share_it_is_given():
    def penalty(duel):
        share = duel.streams.uniform(duel.real.shape[1], 1)
        return (duel.critic(share * duel.real + (1 - share) * duel.fake) ** 2).mean(-1)

    game = play.from_convex(duality.GAN, penalty=penalty)
    _, critic = players()
    real, fake, rate = torch.ones(1, 4, 2), -torch.ones(1, 4, 2), torch.tensor(1e-3)

    def charged(share):
        whole = critic_update(critic, opening(critic), game, real, fake, rate, share=share)[1]
        bare = critic_update(critic, opening(critic), GAMES[0], real, fake, rate)[1]
        return (whole - bare).item()

    with torch.no_grad():
        at_real, at_fake = (critic(x)[0, 0].item() ** 2 for x in (real, fake))
    assert abs(charged(torch.ones(1, 4)) - at_real) < 1e-5
    assert abs(charged(torch.zeros(1, 4)) - at_fake) < 1e-5


def test_adam_moves_each_weight_by_the_rate_at_first_whatever_the_slope():
    _, critic = players()
    player = opening(critic)
    slopes = [torch.full_like(w, 10.0**k) for k, w in enumerate(player[0])]
    after = adam(player, slopes, torch.tensor(0.25), play.Adam())
    for before, now in zip(player[0], after[0], strict=True):
        torch.testing.assert_close(before - now, torch.full_like(now, 0.25), atol=1e-5, rtol=0)
    assert after[3].item() == 1


def test_looking_ahead_is_what_the_engine_unrolls():
    """The loss of a generator that looks ahead is that against the imagined critic."""
    streams = play.Streams([5], dtype=torch.float64)
    maker, critic = (play.mlp([2, 8, out], streams) for out in (2, 1))
    game, real = play.from_convex(duality.GAN), streams.normal(16, 2)
    noise = streams.normal(16, 2)
    imagined = play.unrolled(critic, game, real, maker(noise), streams, steps=3, rate=0.1)
    wanted = game.generator_loss(imagined(maker(noise)))
    _, loss = generator_update(
        maker, opening(maker), critic, list(critic.parameters()), game, noise,
        torch.tensor(1e-3, dtype=torch.float64), ahead=Ahead(real, 3, 0.1),
    )  # fmt: skip
    torch.testing.assert_close(loss, wanted.sum(), atol=1e-12, rtol=0)
