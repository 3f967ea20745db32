r"""The chapter's machine: walk through the codes, and add a lean and some ink on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from genbook.dcgan.latent import ink, line, slant
from genbook.dcgan.networks import Generator
from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Choice, Group, Hand, Layer, Machine, Panel, Slider

STRIDES = (0.05, 0.1, 0.2)
REACH = 1.5
"""How much of a direction the reader may add, either way."""


def carried(net: Generator) -> list[Tensor]:
    r"""Weights and fixed statistics as a page gets them: in single precision, on the CPU.

    Args:
        net: settled.

    Returns:
        The parameters in their order, then the buffers, flat, in theirs.
    """
    weights = [weight.detach().float().cpu() for weight in net.parameters()]
    return weights + [kept.detach().float().cpu().flatten() for kept in net.buffers()]


def picture(net: Generator, held: Sequence[Tensor], z: Tensor) -> Tensor:
    r"""What a generator of this form draws with what it is handed.

    Args:
        net: its form, settled.
        held: see :func:`carried`.
        z: **[N, d]**.

    Returns:
        Images in [0, 1], **[N, A, A]**.
    """
    named = [*net.named_parameters(), *net.named_buffers()]
    given = {name: leaf.view(own.shape) for (name, own), leaf in zip(named, held, strict=True)}
    image: Tensor = functional_call(net, given, (z,))
    return (image[:, 0] + 1) / 2


def onward(walk: Sequence[Tensor], stride: Tensor, dice: Tensor) -> tuple[Tensor, ...]:
    r"""One step of the walk; at the end of a leg a new code is drawn to walk to.

    Args:
        walk: the code behind, the code ahead, **[d]** each, and how far between, **[1]**.
        stride: what is added to that.
        dice: uniform in [0, 1), **[d]**.

    Returns:
        The walk.

    Example:
        >>> zero, one = torch.zeros(1), torch.ones(1)
        >>> [x.item() for x in onward((zero, one, 0.9 * one), torch.tensor(0.2), 0.25 * one)]
        [1.0, -0.5, 0.0]
    """
    behind, ahead, far = walk
    moved = far + stride
    there = moved >= 1 - 1e-6
    return (
        torch.where(there, ahead, behind),
        torch.where(there, 2 * dice - 1, ahead),
        torch.where(there, torch.zeros_like(moved), moved),
    )


def walking(generator: Generator, ways: Mapping[str, tuple[Tensor, Tensor]]) -> Machine:
    r"""Walk from code to code; the reader's point says how much lean and ink is added.

    Args:
        generator: settled, without classes.
        ways: by a name that tells how many pairs they come from: the two directions, lean and
            ink, of codes **[2, d]** and of pixels **[2, A, A]**.

    Returns:
        The machine.

    Raises:
        ValueError: if the generator is still learning or asks for a class, or there is no way.
    """
    design = generator.design
    if generator.training or design.classes or not ways:
        raise ValueError("expected a settled generator without classes, and directions to add")
    d, side = design.latent, design.side
    held = carried(generator)
    moves = [part.detach().float().cpu().flatten(1) for pair in ways.values() for part in pair]
    walk = (torch.zeros(d), torch.zeros(d), torch.zeros(1))
    point = torch.zeros(2)

    def begin(dice: Tensor, more: Tensor) -> tuple[Tensor, ...]:
        return 2 * dice - 1, 2 * more - 1, torch.zeros(1)

    looks = {}
    for place, name in enumerate(ways):

        def look(
            net: Sequence[Tensor], ways: Sequence[Tensor], walk: Sequence[Tensor], at: Tensor,
            place: int = place,
        ) -> tuple[Tensor, ...]:  # fmt: skip
            codes, pixels = ways[2 * place], ways[2 * place + 1]
            z = line(walk[0], walk[1], walk[2])
            four = torch.stack([walk[0], walk[1], z, z + at @ codes])
            images = picture(generator, net, four)
            blended = (images[2].flatten() + at @ pixels).clamp(0, 1)
            seen = torch.cat([images[2:], blended.view(1, side, side)])
            leans, inks = slant(seen + 1e-6), ink(seen)
            flat = [image.flatten() for image in images]
            numbers = [n for pair in zip(leans, inks, strict=True) for n in pair]
            return *flat, blended, walk[2][0] * 1, *(1 * n for n in numbers)

        looks[name] = trace(look, held, moves, list(walk), point)
    return Machine(
        name="dcgan",
        groups={
            "net": Group.trained(held),
            "ways": Group.trained(moves),
            "walk": Group(((d,), (d,), (1,)), (0.0,) * 3),
        },
        opening=(
            Act({"": trace(begin, walk[0], walk[0])}, ("uniform:1", "uniform:2"), ("walk",)),
        ),
        acts=(
            Act(
                {"": trace(onward, list(walk), torch.tensor(0.1), walk[0])},
                ("walk", "control:stride", "uniform:3"),
                ("walk",),
            ),
        ),
        view=Act(
            looks,
            ("net", "ways", "walk", "data"),
            ("behind", "ahead", "here", "summed", "blended", "far", "lean", "ink", "lean_summed",
             "ink_summed", "lean_blended", "ink_blended"),
            "pairs",
        ),
        controls=(
            Choice("pairs", "directions from", tuple(looks), len(looks) - 1, restarts=False),
            Slider("stride", "a step, of the way", STRIDES, 1),
        ),
        data={
            "nothing added": torch.tensor([0.0, 0.0]),
            "leaning": torch.tensor([1.0, 0.0]),
            "heavy": torch.tensor([0.0, 1.0]),
            "light, to the left": torch.tensor([-1.0, -1.0]),
        },
        most=2,
        panels=_panels(side),
        words="{far%} of the way. Here: slant {lean}, ink {ink}. Codes added: {lean_summed}, "
        "{ink_summed}. Pixels added: {lean_blended}, {ink_blended}.",
        restarts=False,
        called="what is added",
        empty="Put the point back: press on the picture.",
        size=(4.6, 6.9),
        across=2,
    )  # fmt: skip


def _panels(side: int) -> tuple[Panel, ...]:
    page, reach = (0.0, float(side)), (-REACH, REACH)

    def image(of: str, colour: str, title: str) -> Panel:
        return Panel(page, page, (Layer("image", of, colour, str(side)),), title=title)

    return (
        image("behind", "--gb-muted", "from"),
        image("ahead", "--gb-muted", "to"),
        image("here", "--gb-data", "here"),
        Panel(
            reach, reach, (Layer("points", "data", "--gb-model"),),
            Hand(
                "place",
                "What is added: lean to the right, ink upwards. Drag the point, or move it with "
                "the arrow keys.",
                many=2,
            ),
            title="add", xlabel="lean", ylabel="ink",
        ),
        image("summed", "--gb-model", "codes added"),
        image("blended", "--gb-critic", "pixels added"),
    )  # fmt: skip
