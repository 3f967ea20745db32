"""Drawings of the chapter on divergences."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributions import Distribution, MixtureSameFamily, Normal

from genbook.divergences import densities, fitting, measures, order
from genbook.divergences.densities import grid
from genbook.kit.plotting import CRITIC, DATA, MODEL, MUTED, SERIES, place_ticks, subplots
from genbook.kit.schematic import Box, Wire, schematic

CEILING = 0.8
STARTS = ((0.0, 2.0), (-2.0, 0.5), (2.0, 0.5))


@lru_cache(maxsize=4096)
def two_modes(separation: float, weight: float = 0.5, sigma: float = 0.5) -> MixtureSameFamily:
    r"""Two Gaussians at ± separation / 2.

    Args:
        separation: distance of the means.
        weight: share of the left one.
        sigma: width of both.

    Returns:
        The mixture.
    """
    half = separation / 2
    return densities.mixture(
        torch.tensor([weight, 1 - weight], dtype=torch.float64),
        torch.tensor([-half, half], dtype=torch.float64),
        torch.tensor([sigma, sigma], dtype=torch.float64),
    )


def who_pays(mu: float, sigma: float) -> Figure:
    r"""A Gaussian q against the two-mode p: densities, penalties, all divergences.

    Args:
        mu: mean of q.
        sigma: standard deviation of q.

    Returns:
        Three panels.
    """
    x = grid(-7, 7, 141)
    log_p = two_modes(4.0, 0.4, 0.7).log_prob(x)
    log_q = Normal(mu, sigma).log_prob(x)
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.9, width_ratios=[1, 1, 0.8])
    left.plot(x, log_p.exp(), color=DATA, label="p")
    left.plot(x, log_q.exp(), color=MODEL, label="q")
    left.set(xlim=(-7, 7), ylim=(0, 1.25), xlabel="x", title="densities")
    left.legend(loc="upper right", ncols=2)
    for divergence, color in ((measures.KL, DATA), (measures.REVERSE_KL, MODEL)):
        penalty = divergence.penalty(log_p, log_q).clamp_max(CEILING)
        middle.plot(x, penalty, color=color, label=divergence.symbol)
    middle.set(xlim=(-7, 7), ylim=(0, 1.05), xlabel="x", title="penalty at x (nats per unit)")
    place_ticks(middle.yaxis, [0, 0.2, 0.4, 0.6, CEILING], ["0", "0.2", "0.4", "0.6", "more"])
    middle.legend(loc="upper right", ncols=2)
    wide = grid(-30, 30, 3001)
    log_p, log_q = two_modes(4.0, 0.4, 0.7).log_prob(wide), Normal(mu, sigma).log_prob(wide)
    values = [float(measures.on_grid(d, log_p, log_q, wide)) for d in measures.DIVERGENCES]
    _bars(right, values)
    return figure


def _bars(axes: Axes, values: list[float]) -> None:
    """Bars on the scale log(1 + value), cut at a hundred with an open end."""
    heights = [math.log1p(min(value, 100.0)) for value in values]
    rows = np.arange(len(values))[::-1]
    axes.barh(rows, heights, color=MUTED, height=0.6)
    for row, value, height in zip(rows, values, heights, strict=True):
        text = f"{value:.2f}" if value < 100 else "→ > 100"
        axes.text(height + 0.1, row, text, va="center", fontsize=8)
    place_ticks(axes.yaxis, rows, [d.symbol for d in measures.DIVERGENCES])
    place_ticks(axes.xaxis, [math.log1p(v) for v in (0, 1, 10, 100)], ["0", "1", "10", "100"])
    axes.set(xlim=(0, 7.2), title="value (log(1 + value) scale)")
    axes.grid(False, axis="y")


def walk(first: float, other: float, share: float) -> Figure:
    r"""Eight divergences while q walks straight to p, two outcomes.

    Args:
        first: p of the first outcome.
        other: q of the first outcome, at the start.
        share: how much of the way is done, t.

    Returns:
        Two panels: p and :math:`q_t=(1-t)q+tp`; each divergence over its value at the start.
    """
    along = torch.linspace(0, 1, 41, dtype=torch.float64)
    p = torch.tensor([first, 1 - first], dtype=torch.float64)
    q = torch.tensor([other, 1 - other], dtype=torch.float64)
    path = (1 - along[:, None]) * q + along[:, None] * p
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.8, width_ratios=[0.7, 1.5])
    at = round(share * 40)
    left.bar(np.arange(2) - 0.2, p.numpy(), width=0.4, color=DATA, label="p")
    left.bar(np.arange(2) + 0.2, path[at].numpy(), width=0.4, color=MODEL, label="q")
    left.set(xlim=(-0.6, 1.6), ylim=(0, 1.3), title="two outcomes")
    place_ticks(left.xaxis, [0, 1], ["first", "second"])
    left.legend(loc="upper right", ncols=2)
    for divergence in measures.DIVERGENCES:
        if divergence is measures.TOTAL_VARIATION:
            continue
        values = measures.on_atoms(divergence, p.expand(41, -1), path)
        right.plot(along, values / values[0], color=MUTED, linewidth=0.9)
    values = measures.on_atoms(measures.TOTAL_VARIATION, p.expand(41, -1), path)
    right.plot(along, values / values[0], color=CRITIC, linewidth=2.2, label="TV")
    right.plot([], [], color=MUTED, linewidth=0.9, label="the other seven")
    right.plot([along[at]], [values[at] / values[0]], "o", color=CRITIC)
    right.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.1), xlabel="share of the way, t")
    right.set_title("divergence / its value at the start")
    right.legend(loc="upper right")
    now = {d.symbol: float(measures.on_atoms(d, p, path[at])) for d in measures.DIVERGENCES}
    figure.set_label(", ".join(f"{name} {value:.3f}" for name, value in now.items()))
    return figure


def which_fit_wins(separation: float, weight: float) -> Figure:
    r"""The best Gaussian under forward and reverse KL as the modes move apart.

    Args:
        separation: distance of the two modes.
        weight: share of the left mode.

    Returns:
        Two panels: the fits; the reverse KL of each stationary fit.
    """
    x = grid(-8, 8, 641)
    p = two_modes(separation, weight)
    log_p = p.log_prob(x)
    forward = fitting.fit_gaussian(measures.KL, log_p, x, start=(0.0, 2.0))
    half = separation / 2
    local = {
        "left start": fitting.fit_gaussian(measures.REVERSE_KL, log_p, x, start=(-half, 0.5)),
        "wide start": fitting.fit_gaussian(
            measures.REVERSE_KL, log_p, x, start=(forward.mu, forward.sigma)
        ),
        "right start": fitting.fit_gaussian(measures.REVERSE_KL, log_p, x, start=(half, 0.5)),
    }
    best = min(local.values(), key=lambda fit: fit.value)
    coarse = grid(-6, 6, 121)
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.7, width_ratios=[1.7, 1])
    left.plot(coarse, p.log_prob(coarse).exp(), color=DATA, label="p")
    for fit, style, label in ((forward, "-", "forward KL"), (best, "--", "reverse KL")):
        density = Normal(fit.mu, fit.sigma).log_prob(coarse).exp()
        left.plot(coarse, density, color=MODEL, linestyle=style, label=f"q, {label}")
    left.set(xlim=(-6, 6), ylim=(0, 1.15), xlabel="x", title="the Gaussian each KL prefers")
    left.legend(loc="upper center", ncols=3)
    rows = np.arange(3)[::-1]
    values = [fit.value for fit in local.values()]
    right.barh(rows, values, color=MODEL, height=0.55)
    for row, value in zip(rows, values, strict=True):
        right.text(min(value, 1.35) + 0.03, row, f"{value:.3f}", va="center", fontsize=8)
    place_ticks(right.yaxis, rows, list(local))
    right.set(xlim=(0, 1.7), title="KL(q‖p) at the optimum")
    right.grid(False, axis="y")
    return figure


def pulled_apart(distance: float, width: float) -> Figure:
    r"""Divergences of two Gaussians against their distance, and the gradients that are left.

    Args:
        distance: where the marker stands.
        width: common standard deviation.

    Returns:
        Three panels: the densities, values, absolute derivatives by distance.
    """
    distances = grid(0.0, 10.0, 81)
    chosen = (
        measures.KL,
        measures.JENSEN_SHANNON,
        measures.SQUARED_HELLINGER,
        measures.TOTAL_VARIATION,
    )
    curves = _separation_curves(width)
    figure, (left, middle, right) = subplots(1, 3, width=8.4, height=2.8)
    x = grid(-4, 12, 129)
    left.plot(x, Normal(0.0, width).log_prob(x).exp(), color=DATA, label="p")
    left.plot(x, Normal(distance, width).log_prob(x).exp(), color=MODEL, label="q")
    left.set(xlim=(-4, 12), ylim=(0, 1.1), xlabel="x", title="densities")
    left.legend(loc="upper right", ncols=2)
    at = round(distance * 8)
    for divergence, color, height in zip(chosen, SERIES, (2.75, 0.45, 2.1, 1.1), strict=False):
        value, slope = curves[divergence.name]
        middle.plot(distances, np.minimum(value, 3.0), color=color)
        middle.text(9.8, height, divergence.symbol, ha="right", color=color)
        right.plot(distances, np.minimum(slope, 1.2), color=color)
        middle.plot([distances[at]], [min(value[at], 3.0)], "o", color=color)
        right.plot([distances[at]], [min(slope[at], 1.2)], "o", color=color)
    middle.set(xlim=(-0.1, 10.1), ylim=(0, 3.2), xlabel="distance", title="value")
    place_ticks(middle.yaxis, [0, 1, 2, 3], ["0", "1", "2", "more"])
    right.set(xlim=(-0.1, 10.1), ylim=(0, 1.28), xlabel="distance", title="slope = gradient for q")
    place_ticks(right.yaxis, [0, 0.4, 0.8, 1.2], ["0", "0.4", "0.8", "more"])
    return figure


@lru_cache(maxsize=64)
def _separation_curves(width: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    x = grid(-12, 22, 1701)
    offsets = grid(0.0, 10.0, 81)[:, None].requires_grad_()
    log_p = Normal(0.0, width).log_prob(x).expand(81, -1)
    curves = {}
    for divergence in (
        measures.KL,
        measures.JENSEN_SHANNON,
        measures.SQUARED_HELLINGER,
        measures.TOTAL_VARIATION,
    ):
        log_q = densities.gaussian_log_density(x, offsets, torch.tensor(width, dtype=torch.float64))
        values = measures.on_grid(divergence, log_p, log_q, x)
        (slopes,) = torch.autograd.grad(values.sum(), offsets)
        curves[divergence.name] = (values.detach().numpy(), slopes[:, 0].abs().numpy())
    return curves


def mass(prior: float, position: float) -> Figure:
    r"""What competes for probability: densities over x, posteriors over y.

    Args:
        prior: share of class one.
        position: the x at which the marker asks.

    Returns:
        Two panels: joint densities and their sum; the posterior.
    """
    x = grid(-8, 8, 161)
    joint = torch.stack(
        [
            math.log(1 - prior) + Normal(-1.5, 0.9).log_prob(x),
            math.log(prior) + Normal(1.5, 0.9).log_prob(x),
        ]
    )
    total = joint.logsumexp(0)
    posterior = (joint[1] - total).exp()
    at = int((x - position).abs().argmin())
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.7)
    left.plot(x, joint[0].exp(), color=SERIES[0], label="p(x, y = 0)")
    left.plot(x, joint[1].exp(), color=SERIES[1], label="p(x, y = 1)")
    left.plot(x, total.exp(), color=DATA, label="p(x)")
    left.plot([x[at]], [total.exp()[at]], "o", color=DATA)
    left.set(xlim=(-8, 8), ylim=(0, 0.45), xlabel="x", title="generative: every x competes")
    left.legend(loc="upper left")
    right.plot(x, posterior, color=SERIES[1])
    right.plot([x[at]], [posterior[at]], "o", color=SERIES[1])
    right.set(
        xlim=(-8, 8),
        ylim=(-0.02, 1.05),
        xlabel="x",
        title=f"p(y = 1 | x) = {posterior[at]:.3f}, p(x) = {total.exp()[at]:.1e}",
    )
    return figure


def real_fits(scores: Tensor, fits: dict[str, Distribution]) -> Figure:
    r"""Histogram of a real feature under the densities fitted to it.

    Args:
        scores: the feature, shape ``[N]``.
        fits: label → distribution, at most three.

    Returns:
        One panel.
    """
    low, high = scores.min().item() - 1, scores.max().item() + 1
    x = grid(low, high, 300)
    figure, axes = subplots(width=7.0, height=2.7)
    axes.hist(scores.numpy(), bins=50, density=True, color=DATA, alpha=0.35, label="images")
    for (label, fit), style in zip(fits.items(), ("-", "--", ":"), strict=False):
        axes.plot(x, fit.log_prob(x).exp(), color=MODEL, linestyle=style, label=label)
    axes.set(xlim=(low, high), xlabel="first principal component", ylabel="density")
    axes.legend(loc="upper left")
    return figure


def ghosts(images: Tensor, titles: list[str]) -> Figure:
    r"""A row of images with a title each.

    Args:
        images: shape ``[N, H, W]``, values in [0, 1] after clamping.
        titles: one an image.

    Returns:
        N panels.
    """
    figure, axes = subplots(1, len(images), width=1.6 * len(images), height=1.7)
    for panel, image, title in zip(axes, images, titles, strict=True):
        panel.imshow(image.clamp(0, 1).numpy(), vmin=0, vmax=1)
        panel.set_title(title, fontsize=8.5, loc="center")
        panel.set_axis_off()
    return figure


def front_page(separation: float, share: float) -> Figure:
    r"""The fits of forward and reverse KL to a two-mode density, for the first page.

    Args:
        separation: distance of the modes.
        share: share of the left mode.

    Returns:
        One panel.
    """
    x = grid(-8, 8, 321)
    log_p = two_modes(separation, share).log_prob(x)
    half = separation / 2
    forward = fitting.fit_gaussian(measures.KL, log_p, x, start=(0.0, 2.0))
    reverse = fitting.best_gaussian(
        measures.REVERSE_KL, log_p, x, starts=((-half, 0.5), (half, 0.5))
    )
    coarse = grid(-5, 5, 121)
    figure, axes = subplots(width=7.0, height=2.8)
    density = two_modes(separation, share).log_prob(coarse).exp()
    axes.fill_between(coarse, density, color=DATA, alpha=0.25, linewidth=0)
    axes.plot(coarse, density, color=DATA, label="data")
    for fit, style, name in ((forward, "-", "maximum likelihood"), (reverse, "--", "reverse KL")):
        curve = Normal(fit.mu, fit.sigma).log_prob(coarse).exp()
        axes.plot(coarse, curve, color=MODEL, linestyle=style, label=name)
    axes.set(xlim=(-5, 5), ylim=(0, 1.05), xlabel="x", ylabel="density")
    axes.legend(loc="upper center", ncols=3)
    return figure


def averages() -> Figure:
    r"""What the two directions of KL average, and over whom."""
    return schematic(
        [
            Box("p", 0, 1.6, "data p", DATA, 1.3),
            Box("q", 0, 0, "model q", MODEL, 1.3),
            Box("ratio", 2.4, 0.8, "log p/q\nat every x", width=1.5, height=0.9),
            Box("forward", 5.3, 1.6, "KL(p‖q)", DATA, 1.5),
            Box("reverse", 5.3, 0, "KL(q‖p)", MODEL, 1.5),
        ],
        [
            Wire("p", "ratio"),
            Wire("q", "ratio"),
            Wire("ratio", "forward", "averaged over p", colour=DATA, lift=0.3, shift=-0.4),
            Wire(
                "ratio",
                "reverse",
                "averaged over q, sign turned",
                colour=MODEL,
                lift=-0.3,
                shift=-0.6,
            ),
        ],
        width=5.4,
        height=2.0,
    )


HIGH = 1e6
STRAY = {
    "W₁": (CRITIC, "-"),
    "TV": (SERIES[1], "-"),
    "JS": (SERIES[0], "-"),
    "KL(q‖p)": (SERIES[3], "--"),
    "KL(p‖q)": (SERIES[3], ":"),
}


def sequence(shrink: float, reach: float, doublings: int) -> Figure:
    r"""A sequence of data sets that leaves the model: which scores see it come back?

    Of the data a share :math:`n^{-a}` lies at distance :math:`n^b`, the rest is where the model is.

    Args:
        shrink: a ≥ 0.
        reach: b.
        doublings: log2 of n.

    Returns:
        Two panels: the two points with their masses; every score against n.
    """
    n = 2.0**doublings
    figure, (left, right) = subplots(1, 2, width=7.8, height=2.9, width_ratios=[1, 1.25])
    share, distance = n**-shrink, n**reach
    place = math.log10(distance) + 4
    left.bar([-0.18, place - 0.18], [1 - share, share], width=0.36, color=DATA, label="data p")
    left.bar([0.18], [1], width=0.36, color=MODEL, label="model q")
    left.set(xlim=(-0.6, 8.2), ylim=(0, 1.45), ylabel="mass", xlabel="place (logarithmic)")
    place_ticks(left.xaxis, [0, 2, 4, 6, 8], ["0", "0.01", "1", "100", "10⁴"])
    left.set_title(f"a share {share:.3g} at distance {distance:,.4g}")
    left.legend(loc="upper right", ncols=2)
    along = [2.0**k for k in range(1, 9)]
    found = [order.misplaced(m**-shrink, m**reach) for m in along]
    now = order.misplaced(share, distance)
    for name, (color, style) in STRAY.items():
        heights = [min(each[name], HIGH) for each in found]
        right.plot(along, heights, color=color, linestyle=style, label=name)
        right.plot([n], [min(now[name], HIGH)], "o", color=color, markersize=4)
    right.set(xscale="log", yscale="log", xlim=(1.8, 290), ylim=(1e-5, 1e10), xlabel="n")
    place_ticks(right.xaxis, [2, 16, 128], ["2", "16", "128"])
    place_ticks(
        right.yaxis, [1e-4, 1e-2, 1, 1e2, 1e4, HIGH], ["10⁻⁴", "0.01", "1", "100", "10⁴", "∞"]
    )
    right.minorticks_off()
    right.set_title("how far p is from q")
    right.legend(loc="upper right", ncols=3)
    said = ", ".join(
        f"{name} {'∞' if math.isinf(value) else f'{value:.3g}'}" for name, value in now.items()
    )
    figure.set_label(f"n = {n:.0f}: {said}")
    return figure
