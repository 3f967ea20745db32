r"""The chapter's machine: a GAN that trains in the page, on data that the reader draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from genbook.games import duality
from genbook.games.functional import Player, critic_update, generator_update, with_weights
from genbook.games.plane import (
    BATCH,
    MOST,
    PLANE,
    Contest,
    batch,
    critics,
    generator,
    groups,
    presets,
    rounds,
)
from genbook.games.play import from_convex
from genbook.gan.costs import NON_SATURATING, SATURATING, objective
from genbook.kit.machine.parts import Choice, Machine, Slider, Twin
from genbook.wgan.losses import gan_qp, wgan, wgan_gp

CLIP = 0.1
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)


def games() -> dict[str, Contest]:
    r"""The games to choose from, by the words of the choice.

    Two costs of 2014's game, two f-GANs, and three that the chapter on transport explains.
    """
    return {
        "GAN, −log D": Contest(objective(NON_SATURATING)),
        "GAN, log(1 − D)": Contest(objective(SATURATING)),
        "f-GAN, forward KL": Contest(from_convex(duality.KL)),
        "f-GAN, reverse KL": Contest(from_convex(duality.REVERSE_KL)),
        "WGAN, weights clipped": Contest(wgan(), clip=CLIP),
        "WGAN, gradient penalty": Contest(wgan_gp(1.0)),
        "GAN-QP": Contest(gan_qp()),
    }


def gan(width: int = 32, words: Sequence[str] = ()) -> Machine:
    r"""The GAN of the chapter on the reader's data.

    Args:
        width: of the two hidden layers of both players.
        words: the games to offer, see :func:`games`; all if there are none.

    Returns:
        The machine: one step is ``critic steps`` steps of the discriminator and one of the
        generator, each with Adam.
    """
    chosen = {word: game for word, game in games().items() if not words or word in words}
    acts, view = rounds(chosen, width)
    return Machine(
        name="gan",
        groups=groups(chosen, width),
        acts=acts,
        view=view,
        controls=(
            Choice("game", "the game", tuple(chosen)),
            Slider("critic_steps", "D's steps a round", (1, 2, 3, 5, 10), 0),
            Slider("critic_rate", "D's step size", RATES, 3),
            Slider("generator_rate", "G's step size", RATES, 3),
        ),
        data=presets(),
        most=MOST,
        panels=(PLANE,),
        words="D's loss {critic_loss}, G's {generator_loss}; {good%} of 160 samples lie near data, "
        "{covered%} of the data have a sample near.",
    )


def round_in_torch(twin: Twin) -> Callable[[], None]:
    r"""One round of the machine in eager torch, for comparison.

    Args:
        twin: of :func:`gan`; holds the state that the rounds begin with.

    Returns:
        A function that plays a round and keeps the state.
    """
    width = twin.state["critic"][0].shape[-1]
    contest = games()["GAN, −log D"]
    maker, judge, game = generator(width), critics({"": contest}, width)[1], contest.objective
    players: dict[str, Player] = {}
    for name, leaves in twin.state.items():
        third = (len(leaves) - 1) // 3
        parts = [leaves[k * third : (k + 1) * third] for k in range(3)]
        players[name] = (parts[0], parts[1], parts[2], leaves[-1])
    points, rate = torch.zeros(MOST, 2), torch.tensor(1e-3)
    points[: len(twin.data)] = twin.data
    count = torch.tensor(float(len(twin.data)))

    def play_round() -> None:
        real = batch(points, count, torch.rand(BATCH), torch.randn(BATCH, 2))
        fake = with_weights(maker, players["generator"][0], torch.randn(1, BATCH, 2))
        judges, _ = critic_update(judge, players["critic"], game, real, fake, rate)
        makes, _ = generator_update(
            maker, players["generator"], judge, judges[0], game,
            torch.randn(1, BATCH, 2), rate,
        )  # fmt: skip
        players.update(critic=kept(judges), generator=kept(makes))

    return play_round


def kept(player: Player) -> Player:
    """A player without the graph that made it."""
    weights, means, squares, count = player
    return [w.detach() for w in weights], [m.detach() for m in means], squares, count.detach()
