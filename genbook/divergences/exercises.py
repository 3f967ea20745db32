"""Exercises of the chapter on divergences."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.divergences import measures
from genbook.kit.exercises import Exercise, Wrong, call

Pair = Callable[[Tensor, Tensor], Tensor]

P = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
Q = torch.tensor([0.1, 0.4, 0.3, 0.2], dtype=torch.float64)


def _close(value: object, target: float) -> bool:
    return math.isclose(float(value), target, rel_tol=1e-6)  # type: ignore[arg-type]


def kl_by_hand(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) in nats, with 0 log 0 = 0."""
    return (torch.special.xlogy(p, p) - torch.special.xlogy(p, q)).sum()


def _kl_reversed(p: Tensor, q: Tensor) -> Tensor:
    return kl_by_hand(q.clamp_min(1e-12), p.clamp_min(1e-12))


def _kl_without_zero_rule(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum()


def _kl_in_bits(p: Tensor, q: Tensor) -> Tensor:
    return kl_by_hand(p, q) / math.log(2)


def _check_kl(answer: Pair) -> str | None:
    value = call(answer, P, Q)
    right = measures.on_atoms(measures.KL, P, Q).item()
    if math.isnan(float(value)):
        return "p has a zero, and 0 · log 0 must count as 0; torch.special.xlogy(p, p) does that."
    if _close(value, right / math.log(2)):
        return "that is KL in bits; the book uses nats, the natural logarithm."
    if float(value) > 1:
        return "much too large: is the expectation taken under p? You may have swapped p and q."
    return None if _close(value, right) else f"for the test pair expected {right:.4f}, got {value}."


kl = Exercise(
    name="kl",
    check=_check_kl,
    reference=kl_by_hand,
    wrong=(
        Wrong(_kl_reversed, "swapped"),
        Wrong(_kl_without_zero_rule, "0 · log 0"),
        Wrong(_kl_in_bits, "bits"),
    ),
)


def js_by_hand(p: Tensor, q: Tensor) -> Tensor:
    """Jensen–Shannon divergence in nats."""
    m = (p + q) / 2
    return 0.5 * (kl_by_hand(p, m) + kl_by_hand(q, m))


def _js_without_half(p: Tensor, q: Tensor) -> Tensor:
    return 2 * js_by_hand(p, q)


def _js_as_jeffrey(p: Tensor, q: Tensor) -> Tensor:
    return 0.5 * (kl_by_hand(p, q) + kl_by_hand(q, p))


def _check_js(answer: Pair) -> str | None:
    left, right = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double()
    apart = float(call(answer, left, right))
    if not math.isfinite(apart):
        return "two disjoint distributions gave no finite number: compare each with (p + q) / 2."
    if _close(apart, 2 * math.log(2)):
        return "twice too large: the mean of the two KLs carries a factor ½. The maximum is log 2."
    value = float(call(answer, P, Q))
    target = measures.on_atoms(measures.JENSEN_SHANNON, P, Q).item()
    return None if _close(value, target) else f"expected {target:.4f}, got {value:.4f}."


js = Exercise(
    name="js",
    check=_check_js,
    reference=js_by_hand,
    wrong=(Wrong(_js_without_half, "factor ½"), Wrong(_js_as_jeffrey, "(p + q) / 2")),
)


def printed_pearson(p: Tensor, q: Tensor) -> Tensor:
    """Meant to be the f-divergence of f(u) = (u − 1)²; it is not."""
    return ((q - p) ** 2 / p).sum()


def mended_pearson(p: Tensor, q: Tensor) -> Tensor:
    """The f-divergence Σ q f(p/q) of f(u) = (u − 1)²."""
    return ((p - q) ** 2 / q).sum()


def _pearson_unweighted(p: Tensor, q: Tensor) -> Tensor:
    return ((p / q - 1) ** 2).sum()


def _check_pearson(answer: Pair) -> str | None:
    p = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    q = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    value = float(call(answer, p, q))
    if _close(value, measures.on_atoms(measures.NEYMAN, p, q).item()):
        return "still the integral as printed: insert u = p/q into Σ q (u − 1)² and simplify."
    if _close(value, _pearson_unweighted(p, q).item()):
        return "the sum of (u − 1)² needs the weight q: an f-divergence is Σ q f(p/q)."
    target = measures.on_atoms(measures.PEARSON, p, q).item()
    return None if _close(value, target) else f"expected {target:.4f}, got {value:.4f}."


pearson = Exercise(
    name="pearson",
    check=_check_pearson,
    reference=mended_pearson,
    wrong=(Wrong(printed_pearson, "as printed"), Wrong(_pearson_unweighted, "weight q")),
)

EXERCISES = (kl, js, pearson)
