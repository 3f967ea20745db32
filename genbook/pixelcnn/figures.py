"""Drawings of the chapter on PixelCNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import max_pool2d

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
from genbook.pixelcnn import receptive_field
from genbook.pixelcnn.arithmetic_coding import Interval
from genbook.pixelcnn.receptive_field import before, blind_spot

SIDE = 11
"""Side of the picture in which receptive fields are drawn."""

NETWORKS = ("one stack, mask A first", "one stack, mask B first", "two stacks")
"""What the first explorable offers."""


def seen_by(network: str, at: tuple[int, int], kernel: int, depth: int) -> Tensor:
    r"""The receptive field by the theorem.

    Args:
        network: one of :data:`NETWORKS`.
        at: row and column of the output.
        kernel: side.
        depth: layers.

    Returns:
        Booleans, shape ``[SIDE, SIDE]``.
    """
    size = (SIDE, SIDE)
    seen = receptive_field.field(
        size, at, kernel, depth, stacks=2 if network == "two stacks" else 1
    )
    if "mask B" in network:
        seen[at] = True
    return seen


def field(row: int, column: int, depth: int, network: str) -> Figure:
    r"""What one output sees, what it misses, and itself.

    Args:
        row: of the output, counted from below, so that a drag goes its way.
        column: of the output.
        depth: layers, with kernels of side 3.
        network: one of :data:`NETWORKS`.

    Returns:
        One panel, and a panel with counts.
    """
    at = (SIDE - 1 - int(row), int(column))
    seen = seen_by(network, at, 3, int(depth))
    earlier = before((SIDE, SIDE), at)
    box = blind_spot((SIDE, SIDE), at, 3, int(depth))
    missed = box & ~seen
    canvas = np.full((SIDE, SIDE, 3), 0.93)
    canvas[earlier.numpy()] = 0.75
    canvas[seen.numpy()] = to_rgb(DATA)
    canvas[missed.numpy()] = to_rgb(GRADIENT)
    canvas[at] = to_rgb("#000000") if seen[at] else to_rgb(MODEL)
    figure, (left, right) = subplots(1, 2, width=7.0, height=3.0, width_ratios=[1, 1.1])
    left.imshow(canvas, interpolation="nearest", extent=(-0.5, SIDE - 0.5, -0.5, SIDE - 0.5))
    left.set(xlim=(-0.5, SIDE - 0.5), ylim=(-0.5, SIDE - 0.5), title="orange: the pixel predicted")
    left.set_axis_off()
    counts = [int((seen & earlier).sum()), int(missed.sum())]
    right.barh([1, 0], counts, color=[DATA, GRADIENT], height=0.5)
    place_ticks(right.yaxis, [1, 0], ["seen before it", "in the box, missed"])
    right.set(xlim=(0, 70), ylim=(-0.6, 1.6), title="pixels")
    right.grid(False, axis="y")
    leak = " It sees itself: a leak." if seen[at] else ""
    figure.set_label(f"{counts[0]} seen, {counts[1]} in the blind spot.{leak}")
    return figure


NEIGHBOURS = 4
"""The 2×2 example codes its probabilities in sixteenths: two to this power."""


def copied_counts(before: Sequence[int]) -> list[int]:
    r"""A rule for 2×2 images: a pixel tends to copy what touches it.

    Args:
        before: levels of the pixels before it, row by row, fewer than four.

    Returns:
        Sixteenths for black and for white: 8 and 8 for the first pixel, 12 for the copy of one
        neighbour, 14 for the copy of two that agree, 8 and 8 if they do not.

    Example:
        >>> copied_counts([]), copied_counts([1]), copied_counts([1, 1, 1])
        ([8, 8], [4, 12], [2, 14])
    """
    touching = [[], [0], [0], [1, 2]][len(before)]
    white = 8 + sum((4, 3)[len(touching) - 1] * (2 * before[k] - 1) for k in touching)
    return [16 - white, white]


def narrowing(point: float) -> Figure:
    r"""Which 2×2 image a point of [0, 1) stands for: four pixels, four halvings of another kind.

    Args:
        point: in [0, 1).

    Returns:
        Two panels: the line, divided four times, with the code below; the image.
    """
    figure, (left, right) = subplots(1, 2, width=7.4, height=3.0, width_ratios=[3.2, 1])
    here: tuple[list[int], Interval] = ([], Interval())
    cells: list[tuple[list[int], Interval]] = [here]
    for depth in range(4):
        counts = [copied_counts(levels) for levels, _ in cells]
        cells = [
            ([*levels, level], part.narrow(table, level))
            for (levels, part), table in zip(cells, counts, strict=True)
            for level in (0, 1)
        ]
        for levels, part in cells:
            low, width = part.low / 2**part.depth, part.width / 2**part.depth
            inside = low <= point < low + width
            here = (levels, part) if inside else here
            shade = str(0.25 + 0.65 * levels[-1])
            edge = {"edgecolor": MODEL, "linewidth": 2.0, "zorder": 3} if inside else {}
            rest = {"edgecolor": MUTED, "linewidth": 0.5, "zorder": 2}
            left.barh(3 - depth, width, left=low, height=0.72, color=shade, **(edge or rest))
    levels, part = here
    code = part.codeword()
    size, place = 2.0 ** -len(code), int(code, 2)
    left.barh(-1.1, size, left=place * size, height=0.5, color=DATA)
    left.plot([point, point], [-1.5, 3.6], color=MODEL, linestyle=":")
    left.set(xlim=(0, 1), ylim=(-1.5, 3.6), xlabel="drag the point")
    place_ticks(
        left.yaxis, [3, 2, 1, 0, -1.1], ["pixel 1", "pixel 2", "pixel 3", "pixel 4", "code"]
    )
    left.grid(False)
    right.imshow(np.array(levels).reshape(2, 2), cmap="gray", vmin=-0.4, vmax=1.1)
    right.set_axis_off()
    chance = part.width / 2**part.depth
    right.set_title(f"file: {code}")
    figure.set_label(
        f"p = {chance:.4f}, −log2 p = {-np.log2(chance):.2f} bits; the file {code} has {len(code)}"
    )
    return figure


class Spending:
    r"""Where an image pays its bits, pixel by pixel.

    Args:
        images: zeros and ones, shape ``[N, H, W]``.
        bits: what each pixel costs, of the same shape.
        names: one an image; the explorable offers them.
        files: the lengths of their codes, bits.
    """

    def __init__(
        self, images: Tensor, bits: Tensor, names: Sequence[str], files: Sequence[int]
    ) -> None:
        self.images, self.bits, self.names, self.files = images, bits, list(names), list(files)

    def __call__(self, digit: str, rows: int) -> Figure:
        r"""The picture after so many rows.

        Args:
            digit: one of the names.
            rows: coded so far.

        Returns:
            Three panels: the image, what its pixels cost, and the bits so far.
        """
        at = self.names.index(digit)
        image, bits = self.images[at].cpu(), self.bits[at].cpu()
        done = (torch.arange(len(image)) < int(rows))[:, None].expand_as(image)
        spent = torch.cat([bits.new_zeros(1), bits.sum(1).cumsum(0)])
        figure, axes = subplots(1, 3, width=7.4, height=2.6, width_ratios=[1, 1, 1.1])
        seen = torch.where(done, image, torch.full_like(image, 0.5))
        axes[0].imshow(seen.numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes[0].set_title("coded so far")
        heat = torch.where(done, bits.clamp(max=4) / 4, torch.zeros_like(bits))
        axes[1].imshow(heat.numpy(), cmap="magma", vmin=0, vmax=1, interpolation="nearest")
        axes[1].set_title("bits a pixel, 0 to 4 and more")
        for panel in axes[:2]:
            panel.set_axis_off()
        axes[2].plot(range(len(spent)), spent.numpy(), color=MUTED)
        axes[2].plot([int(rows)], [float(spent[int(rows)])], "o", color=MODEL)
        most = 1.05 * float(self.bits.sum((1, 2)).max())
        axes[2].set(xlim=(0, len(image)), ylim=(0, most), xlabel="rows", title="bits so far")
        figure.set_label(
            f"{float(spent[int(rows)]):.1f} of {float(spent[-1]):.1f} bits; "
            f"the file has {self.files[at]}"
        )
        return figure


def completions(truth: Tensor, filled: Mapping[int, Tensor]) -> Figure:
    r"""Digits whose lower part was taken away, and what the model puts there.

    Args:
        truth: shape ``[N, 1, H, W]``.
        filled: rows given → completions ``[K, N, 1, H, W]``.

    Returns:
        A panel for each number of rows.
    """
    figure, axes = subplots(1, len(filled), width=7.4, height=2.6, squeeze=False)
    for panel, (rows, drawn) in zip(axes[0], filled.items(), strict=True):
        given = truth.clone()
        given[:, :, int(rows) :] = 0.5
        image_grid(panel, torch.cat([given, *drawn]), columns=len(truth))
        panel.set_title(f"{rows} rows given")
    return figure


def near_strokes(images: Tensor) -> Tensor:
    r"""Which pixels have both colours in their 3×3 neighbourhood.

    Args:
        images: zeros and ones, shape ``[N, C, H, W]``.

    Returns:
        Booleans of the same shape.

    Example:
        >>> near_strokes(torch.eye(4)[None, None])[0, 0].int().tolist()
        [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]]
    """
    return max_pool2d(images, 3, 1, 1) != -max_pool2d(-images, 3, 1, 1)


def samples(shown: Mapping[str, Tensor], columns: int = 10) -> Figure:
    r"""Rows of images with titles.

    Args:
        shown: title → images ``[N, C, H, W]``.
        columns: images in a row.

    Returns:
        A panel each.
    """
    figure, axes = subplots(len(shown), 1, width=7.0, height=1.15 * len(shown) + 0.4, squeeze=False)
    for place, (title, images) in zip(axes[:, 0], shown.items(), strict=True):
        image_grid(place, images, columns=columns)
        place.set_title(title)
    return figure


def blind_learning(curves: Mapping[str, Sequence[float]], every: int) -> Figure:
    r"""Cost of a pixel that is a copy, over training.

    Args:
        curves: network → nats a copied pixel.
        every: steps between two points.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.0, height=2.6)
    colours = (GRADIENT, DATA)
    for (name, values), colour in zip(curves.items(), colours, strict=True):
        axes.plot(np.arange(len(values)) * every, values, color=colour, label=name)
    axes.axhline(np.log(2), color=MUTED, linestyle=":", label="a coin, log 2")
    axes.set(ylim=(0, 0.9), xlabel="step", ylabel="nats a copied pixel")
    axes.legend()
    return figure


def histograms(groups: Mapping[str, Tensor]) -> Figure:
    r"""Nats of several sets of images.

    Args:
        groups: name → nats ``[N]``.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=7.0, height=2.8)
    most = max(float(values.max()) for values in groups.values())
    colours = (DATA, MODEL, CRITIC, *SERIES)
    for (name, values), colour in zip(groups.items(), colours, strict=False):
        edges = np.linspace(0, most * 1.02, 60)
        numbers, look = values.cpu().numpy(), {"histtype": "stepfilled", "density": True}
        axes.hist(
            numbers, edges, facecolor=(*to_rgb(colour), 0.25), edgecolor=colour, label=name, **look
        )
    axes.set(xlabel="−log p(x), nats", ylabel="density", yscale="log")
    axes.legend(loc="upper center")
    return figure


def costs(rows: Sequence[Mapping[str, str | int | float | bool]]) -> Figure:
    r"""Time of training and of sampling over the side of the image.

    Args:
        rows: of :func:`genbook.pixelcnn.studies.costs`.

    Returns:
        Two panels with logarithmic axes.
    """
    figure, (left, right) = subplots(1, 2, width=7.4, height=3.0)
    families = list(dict.fromkeys(str(row["family"]) for row in rows))
    for family, colour in zip(families, SERIES, strict=False):
        mine = [row for row in rows if row["family"] == family]
        sides = [float(row["side"]) for row in mine]
        left.plot(sides, [float(row["step"]) for row in mine], color=colour, label=family)
        right.plot(sides, [float(row["naive"]) for row in mine], color=colour, linestyle="--")
        right.plot(sides, [float(row["cached"]) for row in mine], color=colour)
    left.set(title="training step of 8 images", ylabel="ms")
    right.set(title="one sample, naive and cached")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="side of the image")
        place_ticks(axes.xaxis, [8, 12, 16, 20, 28], ["8", "12", "16", "20", "28"])
        axes.minorticks_off()
    place_ticks(left.yaxis, [3, 10, 30], ["3", "10", "30"])
    place_ticks(right.yaxis, [3, 10, 30, 100, 300, 1000], ["3", "10", "30", "100", "300", "1000"])
    left.legend()
    return figure


def stacks() -> Figure:
    r"""Two stacks: one reads the rows above, the other its own row and the first stack."""
    boxes = [Box("v0", 0, 1.4, "image", DATA, 1.0), Box("h0", 0, 0, "image", DATA, 1.0)]
    wires = []
    for layer, words in ((1, "one row down"), (2, ""), (3, "")):
        boxes += [
            Box(f"v{layer}", 2.0 * layer, 1.4, "rows above", SERIES[0], 1.5),
            Box(f"h{layer}", 2.0 * layer, 0, "left, own row", SERIES[1], 1.6),
        ]
        wires += [
            Wire(f"v{layer - 1}", f"v{layer}", colour=SERIES[0]),
            Wire(f"h{layer - 1}", f"h{layer}", colour=SERIES[1]),
            Wire(f"v{layer}", f"h{layer}", words, shift=0.75, lift=0.0),
        ]
    boxes.append(Box("p", 8.1, 0, "p(pixel)", MODEL, 1.1))
    wires.append(Wire("h3", "p"))
    return schematic(boxes, wires, width=5.8, height=1.9)
