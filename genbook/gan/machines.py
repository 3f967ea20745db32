r"""The chapter's machine: a GAN that trains in the page, on data that the reader draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from genbook.games import duality
from genbook.games.functional import Player, critic_update, generator_update, opening, with_weights
from genbook.games.play import Objective, from_convex, mlp, scores
from genbook.gan.costs import NON_SATURATING, SATURATING, objective
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Choice, Group, Hand, Layer, Machine, Panel, Slider, Twin
from genbook.kit.seeds import Streams

REACH = 3.0
BATCH = 128
MOST = 512
SHOWN = 160
SIDE = 28
NEAR = 0.35
JITTER = 0.08
PLANE = Panel(
    (-REACH, REACH),
    (-REACH, REACH),
    (
        Layer("field", "field", "--gb-data", "--gb-model"),
        Layer("points", "data", "--gb-data"),
        Layer("arrows", "pushes", "--gb-gradient", "samples"),
        Layer("points", "samples", "--gb-model"),
    ),
    Hand(
        "points",
        "Data and samples. The arrow keys move a cross, the space bar adds a point there.",
    ),
    xlabel="x",
    ylabel="y",
)
RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2)


def games() -> dict[str, Objective]:
    r"""The games to choose from: two costs of 2014's game, and two f-GANs.

    Returns:
        Losses by the words of the choice.
    """
    return {
        "GAN, −log D": objective(NON_SATURATING),
        "GAN, log(1 − D)": objective(SATURATING),
        "f-GAN, forward KL": from_convex(duality.KL),
        "f-GAN, reverse KL": from_convex(duality.REVERSE_KL),
    }


def presets() -> dict[str, Tensor]:
    r"""Data to begin with: a ring, a grid, two moons and a clump, **[n, 2]** each."""
    turn = torch.arange(8) * math.pi / 4
    ring = 2.1 * torch.stack([turn.cos(), turn.sin()], 1)
    lines = torch.linspace(-2.2, 2.2, 5)
    corner = 2.4 + 0.15 * torch.stack([turn.cos(), turn.sin()], 1)
    half = torch.linspace(0, math.pi, 60)
    above = torch.stack([1.6 * half.cos() - 0.8, 1.6 * half.sin() - 0.4], 1)
    below = torch.stack([1.6 * half.cos() + 0.8, 0.4 - 1.6 * half.sin()], 1)
    return {
        "ring": ring,
        "grid": torch.cartesian_prod(lines, lines),
        "moons": torch.cat([above, below]),
        "corner": corner,
    }


def networks(width: int) -> tuple[nn.Module, nn.Module]:
    r"""Generator and discriminator: two hidden layers each, 2 → width → width → 2 or 1."""
    streams = Streams([0])
    return tuple(mlp([2, width, width, out], streams, nn.Tanh) for out in (2, 1))  # type: ignore[return-value]


def batch(points: Tensor, count: Tensor, share: Tensor, noise: Tensor) -> Tensor:
    r"""A minibatch of the reader's points, each a little blurred.

    Args:
        points: **[most, 2]**, of which the first ``count`` are data.
        count: how many, a scalar.
        share: uniform numbers, **[B]**: which point.
        noise: standard normal, **[B, 2]**.

    Returns:
        **[1, B, 2]**.

    Example:
        >>> points = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
        >>> batch(points, torch.tensor(1.0), torch.rand(3), torch.zeros(3, 2)).tolist()
        [[[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]]]
    """
    return (points[(share * count).long()] + JITTER * noise)[None]


def looked_at(
    cost: Callable[[Tensor], Tensor], generator: nn.Module, critic: nn.Module
) -> Callable[..., tuple[Tensor, ...]]:
    r"""What the page draws: samples, D's field, pushes; and how good and how complete samples are.

    Args:
        cost: the generator's loss from the critic's outputs **[1, n]**.
        generator: its form.
        critic: its form.

    Returns:
        A function of both players' weights, noise, points and their count.
    """

    def look(
        makes: Sequence[Tensor],
        judges: Sequence[Tensor],
        noise: Tensor,
        points: Tensor,
        count: Tensor,
    ) -> tuple[Tensor, ...]:
        samples = with_weights(generator, makes, noise[None]).detach().requires_grad_()
        seen = scores(lambda x: with_weights(critic, judges, x), samples)
        (slope,) = torch.autograd.grad(cost(seen).sum() * seen.shape[-1], samples)
        ticks = torch.linspace(-REACH, REACH, SIDE)
        across, up = ticks[None].expand(SIDE, SIDE), ticks[:, None].expand(SIDE, SIDE)
        places = torch.cat([across.reshape(1, -1, 1), up.reshape(1, -1, 1)], -1)
        field = torch.sigmoid(scores(lambda x: with_weights(critic, judges, x), places))
        gaps = ((samples[0].detach()[:, None] - points[None]) ** 2).sum(-1)
        there = (torch.arange(len(points)) < count).float()
        gaps = gaps + 1e6 * (1 - there)
        good = (gaps.amin(1) < NEAR**2).float().mean()
        covered = ((gaps.amin(0) < NEAR**2).float() * there).sum() / count
        return samples[0], field[0], -slope[0], good, covered

    return look


def gan(width: int = 32) -> Machine:
    r"""The GAN of the chapter on the reader's data.

    Args:
        width: of the two hidden layers of both players.

    Returns:
        The machine: one step is ``critic steps`` steps of the discriminator and one of the
        generator, each with Adam.
    """
    generator, critic = networks(width)
    makes, judges = opening(generator), opening(critic)
    points, count, rate = torch.zeros(MOST, 2), torch.tensor(9.0), torch.tensor(1e-3)
    latent = torch.zeros(BATCH, 2)
    drawn = points, count, torch.zeros(BATCH), torch.zeros(BATCH, 2)

    def critic_act(game: Objective) -> Callable[..., tuple[Player, Tensor]]:
        def act(
            player: Player, other: Player, points: Tensor, count: Tensor, share: Tensor,
            noise: Tensor, latent: Tensor, rate: Tensor,
        ) -> tuple[Player, Tensor]:  # fmt: skip
            fake = with_weights(generator, other[0], latent[None])
            return critic_update(
                critic, player, game, batch(points, count, share, noise), fake, rate
            )

        return act

    def generator_act(game: Objective) -> Callable[..., tuple[Player, Tensor]]:
        def act(
            player: Player, other: Player, latent: Tensor, rate: Tensor
        ) -> tuple[Player, Tensor]:
            return generator_update(generator, player, critic, other[0], game, latent[None], rate)

        return act

    def view(game: Objective) -> Callable[..., tuple[Tensor, ...]]:
        look = looked_at(game.generator_loss, generator, critic)
        return lambda player, other, *rest: look(player[0], other[0], *rest)

    chosen = games()
    shown = torch.zeros(SHOWN, 2)
    return Machine(
        name="gan",
        groups={"generator": group(makes), "critic": group(judges)},
        acts=(
            Act(
                {
                    word: trace(critic_act(game), judges, makes, *drawn, latent, rate)
                    for word, game in chosen.items()
                },
                ("critic", "generator", "data", "count", "uniform:1", "normal:2", "normal:3",
                 "control:critic_rate"),
                ("critic", "critic_loss"),
                chosen="game",
                times="critic_steps",
            ),
            Act(
                {
                    word: trace(generator_act(game), makes, judges, latent, rate)
                    for word, game in chosen.items()
                },
                ("generator", "critic", "normal:4", "control:generator_rate"),
                ("generator", "generator_loss"),
                chosen="game",
            ),
        ),
        view=Act(
            {
                word: trace(view(game), makes, judges, shown, points, count)
                for word, game in chosen.items()
            },
            ("generator", "critic", "normal:5", "data", "count"),
            ("samples", "field", "pushes", "good", "covered"),
            chosen="game",
        ),
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
    )  # fmt: skip


def round_in_torch(twin: Twin) -> Callable[[], None]:
    r"""One round of the machine in eager torch, for comparison.

    Args:
        twin: of :func:`gan`; holds the state that the rounds begin with.

    Returns:
        A function that plays a round and keeps the state.
    """
    generator, critic = networks(twin.state["critic"][0].shape[-1])
    game = games()["GAN, −log D"]
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
        fake = with_weights(generator, players["generator"][0], torch.randn(1, BATCH, 2))
        judges, _ = critic_update(critic, players["critic"], game, real, fake, rate)
        makes, _ = generator_update(
            generator, players["generator"], critic, judges[0], game,
            torch.randn(1, BATCH, 2), rate,
        )  # fmt: skip
        players.update(critic=kept(judges), generator=kept(makes))

    return play_round


def kept(player: Player) -> Player:
    """A player without the graph that made it."""
    weights, means, squares, count = player
    return [w.detach() for w in weights], [m.detach() for m in means], squares, count.detach()


def group(player: Player) -> Group:
    r"""How a player begins: weights as ``torch.nn.Linear`` draws them, Adam's averages at 0.

    Args:
        player: of the right shapes.

    Returns:
        Shapes and bounds of all its leaves.
    """
    weights, means, squares, count = player
    fans = [weight.shape[-2] for weight in weights]
    for place in range(1, len(fans), 2):  # a bias is drawn like the weights beside it
        fans[place] = fans[place - 1]
    leaves = [*weights, *means, *squares, count]
    bounds = [1 / math.sqrt(fan) for fan in fans] + [0.0] * (len(leaves) - len(weights))
    return Group(tuple(tuple(leaf.shape) for leaf in leaves), tuple(bounds))
