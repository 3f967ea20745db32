"""Drawings of the chapter on DRAW, GRAN and the battle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from genbook.gran import battle, draw, exact_battles
from genbook.gran.draw_study import ABLATION, WHOLE, WINDOW
from genbook.gran.players import Table
from genbook.kit.plotting import CRITIC, DATA, INK, MODEL, MUTED, SERIES, image_grid, subplots, tint
from genbook.kit.schematic import Box, Wire, schematic
from genbook.kit.studies import StudyResult, spread

PATCH = 5


def _bare(axes: Axes, image: Tensor, title: str) -> None:
    axes.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[], title=title)


# --- The window -------------------------------------------------------------------------------


def attention(image: Tensor, x: float, y: float, stride: float, sigma: float) -> Figure:
    r"""An image, the window on it, what is read and what comes back.

    Args:
        image: in [0, 1], **[A, A]**.
        x: centre, from −1 to 1.
        y: centre, from −1 to 1.
        stride: as a share of the widest, on which the grid spans the image.
        sigma: of the filters, in widest strides.

    Returns:
        Three panels.
    """
    size = image.shape[-1]
    widest = (size - 1) / (PATCH - 1)
    middle = (size + 1) / 2
    numbers = [middle * (x + 1), middle * (y + 1), stride * widest, (sigma * widest) ** 2, 1.0]
    where = draw.Window(*(torch.tensor(float(value)) for value in numbers))
    seen = draw.read(image.float(), where, PATCH)
    back = draw.write(seen, where, size)
    figure, axes = subplots(1, 3, width=7.6, height=2.8)
    _bare(axes[0], image, "image and filters")
    _grid(axes[0], numbers, size)
    _bare(axes[1], seen, f"read: {PATCH} × {PATCH}")
    _bare(axes[2], back / back.max().clamp(min=1e-6), "written back, rescaled")
    figure.set_label(
        f"centre column {numbers[0]:.1f}, row {numbers[1]:.1f}; stride {numbers[2]:.1f} pixels; "
        f"sigma {sigma * widest:.1f} pixels; mean grey read {float(seen.mean()):.2f}"
    )
    return figure


def _grid(axes: Axes, numbers: Sequence[float], size: int) -> None:
    offsets = (torch.arange(1, PATCH + 1) - PATCH / 2 - 0.5) * numbers[2] - 1
    across, down = offsets + numbers[0], offsets + numbers[1]
    rows, columns = torch.meshgrid(down, across, indexing="ij")
    low, high = -0.5, size - 0.5
    axes.plot(
        columns.flatten().clamp(low, high),
        rows.flatten().clamp(low, high),
        "o",
        color=CRITIC,
        markersize=3,
        clip_on=False,
    )
    left, top = (float(part[0].clamp(low, high)) for part in (across, down))
    width = float(across[-1].clamp(low, high)) - left
    height = float(down[-1].clamp(low, high)) - top
    axes.add_patch(Rectangle((left, top), width, height, fill=False, edgecolor=CRITIC))
    axes.set(xlim=(low, high), ylim=(high, low))


# --- The canvas -------------------------------------------------------------------------------


def canvas(strokes: Mapping[str, Tensor], who: str, step: int) -> Figure:
    r"""The canvas after some steps, and what the last step added.

    Args:
        strokes: increments in log-odds by name, **[T, n, A, A]**.
        who: a name.
        step: 0 is after the first step; a finished drawing stays.

    Returns:
        Two rows of images.
    """
    parts = strokes[who]
    now = min(step, len(parts) - 1)
    figure, (top, bottom) = subplots(2, 1, width=7.6, height=2.5)
    image_grid(top, parts[: now + 1].sum(0).sigmoid(), columns=parts.shape[1])
    image_grid(bottom, parts[now].sigmoid(), columns=parts.shape[1])
    top.set_title(f"{who}: canvas after step {now + 1} of {len(parts)}")
    bottom.set_title(f"what step {now + 1} added (mid-grey: nothing)")
    spent = parts[now].abs().mean()
    figure.set_label(f"{who}, step {now + 1}: mean change of the log-odds {float(spent):.2f}")
    return figure


LOOKS = {
    looks.name: colour
    for looks, colour in zip(
        (looks for looks in ABLATION if looks.glimpses == WINDOW.glimpses), SERIES, strict=True
    )
}


def draw_bounds(found: StudyResult) -> Figure:
    r"""The recorded bounds of DRAW against training, and against the number of glimpses.

    Args:
        found: the study ``gran_draw``.

    Returns:
        Two panels on one scale.
    """
    figure, (left, right) = subplots(1, 2, width=7.6, height=3.3, sharey=True, width_ratios=[3, 2])
    steps = sorted(set(found.column("steps")))
    for name, colour in LOOKS.items():
        runs = [spread(found.rows, "bound", looks=name, steps=step) for step in steps]
        left.plot(steps, [run.mean for run in runs], "o-", color=colour, label=name)
        ends = [run.min for run in runs], [run.max for run in runs]
        left.fill_between(steps, *ends, color=colour, alpha=0.25, linewidth=0)
    left.set(xlabel="minibatches", ylabel="bound on −log p, nats", xticks=steps)
    left.set_title(f"{WINDOW.glimpses} glimpses")
    _glimpses(right, found, steps[-1])
    right.legend(*left.get_legend_handles_labels(), fontsize=7, loc="upper right")
    return figure


def _glimpses(axes: Axes, found: StudyResult, last: int) -> None:
    fives = sorted((one for one in ABLATION if one.reads == 5), key=lambda one: one.glimpses)
    runs = [spread(found.rows, "bound", looks=looks.name, steps=last) for looks in fives]
    counts, means = [looks.glimpses for looks in fives], [run.mean for run in runs]
    reach = [[run.mean - run.min for run in runs], [run.max - run.mean for run in runs]]
    axes.errorbar(counts, means, yerr=reach, fmt="o-", color=LOOKS["window of 5 × 5"])
    for name in (WHOLE.name, WINDOW.name):
        level = spread(found.rows, "bound", looks=name, steps=last).mean
        axes.axhline(level, color=LOOKS[name], linestyle="--", linewidth=1)
    axes.set(xlabel="glimpses", xticks=counts, title="5 × 5 (dashed: whole image, 8 × 8)")


# --- The band ---------------------------------------------------------------------------------


BANDS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 100.0)


def shares(found: Table, band: float) -> tuple[int, int]:
    r"""Decided battles and all battles of a table.

    Args:
        found: the rates.
        band: of the rule.

    Returns:
        Both counts, each pair of players once a seed.
    """
    outcome = battle.verdicts(found.test, found.cross, band)
    players = len(found.names)
    return int(outcome.triu(1).abs().sum()), len(outcome) * players * (players - 1) // 2


def verdict_map(tables: Mapping[str, Table], by: str, band: float) -> Figure:
    r"""Verdicts of all pairs under a band, and how many are decided as the band widens.

    Args:
        tables: rates by name.
        by: a name.
        band: of the rule.

    Returns:
        A table of wins less losses, and a curve.
    """
    found = tables[by]
    net = battle.verdicts(found.test, found.cross, band).sum(0)
    figure, (left, right) = subplots(1, 2, width=7.6, height=3.4, width_ratios=[1.25, 1])
    limit = len(found.test)
    left.imshow(tint(net / limit, above=SERIES[0], below=SERIES[1]))
    for i, row in enumerate(net.tolist()):
        for j, value in enumerate(row):
            text = "·" if i == j else f"{value:+.0f}".replace("-", "−").replace("+0", "0")
            left.text(j, i, text, ha="center", va="center", color=INK, fontsize=8)
    ticks = range(len(found.names))
    left.set_yticks(ticks, found.names, fontsize=8)
    left.set_xticks(
        ticks, [name.replace("GRAN, ", "") for name in found.names], fontsize=7, rotation=25
    )
    left.set_title(f"row beats column, net of {limit} seeds")
    left.grid(visible=False)
    _decided(right, tables, by, band)
    decided, of = shares(found, band)
    figure.set_label(f"{by}, band {band:g}: {decided} of {of} battles decided, {of - decided} ties")
    return figure


def _decided(axes: Axes, tables: Mapping[str, Table], by: str, band: float) -> None:
    for (name, found), colour in zip(tables.items(), SERIES, strict=False):
        counts = [shares(found, width) for width in BANDS]
        curve = [decided / of for decided, of in counts]
        axes.plot(range(len(BANDS)), curve, color=colour, label=name)
        if name == by:
            axes.plot([BANDS.index(band)], [curve[BANDS.index(band)]], "o", color=colour)
    axes.set_xticks(range(0, len(BANDS), 2), [f"{width:g}" for width in BANDS[::2]])
    axes.set(ylim=(-0.03, 1.5), yticks=[0, 0.5, 1], xlabel="band", title="share of battles decided")
    axes.legend(fontsize=7, loc="upper left")


# --- Known truth ------------------------------------------------------------------------------

SHOWN = slice(26, 215, 2)


@cache
def _player(kind: str, amount: float) -> tuple[Tensor, exact_battles.Truth]:
    q = exact_battles.degraded(kind, amount)
    return q, exact_battles.truth(q)


def exact_battle(first: str, much: float, second: str, other: float) -> Figure:
    r"""Two faulty generators, the best discriminators' votes, and the verdict beside the truth.

    Args:
        first: fault of player 1.
        much: how much of it.
        second: fault of player 2.
        other: how much of it.

    Returns:
        Two stacked panels.
    """
    p, x = exact_battles.mixture(), exact_battles.line()
    players = [_player(first, much), _player(second, other)]
    figure, panels = subplots(2, 1, width=7.6, height=3.9, sharex=True)
    top = 1.35 * float(p.max())
    titles = (f"player 1 {first}", f"player 2 {second}")
    for axes, (q, known), title, colour in zip(
        panels, players, titles, (MODEL, SERIES[1]), strict=True
    ):
        axes.plot(x[SHOWN], p[SHOWN], color=DATA, label="data")
        axes.plot(x[SHOWN], q[SHOWN].clamp(max=top), color=colour, label="fakes")
        votes = (p > q).double() * 0.1 * top
        axes.plot(x[SHOWN], votes[SHOWN] - 0.16 * top, color=CRITIC, label="its D says data")
        axes.set(ylim=(-0.2 * top, top), yticks=[])
        axes.set_title(f"{title}: W₁ {known.w1:.2f}, TV {known.tv:.2f}", fontsize=9)
    panels[0].legend(loc="upper left", fontsize=7, ncols=3)
    rates = exact_battles.bayes_rates(p, players[0][0], players[1][0])
    figure.set_label(_spoken(battle.Battle(rates), [known for _, known in players]))
    return figure


def _spoken(found: battle.Battle, truths: Sequence[exact_battles.Truth]) -> str:
    nearer = [
        "neither" if a == b else f"player {1 if a < b else 2}"
        for a, b in (
            (round(truths[0].w1, 6), round(truths[1].w1, 6)),
            (round(truths[0].tv, 6), round(truths[1].tv, 6)),
        )
    ]
    return (
        f"r_test {found.r_test:.2f}, r_sample {found.r_sample:.2f}: {found.verdict}. "
        f"Nearer in W₁: {nearer[0]}; in TV: {nearer[1]}"
    )


# --- Parzen -----------------------------------------------------------------------------------


def parzen_gap(gaps: Mapping[int, Mapping[int, float]]) -> Figure:
    r"""How far true samples score below the one point, against the dimension.

    Args:
        gaps: for each number of samples, nats by dimension d.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6, height=2.8)
    for (count, by_dimension), colour in zip(gaps.items(), SERIES, strict=False):
        dimensions, values = list(by_dimension), list(by_dimension.values())
        axes.plot(dimensions, values, "o-", color=colour, label=f"{count} true samples")
    axes.axhline(0, color=INK, linewidth=1)
    axes.text(dimensions[-1], 0, "one point at 0", ha="right", va="bottom", color=MUTED)
    axes.set(xlabel="dimension", ylabel="nats above the one point")
    axes.legend(loc="lower left")
    return figure


def machinery() -> Figure:
    r"""A generator that sees each stroke it has drawn before it draws the next."""
    return schematic(
        [
            Box("z", 0, 0, "noise z", width=1.1, framed=False),
            Box("f", 2.0, 0, "decoder f", MODEL, 1.3),
            Box("stroke", 4.2, 0, "stroke ΔC", MODEL, 1.3),
            Box("e", 4.2, -1.4, "encoder g", SERIES[0], 1.3),
            Box("c", 6.3, 0, "canvas C", MODEL, 1.2),
            Box("s", 8.3, 0, "image\nσ(C)", MODEL, 1.1, 0.8),
        ],
        [
            Wire("z", "f"),
            Wire("f", "stroke", colour=MODEL),
            Wire("stroke", "c", "+", colour=MODEL, lift=0.2),
            Wire("stroke", "e"),
            Wire("e", "f", "h, T times", colour=SERIES[0], bend=0.35, lift=-0.25, shift=-0.3),
            Wire("c", "s"),
        ],
        width=5.6,
        height=2.1,
    )
