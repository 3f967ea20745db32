"""Right and wrong answers to the exercises of the chapter `uses`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.special import logsumexp, ndtr
from scipy.stats import entropy, norm

from genbook.uses import exercises


def by_scipy(p, q):
    return -entropy(p.numpy()), -entropy(p.numpy(), q.numpy())


def by_cross_entropy(p, q):
    own = torch.special.xlogy(p, p).sum()
    return torch.stack([own, torch.special.xlogy(p, q).sum() - own])


def by_loop(p, q):
    pairs = [(a, b) for a, b in zip(p.tolist(), q.tolist(), strict=True) if a]
    return [sum(a * math.log(a) for a, _ in pairs), sum(a * math.log(b / a) for a, b in pairs)]


def whole_in_numpy(costs):
    return -logsumexp(-costs.numpy(), axis=1) + np.log(costs.shape[1])


def whole_by_hand(costs):
    low = costs.amin(1, keepdim=True)
    return (low[:, 0] - (low - costs).exp().mean(1).log()).tolist()


def whole_by_pairs(costs):
    found = -costs[:, 0]
    for column in costs.T[1:]:
        found = torch.logaddexp(found, -column)
    return math.log(costs.shape[1]) - found


ANSWERS = {
    "score": Answers(
        right=(by_scipy, by_cross_entropy, by_loop),
        wrong=(
            (lambda p, q: tuple(-x for x in exercises.mean_score_by_hand(p, q)), "the signs"),
            (
                lambda p, q: tuple(x / math.log(2) for x in exercises.mean_score_by_hand(p, q)),
                "nats",
            ),
            (
                lambda p, q: (-entropy(p.numpy()), -entropy(q.numpy(), p.numpy())),
                "other way round",
            ),
            (lambda p, q: ((p * q.log()).sum(), 0.0), "expected"),
        ),
    ),
    "tight": Answers(
        right=(
            lambda d, t: ndtr(d / 2),
            lambda d, t: [0.5 * (1 + math.erf(d / 2 / math.sqrt(2)))],
            lambda d, t: torch.special.ndtr(torch.tensor(d / 2).double()),
        ),
        wrong=(
            (lambda d, t: norm.cdf(d / 2 / t), "accuracy on the samples"),
            (lambda d, t: norm.cdf(d), "halfway"),
            (lambda d, t: norm.sf(d / 2), "read wrong"),
            (lambda d, t: norm.cdf(d * t / 2), "move no border"),
            (lambda d, t: d, "expected"),
        ),
    ),
    "whole": Answers(
        right=(whole_in_numpy, whole_by_hand, whole_by_pairs),
        wrong=(
            (exercises.printed_whole, "745 nats"),
            (lambda c: -(-c).logsumexp(1), "log K is missing"),
            (lambda c: c.mean(1), "a mean of costs"),
            (lambda c: c.min(1).values, "best class alone"),
            (lambda c: -exercises.mended_whole(c), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
