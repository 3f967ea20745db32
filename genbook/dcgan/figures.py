"""Drawings of the chapter on DCGAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.dcgan.concepts import Bank, Sums, drawn
from genbook.dcgan.latent import arc, line
from genbook.dcgan.networks import Generator
from genbook.dcgan.projection import Classes, off_projection, optimal_logit
from genbook.dcgan.strides import overlaps
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    INK,
    MODEL,
    MUTED,
    image_grid,
    numeral,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic

WAYS = ("codes, straight", "codes, along an arc", "pixels")
STOPS = 9


def walk(generator: Generator, ends: Tensor, *, pair: int, way: str, t: float) -> Figure:
    r"""A walk from one image to another: nine stops, and the one at t.

    Args:
        generator: settled.
        ends: codes, **[n, 2, d]**.
        pair: which of them.
        way: one of :data:`WAYS`.
        t: in [0, 1].

    Returns:
        Two panels: the image at t, the stops with the nearest one marked.
    """
    start, end = ends[pair]
    stops = torch.linspace(0, 1, STOPS).tolist()
    images = torch.stack([_between(generator, start, end, way, stop) for stop in (*stops, t)])
    figure, (left, right) = subplots(1, 2, width=7.6, height=1.9, width_ratios=[1, 4.4])
    image_grid(left, images[-1:], columns=1, padding=0)
    left.set_title(f"t = {t:g}")
    image_grid(right, images[:-1], columns=STOPS, padding=1)
    side = generator.design.side
    at = t * (STOPS - 1) * (side + 1) + (side - 1) / 2
    right.plot([at], [side + 1.4], "^", color=MODEL, clip_on=False)
    right.set_ylim(side + 2.4, -0.5)
    right.set_title(way)
    code = line(start, end, t) if way != WAYS[1] else arc(start, end, t)
    length = "" if way == WAYS[2] else f"; the code has length {numeral(float(code.norm()))}"
    figure.set_label(f"t = {t:g}, {way}{length}")
    return figure


def _between(generator: Generator, start: Tensor, end: Tensor, way: str, t: float) -> Tensor:
    if way == WAYS[2]:
        first, last = drawn(generator, torch.stack([start, end]))
        return line(first, last, t)
    code = arc(start, end, t) if way == WAYS[1] else line(start, end, t)
    return drawn(generator, code[None])[0]


def stamps(kernel: int, stride: int) -> Figure:
    r"""How often the stamps of a transposed convolution overlap, on a line and on an image.

    Args:
        kernel: length of a stamp.
        stride: between two stamps.

    Returns:
        Two panels: the counts on a line, those on an image as shades.
    """
    counts = overlaps(12, kernel, stride)[:20]
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.7, width_ratios=[1.9, 1])
    places = list(range(20))
    heights = [float(c) for c in counts] + [0.0] * (20 - len(counts))
    left.bar(places, heights, color=MODEL, width=0.8)
    left.set(xlim=(-0.6, 19.6), ylim=(0, 7.4), xlabel="place", ylabel="stamps")
    place_ticks(left.xaxis, range(0, 20, 4))
    left.set_title(f"kernel {kernel}, stride {stride}")
    inner = overlaps(40, kernel, stride)[kernel : kernel + 12].double()
    shades = torch.outer(inner, inner)
    brightest = 1.25 * float(shades.max())  # white is the page: a panel of equal counts is grey
    right.imshow(shades.numpy(), cmap="gray", vmin=0, vmax=brightest, interpolation="none")
    right.set_axis_off()
    found = sorted({int(v) for v in shades.flatten().tolist()})
    right.set_title("inside an image")
    told = ", ".join(map(str, found))
    even = "all alike" if len(found) == 1 else f"counts {told}: a checkerboard"
    figure.set_label(f"kernel {kernel}, stride {stride}, away from the border: {even}")
    return figure


@dataclass(frozen=True)
class Compared:
    r"""Games on one set of images: those that keep the guidelines, and those of another setting.

    Args:
        kept: distances of the guidelines, a seed a row.
        other: of the other setting; none if it was not run.
        images: of the set, then as many that the other setting draws, **[2n, …]**; or nothing.
    """

    kept: Sequence[Sequence[float]]
    other: Sequence[Sequence[float]]
    images: Tensor | None = None


def broken(every: int, sets: Mapping[str, Compared], name: str) -> Figure:
    r"""What a setting does on several sets of images.

    Args:
        every: steps between two distances.
        sets: by the name of the images.
        name: of the setting.

    Returns:
        A column a set: distances over the guidelines' in grey, images of the set over drawn ones.
    """
    figure, grid = subplots(
        2, len(sets), width=7.6, height=3.3, height_ratios=[3, 1], squeeze=False
    )
    told = []
    for place, (images, found) in enumerate(sets.items()):
        above, below = grid[:, place]
        _distances(above, every, found)
        above.set_title(images)
        below.set_axis_off()
        if found.images is not None:
            image_grid(below, found.images, columns=len(found.images) // 2)
        if found.other:
            low, high = (end(run[-1] for run in found.other) for end in (min, max))
            told.append(f"{images} {numeral(low, 1)} to {numeral(high, 1)}")
        else:
            told.append(f"{images} not run")
    grid[0, 0].set_ylabel("Fréchet distance")
    figure.set_label(f"{name}, at the end: {'; '.join(told)}")
    return figure


def _distances(axes: Axes, every: int, found: Compared) -> None:
    for runs, colour, style in ((found.kept, MUTED, "-"), (found.other, MODEL, "--")):
        for run in runs:
            steps = [every * look for look in range(len(run))]
            axes.plot(steps, run, style, color=colour, linewidth=1.1)
    end = every * (max(len(run) for run in found.kept) - 1)
    axes.set(yscale="log", ylim=(1.5, 3000), xlim=(0, end), xlabel="steps")
    place_ticks(axes.xaxis, [0, end // 2, end])


def added(bank: Bank, generator: Generator, found: Sums, verdict: Tensor, which: int) -> Figure:
    r"""One sum of concepts: the exemplars' mean images, and what comes out.

    Args:
        bank: that the exemplars are from.
        generator: settled.
        found: sums.
        verdict: whether the sums of codes are right, **[T]**.
        which: of the sums.

    Returns:
        One panel, five images.
    """
    members = found.members[which]
    means = bank.images[members].mean(1)
    result = drawn(generator, found.codes[which : which + 1])
    images = torch.cat([means, result, found.blended[which : which + 1]])
    figure, axes = subplots(1, 1, width=3.7, height=1.2)
    image_grid(axes, images, columns=5, padding=1)
    side = images.shape[-1]
    for place, name in enumerate(("leaning", "− upright", "+ upright", "= codes", "= pixels")):
        middle = place * (side + 1) + (side - 1) / 2
        axes.text(middle, -1.1, name, ha="center", va="bottom", fontsize=7)
    axes.set_ylim(side - 0.5, -3)
    said = "right" if bool(verdict[which]) else "not right"
    figure.set_label(
        f"{members.shape[1]} exemplars of each: wanted a leaning {int(found.wanted[which])}; the "
        f"sum of codes is {said}"
    )
    return figure


def two_classes(apart: float, spread: float) -> Figure:
    r"""Two classes on a line, and what the best discriminator of pairs says.

    Args:
        apart: how far the drawn classes lie from the real ones.
        spread: standard deviation of the second class of the data; all others have 1.

    Returns:
        Two panels: the logits of both classes, their difference with the best straight line.
    """
    x = torch.linspace(-3, 3, 121, dtype=torch.float64)[:, None]
    half = x.new_full((2,), 0.5)
    means = x.new_tensor([[-1.0], [1.0]])
    real = Classes(half, means, x.new_tensor([1.0, spread**2]))
    fake = Classes(half, means + apart * x.new_tensor([[1.0], [-1.0]]), torch.ones_like(half))
    logits = optimal_logit(real, fake, x)
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.8)
    _logits(left, x, logits)
    difference = logits[:, 1] - logits[:, 0]
    phi = torch.cat([x, torch.ones_like(x)], 1)
    straight = phi @ torch.linalg.lstsq(phi, difference[:, None]).solution
    right.plot(x[:, 0], difference, color=CRITIC, label="difference")
    right.plot(x[:, 0], straight[:, 0], "--", color=INK, linewidth=1, label="best projection")
    right.set(xlim=(-3, 3), ylim=(-20, 20), xlabel="x", title="class 2 minus class 1")
    right.legend(loc="upper center", ncols=2)
    left_over = float(off_projection(logits, phi))
    figure.set_label(
        f"second class of the data {numeral(spread)} wide: the best projection misses a logit by "
        f"{numeral(left_over)} (root mean square)"
    )
    return figure


def _logits(axes: Axes, x: Tensor, logits: Tensor) -> None:
    for k, (colour, style) in enumerate(((DATA, "-"), (MODEL, "--"))):
        axes.plot(x[:, 0], logits[:, k], style, color=colour, label=f"class {k + 1}")
    axes.set(xlim=(-3, 3), ylim=(-20, 20), xlabel="x", title="the best logit")
    axes.legend(loc="upper center", ncols=2)


def machinery() -> Figure:
    r"""The two players, with the sizes of their maps."""
    return schematic(
        [
            Box("z", 0, 1.3, "code z", INK, 1.1, framed=False),
            Box("a", 1.8, 1.3, "32 maps\n2 × 2", MODEL, 1.3, 0.75),
            Box("b", 4.0, 1.3, "16 maps\n4 × 4", MODEL, 1.3, 0.75),
            Box("x", 6.3, 1.3, "image\n8 × 8", DATA, 1.3, 0.75),
            Box("c", 4.0, 0, "16 maps\n4 × 4", CRITIC, 1.3, 0.75),
            Box("d", 1.8, 0, "32 maps\n2 × 2", CRITIC, 1.3, 0.75),
            Box("l", 0, 0, "logit", INK, 1.1, framed=False),
        ],
        [
            Wire("z", "a"),
            Wire("a", "b", "BN, up"),
            Wire("b", "x", "BN, up", lift=0.16),
            Wire("x", "c", "down", lift=-0.3, shift=0.25),
            Wire("c", "d", "down, BN"),
            Wire("d", "l"),
        ],
        width=6.4,
        height=2.2,
    )  # fmt: skip
