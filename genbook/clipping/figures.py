"""Drawings of the chapter on gradients that explode and vanish."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import fmean
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.clipping import bounds, cliff, outliers, rules
from genbook.clipping.characters import UNIFORM, Outcome
from genbook.clipping.penalty import RecallStep
from genbook.kit.device import seeded
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    SERIES,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.lstm import paths

REACH = 30
FLOOR, CEILING = 1e-12, 1e12
SQUASHES = {
    "tanh, γ = 1": bounds.TANH,
    "sigmoid, γ = ¼": bounds.SIGMOID,
    "none, γ = 1": bounds.LINEAR,
}
OPTIMISERS = ("SGD", "SGD with momentum", "RMSprop", "Adam")


def _log_axis(axes: Axes, low: float, high: float) -> None:
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.minorticks_off()


# Gradients through many steps


def reach(largest: float, squash: str, kind: str) -> Figure:
    r"""The gradient over k steps of a net of sixteen units, with both its bounds.

    Args:
        largest: largest singular value of the recurrent weights.
        squash: a key of :data:`SQUASHES`.
        kind: of the recurrent weights.

    Returns:
        One panel.
    """
    chosen = SQUASHES[squash]
    source = seeded(5)
    weight = bounds.with_largest(kind, 16, largest, source)
    drives = torch.randn(REACH, 16, generator=source, dtype=torch.float64)
    xs = bounds.states(weight, drives, drives[0], chosen)
    norms = paths.norms(bounds.products(weight, xs, chosen))
    upper = bounds.upper_bound(weight, REACH, chosen.gamma)
    lower = bounds.lower_bound(weight, xs, chosen)
    steps = np.arange(REACH + 1)
    figure, axes = subplots(width=7.0, height=2.6)
    lines = ((upper, INK, "--", "upper bound"), (norms, GRADIENT, "-", "gradient"))
    for values, color, style, label in (*lines, (lower, MUTED, ":", "lower bound")):
        shown = values.clamp(FLOOR / 10, CEILING * 10).numpy()
        axes.plot(steps, shown, color=color, linestyle=style, label=label)
    axes.axhline(1, color=MUTED, linewidth=0.6)
    _log_axis(axes, FLOOR, CEILING)
    axes.set(xlim=(0, REACH), xlabel="steps k", ylabel="norm of the k-step gradient")
    axes.legend(loc="upper left", ncols=3)
    rate = chosen.gamma * largest
    says = "must vanish" if rate < 1 else "may explode" if rate > 1 else "decides nothing"
    axes.set_title(f"γλ₁ = {rate:g}: {says}", loc="right")
    figure.set_label(f"γλ₁ = {rate:g}; after {REACH} steps the gradient is {norms[-1]:.1e}")
    return figure


def two_units(largest: float, degrees: float, slope: float) -> Figure:
    r"""The gradient of the two-unit net whose eigenvalue the angle sets.

    Args:
        largest: largest singular value.
        degrees: angle between the two directions of the weights.
        slope: of the second unit; the first has slope 1.

    Returns:
        Two panels: the step's matrix as arrows, the gradient over k steps.
    """
    weight = bounds.tilted(largest, degrees)
    slopes = torch.tensor([1.0, slope], dtype=torch.float64)
    norms = bounds.held_norms(weight, slopes, 20)
    radius = largest * math.cos(math.radians(degrees))
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.6, width_ratios=[1, 1.35])
    around = torch.linspace(0, 2 * math.pi, 73, dtype=torch.float64)
    circle = torch.stack([around.cos(), around.sin()])
    image = (weight * slopes) @ circle
    left.plot(*circle.numpy(), color=MUTED, linewidth=1)
    left.plot(*image.numpy(), color=GRADIENT)
    left.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="unit 1", ylabel="unit 2")
    left.set_title("where one step sends a circle")
    steps = np.arange(21)
    bound = bounds.upper_bound(weight, 20)
    eigen = torch.tensor(max(radius, 1e-9), dtype=torch.float64) ** torch.arange(21)
    curves = ((bound, INK, "--", "(γλ₁)ᵏ"), (norms, GRADIENT, "-", "gradient"))
    for values, color, style, label in (*curves, (eigen, MUTED, ":", "ρᵏ")):
        shown = values.clamp(1e-9, 1e9).numpy()
        right.plot(steps, shown, color=color, linestyle=style, label=label)
    _log_axis(right, 1e-8, 1e8)
    right.set(xlim=(0, 20), xlabel="steps k", title=f"λ₁ = {largest:g},  ρ = {radius:.2f}")
    right.legend(loc="upper left")
    last = "0" if norms[-1] < 1e-12 else f"{norms[-1]:.1e}"
    figure.set_label(f"λ₁ = {largest:g}, ρ = {radius:.2f}; after 20 steps the gradient is {last}")
    return figure


# The cliff


def cross_section(w: float, steps: int) -> Figure:
    r"""The cliff cut at one recurrent weight.

    Args:
        w: recurrent weight.
        steps: how many the unit takes.

    Returns:
        Two panels: the error over b, and its slope on a log axis with what theory says.
    """
    weight = torch.tensor(w, dtype=torch.float64)
    middle = cliff.wall(weight)
    near = torch.logspace(-9, math.log10(1.5), 60, dtype=torch.float64)
    away = torch.cat([-near.flip(0), torch.zeros(1, dtype=torch.float64), near])
    points = torch.stack([weight.expand(len(away)), middle + away], -1)
    errors, slope = cliff.gradient(points, steps)
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.6)
    left.plot(away, errors, color=MODEL)
    left.set(xlim=(-1.5, 1.5), ylim=(0, 0.5), xlabel="b − wall", title=f"error at w = {w:g}")
    right.plot(away, slope[:, 1].abs().clamp(1e-5, 1e9), color=GRADIENT)
    limit = 0.35 / (1 - w / 4) if w < 4 else 1e9
    right.axhline(limit, color=INK, linewidth=1, linestyle="--")
    _log_axis(right, 1e-4, 1e8)
    right.set(xlim=(-1.5, 1.5), xlabel="b − wall", title="its slope; dashed: the bound for w < 4")
    figure.set_label(f"w = {w:g}: the largest slope is {slope[:, 1].abs().max():.3g}")
    return figure


# Clipping


def two_rules(first: float, second: float) -> Figure:
    r"""One gradient of two components under both ways to clip it at 1.

    Args:
        first: first component.
        second: second component.

    Returns:
        One panel.
    """
    gradient = torch.tensor([first, second], dtype=torch.float64)
    by_norm, by_value = (rule([gradient], 1.0)[0] for rule in (rules.by_norm, rules.by_value))
    figure, axes = subplots(width=5.6, height=3.1)
    around = np.linspace(0, 2 * math.pi, 73)
    axes.plot(np.cos(around), np.sin(around), color=SERIES[0], linewidth=1)
    axes.plot([-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1], color=SERIES[3], linewidth=1)
    lines = (
        (gradient, GRADIENT, "-", "gradient"),
        (by_norm, SERIES[0], "-", "by norm"),
        (by_value, SERIES[3], "--", "by value"),
    )
    for arrow, color, style, label in lines:
        axes.plot([0, arrow[0]], [0, arrow[1]], color=color, linestyle=style, label=label)
        axes.plot([arrow[0]], [arrow[1]], "o", color=color)
    axes.set(xlim=(-4.2, 4.2), ylim=(-2.6, 2.6), aspect="equal")
    axes.legend(loc="upper left")
    angle = 0.0
    if bool(gradient.abs().max() > 0):
        angle = rules.turned([gradient], [by_value]).item()
    axes.set_title(f"by norm turns it by 0°, by value by {angle:.0f}°")
    figure.set_label(f"by value turns the gradient by {angle:.1f} degrees, by norm by 0")
    return figure


def recalled(runs: Mapping[str, Sequence[RecallStep]]) -> Figure:
    r"""Nets that learn to remember a sign, or don't.

    Args:
        runs: arm → its updates, for up to three arms.

    Returns:
        Two panels: the loss, and how much of the error reaches the first step.
    """
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.8)
    for (name, run), colour in zip(runs.items(), (MUTED, MODEL, SERIES[0]), strict=False):
        for axes, values in (
            (left, torch.stack([step.losses for step in run])),
            (right, torch.stack([step.reach for step in run])),
        ):
            for seed, line in enumerate(values.T):
                axes.plot(line[::3], color=colour, linewidth=1, label=None if seed else name)
    ticks = range(0, len(run) // 3 + 1, 10)
    for axes in (left, right):
        place_ticks(axes.xaxis, ticks, [str(3 * tick) for tick in ticks])
        axes.set_xlabel("update")
    left.axhline(math.log(2), color=INK, linewidth=1, linestyle=":")
    left.set(ylim=(0, 1.2), title="loss; dotted: a coin")
    left.legend(loc="upper right")
    _log_axis(right, 1e-8, 1e3)
    right.set_title("error that reaches step 1")
    return figure


# A rate for each layer


def _optimiser(name: str, rate: float) -> rules.Optimiser:
    makers: dict[str, rules.Optimiser] = {
        "SGD": lambda p: torch.optim.SGD(p, lr=rate),
        "SGD with momentum": lambda p: torch.optim.SGD(p, lr=rate, momentum=0.9),
        "RMSprop": lambda p: torch.optim.RMSprop(p, lr=rate),
        "Adam": lambda p: torch.optim.Adam(p, lr=rate),
    }
    return makers[name]


def _bowl(x: Tensor) -> Tensor:
    return (x[0] ** 2 + 6 * x[1] ** 2) / 2


@lru_cache(maxsize=128)
def _rate(name: str, power: float) -> float:
    start = torch.tensor([2.0, 1.0], dtype=torch.float64)
    return rules.effective_rate(_optimiser(name, 0.02), _bowl, start, 2.0**power)


def effective(power: float, optimiser: str) -> Figure:
    r"""What θ = λφ does to the rate of a real optimiser.

    Args:
        power: log₂ λ.
        optimiser: one of :data:`OPTIMISERS`.

    Returns:
        Two panels: the effective rate against λ; 30 steps down a bowl.
    """
    scale = 2.0**power
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.9)
    scales = 2.0 ** np.linspace(-2, 2, 17)
    left.plot(scales, scales**2, color=MUTED, linestyle="--", label="λ²")
    left.plot(scales, scales, color=MUTED, linestyle=":", label="λ")
    rates = [_rate(optimiser, float(p)) for p in np.linspace(-2, 2, 17)]
    left.plot(scales, rates, ".", color=GRADIENT, label="measured")
    left.plot([scale], [_rate(optimiser, power)], "o", color=MODEL, markersize=8)
    left.set_xscale("log", base=2)
    left.set_yscale("log", base=2)
    left.set(xlim=(0.22, 4.5), ylim=(0.05, 20), xlabel="λ", title="effective rate / rate")
    left.legend(loc="upper left")
    start = torch.tensor([2.0, 1.0], dtype=torch.float64)
    for s, color, style in ((1.0, MUTED, "-"), (scale, MODEL, "-")):
        walk = rules.path(_optimiser(optimiser, 0.02), _bowl, start, steps=30, scale=s)
        shown = walk.clamp(-2.6, 2.6).numpy()
        label = "θ itself" if s == 1.0 and color == MUTED else "θ = λφ"
        right.plot(*shown.T, color=color, linestyle=style, marker=".", markersize=3, label=label)
    for level in (0.5, 1.5, 3.0, 5.0):
        t = np.linspace(0, 2 * math.pi, 49)
        right.plot(
            math.sqrt(2 * level) * np.cos(t),
            math.sqrt(level / 3) * np.sin(t),
            color=MUTED,
            linewidth=0.5,
        )
    right.set(xlim=(-2.6, 2.6), ylim=(-1.6, 1.6), xlabel="θ₁", ylabel="θ₂", title="30 steps")
    right.legend(loc="lower left")
    ratio = _rate(optimiser, power)
    figure.set_label(f"λ = {scale:.3g}: {optimiser} moves {ratio:.3g} times as far")
    return figure


# Real text

CLIPPED, FREE = SERIES[0], SERIES[3]
MOMENTS = 40


def training(moment: int, found: Outcome) -> Figure:
    r"""Two runs of the character model up to a moment.

    Args:
        moment: 0 to :data:`MOMENTS` − 1.
        found: the run without clipping first, then the clipped one.

    Returns:
        Two panels: the loss; the length of the gradient before clipping.
    """
    total = len(found.losses)
    cuts = np.unique(np.linspace(0, total, 121).astype(int))
    upto = max(1, round((moment + 1) / MOMENTS * (len(cuts) - 1)))
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.6)
    names = ("no clipping", "clipped")
    for place, (name, color) in enumerate(zip(names, (FREE, CLIPPED), strict=True)):
        losses = _binned(found.losses[:, place], cuts, np.mean)[:upto]
        norms = _binned(found.norms[:, place], cuts, np.max)[:upto]
        left.plot(cuts[1 : upto + 1], np.clip(losses, 0, 40), color=color, label=name)
        right.plot(cuts[1 : upto + 1], np.clip(norms, 1e-2, 1e9), color=color, label=name)
    left.axhline(UNIFORM, color=MUTED, linewidth=0.8, linestyle="--")
    left.set(xlim=(0, total), xlabel="update", ylabel="bits a character")
    _log_axis(left, 2.5, 41)
    place_ticks(left.yaxis, [3, 5, 10, 20, 40], ["3", "5", "10", "20", "40"])
    left.legend(loc="center right")
    limit = found.arms[1].threshold
    right.axhline(limit, color=CLIPPED, linewidth=0.8, linestyle="--")
    _log_axis(right, 0.1, 1e9)
    right.set(xlim=(0, total), xlabel="update", title="longest gradient of ten updates")
    free, held = (_binned(found.losses[:, i], cuts, np.mean)[upto - 1] for i in (0, 1))
    figure.set_label(f"bits a character: {free:.1f} without bounds, {held:.1f} with it")
    return figure


def _binned(values: Tensor, cuts: np.ndarray, how: Callable[[np.ndarray], float]) -> np.ndarray:
    parts = (values[a:b].nan_to_num(posinf=1e30).numpy() for a, b in pairwise(cuts))
    return np.array([how(part) for part in parts])


def recorded(rows: Sequence[Mapping[str, Any]]) -> Figure:
    r"""All seeds of the recorded study: bits a character against the threshold.

    Args:
        rows: of the study, at the large starting weights.

    Returns:
        One panel a rate.
    """
    rates = sorted({float(row["rate"]) for row in rows})
    factors = sorted({float(row["factor"]) for row in rows} - {0.0})
    places = {factor: place for place, factor in enumerate([*factors, 0.0])}
    figure, panels = subplots(1, len(rates), width=7.6, height=2.7, sharey=True)
    for panel, rate in zip(panels, rates, strict=True):
        for row in rows:
            if row["rate"] == rate:
                place, color = places[row["factor"]], FREE if row["diverged"] else CLIPPED
                shift = 0.08 * (int(row["seed"]) - 2)
                panel.plot([place + shift], [min(float(row["bits"]), 60)], ".", color=color)
        panel.axhline(UNIFORM, color=MUTED, linewidth=0.8, linestyle="--")
        place_ticks(
            panel.xaxis, range(len(places)), [*(f"{f:g}" for f in factors), "none"], fontsize=8
        )
        panel.set(title=f"rate {rate:g}", xlabel="threshold / average norm")
        _log_axis(panel, 2.8, 70)
        place_ticks(panel.yaxis, [3, 5, 10, 20, 40], ["3", "5", "10", "20", "40"])
    panels[0].set_ylabel("bits a character")
    return figure


def best(rows: Sequence[Mapping[str, Any]], factor: float) -> tuple[float, float]:
    r"""The lowest bits a character of each seed over the rates, as a mean over the seeds.

    Like is compared with like: on either side one run a rate.

    Args:
        rows: of the study.
        factor: the threshold of the clipped runs, in average norms.

    Returns:
        Without clipping, and with it.

    Raises:
        ValueError: if a seed has no clipped run, or not as many as runs without clipping.
    """
    seeds = sorted({row["seed"] for row in rows})
    runs = [
        [
            [row["bits"] for row in rows if row["seed"] == seed and row["factor"] == here]
            for seed in seeds
        ]
        for here in (0.0, factor)
    ]
    if not seeds or any(not (len(a) == len(b) > 0) for a, b in zip(*runs, strict=True)):
        raise ValueError(
            f"expected each seed to have as many runs clipped at {factor:g} as runs without, got "
            f"{[len(run) for run in runs[1]]} and {[len(run) for run in runs[0]]}"
        )
    free, clipped = (fmean(map(min, side)) for side in runs)
    return free, clipped


def way_back(factor: float) -> Figure:
    r"""The gradient on its way back through six steps, as thick as what is left of it.

    Args:
        factor: what one step multiplies a gradient by.
    """
    steps = 6
    boxes = [Box(f"x{k}", 1.25 * k, 0, f"x{k}", width=0.7) for k in range(steps + 1)]
    boxes.append(Box("loss", 1.25 * steps, 1.15, "loss", CRITIC, 1.0))
    left = [factor ** (steps - k) for k in range(steps)]
    thick = [min(1.0, share / 4) for share in left]
    wires = [Wire(f"x{k}", f"x{k + 1}", share=0.05) for k in range(steps)]
    wires += [
        Wire(f"x{k + 1}", f"x{k}", f"{value:.2g}", share, 0.9, GRADIENT, lift=-0.2)
        for k, (value, share) in enumerate(zip(left, thick, strict=True))
    ]
    wires.append(Wire(f"x{steps}", "loss", share=0.05))
    return schematic(boxes, wires, width=6.0, height=1.7)


def spike(log_size: float, second: float) -> Figure:
    r"""Adam's steps around one long gradient, with and without clipping it.

    Args:
        log_size: log₁₀ of the spike's length, in usual gradients.
        second: β₂.

    Returns:
        One panel, on a log scale.
    """
    size, betas = 10.0**log_size, (0.9, second)
    late = list(range(0, 3001, 3))
    figure, axes = subplots(width=5.2, height=2.7)
    paces = [outliers.pace(n, size, betas=betas) for n in late]
    axes.plot([-300, 0], [1, 1], color=MODEL)
    axes.plot(late, paces, color=MODEL)
    axes.plot([-300, 3000], [1, 1], color=DATA, linestyle="--")
    axes.text(2950, 2.6, "clipped at 1", color=DATA, ha="right", fontsize=9)
    axes.text(2950, 1.3, "not clipped", color=MODEL, ha="right", fontsize=9)
    axes.set(xlim=(-300, 3000), ylim=(0.01, 5), yscale="log", xlabel="steps after the spike")
    axes.set_title("length of Adam's step over its rate")
    slow = outliers.stall(size, betas=betas)
    figure.set_label(
        f"A gradient {size:,.0f} times as long: the steps are back at half their pace after "
        f"{slow:,} steps; the spike's own step is {outliers.pace(0, size, betas=betas):.2f} rates"
    )
    return figure
