"""Drawings of the chapter on DRAW."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from genbook.draw.network import Drawing
from genbook.draw.studies import ABLATION, WHOLE, WINDOW
from genbook.draw.windows import Window, filter_bank, read, window, write
from genbook.kit.plotting import CRITIC, DATA, MODEL, MUTED, SERIES, image_grid, subplots
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
        x: centre, :math:`\tilde g_X`: 0 is the middle, ±1 half a pixel beyond the image.
        y: centre, :math:`-\tilde g_Y`, so that up is up.
        stride: as a share of the widest, on which the grid spans the image.
        sigma: of the filters, in widest strides.

    Returns:
        Three panels.
    """
    size = image.shape[-1]
    widest = (size - 1) / (PATCH - 1)
    middle = (size + 1) / 2
    numbers = [middle * (x + 1), middle * (1 - y), stride * widest, (sigma * widest) ** 2, 1.0]
    where = Window(*(torch.tensor(float(value)) for value in numbers))
    seen = read(image.float(), where, PATCH)
    back = write(seen, where, size)
    figure, axes = subplots(1, 3, width=7.6, height=2.8)
    edge = size / (size + 1)
    extent, limits = (-edge, edge, -edge, edge), (-edge, edge)
    axes[0].imshow(
        image.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest", extent=extent
    )
    axes[0].set(xticks=[], yticks=[], title="image and filters", xlim=limits, ylim=limits)
    _grid(axes[0], x, y, stride * (size - 1) / middle, edge)
    _bare(axes[1], seen, f"read: {PATCH} × {PATCH}")
    _bare(axes[2], back / back.max().clamp(min=1e-6), "written back, rescaled")
    figure.set_label(
        f"centre column {numbers[0]:.1f}, row {numbers[1]:.1f}; stride {numbers[2]:.1f} pixels; "
        f"sigma {sigma * widest:.1f} pixels; mean grey read {float(seen.mean()):.2f}"
    )
    return figure


def _grid(axes: Axes, x: float, y: float, reach: float, edge: float) -> None:
    offsets = torch.linspace(-reach / 2, reach / 2, PATCH)
    rows, columns = torch.meshgrid(y + offsets, x + offsets, indexing="ij")
    inside = (rows.abs() <= edge) & (columns.abs() <= edge)
    axes.plot(columns[inside], rows[inside], "o", color=CRITIC, markersize=3)
    axes.plot([x], [y], "+", color=MODEL, markersize=9, markeredgewidth=2)


def coverage(patch: int, share: float, start: str) -> Figure:
    r"""How much each pixel of an image of 28 × 28 weighs in all that a window reads.

    Args:
        patch: N.
        share: of the image's width that the centres span.
        start: ``"the paper's"`` puts σ at one pixel, ``"ours"`` at half a stride.

    Returns:
        A map of the weights, and their profile across the middle.
    """
    size = 28
    stride = share * (size - 1) / (patch - 1)
    sigma = 1.0 if start == "the paper's" else stride / 2
    centre, gap, variance = (
        torch.tensor(value, dtype=torch.float64) for value in ((size + 1) / 2, stride, sigma**2)
    )
    line = filter_bank(centre, gap, variance, patch, size).sum(0)
    figure, (left, right) = subplots(1, 2, width=7.0, height=2.8, width_ratios=[2, 3])
    weights = line[:, None] * line[None]
    _bare(left, (weights / weights.max()).float(), "weight of each pixel")
    pixels = torch.arange(1, size + 1)
    right.fill_between(pixels, line, color=DATA, alpha=0.3, linewidth=0)
    right.plot(pixels, line, color=DATA)
    right.axvspan(8, 21, color=MUTED, alpha=0.15, linewidth=0)
    right.text(14.5, 1.8, "the middle 14 pixels", ha="center", color=MUTED, fontsize=8.5)
    right.set(xlim=(1, size), ylim=(0, 1.95), xlabel="pixel", title="weight along one axis")
    blind = float((line[7:21] < 1e-3).double().mean())
    figure.set_label(
        f"{patch} × {patch} filters over {share:.0%} of the width, σ = {sigma:.1f} pixels: "
        f"{blind:.0%} of the middle 14 pixels weigh less than a thousandth"
    )
    return figure


# --- The canvas -------------------------------------------------------------------------------


def canvas(drawings: Mapping[str, Drawing], who: str, step: int, patch: int) -> Figure:
    r"""The canvas after some steps with the window that wrote, and what the last step added.

    Args:
        drawings: by name.
        who: a name.
        step: 0 is after the first step.
        patch: N of the window that writes.

    Returns:
        Two rows of images.
    """
    drawn = drawings[who]
    strokes = drawn.strokes.detach()
    now = min(step, len(strokes) - 1)
    count, size = strokes.shape[1], strokes.shape[-1]
    figure, (top, bottom) = subplots(2, 1, width=7.6, height=2.5)
    image_grid(top, drawn.canvases[now].detach().sigmoid(), columns=count)
    image_grid(bottom, strokes[now].sigmoid(), columns=count)
    if drawn.written.numel():
        _frames(top, window(drawn.written[now].detach(), size, patch), patch, size)
    top.set_title(f"{who}: canvas after step {now + 1} of {len(strokes)}")
    bottom.set_title(f"what step {now + 1} added (mid-grey: nothing)")
    spent = strokes[now].abs().mean()
    figure.set_label(f"{who}, step {now + 1}: mean change of the log-odds {float(spent):.2f}")
    return figure


def _frames(axes: Axes, where: Window, patch: int, size: int) -> None:
    """The windows' outlines on a row of images, each a pixel from the next."""
    half = where.stride * (patch - 1) / 2
    x, y = where.x, where.y
    edges = torch.stack([x - half, x + half, y - half, y + half]).clamp(0.5, size + 0.5) - 1
    for number, (left, right, top, bottom) in enumerate(edges.T.tolist()):
        axes.add_patch(
            Rectangle(
                (number * (size + 1) + left, top),
                max(right - left, 0.3),
                max(bottom - top, 0.3),
                fill=False,
                edgecolor=CRITIC,
                linewidth=1.4,
            )
        )


LOOKS = {
    looks.name: colour
    for looks, colour in zip(
        (looks for looks in ABLATION if looks.glimpses == WINDOW.glimpses), SERIES, strict=True
    )
}


def bounds(found: StudyResult) -> Figure:
    r"""The recorded bounds of DRAW against training, and against the number of glimpses.

    Args:
        found: the study ``draw_windows``.

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


# --- The machine ------------------------------------------------------------------------------


def machinery() -> Figure:
    r"""DRAW's loop: the encoder looks at the image and at what is missing, the decoder paints."""
    numbers = "g, δ, σ, γ"
    return schematic(
        [
            Box("x", 0, 0, "image x", DATA, 1.2),
            Box("read", 1.9, 0, "read", CRITIC, 1.0),
            Box("enc", 3.6, 0, "encoder", SERIES[0], 1.2),
            Box("z", 5.4, 0, "code z", width=1.0, framed=False),
            Box("dec", 5.4, -1.6, "decoder", MODEL, 1.2),
            Box("write", 3.6, -1.6, "write", CRITIC, 1.0),
            Box("c", 1.7, -1.6, "canvas c", MODEL, 1.3),
        ],
        [
            Wire("x", "read"),
            Wire("read", "enc"),
            Wire("enc", "z"),
            Wire("z", "dec", "+ noise", colour=MODEL, shift=0.55),
            Wire("dec", "write", numbers, colour=CRITIC, lift=-0.45),
            Wire("dec", "read", numbers, colour=CRITIC, dashed=True, shift=0.75, lift=0.1),
            Wire("write", "c", "+", colour=MODEL, lift=0.2),
            Wire("c", "read", "what is missing", colour=DATA, shift=-0.95),
        ],
        width=5.2,
        height=2.4,
    )
