"""Drawings of the chapter on how far a layer may stretch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from genbook.invertible import inverses, norms, traces
from genbook.invertible.flows import IResNet
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    image_grid,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic

STEPS = 60
FLOOR = 1e-8
SENT = {"near 0": 0.2, "far from 0": 1.2}
"""The x that a reader sends through the block."""


def lost(c: float, kind: str, sent: str) -> Figure:
    r"""A block on the line, and the error of the way back.

    Args:
        c: how long g is.
        kind: ``pulls`` or ``pushes``.
        sent: a name of :data:`SENT`.

    Returns:
        Two panels: y over x with the x sent and where the iteration ends; the error over its steps.
    """
    x = torch.tensor([SENT[sent]], dtype=torch.float64)
    y = x + inverses.bend(x, c, kind)
    stops = inverses.way_back(lambda v: inverses.bend(v, c, kind), y, STEPS)[:, 0]
    errors = (stops - x).abs().clamp_min(FLOOR)
    line = torch.linspace(-2, 2, 161, dtype=torch.float64)
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.9)
    left.plot(line, line + inverses.bend(line, c, kind), color=MODEL, label="y = x + g(x)")
    left.axhline(float(y), color=MUTED, linewidth=0.9)
    left.plot(stops[-2:], y.expand(2), "o", color=GRADIENT, markersize=8, label="the way back ends")
    left.plot(x, y, "o", color=DATA, markersize=5, label="x, as it was sent")
    left.set(xlim=(-2, 2), ylim=(-4, 6), xlabel="x", title=f"y = {float(y):.3f}")
    left.legend(loc="upper left")
    n = torch.arange(STEPS + 1, dtype=torch.float64)
    right.semilogy(n, errors, color=GRADIENT, label="error")
    bound = torch.full_like(n, torch.nan)
    if c < 1:
        bound = inverses.error_bound(c, n, (stops[1] - stops[0]).abs())
    right.semilogy(n, bound.clamp_min(FLOOR), "--", color=INK, linewidth=1, label="bound")
    right.set(xlim=(0, STEPS), ylim=(FLOOR / 2, 1e3), xlabel="steps back", title="distance from x")
    right.legend(loc="lower left")
    return figure


def block() -> Figure:
    r"""The schematic: a residual block and its way back.

    Returns:
        One panel.
    """
    boxes = [
        Box("x", 0, 0, "x", framed=False, width=0.4),
        Box("g", 1.5, 0.85, "g,  Lip ≤ c", MODEL, width=1.5),
        Box("plus", 3, 0, "+", width=0.5, height=0.5),
        Box("y", 4.3, 0, "y", framed=False, width=0.4),
        Box("back", 3, -1.15, "y − g(xₙ)", MODEL, width=1.4),
        Box("guess", 0.5, -1.15, "xₙ₊₁", framed=False, width=0.8),
    ]
    wires = [
        Wire("x", "plus", share=0.4),
        Wire("x", "g"),
        Wire("g", "plus"),
        Wire("plus", "y", share=0.4),
        Wire("y", "back", dashed=True),
        Wire("back", "guess", dashed=True, bend=-0.25),
        Wire("guess", "back", dashed=True, words="again", bend=-0.25, lift=-0.2),
    ]
    return schematic(boxes, wires, width=5.2, height=2.6)


@lru_cache(maxsize=8)
def _cold(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    weight, start = norms.cold_start(64, 32, [seed])
    _, values, right = torch.linalg.svd(weight[0], full_matrices=False)
    return values, right @ start[0], norms.estimates(weight, start, 20)[:, 0]


def cold(steps: int, seed: int) -> Figure:
    r"""Power iteration from a cold start on a Gaussian matrix of 64 × 32.

    Args:
        steps: k.
        seed: of the matrix and the start.

    Returns:
        Two panels: how much of each singular direction is left in u; the estimate over its steps.
    """
    values, parts, seen = _cold(seed)
    share = parts.square() * (values / values[0]) ** (4 * steps)
    share = (share / share.sum()).sqrt()
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.7)
    left.vlines(values, 0, share, color=MODEL)
    left.plot(values, share, "o", color=MODEL, markersize=4)
    left.set(xlim=(0, 1.85), ylim=(0, 1.1), xlabel="singular value", title="what u is made of")
    right.plot(np.arange(1, 21), seen / values[0], color=CRITIC)
    right.plot([steps], [seen[steps - 1] / values[0]], "o", color=CRITIC)
    right.axhline(1, color=MUTED, linewidth=0.9)
    share_of = float(seen[steps - 1] / values[0])
    right.set(xlim=(0, 21), ylim=(0.5, 1.05), xlabel="steps")
    right.set_title(f"{share_of:.3f} of the norm: the layer is {1 / share_of:.3f} long")
    return figure


KERNELS = ("all ones", "a soft brush", "an edge", "noise")
SIDE = 16


def _kernel(kind: str, width: int) -> Tensor:
    if kind == "all ones":
        return torch.ones(1, 1, width, width, dtype=torch.float64)
    if kind == "a soft brush":
        return inverses.soft_brush(width)
    if kind == "an edge":
        half = torch.linspace(-1, 1, width, dtype=torch.float64)
        return half.expand(1, 1, width, width).clone()
    generator = torch.Generator().manual_seed(3)
    return torch.randn(1, 1, width, width, generator=generator, dtype=torch.float64)


def waves(kind: str, width: int) -> Figure:
    r"""A kernel, what it does to each wave, and its two norms.

    Args:
        kind: one of :data:`KERNELS`.
        width: of the kernel, odd.

    Returns:
        Three panels: the kernel; :math:`|\hat K(\omega)|`; both norms and √(hw) times the first.
    """
    kernel = _kernel(kind, width)
    reshaped = float(norms.reshaped_norm(kernel))
    true = float(norms.convolution_norm(kernel, SIDE, SIDE))
    response = torch.fft.fftshift(torch.fft.fft2(kernel[0, 0], s=(SIDE, SIDE)).abs())
    shape = [0.8, 1, 1.3]
    figure, (left, middle, right) = subplots(1, 3, width=7.6, height=2.5, width_ratios=shape)
    framed = torch.zeros(7, 7, dtype=torch.float64)
    rim = (7 - width) // 2
    framed[rim : 7 - rim, rim : 7 - rim] = kernel[0, 0] / kernel.abs().max()
    left.imshow(framed.numpy(), cmap="gray_r", vmin=-1, vmax=1, interpolation="none")
    left.set(xticks=[], yticks=[], title="the kernel")
    middle.imshow((response / true).numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="none")
    middle.set(xticks=[], yticks=[], title="how far it stretches each wave")
    bars = [1.0, true / reshaped, float(width)]
    right.barh([2, 1, 0], bars, color=[MUTED, MODEL, MUTED], height=0.55)
    for row, value in zip((2, 1, 0), bars, strict=True):
        right.text(value + 0.1, row, f"{value:.2f}", va="center", fontsize=8)
    place_ticks(right.yaxis, [2, 1, 0], ["reshaped", "convolution", "√(hw) · reshaped"])
    right.set(xlim=(0, 8.4), title="norm / reshaped norm")
    right.grid(False, axis="y")
    return figure


@lru_cache(maxsize=1)
def _drawn() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    j = torch.randn(8, 8, generator=generator, dtype=torch.float64)
    return j / torch.linalg.matrix_norm(j, 2)


TERMS = 30


def series(c: float, terms: int) -> Figure:
    r"""The truncated series: of one number, and of a matrix with its bound.

    Args:
        c: how long J is.
        terms: n.

    Returns:
        Two panels: ln(1 + x) and n terms of its series; the error of n terms for an 8 × 8 J.
    """
    x = torch.linspace(-c, c, 81, dtype=torch.float64)
    summed = sum(((-1) ** (k - 1) / k * x**k for k in range(1, terms + 1)), torch.zeros_like(x))
    j = c * _drawn()
    exact = traces.log_det(j)
    every = traces.every(8, j)
    counts = list(range(1, TERMS + 1))
    errors = [
        float((traces.log_det_series(lambda v: v @ j, every, n) - exact).abs()) for n in counts
    ]
    bounds = [traces.truncation_bound(c, 8, n) for n in counts]
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.8)
    left.plot(x, torch.log1p(x), color=DATA, label="ln(1 + x)")
    left.plot(x, summed, "--", color=MODEL, label=f"n = {terms} terms")
    left.set(xlim=(-1, 1), ylim=(-3.2, 1.2), xlabel="an eigenvalue of J")
    left.set_title("the series, eigenvalue by eigenvalue")
    left.legend(loc="lower right")
    right.semilogy(counts, np.maximum(errors, 1e-16), color=MODEL, label="error")
    right.semilogy(counts, bounds, "--", color=INK, linewidth=1, label="bound")
    right.plot([terms], [max(errors[terms - 1], 1e-16)], "o", color=MODEL)
    right.set(xlim=(0, TERMS + 1), ylim=(1e-17, 1e3), xlabel="terms", title="nats, one J of 8 × 8")
    right.legend(loc="lower left")
    return figure


def home(images: Tensor, rows: Mapping[str, Tensor], shown: tuple[int, ...]) -> Figure:
    r"""Images, what a block makes of them, and the way back under several norms.

    Args:
        images: **[N, 1, H, W]**.
        rows: title → stops of the way back, **[n + 1, N, 1, H, W]**.
        shown: which stops.

    Returns:
        One panel a row of stops.
    """
    figure, panels = subplots(len(rows), 1, width=6.6, height=1.25 * len(rows) + 0.2)
    for axes, (title, stops) in zip(np.atleast_1d(panels), rows.items(), strict=True):
        strip = torch.cat([images[:1], *(stops[n][:1] for n in shown)]).float()
        image_grid(axes, strip, columns=len(shown) + 1)
        axes.set_title(title, fontsize=8.5)
    return figure


EDGE, GRID = 4.0, 81


@torch.no_grad()
def _density(net: IResNet) -> Tensor:
    ticks = torch.linspace(-EDGE, EDGE, GRID)
    up, across = torch.meshgrid(ticks, ticks, indexing="ij")
    return net.log_prob(torch.stack([across, up], -1).reshape(-1, 2)).exp().reshape(GRID, GRID)


def densities(points: Tensor, nets: Mapping[str, IResNet]) -> Figure:
    r"""Data in the plane, and the density of each network.

    Args:
        points: **[N, 2]**.
        nets: title → network of two features.

    Returns:
        One panel more than there are networks.
    """
    figure, axes = subplots(1, len(nets) + 1, width=7.4, height=2.7)
    axes[0].plot(*points[:1500].T, "o", color=DATA, markersize=1)
    axes[0].set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE), xticks=[], yticks=[], title="data")
    axes[0].set_aspect("equal")
    for panel, (title, net) in zip(axes[1:], nets.items(), strict=True):
        shade = _density(net).sqrt()
        panel.imshow(
            shade.numpy(), cmap="Oranges", origin="lower", vmin=0, vmax=0.55, interpolation="none",
            extent=(-EDGE, EDGE, -EDGE, EDGE),
        )  # fmt: skip
        panel.set(xticks=[], yticks=[], title=title)
    return figure
