"""Exercises of the chapter on word vectors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbook.kit.answers import agree, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise
from genbook.words import pmi, shelf

Case = tuple[Any, ...]


def walk_by_hand(joint: Tensor, places: Tensor) -> Tensor:
    """From the door to i, then from i to j, weighed by how often that happens."""
    apart = (places[:, None] - places[None, :]).abs()
    return (joint * (places[:, None] + apart)).sum()


def _walk_cases() -> list[Case]:
    source, cases = seeded(0), []
    for n in (2, 3, 5):
        joint = torch.rand(n, n, generator=source, dtype=torch.float64)
        order = torch.randperm(n, generator=source).double() + 1
        cases.append((joint / joint.sum(), order))
    cases.append((shelf.seven("steep", 0.5), torch.tensor([2.0, 5, 1, 4, 3, 7, 6]).double()))
    cases.append((cases[1][0], torch.tensor([0.5, 4.0, 1.5], dtype=torch.float64)))
    return cases


def _apart(v: Tensor) -> Tensor:
    return (v[:, None] - v[None, :]).abs()


def _check_walk(answer: Callable[..., Any]) -> str | None:
    cases = _walk_cases()
    hint = agree(answer, walk_by_hand, cases, _described_walk)
    if hint is None:
        return None
    rivals = (
        (
            lambda p, v: (p * _apart(v)).sum(),
            "the way from the door to the first book is missing.",
        ),
        (
            lambda p, v: (p.sum(1) * v).sum(),
            "the way on to the second book is missing.",
        ),
        (
            lambda p, v: (p * (v[:, None] + v[None, :])).sum(),
            "the second book is fetched from where the first stands, not from the door.",
        ),
        (
            lambda p, v: (p.sum(0) * v).sum() + (p * _apart(v)).sum(),
            "that walks from the door to the second book j: sum p(i, j) over j, not over i.",
        ),
        (
            lambda p, v: (p.sum(1) * v).sum() + (p * _apart(v)).triu().sum(),
            "only pairs with i < j: p(i, j) and p(j, i) are different trips, both count.",
        ),
        (
            lambda p, v: (p.sum(1) * v).sum() + (p * _apart(v).square()).sum(),
            "distances, not their squares.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_walk(joint: Tensor, places: Tensor) -> str:
    return f"for {len(places)} books at {', '.join(f'{v:g}' for v in places.tolist())}"


walk = Exercise(name="walk", check=_check_walk, reference=walk_by_hand)


def matrix_by_hand(counts: Tensor, k: float) -> Tensor:
    """The positive part of PMI − log k, from counts of pairs."""
    p = counts / counts.sum()
    alone, beside = p.sum(1, keepdim=True), p.sum(0, keepdim=True)
    return (torch.log(p / (alone * beside)) - math.log(k)).clamp(min=0)


def _matrix_cases() -> list[Case]:
    source, cases = seeded(1), []
    for rows, columns, k in ((2, 2, 1), (3, 4, 2), (4, 3, 5), (5, 5, 1)):
        counts = torch.randint(0, 40, (rows, columns), generator=source).double().square()
        counts = counts + torch.eye(rows, columns, dtype=torch.float64)
        counts[0, -1] = 0
        cases.append((counts, k))
    return cases


def _ratio(counts: Tensor) -> Tensor:
    p = counts / counts.sum()
    return p / (p.sum(1, keepdim=True) * p.sum(0, keepdim=True))


def _check_matrix(answer: Callable[..., Any]) -> str | None:
    cases = _matrix_cases()
    hint = agree(answer, matrix_by_hand, cases, _described_matrix)
    if hint is None:
        return None
    rivals = (
        (
            lambda c, k: _ratio(c).log() - math.log(k),
            "that is PMI − log k itself, −∞ where a pair never occurs; take the positive part.",
        ),
        (
            lambda c, k: pmi.positive(_ratio(c).log()),
            "log k is missing.",
        ),
        (
            lambda c, k: pmi.positive(_ratio(c).log()) - math.log(k),
            "shift first, then take the positive part; yours is below 0 in places.",
        ),
        (
            lambda c, k: (_ratio(c).log2() - math.log2(k)).clamp(min=0),
            "that is in bits; the book uses nats.",
        ),
        (
            lambda c, k: (_ratio(c).log() + math.log(k)).clamp(min=0),
            "the sign of log k: more noise makes a pair look less like text.",
        ),
        (
            lambda c, k: torch.zeros_like(c),
            "nothing is above 0: divide the share of the pair by that of the word and by that of "
            "the context, each a share of all pairs.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_matrix(counts: Tensor, k: float) -> str:
    return f"for counts of shape {list(counts.shape)} and k = {k:g}"


matrix = Exercise(name="matrix", check=_check_matrix, reference=matrix_by_hand)


def printed_negatives(s: Tensor, negatives: Tensor) -> Tensor:
    """Meant as the loss of one pair of the text and its k pairs of the noise."""
    return softplus(-s) + softplus(negatives).mean()


def mended_negatives(s: Tensor, negatives: Tensor) -> Tensor:
    """The loss of one pair of the text and its k pairs of the noise."""
    return softplus(-s) + softplus(negatives).sum()


def _check_negatives(answer: Callable[..., Any]) -> str | None:
    source = seeded(2)
    cases: list[Case] = [
        (
            torch.randn((), generator=source, dtype=torch.float64),
            torch.randn(k, generator=source, dtype=torch.float64),
        )
        for k in (1, 2, 5, 15)
    ]
    hint = agree(answer, mended_negatives, cases, _described_negatives)
    if hint is None:
        return None
    rivals = (
        (
            printed_negatives,
            "as printed: the mean over the negatives takes k out of the loss. Train with this "
            "and the logits go to PMI, whatever k is.",
        ),
        (
            lambda s, t: softplus(-s) + softplus(-t).sum(),
            "that wants the noise's logits to be large, too.",
        ),
        (
            lambda s, t: softplus(-s) / len(t) + softplus(t).mean(),
            "the right slope, but k times too small: the loss is per pair of the text.",
        ),
        (
            lambda s, t: len(t) * softplus(-s) + softplus(t).sum(),
            "that counts the pair of the text k times, and k cancels again.",
        ),
        (
            lambda s, t: softplus(-s) + softplus(t.sum()),
            "each pair of the noise is judged by itself: sum the losses, not the logits.",
        ),
        (
            lambda s, t: t.exp().sum().add(s.exp()).log() - s,
            "that is a softmax over the drawn pairs, another loss.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_negatives(s: Tensor, negatives: Tensor) -> str:
    return f"for s = {float(s):.3g} and {len(negatives)} negatives"


negatives = Exercise(name="negatives", check=_check_negatives, reference=mended_negatives)

EXERCISES = (walk, matrix, negatives)
