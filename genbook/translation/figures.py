"""Drawings of the chapter on translating pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook.kit.packing import unpack_images
from genbook.kit.plotting import (
    CRITIC,
    DATA,
    GRADIENT,
    INK,
    MODEL,
    MUTED,
    SERIES,
    image_rows,
    place_ticks,
    subplots,
    tile,
)
from genbook.kit.schematic import Box, Wire, schematic
from genbook.kit.studies import Row, StudyResult
from genbook.translation.cyclegan import turn
from genbook.translation.studies import LEVELS, SHOWN


def recorded_images(row: Row, key: str, side: int, channels: int = 1) -> Tensor:
    r"""The pictures that a row of a study keeps.

    Args:
        row: of a study of this chapter.
        key: the column.
        side: of a picture.
        channels: of a picture.

    Returns:
        **[6, channels, side, side]**.
    """
    return unpack_images(str(row[key]), channels, side, side)


def answers(study: StudyResult, task: str) -> dict[str, Tensor]:
    r"""Inputs and answers that the ablation was scored on.

    Args:
        study: ``translation_ablation``.
        task: thumbnail or outline.

    Returns:
        Two named rows of pictures.
    """
    (row,) = study.where(task=task, loss="answers")
    side = int(row["side"])
    return {
        "input x": recorded_images(row, "input", side),
        "answer y": recorded_images(row, "pictures", side),
    }


def ablation(study: StudyResult, task: str, losses: Sequence[str]) -> Figure:
    r"""The same inputs under several losses.

    Args:
        study: ``translation_ablation``.
        task: thumbnail or outline.
        losses: which.

    Returns:
        A row of pictures for the inputs, the answers and each loss.
    """
    rows = answers(study, task)
    side = rows["input x"].shape[-1]
    for loss in losses:
        (row,) = study.where(task=task, loss=loss, seed=0)
        rows[loss] = recorded_images(row, "pictures", side)
    return image_rows(rows)


# --- One pixel --------------------------------------------------------------------------------


def mixed_loss(share: float, weight: float, painted: Tensor) -> tuple[Tensor, Tensor]:
    r"""Both parts of cGAN + λL1 for one pixel that a noisy generator inks with some probability.

    .. math:: 2\,\mathrm{JS}\big(\mathrm{Bern}(p), \mathrm{Bern}(v)\big), \qquad
        \lambda\,[p(1 - v) + (1 - p)v]

    Args:
        share: p, of the answers with ink here, strictly between 0 and 1.
        weight: λ, in nats.
        painted: v, **[n]**, in [0, 1].

    Returns:
        The game against the best critic, up to −log 4, and λ times the expected L1 error.
    """
    parts = []
    data = torch.full_like(painted, share)
    for p, q in ((data, painted), (1 - data, 1 - painted)):
        m = (p + q) / 2
        parts += [torch.xlogy(p, p / m), torch.xlogy(q, q / m)]
    game = torch.stack(parts).sum(0)
    return game, weight * (share * (1 - painted) + (1 - share) * painted)


def one_pixel_optimum(share: float, weight: float) -> float:
    r"""Where the sum of :func:`mixed_loss` is least: never at an end while λ is finite.

    .. math:: \frac{v(2 - p - v)}{(p + v)(1 - v)} = r, \qquad r = e^{-\lambda(1 - 2p)}

    A quadratic, :math:`(r - 1)v^2 + (2 - p - r(1 - p))\,v - rp = 0`, with one root in (0, 1).

    Args:
        share: p, strictly between 0 and 1.
        weight: λ ≥ 0, in nats.

    Returns:
        v.

    Raises:
        ValueError: if the share is not inside (0, 1), or the weight is negative or not finite.

    Example:
        >>> one_pixel_optimum(0.5, 3.0)
        0.5
    """
    if not 0 < share < 1 or not 0 <= weight < math.inf:
        raise ValueError(
            f"expected a share inside (0, 1) and a finite weight ≥ 0, got {share} and {weight}"
        )
    if share > 0.5:
        return 1 - one_pixel_optimum(1 - share, weight)
    r = math.exp(-weight * (1 - 2 * share))
    middle = 2 - share - r * (1 - share)
    root = math.sqrt(middle**2 - 4 * (1 - r) * r * share)
    return 2 * r * share / (middle + root)


def one_pixel(share: float, weight: float) -> Figure:
    r"""A pixel that is ink in a share of the answers: what L1, the game and both together want.

    Args:
        share: of the answers with ink.
        weight: λ in nats.

    Returns:
        The losses over the probability of ink; bars of the best probabilities.
    """
    v = torch.linspace(0, 1, 101, dtype=torch.float64)
    game, error = mixed_loss(share, weight, v)
    both = game + error
    best = float(v[both.argmin()])
    alone = 0.5 if share == 0.5 else float(share > 0.5)
    figure, (left, right) = subplots(1, 2, width=7.4, height=2.6, width_ratios=[1.4, 1])
    for values, colour, name in (
        (game, CRITIC, "game"),
        (error, SERIES[3], "λ·L1"),
        (both, INK, "sum"),
    ):
        left.plot(v, values.clamp(max=2.0), color=colour, label=name)
    left.plot([best], [min(float(both.min()), 2.0)], "o", color=INK, clip_on=False)
    left.set(xlim=(0, 1), ylim=(0, 2.05), xlabel="probability v of painting ink", ylabel="nats")
    left.legend(loc="upper right", fontsize=8)
    right.bar([0, 1, 2], [share, alone, best], color=[DATA, SERIES[3], MODEL], width=0.6)
    right.set(xlim=(-0.6, 2.6), ylim=(0, 1.02), ylabel="probability of ink")
    place_ticks(right.xaxis, [0, 1, 2], ["answers", "L1 alone", "game + λL1"], fontsize=8)
    figure.set_label(
        f"ink in {share:.0%} of the answers, λ = {weight:g}: the sum paints {best:.0%}"
    )
    return figure


# --- Sweeps -----------------------------------------------------------------------------------


def weight_frame(study: StudyResult, pictures: Mapping[str, Tensor], weight: float) -> Figure:
    r"""Translations under one λ, with their scores among those of the others.

    Args:
        study: ``translation_sweeps``.
        pictures: inputs and answers.
        weight: λ.

    Returns:
        Pictures of the first seed; beside them three curves, each the mean of thin ones, the seeds.
    """
    weights = [float(row["weight"]) for row in study.where(sweep="weight", seed=0)]
    (row,) = study.where(sweep="weight", weight=weight, seed=0)
    side = pictures["input x"].shape[-1]
    shown = {**pictures, "output": recorded_images(row, "pictures", side)}
    figure, axes = _pictures_and_axis(shown)
    place = weights.index(float(weight))
    for key, colour, name in (
        ("read", DATA, "read as its digit"),
        ("midtones", SERIES[3], "share of mid-greys"),
        ("noise", GRADIENT, "spread of two draws"),
    ):
        seeds = torch.tensor(study.column(key, sweep="weight")).view(-1, len(weights))
        axes.plot(seeds.T, color=colour, linewidth=0.7)
        axes.plot(seeds.mean(0), "-o", color=colour, label=name, markersize=3)
        axes.plot([place], [seeds.mean(0)[place]], "o", color=colour, markersize=9)
    axes.set(xlim=(-0.3, len(weights) - 0.7), ylim=(-0.03, 1.05), xlabel="λ", ylabel="share")
    place_ticks(axes.xaxis, range(len(weights)), [f"{each:g}" for each in weights])
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.72), fontsize=8)
    figure.set_label(
        f"λ = {weight:g}: read {float(row['read']):.0%}, mid-greys {float(row['midtones']):.1%}, "
        f"sharpness {float(row['sharpness']):.2f}, noise {float(row['noise']):.2f}"
    )
    return figure


def _pictures_and_axis(rows: Mapping[str, Tensor], colour: str = "gray") -> tuple[Figure, Axes]:
    figure, axes = subplots(1, 2, width=7.6, height=2.5, width_ratios=[1.5, 1])
    together = torch.cat(list(rows.values()))
    shown = tile(together, columns=len(next(iter(rows.values()))))
    axes[0].imshow(shown, cmap=colour, vmin=0, vmax=1, interpolation="nearest", aspect="equal")
    side = next(iter(rows.values())).shape[-1]
    axes[0].set_xticks([])
    place_ticks(
        axes[0].yaxis, [(side + 1) * (k + 0.5) for k in range(len(rows))], list(rows), fontsize=8
    )
    axes[0].tick_params(length=0)
    return figure, axes[1]


def patch_frame(
    study: StudyResult, pictures: Mapping[str, Tensor], patch: int, looked_at: str
) -> Figure:
    r"""Translations under critics of one patch, and what this critic says where.

    Args:
        study: ``translation_sweeps``.
        pictures: inputs and answers.
        patch: side of the patch.
        looked_at: ``"output"`` or ``"answer"``.

    Returns:
        Pictures; below them the map of D, stretched to their size.
    """
    (row,) = study.where(sweep="patch", patch=patch, seed=0)
    side, small = pictures["input x"].shape[-1], int(row["map_side"])
    key = "maps" if looked_at == "output" else "real_maps"
    maps = recorded_images(row, key, small)
    stretched = torch.nn.functional.interpolate(maps, size=(side, side), mode="nearest")
    made = recorded_images(row, "pictures", side)
    figure, axes = subplots(4, 1, width=6.4, height=4.4)
    names = ("input x", "output", "answer y", f"D of the {looked_at}")
    stack = (pictures["input x"], made, pictures["answer y"], stretched)
    for axis, name, images in zip(axes, names, stack, strict=True):
        scale = "PiYG" if name.startswith("D") else "gray"
        axis.imshow(tile(images, columns=SHOWN), cmap=scale, vmin=0, vmax=1, aspect="equal")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    _outline_patch(axes[1], patch, side)
    figure.set_label(
        f"patch {patch}: {small}×{small} verdicts, mean D {float(maps.mean()):.2f}; "
        f"read {float(row['read']):.0%}, sharpness {float(row['sharpness']):.2f}"
    )
    return figure


def _outline_patch(axis: Axes, patch: int, side: int) -> None:
    """The patch around the centre of the first picture, cut at its border."""
    half = min(patch, side) / 2
    low, high = side / 2 - half - 0.5, side / 2 + half - 0.5
    line = ([low, high, high, low, low], [low, low, high, high, low])
    axis.plot(*line, color=CRITIC, linewidth=1.8)


# --- Cycles -----------------------------------------------------------------------------------


def moments(study: StudyResult, loss: str) -> list[Row]:
    r"""The recorded moments of one training without pairs.

    Args:
        study: ``translation_cycles``.
        loss: of the run.

    Returns:
        Rows in the order of training.
    """
    return study.where(kind="moment", loss=loss)


def cycle_frame(study: StudyResult, loss: str, direction: str, moment: int) -> Figure:
    r"""Input → translation → reconstruction at one moment of training.

    Args:
        study: ``translation_cycles``.
        loss: of the run.
        direction: ``"coarse → fine → coarse"`` or the other.
        moment: which, from 0.

    Returns:
        Three rows of pictures; at the right the errors of all moments.
    """
    rows = moments(study, loss)
    row = rows[min(moment, len(rows) - 1)]
    there = direction.startswith("coarse")
    keys = ("x", "g_x", "f_g_x") if there else ("y", "f_y", "g_f_y")
    side = int(row["side"])
    names = ("input", "translation", "there and back")
    shown = {n: unpack_images(str(row[k]), 1, side, side) for n, k in zip(names, keys, strict=True)}
    figure, axes = _pictures_and_axis(shown)
    steps = [int(each["step"]) for each in rows]
    for first, last, colour, name in (
        ("x", "f_g_x", SERIES[0], "coarse → fine → coarse"),
        ("y", "g_f_y", SERIES[3], "fine → coarse → fine"),
    ):
        errors = [_error(each, first, last, side) for each in rows]
        axes.plot(steps, errors, "-", color=colour, label=name)
        axes.plot([int(row["step"])], [errors[rows.index(row)]], "o", color=colour)
    axes.set(xlim=(0, steps[-1]), ylim=(0, 0.5), xlabel="iteration", ylabel="cycle error")
    axes.legend(loc="upper right", fontsize=8)
    figure.set_label(f"iteration {row['step']}: error {_error(row, keys[0], keys[2], side):.3f}")
    return figure


def _error(row: Row, first: str, last: str, side: int) -> float:
    pair = [unpack_images(str(row[key]), 1, side, side) for key in (first, last)]
    return float((pair[0] - pair[1]).abs().mean())


def noise_curves(curves: Mapping[str, Sequence[Row]]) -> Figure:
    r"""The error of y → F → + noise → G, against the noise.

    Args:
        curves: loss → rows of ``translation_cycles`` or ``translation_hidden``, one a seed.

    Returns:
        One line a seed; dotted, the mean error when everything off the blocks is removed.
    """
    figure, axis = subplots(width=5.6, height=2.7)
    for colour, (loss, rows) in zip((MODEL, *SERIES), curves.items(), strict=False):
        for place, row in enumerate(rows):
            errors = [float(row[f"noise_{level:g}"]) for level in LEVELS]
            axis.plot(LEVELS, errors, ".-", color=colour, label=None if place else loss)
        blocked = np.mean([float(row["blocked"]) for row in rows])
        axis.axhline(blocked, color=colour, linestyle=":", linewidth=1)
    axis.set(xlim=(0, LEVELS[-1] * 1.02), ylim=(0, 0.21), xlabel="σ of the noise on F(y)")
    axis.set_ylabel("error of the reconstruction")
    axis.legend(fontsize=8, loc="upper center", ncol=2)
    return figure


def hidden(y: Tensor, middle: Tensor, clean: Tensor, back: Tensor, back_clean: Tensor) -> Figure:
    r"""What a cycle hides: pictures, their honest part, what is left, and both reconstructions.

    Args:
        y: inputs, **[N, 1, H, W]**.
        middle: F(y).
        clean: its projection onto pictures of X.
        back: G(F(y)).
        back_clean: G of the projection.

    Returns:
        Six named rows.
    """
    secret = (0.5 + 2 * (middle - clean)).clamp(0, 1)
    rows = {"y": y, "F(y)": middle, "in blocks": clean, "the rest, ×2": secret}
    return image_rows({**rows, "G(F(y))": back, "G(in blocks)": back_clean})


def round_trip(angle: float, seed: int = 0) -> Figure:
    r"""A pair of maps of the plane that undo each other, and where they send two classes.

    Args:
        angle: in degrees, of the rotation G; F turns back.
        seed: of the points.

    Returns:
        Three panels: X, G(X) over Y, and F(G(X)).
    """
    source = torch.Generator().manual_seed(seed)
    turns = torch.arange(60) * 2 * np.pi / 60
    radius = 1 + 0.04 * torch.randn(60, generator=source)
    points = torch.stack([turns.cos(), turns.sin()], 1) * radius[:, None]
    top = points[:, 1] > 0
    there = turn(points, angle)
    back = turn(there, -angle)
    figure, axes = subplots(1, 3, width=7.4, height=2.6)
    for axis, cloud, name in zip(
        axes, (points, there, back), ("x", "G(x)", "F(G(x))"), strict=True
    ):
        axis.axhline(0, color=MUTED, linewidth=0.8)
        axis.plot(cloud[top, 0], cloud[top, 1], ".", color=DATA)
        axis.plot(cloud[~top, 0], cloud[~top, 1], ".", color=MODEL)
        axis.set(
            xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), xticks=[], yticks=[], aspect="equal", title=name
        )
    kept = float(((there[:, 1] > 0) == top).double().mean())
    error = float((back - points).abs().mean())
    axes[1].set_xlabel(f"{kept:.0%} keep their side", color=INK)
    axes[2].set_xlabel(f"cycle error {error:.4f}", color=INK)
    figure.set_label(f"turned by {angle:g}°: cycle error {error:.4f}, {kept:.0%} keep their side")
    return figure


def machinery() -> Figure:
    r"""The critic sees the input beside the output, and so whether they fit."""
    return schematic(
        [
            Box("x", 0, 0.7, "input x", DATA, 1.2),
            Box("z", 2.1, -0.6, "noise z", width=1.1, framed=False),
            Box("g", 2.1, 0.7, "generator G", MODEL, 1.6),
            Box("y", 4.6, 0.7, "G(x, z)", MODEL, 1.2),
            Box("d", 6.9, 0.7, "critic of\npairs", CRITIC, 1.3, 0.9),
            Box("l", 4.6, -0.6, "L1 to the answer y", width=2.1),
        ],
        [
            Wire("x", "g"),
            Wire("z", "g"),
            Wire("g", "y", colour=MODEL),
            Wire("y", "d", colour=MODEL),
            Wire("x", "d", "the input, too", colour=DATA, bend=0.28, lift=0.15),
            Wire("y", "l"),
        ],
        width=5.6,
        height=2.3,
    )
