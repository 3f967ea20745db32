"""Exercises of the chapter on captions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genbook.kit.answers import agree, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise

Case = tuple[Any, ...]


def penalty_by_hand(candidate: int, reference: int) -> float:
    """BLEU's brevity penalty: 1, or e^(1 − r/c) for a candidate that is shorter."""
    return min(1.0, math.exp(1 - reference / candidate))


def _check_penalty(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [(3, 5), (5, 5), (7, 5), (1, 4), (10, 2)]
    hint = agree(answer, penalty_by_hand, cases, lambda c, r: f"for c = {c}, r = {r}")
    if hint is None:
        return None
    rivals = (
        (lambda c, r: math.exp(1 - r / c), "above 1 for a long candidate: there it is 1."),
        (lambda c, r: min(1.0, math.exp(1 - c / r)), "that punishes long candidates, not short."),
        (lambda c, r: min(1.0, c / r), "that is the ratio itself; BLEU takes e^(1 − r/c)."),
    )
    return known(answer, rivals, cases) or hint


penalty = Exercise(name="penalty", check=_check_penalty, reference=penalty_by_hand)


def gap_by_hand(scores: Tensor) -> Tensor:
    """Mean of the diagonal minus mean of the rest."""
    n = len(scores)
    own = scores.diagonal()
    return own.mean() - (scores.sum() - own.sum()) / (n * (n - 1))


def _check_gap(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [
        (torch.randn(n, n, generator=seeded(n), dtype=torch.float64),) for n in (2, 3, 5)
    ]
    hint = agree(answer, gap_by_hand, cases, lambda s: f"for {len(s)} pictures")
    if hint is None:
        return None
    rivals = (
        (lambda s: -gap_by_hand(s), "the sign is turned: own pictures minus others."),
        (lambda s: s.diagonal().mean() - s.mean(), "the own picture is no swap: leave it out."),
        (lambda s: s.diagonal().mean(), "that is the score alone; subtract the swapped ones."),
    )
    return known(answer, rivals, cases) or hint


gap = Exercise(name="gap", check=_check_gap, reference=gap_by_hand)


def printed_score(logits: Tensor, words: Tensor) -> Tensor:
    """Meant to be the log-probability of a whole caption, its end (0) included."""
    chances = logits.log_softmax(1).gather(1, words[:, None])[:, 0]
    return chances[words != 0].sum()


def mended_score(logits: Tensor, words: Tensor) -> Tensor:
    """The end counts: without it the strings' probabilities do not sum to 1."""
    return logits.log_softmax(1).gather(1, words[:, None]).sum()


def _check_score(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [
        (torch.randn(3, 4, generator=seeded(k), dtype=torch.float64), torch.tensor([1, k, 0]))
        for k in (1, 2, 3)
    ]
    hint = agree(answer, mended_score, cases, lambda logits, words: f"for {words.tolist()}")
    if hint is None:
        return None
    rivals = (
        (printed_score, "as printed: the end of the sentence is a word, too, and has a chance."),
        (lambda a, w: mended_score(a, w) / len(w), "that is the mean of a word, not the sum."),
        (lambda a, w: a.gather(1, w[:, None]).sum(), "logits are not log-probabilities."),
    )
    return known(answer, rivals, cases) or hint


score = Exercise(name="score", check=_check_score, reference=mended_score)

EXERCISES = (penalty, gap, score)
