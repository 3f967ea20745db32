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
    apart = (a * math.log(b / a) if b else -math.inf for a, b in pairs)
    return [sum(a * math.log(a) for a, _ in pairs), sum(apart)]


def by_distributions(p, q):
    own = torch.distributions.Categorical(p, validate_args=False).entropy()
    return np.array([-own, torch.where(p > 0, p * (q / p).log(), 0.0).sum()])


def by_nansum(p, q):
    return (p * p.log()).nansum().float(), (p * (q / p).log()).nansum().float()


def only_where_both_are(p, q):
    kept = (p > 0) & (q > 0)
    return exercises.mean_score_by_hand(p[kept], q[kept])


def with_a_floor(p, q):
    p, q = p.clamp_min(1e-12), q.clamp_min(1e-12)
    return (p * p.log()).sum(), (p * (q / p).log()).sum()


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


def whole_less(chosen):
    """Exponentials of costs less a reference that ``chosen`` takes from them."""

    def answer(costs):
        less = chosen(costs)
        found = (less - costs).exp().mean(1).log()
        return less.expand(len(costs), 1)[:, 0] - found

    return answer


ANSWERS = {
    "score": Answers(
        right=(by_scipy, by_cross_entropy, by_loop, by_distributions, by_nansum),
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
            (only_where_both_are, "infinitely"),
            (with_a_floor, "infinitely"),
            (lambda p, q: ((p * p.log()).sum(), (p * (q / p).log()).sum()), "nan"),
            (lambda p, q: exercises.mean_score_by_hand(p, q)[::-1], "expected"),
        ),
    ),
    "tight": Answers(
        right=(
            lambda d, t: ndtr(d / 2),
            lambda d, t: [0.5 * (1 + math.erf(d / 2 / math.sqrt(2)))],
            lambda d, t: torch.special.ndtr(torch.tensor(d / 2).double()),
            lambda d, t: np.float32(1 - norm.sf(d / 2)),
            lambda d, t: torch.distributions.Normal(d / 2, 1.0).cdf(torch.tensor([d])),
        ),
        wrong=(
            (lambda d, t: norm.cdf(d / 2 / t), "accuracy on the samples"),
            (lambda d, t: norm.cdf(d), "halfway"),
            (lambda d, t: norm.sf(d / 2), "read wrong"),
            (lambda d, t: norm.cdf(d * t / 2), "move no border"),
            (lambda d, t: d, "expected"),
            (lambda d, t: norm.cdf(d / (1 + t * t) ** 0.5), "expected"),
            (lambda d, t: 100 * norm.cdf(d / 2), "expected"),
            (lambda d, t: 1 / (1 + math.exp(-d / 2)), "expected"),
        ),
    ),
    "whole": Answers(
        right=(whole_in_numpy, whole_by_hand, whole_by_pairs, lambda c: whole_in_numpy(c.float())),
        wrong=(
            (exercises.printed_whole, "745 nats"),
            (lambda c: -(-c).logsumexp(1), "log K is missing"),
            (lambda c: c.mean(1), "a mean of costs"),
            (lambda c: c.min(1).values, "best class alone"),
            (lambda c: -exercises.mended_whole(c), "expected"),
            (whole_less(lambda c: c.amax(1, keepdim=True)), "own smallest"),
            (whole_less(lambda c: c.mean(1, keepdim=True)), "own smallest"),
            (whole_less(lambda c: c.amin()[None, None]), "own smallest"),
            (lambda c: -(-c).exp().mean(1).log(), "inf"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
