"""Drawings of the chapter on Wasserstein GANs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.kit.device import seeded
from genbook.kit.packing import unpack_images, unpack_surface
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
from genbook.kit.seeds import Streams
from genbook.kit.studies import Row
from genbook.wgan import contests, critics, dirac, empirical, sinkhorn, transport

BINS = 16
HEAPS = ("one heap", "two heaps", "a plain", "a ramp", "a comb")
WALK = (-6, 6)


# --- Two histograms ---------------------------------------------------------------------------


def histogram(kind: str, shift: float = 0.0) -> Tensor:
    r"""A small distribution on 16 bins.

    Args:
        kind: one of :data:`HEAPS`.
        shift: how many bins to the right of the middle.

    Returns:
        Probabilities, shape ``[16]``.
    """
    bins = torch.arange(BINS, dtype=torch.float64)
    middle = (BINS - 1) / 2 + shift

    def bump(at: float, width: float) -> Tensor:
        return torch.exp(-0.5 * ((bins - at) / width).square())

    if kind == "one heap":
        heights = bump(middle, 1.0)
    elif kind == "two heaps":
        heights = bump(middle - 3, 0.8) + 0.6 * bump(middle + 3, 0.8)
    elif kind == "a ramp":
        heights = (bins - middle + 5).clamp(0, 10) * (bins - middle < 5)
    elif kind == "a comb":
        heights = ((bins - middle).abs() < 6).double() * ((bins - round(middle)) % 3 == 0)
    else:
        heights = ((bins - middle).abs() < 4).double()
    return heights / heights.sum()


def bin_distances() -> Tensor:
    r"""Distances of the bins, **[16, 16]**."""
    bins = torch.arange(BINS, dtype=torch.float64)
    return (bins[:, None] - bins[None, :]).abs()


# --- The parallel lines -----------------------------------------------------------------------

TOP, STEEP = 1.2, 3.6
NOISES = (0.0, 0.1, 0.3)
CURVES = {"W₁": CRITIC, "JS": SERIES[0], "TV": SERIES[1], "KL(p‖q)": SERIES[3]}


def lines(theta: float, noise: float) -> Figure:
    r"""The parallel lines at one θ, every divergence there, and its derivative.

    Args:
        theta: their distance, with its sign.
        noise: deviation of the noise on both first coordinates.

    Returns:
        Three panels: the lines; the divergences against θ; the derivatives.
    """
    readings = transport.parallel_lines(theta, noise)
    figure, (left, middle, right) = subplots(
        1, 3, width=8.4, height=2.9, width_ratios=[0.8, 1.3, 1.1]
    )
    for at, color, name in ((0.0, DATA, "p"), (theta, MODEL, "q")):
        left.fill_betweenx([0, 1], at - noise, at + noise, color=color, alpha=0.25, linewidth=0)
        left.plot([at, at], [0, 1], color=color, linewidth=3, label=name)
    left.set(xlim=(-1.35, 1.35), ylim=(-0.1, 1.35), xlabel="x₁", ylabel="x₂")
    left.legend(loc="upper right", ncols=2)
    left.set_title(f"θ = {numeral(theta)}")
    _curves_panel(middle, theta, noise, readings)
    _slopes_panel(right, readings)
    said = ", ".join(
        f"{name} {'∞' if math.isinf(r.value) else numeral(r.value, 3)}"
        for name, r in readings.items()
    )
    figure.set_label(f"θ = {numeral(theta)}, noise {noise:g}: {said}")
    return figure


@lru_cache(maxsize=8)
def _curves(noise: float) -> dict[str, list[float]]:
    """Values at 47 θ from −1.15 to 1.15; at θ = 0 the limit, so that jumps are drawn apart."""
    places = [step / 20 or 1e-9 for step in range(-23, 24)]
    found = [transport.parallel_lines(at, noise) for at in places]
    return {name: [min(r[name].value, TOP) for r in found] for name in CURVES}


def _curves_panel(
    axes: Axes, theta: float, noise: float, readings: Mapping[str, transport.Reading]
) -> None:
    places = np.arange(-23, 24) / 20
    for name, color in CURVES.items():
        heights = _curves(noise)[name]
        label = "KL" if name.startswith("KL") else name
        style = "--" if name.startswith("KL") else "-"
        axes.plot(places, heights, color=color, linestyle=style, label=label)
        axes.plot([0], [heights[23]], "o", color=color, markerfacecolor="none", markersize=5)
        axes.plot([theta], [min(readings[name].value, TOP)], "o", color=color)
    axes.set(xlim=(-1.15, 1.15), ylim=(-0.05, 1.75), xlabel="θ", title="divergence")
    place_ticks(axes.yaxis, [0, 0.5, 1, TOP], ["0", "0.5", "1", "more" if noise else "∞"])
    axes.legend(loc="upper right", ncols=2)


def _slopes_panel(axes: Axes, readings: Mapping[str, transport.Reading]) -> None:
    slopes = [readings[name].slope for name in CURVES]
    heights = [0.0 if math.isnan(slope) else min(max(slope, -STEEP), STEEP) for slope in slopes]
    axes.bar(range(4), heights, color=GRADIENT, width=0.6)
    for place, (slope, height) in enumerate(zip(slopes, heights, strict=True)):
        text = "none" if math.isnan(slope) else numeral(slope, 1).replace("−0.0", "0.0")
        axes.text(place, max(height, 0) + 0.2, text, ha="center", color=INK)
    place_ticks(axes.xaxis, range(4), ["W₁", "JS", "TV", "KL"])
    axes.set(xlim=(-0.6, 3.6), ylim=(-3.8, 4.6), title="derivative in θ")
    axes.axhline(0, color=MUTED, linewidth=0.7)


# --- Samples ----------------------------------------------------------------------------------

DIMENSIONS = (1, 2, 3, 5)
SIZES = (16, 32, 64, 128, 256, 512)


@lru_cache(maxsize=1)
def _falls() -> dict[int, Tensor]:
    """W₁ between two uniform samples, [8 seeds, sizes], for each dimension."""
    return {
        d: empirical.in_cube(d, SIZES, Streams(range(8), dtype=torch.float64)) for d in DIMENSIONS
    }


def samples(dimension: int, doublings: int) -> Figure:
    r"""Two samples of one distribution, matched, and how W₁ falls with their size.

    Args:
        dimension: one of :data:`DIMENSIONS`.
        doublings: log2 of the sample size.

    Returns:
        Two panels: the pairs in the first two coordinates, a line a pair, half in each sample's
        colour; W₁ against n.
    """
    n = 2**doublings
    figure, (left, right) = subplots(1, 2, width=7.8, height=3.0, width_ratios=[1, 1.3])
    x, y = Streams([0], dtype=torch.float64).uniform(2, max(SIZES), dimension)[0][:, :n]
    if dimension == 1:
        x, y = x.sort(0).values, y.sort(0).values
    found = empirical.match(x, y)
    if dimension == 1:
        found = empirical.Matching(found.cost, torch.arange(n))  # in order is as cheap
        x, y = (torch.cat([z, torch.full_like(z, at)], 1) for z, at in ((x, 0.7), (y, 0.3)))
    one, other = x[:, :2], y[found.partner, :2]
    gap = torch.full((n, 2), math.nan, dtype=torch.float64)
    for end, color in ((one, DATA), (other, MODEL)):
        half = torch.stack([end, (one + other) / 2, gap], 1).reshape(-1, 2)
        left.plot(*half.T, color=color, linewidth=1.6)
    left.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[], yticks=[])
    left.set_title(f"n = {n}: W₁ = {numeral(found.cost, 3)}")
    for each, color in zip(DIMENSIONS, SERIES, strict=False):
        values = _falls()[each]
        right.fill_between(SIZES, values.amin(0), values.amax(0), color=color, alpha=0.2, lw=0)
        width = 2.2 if each == dimension else 1.0
        right.plot(SIZES, values.mean(0), color=color, linewidth=width, label=f"d = {each}")
    right.plot([n], [found.cost], "o", color=CRITIC)
    right.set(xscale="log", yscale="log", xlim=(14, 580), ylim=(0.008, 2.5), xlabel="n")
    place_ticks(right.xaxis, [16, 64, 256], ["16", "64", "256"])
    place_ticks(right.yaxis, [0.01, 0.1, 1], ["0.01", "0.1", "1"])
    right.minorticks_off()
    right.set_title("W₁ of two samples")
    right.legend(loc="upper right", ncols=4)
    fall = float(empirical.slope(SIZES, _falls()[dimension].mean(0)))
    figure.set_label(
        f"dimension {dimension}, {n} samples: W₁ = {found.cost:.3f}; "
        f"slope over n = 16 to 512: {numeral(fall)}"
    )
    return figure


# --- Blur -------------------------------------------------------------------------------------

WIDTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@lru_cache(maxsize=512)
def _blurred(kind: str, shift: float, other: str, moved: float, width: float) -> sinkhorn.Blurred:
    pair = (histogram(kind, shift), histogram(other, moved))
    return sinkhorn.entropic(*pair, bin_distances(), width)


def blur(target: str, shift: float, width: float) -> Figure:
    r"""The entropic plan from two heaps to another histogram, and its costs against ε.

    Args:
        target: kind of q.
        shift: of q, in bins.
        width: ε, one of :data:`WIDTHS`.

    Returns:
        Two panels: the plan; its cost, what it minimises and the debiased divergence.
    """
    source = "two heaps"
    rows = [_blurred(source, 0, target, shift, each) for each in WIDTHS]
    own = [
        (_blurred(source, 0, source, 0, each), _blurred(target, shift, target, shift, each))
        for each in WIDTHS
    ]
    exact = transport.solve(histogram(source), histogram(target, shift), bin_distances())
    now = rows[WIDTHS.index(width)]
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.9, width_ratios=[1, 1.45])
    left.imshow(now.plan.sqrt(), origin="lower", cmap="Greys", vmin=0, vmax=0.5)
    left.plot([0, BINS - 1], [0, BINS - 1], color=MUTED, linewidth=0.8, linestyle=":")
    left.set(xlim=(-0.5, BINS - 0.5), ylim=(-0.5, BINS - 0.5), xlabel="to bin", ylabel="from bin")
    left.set_title(f"plan, ε = {width:g}")
    left.grid(False)
    centred = [
        row.objective - (a.objective + b.objective) / 2
        for row, (a, b) in zip(rows, own, strict=True)
    ]
    curves = {
        "cost of the plan": ([row.cost for row in rows], MODEL, "-"),
        "cost + ε · information": ([row.objective for row in rows], GRADIENT, "--"),
        "debiased": (centred, CRITIC, "-"),
    }
    right.axhline(exact.cost, color=INK, linewidth=1, linestyle=":", label="W₁")
    at = WIDTHS.index(width)
    for name, (heights, color, style) in curves.items():
        right.plot(WIDTHS, heights, color=color, linestyle=style, label=name)
        right.plot([width], [heights[at]], "o", color=color, markersize=4)
    right.set(xscale="log", xlim=(0.085, 118), ylim=(-0.2, 7.4), xlabel="ε", title="value")
    place_ticks(right.xaxis, [0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    right.minorticks_off()
    right.legend(loc="upper left", ncols=2)
    figure.set_label(
        f"ε = {width:g}: W₁ {numeral(exact.cost)}, cost of the plan {numeral(now.cost)}, "
        f"debiased {numeral(centred[at])}"
    )
    return figure


# --- One fake and one slope -------------------------------------------------------------------

RATES = (0.02, 0.05, 0.1, 0.2)
LASTING = 40.0


def one_fake(leash: str, rate: float, first: float) -> Figure:
    r"""Simultaneous steps of a fake at θ and a critic ψx, with one leash.

    Args:
        leash: one of :data:`~genbook.wgan.dirac.LEASHES`; its strength is ½.
        rate: h of both players.
        first: θ at first; ψ is 0.

    Returns:
        Two panels: the path in the plane; the distance from the equilibrium over time.
    """
    steps = round(LASTING / rate)
    begin = torch.tensor([first, 0.0], dtype=torch.float64)
    path = dirac.orbit(dirac.Leash(leash, 0.5), begin, rate, steps)
    shown = path[:: max(1, steps // 200)]
    time = np.linspace(0, LASTING, len(shown))
    figure, (left, right) = subplots(1, 2, width=7.0, height=2.9, width_ratios=[1, 1.3])
    left.plot(*shown.clamp(-9, 9).T, color=MODEL, linewidth=1)
    left.plot(*begin[:, None], "o", color=MUTED)
    left.plot([0], [0], "+", color=DATA, markersize=9)
    left.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xlabel="fake θ", ylabel="slope ψ", aspect="equal")
    left.set_title("path")
    away = shown.norm(dim=-1)
    right.plot(time, away.clamp(1e-4, 90), color=MODEL)
    right.set(xscale="linear", yscale="log", xlim=(0, LASTING), ylim=(1e-4, 100))
    right.set(xlabel="time = steps × rate", title=f"distance at the end: {float(away[-1]):.2g}")
    place_ticks(right.yaxis, [1e-4, 1e-2, 1, 100], ["10⁻⁴", "0.01", "1", "100"])
    right.minorticks_off()
    figure.set_label(f"{leash}, rate {rate:g}: distance at the end {float(away[-1]):.2g}")
    return figure


# --- Surfaces ---------------------------------------------------------------------------------

PENALTY = "penalty"
METHODS = (PENALTY, *(f"c = {clip:g}" for clip in critics.CLIPS))


def _clip_of(method: str) -> float | None:
    return None if method == PENALTY else float(method.removeprefix("c = "))


@lru_cache(maxsize=1)
def _points() -> Tensor:
    return critics.toys(200, 5)


def surface(rows: Sequence[Row], toy: str, method: str) -> Figure:
    r"""The value surface of one critic, and what each critic proves.

    Args:
        rows: of the study ``wgan_critics``.
        toy: the data set.
        method: one of :data:`METHODS`.

    Returns:
        Three panels: the surface; shares of W₁ proven; Lipschitz constants.
    """
    mine = [row for row in rows if row["toy"] == toy]
    clip = _clip_of(method)
    text = next(str(r["surface"]) for r in mine if r.get("clip") == clip and r["surface"])
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=3.0, width_ratios=[1.1, 1, 1])
    _surface_panel(left, text, critics.TOYS.index(toy))
    clips = [_clip_of(name) for name in METHODS]
    names = ["GP", *(f"{c:g}" for c in clips[1:])]
    places = range(len(METHODS))
    for axes, key, title in (
        (middle, "share", "share of W₁ that it proves"),
        (right, "steepest", "Lipschitz constant"),
    ):
        for place, each in enumerate(clips):
            values = [float(row[key]) for row in mine if row.get("clip") == each]
            color = CRITIC if each == clip else MUTED
            axes.plot([place] * len(values), values, "o", color=color, markersize=5)
        place_ticks(axes.xaxis, places, names, fontsize=8)
        axes.set(xlim=(-0.6, len(METHODS) - 0.4), title=title, xlabel="clip c")
    middle.set(ylim=(0, 1.05))
    right.set(yscale="log", ylim=(1e-6, 1e6))
    right.axhline(1, color=MUTED, linestyle="--", linewidth=0.8)
    chosen = [row for row in mine if row.get("clip") == clip]
    share = sum(float(row["share"]) for row in chosen) / len(chosen)
    figure.set_label(f"{toy}, {method}: proves {share:.0%} of W₁, mean of {len(chosen)} seeds")
    return figure


def _surface_panel(axes: Axes, text: str, toy: int) -> None:
    values, reach = unpack_surface(text, critics.SIDE), critics.REACH
    ticks = np.linspace(-reach, reach, critics.SIDE)
    axes.imshow(
        values,
        origin="lower",
        extent=(-reach, reach, -reach, reach),
        cmap="Greys",
        vmin=-0.2,
        vmax=1.6,
        interpolation="none",
    )
    levels = np.linspace(0.1, 0.9, 9)
    axes.contour(ticks, ticks, values, levels=levels, colors=CRITIC, linewidths=1)
    axes.plot(*_points()[toy].T, ".", color=DATA, markersize=2)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    axes.set_title("level sets of the critic")


def depth(rows: Sequence[Row]) -> Figure:
    r"""Gradients through twelve layers, and the weights that the ways of training leave.

    Args:
        rows: of the study ``wgan_depth``.

    Returns:
        Five panels: the norms; a histogram of weights for each method.
    """
    figure = subplots(width=8.4, height=3.0)[0]
    figure.clear()
    grid = figure.add_gridspec(2, 4)
    left = figure.add_subplot(grid[:, :2])
    clips = [None, *sorted({float(row["clip"]) for row in rows if "clip" in row})]
    for place, clip in enumerate(clips):
        color = CRITIC if clip is None else SERIES[place - 1]
        for row in rows:
            if row.get("clip") == clip:
                norms = [float(word) for word in str(row["norms"]).split()]
                left.plot(range(1, len(norms) + 1), norms, color=color, linewidth=1.2)
        name = "penalty" if clip is None else f"c = {clip:g}"
        left.plot([], [], color=color, label=name)
        axes = figure.add_subplot(grid[place // 2, 2 + place % 2])
        first = next(row for row in rows if row.get("clip") == clip)
        counts = np.array([int(word) for word in str(first["weights"]).split()])
        edges = np.linspace(-float(first["reach"]), float(first["reach"]), len(counts) + 1)
        axes.stairs(counts / counts.sum(), edges, color=color, fill=True)
        axes.set(yticks=[], title=name, xlim=(edges[0], edges[-1]))
        place_ticks(axes.xaxis, [edges[0], 0, edges[-1]])
        axes.tick_params(labelsize=7)
    left.set(xlabel="layer", title="log10 of the gradient's norm", xlim=(1, 13), ylim=(-31, 9))
    left.legend(loc="lower right")
    return figure


# --- Images -----------------------------------------------------------------------------------

GAMES = tuple(contests.contests())


def _series(rows: Sequence[Row], key: str, **where: object) -> list[float]:
    chosen = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return [float(row[key]) for row in sorted(chosen, key=lambda row: float(row["iteration"]))]


def _of(rows: Sequence[Row], game: str, budget: contests.Budget) -> list[Row]:
    return [
        row
        for row in rows
        if row["game"] == game
        and row["images"] == "mnist"
        and row["rate"] == budget.rate
        and row["critic_steps"] == budget.critic_steps
    ]


def progress(rows: Sequence[Row], game: str, moment: int) -> Figure:
    r"""A recorded game on MNIST at one moment: fakes, what the critic believes, the distance.

    Args:
        rows: of the study ``wgan_mnist``; its second budget is drawn.
        game: which.
        moment: which of the kept moments, from 0.

    Returns:
        Three panels.
    """
    mine = _of(rows, game, contests.BUDGETS[1])
    kept = [row for row in mine if row["fakes"]]
    now = kept[min(moment, len(kept) - 1)]
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.7, width_ratios=[1.15, 1, 1])
    image_grid(left, unpack_images(str(now["fakes"]), 28, 28), columns=4)
    left.set_title(f"step {now['iteration']}")
    last = max(float(row["iteration"]) for row in mine)
    for axes, key, (low, high), color in (
        (middle, "believed", (0, 1.3), CRITIC),
        (right, "distance", (2, 1000), MODEL),
    ):
        for seed in contests.SEEDS:
            values = np.array(_series(mine, key, seed=seed))
            unit = values[0] if key == "believed" else 1.0
            times = _series(mine, "iteration", seed=seed)
            axes.plot(times, np.clip(values / unit, low, high), color=color, linewidth=1)
            if seed == now["seed"]:
                at = min(max(float(now[key]) / unit, low), high)
                axes.plot([float(now["iteration"])], [at], "o", color=color)
        axes.set(xlim=(0, last), ylim=(low, high), xlabel="generator step")
    right.set(yscale="log", title="distance of the fakes")
    middle.set_title("critic's value / that at step 50")
    figure.set_label(
        f"{game}, step {now['iteration']}: critic "
        f"{float(now['believed']):.3f}, distance {float(now['distance']):.1f}"
    )
    return figure


def tracking(rows: Sequence[Row], budget: contests.Budget) -> Figure:
    r"""What each critic believes against the judge's distance, one dot a moment, one colour a seed.

    Args:
        rows: of the study ``wgan_mnist``.
        budget: which.

    Returns:
        Four panels, one a game.
    """
    figure, panels = subplots(1, 4, width=8.4, height=2.5)
    for axes, game in zip(panels, GAMES, strict=True):
        mine = _of(rows, game, budget)
        for place, seed in enumerate(contests.SEEDS):
            distance, believed = (_series(mine, key, seed=seed) for key in ("distance", "believed"))
            axes.plot(distance, believed, ".-", color=SERIES[place], markersize=4, linewidth=0.5)
        axes.set(xscale="log", xlabel="distance of the fakes", title=game, xlim=(25, 900))
        place_ticks(axes.xaxis, [30, 100, 300], ["30", "100", "300"])
        axes.minorticks_off()
    panels[0].set(ylabel="what the critic believes", ylim=(0.6, 0.72))
    panels[0].axhline(math.log(2), color=MUTED, linestyle="--", linewidth=0.8)
    return figure


def pairs(drawn: Mapping[str, Tensor]) -> Figure:
    r"""A row of fakes for each game.

    Args:
        drawn: title → **[n, H, W]**.

    Returns:
        A panel a game.
    """
    figure, panels = subplots(len(drawn), 1, width=7.0, height=0.95 * len(drawn), squeeze=False)
    for axes, (title, images) in zip(panels[:, 0], drawn.items(), strict=True):
        image_grid(axes, images, columns=len(images))
        axes.set_title(title, fontsize=8.5)
    return figure


def clouds(seed: int, n: int = 200) -> tuple[Tensor, Tensor]:
    r"""Two small samples in the plane, for exact transport.

    Args:
        seed: of the random numbers.
        n: points of each.

    Returns:
        Data and fakes, both **[n, 2]** in double precision.
    """
    generator = seeded(seed)
    real = critics.toys(n, seed)[0].double()
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return real, 0.7 * noise + torch.tensor([0.5, 0.0], dtype=torch.float64)


def machinery() -> Figure:
    r"""A critic on a leash, and what each player wants of it."""
    return schematic(
        [
            Box("g", 0, 0, "generator", MODEL, 1.4),
            Box("x", 0, 1.5, "data", DATA, 1.4),
            Box("f", 2.9, 0.75, "critic f\nslope ≤ 1", CRITIC, 1.5, 0.9),
            Box("w", 6.0, 0.75, "mean on data −\nmean on fakes", width=1.9, height=0.9),
            Box("leash", 2.9, 2.0, "clip, or penalty", CRITIC, 1.9, framed=False),
        ],
        [
            Wire("x", "f", "x", colour=DATA, lift=0.2),
            Wire("g", "f", "G(z)", colour=MODEL, lift=-0.22, shift=0.1),
            Wire("f", "w"),
            Wire("leash", "f", "", colour=CRITIC, dashed=True),
            Wire("w", "f", "raise", colour=CRITIC, dashed=True, bend=-0.6, lift=0.17),
            Wire("w", "g", "lower", colour=GRADIENT, dashed=True, bend=0.3, lift=-0.17),
        ],
        width=5.6,
        height=2.5,
    )
