r"""A game on points of the plane, as programs: rounds of both players and their picture.

A chapter's machine puts these together: :func:`groups` is what the players keep, :func:`rounds` are
the acts of one round and what is drawn. Each word of the machine's choice stands for a
:class:`Contest`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.functional import (
    Ahead,
    Player,
    clipped,
    critic_update,
    generator_update,
    opening,
    with_weights,
)
from genbook.games.play import Objective, mlp, scores
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Panel
from genbook.kit.seeds import Streams

__all__ = [
    "PLANE",
    "Contest",
    "batch",
    "critics",
    "generator",
    "group",
    "groups",
    "looked_at",
    "presets",
    "rounds",
]

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


@dataclass(frozen=True)
class Contest:
    r"""What is played.

    Args:
        objective: both losses and the penalty.
        packed: points that the critic judges together.
        ahead: steps of the critic that the generator looks ahead.
        ahead_rate: their size.
        clip: clamp each of the critic's weights to ± this after its step; 0: do not.
    """

    objective: Objective
    packed: int = 1
    ahead: int = 0
    ahead_rate: float = 0.1
    clip: float = 0.0


class _Packed(nn.Module):
    """A critic that judges m points laid side by side, **[1, B, 2]** to **[1, B/m, 1]**."""

    def __init__(self, critic: nn.Module, packed: int) -> None:
        super().__init__()
        self.critic, self.packed = critic, packed

    def forward(self, x: Tensor) -> Tensor:
        return self.critic(x.reshape(x.shape[0], -1, self.packed * x.shape[2]))


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


def generator(width: int) -> nn.Module:
    r"""Two hidden layers, 2 → width → width → 2.

    Args:
        width: of the hidden layers.
    """
    return mlp([2, width, width, 2], Streams([0]), nn.Tanh)


def critics(contests: Mapping[str, Contest], width: int) -> dict[int, nn.Module]:
    r"""A critic for each size of pack, two hidden layers, 2m → width → width → 1.

    Args:
        contests: what may be played.
        width: of the hidden layers.

    Returns:
        Modules **[1, B, 2]** → **[1, B/m, 1]**, by m.
    """
    sizes = sorted({contest.packed for contest in contests.values()})
    nets = {m: mlp([2 * m, width, width, 1], Streams([0]), nn.Tanh) for m in sizes}
    return {m: _Packed(net, m) if m > 1 else net for m, net in nets.items()}


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
    cost: Callable[[Tensor], Tensor], generator: nn.Module, critic: nn.Module, packed: int = 1
) -> Callable[..., tuple[Tensor, ...]]:
    r"""What the page draws: samples, D's field, pushes; and how good and how complete samples are.

    Args:
        cost: the generator's loss from the critic's outputs **[1, n]**.
        generator: its form.
        critic: its form.
        packed: the size of its packs; its field is its verdict on packs of copies.

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
        ticks = torch.linspace(-REACH, REACH, SIDE, device=noise.device)
        across, up = ticks[None].expand(SIDE, SIDE), ticks[:, None].expand(SIDE, SIDE)
        places = torch.cat([across.reshape(-1, 1, 1), up.reshape(-1, 1, 1)], -1)
        copies = places.expand(-1, packed, 2).reshape(1, -1, 2)
        field = torch.sigmoid(scores(lambda x: with_weights(critic, judges, x), copies))
        gaps = distances(samples[0].detach(), points, count)
        there = (torch.arange(len(points), device=points.device) < count).float()
        good = (gaps.amin(1) < NEAR**2).float().mean()
        covered = ((gaps.amin(0) < NEAR**2).float() * there).sum() / count
        return samples[0], field[0], -slope[0], good, covered

    return look


def distances(samples: Tensor, points: Tensor, count: Tensor) -> Tensor:
    r"""Squared distances from samples to data; to what is no data they are a million more.

    Args:
        samples: **[n, 2]**.
        points: **[most, 2]**, of which the first ``count`` are data.
        count: how many, a scalar.

    Returns:
        **[n, most]**.

    Example:
        >>> points = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
        >>> distances(torch.zeros(1, 2), points, torch.tensor(1.0)).tolist()
        [[25.0, 1000000.0]]
    """
    there = (torch.arange(len(points), device=points.device) < count).float()
    return ((samples[:, None] - points[None]) ** 2).sum(-1) + 1e6 * (1 - there)


def groups(contests: Mapping[str, Contest], width: int) -> dict[str, Group]:
    r"""What the players keep; with packs of several sizes one critic for each.

    Args:
        contests: what may be played.
        width: of the hidden layers.

    Returns:
        ``generator`` and ``critic``, or ``critic of m``.
    """
    judges = critics(contests, width)
    return {
        "generator": group(opening(generator(width))),
        **{_name(m, judges): group(opening(critic)) for m, critic in judges.items()},
    }


def rounds(
    contests: Mapping[str, Contest], width: int, *, most: int = MOST
) -> tuple[tuple[Act, Act], Act]:
    r"""The acts of a round, and of a picture.

    A round is ``critic_steps`` steps of the critic and one of the generator, each with Adam, at the
    rates ``critic_rate`` and ``generator_rate``; the choice ``game`` picks the contest.

    Args:
        contests: what may be played, by its word.
        width: of the hidden layers.
        most: how many points the data may have.

    Returns:
        The acts of the critic and of the generator; the view.
    """
    judges = critics(contests, width)
    names = tuple(_name(m, judges) for m in judges)
    players = opening(generator(width)), [opening(critic) for critic in judges.values()]
    rate, latent, share = torch.tensor(1e-3), torch.zeros(BATCH, 2), torch.zeros(BATCH)
    data = torch.zeros(most, 2), torch.tensor(9.0)
    real = *data, share, latent
    turns = {
        word: _Turn(
            contest, generator(width), judges[contest.packed], [*judges].index(contest.packed)
        )
        for word, contest in contests.items()
    }
    sources = ("generator", *names, "data", "count")
    critic = Act(
        {w: trace(turn.critic, *players, *real, latent, share, rate) for w, turn in turns.items()},
        (*sources, "uniform:1", "normal:2", "normal:3", "uniform:6", "control:critic_rate"),
        (*names, "critic_loss"),
        chosen="game",
        times="critic_steps",
    )
    maker = Act(
        {w: trace(turn.generator, *players, *real, latent, rate) for w, turn in turns.items()},
        (*sources, "uniform:7", "normal:8", "normal:4", "control:generator_rate"),
        ("generator", "generator_loss"),
        chosen="game",
    )
    shown = torch.zeros(SHOWN, 2)
    picture = Act(
        {w: trace(turn.look, *players, *data, shown) for w, turn in turns.items()},
        (*sources, "normal:5"),
        ("samples", "field", "pushes", "good", "covered"),
        chosen="game",
    )
    return (critic, maker), picture


@dataclass(frozen=True)
class _Turn:
    """One contest's steps as functions of all players; the critics that do not play stay."""

    contest: Contest
    maker: nn.Module
    judge: nn.Module
    place: int

    def critic(
        self, maker: Player, judges: Sequence[Player], points: Tensor, count: Tensor,
        share: Tensor, noise: Tensor, latent: Tensor, between: Tensor, rate: Tensor,
    ) -> tuple[list[Player], Tensor]:  # fmt: skip
        fake = with_weights(self.maker, maker[0], latent[None])
        real = batch(points, count, share, noise)
        after, loss = critic_update(
            self.judge, judges[self.place], self.contest.objective, real, fake, rate,
            share=between[None],
        )  # fmt: skip
        if self.contest.clip:
            after = clipped(after, self.contest.clip)
        return [*judges[: self.place], after, *judges[self.place + 1 :]], loss

    def generator(
        self, maker: Player, judges: Sequence[Player], points: Tensor, count: Tensor,
        share: Tensor, noise: Tensor, latent: Tensor, rate: Tensor,
    ) -> tuple[Player, Tensor]:  # fmt: skip
        real = batch(points, count, share, noise)
        return generator_update(
            self.maker, maker, self.judge, judges[self.place][0], self.contest.objective,
            latent[None], rate, ahead=Ahead(real, self.contest.ahead, self.contest.ahead_rate),
        )  # fmt: skip

    def look(
        self, maker: Player, judges: Sequence[Player], points: Tensor, count: Tensor, noise: Tensor
    ) -> tuple[Tensor, ...]:
        look = looked_at(
            self.contest.objective.generator_loss, self.maker, self.judge, self.contest.packed
        )
        return look(maker[0], judges[self.place][0], noise, points, count)


def _name(packed: int, judges: Mapping[int, nn.Module]) -> str:
    return "critic" if len(judges) == 1 else f"critic of {packed}"


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
