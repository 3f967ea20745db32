"""Drawings of the chapter on word vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Arc
from torch import Tensor
from torch.nn.functional import softplus

from genbook.kit.plotting import CRITIC, DATA, INK, MODEL, MUTED, numeral, place_ticks, subplots
from genbook.kit.schematic import Box, Wire, schematic
from genbook.words import shelf
from genbook.words.corpus import Corpus
from genbook.words.neighbours import nearest
from genbook.words.pmi import Decomposition

BOOKS = "ABCDEFG"
RULES = ("popular first", "the best of all 5,040", "the alphabet backwards")


def _placed(rule: str, joint: Tensor) -> Tensor:
    if rule == RULES[0]:
        return shelf.popular_first(joint)
    if rule == RULES[1]:
        return shelf.best(joint).places
    return torch.arange(len(joint), 0, -1).to(joint)


def shelves(kind: str, loyalty: float, rule: str) -> Figure:
    r"""Seven books in an order, and where the reader's steps go.

    Args:
        kind: how popularity falls, a key of :data:`genbook.words.shelf.POPULARITY`.
        loyalty: how often the second book is the friend of the first.
        rule: one of :data:`RULES`.

    Returns:
        Two panels: the shelf; the walk over each gap.
    """
    joint = shelf.seven(kind, loyalty)
    places = _placed(rule, joint)
    total, least = float(shelf.cost(joint, places)), float(shelf.best(joint).cost)
    figure, (left, right) = subplots(1, 2, width=8.2, height=3.0, width_ratios=[1.5, 1])
    _books(left, joint, places)
    ways, second = (part.numpy() for part in shelf.gaps(joint, places))
    gaps = np.arange(len(joint)) + 0.5
    right.bar(gaps, ways, width=0.8, color=DATA, alpha=0.8, label="to the first book")
    right.bar(gaps, second, bottom=ways, width=0.8, color=MODEL, alpha=0.8, label="on to the next")
    right.set(xlim=(0, 7), ylim=(0, 2.2), xlabel="gap", ylabel="crossings a visit")
    right.set_title(f"cost {total:.3f}; the least is {least:.3f}")
    right.legend(loc="upper right")
    order = "".join(BOOKS[int(i)] for i in places.argsort())
    figure.set_label(
        f"{kind} popularity, loyalty {loyalty:g}, {rule}: {order} from the door costs {total:.3f} "
        f"steps, the best order {least:.3f}"
    )
    return figure


def _books(axes: Axes, joint: Tensor, places: Tensor) -> None:
    alone = joint.sum(1).tolist()
    for book, (place, share) in enumerate(zip(places.tolist(), alone, strict=True)):
        axes.bar(place, share, width=0.7, color=DATA, alpha=0.8)
        axes.text(place, -0.035, BOOKS[book], ha="center", va="top")
        friend = shelf.FRIENDS[book]
        if friend > book:
            ends = sorted((place, float(places[friend])))
            weight = float(joint[book, friend] + joint[friend, book])
            axes.add_patch(
                Arc(
                    (sum(ends) / 2, 0.42), ends[1] - ends[0], 0.05 * (ends[1] - ends[0]),
                    theta1=0, theta2=180, color=MODEL, linewidth=0.5 + 10 * weight,
                )
            )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=3)
    axes.text(0.1, 0.62, "door", ha="left", va="top")
    axes.set(xlim=(-0.2, 7.6), ylim=(-0.11, 0.66), ylabel="fetched first")
    axes.set_xticks([])
    place_ticks(axes.yaxis, [0, 0.2, 0.4])
    axes.set_title("blue: how popular; arcs: friends")


def machinery() -> Figure:
    r"""Two tables of vectors, one product, one question."""
    return schematic(
        [
            Box("w", 0, 1.0, "word w", framed=False, width=0.9),
            Box("c", 0, 0, "word c", framed=False, width=0.9),
            Box("u", 1.6, 1.0, "vector of w", MODEL, width=1.3),
            Box("v", 1.6, 0, "vector of c", MODEL, width=1.3),
            Box("s", 3.4, 0.5, "their product s", CRITIC, width=1.5),
            Box("d", 5.3, 0.5, "σ(s): from\nthe text?", INK, width=1.2),
        ],
        [
            Wire("w", "u"), Wire("c", "v"), Wire("u", "s"), Wire("v", "s"), Wire("s", "d"),
        ],
        width=6.4, height=1.9,
    )  # fmt: skip


REACH = 6.0


def valley(pmi: float, k: float) -> Figure:
    r"""The loss of one pair of words against its logit, per occurrence in the text.

    .. math:: -\log\sigma(s)-k\,e^{-\mathrm{PMI}}\log\sigma(-s)

    Args:
        pmi: of the pair, nats.
        k: pairs of the noise for each pair of the text.

    Returns:
        One panel.
    """
    s = torch.linspace(-REACH, REACH, 121, dtype=torch.float64)
    real, fake = softplus(-s), k * math.exp(-pmi) * softplus(s)
    best = pmi - math.log(k)
    figure, axes = subplots(width=6.4, height=3.0)
    axes.plot(s, real, "--", color=DATA, label="pairs of the text: wants s large")
    axes.plot(s, fake, "--", color=MODEL, label="pairs of the noise: wants s small")
    axes.plot(s, real + fake, color=CRITIC, linewidth=2, label="both")
    height = float(
        softplus(torch.tensor(-best)) + k * math.exp(-pmi) * softplus(torch.tensor(best))
    )
    axes.axvline(best, color=INK, linewidth=1, linestyle=":")
    axes.plot([best], [height], "o", color=CRITIC)
    axes.set(xlim=(-REACH, REACH), ylim=(0, 12), xlabel="logit s", ylabel="loss a pair")
    axes.set_title(f"least at PMI − log k = {numeral(best)}")
    axes.legend(loc="upper left")
    figure.set_label(
        f"PMI = {numeral(pmi, 1)}, k = {k:g}: the loss is least at {numeral(best)}, where it is "
        f"{height:.2f}"
    )
    return figure


EDGES = np.linspace(-6, 6, 49)


def shifted(values: Tensor, occurring: Tensor, k: float) -> Figure:
    r"""What a shift by log k leaves of PMI.

    Args:
        values: PMI, **[V, C]**, −∞ where a pair does not occur.
        occurring: which pairs occur, **[V, C]**.
        k: the shift.

    Returns:
        Two panels: the pairs that occur, by PMI; words of which nothing is left, against k.
    """
    figure, (left, right) = subplots(1, 2, width=8.0, height=2.9)
    counts, _ = np.histogram(values[occurring].cpu().numpy(), EDGES)
    middles, line = (EDGES[1:] + EDGES[:-1]) / 2, math.log(k)
    colours = [MODEL if middle > line else MUTED for middle in middles]
    left.bar(middles, counts / 1000, width=EDGES[1] - EDGES[0], color=colours, alpha=0.8)
    left.axvline(line, color=INK, linewidth=1.5)
    left.set(xlim=(-5, 6), xlabel="PMI", ylabel="thousand pairs")
    share = float((values[occurring] > line).double().mean())
    left.set_title(f"above log k: {share:.1%} of pairs that occur")
    ks = [2.0**power for power in range(8)]
    empty = [int((values <= math.log(each)).all(1).sum()) for each in ks]
    now = int((values <= line).all(1).sum())
    right.plot(ks, empty, "o-", color=MUTED)
    right.plot([k], [now], "o", color=MODEL, markersize=9)
    right.set(xscale="log", xlabel="k", ylabel="words", ylim=(-15, len(values) + 15))
    right.set_title(f"words with nothing left: {now}")
    figure.set_label(
        f"k = {k:g}: {share:.1%} of the pairs that occur are above log k; nothing is left of {now} "
        "words"
    )
    return figure


def ranked(corpus: Corpus, parts: Decomposition, word: str, rank: int, *, count: int = 8) -> Figure:
    r"""The neighbours of a word when vectors have a length of ``rank``.

    Args:
        corpus: for its vocabulary.
        parts: of the matrix to cut.
        word: of the vocabulary.
        rank: length of the vectors.
        count: how many neighbours.

    Returns:
        Two panels: cosines of the neighbours; singular values, with those that are kept.
    """
    found = nearest(corpus, parts.cut(rank).words, word, count)
    figure, (left, right) = subplots(1, 2, width=8.0, height=2.9, width_ratios=[1.2, 1])
    heights = np.arange(count)[::-1]
    left.barh(heights, [cosine for _, cosine in found], color=MODEL, alpha=0.5)
    for height, (name, _) in zip(heights, found, strict=True):
        left.text(0.03, height, name, va="center")
    left.set(xlim=(0, 1.02), ylim=(-0.6, count - 0.4), xlabel="cosine")
    left.set_yticks([])
    left.set_title(f"nearest to “{word}”")
    values = parts.values[:200].cpu()
    right.plot(np.arange(1, len(values) + 1), values, color=MUTED)
    right.plot(np.arange(1, rank + 1), values[:rank], color=MODEL, linewidth=2.5)
    right.set(xscale="log", yscale="log", xlabel="i", ylabel="singular value")
    place_ticks(right.yaxis, [20, 50, 100], ["20", "50", "100"])
    right.minorticks_off()
    right.set_title(f"{rank} kept")
    figure.set_label(f"{word}, rank {rank}: " + ", ".join(name for name, _ in found))
    return figure


def held_out(
    ranks: Sequence[int], losses: Mapping[str, Sequence[float]], level: float, floor: float
) -> Figure:
    r"""The loss on the text that was counted and on other text, against the rank.

    Args:
        ranks: lengths of the vectors.
        losses: on either text, by name, a number a rank.
        level: of a matrix without a rank, on other text.
        floor: the least loss on the counted text.

    Returns:
        One panel.
    """
    figure, axes = subplots(width=6.0, height=2.9)
    for (name, line), (colour, style) in zip(
        losses.items(), ((MODEL, "o-"), (DATA, "s-")), strict=True
    ):
        axes.plot(ranks, line, style, color=colour, label=name)
    axes.axhline(level, color=DATA, linestyle="--", linewidth=1, label="mixed, other text")
    axes.axhline(floor, color=MUTED, linestyle=":", linewidth=1, label="the least, counted text")
    axes.set(xscale="log", xlabel="rank d", ylabel="loss, nats", ylim=(floor - 0.05, 2.85))
    place_ticks(axes.xaxis, list(ranks), [str(rank) for rank in ranks])
    axes.minorticks_off()
    axes.legend(loc="upper right", ncols=2)
    return figure
