"""Right and wrong answers to the exercises of the chapter `words`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn import functional

from genbook.words import exercises, pmi, shelf


def walk_in_loops(p, v):
    total = 0.0
    for i, row in enumerate(p.tolist()):
        for j, chance in enumerate(row):
            total += chance * (abs(float(v[i])) + abs(float(v[i]) - float(v[j])))
    return total


def walk_in_numpy(p, v):
    p, v = p.numpy(), v.numpy()
    return np.einsum("ij,i->", p, v) + np.sum(p * np.abs(np.subtract.outer(v, v)))


def matrix_in_numpy(counts, k):
    c = counts.numpy()
    total = c.sum()
    with np.errstate(divide="ignore"):
        found = np.log(c) + np.log(total) - np.log(np.outer(c.sum(1), c.sum(0))) - np.log(k)
    return np.maximum(found, 0)


def matrix_in_loops(counts, k):
    rows = counts.tolist()
    total = sum(map(sum, rows))
    beside = [sum(column) for column in zip(*rows, strict=True)]
    return [
        [
            max(0.0, math.log(n * total / (sum(row) * beside[j] * k))) if n else 0.0
            for j, n in enumerate(row)
        ]
        for row in rows
    ]


def negatives_by_sigmoids(s, t):
    return -torch.log(torch.sigmoid(s)) - torch.log(torch.sigmoid(-t)).sum()


def negatives_in_numpy(s, t):
    return float(np.log1p(np.exp(-s.numpy())) + np.log1p(np.exp(t.numpy())).sum())


def negatives_by_cross_entropy(s, t):
    logits = torch.cat([s.view(1), t])
    labels = torch.cat([torch.ones(1), torch.zeros(len(t))]).double()
    return [functional.binary_cross_entropy_with_logits(logits, labels, reduction="sum").item()]


ANSWERS = {
    "walk": Answers(
        right=(walk_in_loops, walk_in_numpy, lambda p, v: shelf.cost(p.float(), v.float())),
        wrong=(
            (lambda p, v: (p * (v[:, None] - v).abs()).sum(), "from the door to the first"),
            (lambda p, v: p.sum(1) @ v, "on to the second book is missing"),
            (lambda p, v: (p.sum(1) + p.sum(0)) @ v, "not from the door"),
            (lambda p, v: shelf.cost(p.T, v), "sum p(i, j) over j"),
            (
                lambda p, v: p.sum(1) @ v + (p * (v[:, None] - v).abs()).triu().sum(),
                "both count",
            ),
            (lambda p, v: p.sum(1) @ v + (p * (v[:, None] - v) ** 2).sum(), "not their squares"),
            (lambda p, v: 2 * shelf.cost(p, v), "expected"),
            (lambda p, v: v.nonsense, "your code raised"),
        ),
    ),
    "matrix": Answers(
        right=(
            matrix_in_numpy,
            matrix_in_loops,
            lambda c, k: exercises.matrix_by_hand(c.float(), k),
        ),
        wrong=(
            (lambda c, k: exercises._ratio(c).log() - math.log(k), "take the positive part"),
            (lambda c, k: exercises._ratio(c).log().clamp(min=0), "log k is missing"),
            (
                lambda c, k: exercises._ratio(c).log().clamp(min=0) - math.log(k),
                "shift first",
            ),
            (lambda c, k: (exercises._ratio(c) / k).log2().clamp(min=0), "in bits"),
            (lambda c, k: (exercises._ratio(c) * k).log().clamp(min=0), "sign of log k"),
            (
                lambda c, k: (c / c.sum(1, keepdim=True) / k).log().clamp(min=0),
                "by that of the context",
            ),
            (
                lambda c, k: (c / (c.sum(1, keepdim=True) * c.sum(0) * k)).log().clamp(min=0),
                "each a share of all pairs",
            ),
            (lambda c, k: pmi.positive(exercises._ratio(c).log(), k) + 1, "expected"),
        ),
    ),
    "negatives": Answers(
        right=(negatives_by_sigmoids, negatives_in_numpy, negatives_by_cross_entropy),
        wrong=(
            (exercises.printed_negatives, "takes k out of the loss"),
            (
                lambda s, t: functional.softplus(-s) + functional.softplus(-t).sum(),
                "noise's logits to be large",
            ),
            (
                lambda s, t: (functional.softplus(-s) + functional.softplus(t).sum()) / len(t),
                "k times too small",
            ),
            (
                lambda s, t: len(t) * functional.softplus(-s) + functional.softplus(t).sum(),
                "counts the pair of the text k times",
            ),
            (
                lambda s, t: functional.softplus(-s) + functional.softplus(t.sum()),
                "not the logits",
            ),
            (lambda s, t: torch.cat([s.view(1), t]).logsumexp(0) - s, "softmax"),
            (lambda s, t: functional.softplus(-s), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
