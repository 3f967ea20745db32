"""Right and wrong answers to the exercises of the chapter `captions`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.captions import exercises


def gap_in_numpy(scores):
    table = scores.numpy()
    return np.diag(table).mean() - table[~np.eye(len(table), dtype=bool)].mean()


def gap_by_loop(scores):
    n = len(scores)
    total = sum(float(scores[i, i] - scores[i, j]) for i in range(n) for j in range(n) if i != j)
    return total / (n * (n - 1))


def score_by_loop(logits, words):
    return sum(float(row.log_softmax(0)[w]) for row, w in zip(logits, words, strict=True))


def score_in_numpy(logits, words):
    table = logits.numpy()
    norm = np.log(np.exp(table).sum(1))
    return (table[np.arange(len(words)), words.numpy()] - norm).sum()


ANSWERS = {
    "penalty": Answers(
        right=(
            lambda c, r: 1 if c >= r else math.exp(1 - r / c),
            lambda c, r: torch.tensor(1 - r / c).clamp(max=0).exp(),
            lambda c, r: np.exp(min(0, 1 - r / c)),
        ),
        wrong=(
            (lambda c, r: math.exp(1 - r / c), "above 1"),
            (lambda c, r: min(1.0, math.exp(1 - c / r)), "punishes long"),
            (lambda c, r: min(1.0, c / r), "ratio itself"),
        ),
    ),
    "gap": Answers(
        right=(gap_in_numpy, gap_by_loop, lambda s: exercises.gap_by_hand(s.float())),
        wrong=(
            (lambda s: -exercises.gap_by_hand(s), "sign is turned"),
            (lambda s: s.diagonal().mean() - s.mean(), "own picture is no swap"),
            (lambda s: s.diagonal().mean(), "score alone"),
        ),
    ),
    "score": Answers(
        right=(score_by_loop, score_in_numpy, exercises.mended_score),
        wrong=(
            (exercises.printed_score, "end of the sentence"),
            (lambda a, w: exercises.mended_score(a, w) / len(w), "mean of a word"),
            (lambda a, w: a.gather(1, w[:, None]).sum(), "not log-probabilities"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
