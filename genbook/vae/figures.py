"""Drawings of the chapter on variational autoencoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb, to_hex
from matplotlib.figure import Figure
from torch import Tensor

from genbook.kit.device import seeded
from genbook.kit.plotting import (
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    SERIES,
    image_grid,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.vae import bounds as vae_bounds
from genbook.vae import exact as vae_exact
from genbook.vae import linear, models

Row = Mapping[str, Any]


def class_colour(digit: int, luminance: float = 0.2) -> str:
    r"""A hue of a given relative luminance, 4 : 1 against white and against the dark page.

    Args:
        digit: which hue; neighbours lie far apart.
        luminance: in (0, 1), as WCAG measures it.

    Returns:
        A colour as ``#rrggbb``.
    """
    hue = hsv_to_rgb((0.3 * digit % 1, 0.85, 1.0)) ** 2.2
    weights = (0.2126, 0.7152, 0.0722)
    level = float(hue @ weights)
    if level >= luminance:
        linear_rgb = hue * (luminance / level)
    else:
        linear_rgb = hue + (1 - hue) * ((luminance - level) / (1 - level))
    return to_hex(tuple(linear_rgb ** (1 / 2.2)))


OBSERVED = 1.5
"""The x of the one-dimensional examples."""
CLASSES = tuple(class_colour(digit) for digit in range(10))
"""A colour for each digit: hues in turn, all as far from white as from the dark page."""
PAPER = {(1, "VAE"): 86.76, (5, "IWAE"): 85.54, (50, "IWAE"): 84.78}
"""NLL on MNIST, one stochastic layer: Burda, Grosse and Salakhutdinov, table 1."""


def pictures(rows: Mapping[str, Tensor], *, columns: int, across: int = 2) -> Figure:
    r"""Grids of images, each under its title.

    Args:
        rows: title → images of shape ``[N, 1, H, W]``.
        columns: images in a row of a grid.
        across: grids side by side.

    Returns:
        One panel a grid.
    """
    down = -(-len(rows) // across)
    deep = -(-max(len(images) for images in rows.values()) // columns)
    panel = 7.6 / across
    figure, axes = subplots(
        down, across, width=7.6, height=down * (panel * deep / columns + 0.3), squeeze=False
    )
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, (title, images) in zip(axes.flat, rows.items(), strict=False):
        image_grid(axis, images, columns=columns)
        axis.set_title(title)
    return figure


# --- The latent plane -------------------------------------------------------------------------


def latent_plane(
    model: models.VAE, codes: Tensor, labels: Tensor, size: tuple[int, int]
) -> Callable[[float, float], Figure]:
    r"""A drawing of the decoder's answer to every point of the latent plane.

    Args:
        model: two latent units.
        codes: posterior means of some images, shape ``[N, 2]``.
        labels: their digits, shape ``[N]``.
        size: height and width of an image.

    Returns:
        A function of ``z1`` and ``z2`` that draws two panels: the plane, and the decoded image.
    """
    points = codes.cpu().numpy()
    named = labels.cpu().numpy()
    middles = torch.stack([codes[labels == digit].median(0).values for digit in range(10)])
    spots = spread(middles.cpu(), apart=0.55, reach=3.2).tolist()

    def draw(z1: float, z2: float) -> Figure:
        figure, (left, right) = subplots(1, 2, width=6.6, height=3.3)
        for digit, (x, y) in enumerate(spots):
            mine = points[named == digit]
            left.plot(*mine.T, ".", color=CLASSES[digit], markersize=3)
            left.text(
                *(x, y, str(digit)), ha="center", va="center", fontsize=12, weight="bold", color=INK
            )  # fmt: skip
        left.plot([z1], [z2], "o", color=MODEL, markersize=11)
        left.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), xlabel="z1", ylabel="z2", title="latent plane")
        left.set_aspect("equal")
        _image(right, decoded(model, torch.tensor([[z1, z2]])).view(*size))
        right.set_title("decoded")
        return figure

    return draw


def spread(places: Tensor, *, apart: float, reach: float, rounds: int = 1_000) -> Tensor:
    r"""Push places of a plane away from each other until no two are close.

    In each round every pair that is too close parts along the line between them, a little farther
    than it must, and all are drawn back into the square.

    Args:
        places: where they want to be, shape ``[N, 2]``.
        apart: the distance to reach.
        reach: the square is [−reach, reach]².
        rounds: at most so many.

    Returns:
        Shape ``[N, 2]``; places that were far enough from all others stay.

    Raises:
        ValueError: If the square is too small for so many places, or a place is not finite.

    Example:
        >>> spread(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]), apart=0.5, reach=3).tolist()
        [[1.0, 0.0], [-1.0, 0.0]]
    """
    if len(places) * apart**2 > 2 * reach**2:
        raise ValueError(
            f"spread: expected a square with room for {len(places)} places {apart} apart, got "
            f"one of side {2 * reach}; bring them closer or widen the square."
        )
    if not places.isfinite().all():
        raise ValueError(f"spread: expected finite places, got {places.tolist()}.")
    turn = 2.4 * torch.arange(len(places), dtype=places.dtype, device=places.device)
    nudge = torch.stack([turn.cos(), turn.sin()], 1)
    spots = places.clamp(-reach, reach)
    for _ in range(rounds):
        between = spots[:, None] - spots[None]
        gaps = between.norm(dim=-1).fill_diagonal_(math.inf)
        if gaps.min() >= apart:
            break
        between = between + 1e-3 * (nudge[:, None] - nudge[None])  # two on one spot part, too
        push = (1.05 * apart - gaps).clamp(min=0) / 2 * (gaps < apart)
        spots = spots + (push[..., None] * between / (between.norm(dim=-1) + 1e-9)[..., None]).sum(
            1
        )
        spots = spots.clamp(-reach, reach)
    return spots


@torch.no_grad()
def decoded(model: models.VAE | models.Autoencoder, z: Tensor) -> Tensor:
    r"""Pixel probabilities of latent vectors, on the CPU.

    Args:
        model: any decoder.
        z: shape ``[N, D]``.

    Returns:
        Shape ``[N, P]``.
    """
    weight = next(model.parameters())
    return torch.sigmoid(model.decode(z.to(weight.device, weight.dtype))).float().cpu()


def _image(axes: Axes, image: Tensor) -> None:
    axes.imshow(image.numpy(), vmin=0, vmax=1, cmap="gray", interpolation="nearest")
    axes.set_axis_off()


def between(
    auto: models.Autoencoder, model: models.VAE, images: Tensor
) -> Callable[[str, float], Figure]:
    r"""A drawing of the way from one image to another, through both latent spaces.

    Args:
        auto: an autoencoder.
        model: a VAE on the same images.
        images: binary, shape ``[2 M, 1, H, W]``; neighbours are the ends of a way.

    Returns:
        A function of ``way`` (``"1"`` to ``"M"``) and ``share`` in [0, 1] that draws four panels.
    """
    height, width = images.shape[2:]
    with torch.no_grad():
        flat = images.flatten(1)
        codes = {"autoencoder": auto.encode(flat).cpu(), "VAE": model.encode(flat).mean.cpu()}

    def draw(way: str, share: float) -> Figure:
        ends = 2 * (int(way) - 1), 2 * (int(way) - 1) + 1
        figure, axes = subplots(1, 4, width=7.2, height=2.1)
        for axis, end, title in ((axes[0], ends[0], "from"), (axes[3], ends[1], "to")):
            _image(axis, images[end, 0].cpu())
            axis.set_title(title)
        nets: tuple[models.Autoencoder | models.VAE, ...] = (auto, model)
        for axis, (name, code), net in zip(axes[1:3], codes.items(), nets, strict=True):
            z = torch.lerp(code[ends[0]], code[ends[1]], share)
            _image(axis, decoded(net, z[None]).view(height, width))
            axis.set_title(name)
        return figure

    return draw


# --- The bound --------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def one_dimensional() -> vae_exact.LinearGaussian:
    r"""The example :math:`z \sim \mathcal N(0, 1)`, :math:`x \sim \mathcal N(z, 0.6^2)`.

    Returns:
        The model, in double precision.
    """
    return vae_exact.LinearGaussian(
        torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64), 0.6
    )


def bound_gap(mean: float, std: float) -> Figure:
    r"""A guess q against the true posterior, and what it costs.

    Args:
        mean: of q.
        std: of q.

    Returns:
        Two panels: densities over z; log p(x) cut into the ELBO and the gap.
    """
    model = one_dimensional()
    x = torch.tensor([[OBSERVED]], dtype=torch.float64)
    z = torch.linspace(-3, 4, 141, dtype=torch.float64)[:, None]
    q = models.Gaussian(
        torch.tensor([[mean]], dtype=torch.float64),
        torch.tensor([[2 * math.log(std)]], dtype=torch.float64),
    )
    gap, bound = float(model.gap(x, q)), float(model.elbo(x, q))
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.8, width_ratios=[1.6, 1])
    left.plot(z, models.prior_log_prob(z).exp(), color=MUTED, linestyle="--", label="prior p(z)")
    left.plot(z, model.posterior(x).log_prob(z).exp(), color=DATA, label="posterior p(z | x)")
    left.plot(z, q.log_prob(z[:, None]).exp(), color=MODEL, label="guess q(z)")
    left.set(xlim=(-3, 4), ylim=(0, 1.6), xlabel="z", title=f"x = {OBSERVED} was seen")
    left.legend(loc="upper left")
    _thermometer(right, bound, gap)
    figure.set_label(f"ELBO {bound:.2f} nats, gap {gap:.2f} nats, log p(x) {bound + gap:.2f}")
    return figure


def _thermometer(axes: Axes, bound: float, gap: float) -> None:
    floor, evidence = -14.0, bound + gap
    shown = max(bound, floor)
    axes.bar([0], [shown - floor], bottom=floor, color=MODEL, width=0.5)
    axes.bar([0], [evidence - shown], bottom=shown, color=MUTED, alpha=0.35, width=0.5)
    axes.axhline(evidence, color=DATA)
    axes.text(0.32, evidence, f"log p(x) = {evidence:.2f}", va="bottom", color=DATA)
    axes.text(0.32, -5.0, f"gap = KL(q‖posterior)\n= {gap:.2f}", va="center")
    axes.text(0.32, -11.0, f"ELBO = {bound:.2f}", va="center", color=MODEL)
    axes.set(xlim=(-0.4, 1.6), ylim=(floor, 0), xticks=[], ylabel="nats")
    axes.set_title("log p(x) = ELBO + gap")
    axes.grid(False, axis="x")


DRAWS, MOST = 1_500, 256


@lru_cache(maxsize=1)
def cloud_model() -> tuple[vae_exact.LinearGaussian, Tensor, Tensor]:
    r"""The example behind :func:`bound_cloud`: four pixels, three latent units.

    Returns:
        The model, an image of shape ``[1, 4]``, and noise ``[256, draws, 1, 3]``.
    """
    source = seeded(4)
    weight = torch.randn(4, 3, generator=source, dtype=torch.float64)
    model = vae_exact.LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), 0.8)
    x = torch.tensor([[1.0, -0.5, 0.8, 1.2]], dtype=torch.float64)
    noise = torch.randn(MOST, DRAWS, 1, 3, generator=source, dtype=torch.float64)
    return model, x, noise


@lru_cache(maxsize=16)
def _cloud(width: float) -> tuple[Tensor, Tensor]:
    model, x, noise = cloud_model()
    best = model.encode(x)
    q = models.Gaussian(best.mean, best.log_var + 2 * math.log(width))
    log_w = vae_bounds.log_weights(model, q, x, noise.flatten(0, 1)).view(MOST, DRAWS)
    return log_w, vae_bounds.doubling_bounds(log_w).mean(1)


def bound_cloud(doublings: int, width: float) -> Figure:
    r"""How k importance samples spread around log p(x), and where their mean is.

    Args:
        doublings: ``log2 k``, 0 to 8.
        width: of the guess, in units of the best diagonal guess.

    Returns:
        Two panels: histogram of the estimates for this k; the bound against k.
    """
    model, x, _ = cloud_model()
    exact, (log_w, bounds) = float(model.log_prob(x)), _cloud(width)
    estimates = vae_bounds.iwae_bound(log_w[: 2**doublings])
    edges = torch.linspace(-14, 3, 69, dtype=torch.float64)
    counts = torch.histc((estimates - exact).clamp(-13.99, 2.99), 68, -14, 3) / DRAWS
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.8)
    left.plot(edges[:-1] + 0.125, counts.clamp_max(0.5), color=MODEL, drawstyle="steps-mid")
    left.axvline(0, color=DATA)
    left.axvline(float(bounds[doublings]) - exact, color=MODEL, linestyle="--")
    left.set(xlim=(-14, 3), ylim=(0, 0.5), xlabel="estimate − log p(x), nats", ylabel="share")
    left.set_title(f"{DRAWS:,} estimates with k = {2**doublings}")
    right.plot(range(9), bounds - exact, color=MODEL)
    right.plot([doublings], [float(bounds[doublings]) - exact], "o", color=MODEL)
    right.axhline(0, color=DATA)
    right.text(0.1, 0.06, "log p(x)", color=DATA, va="bottom")
    place_ticks(right.xaxis, range(0, 9, 2), [str(4**power) for power in range(5)])
    right.set(xlim=(-0.3, 8.3), ylim=(-3, 0.5), xlabel="k", title="bound − log p(x), nats")
    gap = exact - float(bounds[doublings])
    figure.set_label(f"k = {2**doublings}: the bound is {gap:.2f} nats below log p(x)")
    return figure


# --- Gradients --------------------------------------------------------------------------------


def gradient_spread(
    path: Tensor, score: Tensor, exact: float, ratios: Mapping[int, float]
) -> Figure:
    r"""Single-sample gradients under both estimators, and the price of dimension.

    Args:
        path: estimates through the sample, shape ``[S]``.
        score: estimates from values alone, shape ``[S]``.
        exact: the true derivative.
        ratios: latent units → variance of the score estimator over that of the path.

    Returns:
        Two panels.
    """
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.7)
    reach = float(score.std()) * 3
    bins = np.linspace(exact - reach, exact + reach, 61).tolist()
    for values, color, label in ((score, SERIES[0], "score function"), (path, GRADIENT, "path")):
        left.hist(
            values.numpy(), bins=bins, density=True, color=color, alpha=0.6, label=label, log=True
        )
    left.axvline(exact, color=DATA, label="exact")
    left.set(xlabel="one-sample derivative", ylabel="density (log)", title="same mean")
    left.legend(loc="upper right")
    right.plot(list(ratios), list(ratios.values()), "o-", color=SERIES[0])
    right.set(
        xscale="log", yscale="log", xlabel="latent units", title="variance ratio, score / path"
    )
    place_ticks(right.xaxis, list(ratios), [str(count) for count in ratios])
    right.minorticks_off()
    return figure


def race(
    runs: Mapping[str, Sequence[tuple[int, float]]], *, ylabel: str, log: bool = False
) -> Figure:
    r"""A number against the training step, one line a run.

    Args:
        runs: label → (step, value) pairs.
        ylabel: what the number is.
        log: whether to draw it on a logarithmic scale.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.8, height=2.7)
    for (label, points), color in zip(runs.items(), (GRADIENT, *SERIES, MUTED), strict=False):
        axes.plot(*np.array(points).T, color=color, label=label)
    axes.set(xlabel="minibatch", ylabel=ylabel, yscale="log" if log else "linear")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


# --- Rate and distortion ----------------------------------------------------------------------


def rate_distortion(
    runs: Mapping[float, models.VAE], images: Tensor, noise: Tensor
) -> Callable[[float], Figure]:
    r"""A drawing of what each β keeps: the curve, reconstructions, samples.

    Args:
        runs: β → trained model.
        images: binary test images, shape ``[N, 1, H, W]``, N ≥ 10.
        noise: shape ``[N, D]``.

    Returns:
        A function of ``beta`` that draws two panels.
    """
    size = images.shape[1:]
    with torch.no_grad():
        bounds = {
            beta: vae_bounds.elbo(net, images.flatten(1), noise) for beta, net in runs.items()
        }
    rates = [float(bound.kl.sum(-1).mean()) for bound in bounds.values()]
    costs = [-float(bound.reconstruction.mean()) for bound in bounds.values()]
    span = max(costs) - min(costs)

    def draw(beta: float) -> Figure:
        at, net = list(runs).index(beta), runs[beta]
        with torch.no_grad():
            codes = net.encode(images[:10].flatten(1)).mean
        shown = torch.cat(
            [images[:10].flatten(1).cpu(), decoded(net, codes), decoded(net, noise[:10])]
        )
        figure, (left, right) = subplots(1, 2, width=7.6, height=2.6, width_ratios=[1, 1.6])
        left.plot(rates, costs, color=MUTED)
        left.plot([rates[at]], [costs[at]], "o", color=MODEL, markersize=9)
        left.set(xlim=(-1, 1.1 * max(rates)), xlabel="rate: KL, nats")
        left.set(ylim=(min(costs) - 0.1 * span, max(costs) + 0.1 * span))
        left.set_title("distortion: −log p(x | z), nats")
        image_grid(right, shown.view(-1, *size), columns=10)
        right.set_title("digits; redrawn; sampled from the prior")
        figure.set_label(f"β = {beta:g}: rate {rates[at]:.1f}, distortion {costs[at]:.1f} nats")
        return figure

    return draw


# --- The linear VAE ---------------------------------------------------------------------------


def spectrum(x: Tensor, latent: int, size: tuple[int, int]) -> Callable[[float], Figure]:
    r"""A drawing of the linear VAE's optimum: eigenvalues against the noise, and the columns of W.

    Args:
        x: images, shape ``[N, P]``, in double precision.
        latent: D.
        size: height and width.

    Returns:
        A function of ``noise``, :math:`\log_2\sigma^2`, that draws two panels.
    """
    values, vectors = torch.linalg.eigh(linear.covariance(x))
    values, vectors = values.flip(0), vectors.flip(1)
    heights = values[: 2 * latent].log2()
    floor, top = -7.0, float(heights[0].ceil())
    ranks = np.arange(1, len(heights) + 1)

    def draw(noise: float) -> Figure:
        variance = 2.0**noise
        shares = (values[:latent] - variance).clamp_min(0).sqrt()
        live = int((shares > 0).sum())
        colours = [MODEL if rank <= live else MUTED for rank in ranks]
        figure, (left, right) = subplots(1, 2, width=7.4, height=2.8, width_ratios=[1.2, 1])
        left.bar(ranks, heights - floor, bottom=floor, color=colours, width=0.7)
        left.axhline(noise, color=DATA)
        left.axvline(latent + 0.5, color=MUTED, linestyle=":")
        left.set(xlim=(0.3, len(heights) + 0.7), ylim=(floor, top + 0.3))
        place_ticks(left.xaxis, ranks[::3])
        left.set(xlabel="eigenvalue, dotted: the last unit", title="log₂ of eigenvalues; blue: σ²")
        columns = (vectors[:, :latent] * shares).T / (vectors[:, :latent].abs().max() * 0.83)
        image_grid(right, 0.5 + 0.5 * columns.clamp(-1, 1).view(-1, 1, *size), columns=5)
        right.set_title("columns of W, grey = 0")
        most = linear.best_log_prob(values, latent, math.sqrt(variance))
        figure.set_label(
            f"σ² = {variance:.3g}: {live} of {latent} units live; "
            f"best ELBO = log p: {most:.1f} nats"
        )
        return figure

    return draw


# --- Judging ----------------------------------------------------------------------------------


def learning_curves(rows: Sequence[Row]) -> Figure:
    r"""Recorded NLL on MNIST against passes over the data, with the paper's end points.

    Args:
        rows: of the recorded study; only the curves on MNIST are drawn.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.8, height=3.0)
    for (k, name), color in zip(PAPER, (MODEL, SERIES[0], SERIES[1]), strict=True):
        groups: dict[int, list[float]] = {}
        for row in rows:
            if (row["part"], row["dataset"], row["k"]) == ("curve", "mnist", k):
                groups.setdefault(row["passes"], []).append(row["nll"])
        passes = sorted(groups)
        means = [float(np.mean(groups[count])) for count in passes]
        axes.plot(passes, means, color=color, label=f"{name}, k = {k}")
        for count in passes:
            axes.plot([count] * len(groups[count]), groups[count], "o", color=color, markersize=4)
        axes.plot([3280], [PAPER[k, name]], "*", color=color, markersize=11)
    axes.set(xscale="log", xlabel="passes over the training set", ylabel="NLL, nats an image")
    axes.set_xlim(0.8, 5000)
    axes.annotate("paper", (3280, 88), xytext=(0, 6), textcoords="offset points", ha="center")
    axes.legend(loc="upper right")
    return figure


def nll_cells(rows: Sequence[Row]) -> list[tuple[str, int, int, float, str, float, float]]:
    r"""Recorded NLL on MNIST as cells of a table, the paper's number last.

    Args:
        rows: of the recorded study; only the curves on MNIST count.

    Returns:
        Objective, passes, seeds, mean NLL, its range over the seeds, mean number of active units,
        and the paper's NLL after 3280 passes.
    """
    cells = []
    for (k, name), paper in PAPER.items():
        mine = [r for r in rows if (r["part"], r["dataset"], r["k"]) == ("curve", "mnist", k)]
        for passes in sorted({row["passes"] for row in mine}):
            nll = [float(row["nll"]) for row in mine if row["passes"] == passes]
            active = [float(row["active"]) for row in mine if row["passes"] == passes]
            span = f"{min(nll):.2f} to {max(nll):.2f}" if len(nll) > 1 else "one seed"
            mean = float(np.mean(nll)), span, float(np.mean(active))
            cells.append((f"{name}, k = {k}", int(passes), len(nll), *mean, paper))
    return cells


def machinery() -> Figure:
    r"""The noise enters beside the path, so that the gradient passes."""
    return schematic(
        [
            Box("x", 0, 0, "image x", DATA, 1.2),
            Box("e", 2.0, 0, "encoder", width=1.2),
            Box("m", 4.0, 0.0, "μ, σ", width=0.9),
            Box("z", 5.9, 0, "z = μ + σε", SERIES[0], 1.5),
            Box("d", 7.9, 0, "decoder", MODEL, 1.2),
            Box("noise", 5.9, 1.3, "noise ε", width=1.2, framed=False),
            Box("kl", 4.0, -1.2, "KL: nats spent", width=1.9),
            Box("r", 7.9, -1.2, "log p(x | z)", width=1.6),
        ],
        [
            Wire("x", "e"),
            Wire("e", "m"),
            Wire("m", "z"),
            Wire("noise", "z"),
            Wire("z", "d"),
            Wire("m", "kl"),
            Wire("d", "r"),
            Wire("d", "e", "∇", colour=GRADIENT, dashed=True, bend=-0.24, lift=0.15, shift=-0.9),
        ],
        width=5.8,
        height=2.3,
    )
