"""Drawings of the chapter on mode collapse."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.collapse import causes, limits
from genbook.collapse.remedies import GRID, Benchmark
from genbook.kit import data
from genbook.kit.packing import unpack_points
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    MODEL,
    MUTED,
    SERIES,
    image_grid,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.kit.studies import Row


def _cloud(axes: Axes, points: Tensor, centres: Tensor, reach: float, size: float = 5) -> None:
    """Centres under samples, in a square frame without ticks."""
    axes.plot(*centres.T, "o", color=DATA, markersize=size, alpha=0.35, linewidth=0)
    inside = points[points.isfinite().all(-1)].clamp(-reach, reach)
    axes.plot(*inside.T, ".", color=MODEL, markersize=2.6)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")


def percent(share: float) -> str:
    r"""A share as it stands in the text.

    Args:
        share: between 0 and 1.

    Returns:
        With one decimal and a sign.
    """
    return f"{100 * share:.1f} %"


SHOWN = (1, 2, 3, 4, 5, 7)
"""The moments of a recorded run that can be scrubbed to."""

# --- Scrubbing through a recorded run -----------------------------------------------------------


def scrubber(rows: Sequence[Row], points: int = 45) -> Callable[..., Figure]:
    r"""What draws a recorded run at one of its moments.

    Args:
        rows: of the study ``collapse_grid``.
        points: samples to draw.

    Returns:
        A function of the method, the seed and the number of the moment.
    """
    runs: dict[tuple[object, object], list[Row]] = {}
    for row in rows:
        runs.setdefault((row["method"], row["seed"]), []).append(row)

    def draw(method: str, seed: int, moment: int) -> Figure:
        run = runs[method, seed]
        return _moment(run, run[min(SHOWN[moment], len(run) - 1)], points)

    return draw


def _moment(run: Sequence[Row], now: Row, points: int) -> Figure:
    figure, (left, right) = subplots(1, 2, width=7.2, height=3.3, width_ratios=[1, 1.1])
    _cloud(left, unpack_points(str(now["points"]))[:points], GRID.centres, GRID.reach)
    times = [int(row["iteration"]) for row in run]
    for key, color, scale in (("modes", DATA, 4.0), ("good", MODEL, 100.0)):
        heights = [scale * float(row[key]) for row in run]
        right.plot(times, heights, color=color, label=key if key == "modes" else "good samples")
        right.plot([now["iteration"]], [scale * float(now[key])], "o", color=color)
    # the band above 100 % is the legend's: no line can reach it
    right.set(xlim=(0, times[-1] * 1.03), ylim=(-3, 126), xlabel="iteration", ylabel="%")
    place_ticks(right.yaxis, range(0, 101, 20))
    right.legend(loc="upper left", ncols=2)
    left.set_title(f"iteration {now['iteration']}")
    said = f"{now['modes']} of 25 modes, {percent(float(now['good']))} good"
    right.set_title(said)
    figure.set_label(f"{now['method']}, seed {now['seed']}, iteration {now['iteration']}: {said}")
    return figure


# --- Why ---------------------------------------------------------------------------------------

STALE_STEPS, STALE_RATE = 60, 0.15


def stale(refresh: int, begin: float) -> Figure:
    r"""The width of a Gaussian generator against a critic that is renewed now and then.

    Args:
        refresh: generator steps between two renewals.
        begin: width at the start.

    Returns:
        Two panels: the width step by step; data and fakes at the end.
    """
    path = causes.stale(begin, STALE_RATE, refresh, STALE_STEPS)
    figure, (left, right) = subplots(1, 2, width=7.2, height=2.8, width_ratios=[1.5, 1])
    left.axhline(1, color=DATA, linestyle="--", label="data")
    left.plot(path.clamp(0.02, 20), color=MODEL, label="generator")
    left.set(xlim=(0, STALE_STEPS), ylim=(0.02, 20), yscale="log", xlabel="generator step")
    left.set_title("width σ")
    left.legend(loc="lower left")
    x = torch.linspace(-4, 4, 81)
    for width, color in ((1.0, DATA), (float(path[-1].clamp(0.05, 50)), MODEL)):
        density = (-0.5 * (x / width) ** 2).exp() / (width * math.sqrt(2 * math.pi))
        right.plot(x, density.clamp(0, 1.2), color=color)
    right.set(xlim=(-4, 4), ylim=(0, 1.2), xlabel="x", title=f"after {STALE_STEPS} steps")
    low, high = float(path.min()), float(path.max())
    figure.set_label(
        f"critic renewed every {refresh} steps: σ between {low:.3g} and {high:.3g}, "
        f"ends at {float(path[-1]):.3g}"
    )
    return figure


def packing(kept: int, packed: int) -> Figure:
    r"""What a critic of m samples sees of lost modes, beside two other ways to be as wrong.

    Args:
        kept: of ten equal modes.
        packed: m.

    Returns:
        Two panels: the three generators' histograms; total variation against m.
    """
    p = torch.full((10,), 0.1, dtype=torch.float64)
    lost, uneven = forgetful(kept), lopsided(kept)
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.8, width_ratios=[1.2, 1])
    share = 1 - kept / 10
    bars = (
        ("forgets", MODEL, [*lost.tolist(), 0.0]),
        ("lopsided", SERIES[0], [*uneven.tolist(), 0.0]),
        ("adds junk", SERIES[2], [(1 - share) / 10] * 10 + [share]),
    )
    for place, (label, color, heights) in enumerate(bars):
        at = [k + 0.27 * (place - 1) for k in range(11)]
        left.bar(at, heights, width=0.25, color=color, label=label)
    left.plot([-0.5, 9.5], [0.1, 0.1], color=DATA, linestyle="--")
    left.set(xlim=(-0.6, 10.6), ylim=(0, 0.52), xlabel="mode")
    place_ticks(left.xaxis, range(11), [*map(str, range(10)), "junk"])
    left.legend(loc="upper left")
    left.set_title(f"TV of one sample: {limits.packed_tv(p, lost, 1):.2f} for all")
    sizes = range(1, 9)
    curves = (
        ([seen_together(lost, m) for m in sizes], MODEL, "-"),
        ([seen_together(uneven, m) for m in sizes], SERIES[0], "-"),
        ([junk_together(kept, m) for m in sizes], SERIES[2], ":"),
    )
    for heights, color, style in curves:
        right.plot(sizes, heights, color=color, linestyle=style, linewidth=2)
        right.plot([packed], [heights[packed - 1]], "o", color=color)
    right.set(xlim=(0.8, 8.2), ylim=(0, 1), xlabel="samples that the critic sees together, m")
    seen = [heights[packed - 1] for heights, _, _ in curves]
    right.set_title(f"total variation: {seen[0]:.2f}, {seen[1]:.2f}, {seen[2]:.2f}")
    figure.set_label(
        f"{kept} of 10 modes kept, m = {packed}: total variation {seen[0]:.2f} for the forgetful "
        f"generator, {seen[1]:.2f} for the lopsided one, {seen[2]:.2f} for the one with junk"
    )
    return figure


def forgetful(kept: int) -> Tensor:
    r"""A generator of ten equal modes that keeps some.

    Args:
        kept: how many.

    Returns:
        Probabilities, **[10]**.
    """
    q = torch.zeros(10, dtype=torch.float64)
    q[:kept] = 1 / kept
    return q


def lopsided(kept: int) -> Tensor:
    r"""A generator as far from uniform as :func:`forgetful` in total variation, with all modes.

    Args:
        kept: of the forgetful one.

    Returns:
        Probabilities, **[10]**: five modes too likely, five too rare; none is lost for k > 5.
    """
    shift = min(1 - kept / 10, 0.5) / 5
    return torch.tensor([0.1 + shift] * 5 + [0.1 - shift] * 5, dtype=torch.float64)


def seen_together(q: Tensor, packed: int) -> float:
    r"""Total variation of m samples against equal modes.

    Modes of one probability are counted as one cell, which changes nothing and saves much.

    Args:
        q: probabilities, **[K]**.
        packed: m.

    Returns:
        A number in [0, 1].
    """
    values, where = q.unique(return_inverse=True)
    share = torch.bincount(where).double()
    return limits.packed_tv(share / len(q), share * values, packed)


def junk_together(kept: int, packed: int) -> float:
    r"""Total variation of m samples of a generator with all modes and junk against the data.

    The data are one cell, the places without data another, which changes nothing.

    Args:
        kept: of ten modes, in a forgetful generator that is as far away: a share 1 − k/10 is junk.
        packed: m.

    Returns:
        A number in [0, 1].
    """
    data, fakes = torch.tensor([[1.0, 0.0], [kept / 10, 1 - kept / 10]], dtype=torch.float64)
    return limits.packed_tv(data, fakes, packed)


def unrolling(rows: Sequence[Row]) -> Callable[..., Figure]:
    r"""What draws the bilinear game beside the recorded ring.

    Args:
        rows: of the study ``collapse_unroll``.

    Returns:
        A function of K and the seed.
    """

    def draw(unroll: int, seed: int) -> Figure:
        figure, (left, middle, right) = subplots(1, 3, width=8.6, height=2.9)
        path = causes.bilinear(unroll).clamp(-2.4, 2.4)
        left.plot(path[:, 0], path[:, 1], color=MODEL, linewidth=1.2)
        left.plot([0], [0], "*", color=CRITIC, markersize=9)
        left.plot([path[-1, 0]], [path[-1, 1]], "o", color=MODEL)
        left.set(xlim=(-2.5, 2.5), ylim=(-2.5, 2.5), xlabel="x", ylabel="y", title="min max xy")
        chosen = [row for row in rows if row["unroll"] == unroll]
        times = sorted({int(row["iteration"]) for row in chosen})
        for each in sorted({int(row["seed"]) for row in chosen}, key=lambda s: s == seed):
            counts = [int(row["modes"]) for row in chosen if row["seed"] == each]
            here = each == seed
            middle.plot(times, counts, color=MODEL if here else MUTED, linewidth=2 if here else 0.8)
        middle.set(xlim=(0, times[-1]), ylim=(-0.3, 8.5), xlabel="iteration", title="modes of 8")
        end = [row for row in chosen if row["iteration"] == times[-1]]
        mine = next(row for row in end if row["seed"] == seed)
        _cloud(right, unpack_points(str(mine["points"])), data.ring_centres(), 1.7)
        right.set_title(f"seed {seed}: {mine['modes']} modes")
        mean = sum(int(row["modes"]) for row in end) / len(end)
        figure.set_label(
            f"{unroll} steps ahead: the bilinear game ends at distance "
            f"{float(causes.bilinear(unroll)[-1].norm()):.2g}; ring, seed {seed}: "
            f"{mine['modes']} modes, mean of the seeds {mean:.1f}"
        )
        return figure

    return draw


# --- Pictures ----------------------------------------------------------------------------------


def gallery(runs: Sequence[tuple[str, Tensor]], benchmark: Benchmark, columns: int = 4) -> Figure:
    r"""Samples of runs side by side.

    Args:
        runs: a title and samples **[n, 2]** each.
        benchmark: the data.
        columns: panels in a row.

    Returns:
        As many panels as runs.
    """
    lines = -(-len(runs) // columns)
    figure, panels = subplots(lines, columns, width=7.4, height=2.1 * lines, squeeze=False)
    for axes, run in zip(panels.flat, [*runs, *[None] * (lines * columns)], strict=False):
        if run is None:
            axes.set_axis_off()
            continue
        _cloud(axes, run[1], benchmark.centres, benchmark.reach, size=4)
        axes.set_title(run[0], fontsize=8.5)
    return figure


def read_digits(
    drawn: Mapping[str, Tensor], counts: Mapping[str, Tensor], side: int, shown: int = 12
) -> Figure:
    r"""Generated digits, and what a classifier reads.

    Args:
        drawn: title → flat images **[n, d]**.
        counts: title → how many are read as each digit, **[10]**.
        side: pixels of an edge.
        shown: images in a row.

    Returns:
        Two panels a title.
    """
    figure, panels = subplots(
        len(drawn), 2, width=7.4, height=1.25 * len(drawn), squeeze=False, width_ratios=[2.2, 1]
    )
    for (title, images), (left, right) in zip(drawn.items(), panels, strict=True):
        tiles = torch.nan_to_num(images[:shown]).reshape(-1, side, side)
        image_grid(left, tiles, columns=shown)
        left.set_title(title, fontsize=8.5)
        share = counts[title].double() / counts[title].sum()
        right.axhline(0.1, color=DATA, linestyle="--", linewidth=1)
        right.bar(range(10), share.tolist(), color=MODEL)
        right.set(ylim=(0, 1), xticks=range(10), yticks=[0, 1])
    return figure


def packs() -> Figure:
    r"""One sample cannot show what is missing; a pack of them can."""
    return schematic(
        [
            Box("g", 0, 0, "generator", MODEL, 1.4),
            Box("one", 2.6, 0.7, "one sample:\nfine by itself", MODEL, 1.8, 0.8, framed=False),
            Box("pack", 2.6, -0.9, "m samples:\nall of one mode", MODEL, 1.8, 0.8, framed=False),
            Box("d1", 5.4, 0.7, "D: real?", CRITIC, 1.5),
            Box("dm", 5.4, -0.9, "D: too alike", CRITIC, 1.5),
        ],
        [
            Wire("g", "one", colour=MODEL, share=0.1),
            Wire("g", "pack", colour=MODEL, share=0.6),
            Wire("one", "d1", share=0.1),
            Wire("pack", "dm", share=0.6),
            Wire("dm", "g", "spread", colour=GRADIENT, dashed=True, bend=0.35, lift=-0.17),
        ],
        width=5.4,
        height=2.3,
    )
