"""Exercises of the chapter on what generative models are good for."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from scipy.stats import norm
from torch import Tensor

from genbook.kit.answers import agree, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise

Case = tuple[Any, ...]


def mean_score_by_hand(p: Tensor, q: Tensor) -> tuple[float, float]:
    """−H(p) and −KL(p‖q), in nats; their sum is the mean log-likelihood."""
    kept = p > 0
    minus_entropy = (p[kept] * p[kept].log()).sum()
    minus_kl = (p[kept] * (q[kept].log() - p[kept].log())).sum()
    return float(minus_entropy), float(minus_kl)


def _check_score(answer: Callable[..., Any]) -> str | None:
    source, cases = seeded(0), []
    for size in (2, 3, 5):
        p, q = torch.rand(2, size, generator=source, dtype=torch.float64) + 0.05
        cases.append((p / p.sum(), q / q.sum()))
    for p, q in (
        ([1.0, 0.0], [0.25, 0.75]),
        ([0.5, 0.0, 0.5], [0.125, 0.0, 0.875]),
        ([0.5, 0.5], [1.0, 0.0]),
    ):
        cases.append((torch.tensor(p).double(), torch.tensor(q).double()))
    hint = agree(answer, mean_score_by_hand, cases, _of_both)
    if hint is None:
        return None

    def negative(p: Tensor, q: Tensor) -> tuple[float, float]:
        one, other = mean_score_by_hand(p, q)
        return -one, -other

    def in_bits(p: Tensor, q: Tensor) -> tuple[float, float]:
        one, other = mean_score_by_hand(p, q)
        return one / math.log(2), other / math.log(2)

    def turned(p: Tensor, q: Tensor) -> tuple[float, float]:
        return mean_score_by_hand(p, q)[0], mean_score_by_hand(q, p)[1]

    rivals = (
        (negative, "the signs: both parts of a mean log-likelihood are at most 0."),
        (in_bits, "nats, please: natural logarithms."),
        (turned, "the divergence the other way round: the points come from p."),
    )
    if found := known(answer, rivals, cases[:3]):
        return found
    if agree(answer, mean_score_by_hand, cases[:-1]) is None:
        return "a point of p that q never gives costs infinitely much: the second part is −∞."
    return hint


def _of_both(p: Tensor, q: Tensor) -> str:
    return "for p = {}, q = {}".format(
        *("[" + ", ".join(f"{x:.4g}" for x in chances.tolist()) + "]" for chances in (p, q))
    )


score = Exercise(name="score", check=_check_score, reference=mean_score_by_hand)


def accuracy_by_hand(apart: float, spread: float) -> float:
    """The border lies midway at every spread, so the accuracy on data is Φ(Δ/2)."""
    return float(norm.cdf(apart / 2))


def _check_tight(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [(2.0, 1.0), (2.0, 0.25), (1.0, 0.5), (3.0, 2.0)]
    hint = agree(answer, accuracy_by_hand, cases, lambda d, t: f"for Δ = {d:g}, τ = {t:g}")
    if hint is None:
        return None
    rivals = (
        (
            lambda d, t: norm.cdf(d / (2 * t)),
            "that is its accuracy on the samples; the data keep their own spread.",
        ),
        (lambda d, t: norm.cdf(d), "the border lies halfway: Δ/2 from each mean."),
        (lambda d, t: 1 - norm.cdf(d / 2), "that is the share read wrong."),
        (lambda d, t: norm.cdf(t * d / 2), "shrunk samples move no border here."),
    )
    return known(answer, rivals, cases) or hint


tight = Exercise(name="tight", check=_check_tight, reference=accuracy_by_hand)


def printed_whole(costs: Tensor) -> Tensor:
    """Meant to be −log p(x) of ten equally likely classes, from −log p(x|y), [N, K]; it is not."""
    return -(-costs).exp().sum(1).log()


def mended_whole(costs: Tensor) -> Tensor:
    """Subtract the largest before exponentials are taken, and weigh every class by 1/K."""
    return math.log(costs.shape[1]) - (-costs).logsumexp(1)


def _check_whole(answer: Callable[..., Any]) -> str | None:
    source = seeded(1)
    small = 3 * torch.rand(4, 10, generator=source, dtype=torch.float64)
    large = 900 + 50 * torch.rand(4, 10, generator=source, dtype=torch.float64)
    far = torch.tensor([[1.0, 900.0, 2_000.0], [3_000.0, 3_001.0, 1_200.0]]).double()
    cases: list[Case] = [(small,), (large,), (small[:, :3] + 1,), (far,)]
    hint = agree(answer, mended_whole, cases, lambda c: f"for costs from {float(c.min()):.3g}")
    if hint is None:
        return None
    rivals = (
        (
            lambda c: -(-c).logsumexp(1),
            "each class has the chance 1/K: log K is missing.",
        ),
        (
            lambda c: c.mean(1),
            "a mean of costs is not the cost of a mean.",
        ),
        (
            lambda c: c.min(1).values,
            "that is the best class alone; the others have their share.",
        ),
    )
    found = known(answer, rivals, cases)
    if found is None and agree(answer, mended_whole, cases[:-1]) is None:
        return (
            "right while costs lie close together; for costs 900 nats apart the exponentials run "
            "out again. Take each page's own smallest cost out."
        )
    if found is None and known(answer, ((printed_whole, "as printed"),), cases[:1]):
        return (
            "as printed: log K is missing, and beyond some 745 nats every exponential is 0, so "
            "the cost is infinite."
        )
    return found or hint


whole = Exercise(name="whole", check=_check_whole, reference=mended_whole)

EXERCISES = (score, tight, whole)
