r"""The chapter's machine: modes that the reader places, a cure, and which mode is lost first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from genbook.collapse.remedies import PLAIN, flat_slopes
from genbook.games.functional import Player, opening, with_weights
from genbook.games.plane import (
    NEAR,
    REACH,
    Contest,
    distances,
    generator,
    groups,
    presets,
    rounds,
)
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Choice, Group, Hand, Layer, Machine, Panel, Slider
from genbook.wgan.losses import wgan_gp

MOST = 25
LOOKED = 512
LEAST = 3
AWAY = 99.0
RATES = (2e-4, 5e-4, 1e-3, 2e-3, 5e-3)
Memory = list[Tensor]


def cures() -> dict[str, Contest]:
    r"""What the reader can choose: the plain game and four cures, by their words."""
    return {
        "none": Contest(PLAIN),
        "pack four": Contest(PLAIN, packed=4),
        "look three steps ahead": Contest(PLAIN, ahead=3, ahead_rate=0.1),
        "flat slopes (R1 + R2)": Contest(flat_slopes(0.05)),
        "WGAN, gradient penalty": Contest(wgan_gp(0.2)),
    }


def held(samples: Tensor, points: Tensor, count: Tensor) -> Tensor:
    r"""How many samples each mode has; a sample counts for its nearest mode if it is near.

    Args:
        samples: **[n, 2]**.
        points: the modes, **[most, 2]**, of which the first ``count`` are there.
        count: how many, a scalar.

    Returns:
        **[most]**.

    Example:
        >>> modes = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
        >>> held(torch.tensor([[0.1, 0.0], [1.0, 0.0]]), modes, torch.tensor(2.0)).tolist()
        [1.0, 0.0]
    """
    gaps = distances(samples, points, count)
    nearest = gaps.amin(1, keepdim=True)
    mine = (gaps <= nearest) & (gaps < NEAR**2)
    return mine.float().sum(0)


def remembered(memory: Memory, counts: Tensor) -> Memory:
    r"""A step later: which modes have been held, and since when a held one is lost.

    Args:
        memory: whether each mode has been held **[most]**, the step at which it was lost or 0
            **[most]**, and the step **[1]**.
        counts: samples of each mode now, **[most]**.

    Returns:
        The same, a step later; a mode that comes back is not lost.

    Example:
        >>> memory = [torch.tensor([1.0, 0.0]), torch.zeros(2), torch.tensor([6.0])]
        >>> [leaf.tolist() for leaf in remembered(memory, torch.tensor([0.0, 9.0]))]
        [[1.0, 1.0], [7.0, 0.0], [7.0]]
    """
    seen, lost, step = memory
    now = step + 1
    seen = torch.maximum(seen, (counts >= LEAST).float())
    gone = (counts < 1).float() * seen
    lost = gone * torch.where(lost > 0, lost, now.expand_as(lost))
    return [seen, lost, now]


def told(memory: Memory, counts: Tensor, points: Tensor, count: Tensor) -> tuple[Tensor, ...]:
    r"""What the readout says and the picture marks.

    Args:
        memory: see :func:`remembered`.
        counts: samples of each mode, **[most]**.
        points: the modes, **[most, 2]**.
        count: how many, a scalar.

    Returns:
        Modes held now; modes held before and lost; how many there are; the step at which the first
        of the lost was lost, or 0; its place **[1, 2]**, or far outside; the modes' shares of the
        samples **[most]**.
    """
    _, lost, _ = memory
    when = torch.where(lost > 0, lost, torch.full_like(lost, 1e9))
    first = when.amin()
    mark = ((when <= first) & (lost > 0)).float()
    place = (mark[:, None] * points).sum(0) / mark.sum().clamp(min=1)
    place = torch.where(mark.sum() > 0, place, torch.full_like(place, AWAY))
    return (
        (counts >= LEAST).float().sum(),
        (lost > 0).float().sum(),
        count * 1,
        torch.where(first < 1e9, first, torch.zeros_like(first)),
        place[None],
        counts / LOOKED,
    )


def forgetting(width: int = 32, words: Sequence[str] = ()) -> Machine:
    r"""A game on modes that the reader places.

    Args:
        width: of the two hidden layers of both players.
        words: the cures to offer, see :func:`cures`; all if there are none.

    Returns:
        The machine.
    """
    chosen = {word: cure for word, cure in cures().items() if not words or word in words}
    acts, view = rounds(chosen, width, most=MOST)
    maker = generator(width)
    player, noise = opening(maker), torch.zeros(LOOKED, 2)
    points, count = torch.zeros(MOST, 2), torch.tensor(9.0)
    memory = [torch.zeros(MOST), torch.zeros(MOST), torch.zeros(1)]

    def counted(player: Player, noise: Tensor, points: Tensor, count: Tensor) -> Tensor:
        samples = with_weights(maker, player[0], noise[None])[0]
        return held(samples.detach(), points, count)

    def remember(
        memory: Memory, player: Player, noise: Tensor, points: Tensor, count: Tensor
    ) -> Memory:
        return remembered(memory, counted(player, noise, points, count))

    def look(
        memory: Memory, player: Player, noise: Tensor, points: Tensor, count: Tensor
    ) -> tuple[Tensor, ...]:
        return told(memory, counted(player, noise, points, count), points, count)

    known = (memory, player, noise, points, count)
    sources = ("memory", "generator", "normal:9", "data", "count")
    story = trace(look, *known)
    return Machine(
        name="forgetting",
        groups={
            **groups(chosen, width),
            "memory": Group(((MOST,), (MOST,), (1,)), (0.0, 0.0, 0.0)),
        },
        acts=(*acts, Act({"": trace(remember, *known)}, sources, ("memory",))),
        view=view,
        also=(
            Act(
                {"": story},
                sources,
                ("held", "lost", "modes", "first", "first_place", "shares"),
            ),
        ),
        controls=(
            Choice("game", "the cure", tuple(chosen)),
            Slider("critic_steps", "D's steps a round", (1, 2, 3, 5), 0),
            Slider("critic_rate", "D's step size", RATES, 2),
            Slider("generator_rate", "G's step size", RATES, 2),
        ),
        data={name: presets()[name] for name in ("ring", "grid")}
        | {"two": torch.tensor([[-1.5, 0.0], [1.5, 0.0]])},
        most=MOST,
        panels=(
            Panel(
                (-REACH, REACH),
                (-REACH, REACH),
                (
                    Layer("field", "field", "--gb-data", "--gb-model"),
                    Layer("points", "first_place", "--gb-gradient"),
                    Layer("points", "data", "--gb-data"),
                    Layer("points", "samples", "--gb-model"),
                ),
                Hand(
                    "points",
                    "Modes and samples. The arrow keys move a cross, the space bar adds a mode.",
                ),
                xlabel="x",
                ylabel="y",
            ),
            Panel(
                (0.5, MOST + 0.5),
                (0.0, 0.5),
                (Layer("bars", "shares", "--gb-model"),),
                title="share of the samples near each mode",
                xlabel="mode, in the order in which they were placed",
            ),
        ),
        words="{held#} of {modes#} modes have samples; {lost#} had some and lost them (first in "
        "step {first#}). {good%} of the samples lie near a mode.",
        size=(7.6, 3.7),
        empty="Place some modes: click on the picture.",
    )


def lost_and_found(counts: Tensor) -> tuple[Tensor, Tensor]:
    r"""How often modes that were held lost all their samples, and how often they got some again.

    Args:
        counts: samples of each mode at each look, **[looks, ..., modes]**.

    Returns:
        Losses and returns, summed over modes, **[...]**.

    Example:
        >>> counts = torch.tensor([[9.0, 0.0], [0.0, 0.0], [0.0, 4.0], [5.0, 4.0]])
        >>> [found.item() for found in lost_and_found(counts)]
        [1.0, 1.0]
    """
    held_now, gone = counts[0] >= LEAST, torch.zeros_like(counts[0], dtype=torch.bool)
    losses, returns = torch.zeros_like(counts[0]), torch.zeros_like(counts[0])
    for now in counts[1:]:
        lost, back = held_now & (now < 1), gone & (now >= LEAST)
        losses, returns = losses + lost, returns + back
        gone = (gone | lost) & ~back
        held_now = (held_now | (now >= LEAST)) & ~lost
    return losses.sum(-1), returns.sum(-1)
