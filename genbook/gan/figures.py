"""Drawings of the chapter on the GAN's optimum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Distribution, Normal

from genbook.divergences import densities
from genbook.divergences.densities import grid
from genbook.gan import costs as gan_costs
from genbook.gan import optimum
from genbook.gan.bilinear import METHODS, SmallGame, growth, orbit
from genbook.gan.scenes import Scene
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    SERIES,
    image_grid,
    subplots,
    tint,
)
from genbook.kit.schematic import Box, Wire, schematic

STEPS = 120
_LABELS = ((0.5, "right", 0.03), (0.7, "right", -0.06), (0.93, "right", -0.07), (0.8, "left", 0.0))
"""Where :func:`learned` writes a curve's name: its height, the side, how far above."""


def target() -> Distribution:
    r"""The chapter's data on the line: a broad bump and a narrow one.

    Returns:
        A mixture of two Gaussians.
    """
    return densities.mixture(
        torch.tensor([0.6, 0.4], dtype=torch.float64),
        torch.tensor([-1.0, 1.5], dtype=torch.float64),
        torch.tensor([0.7, 0.4], dtype=torch.float64),
    )


@lru_cache(maxsize=4096)
def _game_value(mu: float, sigma: float) -> float:
    x = grid(-16, 16, 3201)
    return float(optimum.criterion(target().log_prob(x), Normal(mu, sigma).log_prob(x), x))


def duel(mu: float, sigma: float) -> Figure:
    r"""A Gaussian generator against the data: D*, the value, and both pushes on samples.

    Args:
        mu: mean of the generator.
        sigma: its standard deviation.

    Returns:
        Three panels.
    """
    x, data = grid(-6, 6, 121), target()
    model = Normal(mu, sigma)
    log_p, log_g = data.log_prob(x), model.log_prob(x)
    figure, (left, middle, right) = subplots(1, 3, width=8.6, height=2.9, width_ratios=[1.2, 1, 1])
    left.plot(x, log_p.exp(), color=DATA, label="p_data")
    left.plot(x, log_g.exp(), color=MODEL, label="p_g")
    left.plot(x, optimum.optimal_discriminator(log_p, log_g), color=CRITIC, label="D*")
    left.set(xlim=(-6, 6), ylim=(0, 1.35), xlabel="x", title="densities and D*")
    left.legend(loc="upper center", ncols=3)
    means = grid(-5, 5, 41)
    values = [_game_value(float(mean), sigma) for mean in means]
    here = _game_value(mu, sigma)
    middle.plot(means, values, color=CRITIC)
    middle.plot([mu], [here], "o", color=CRITIC)
    middle.axhline(-math.log(4), color=MUTED, linewidth=1, linestyle=":")
    middle.set(xlim=(-5, 5), ylim=(-1.5, 0.1), xlabel="mean of p_g", title="V(D*, G) in nats")
    js = (here + math.log(4)) / 2
    middle.text(0, -0.22, f"JS = {js:.3f} of 0.693", ha="center", fontsize=8.5)
    points = model.icdf(grid(0.02, 0.98, 25))

    def logit(y: Tensor) -> Tensor:
        return data.log_prob(y) - model.log_prob(y)

    for cost, style in ((gan_costs.SATURATING, "--"), (gan_costs.NON_SATURATING, "-")):
        push = gan_costs.pushes(cost, logit, points).clamp(-6, 6)
        right.plot(points, push, style, color=GRADIENT, label=cost.symbol)
    right.axhline(0, color=MUTED, linewidth=1)
    right.set(xlim=(-6, 6), ylim=(-6.5, 8.5), xlabel="sample x", title="push on a sample, −dℓ/dx")
    right.legend(loc="upper center", ncols=2)
    figure.set_label(f"V(D*, G) is {here:.3f} nats, JS is {js:.3f} nats")
    return figure


def costs() -> Figure:
    r"""The three costs of a generator and their slopes against D at a sample.

    Returns:
        Two panels.
    """
    logit = grid(-6, 3.5, 120).requires_grad_()
    d = torch.sigmoid(logit).detach()
    figure, (left, right) = subplots(1, 2, width=7.0, height=2.6)
    for cost, color in zip(gan_costs.COSTS, SERIES, strict=False):
        loss = cost.loss(logit)
        (slope,) = torch.autograd.grad(loss.sum(), logit)
        left.plot(d, loss.detach().clamp(-8, 6), color=color, label=cost.symbol)
        right.plot(d, -slope, color=color, label=cost.symbol)
    left.set(xlim=(0, 1), ylim=(-8, 6), xlabel="D at the sample", title="cost")
    right.set(xlim=(0, 1), ylim=(0, 2), xlabel="D at the sample", title="pull on the logit, −dℓ/dv")
    left.legend(loc="lower left")
    return figure


def pinned(theta: Tensor, value: Tensor, js: Tensor) -> Figure:
    r"""The value of the game for two unit intervals at a distance.

    Args:
        theta: distances, ``[n]``.
        value: V(D*, G), ``[n]``.
        js: Jensen–Shannon divergence, ``[n]``.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.0, height=2.5)
    axes.plot(theta, value, color=CRITIC, label="V(D*, G)")
    axes.plot(theta, js, color=SERIES[0], label="JS")
    axes.axhline(math.log(2), color=MUTED, linewidth=1, linestyle=":")
    axes.set(xlim=(-3, 3), ylim=(-1.5, 0.9), xlabel="θ", ylabel="nats")
    axes.legend(loc="lower left")
    return figure


@lru_cache(maxsize=512)
def _path(method: str, power: int, tied: bool) -> tuple[np.ndarray, float]:
    game = small_game(2.0**power, tied)
    start = torch.tensor([1.0, 0.0], dtype=torch.float64)
    step = METHODS[method]
    return orbit(step, game, start, STEPS).numpy(), growth(step, game)


def small_game(ratio: float, tied: bool) -> SmallGame:
    r"""The game of the explorable: rates whose product is 0.25², y's being ``ratio`` times x's.

    Args:
        ratio: y's rate over x's.
        tied: whether y is tied down by a curvature of 0.2.

    Returns:
        The game.
    """
    root = math.sqrt(ratio)
    return SmallGame(0.25 / root, 0.25 * root, 0.2 if tied else 0.0)


def circling(method: str, power: int, tied: bool) -> Figure:
    r"""Paths of the xy game.

    Args:
        method: one of :data:`genbook.gan.bilinear.METHODS`.
        power: y's learning rate is 2 to this power times x's.
        tied: whether y is tied down.

    Returns:
        Two panels: the path; the distance from the equilibrium.
    """
    game = small_game(2.0**power, tied)
    path, factor = _path(method, power, tied)
    figure, (left, right) = subplots(1, 2, width=7.4, height=3.0, width_ratios=[1, 1.25])
    shown = np.clip(path, -4, 4)
    left.plot(shown[:, 0], shown[:, 1], color=MUTED, linewidth=1.2)
    left.plot([shown[-1, 0]], [shown[-1, 1]], "o", color=MODEL, markersize=7)
    left.plot([0], [0], "+", color=INK, markersize=9)
    left.set(xlim=(-4, 4), ylim=(-4, 4), xlabel="x (generator)", ylabel="y (discriminator)")
    left.set_aspect("equal")
    left.set_title(f"rates {game.x_rate:.3f} and {game.y_rate:.3f}")
    radius = np.hypot(path[:, 0], path[:, 1])
    right.plot(np.clip(radius, 0.001, 100), color=MODEL)
    right.set(xlim=(0, STEPS), ylim=(0.001, 100), yscale="log", xlabel="step")
    verdict = "flies apart" if factor > 1 + 1e-9 else "converges" if factor < 1 - 1e-9 else "cycles"
    right.set_title(f"distance × {factor:.4f} a step: {verdict}")
    figure.set_label(f"{method}: {verdict}, a factor of {factor:.4f} a step")
    return figure


def arena(
    runs: Mapping[str, Sequence[Scene]], real: Tensor, frame: int, mode: str, reach: float = 3.5
) -> Figure:
    r"""A moment of a game in the plane: the discriminator's field and the generator's arrows.

    Args:
        runs: mode → scenes.
        real: a few samples of the data, ``[n, 2]``.
        frame: which scene.
        mode: which run.
        reach: half the width of the field.

    Returns:
        Two panels: the plane; the mean of D at the generator's samples, so far.
    """
    scenes = runs[mode]
    now = scenes[frame]
    figure, (left, right) = subplots(1, 2, width=7.2, height=3.5, width_ratios=[1.25, 1])
    box = (-reach, reach, -reach, reach)
    left.imshow(
        tint(2 * now.field - 1), extent=box, origin="lower", zorder=0, interpolation="nearest"
    )
    left.plot(real[:, 0], real[:, 1], ".", color=DATA, markersize=3)
    lengths = now.arrows.norm(dim=1, keepdim=True)
    drawn = 0.25 * now.arrows * (4.0 / lengths.clamp_min(4.0))
    tips = (now.points + drawn).clamp(-reach, reach)
    points = now.points.clamp(-reach, reach)
    gap = torch.full_like(points, math.nan)
    lines = torch.stack([points, tips, gap], 1).flatten(0, 1)
    left.plot(lines[:, 0], lines[:, 1], color=GRADIENT, linewidth=1.4)
    left.plot(points[:, 0], points[:, 1], "o", color=MODEL, markersize=3.5)
    left.set(xlim=(-reach, reach), ylim=(-reach, reach))
    left.set_title(f"round {now.iteration}: D and the pushes on samples")
    left.set_aspect("equal")
    left.grid(False)
    rounds = [moment.iteration for moment in scenes]
    force = [float(moment.arrows.norm(dim=1).mean()) for moment in scenes]
    right.plot(rounds, np.clip(force, 0.02, 50), color=GRADIENT)
    right.plot([now.iteration], [min(max(force[frame], 0.02), 50)], "o", color=GRADIENT)
    right.set(xlim=(0, rounds[-1]), ylim=(0.02, 50), yscale="log", xlabel="round")
    right.set_title("mean length of a push")
    return figure


def learned(x: Tensor, exact: Tensor, trained: Tensor, shifts: Sequence[float]) -> Figure:
    r"""D* and the D of trained networks, one curve each for several generators.

    Args:
        x: grid, ``[n]``.
        exact: D*, ``[k, n]``.
        trained: ``[k, n]``.
        shifts: the generators' means, k of them.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.4, height=2.6)
    for index, shift in enumerate(shifts):
        axes.plot(x, exact[index], color=MUTED, linewidth=3.5, alpha=0.5)
        axes.plot(x, trained[index], color=CRITIC, linewidth=1.2)
        level, side, drop = _LABELS[index % len(_LABELS)]
        at = int((exact[index] - level).abs().argmin()) if shift else len(x) - 1
        axes.text(float(x[at]), level + drop, f" mean {shift:g} ", fontsize=8, ha=side)
    axes.set(xlim=(float(x[0]), float(x[-1])), ylim=(0, 1), xlabel="x", ylabel="D")
    return figure


def on_the_line(samples: Tensor, data: Distribution, logit: Tensor, x: Tensor) -> Figure:
    r"""Samples of trained generators on the line, and what their discriminators say.

    Args:
        samples: **[S, n]**.
        data: the truth.
        logit: of the discriminators at ``x``, **[S, k]**.
        x: grid, ``[k]``.

    Returns:
        Two panels.
    """
    figure, (left, right) = subplots(1, 2, width=7.0, height=2.5)
    edges = np.linspace(-4, 4, 61)
    for row, field in zip(samples, logit, strict=True):
        height, _ = np.histogram(row.numpy(), bins=edges, density=True)
        left.stairs(height, edges, color=MODEL, alpha=0.7)
        right.plot(x, torch.sigmoid(field), color=CRITIC, linewidth=1.2)
    left.plot(x, data.log_prob(x).exp(), color=DATA)
    left.set(xlim=(-4, 4), ylim=(0, 0.8), xlabel="x", title="p_data and samples")
    right.axhline(0.5, color=MUTED, linewidth=1, linestyle=":")
    right.set(xlim=(-4, 4), ylim=(0, 1), xlabel="x", title="D")
    return figure


def head_start(steps: Sequence[int], norms: Mapping[str, Sequence[float]]) -> Figure:
    r"""The generator's gradient while the discriminator trains alone.

    Args:
        steps: of the discriminator.
        norms: cost's symbol → norm at each step.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.4, height=2.5)
    for (symbol, values), style in zip(norms.items(), ("--", "-"), strict=True):
        axes.plot(steps, values, style, color=GRADIENT, label=symbol)
    axes.set(yscale="log", xlabel="steps of D alone", ylabel="norm of the gradient")
    axes.legend(loc="center right")
    return figure


def galleries(rows: Mapping[str, Tensor], size: tuple[int, int], columns: int = 8) -> Figure:
    r"""Grids of images side by side.

    Args:
        rows: title → images as rows, ``[n, d]``.
        size: height and width of an image.
        columns: images in a row.

    Returns:
        One panel a grid.
    """
    figure, panels = subplots(1, len(rows), width=2.6 * len(rows), height=2.3, squeeze=False)
    for axes, (title, table) in zip(panels[0], rows.items(), strict=True):
        image_grid(axes, table.reshape(-1, 1, *size), columns=columns)
        axes.set_title(title, fontsize=9)
    return figure


def machinery() -> Figure:
    r"""Who gives what to whom in the game."""
    return schematic(
        [
            Box("z", 0, 0, "noise z", width=1.0, framed=False),
            Box("g", 1.8, 0, "generator G", MODEL, 1.6),
            Box("x", 1.8, 1.4, "data x", DATA, 1.6),
            Box("d", 4.5, 0.7, "discriminator\nD", CRITIC, 1.8, 0.9),
            Box("v", 6.9, 0.7, "V(D, G)", width=1.1),
        ],
        [
            Wire("z", "g"),
            Wire("g", "d", "fakes", colour=MODEL, lift=-0.2, shift=0.2),
            Wire("x", "d", "reals", colour=DATA, lift=0.2, shift=0.2),
            Wire("d", "v"),
            Wire("v", "d", "D climbs", colour=CRITIC, dashed=True, bend=-0.8, lift=0.17),
            Wire("v", "g", "G descends", colour=GRADIENT, dashed=True, bend=0.35, lift=-0.17),
        ],
        width=5.6,
        height=2.3,
    )
