"""Exercises of the chapter on adversarial examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genbook.adversarial.linear import Linear
from genbook.kit.answers import agree, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise

Case = tuple[Any, ...]


def _linear(number: int, d: int) -> tuple[Tensor, float, Tensor]:
    source = seeded(number)
    drawn = torch.randn(2, d, generator=source, dtype=torch.float64)
    return drawn[0], 0.3 * number - 0.4, drawn[1]


def attack_by_hand(w: Tensor, b: float, x: Tensor, y: float, epsilon: float) -> Tensor:
    """The signed step against the logistic loss, whose slope in x is −y σ(−m) w."""
    return x - epsilon * y * w.sign()


def _attack_cases() -> list[Case]:
    cases: list[Case] = []
    for number, (d, y, epsilon) in enumerate(
        [(3, 1.0, 0.1), (5, -1.0, 0.25), (4, 1.0, 2.0), (2, -1.0, 0.0)]
    ):
        w, b, x = _linear(number, d)
        cases.append((w, b, x, y, epsilon))
    flat = torch.tensor([1.0, 0.0, -2.0], dtype=torch.float64)
    cases.append((flat, 0.1, torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64), 1.0, 0.25))
    return cases


def _slope(w: Tensor, b: float, x: Tensor, y: float) -> Tensor:
    judge = Linear(w, torch.tensor(b, dtype=w.dtype))
    margin = judge.margin(x[None], torch.tensor([y], dtype=w.dtype))
    return -y * torch.sigmoid(-margin) * w


def _check_attack(answer: Callable[..., Any]) -> str | None:
    cases = _attack_cases()
    hint = agree(answer, attack_by_hand, cases, _described_attack)
    if hint is None:
        return None
    rivals = (
        (
            lambda w, b, x, y, e: x + e * y * w.sign(),
            "that raises the margin: the loss falls with it. Step against y · w.",
        ),
        (
            lambda w, b, x, y, e: x + e * _slope(w, b, x, y),
            "that is the slope itself, not its sign: the pixels move by different amounts.",
        ),
        (
            lambda w, b, x, y, e: x - e * w.sign(),
            "the label is missing: of a negative example that raises the margin.",
        ),
        (
            lambda w, b, x, y, e: x + e * _slope(w, b, x, y) / _slope(w, b, x, y).norm(),
            "that step has length ε in all; here each number may move by ε.",
        ),
        (
            lambda w, b, x, y, e: attack_by_hand(w, b, x, y, e).clamp(0, 1),
            "clipped to [0, 1]: leave that out here, so that the theorem is exact.",
        ),
        (
            lambda w, b, x, y, e: x - e * y * torch.where(w >= 0, 1.0, -1.0).to(w),
            "where a weight is 0 the slope is 0, and its sign: that number stays.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_attack(w: Tensor, b: float, x: Tensor, y: float, epsilon: float) -> str:
    shown = (", ".join(f"{v:.3g}" for v in part.tolist()) for part in (w, x))
    return "for w = [{}], x = [{}], y = {:g}, ε = {:g}".format(*shown, y, epsilon)


attack = Exercise(name="attack", check=_check_attack, reference=attack_by_hand)


def least_by_hand(w: Tensor, b: float, x: Tensor, y: float) -> Tensor:
    """The least ε in every number that brings x to the border: m / ‖w‖₁, or 0 beyond it."""
    margin = y * (w @ x + b)
    return margin.clamp(min=0) / w.abs().sum()


def _check_least(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = []
    for number in range(5):
        w, b, x = _linear(number, 3 + number)
        cases += [(w, b, far * x, y) for far in (1.0, 8.0) for y in (1.0, -1.0)]
    hint = agree(answer, least_by_hand, cases, _described_least)
    if hint is None:
        return None
    rivals = (
        (
            lambda w, b, x, y: (y * (w @ x + b)).clamp(min=0) / w.norm(),
            "that is the Euclidean distance to the border; if each number may move, ‖w‖₁ counts.",
        ),
        (
            lambda w, b, x, y: (w @ x + b).abs() / w.abs().sum(),
            "an input that is read wrong needs no change: there the answer is 0.",
        ),
        (
            lambda w, b, x, y: y * (w @ x + b) / w.abs().sum(),
            "negative for an input that is read wrong: there the answer is 0.",
        ),
        (
            lambda w, b, x, y: (y * (w @ x)).clamp(min=0) / w.abs().sum(),
            "the bias belongs to the margin.",
        ),
        (
            lambda w, b, x, y: (y * (w @ x + b)).clamp(min=0) / w.abs().max(),
            "that moves one number alone; all of them may move.",
        ),
    )
    return known(answer, rivals, cases) or hint


def _described_least(w: Tensor, b: float, x: Tensor, y: float) -> str:
    weights, place = (", ".join(f"{v:.3g}" for v in part.tolist()) for part in (w, x))
    return f"for w = [{weights}], b = {b:.3g}, x = [{place}], y = {y:g}"


least = Exercise(name="least", check=_check_least, reference=least_by_hand)

Field = Callable[[Tensor], Tensor]


def printed_steps(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> Tensor:
    """Meant to stay within ε of x in every number; it does not."""
    at = x
    for _ in range(steps):
        move = rate * slope(at).sign()
        at = at + move.clamp(-epsilon, epsilon)
    return at


def mended_steps(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> Tensor:
    """Signed steps, each brought back into the box around x."""
    at = x
    for _ in range(steps):
        at = at + rate * slope(at).sign()
        at = torch.minimum(torch.maximum(at, x - epsilon), x + epsilon)
    return at


def _once(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> Tensor:
    at = x
    for _ in range(steps):
        at = at + rate * slope(at).sign()
    return torch.minimum(torch.maximum(at, x - epsilon), x + epsilon)


def _in_a_ball(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> Tensor:
    at = x
    for _ in range(steps):
        away = at + rate * slope(at).sign() - x
        at = x + away * (epsilon / away.norm().clamp_min(1e-12)).clamp(max=1)
    return at


def _unsigned(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> Tensor:
    at = x
    for _ in range(steps):
        at = at + rate * slope(at)
        at = torch.minimum(torch.maximum(at, x - epsilon), x + epsilon)
    return at


def _uphill(at: Tensor) -> Tensor:
    return torch.ones_like(at) * torch.tensor([1.0, -0.5, 0.2], dtype=at.dtype)


def _flat_at_last(at: Tensor) -> Tensor:
    return torch.tensor([1.0, -0.5, 0.0], dtype=at.dtype)


def _to_a_ridge(at: Tensor) -> Tensor:
    return torch.tensor([0.3, -0.1, 0.0], dtype=at.dtype) - at


def _turning(at: Tensor) -> Tensor:
    # zeros off the steps' lattice, where a last bit would choose the sign
    return torch.stack([at[1] - 0.56, 0.23 - at[0], at[2]])


def _check_steps(answer: Callable[..., Any]) -> str | None:
    x = torch.tensor([0.2, 0.5, -0.4], dtype=torch.float64)
    cases: list[Case] = [
        (_uphill, x, 0.3, 5, 0.1),
        (_to_a_ridge, x, 0.35, 4, 0.15),
        (_turning, x, 0.25, 9, 0.1),
        (_uphill, x, 0.1, 3, 0.4),
        (_flat_at_last, x, 0.3, 2, 0.1),
    ]
    hint = agree(answer, mended_steps, cases, _described_steps)
    if hint is None:
        return None
    rivals = (
        (printed_steps, "as printed: each step is short enough, but their sum leaves the box."),
        (_once, "brought back at the end only: between, the slope is taken outside the box."),
        (_in_a_ball, "that keeps the length of the whole change; each number has its own ε."),
        (_unsigned, "the sign of the slope is missing."),
    )
    return known(answer, rivals, cases) or hint


def _described_steps(slope: Field, x: Tensor, epsilon: float, steps: int, rate: float) -> str:
    return f"for ε = {epsilon:g}, {steps} steps of {rate:g}"


boxed = Exercise(name="boxed", check=_check_steps, reference=mended_steps)

EXERCISES = (attack, least, boxed)
