r"""The chapter's machine: paint a digit; the discriminator encodes it, the generator draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call

from genbook.kit.machine import trace
from genbook.kit.machine.parts import (
    Act,
    Group,
    Layer,
    Machine,
    Panel,
    Slider,
    image_panel,
    painting,
)
from genbook.ogan.codes import correlation, parts
from genbook.ogan.training import Players

PUSHES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
Held = Sequence[Tensor]


def encoded(pair: Players, weights: Held, x: Tensor) -> Tensor:
    r"""The code of images, computed with other weights.

    Args:
        pair: the form of the players.
        weights: in the order of ``pair.parameters()``.
        x: **[B, P]**.

    Returns:
        **[B, n]**.
    """
    return _called(pair.encoder, weights[len(list(pair.generator.parameters())) :], x)


def drawn(pair: Players, weights: Held, z: Tensor) -> Tensor:
    r"""The images of codes, drawn with other weights.

    Args:
        pair: the form of the players.
        weights: in the order of ``pair.parameters()``.
        z: **[B, n]**.

    Returns:
        **[B, P]**.
    """
    return _called(pair.generator, weights[: len(list(pair.generator.parameters()))], z).sigmoid()


def _called(net: torch.nn.Module, weights: Held, x: Tensor) -> Tensor:
    names = [name for name, _ in net.named_parameters()]
    return functional_call(net, dict(zip(names, weights, strict=True)), (x[None],))[0]


def pushed(code: Tensor, which: Tensor, push: Tensor) -> Tensor:
    r"""A code whose direction has one number moved.

    Args:
        code: **[n]**.
        which: the number, from 1, a scalar.
        push: how far, a scalar.

    Returns:
        A direction again, **[n]**.

    Example:
        >>> code = torch.tensor([4.0, 2.0, 4.0, 2.0])
        >>> pushed(code, torch.tensor(1.0), torch.tensor(0.0)).tolist()
        [1.0, -1.0, 1.0, -1.0]
    """
    places = torch.arange(code.shape[0], device=code.device).to(code.dtype)
    return parts(parts(code).direction + push * (places == which - 1).to(code.dtype)).direction


def _current(picture: Tensor, image: Tensor, data: Tensor) -> tuple[Tensor, Tensor]:
    """The picture that a round trip begins with, and whether it is not the first trip."""
    same = ((image - data).abs().sum() == 0).to(data.dtype)
    return same * picture + (1 - same) * data, same


def round_trip(
    pair: Players, weights: Held, picture: Tensor, image: Tensor, trips: Tensor, data: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    r"""Encode and draw once more what was drawn last.

    Args:
        pair: the form of the players.
        weights: their weights.
        picture: what was drawn last, **[P]**.
        image: what it was drawn from, at first, **[P]**.
        trips: how many so far, **[1]**.
        data: the image, **[P]**; another one begins anew.

    Returns:
        Picture, image and trips.
    """
    now, same = _current(picture, image, data)
    code = encoded(pair, weights, now[None])
    return drawn(pair, weights, parts(code).direction)[0], 1 * data, same * trips + 1


def seen(
    pair: Players, weights: Held, picture: Tensor, image: Tensor, trips: Tensor, data: Tensor,
    which: Tensor, push: Tensor,
) -> tuple[Tensor, ...]:  # fmt: skip
    r"""The image drawn again, what repeated trips came to, and what the discriminator says.

    Args:
        pair: the form of the players.
        weights: their weights.
        picture: what was drawn last, **[P]**.
        image: what it was drawn from, at first, **[P]**.
        trips: how many so far, **[1]**.
        data: the image, **[P]**.
        which: the number of the code that is pushed, from 1.
        push: how far.

    Returns:
        Two images **[P]**, the direction that was drawn **[n]**, D's score of the image and of its
        copy, the correlation of that direction with the copy's code, and the trips.
    """
    now, same = _current(picture, image, data)
    code = encoded(pair, weights, data[None])
    direction = pushed(code[0], which, push)
    copy = drawn(pair, weights, direction[None])
    told = encoded(pair, weights, copy)
    return (
        copy[0], now, direction, code.mean(), told.mean(),
        correlation(direction[None], told)[0], (same * trips)[0],
    )  # fmt: skip


def redrawing(pair: Players, size: tuple[int, int], examples: Mapping[str, Tensor]) -> Machine:
    r"""Paint a digit; the discriminator encodes it, the generator draws it again.

    Args:
        pair: trained players.
        size: height and width of an image.
        examples: images **[P]** to begin with, by name.

    Returns:
        The machine.

    Raises:
        ValueError: if the players are for images of another size.

    Example:
        >>> redrawing(Players(64, 0), (8, 8), {"nothing": torch.zeros(64)}).most
        64
    """
    height, width = size
    pixels = height * width
    if pair.pixels != pixels:
        raise ValueError(f"expected players for {pixels} pixels, got {pair.pixels}")
    weights = [w.detach().float().cpu() for w in pair.parameters()]
    blank, trips = torch.zeros(pixels), torch.zeros(1)
    step = trace(lambda held, *rest: round_trip(pair, held, *rest), weights, blank,
                 torch.ones(pixels), trips, torch.full((pixels,), 0.5))  # fmt: skip
    look = trace(lambda held, *rest: seen(pair, held, *rest), weights, blank, torch.ones(pixels),
                 trips, torch.full((pixels,), 0.5), torch.tensor(1.0),
                 torch.tensor(0.0))  # fmt: skip
    return Machine(
        name="ogan",
        groups={
            "weights": Group.trained(weights),
            "picture": Group(((pixels,),), (0.0,)),
            "image": Group(((pixels,),), (0.0,)),
            "trips": Group(((1,),), (0.0,)),
        },
        acts=(
            Act({"": step}, ("weights", "picture", "image", "trips", "data"),
                ("picture", "image", "trips")),
        ),
        view=Act(
            {"": look},
            ("weights", "picture", "image", "trips", "data", "control:which", "control:push"),
            ("copy", "now", "direction", "score", "score_copy", "rho", "made"),
        ),
        controls=(
            Slider("which", "a number of the code", tuple(map(float, range(1, pair.code + 1)))),
            Slider("push", "push it by", PUSHES, 3),
        ),
        data={name: x.detach().float().cpu().flatten() for name, x in examples.items()},
        most=pixels,
        panels=_panels(size, pair.code),
        words="D's score of your image {score}, of its copy {score_copy}. The code drawn and the "
        "code of the copy have correlation {rho}. Round trips: {made#}.",
        restarts=False,
        size=(4.6, 4.9),
        across=2,
    )  # fmt: skip


def _panels(size: tuple[int, int], code: int) -> tuple[Panel, ...]:
    height, width = size
    pixels = height * width

    return (
        image_panel(
            "data",
            "--gb-data",
            "paint here",
            size,
            painting("A digit", pixels, width),
        ),
        image_panel("copy", "--gb-model", "its code, drawn", size),
        image_panel("now", "--gb-muted", "after the round trips", size),
        Panel(
            (0.5, code + 0.5),
            (-4.0, 4.0),
            (Layer("bars", "direction", "--gb-critic"),),
            title="the code's direction",
            xlabel="number",
            ylabel="value",
        ),
    )
