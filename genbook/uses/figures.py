"""Drawings of the chapter on what generative models are good for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy.stats import norm
from torch import Tensor

from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    image_grid,
    numeral,
    place_ticks,
    subplots,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.uses import outliers, ranking
from genbook.uses.samplers import tight_classes
from genbook.uses.tables import Table


def machinery() -> Figure:
    r"""One model of images, four uses."""
    return schematic(
        [
            Box("images", 0, 1.2, "images", DATA, 1.2),
            Box("model", 2.3, 1.2, "model p(x)", MODEL, 1.5),
            Box("odd", 5.3, 2.4, "how odd is x?", CRITIC, 1.8),
            Box("label", 5.3, 1.6, "which p(x|y)?", CRITIC, 1.8),
            Box("feature", 5.3, 0.8, "what code has x?", CRITIC, 1.9),
            Box("draw", 5.3, 0, "draw, and teach", CRITIC, 1.9),
        ],
        [
            Wire("images", "model"),
            *(Wire("model", end) for end in ("odd", "label", "feature", "draw")),
        ],
        width=5.2,
        height=2.2,
    )


def histogram_of_costs(
    table: Table, digits: Tensor, strangers: Mapping[str, Tensor], which: str, corrected: bool
) -> Figure:
    r"""What digits cost, and what strangers cost.

    Args:
        table: the model.
        digits: 0 or 1, **[N, H, W]**.
        strangers: the same by name.
        which: of the strangers.
        corrected: take the length that zlib needs away from the cost.

    Returns:
        Two panels: an example, the two histograms.
    """
    own, other = (_cost(table, x, corrected) for x in (digits, strangers[which]))
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.8, width_ratios=[1, 2.4])
    image_grid(left, strangers[which][:4, None].float(), columns=2, padding=1)
    left.set_title(which)
    both = torch.cat([own, other])
    edges = np.linspace(float(both.min()) - 1, float(both.max()) + 1, 41)
    for costs, colour, name in ((own, DATA, "digits"), (other, MODEL, which)):
        heights, _ = np.histogram(costs.numpy(), edges)
        right.stairs(heights / len(costs), edges, fill=True, color=colour, alpha=0.5, label=name)
    right.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.35), ylabel="share of images")
    right.set_xlabel("cost less zlib's length, nats" if corrected else "cost, nats")
    right.legend(loc="upper right", ncols=2)
    found = outliers.detected(own, other)
    figure.set_label(
        f"{which}: {found:.1%} of pairs in the right order; digits cost "
        f"{numeral(float(own.mean()))} nats on average, {which} {numeral(float(other.mean()))}"
    )
    return figure


def _cost(table: Table, images: Tensor, corrected: bool) -> Tensor:
    costs = table.nats(images).cpu()
    return costs - outliers.compressed(images) if corrected else costs


def two_coins(data: float, model: float, stranger: float) -> Figure:
    r"""What a coin's model gives to data and to strangers, taken apart.

    Args:
        data: chance of heads of the data.
        model: of the model.
        stranger: of the strangers.

    Returns:
        One panel: stacked bars of entropy and divergence.
    """
    figure, axes = subplots(1, 1, width=5.4, height=2.5)
    q = _coin(model)
    for place, chance in enumerate((data, stranger)):
        p = _coin(chance)
        entropy, apart = float(outliers.entropy(p)), float(outliers.divergence(p, q))
        axes.barh(place, entropy, color=DATA, label="entropy" if not place else None)
        axes.barh(place, apart, left=entropy, color=CRITIC, label="KL" if not place else None)
        axes.plot([entropy + apart] * 2, [place - 0.4, place + 0.4], color=INK, linewidth=1.5)
    place_ticks(axes.yaxis, [0, 1], ["data", "strangers"])
    axes.set(xlim=(0, 3.2), ylim=(1.6, -1.0), xlabel="cost a coin, nats")
    axes.legend(loc="upper right", ncols=2)
    costs = [-float(outliers.mean_score(_coin(c), q)) for c in (data, stranger)]
    figure.set_label(
        f"data cost {costs[0]:.3f} nats, strangers {costs[1]:.3f}: "
        + ("the strangers pass" if costs[1] < costs[0] else "the strangers stand out")
    )
    return figure


def _coin(heads: float) -> Tensor:
    return torch.tensor([heads, 1 - heads], dtype=torch.float64)


def shrunk(apart: float, spread: float) -> Figure:
    r"""Two classes, samples of them that are too tight, and what is learned.

    Args:
        apart: Δ, between the means.
        spread: τ, what the samples' deviation is multiplied by.

    Returns:
        Two panels: densities with the border; the learned chance of the right class.
    """
    figure, (left, right) = subplots(1, 2, width=7.6, height=2.7)
    x = np.linspace(-6, 6, 241)
    for side, colour in ((-1, DATA), (1, GRADIENT)):
        middle = side * apart / 2
        left.plot(x, norm.pdf(x, middle), color=colour)
        left.plot(x, norm.pdf(x, middle, spread), "--", color=colour)
    left.axvline(0, color=INK, linewidth=1, linestyle=":")
    left.set(xlim=(-6, 6), ylim=(0, 1.7), xlabel="x", ylabel="density")
    left.set_title("data (solid), samples (dashed)")
    for tau, colour, name in ((1.0, MUTED, "from data"), (spread, MODEL, "from samples")):
        right.plot(x, 1 / (1 + np.exp(-apart * x / tau**2)), color=colour, label=name)
    right.set(xlim=(-6, 6), ylim=(-0.05, 1.4), xlabel="x", ylabel="chance of the right one")
    right.legend(loc="upper left", ncols=2)
    accuracy, loss = tight_classes(apart, spread)
    figure.set_label(
        f"Δ = {apart:g}, τ = {spread:g}: accuracy {accuracy:.1%}, cross-entropy {loss:.3f} nats"
    )
    return figure


def worth(columns: Mapping[str, Mapping[int, Sequence[float]]], base: str) -> Figure:
    r"""Accuracy of linear readers against the number of labels.

    Args:
        columns: by features, by labels, one number a seed.
        base: the features that need no network, drawn in grey.

    Returns:
        One panel.
    """
    figure, axes = subplots(1, 1, width=6.4, height=3.1)
    colours, styles = (MODEL, CRITIC, DATA), ("o-", "s--")
    for name, by_labels in columns.items():
        means = [float(np.mean(values)) for values in by_labels.values()]
        if name == base:
            axes.plot(list(by_labels), means, "x:", color=MUTED, label=name)
            continue
        net = list(dict.fromkeys(n.split(",")[0] for n in columns if n != base)).index(
            name.split(",")[0]
        )
        style = styles[name.endswith("layer")]
        axes.plot(list(by_labels), means, style, color=colours[net], label=name)
    axes.set(xscale="log", xlim=(8, 1_300), ylim=(0.15, 1.45), xlabel="labels")
    axes.set_ylabel("accuracy")
    place_ticks(axes.xaxis, [10, 100, 1000], labels=["10", "100", "1,000"])
    axes.minorticks_off()
    axes.legend(loc="upper left", ncols=2)
    return figure


def priced_and_taught(
    models: Mapping[str, tuple[Sequence[float], Sequence[float]]],
) -> Figure:
    r"""What models ask for unseen pages, beside what they teach.

    Args:
        models: by name, the nats of each seed and the accuracies; at most three.

    Returns:
        One panel.
    """
    figure, axes = subplots(1, 1, width=6.4, height=3.1)
    looks = zip("so^", (CRITIC, MODEL, DATA), strict=True)
    for (name, (costs, lessons)), (mark, colour) in zip(models.items(), looks, strict=False):
        axes.plot(costs, lessons, mark, color=colour, label=name)
    axes.set(ylim=(0, 1.3), xlabel="an unseen page costs, nats", ylabel="accuracy taught")
    place_ticks(axes.yaxis, [0, 0.25, 0.5, 0.75, 1])
    axes.margins(x=0.08)
    axes.legend(loc="upper center", ncols=3)
    both = [
        torch.tensor(part, dtype=torch.float64).T for part in zip(*models.values(), strict=True)
    ]
    agree, other = ranking.agreement(*both)
    figure.set_label(
        f"the cheaper of two models teaches better in {agree} of {agree + other} pairs"
    )
    return figure
