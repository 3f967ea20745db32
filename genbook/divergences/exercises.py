"""Exercises of the chapter on divergences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbook.divergences import measures
from genbook.kit.answers import agree, call, numbers, same
from genbook.kit.exercises import Exercise

Pair = Callable[[Tensor, Tensor], Tensor]
Cases = Sequence[tuple[Tensor, Tensor]]
Rivals = Sequence[tuple[Pair, str]]


def _vectors(*rows: Sequence[float]) -> tuple[Tensor, Tensor]:
    p, q = torch.tensor(rows, dtype=torch.float64)
    return p, q


POSITIVE = _vectors([0.5, 0.3, 0.2], [0.2, 0.5, 0.3])
OTHER = _vectors([0.1, 0.2, 0.3, 0.4], [0.15, 0.35, 0.45, 0.05])
P_HAS_A_ZERO = _vectors([0.5, 0.3, 0.2, 0.0], [0.1, 0.4, 0.3, 0.2])
Q_HAS_A_ZERO = _vectors([0.1, 0.4, 0.3, 0.2], [0.5, 0.3, 0.2, 0.0])
DISJOINT = _vectors([1.0, 0.0], [0.0, 1.0])
SAME = _vectors([0.25, 0.75], [0.25, 0.75])


def _described(p: Tensor, q: Tensor) -> str:
    sides = ("[" + ", ".join(f"{v:g}" for v in side.tolist()) + "]" for side in (p, q))
    return "for p = {} and q = {}".format(*sides)


def _compare(answer: Pair, right: Pair, cases: Cases, rivals: Rivals) -> str | None:
    """The hint for a known mistake, or the first case that differs."""
    hint = agree(answer, right, cases, _described)
    if hint is None:
        return None
    for rival, words in rivals:
        if all(same(call(answer, *case), numbers(rival(*case))) for case in cases):
            return words
    return hint


def kl_by_hand(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) in nats, with 0 log 0 = 0."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()


def _exact(divergence: measures.Divergence) -> Pair:
    def right(p: Tensor, q: Tensor) -> Tensor:
        return measures.on_atoms(divergence, p, q)

    return right


def _check_kl(answer: Pair) -> str | None:
    if bool(numbers(call(answer, *P_HAS_A_ZERO)).isnan().any()):
        return "p has a zero, and 0 · log 0 must count as 0; torch.special.xlogy(p, p) does that."
    right = _exact(measures.KL)
    rivals: Rivals = (
        (_exact(measures.REVERSE_KL), "you may have swapped p and q: the expectation is under p."),
        (
            lambda p, q: right(p, q) / math.log(2),
            "that is KL in bits; the book uses nats, the natural logarithm.",
        ),
        (lambda p, q: right(p, q) / len(p), "that is the mean over the outcomes; KL is the sum."),
        (
            lambda p, q: -torch.special.xlogy(p, q).sum(),
            "that is the cross entropy; subtract the entropy of p.",
        ),
    )
    return _compare(answer, right, (POSITIVE, OTHER), rivals) or _check_kl_with_zeros(answer)


def _check_kl_with_zeros(answer: Pair) -> str | None:
    right = _exact(measures.KL)
    if (hint := agree(answer, right, [P_HAS_A_ZERO, SAME], _described)) is not None:
        return hint
    if same(call(answer, *Q_HAS_A_ZERO), math.inf):
        return None
    return "where q is 0 and p is not, KL is ∞: do not keep q away from 0."


kl = Exercise(name="kl", check=_check_kl, reference=kl_by_hand)


def js_by_hand(p: Tensor, q: Tensor) -> Tensor:
    """Jensen–Shannon divergence in nats."""
    m = (p + q) / 2
    return 0.5 * (kl_by_hand(p, m) + kl_by_hand(q, m))


def _check_js(answer: Pair) -> str | None:
    if not bool(numbers(call(answer, *DISJOINT)).isfinite().all()):
        return "two disjoint distributions gave no finite number: compare each with (p + q) / 2."
    right = _exact(measures.JENSEN_SHANNON)
    rivals: Rivals = (
        (
            lambda p, q: 2 * right(p, q),
            "twice too large: the mean of the two KLs carries a factor ½. The maximum is log 2.",
        ),
        (
            lambda p, q: right(p, q) / math.log(2),
            "that is JS in bits; the book uses nats, and the maximum is log 2.",
        ),
        (lambda p, q: right(p, q).sqrt(), "that is its square root, the Jensen–Shannon distance."),
        (
            lambda p, q: kl_by_hand(p, (p + q) / 2),
            "that is one of the two KLs; JS is the mean over both sides.",
        ),
    )
    cases = (POSITIVE, OTHER, P_HAS_A_ZERO, Q_HAS_A_ZERO, DISJOINT, SAME)
    return _compare(answer, right, cases, rivals)


js = Exercise(name="js", check=_check_js, reference=js_by_hand)


def printed_pearson(p: Tensor, q: Tensor) -> Tensor:
    """Meant to be the f-divergence of f(u) = (u − 1)²; it is not."""
    return ((q - p) ** 2 / p).sum()


def mended_pearson(p: Tensor, q: Tensor) -> Tensor:
    """The f-divergence Σ q f(p/q) of f(u) = (u − 1)²."""
    return ((p - q) ** 2 / q).sum()


def _check_pearson(answer: Pair) -> str | None:
    rivals: Rivals = (
        (printed_pearson, "still the integral as printed: insert u = p/q into Σ q (u − 1)²."),
        (
            lambda p, q: (p / q - 1).square().sum(),
            "the sum of (u − 1)² needs the weight q: an f-divergence is Σ q f(p/q).",
        ),
        (
            lambda p, q: (p * (p / q - 1).square()).sum(),
            "the weight is q, the density in the denominator of u: Σ q f(p/q).",
        ),
        (
            lambda p, q: ((p - q).square() / (p + q)).sum(),
            "that has p + q below the line, which is symmetric; with u = p/q only q stays there.",
        ),
    )
    cases = (POSITIVE, OTHER, P_HAS_A_ZERO, SAME)
    return _compare(answer, _exact(measures.PEARSON), cases, rivals)


pearson = Exercise(name="pearson", check=_check_pearson, reference=mended_pearson)

EXERCISES = (kl, js, pearson)
