r"""The chapter's machine: real or drawn? The reader plays the discriminator, beside it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genbook.gran.training import Pair
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Hand, Layer, Machine, Panel

Held = Sequence[Tensor]


def carried(net: nn.Module) -> list[Tensor]:
    r"""Parameters and buffers of a net as a page gets them: without gradient, float32, on the CPU.

    Buffers are flat, so that :mod:`genbook.kit.machine.weights` keeps them in single precision.

    Args:
        net: any.

    Returns:
        The parameters in their order, then the buffers in theirs.

    Example:
        >>> [tuple(leaf.shape) for leaf in carried(nn.BatchNorm1d(3))]
        [(3,), (3,), (3,), (3,), (1,)]
    """
    weights = [weight.detach().float().cpu() for weight in net.parameters()]
    return weights + [kept.detach().float().cpu().flatten() for kept in net.buffers()]


def applied(net: nn.Module, held: Held, x: Tensor) -> Tensor:
    r"""What a net of this form computes with what it is handed.

    Args:
        net: its form.
        held: see :func:`carried`.
        x: its input.

    Returns:
        Its output.

    Example:
        >>> net = nn.Linear(2, 1)
        >>> applied(net, [torch.ones(1, 2), torch.zeros(1)], torch.ones(3, 2)).flatten().tolist()
        [2.0, 2.0, 2.0]
    """
    named = [*net.named_parameters(), *net.named_buffers()]
    given = {name: leaf.view(own.shape) for (name, own), leaf in zip(named, held, strict=True)}
    return functional_call(net, given, (x,))


def answered(game: Held, logit: Tensor, answer: Tensor) -> tuple[Tensor, ...]:
    r"""Judge an answer, and that of the discriminator on the same image.

    Args:
        game: the image shown, **[d]**, and whether it is real; the one before, **[d]**, whether it
            was real and D's belief in it; how many were asked, how many the reader and how many D
            got right, **[1]** each.
        logit: of D, **[1]**; above 0 it says "real".
        answer: of the reader, **[1]**; above 0 it says "real".

    Returns:
        All but the first two: the image shown is now the one before.

    Example:
        >>> one, zero = torch.ones(1), torch.zeros(1)
        >>> game = [zero, one, zero, zero, zero, zero, zero, zero]
        >>> [float(x) for x in answered(game, -one, one)[-3:]]
        [1.0, 1.0, 0.0]
    """
    image, real, _, _, _, asked, yours, theirs = game
    mine, its = ((said > 0).float() for said in (answer, logit))
    return (
        image * 1, real * 1, logit.sigmoid(), asked + 1,
        yours + (mine == real).float(), theirs + (its == real).float(),
    )  # fmt: skip


def real_or_drawn(pair: Pair, images: Tensor) -> Machine:
    r"""A machine that shows images one by one, and counts who tells them apart.

    Each is real or drawn with even chances.

    Args:
        pair: trained and settled.
        images: real ones, **[N, 1, A, A]** in [0, 1]; each as likely as another.

    Returns:
        The machine; a step takes the reader's answer and shows another image.

    Raises:
        ValueError: if there are no images, or they are not of the generator's size, or the
            generator is still learning.
    """
    generator, critic = pair.generator, pair.critic
    side, many = generator.side, len(images)
    if images.shape[1:] != (1, side, side) or not many:
        raise ValueError(f"expected images [N ≥ 1, 1, {side}, {side}], got {list(images.shape)}")
    if generator.training:
        raise ValueError(
            "expected a settled pair: an image must not depend on its batch; settle it"
        )
    pixels = side * side
    weights = [carried(generator), carried(critic), [images.detach().float().cpu().flatten(1)]]
    blank, one = torch.zeros(pixels), torch.zeros(1)
    game = (blank, one, blank, one, one, one, one, one)
    dice, codes, place = torch.zeros(2), torch.zeros(generator.latent), torch.zeros(2)

    def another(held: Held, real: Held, dice: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        drawn = applied(generator, held, z[None]).flatten()
        chosen = (torch.arange(many) == (dice[1] * many).floor()).float()
        is_real = (dice[:1] < 0.5).float()
        return torch.where(is_real > 0, chosen @ real[0], drawn), is_real

    def begin(held: Held, real: Held, dice: Tensor, z: Tensor) -> tuple[Tensor, ...]:
        rest = [torch.zeros_like(leaf) for leaf in game[2:]]
        return *another(held, real, dice, z), *rest

    def step(
        held: Held, judge: Held, real: Held, now: Held, data: Tensor, dice: Tensor, z: Tensor
    ) -> tuple[Tensor, ...]:
        logit = applied(critic, judge, now[0].view(1, 1, side, side))
        return *another(held, real, dice, z), *answered(now, logit, data[:1])

    def look(now: Held, data: Tensor) -> tuple[Tensor, ...]:
        image, _, last, was, belief, asked, yours, theirs = now
        says = (data[:1] > 0).float()
        seen = (asked > 0).float()
        return (
            image * 1, torch.cat([1 - says, says]), last * 1,
            seen * torch.cat([1 - was, was]), seen * torch.cat([1 - belief, belief]),
            torch.cat([yours, theirs]) / asked.clamp(min=1),
            asked[0] * 1, yours[0] * 1, theirs[0] * 1, belief[0] * 1,
        )  # fmt: skip

    groups = {
        name: Group.trained(held)
        for name, held in zip(("generator", "critic", "real"), weights, strict=True)
    }
    start = (weights[0], weights[2], dice, codes)
    return Machine(
        name="gran",
        groups={
            **groups,
            "game": Group(tuple(tuple(leaf.shape) for leaf in game), (0.0,) * len(game)),
        },
        opening=(
            Act(
                {"": trace(begin, *start)},
                ("generator", "real", "uniform:1", "normal:2"),
                ("game",),
            ),
        ),
        acts=(
            Act(
                {"": trace(step, *weights, list(game), place, dice, codes)},
                ("generator", "critic", "real", "game", "data", "uniform:1", "normal:2"),
                ("game",),
            ),
        ),
        view=Act(
            {"": trace(look, list(game), place)},
            ("game", "data"),
            ("image", "says", "last", "truth", "belief", "shares", "asked", "yours", "theirs",
             "sure"),
        ),
        controls=(),
        data={"real": torch.tensor([0.5, 0.5]), "drawn": torch.tensor([-0.5, 0.5])},
        most=2,
        panels=_panels(side),
        words="Of {asked#} images you got {yours#} right, D {theirs#}. The last one D called real "
        "with probability {sure%}.",
        restarts=False,
        size=(4.6, 6.6),
        across=2,
    )  # fmt: skip


def _panels(side: int) -> tuple[Panel, ...]:
    page, share = (0.0, float(side)), (0.0, 1.05)
    kinds = ("drawn", "real")
    hand = Hand(
        "place",
        "Your answer: the left half says drawn, the right half says real. Press there, or use the "
        "arrow keys; then Step.",
        many=2,
    )
    return (
        Panel(page, page, (Layer("image", "image", "--gb-data", str(side)),), title="this one?"),
        Panel(
            (-1.0, 1.0), share, (Layer("bars", "says", "--gb-model"),), hand,
            title="your answer, then Step", ticks=kinds, ylabel="you say",
        ),
        Panel(page, page, (Layer("image", "last", "--gb-data", str(side)),), title="the last one"),
        Panel(
            (-1.0, 1.0), share,
            (Layer("bars", "truth", "--gb-muted"), Layer("bars", "belief", "--gb-critic")),
            title="it was (grey); D's belief", ticks=kinds, ylabel="probability",
        ),
        Panel(
            (-1.0, 1.0), share, (Layer("bars", "shares", "--gb-gradient"),),
            title="share right so far", ticks=("you", "D"), ylabel="share",
        ),
    )  # fmt: skip
