"""Explorables that exercise every control and every kind of change, for the pages under test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from genbook.kit import plotting
from genbook.kit.explore import standalone, steps
from genbook.kit.explore.controls import grid
from genbook.kit.explore.frames import Artist

X = np.linspace(-6, 6, 150)


def curves(mu: float, sigma: float) -> Figure:
    figure, (left, right) = plotting.subplots(1, 2)
    p = 0.5 * np.exp(-0.5 * (X - 2) ** 2) + 0.5 * np.exp(-0.5 * (X + 2) ** 2)
    q = np.exp(-0.5 * ((X - mu) / sigma) ** 2) / sigma
    left.plot(X, p, color=plotting.DATA, label="p")
    left.plot(X, q, color=plotting.MODEL, label="q")
    left.set(xlim=(-6, 6), ylim=(0, 2), xlabel="x", title=rf"$\mu$ = {mu:.2f}, $\sigma^2$")
    left.legend(loc="upper right")
    right.fill_between(X, p - q, alpha=0.3, color=plotting.CRITIC)
    right.plot(X[::10], (p - q)[::10], "o", color=plotting.GRADIENT)
    right.set(xlim=(-6, 6), ylim=(-2, 1))
    right.set_title("p − q", color=plotting.CRITIC)
    figure.set_label(f"The largest q is {q.max():.2f}.")
    return figure


def shapes(kind: str, bars: bool) -> Figure:
    figure, axes = plotting.subplots(height=2)
    rng = np.random.default_rng(len(kind))
    if kind == "points":
        axes.scatter(rng.normal(size=20), rng.normal(size=20), color=plotting.DATA)
    elif kind == "arrows":
        axes.quiver([-1, 0, 1], [0, 0, 0], [1, 0, 1], [1, 1, -1], color=plotting.MODEL)
    else:
        axes.contour(np.add.outer(np.arange(9) ** 2, np.arange(9)), extent=(-2, 2, -2, 2))
    if bars:
        axes.bar([-1, 0, 1], [1, 2, 1.5], width=0.3, color=plotting.MUTED)
    axes.set(xlim=(-3, 3), ylim=(-3, 3))
    return figure


def training(step: int) -> Figure:
    figure, (left, right) = plotting.subplots(1, 2, height=2)
    left.plot(np.arange(step + 1), 0.9 ** np.arange(step + 1), color=plotting.MODEL)
    left.set(xlim=(0, 12), ylim=(0, 1.1), xlabel="step")
    image = np.abs(np.sin(np.arange(64).reshape(8, 8) * (step + 1) / 20))
    right.imshow(image, vmin=0, vmax=1, interpolation="nearest")
    right.set_axis_off()
    return figure


@dataclass(frozen=True)
class Case:
    """A call of ``explore``."""

    draw: Any
    controls: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)

    def html(self) -> str:
        name = self.draw.__name__
        return standalone(
            self.draw,
            caption=f"What <em>{name}</em> shows.",
            alt=f"A drawing of {name}.",
            **self.options,
            **self.controls,
        )

    def artist(self, salt: str) -> Artist:
        board = grid(self.draw, self.controls, start=self.options.get("start"))
        return Artist(self.draw, board, salt=salt, alt=f"A drawing of {self.draw.__name__}.")


CASES = {
    "curves": Case(
        curves,
        {"mu": (-4, 4, 1), "sigma": (0.25, 3, 0.25)},
        {"drag": ("mu", "sigma"), "labels": {"mu": "mean μ of q"}, "units": {"sigma": "cm"}},
    ),
    "shapes": Case(shapes, {"kind": ["points", "arrows", "contours"], "bars": True}),
    "training": Case(training, {"step": steps(12)}, {"start": {"step": 3}}),
}
