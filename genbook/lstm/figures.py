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

from genbook.kit.device import seeded
from genbook.kit.plotting import DATA, GRADIENT, MODEL, MUTED, SERIES, place_ticks, subplots
from genbook.kit.schematic import Box, Wire, schematic
from genbook.lstm import cells as lstm_cells
from genbook.lstm import lag, paths, readers, truncation
from genbook.lstm.lag import ARMS, LENGTHS
from genbook.lstm.readers import Reader
from genbook.lstm.units import Evidence

PLAIN = SERIES[1]
HIDDEN = SERIES[0]
PULSES = {5: 1.0, 25: 0.6, 40: -1.0}
LAGS = tuple(range(0, 101, 5))
SENT_BACK = (1, *range(5, truncation.LENGTH + 1, 5))


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
    held = lstm_cells.hold(g, i=i, f=f, o=o)
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
    kept = "for ever" if f == 1 else f"1/e of a pulse is left after {-1 / math.log(f):.1f} steps"
    bottom.set_title(f"a pulse is kept {kept}" if f == 1 else kept)
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
    net = lstm_cells.RNNCell(3, 24, generator=seeded(0), dtype=torch.float64)
    with torch.no_grad():
        net.weight_h.copy_(_recurrent(kind, singular, 10))
        hidden = lstm_cells.unroll_rnn(net, _noise())
        return _mean_reach(paths.rnn_path(net, hidden))


@lru_cache(maxsize=512)
def _gated_reach(kind: str, singular: float, bias: float) -> tuple[Tensor, Tensor]:
    cell = lstm_cells.LSTMCell(3, 24, forget_bias=bias, generator=seeded(0), dtype=torch.float64)
    with torch.no_grad():
        blocks = [_recurrent(kind, singular, 10 + block) for block in range(4)]
        cell.weight_h.copy_(torch.cat(blocks))
        gates = lstm_cells.unroll(cell, _noise())
        total = _mean_reach(paths.total_path(cell, gates))
        direct = paths.direct_path(gates.forget).amax(-1)
        return total, direct.log().mean(-1).exp().flip(0)[list(LAGS)]


@lru_cache(maxsize=1)
def _noise() -> Tensor:
    return 0.5 * torch.randn(101, 3, 3, generator=seeded(3), dtype=torch.float64)


def _mean_reach(path: Tensor) -> Tensor:
    """Geometric mean over sequences of the norms at the chosen lags."""
    return paths.norms(path.flip(0)[list(LAGS)]).clamp_min(1e-300).log().mean(-1).exp()


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
    radius = paths.spectral_radius(_recurrent(kind, singular, 10)).item()
    memory = paths.memory(bias).item()
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
    x, y = next(readers.orders(length, 200, seeded(77)))
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
    loss, _ = readers.loss_and_accuracy(scores, y)
    (gradient,) = torch.autograd.grad(loss, x)
    reached = gradient.norm(dim=-1).mean(-1)
    return Snapshot(update, reached.cpu(), scores[-1].softmax(-1).detach().cpu())


@dataclass(frozen=True, eq=False)
class Watched:
    r"""A run of the temporal-order task with pictures taken on the way.

    Attributes:
        reader: as trained.
        snapshots: one for each moment; the last one repeats once the run has stopped.
        batches: accuracy of each batch.
        accuracy: on 10,000 fresh sequences.
    """

    reader: Reader
    snapshots: list[Snapshot]
    batches: list[float]
    accuracy: float


def watch(arm: str, length: int, seed: int, *, total: int = 3_000, moments: int = 40) -> Watched:
    r"""Run one seed of the study's protocol and look at it ``moments`` times.

    Args:
        arm: the contender's name.
        length: T.
        seed: of weights and sequences.
        total: the largest number of updates.
        moments: how many snapshots, spaced evenly on a logarithmic scale.

    Returns:
        The run.
    """
    reader = lag.arm_named(arm).reader(length, seeded(seed))
    due = np.unique(np.geomspace(1, total, moments).astype(int)).tolist()
    snapshots, batches = [snapshot(reader, 0, length)], []
    steps = lag.lag_steps(reader, length, seeded(lag.SEQUENCES.seed(seed)), total=total)
    for step in steps:
        batches.append(step.terms["accuracy"])
        if step.index + 1 in due:
            snapshots.append(snapshot(reader, step.index + 1, length))
    snapshots.append(snapshot(reader, len(batches), length))
    short = moments - len(snapshots)
    snapshots = (snapshots + [snapshots[-1]] * short)[:moments]
    return Watched(reader, snapshots, batches, lag.lag_accuracy(reader, length))


def training(step: int, plain: Watched, gated: Watched) -> Figure:
    r"""One moment of two training runs.

    Args:
        step: which snapshot.
        plain: a run of the plain net.
        gated: a run of an LSTM.

    Returns:
        Three panels: accuracy so far, how far the gradient reaches, the LSTM's answers.
    """
    figure, (left, middle, right) = subplots(
        1, 3, width=8.4, height=2.9, width_ratios=[1.1, 1.2, 0.9]
    )
    for run, name, color in ((plain, "plain net", PLAIN), (gated, "LSTM", MODEL)):
        where, smooth = _smoothed(run.batches)
        left.plot(where, smooth, color=color, label=name)
        now = run.snapshots[step]
        at = max(now.update, 1)
        left.plot([at], [float(np.interp(at, where, smooth))], "o", color=color)
        middle.plot(now.reach.clamp(1e-13, 10), color=color, label=name)
    left.set(xscale="log", xlim=(1, len(plain.batches)), ylim=(0, 1.05))
    left.set(xlabel="update", title="accuracy, 50 batches")
    left.legend(loc="lower right")
    middle.set(yscale="log", xlim=(0, len(now.reach) - 1), ylim=(1e-12, 1))
    middle.set(xlabel="step of the sequence", title="gradient at the input")
    right.imshow(now.answers.numpy(), cmap="gray_r", vmin=0, vmax=1)
    names = ["XX", "XY", "YX", "YY"]
    place_ticks(right.xaxis, range(4), names)
    place_ticks(right.yaxis, range(4), names)
    right.grid(False)
    right.set(xlabel="answer", ylabel="truth", title=f"LSTM, update {now.update}")
    return figure


def _smoothed(values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """About 40 running means over 50 values, evenly spaced on a logarithmic scale."""
    summed = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.unique(np.geomspace(1, len(values), 40).astype(int))
    begins = np.maximum(ends - 50, 0)
    return ends, (summed[ends] - summed[begins]) / (ends - begins)


@torch.no_grad()
def gates_of(run: Watched, length: int, answer: int) -> tuple[Figure, Tensor]:
    r"""Every gate of a trained reader while it reads one probe.

    Args:
        run: of an LSTM.
        length: T.
        answer: which probe, 0 to 3.

    Returns:
        Three panels, units by steps, and the two steps at which the marks stand ``[2]``.
    """
    cell = lstm_cells.from_torch(_lstm_of(run.reader))
    x = probes(length)[0][:, answer]
    gates = lstm_cells.unroll(cell, x)
    marks = x[:, :2].sum(-1).nonzero()[:, 0]
    order = gates.forget.mean(0).argsort(descending=True)
    figure, axes = subplots(1, 3, width=8.4, height=2.8, sharey=True)
    panels = (("input gate i", gates.input, 0), ("forget gate f", gates.forget, 0))
    for axis, (title, values, low) in zip(
        axes, (*panels, ("tanh of the cell c", gates.cell.tanh(), -1)), strict=True
    ):
        axis.imshow(values[:, order].T.numpy(), cmap="gray", vmin=low, vmax=1, aspect="auto")
        axis.plot(marks, [-1.6, -1.6], "v", color=DATA, clip_on=False)
        axis.grid(False)
        axis.set(xlabel="step", xlim=(-0.5, length - 0.5), ylim=(len(order) - 0.5, -0.5))
        axis.set_title(title, pad=12)
    axes[0].set(ylabel="unit, by its mean f")
    return figure, marks


def _lstm_of(reader: Reader) -> torch.nn.LSTM:
    if not isinstance(reader.recurrent, torch.nn.LSTM):
        raise ValueError(f"expected an LSTM reader, got {reader}")
    return reader.recurrent


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
        place_ticks(panel.xaxis, [0.25, 0.5, 0.75, 1.0])
        panel.grid(False, axis="y")
    place_ticks(axes[0].yaxis, range(len(names)), names)
    axes[0].invert_yaxis()
    return figure


# A gradient that is stopped early


@lru_cache(maxsize=8)
def _shares(arm: str) -> tuple[Tensor, Tensor, Tensor]:
    """Gradient at each input ``[T]``; what each window of ``SENT_BACK`` lacks, and its cosine."""
    reader = lag.arm_named(arm).reader(truncation.LENGTH, seeded(0))
    x, y = next(readers.orders(truncation.LENGTH, 100, seeded(5)))
    x.requires_grad_()
    loss, _ = readers.loss_and_accuracy(reader(x)[0], y)
    (at_input,) = torch.autograd.grad(loss, x)
    found = [truncation.recurrent_gradient(reader, x.detach(), y, k).double() for k in SENT_BACK]
    missing = torch.stack([(part - found[-1]).norm() for part in found]) / found[-1].norm()
    cosine = torch.stack([torch.cosine_similarity(part, found[-1], dim=0) for part in found])
    return at_input.norm(dim=-1).mean(-1), missing, cosine


def window(arm: str, steps: int) -> Figure:
    r"""What a truncated gradient of a reader lacks, before any training.

    Args:
        arm: the contender's name.
        steps: k, how many steps the gradient goes back, one of ``SENT_BACK``.

    Returns:
        Two panels: the gradient at each input, and what is missing for every window.
    """
    at_input, missing, cosine = _shares(arm)
    figure, (left, right) = subplots(1, 2, width=8.4, height=2.9, width_ratios=[1.25, 1])
    length = len(at_input)
    left.axvspan(length - steps - 0.5, length - 0.5, color=MODEL, alpha=0.15, linewidth=0)
    left.plot(at_input.clamp(1e-13, 10), color=GRADIENT)
    for begin, end in ((5, 10), (25, 30)):
        left.plot([begin, end], [3e-13] * 2, color=DATA, linewidth=4, solid_capstyle="butt")
    left.set(yscale="log", xlim=(-0.5, length - 0.5), ylim=(1e-13, 1))
    left.set(xlabel="step of the sequence", title=f"gradient at the input; window {steps}")
    place = SENT_BACK.index(steps)
    right.plot(SENT_BACK, missing, color=GRADIENT, label="share missing")
    right.plot(SENT_BACK, cosine, color=MODEL, linestyle="--", label="cosine")
    right.plot([steps], [float(missing[place])], "o", color=GRADIENT)
    right.plot([steps], [float(cosine[place])], "o", color=MODEL)
    right.set(xlim=(0, length), ylim=(-0.05, 1.3), xlabel="window k")
    right.set_title("against the full gradient")
    right.legend(loc="upper right", ncols=2)
    return figure


# Images, row by row


# Units of a reader of source code


def telling_stretches(masks: Mapping[str, Tensor], *, count: int, width: int = 70) -> list[int]:
    r"""Where to look: stretches of the second half in which every label changes most often.

    Args:
        masks: label → where it holds, each ``[N]``.
        count: how many stretches.
        width: characters in each.

    Returns:
        Their first characters, the most telling first.
    """
    length = len(next(iter(masks.values())))
    begins = range(length // 2, length - width, width)
    changes = torch.stack([mask.diff().long().cumsum(0) for mask in masks.values()])
    score = torch.stack([changes[:, b + width - 2] - changes[:, b] for b in begins], 1)
    best = score.double().log1p().sum(0).topk(min(count, len(begins))).indices
    return [begins[place] for place in best.tolist()]


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
    place_ticks(axes.xaxis, range(width), letters, family="monospace", fontsize=8)
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


def cell(forget: float, let_in: float, let_out: float) -> Figure:
    r"""The cell with wires as thick as its gates are open.

    Args:
        forget: f in [0, 1], the share of the state that is kept.
        let_in: i in [0, 1], the share of the new content that is written.
        let_out: o in [0, 1], the share of the state that is shown.
    """
    return schematic(
        [
            Box("old", 0, 0, "c before", SERIES[0], 1.3),
            Box("sum", 2.7, 0, "+", width=0.6),
            Box("new", 5.2, 0, "c after", SERIES[0], 1.3),
            Box("g", 2.7, -1.5, "new content g", width=1.7),
            Box("h", 5.2, 1.5, "output h", width=1.3),
        ],
        [
            Wire("old", "sum", f"× f = {forget:.2f}", forget, colour=SERIES[0], lift=0.25),
            Wire("g", "sum", f"× i = {let_in:.2f}", let_in, lift=0.0, shift=0.65),
            Wire("sum", "new", "", max(forget, let_in), colour=SERIES[0]),
            Wire("new", "h", f"tanh, × o = {let_out:.2f}", let_out, lift=0.0, shift=-1.05),
        ],
        width=5.2,
        height=2.9,
    )
