"""Drawings of the chapter on PixelCNN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn.functional import max_pool2d

from genbook.kit.plotting import CRITIC, DATA, GRADIENT, MODEL, MUTED, SERIES, image_grid, subplots
from genbook.kit.schematic import Box, Wire, schematic
from genbook.pixelcnn import receptive_field
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


def field(row: int, column: int, depth: int, kernel: int, network: str) -> Figure:
    r"""What one output sees, what it misses, and itself.

    Args:
        row: of the output.
        column: of the output.
        depth: layers.
        kernel: side.
        network: one of :data:`NETWORKS`.

    Returns:
        One panel, and a panel with counts.
    """
    at = (SIDE - 1 - int(row), int(column))
    seen = seen_by(network, at, int(kernel), int(depth))
    earlier = before((SIDE, SIDE), at)
    box = blind_spot((SIDE, SIDE), at, int(kernel), int(depth))
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
    counts = [int((seen & earlier).sum()), int(missed.sum()), int(seen[at])]
    names = ["seen before it", "in the box, missed", "itself"]
    colours = [DATA, GRADIENT, MUTED]
    right.barh([2, 1, 0], counts, color=colours, height=0.6)
    right.set_yticks([2, 1, 0], names)
    right.set(xlim=(0, 115), title="pixels")
    right.grid(False, axis="y")
    leak = " It sees itself: a leak." if seen[at] else ""
    figure.set_label(f"{counts[0]} seen, {counts[1]} in the blind spot.{leak}")
    return figure


class Scrub:
    r"""One image that is painted, and the predictions on the way.

    Args:
        image: shape ``[H, W]``, zeros and ones.
        white: probability that each pixel is white, given those before it, ``[H, W]``.
    """

    def __init__(self, image: Tensor, white: Tensor) -> None:
        self.image, self.white = image, white

    def __call__(self, painted: int) -> Figure:
        r"""The picture after so many pixels.

        Args:
            painted: how many.

        Returns:
            Three panels.
        """
        height, width = self.image.shape
        count = min(int(painted), height * width - 1)
        done = torch.arange(height * width).view(height, width) < count
        row, column = divmod(count, width)
        figure, axes = subplots(1, 3, width=7.4, height=2.6, width_ratios=[1, 1, 0.7])
        _half_done(axes[0], self.image, done, (row, column), "painted so far")
        _half_done(axes[1], self.white, done, (row, column), "p(white) when it was drawn")
        chance = float(self.white[row, column])
        axes[2].bar([0, 1], [1 - chance, chance], color=MODEL, width=0.6)
        axes[2].set_xticks([0, 1], ["black", "white"])
        axes[2].set(ylim=(0, 1), xlim=(-0.6, 1.6), title="next pixel")
        figure.set_label(f"pixel {count}: p(white) = {chance:.3f}")
        return figure


def _half_done(axes: Axes, image: Tensor, done: Tensor, at: tuple[int, int], title: str) -> None:
    grey = torch.where(done, image, torch.full_like(image, 0.5)).double()
    rgb = grey[..., None].expand(*grey.shape, 3).numpy().copy()
    rgb[at] = to_rgb(MODEL)
    axes.imshow(rgb, interpolation="nearest")
    axes.set_title(title)
    axes.set_axis_off()


class Completions:
    r"""Digits whose lower part was taken away, and what the model puts there.

    Args:
        truth: shape ``[N, 1, H, W]``.
        filled: rows kept → completions ``[K, N, 1, H, W]``.
    """

    def __init__(self, truth: Tensor, filled: Mapping[int, Tensor]) -> None:
        self.truth, self.filled = truth, filled

    def __call__(self, rows: int) -> Figure:
        r"""The picture with so many rows given.

        Args:
            rows: given, from the top.

        Returns:
            One panel.
        """
        given = self.truth.clone()
        given[:, :, int(rows) :] = 0.5
        tiles = torch.cat([self.truth, given, *self.filled[int(rows)]])
        figure, axes = subplots(width=7.0, height=3.6)
        image_grid(axes, tiles, columns=len(self.truth))
        axes.set_title(f"truth, given ({int(rows)} rows), completions")
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
        numbers, look = values.numpy(), {"histtype": "stepfilled", "density": True}
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
        axes.set_xticks([8, 12, 16, 20, 28], ["8", "12", "16", "20", "28"])
        axes.minorticks_off()
    left.set_yticks([3, 10, 30], ["3", "10", "30"])
    right.set_yticks([3, 10, 30, 100, 300, 1000], ["3", "10", "30", "100", "300", "1000"])
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
