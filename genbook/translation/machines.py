r"""The chapter's machine: paint a thumbnail, and see it translated by two trained nets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Layer, Machine, Panel, painting
from genbook.translation.networks import UNet

Held = Sequence[Tensor]


def _part(net: UNet, held: Held, name: str, x: Tensor) -> Tensor:
    layer: nn.Module = getattr(net, name)
    names = [own for own, _ in net.named_parameters()]
    given = {
        own.removeprefix(f"{name}."): weight
        for own, weight in zip(names, held, strict=True)
        if own.startswith(f"{name}.")
    }
    found = functional_call(layer, given, (x,))
    assert isinstance(found, Tensor)
    return found


def noise_shapes(net: UNet) -> tuple[tuple[int, ...], tuple[int, ...]]:
    r"""How many numbers the two dropouts of a net draw for one image.

    Args:
        net: with or without skips.

    Returns:
        The shapes of the inner and of the outer one, **[C, A/4, A/4]** and **[C', A/2, A/2]**.

    Example:
        >>> noise_shapes(UNet(torch.Generator().manual_seed(0), side=8, width=4))
        ((8, 2, 2), (4, 4, 4))
    """
    _, inner, high, wide = net.expand.weight.shape
    return (inner, high, wide), (inner // 2, 2 * high, 2 * wide)


def translated(net: UNet, held: Held, x: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    r"""What a U-Net of this form paints, with the noise handed to it.

    Args:
        net: its form; with skips, and not one that begins as a copy.
        held: weights, in the order of ``net.parameters()``.
        x: **[1, 1, A, A]**.
        inner: uniform numbers of the inner dropout, see :func:`noise_shapes`.
        outer: those of the outer one.

    Returns:
        **[1, 1, A, A]** in (0, 1).
    """
    first = functional.leaky_relu(_part(net, held, "first", x), 0.2)
    second = functional.leaky_relu(_part(net, held, "second", first), 0.2)
    code = _part(net, held, "squeeze", second)
    y = _dropped(functional.relu(_part(net, held, "expand", code)), inner, net.inner_noise.share)
    y = functional.relu(_part(net, held, "rise", torch.cat([y, second], 1)))
    y = _dropped(y, outer, net.outer_noise.share)
    return _part(net, held, "last", torch.cat([y, first], 1)).sigmoid()


def _dropped(x: Tensor, dice: Tensor, share: float) -> Tensor:
    return x * (dice >= share).float() / (1 - share)


def spread(small: Tensor, block: int) -> Tensor:
    r"""A thumbnail at full size, each of its pixels a block.

    Args:
        small: **[h²]**, rows from above.
        block: side of a block.

    Returns:
        **[1, 1, h · block, h · block]**.

    Example:
        >>> spread(torch.tensor([0.0, 1.0, 0.0, 0.0]), 2)[0, 0, 0].tolist()
        [0.0, 0.0, 1.0, 1.0]
    """
    side = round(len(small) ** 0.5)
    blocks = small.view(side, 1, side, 1).expand(side, block, side, block)
    return blocks.reshape(1, 1, side * block, side * block)


def translating(nets: Mapping[str, UNet], block: int, digits: Mapping[str, Tensor]) -> Machine:
    r"""A machine that translates a painted thumbnail by two nets at once.

    Args:
        nets: two trained U-Nets of one form, by name.
        block: side of a thumbnail's pixel in pixels of the image.
        digits: images to begin with, **[A, A]** in [0, 1]; the machine shows their thumbnails.

    Returns:
        The machine; a step draws other noise, the same for both nets.

    Raises:
        ValueError: if there are not two nets of one form with skips, or sizes do not fit.
    """
    forms = {tuple(tuple(w.shape) for w in net.parameters()) for net in nets.values()}
    plain = all(net.skips and not net.copies for net in nets.values())
    if len(nets) != 2 or len(forms) != 1 or not plain:
        raise ValueError(
            f"expected two U-Nets of one form, with skips and begun from noise, got {list(nets)}"
        )
    form = next(iter(nets.values()))
    small = form.expand.weight.shape[-1] * 4 // block
    side = small * block
    for name, digit in digits.items():
        if tuple(digit.shape) != (side, side) or form.expand.weight.shape[-1] * 4 != side:
            raise ValueError(
                f"expected digits of the nets' size, with a block that divides it, got "
                f"{list(digit.shape)} for {name!r} and {block}"
            )
    weights = [[w.detach().float().cpu() for w in net.parameters()] for net in nets.values()]
    shapes = noise_shapes(form)
    dice, blank = [torch.zeros(shape) for shape in shapes], torch.zeros(small**2)

    def begin(inner: Tensor, outer: Tensor) -> tuple[Tensor, ...]:
        return inner * 1, outer * 1, inner * 1, outer * 1

    def step(
        _old: Tensor, _older: Tensor, inner: Tensor, outer: Tensor, new: Tensor, newer: Tensor
    ) -> tuple[Tensor, ...]:
        return inner * 1, outer * 1, new * 1, newer * 1

    def look(one: Held, other: Held, kept: Held, data: Tensor) -> tuple[Tensor, ...]:
        x = spread(data, block)
        now, before = (
            [translated(form, held, x, *pair).flatten() for held in (one, other)]
            for pair in (kept[2:], kept[:2])
        )
        moved = [(a - b).abs() for a, b in zip(now, before, strict=True)]
        greys = [((y > 0.2).float() * (y < 0.8).float()).mean() for y in now]
        return *now, moved[1], *greys, *(m.mean() for m in moved)

    kept = [*dice, *dice]
    return Machine(
        name="translation",
        groups={
            "first": Group.trained(weights[0]),
            "second": Group.trained(weights[1]),
            "noise": Group(tuple(tuple(leaf.shape) for leaf in kept), (0.0,) * 4),
        },
        opening=(Act({"": trace(begin, *dice)}, ("uniform:1", "uniform:2"), ("noise",)),),
        acts=(
            Act({"": trace(step, *kept, *dice)}, ("noise", "uniform:1", "uniform:2"), ("noise",)),
        ),
        view=Act(
            {"": trace(look, *weights, kept, blank)},
            ("first", "second", "noise", "data"),
            ("one", "other", "moves", "greys_one", "greys_other", "moved_one", "moved_other"),
        ),
        controls=(),
        data={
            name: functional.avg_pool2d(digit.detach().float().cpu()[None], block).flatten()
            for name, digit in digits.items()
        },
        most=small**2,
        panels=_panels(tuple(nets), small, side),
        words=_words(tuple(nets)),
        restarts=False,
        size=(4.6, 4.8),
        across=2,
    )


def _words(names: tuple[str, ...]) -> str:
    one, other = names
    return (
        f"Mid-greys: {one} {{greys_one%}}, {other} {{greys_other%}}. The last Step's noise moved a "
        f"pixel of {one} by {{moved_one}}, of {other} by {{moved_other}} on average."
    )


def _panels(names: tuple[str, ...], small: int, side: int) -> tuple[Panel, ...]:
    few, page = (0.0, float(small)), (0.0, float(side))
    hand = painting("A thumbnail of a digit", small**2, small)
    return (
        Panel(
            few,
            few,
            (Layer("image", "data", "--gb-data", str(small)),),
            hand,
            title="paint a thumbnail",
        ),
        Panel(
            page,
            page,
            (Layer("image", "moves", "--gb-gradient", str(side)),),
            title=f"what the noise moved, {names[1]}",
        ),
        *(
            Panel(page, page, (Layer("image", of, "--gb-model", str(side)),), title=name)
            for of, name in zip(("one", "other"), names, strict=True)
        ),
    )
