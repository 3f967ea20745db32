"""Drawings of the chapter on O-GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.kit.device import seeded
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    image_grid,
    numeral,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.ogan.codes import chance_density, correlation, parts
from genbook.ogan.training import LINKS, Players


def machinery() -> Figure:
    r"""One encoder, two uses of its code."""
    return schematic(
        [
            Box("z", 0, 1.3, "noise z", INK, 1.1),
            Box("G", 1.8, 1.3, "G", MODEL, 0.8),
            Box("x", 1.8, 0, "image x", DATA, 1.1),
            Box("E", 3.6, 0.65, "E", CRITIC, 0.8),
            Box("avg", 5.7, 0, "average: D", CRITIC, 1.5),
            Box("rho", 5.7, 1.3, "direction: ρ", GRADIENT, 1.6),
        ],
        [
            Wire("z", "G"),
            Wire("G", "E"),
            Wire("x", "E"),
            Wire("E", "avg"),
            Wire("E", "rho"),
            Wire("z", "rho", dashed=True, bend=0.25),
        ],
        width=5.4,
        height=2.5,
    )


@torch.no_grad()
def freedoms(
    pair: Players, images: Tensor, size: tuple[int, int], *,
    which: int, average: float, deviation: float, turn: float,
) -> Figure:  # fmt: skip
    r"""A code whose average, deviation and direction are set by hand, and the picture it gives.

    Args:
        pair: trained players.
        images: **[N, P]**.
        size: height and width of an image.
        which: the image that gives the direction.
        average: of the code.
        deviation: of the code.
        turn: from 0, its own direction, to 1, the next image's.

    Returns:
        Three panels: the code, what D says, the picture.
    """
    found = parts(pair.encode(images[[which, which + 1]])).direction
    direction = parts(torch.lerp(found[0], found[1], turn)).direction
    code = average + deviation * direction
    drawn = pair.draw(parts(code).direction[None])
    figure, (left, middle, right) = subplots(1, 3, width=8.0, height=2.6, width_ratios=[2, 1.3, 1])
    left.axhline(0, color=MUTED, linewidth=0.7)
    left.bar(range(1, len(code) + 1), code.cpu().numpy(), color=CRITIC)
    left.axhline(average, color=MODEL, linewidth=1.2, linestyle="--")
    left.set(ylim=(-6, 6), xlabel="number of the code", ylabel="value", title="the code")
    middle.set(xlim=(-2, 2), ylim=(0, 1), xlabel="average", title="D's score")
    middle.set_yticks([])
    middle.axvline(0, color=MUTED, linewidth=0.7)
    middle.plot([average], [0.5], "s", color=MODEL, markersize=9)
    image_grid(right, drawn.reshape(1, *size).cpu(), columns=1, padding=0)
    right.set_title("the picture")
    figure.set_label(
        f"average {numeral(average)}, deviation {numeral(deviation)}, turned by {turn:g}: D says "
        f"{numeral(average)}, the picture has {float(drawn.mean()):.4f} ink"
    )
    return figure


TRIES = 4_000


def by_chance(n: int, reached: float) -> Figure:
    r"""How codes that have nothing to do with one another correlate.

    Args:
        n: numbers in a code.
        reached: a correlation to compare with.

    Returns:
        One panel: the density, 4,000 pairs of codes, and the mark.
    """
    source = seeded(n)
    z, other = torch.randn(2, TRIES, n, generator=source).double()
    found = correlation(z, other)
    figure, axes = subplots(1, 1, width=5.6, height=2.7)
    edges = np.linspace(-1, 1, 41)
    heights, _ = np.histogram(found.numpy(), edges, density=True)
    axes.stairs(heights, edges, fill=True, color=MUTED, alpha=0.5, label="4,000 pairs")
    rho = torch.linspace(-0.995, 0.995, 200)
    axes.plot(rho, chance_density(rho, n), color=CRITIC, label="the theorem")
    axes.axvline(reached, color=MODEL, linestyle="--", label="the mark")
    axes.set(xlim=(-1, 1), ylim=(0, 5), xlabel="correlation ρ", ylabel="density")
    axes.legend(loc="upper left")
    above = float((found >= reached).double().mean())
    figure.set_label(f"n = {n}: {above:.1%} of unrelated codes reach {numeral(reached)}")
    return figure


def demands(link: str, average: float, deviation: float, rho: float) -> Figure:
    r"""Where a link pushes the average and the deviation of a code.

    The noise has average 0 and deviation 1.

    Args:
        link: one of the first two of :data:`genbook.ogan.training.LINKS`.
        average: of the code.
        deviation: of the code.
        rho: the correlation of code and noise.

    Returns:
        Two panels: the pushes in the plane of average and deviation; what the link costs, in parts.
    """
    squared = link == LINKS[1]
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.8, width_ratios=[1.5, 1])
    across, up = np.meshgrid(np.linspace(-1.75, 1.75, 8), np.linspace(0.25, 2.0, 8))
    push = (-2 * across, -2 * (up - rho)) if squared else (0 * across, 0 * up)
    left.quiver(across, up, *push, color=GRADIENT, angles="xy", scale=40, width=0.006)
    if not squared:
        left.scatter(across, up, s=5, color=GRADIENT)
    left.plot([average], [deviation], "s", color=MODEL, markersize=9)
    left.set(xlim=(-2, 2), ylim=(0, 2.25), xlabel="average of the code", ylabel="deviation")
    left.set_title("where it is pushed")
    cost = [average**2, (deviation - 1) ** 2, 2 * deviation * (1 - rho)]
    shown = cost if squared else [0.0, 0.0, 1 - rho]
    right.bar(["average", "deviation", "direction"], shown, color=[CRITIC, CRITIC, MODEL])
    right.set(ylim=(0, 8.5), title="what it charges for")
    figure.set_label(
        f"{link}, at average {numeral(average)} and deviation {numeral(deviation)}: pushed by "
        f"{numeral(-2 * average if squared else 0.0)} and "
        f"{numeral(-2 * (deviation - rho) if squared else 0.0)}; it costs {numeral(sum(shown))}"
    )
    return figure


def sweep(columns: Mapping[str, Mapping[float, Sequence[float]]], label: str, top: float) -> Figure:
    r"""A measure against the weight of a link.

    Args:
        columns: by link, by weight, one number a seed.
        label: what is measured.
        top: of the axis.

    Returns:
        One panel with every seed and the means.
    """
    figure, axes = subplots(1, 1, width=5.6, height=2.7)
    looks = ((MODEL, "o-", 0.96), (CRITIC, "s--", 1.04))
    for (name, by_weight), (colour, style, shift) in zip(columns.items(), looks, strict=True):
        _sweep(axes, name, by_weight, colour, style, shift)
    axes.set(xscale="log", xlim=(0.07, 12), ylim=(0, top), xlabel="weight λ", ylabel=label)
    place_ticks(axes.xaxis, [0.1, 0.5, 2, 8], labels=["0.1", "0.5", "2", "8"])
    axes.minorticks_off()
    axes.legend(loc="upper left", ncols=2)
    return figure


def _sweep(
    axes: Axes, name: str, by_weight: Mapping[float, Sequence[float]], colour: str, style: str,
    shift: float,
) -> None:  # fmt: skip
    means = [float(np.mean(values)) for values in by_weight.values()]
    axes.plot([shift * w for w in by_weight], means, style, color=colour, label=name)
    for weight, values in by_weight.items():
        axes.plot([shift * weight] * len(values), values, "_", color=colour, alpha=0.7)
