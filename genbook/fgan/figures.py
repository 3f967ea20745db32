"""Drawings of the chapter on f-GANs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import MixtureSameFamily, Normal

from genbook.divergences import densities
from genbook.divergences.densities import grid
from genbook.fgan import conjugates, signals
from genbook.games.duality import GAN, KL, REVERSE_KL, TABLE, ConvexFunction
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    SERIES,
    image_grid,
    numeral,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.kit.studies import Row

NAMES = [convex.name for convex in TABLE]
LABELS = {
    "Jensen–Shannon": "JS (times 2)",
    "squared Hellinger": "sq. Hellinger",
    "total variation": "total var.",
}
MEASURED_AT = 2.0
FLOOR = -4.0


# --- The tangent ------------------------------------------------------------------------------


def tangent(name: str, t: float) -> Figure:
    r"""The line of slope t that supports f from below, and the conjugate it stands for.

    Args:
        name: a row of the table.
        t: the slope.

    Returns:
        Two panels: f* against t; f with the line.
    """
    convex, slope = conjugates.row(name), torch.tensor(t, dtype=torch.float64)
    value = float(convex.conjugate(slope))
    figure, (left, right) = subplots(1, 2, width=7.6, height=3.0, width_ratios=[1, 1.25])
    _conjugate_panel(left, convex, t, value)
    u = grid(0.005, 3, 120)
    right.plot(u, convex.f(u).clamp(FLOOR - 1, 4), color=INK)
    inside, start = math.isfinite(value), _start(convex, t, value)
    right.plot([0, 3], [start, start + 3 * t], color=CRITIC, linestyle="-" if inside else "--")
    shown = FLOOR if not inside and t >= convex.domain[1] else start
    right.plot([0], [max(shown, FLOOR)], "s", color=CRITIC, clip_on=False)
    top = float(convex.f(torch.tensor(MEASURED_AT, dtype=torch.float64)))
    foot = start + MEASURED_AT * t if inside else top
    right.plot([MEASURED_AT] * 2, [max(foot, FLOOR), top], color=SERIES[3], linewidth=2.5)
    right.set(xlim=(0, 3), ylim=(FLOOR, 3), xlabel="density ratio u")
    title = f"starts at −f*(t) = {numeral(-value)}; gap at u = 2: {numeral(top - foot)}"
    if not inside:
        below = t < convex.domain[0]
        title = "the table stops at t = −½" if below else "no line of this slope stays below f"
    right.set_title(title)
    figure.set_label(f"{name}, slope {numeral(t)}: {title}")
    return figure


def _start(convex: ConvexFunction, t: float, value: float) -> float:
    """Where the drawn line meets the axis; outside the table's domain, a line to look at."""
    if math.isfinite(value):
        return -value
    if t < convex.domain[0]:
        return float(convex.f(torch.zeros((), dtype=torch.float64)))
    return convex.at_one - 1 - t


def _conjugate_panel(axes: Axes, convex: ConvexFunction, t: float, value: float) -> None:
    slopes = grid(-3, 2, 101)
    low, high = (max(convex.domain[0], -3.0), min(convex.domain[1], 2.0))
    heights = convex.conjugate(slopes)
    shown = torch.where(heights.isfinite(), heights.clamp(-3, 5), math.nan)
    axes.axvspan(low, high, color=CRITIC, alpha=0.1, linewidth=0)
    axes.plot(slopes, shown, color=CRITIC)
    height = -_start(convex, t, value) if t < convex.domain[0] else value
    axes.plot([t], [min(max(height, -2.5), 4)], "o", color=CRITIC, clip_on=False)
    text = f"= {numeral(value)}" if math.isfinite(value) else "= ∞"
    title = f"f*({numeral(t)}) {'is not in the table' if t < convex.domain[0] else text}"
    axes.set(xlim=(-3, 2), ylim=(-2.5, 4), xlabel="slope t", title=title)


# --- The sag ----------------------------------------------------------------------------------

SHAPES = ("shift", "tilt", "bump")


@lru_cache(maxsize=1)
def _pair() -> tuple[MixtureSameFamily, Normal]:
    p = densities.mixture(
        torch.tensor([0.6, 0.4], dtype=torch.float64),
        torch.tensor([-1.0, 1.2], dtype=torch.float64),
        torch.tensor([0.8, 0.8], dtype=torch.float64),
    )
    return p, Normal(torch.tensor(0.2, dtype=torch.float64), 1.0)


def pair_log_densities(x: Tensor) -> tuple[Tensor, Tensor]:
    r"""The p and q of the explorable on the sag.

    Args:
        x: points, shape ``[n]``.

    Returns:
        Log-densities, both ``[n]``.
    """
    p, q = _pair()
    return p.log_prob(x), q.log_prob(x)


def basis(x: Tensor) -> Tensor:
    r"""Six smooth bounded functions, to mix random critics from.

    Args:
        x: points, shape ``[n]``.

    Returns:
        Shape ``[6, n]``.
    """
    waves = [torch.sin(k * x / 2 + k) for k in range(1, 5)]
    return torch.stack([*waves, torch.tanh(x), torch.ones_like(x)])


def _bent(convex: ConvexFunction, shape: str, amount: float, x: Tensor, ell: Tensor) -> Tensor:
    bend = {"shift": torch.ones_like(x), "tilt": x / 3, "bump": torch.exp(-2 * x.square())}[shape]
    if convex.name == "total variation":  # V* is ±∞ and cannot be moved: bend T* itself
        return (conjugates.best_critic(convex, ell) + amount * bend).clamp(-0.5, 0.5)
    return convex.activation(conjugates.raw_critic(convex, ell) + amount * bend)


@lru_cache(maxsize=64)
def _shares(name: str, shape: str) -> tuple[list[float], float]:
    convex, x = conjugates.row(name), grid(-9, 9, 901)
    p, q = _pair()
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    most = float(conjugates.divergence_on_grid(convex, log_p, log_q, x)) - convex.at_one
    values = []
    for amount in np.linspace(-1, 1, 25):
        t = _bent(convex, shape, float(amount), x, log_p - log_q)
        values.append(1 - float(conjugates.sag_on_grid(convex, t, log_p, log_q, x)) / most)
    return values, most


def sag(name: str, shape: str, amount: float) -> Figure:
    r"""A critic that is not the best, and what its bound loses.

    Args:
        name: a row of the table.
        shape: how the network's output is bent away from the best one.
        amount: how far.

    Returns:
        Three panels: the critics; where the loss arises; the bound against the amount.
    """
    convex, x = conjugates.row(name), grid(-4, 4, 81)
    p, q = _pair()
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    ell = log_p - log_q
    best, t = (_bent(convex, shape, size, x, ell) for size in (0.0, amount))
    gap = log_q.exp() * conjugates.fenchel_young(convex, ell.exp(), t)
    shares, most = _shares(name, shape)
    at = round((amount + 1) * 12)
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.8)
    left.plot(x, best.clamp(-5, 4), color=MUTED, linestyle="--", label="T*")
    left.plot(x, t.clamp(-5, 4), color=CRITIC, label="T")
    left.set(xlim=(-4, 4), ylim=(-4, 3), xlabel="x", title="critics")
    left.legend(loc="lower right")
    middle.plot(x, log_p.exp(), color=DATA, linewidth=1, label="p")
    middle.plot(x, log_q.exp(), color=MODEL, linewidth=1, label="q")
    middle.fill_between(x, gap.clamp(0, 0.6), color=CRITIC, alpha=0.35, linewidth=0)
    lost = (1 - shares[at]) * most
    middle.set(xlim=(-4, 4), ylim=(0, 0.6), xlabel="x", title=f"what is lost: {lost:.3f}")
    middle.legend(loc="upper right")
    right.plot(np.linspace(-1, 1, 25), np.clip(shares, -3, 1.2), color=CRITIC)
    right.plot([amount], [max(shares[at], -0.95)], "o", color=CRITIC)
    right.axhline(1, color=MUTED, linestyle="--")
    right.set(xlim=(-1.1, 1.1), ylim=(-1, 1.2), xlabel="amount")
    right.set_title(f"bound / divergence: {numeral(shares[at])}")
    figure.set_label(f"{name}, {shape} by {numeral(amount)}: the bound loses {lost:.3f}")
    return figure


# --- What blows up ----------------------------------------------------------------------------


def blow_up(name: str, exponent: float) -> Figure:
    r"""The best critic and both pulls on the generator, for all rows, at one density ratio.

    Args:
        name: the row to stand out.
        exponent: log10 of the ratio u = p/q.

    Returns:
        Three panels: f'(u) of all rows; minimax factors; practical factors.
    """
    powers = grid(-3, 3, 61)
    ratio = torch.tensor(10.0**exponent, dtype=torch.float64)
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=3.1, width_ratios=[0.9, 1, 1])
    for convex in sorted(TABLE, key=lambda convex: convex.name == name):
        chosen = convex.name == name
        left.plot(
            powers,
            convex.derivative(10**powers).clamp(-7, 7),
            color=CRITIC if chosen else MUTED,
            linewidth=2.4 if chosen else 0.7,
        )
    value = float(conjugates.row(name).derivative(ratio))
    left.plot([exponent], [min(max(value, -6), 6)], "o", color=CRITIC, clip_on=False)
    left.set(xlim=(-3, 3), ylim=(-6, 6), xlabel="log10 u", title=f"T* = {_short(value)}")
    pulls = [signals.signals(convex, ratio) for convex in TABLE]
    for axes, title, heights in (
        (middle, "u² f″(u): minimax", [float(pull.minimax) for pull in pulls]),
        (right, "u f″(u): practical", [float(pull.practical) for pull in pulls]),
    ):
        _pull_bars(axes, heights, name)
        axes.set_title(title)
    figure.set_label(
        f"u = {10.0**exponent:.3g}, {name}: T* = {_short(value)}, minimax factor "
        f"{float(pulls[NAMES.index(name)].minimax):.3g}, practical factor "
        f"{float(pulls[NAMES.index(name)].practical):.3g}"
    )
    return figure


def _short(value: float) -> str:
    return (f"{value:.2f}" if abs(value) < 100 else f"{value:.1e}").replace("-", "−")


def _pull_bars(axes: Axes, heights: Sequence[float], name: str) -> None:
    lengths = [min(max(math.log10(max(h, 1e-9)), -4), 4) + 4 for h in heights]
    colors = [GRADIENT if n == name else MUTED for n in NAMES]
    axes.barh(range(9)[::-1], lengths, color=colors, height=0.6)
    axes.axvline(4, color=INK, linewidth=0.8)
    place_ticks(axes.xaxis, [0, 2, 4, 6, 8], ["≤ 10⁻⁴", "10⁻²", "1", "10²", "≥ 10⁴"], fontsize=7)
    axes.set(xlim=(0, 8.2), ylim=(-0.6, 8.6))
    place_ticks(axes.yaxis, range(9)[::-1], [LABELS.get(n, n) for n in NAMES], fontsize=7)
    axes.grid(False, axis="y")


def parting(generator: torch.Generator) -> Figure:
    r"""Gradient for the mean of q = N(d, 1) against p = N(0, 1), exact and in batches.

    Args:
        generator: draws the batches of 1024.

    Returns:
        Three panels, one a row of the table.
    """
    distances = np.linspace(0.5, 8, 16)
    x = grid(-25, 33, 2901)
    log_p = Normal(0.0, 1.0).log_prob(x)
    figure, panels = subplots(1, 3, width=8.4, height=2.8, sharey=True)
    for axes, convex in zip(panels, (KL, GAN, REVERSE_KL), strict=True):
        for practical, color, label in ((False, MODEL, "minimax"), (True, GRADIENT, "practical")):
            exact, seen = [], []
            for distance in distances:
                theta = torch.tensor([distance, 0.0], dtype=torch.float64)
                pull = signals.expected_gradient(convex, log_p, theta, x, practical=practical)
                batch = signals.batch_gradients(
                    convex,
                    float(distance),
                    batches=20,
                    size=1024,
                    generator=generator,
                    practical=practical,
                )
                exact.append(float(pull[0]))
                seen.append(batch.quantile(torch.tensor([0.05, 0.5, 0.95], dtype=torch.float64)))
            band = torch.stack(seen).clamp(1e-9, 1e9)
            axes.fill_between(distances, band[:, 0], band[:, 2], color=color, alpha=0.25, lw=0)
            axes.plot(distances, band[:, 1], color=color, label=label)
            axes.plot(distances, np.clip(exact, 1e-9, 1e9), color=color, linestyle=":")
        axes.set(xlim=(0, 8), ylim=(1e-7, 1e7), yscale="log", xlabel="distance d")
        axes.set_title(convex.name)
    panels[0].set_ylabel("gradient for the mean")
    panels[0].legend(loc="upper left")
    return figure


# --- Training ---------------------------------------------------------------------------------


def training(rows: Sequence[Row], game: str, step: int) -> Figure:
    r"""A recorded run of the univariate experiment at one moment.

    Args:
        rows: of the study ``fgan_univariate``.
        game: which game.
        step: number of the moment, from 0.

    Returns:
        Two panels: p and the q of each seed; the learned bound and the true divergence.
    """
    x = grid(-4, 7, 90)
    mine = [row for row in rows if row["game"] == game]
    times = sorted({int(row["iteration"]) for row in mine})[1::2]
    now = times[min(step, len(times) - 1)]
    figure, (left, right) = subplots(1, 2, width=7.8, height=2.8, width_ratios=[1.3, 1])
    left.fill_between(
        x, densities.fgan_mixture().log_prob(x).exp(), color=DATA, alpha=0.2, linewidth=0
    )
    for row in mine:
        if row["iteration"] == now and int(row["seed"]) < 3:
            q = Normal(float(row["mu"]), float(row["sigma"]))
            left.plot(x, q.log_prob(x).exp(), color=MODEL, linewidth=1.2)
    left.set(xlim=(-4, 7), ylim=(0, 0.55), xlabel="x", title=f"p and three q, step {now}")
    means = {key: [_mean(mine, key, at) for at in times] for key in ("divergence", "bound")}
    for key, color in (("divergence", MODEL), ("bound", CRITIC)):
        right.plot(times, np.clip(means[key], 0, 1.5), color=color, label=key)
        value = means[key][times.index(now)]
        right.plot([now], [min(max(value, 0), 1.5)], "o", color=color)
    right.set(xlim=(0, 1.03 * times[-1]), ylim=(0, 1.5), xlabel="step", title="mean of five seeds")
    place_ticks(right.xaxis, [0, 2000, 4000, 6000, 8000])
    right.legend(loc="upper right")
    return figure


def _mean(rows: Sequence[Row], key: str, iteration: int) -> float:
    values = [float(row[key]) for row in rows if row["iteration"] == iteration]
    return sum(values) / len(values)


def clouds(samples: Mapping[str, Tensor], centres: Tensor) -> Figure:
    r"""Samples of planar generators, a column a game, a row a seed.

    Args:
        samples: title → **[S, n, 2]**; the first 160 of each seed are drawn.
        centres: of the data's modes, **[K, 2]**.

    Returns:
        S × len(samples) panels.
    """
    count = len(next(iter(samples.values())))
    figure, panels = subplots(
        count, len(samples), width=1.7 * len(samples), height=1.6 * count, squeeze=False
    )
    for column, (title, drawn) in enumerate(samples.items()):
        for line, points in enumerate(drawn):
            axes = panels[line][column]
            axes.plot(*centres.T, "o", color=DATA, markersize=7, alpha=0.3)
            shown = points[:160].clamp(-4, 4)
            axes.plot(*shown.T, ".", color=MODEL, markersize=2)
            axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[], aspect="equal")
        panels[0][column].set_title(title, fontsize=8.5)
    return figure


def drawn_images(samples: Mapping[str, Tensor]) -> Figure:
    r"""Rows of generated images, one a game.

    Args:
        samples: title → **[n, H, W]** in [0, 1].

    Returns:
        A panel a game.
    """
    figure, panels = subplots(len(samples), 1, width=7.0, height=0.95 * len(samples), squeeze=False)
    for axes, (title, images) in zip(panels[:, 0], samples.items(), strict=True):
        image_grid(axes, torch.nan_to_num(images), columns=len(images))
        axes.set_title(title, fontsize=8.5)
    return figure


def machinery() -> Figure:
    r"""One convex f gives the divergence, and by its conjugate the game."""
    return schematic(
        [
            Box("f", 0, 1.5, "convex f", SERIES[0], 1.3),
            Box("star", 0, 0, "conjugate f*", SERIES[0], 1.5),
            Box("df", 5.9, 1.5, "D_f(p‖q)", width=1.4),
            Box("t", 2.5, 0, "critic T of data\nand of fakes", CRITIC, 1.7, 0.8),
            Box("b", 5.9, 0, "bound", width=1.4),
        ],
        [
            Wire("f", "df", "average of f(p/q) over q", lift=0.2),
            Wire("f", "star", "supporting\nlines", shift=0.75, lift=0.0),
            Wire("star", "t"),
            Wire("t", "b", "E T − E f*(T)", lift=0.22, shift=0.1),
            Wire("b", "df", "≤, equal for\nthe best T", shift=0.85, lift=0.0),
        ],
        width=5.6,
        height=2.1,
    )
