"""Drawings of the chapter on PixelCNN."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure
from torch import Tensor

from genbook import pixel_reach
from genbook.kit.plotting import DATA, MODEL, image_grid, subplots
from genbook.pixelcnn import PixelModel


def field(row: int, column: int, layers: int, kernel: int, mask: str) -> Figure:
    r"""What one pixel has seen, and what it has missed.

    Args:
        row: of the pixel, 0 to 10.
        column: of the pixel, 0 to 12.
        layers: masked convolutions.
        kernel: their side.
        mask: ``"one stack"`` or ``"two stacks"``.

    Returns:
        One panel.
    """
    size, at = (11, 13), (row, column)
    seen = pixel_reach.gated_field(size, at, kernel, layers)
    blind = pixel_reach.blind_spot(size, at, kernel, layers)
    shade = torch.where(seen, 0.55, 0.0)
    if mask == "one stack":
        shade[blind] = 0.2
    figure, axes = subplots(width=4.6, height=3.6)
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1)
    axes.plot([column], [row], "s", color=MODEL, markersize=12)
    axes.set(xlim=(-0.5, 12.5), ylim=(10.5, -0.5), xlabel="column", ylabel="row")
    missed = int(blind.sum()) if mask == "one stack" else 0
    figure.set_label(f"missed: {missed} of {int(seen.sum())} pixels in the box")
    return figure


def painting(image: Tensor, net: PixelModel, step: int) -> Figure:
    r"""An image as it grows, and the chance that the next pixel is white.

    Args:
        image: a finished sample, shape ``[1, 1, H, W]``.
        net: what painted it.
        step: the pixel to come, in reading order.

    Returns:
        Two panels.
    """
    height, width = image.shape[2:]
    row, column = divmod(min(step, height * width - 1), width)
    so_far = image * pixel_reach.before((height, width), (row, column))
    with torch.no_grad():
        chance = net(so_far).softmax(2)[0, 0, 1, row, column].item()
    figure, (left, right) = subplots(1, 2, width=6.4, height=2.8)
    left.imshow(so_far[0, 0], cmap="gray", vmin=0, vmax=1)
    left.plot([column], [row], "s", color=MODEL, markersize=5)
    left.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), title="painted so far")
    right.bar([0, 1], [1 - chance, chance], color=DATA)
    right.set(xlim=(-0.6, 1.6), ylim=(0, 1), xticks=[0, 1], title="the next pixel")
    right.set_xticklabels(["black", "white"])
    figure.set_label(f"P(white) = {chance:.2f}")
    return figure


def completions(done: dict[int, Tensor], rows: int) -> Figure:
    r"""Several ways to finish the same images.

    Args:
        done: known rows → images ``[N, 1, H, W]``.
        rows: how many rows were given.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=5.2, height=2.8)
    image_grid(axes, done[rows], columns=8)
    axes.set_title(f"the first {rows} rows are given")
    return figure


def surprises(ordinary: Tensor, strange: dict[str, Tensor]) -> Figure:
    r"""Histograms of the cost of images.

    Args:
        ordinary: nats, shape ``[N]``.
        strange: name → nats.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.4, height=2.6)
    axes.hist(ordinary, bins=24, color=DATA, alpha=0.6, label="held-out digits")
    for name, style in zip(strange, ("-", "--", ":"), strict=False):
        axes.axvline(strange[name].mean().item(), color=MODEL, linestyle=style, label=name)
    axes.set(xlabel="−log p(x), nats", ylabel="images")
    axes.legend()
    return figure
