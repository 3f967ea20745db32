r"""A machine before anything has run, drawn by matplotlib: its axes, its data, its first view."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from genbook.kit import plotting
from genbook.kit.machine.parts import Layer, Machine, Panel, Twin

__all__ = ["first_frame"]

COLOURS = {
    "--gb-data": plotting.DATA,
    "--gb-model": plotting.MODEL,
    "--gb-critic": plotting.CRITIC,
    "--gb-gradient": plotting.GRADIENT,
    "--gb-ink": plotting.INK,
    "--gb-muted": plotting.MUTED,
}
"""The book's colours by their names on the page."""
LETTER = 8.5
"""Points of a letter of a text or of a guess."""
BESIDE = 10
"""Words under a panel that have room beside one another; more stand upright."""
Numbers = NDArray[np.float32]


def first_frame(parts: Machine) -> Figure:
    r"""All panels with the first preset of data and seed 1, after the steps of the preview.

    Args:
        parts: the machine.

    Returns:
        A figure with one pair of axes a panel.
    """
    data = next(iter(parts.data.values()))
    twin = Twin(parts, 1, parts.beginning(), data)
    for _ in range(parts.preview):
        twin.step()
    twin.look()
    targets = {**twin.targets, "data": data}
    numbers = {name: value.detach().float().flatten().numpy() for name, value in targets.items()}
    across = parts.across or len(parts.panels)
    down = -(-len(parts.panels) // across)
    figure, grid = plotting.subplots(
        down,
        across,
        width=parts.size[0],
        height=parts.size[1],
        squeeze=False,
        height_ratios=parts.heights or (1,) * down,
    )
    for axes in grid.flat[len(parts.panels) :]:
        axes.remove()
    for axes, panel in zip(grid.flat, parts.panels, strict=False):
        _panel(axes, panel, numbers, parts.alphabet)
    return figure


def _panel(axes: Axes, panel: Panel, numbers: Mapping[str, Numbers], alphabet: str) -> None:
    for layer in panel.layers:
        shown = numbers[layer.of][layer.first :]
        shown = shown[: layer.many or None]
        if layer.kind in WRITTEN:
            WRITTEN[layer.kind](axes, panel, layer, shown, alphabet)
        else:
            DRAWN[layer.kind](axes, panel, layer, shown, numbers)
    axes.set(xlim=panel.x, ylim=panel.y, title=panel.title)
    if panel.xlabel or panel.ylabel:
        axes.set(xlabel=panel.xlabel, ylabel=panel.ylabel)
    else:
        axes.set(xticks=[], yticks=[])
    if panel.ticks:
        each = (panel.x[1] - panel.x[0]) / len(panel.ticks)
        upright = len(panel.ticks) > BESIDE
        axes.set_xticks(
            panel.x[0] + each * (np.arange(len(panel.ticks)) + 0.5),
            panel.ticks,
            rotation=90 if upright else 0,
        )


def _points(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    size = 4 if len(shown) > 4 else 8
    axes.plot(shown[::2], shown[1::2], "o", color=COLOURS[layer.colour], markersize=size)


def _path(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    axes.plot(shown[::2], shown[1::2], color=COLOURS[layer.colour])


def _arrows(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    pushes, start = shown.reshape(-1, 2)[::4], numbers[layer.other].reshape(-1, 2)[::4]
    long = np.maximum(1, np.hypot(*pushes.T))[:, None]
    end = start + 0.8 * pushes / long
    gap = np.full(len(start), np.nan, np.float32)
    x = np.stack([start[:, 0], end[:, 0], gap], 1).ravel()
    y = np.stack([start[:, 1], end[:, 1], gap], 1).ravel()
    axes.plot(x, y, color=COLOURS[layer.colour], linewidth=0.8)


def _field(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    side = round(len(shown) ** 0.5)
    share = shown.reshape(side, side)
    high, low = to_rgb(COLOURS[layer.colour]), to_rgb(COLOURS[layer.other])
    colours = np.where((share > 0.5)[..., None], high, low)
    shades = np.concatenate([colours, 0.55 * np.abs(2 * share - 1)[..., None]], -1)
    axes.imshow(
        shades, extent=(*panel.x, *panel.y), origin="lower", aspect="auto", interpolation="none"
    )


def _image(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    grid = shown.reshape(-1, int(layer.other)).clip(0, 1)
    ink = np.broadcast_to(to_rgb(COLOURS[layer.colour]), (*grid.shape, 3))
    axes.imshow(
        np.concatenate([ink, grid[..., None]], -1), extent=(*panel.x, *panel.y), aspect="auto",
        interpolation="none",
    )  # fmt: skip


def _line(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    axes.plot(np.linspace(*panel.x, len(shown)), shown, color=COLOURS[layer.colour])


def _bars(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    each = (panel.x[1] - panel.x[0]) / len(shown)
    middles = panel.x[0] + each * (np.arange(len(shown)) + 0.5)
    axes.bar(middles, shown, width=0.84 * each, color=COLOURS[layer.colour], alpha=0.75)


def _shades(
    axes: Axes, panel: Panel, layer: Layer, shown: Numbers, numbers: Mapping[str, Numbers]
) -> None:
    each = (panel.x[1] - panel.x[0]) / len(shown)
    for k, share in enumerate(shown):
        corner = panel.x[0] + k * each, panel.y[0]
        axes.add_patch(_shade(corner, each, panel.y[1] - panel.y[0], share, layer))


def _letters(axes: Axes, panel: Panel, layer: Layer, shown: Numbers, alphabet: str) -> None:
    column, row, columns = 0, 0, round(panel.x[1])
    for place, share, mark in shown.reshape(-1, 3)[shown[::3] > 0]:
        letter = alphabet[int(place) - 1]
        if column == columns:
            column, row = 0, row + 1
        corner = column, panel.y[1] - row - 0.96
        axes.add_patch(_shade(corner, 1, 0.92, share, layer))
        if mark % 2:
            axes.plot([column, column + 1], [corner[1]] * 2, color=plotting.INK, linewidth=1)
        if mark >= 2:
            axes.add_patch(Rectangle(corner, 1, 0.92, edgecolor=plotting.INK, fill=False))
        if letter != " ":
            axes.text(
                column + 0.5, panel.y[1] - row - 0.52, SHOWN.get(letter, letter), fontsize=LETTER,
                family="monospace", ha="center", va="center", parse_math=False,
            )  # fmt: skip
        column, row = (0, row + 1) if letter == "\n" else (column + 1, row)


def _guesses(axes: Axes, panel: Panel, layer: Layer, shown: Numbers, alphabet: str) -> None:
    each = 2 * (panel.x[1] - panel.x[0]) / len(shown)
    for k, (place, share) in enumerate(shown.reshape(-1, 2)):
        middle, letter = panel.x[0] + (k + 0.5) * each, alphabet[int(place) - 1]
        axes.bar(middle, share, width=0.84 * each, color=COLOURS[layer.colour], alpha=0.75)
        axes.text(
            middle, panel.y[0] / 2, SHOWN.get(letter, letter), fontsize=LETTER, family="monospace",
            ha="center", va="center", parse_math=False,
        )  # fmt: skip
        axes.text(middle, share + 0.02, f"{share:.0%}", fontsize=LETTER, ha="center", va="bottom")


def _shade(
    corner: tuple[float, float], wide: float, high: float, share: float, layer: Layer
) -> Rectangle:
    end = COLOURS[layer.colour if share > 0 else layer.other]
    strength = 0.55 * min(1.0, abs(float(share)))
    return Rectangle(corner, wide, high, facecolor=end, alpha=strength, linewidth=0)


SHOWN = {"\n": "↵", " ": "·"}
"""Letters that would not be seen."""
WRITTEN: Mapping[str, Callable[[Axes, Panel, Layer, Numbers, str], None]] = {
    "guesses": _guesses,
    "letters": _letters,
}
"""Layers that need the alphabet."""
DRAWN: Mapping[str, Callable[[Axes, Panel, Layer, Numbers, Mapping[str, Numbers]], None]] = {
    "arrows": _arrows,
    "bars": _bars,
    "field": _field,
    "image": _image,
    "line": _line,
    "path": _path,
    "points": _points,
    "shades": _shades,
}
"""What matplotlib draws for each kind of layer; ``layers.js`` draws the same on a canvas."""
