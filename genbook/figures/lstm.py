"""Drawings of the chapter on the LSTM's gates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from genbook import lstm
from genbook.kit.device import seeded
from genbook.kit.plotting import DATA, GRADIENT, MODEL, MUTED, SERIES, subplots
from genbook.lstm_text import Evidence
from genbook.lstm_training import ARMS, LENGTHS, Reader, loss_and_accuracy, orders

PLAIN = SERIES[1]
HIDDEN = SERIES[0]
PULSES = {5: 1.0, 25: 0.6, 40: -1.0}
LAGS = tuple(range(0, 101, 5))


def pulses(steps: int = 60) -> Tensor:
    r"""The candidates of the first explorable: three pulses, zero elsewhere.

    Args:
        steps: how many.

    Returns:
        Shape ``[steps]``.
    """
    g = torch.zeros(steps, dtype=torch.float64)
    for step, height in PULSES.items():
        g[step] = height
    return g


def hold_gates(f: float, i: float, o: float) -> Figure:
    r"""Sixty steps of one cell whose gates are held by hand.

    Args:
        f: forget gate.
        i: input gate.
        o: output gate.

    Returns:
        Two panels: the candidates, and c with h.
    """
    g = pulses()
    held = lstm.hold(g, i=i, f=f, o=o)
    figure, (top, bottom) = subplots(
        2, 1, width=7.0, height=3.5, sharex=True, height_ratios=[1, 2.6]
    )
    top.vlines(list(PULSES), 0, list(PULSES.values()), color=DATA, linewidth=3)
    top.axhline(0, color=MUTED, linewidth=0.8)
    top.set(ylim=(-1.2, 1.2), ylabel="g")
    bottom.axhline(0, color=MUTED, linewidth=0.8)
    bottom.plot(held.cell, color=MODEL, label="cell c")
    bottom.plot(held.hidden, color=HIDDEN, linestyle="--", label="hidden h")
    bottom.set(xlim=(0, 59), ylim=(-1.3, 1.9), xlabel="step")
    bottom.legend(loc="upper right", ncols=2)
    memory = "for ever" if f == 1 else f"{-1 / math.log(f):.1f} steps"
    bottom.set_title(f"keeps 1/e of its content {'' if f == 1 else 'after '}{memory}")
    return figure


# How far a gradient reaches


@lru_cache(maxsize=512)
def _recurrent(kind: str, singular: float, seed: int, size: int = 24) -> Tensor:
    """A recurrent matrix with a given largest singular value."""
    weight = torch.randn(size, size, generator=seeded(seed), dtype=torch.float64)
    if kind == "orthogonal":
        weight = torch.linalg.qr(weight).Q
    return weight * (singular / torch.linalg.matrix_norm(weight, 2))


@lru_cache(maxsize=64)
def _plain_reach(kind: str, singular: float) -> Tensor:
    net = lstm.RNNCell(3, 24, generator=seeded(0), dtype=torch.float64)
    with torch.no_grad():
        net.weight_h.copy_(_recurrent(kind, singular, 10))
        hidden = lstm.unroll_rnn(net, _noise())
        return _mean_reach(lstm.rnn_path(net, hidden))


@lru_cache(maxsize=512)
def _gated_reach(kind: str, singular: float, bias: float) -> tuple[Tensor, Tensor]:
    cell = lstm.LSTMCell(3, 24, forget_bias=bias, generator=seeded(0), dtype=torch.float64)
    with torch.no_grad():
        blocks = [_recurrent(kind, singular, 10 + block) for block in range(4)]
        cell.weight_h.copy_(torch.cat(blocks))
        gates = lstm.unroll(cell, _noise())
        total = _mean_reach(lstm.total_path(cell, gates))
        direct = lstm.direct_path(gates.forget).amax(-1)
        return total, direct.log().mean(-1).exp().flip(0)[list(LAGS)]


@lru_cache(maxsize=1)
def _noise() -> Tensor:
    return 0.5 * torch.randn(101, 3, 3, generator=seeded(3), dtype=torch.float64)


def _mean_reach(path: Tensor) -> Tensor:
    """Geometric mean over sequences of the norms at the chosen lags."""
    return lstm.norms(path.flip(0)[list(LAGS)]).clamp_min(1e-300).log().mean(-1).exp()


def reach(bias: float, singular: float, kind: str) -> Figure:
    r"""How much of a gradient is left k steps back, for a plain net and an LSTM.

    Args:
        bias: the LSTM's forget bias.
        singular: largest singular value of each recurrent block.
        kind: ``"random"`` or ``"orthogonal"`` recurrent weights.

    Returns:
        One panel on a logarithmic scale.
    """
    plain = _plain_reach(kind, singular)
    total, direct = _gated_reach(kind, singular, bias)
    low, high = 1e-8, 1e5
    figure, axes = subplots(width=8.4, height=3.2)
    bound = [singular**k for k in (0, LAGS[-1])]
    axes.plot([0, LAGS[-1]], bound, color=PLAIN, linestyle=":", label="bound λ₁ᵏ")
    axes.plot(LAGS, plain.clamp(low / 10, high * 10), color=PLAIN, label="plain net")
    axes.plot(
        LAGS,
        direct.clamp(low / 10, high * 10),
        color=GRADIENT,
        linestyle="--",
        label="LSTM, direct path",
    )
    axes.plot(LAGS, total.clamp(low / 10, high * 10), color=GRADIENT, label="LSTM, all paths")
    axes.set(yscale="log", ylim=(low, high), xlim=(0, 100))
    axes.set(xlabel="steps back, k", ylabel="norm of the Jacobian")
    radius = lstm.spectral_radius(_recurrent(kind, singular, 10)).item()
    memory = lstm.memory(bias).item()
    axes.set_title(
        f"plain net: λ₁ = {singular:.2f}, spectral radius {radius:.2f};  "
        f"LSTM: memory {memory:.1f} steps"
    )
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


# A training run


@dataclass(frozen=True, eq=False)
class Snapshot:
    r"""A reader of the temporal-order task at one moment of its training.

    Attributes:
        update: how many updates were made.
        reach: norm of the loss's gradient at the input of each step, ``[T]``.
        answers: probability of each answer for each of four probes, ``[4, 4]``.
    """

    update: int
    reach: Tensor
    answers: Tensor


def probes(length: int) -> tuple[Tensor, Tensor]:
    r"""One sequence of each class.

    Args:
        length: T.

    Returns:
        Inputs ``[T, 4, 8]`` and the answers 0, 1, 2, 3.
    """
    x, y = next(orders(length, 200, seeded(77)))
    first = [int((y == answer).nonzero()[0]) for answer in range(4)]
    return x[:, first], y[first]


def snapshot(reader: Reader, update: int, length: int) -> Snapshot:
    r"""Look at a reader without changing it.

    Args:
        reader: of the temporal-order task.
        update: how many updates it has had.
        length: T.

    Returns:
        What it does on the four probes.
    """
    device = next(reader.parameters()).device
    x, y = (values.to(device) for values in probes(length))
    x.requires_grad_()
    scores, _ = reader(x)
    loss, _ = loss_and_accuracy(scores, y)
    (gradient,) = torch.autograd.grad(loss, x)
    reached = gradient.norm(dim=-1).mean(-1)
    return Snapshot(update, reached.cpu(), scores[-1].softmax(-1).detach().cpu())


def training(
    step: int, runs: Mapping[str, Sequence[Snapshot]], accuracies: Mapping[str, Sequence[float]]
) -> Figure:
    r"""One moment of two training runs.

    Args:
        step: which snapshot.
        runs: name → snapshots, the plain net first.
        accuracies: name → accuracy of each batch.

    Returns:
        Three panels: accuracy so far, how far the gradient reaches, the LSTM's answers.
    """
    figure, (left, middle, right) = subplots(
        1, 3, width=8.4, height=2.9, width_ratios=[1.1, 1.2, 0.9]
    )
    longest = max(snaps[-1].update for snaps in runs.values())
    for (name, snaps), color in zip(runs.items(), (PLAIN, MODEL), strict=True):
        now = snaps[min(step, len(snaps) - 1)]
        where, smooth = _smoothed(accuracies[name])
        left.plot(where, smooth, color=color, label=name)
        at = float(np.interp(now.update, where, smooth))
        left.plot([now.update], [at], "o", color=color)
        middle.plot(now.reach.clamp(1e-13, 10), color=color, label=name)
    left.set(xlim=(0, longest), ylim=(0, 1.05), xlabel="update", title="accuracy (50 batches)")
    left.legend(loc="center right")
    middle.set(yscale="log", xlim=(0, len(now.reach) - 1), ylim=(1e-12, 1))
    middle.set(xlabel="step of the sequence", title="gradient at the input")
    right.imshow(now.answers, cmap="gray_r", vmin=0, vmax=1)
    names = ["XX", "XY", "YX", "YY"]
    right.set_xticks(range(4), names)
    right.set_yticks(range(4), names)
    right.grid(False)
    right.set(xlabel="answer", ylabel="truth", title=f"LSTM, update {now.update}")
    return figure


def _smoothed(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """At most 60 running means over 50 values."""
    summed = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.unique(np.linspace(1, len(values), 60).astype(int))
    begins = np.maximum(ends - 50, 0)
    return ends, (summed[ends] - summed[begins]) / (ends - begins)


def lag_table(rows: Sequence[Mapping[str, object]]) -> Figure:
    r"""The recorded study: accuracy of every run, a panel for each length.

    Args:
        rows: of the study.

    Returns:
        Three panels.
    """
    figure, axes = subplots(1, len(LENGTHS), width=8.4, height=2.6, sharey=True)
    names = [arm.name for arm in ARMS]
    for panel, length in zip(axes, LENGTHS, strict=True):
        for place, name in enumerate(names):
            runs = [r for r in rows if r["arm"] == name and r["length"] == length]
            values = [float(str(run["accuracy"])) for run in runs]
            spread = np.linspace(-0.22, 0.22, len(values))
            color = PLAIN if name.startswith("RNN") else MODEL
            panel.plot(values, place + spread, "o", color=color, markersize=4)
            solved = sum(bool(run["solved"]) for run in runs)
            panel.text(1.06, place, f"{solved}/{len(runs)}", va="center", fontsize=8.5)
        panel.axvline(0.25, color=MUTED, linewidth=0.8, linestyle=":")
        panel.set(xlim=(0.15, 1.28), xlabel="accuracy", title=f"T = {length}")
        panel.set_xticks([0.25, 0.5, 0.75, 1.0])
        panel.grid(False, axis="y")
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    return figure


# Images, row by row


def by_row(curves: Mapping[str, Tensor]) -> Figure:
    r"""Accuracy after each row.

    Args:
        curves: name → ``[H]``, the plain net first.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.0, height=2.6)
    for (name, values), color in zip(curves.items(), (PLAIN, MODEL), strict=True):
        axes.plot(np.arange(1, len(values) + 1), values, color=color, label=name)
    axes.set(xlim=(1, len(values)), ylim=(0, 1), xlabel="rows read", ylabel="test accuracy")
    axes.legend(loc="upper left")
    return figure


def reading(
    which: int, row: int, images: Tensor, labels: Tensor, beliefs: Mapping[str, Tensor]
) -> Figure:
    r"""What two readers believe after some rows of an image.

    Args:
        which: which image.
        row: the last row read, from 0.
        images: ``[N, H, W]``.
        labels: ``[N]``.
        beliefs: name → probabilities ``[H, N, 10]``, the plain net first.

    Returns:
        Two panels.
    """
    figure, (left, right) = subplots(1, 2, width=6.6, height=2.6, width_ratios=[1, 1.9])
    shown = images[which].clone()
    shown[row + 1 :] = 0.35
    left.imshow(shown.numpy(), vmin=0, vmax=1)
    left.set_axis_off()
    places = np.arange(10)
    for (name, values), color, offset in zip(
        beliefs.items(), (PLAIN, MODEL), (-0.2, 0.2), strict=True
    ):
        right.bar(places + offset, values[row, which], width=0.38, color=color, label=name)
    right.set(xlim=(-0.6, 9.6), ylim=(0, 1.25), xlabel="answer", title=f"truth: {labels[which]}")
    right.set_xticks(places)
    right.set_yticks([0, 0.5, 1])
    right.legend(loc="upper right", ncols=2)
    return figure


# Units of a reader of source code


def unit_along(
    label: str,
    start: int,
    source: str,
    cells: Tensor,
    masks: Mapping[str, Tensor],
    found: Mapping[str, Evidence],
    width: int = 70,
) -> Figure:
    r"""One unit's cell along a stretch of source code.

    Args:
        label: what the unit tracks.
        start: first character shown.
        source: the text.
        cells: every cell, ``[N, H]``.
        masks: label → where it holds, ``[N]``.
        found: label → the unit.
        width: characters shown.

    Returns:
        One panel with the text under it.
    """
    evidence = found[label]
    values = evidence.sign * cells[:, evidence.unit]
    values = (values - values.mean()) / values.std()
    here = slice(start, start + width)
    inside = masks[label][here].numpy()
    figure, axes = subplots(width=8.4, height=2.3)
    axes.fill_between(
        np.arange(width),
        -3,
        np.where(inside, 3, -3),
        step="mid",
        color=DATA,
        alpha=0.2,
        linewidth=0,
    )
    axes.plot(values[here].clamp(-3, 3), color=MODEL)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(-3, 3), ylabel="cell (standardised)")
    letters = [{"\n": "↵", " ": "·"}.get(letter, letter) for letter in source[here]]
    axes.set_xticks(range(width), letters, family="monospace", fontsize=8)
    axes.tick_params(axis="x", length=0)
    axes.grid(False)
    axes.set_title(f"unit {evidence.unit}; shaded: {_INSIDE[label]}")
    return figure


_INSIDE = {
    "quotes": "inside a string",
    "brackets": "inside brackets",
    "indentation": "line begins with 8 spaces or more",
}


def against_chance(found: Mapping[str, Evidence]) -> Figure:
    r"""Each unit's AUC beside what the best of all units reaches on rotated labels.

    Args:
        found: label → evidence.

    Returns:
        A panel a label.
    """
    figure, axes = subplots(1, len(found), width=8.4, height=2.3, sharey=True)
    for panel, (label, evidence) in zip(axes, found.items(), strict=True):
        _null(panel, evidence)
        panel.set(xlim=(0.5, 1), xlabel="AUC", title=f"{label}: p = {evidence.p_value:.3f}")
    axes[0].set_ylabel("rotations")
    return figure


def _null(panel: Axes, evidence: Evidence) -> None:
    panel.hist(
        (0.5 + evidence.null).numpy(), bins=[0.5 + place / 80 for place in range(41)], color=MUTED
    )
    panel.axvline(evidence.auc, color=MODEL)
