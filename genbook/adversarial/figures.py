"""Drawings of the chapter on adversarial examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from genbook.adversarial import attacks
from genbook.adversarial.linear import Linear
from genbook.adversarial.networks import Classifier
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
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic

KINDS = ("the sign of the slope", "coins")
SIGNS = LinearSegmentedColormap.from_list("signs", [MODEL, "#ffffff", DATA])


def pushed(
    judge: Linear, images: Tensor, sides: Tensor, size: tuple[int, int], *,
    which: int, epsilon: float, kind: str,
) -> Figure:  # fmt: skip
    r"""One image with every pixel moved by ε, and where it stands before a linear judge.

    Args:
        judge: reads 7 where its logit is positive, else 3.
        images: **[n, d]**.
        sides: +1 for a seven, −1 for a three, **[n]**.
        size: height and width.
        which: of the images.
        epsilon: how far each pixel moves.
        kind: one of :data:`KINDS`.

    Returns:
        Three panels: the change, the image, the logit.
    """
    x, side = images[which : which + 1], sides[which : which + 1]
    if kind == KINDS[0]:
        moved = attacks.sign_step(lambda z: judge.loss(z, side), x, epsilon)
    else:
        moved = attacks.random_signs(x, epsilon, seeded(0))
    was, now = float(judge.logit(x)), float(judge.logit(moved))
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.7, width_ratios=[1, 1, 1.5])
    change = (moved - x).reshape(size).cpu().numpy()
    left.imshow(change, cmap=SIGNS, vmin=-0.35, vmax=0.35, interpolation="nearest")
    left.set_axis_off()
    left.set_title("the change")
    image_grid(middle, moved.reshape(1, *size).clamp(0, 1), columns=1, padding=0)
    middle.set_title(f"read as {7 if now > 0 else 3}")
    _scale(right, was, now, float(judge.weight.abs().sum()) * 0.3)
    figure.set_label(
        f"ε = {epsilon:g}, {kind}: the logit goes from {numeral(was)} to {numeral(now)}, "
        f"the image is read as {7 if now > 0 else 3}"
    )
    return figure


def _scale(axes: Axes, was: float, now: float, reach: float) -> None:
    limit = 1.15 * reach + 8
    axes.axhline(0, color=MUTED, linewidth=0.7)
    axes.axvline(0, color=INK, linewidth=1, linestyle="--")
    axes.plot([was, now], [0, 0], color=GRADIENT, linewidth=2)
    axes.plot([was], [0], "o", color=DATA, label="clean")
    axes.plot([now], [0], "s", color=MODEL, label="moved")
    axes.set(xlim=(-limit, limit), ylim=(-1, 1), xlabel="logit: 3 to the left, 7 to the right")
    axes.set_yticks([])
    axes.legend(loc="upper center", ncols=2)


def dimensions(doublings: int, epsilon: float) -> Figure:
    r"""The same small step in few and in many dimensions, for weights ±1/√d.

    Clean margins are normal around 3 with width 1 in every dimension. For the coins, whose sum is
    binomial, the normal curve of the same deviation is drawn.

    Args:
        doublings: log2 of d.
        epsilon: how far each number moves.

    Returns:
        Two panels: densities of the margin; the error against d.
    """
    d = 2**doublings
    figure, (left, right) = subplots(1, 2, width=8.4, height=2.9)
    x = np.linspace(-17, 8, 251)
    looks = ((DATA, "-"), (MUTED, "--"), (MODEL, "-"))
    for (name, margins), (colour, style) in zip(_margins(d, epsilon).items(), looks, strict=True):
        left.plot(x, [margins.pdf(at) for at in x], style, color=colour, label=name)
    left.axvline(0, color=INK, linewidth=1, linestyle=":")
    left.set(xlim=(-17, 8), ylim=(0, 0.58), xlabel="margin", title=f"d = {d}")
    left.legend(loc="upper left")
    _errors(right, d, epsilon)
    wrong = {name: margins.cdf(0) for name, margins in _margins(d, epsilon).items()}
    figure.set_label(
        f"d = {d}, ε = {epsilon:g}: {wrong['signs']:.1%} wrong after signs, "
        f"{wrong['coins']:.1%} after coins, {wrong['clean']:.1%} clean"
    )
    return figure


def _margins(d: int, epsilon: float) -> dict[str, NormalDist]:
    return {
        "clean": NormalDist(3, 1),
        "coins": NormalDist(3, math.hypot(1, epsilon)),
        "signs": NormalDist(3 - epsilon * math.sqrt(d), 1),
    }


def _errors(axes: Axes, d: int, epsilon: float) -> None:
    sizes = [2**power for power in range(13)]
    for name, colour, style in (("signs", MODEL, "-"), ("coins", MUTED, "--")):
        shares = [100 * _margins(size, epsilon)[name].cdf(0) for size in sizes]
        axes.plot(sizes, shares, style, color=colour, label=name)
    axes.plot([d], [100 * _margins(d, epsilon)["signs"].cdf(0)], "o", color=MODEL)
    axes.set(xscale="log", xlim=(1, 4096), ylim=(-4, 108), xlabel="d", ylabel="% wrong")
    axes.set_title("error against dimension")
    axes.legend(loc="upper left")


STOPS = 41
FARTHEST = 0.4


@torch.no_grad()
def walk(
    net: Classifier, x: Tensor, label: Tensor, size: tuple[int, int], epsilon: float
) -> Figure:
    r"""The chance of the true digit along the signed step, and along coins.

    Args:
        net: reads.
        x: one image, **[1, d]**.
        label: its digit, **[1]**.
        size: height and width.
        epsilon: where the marker stands.

    Returns:
        Two panels: the image at ε; the chances.
    """
    with torch.enable_grad():
        ways = {"signs": attacks.sign_step(net.loss(label), x, 1.0) - x}
    ways["coins"] = attacks.random_signs(x, 1.0, seeded(3, x.device)) - x
    stops = torch.linspace(0, FARTHEST, STOPS, device=x.device)
    figure, (left, right) = subplots(1, 2, width=7.0, height=2.7, width_ratios=[1, 2])
    there = x + epsilon * ways["signs"]
    image_grid(left, there.reshape(1, *size).clamp(0, 1).cpu(), columns=1, padding=0)
    said = net(there).softmax(1)[0]
    chance = float(said[int(label)])
    left.set_title(f"read as {int(said.argmax())}")
    for (name, way), (colour, style) in zip(
        ways.items(), ((MODEL, "-"), (MUTED, "--")), strict=True
    ):
        chances = net(x + stops[:, None] * way).softmax(1)[:, int(label)]
        right.plot(stops.cpu(), chances.cpu(), style, color=colour, label=name)
    right.plot([epsilon], [chance], "o", color=MODEL)
    right.set(xlim=(0, FARTHEST), ylim=(-0.04, 1.3), xlabel="ε", ylabel="chance")
    right.set_title(f"chance of a {int(label)}")
    right.legend(loc="upper right", ncols=2)
    figure.set_label(f"ε = {epsilon:g}: the true digit {int(label)} has a chance of {chance:.2f}")
    return figure


def machinery() -> Figure:
    r"""What the attack needs: a slope, its sign, and ε."""
    return schematic(
        [
            Box("x", 0, 1.2, "image x", DATA, 1.3),
            Box("net", 2.4, 1.2, "network", INK, 1.4),
            Box("loss", 4.7, 1.2, "loss J", MODEL, 1.2),
            Box("sign", 4.7, 0, "sign of the slope", GRADIENT, 2.3),
            Box("moved", 0, 0, "x + ε · sign", MODEL, 1.7),
        ],
        [
            Wire("x", "net"),
            Wire("net", "loss"),
            Wire("loss", "sign", "backwards, to the pixels", colour=GRADIENT, dashed=True,
                 lift=-0.05, shift=-1.25),
            Wire("x", "moved"),
            Wire("sign", "moved", "times ε", colour=GRADIENT, lift=0.2),
        ],
        width=5.0,
        height=1.8,
    )  # fmt: skip


def readings(
    rows: Mapping[str, Tensor], read: Mapping[str, Sequence[int]], size: tuple[int, int]
) -> Figure:
    r"""Rows of images, each with the digit that a classifier reads.

    Args:
        rows: images **[n, d]** by name.
        read: the answers, by the same names.
        size: height and width.

    Returns:
        The drawing.
    """
    count = len(next(iter(rows.values())))
    figure, grid = subplots(len(rows), count, width=7.0, height=1.05 * len(rows), squeeze=False)
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image, answer in zip(line, images, read[name], strict=True):
            image_grid(axes, image.reshape(1, *size).clamp(0, 1).cpu(), columns=1, padding=0)
            axes.set_title(str(answer))
        line[0].text(
            -0.25, 0.5, name, transform=line[0].transAxes, rotation=90, va="center", ha="right",
            fontsize=8,
        )  # fmt: skip
    return figure


def masked(errors: Mapping[str, Sequence[float]], epsilons: Sequence[float]) -> Figure:
    r"""Errors against the strength of an attack, a line for each of up to three attacks.

    Args:
        errors: shares by name of the attack.
        epsilons: strengths.

    Returns:
        One panel.
    """
    figure, axes = subplots(1, 1, width=5.6, height=2.8)
    looks = [(MODEL, "o-"), (CRITIC, "s-"), (MUTED, "x--")]
    for (name, shares), (colour, style) in zip(errors.items(), looks, strict=False):
        axes.plot(epsilons, [100 * s for s in shares], style, color=colour, label=name)
    axes.set(xlim=(-0.01, max(epsilons) + 0.02), ylim=(-4, 128), xlabel="ε", ylabel="% wrong")
    axes.legend(loc="upper left", ncols=2)
    return figure
