"""Exercises of the chapter on GRAN and the battle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from genbook.kit.answers import Hint, call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

Even = Callable[[Tensor, float], Tensor]
Rule = Callable[[float, float, float, float], int]
Canvas = Callable[[Tensor], Tensor]


# --- The rule ---------------------------------------------------------------------------------


def referee(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    """1 or 2 for the winner, 0 for a tie; all four are error rates, the band is 0.2."""
    if abs(math.log(test_1 / test_2)) > math.log(1.2) or sample_1 == sample_2:
        return 0
    return 1 if sample_1 < sample_2 else 2


def drawn_rates() -> Iterator[tuple[float, float, float, float]]:
    r"""Battles at random, none within a hundredth of the band's edge, half of them inside it.

    Example:
        >>> len(list(drawn_rates()))
        200
    """
    source = torch.Generator().manual_seed(0)
    count = 0
    while count < 200:
        draws = torch.rand(4, generator=source, dtype=torch.float64)
        test_1, _, sample_1, sample_2 = (0.02 + 0.96 * draws).tolist()
        log_ratio = (2 * float(draws[1]) - 1) * 2 * math.log(1.2)
        test_2 = test_1 * math.exp(log_ratio)
        clear = abs(abs(log_ratio) - math.log(1.2)) > 0.01 and abs(sample_1 - sample_2) > 0.01
        if clear and test_2 < 1:
            count += 1
            yield test_1, test_2, sample_1, sample_2


def _winner(answer: Rule, *rates: float) -> int:
    value = float(numbers(call(answer, *rates), [], "the winner"))
    if value not in (0, 1, 2):
        raise Hint(f"expected 0, 1 or 2, got {shown(value)}.")
    return int(value)


def _check_referee(answer: Rule) -> str | None:
    clear = _winner(answer, 0.2, 0.2, 0.3, 0.6)
    if clear == 2:
        return "turned round: a low ε(D₁(G₂)) means that D₁ sees through player 2."
    if clear != 1:
        return "with equal test errors, rates 0.3 against 0.6 make player 1 the winner; got a tie."
    if _winner(answer, 0.1, 0.4, 0.3, 0.6) != 0:
        return "the discriminators differ by a factor of 4 on the test set; what then?"
    if _winner(answer, 0.2, 0.2, 0.3, 0.3) != 0:
        return "equal sample rates are a tie."
    inside = _winner(answer, 0.17, 0.2, 0.3, 0.6), _winner(answer, 0.2, 0.17, 0.6, 0.3)
    beyond = _winner(answer, 0.162, 0.2, 0.3, 0.6), _winner(answer, 0.2, 0.162, 0.6, 0.3)
    swapped = (0, 2, 1)
    if any(there != swapped[back] for there, back in (inside, beyond)):
        return "swap the players and the verdict should swap: is your band even, as 1/r_test is?"
    if beyond != (0, 0):
        return "too wide: the band is a factor of 1.2 either way."
    if inside == (0, 0):
        return "too narrow: the band is a factor of 1.2 either way."
    for rates in drawn_rates():
        if (found := _winner(answer, *rates)) != referee(*rates):
            words = ", ".join(f"{rate:.3f}" for rate in rates)
            return f"for the rates {words} expected {referee(*rates)}, got {found}."
    return None


rule = Exercise(name="rule", check=_check_referee, reference=referee)


# --- An even threshold ------------------------------------------------------------------------


def even_threshold(logits: Tensor, share: float) -> Tensor:
    """A logit that this share of the validation images does not exceed."""
    return logits.kthvalue(max(1, round(share * len(logits)))).values


def _logits() -> Iterator[tuple[Tensor, float]]:
    """Logits of validation images in no order, and shares: one shifted, one skewed, one flat."""
    source = torch.Generator().manual_seed(0)
    drawn = torch.randn(3, 200, generator=source, dtype=torch.float64)
    yield 2 + drawn[0], 0.3
    yield drawn[1].exp() - 4, 0.1
    yield 0.01 * drawn[2], 0.75


def _check_even(answer: Even) -> str | None:
    for logits, share in _logits():
        found = float(numbers(call(answer, logits, share), [], "the threshold"))
        missed = float((logits < found).double().mean())
        slack = 1.5 / len(logits)
        if abs(missed - share) <= slack:
            continue
        if abs(missed - (1 - share)) <= slack:
            return "turned round: this share of the images should lie below, not above."
        chances = logits.sigmoid()
        if abs(float((chances < found).double().mean()) - share) <= slack:
            return "a threshold on D itself; the logits v are asked for, D = σ(v)."
        return (
            f"{100 * share:g} % of the validation images should lie below; below {found:.3f} lie "
            f"{100 * missed:g} %."
        )
    return None


even = Exercise(name="even", check=_check_even, reference=even_threshold)


# --- Bug hunts --------------------------------------------------------------------------------


def hurried_referee(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    """Meant to be the same rule; the arguments are error rates."""
    r_test = (1 - test_1) / (1 - test_2)
    r_sample = (1 - sample_1) / (1 - sample_2)
    if abs(math.log(r_test)) > math.log(1.2):
        return 0
    return 1 if r_sample < 1 else 2 if r_sample > 1 else 0


def _check_accuracy(answer: Rule) -> str | None:
    clear = _winner(answer, 0.2, 0.2, 0.3, 0.6)
    if clear == 2:
        return "the wrong player wins: accuracies turn the inequality round."
    if _winner(answer, 0.05, 0.15, 0.3, 0.6) != 0:
        return "errors of 0.05 and 0.15 differ by 3, accuracies of 0.95 and 0.85 hardly: a tie."
    return _check_referee(answer)


accuracy = Exercise(name="accuracy", check=_check_accuracy, reference=referee)


def eager_canvas(strokes: Tensor) -> Tensor:
    """Meant to be the image of T strokes [T, d] in log-odds."""
    return strokes.sigmoid().sum(0)


def sum_then_sigmoid(strokes: Tensor) -> Tensor:
    """The image of T strokes [T, d] in log-odds: add, then squash once."""
    return strokes.sum(0).sigmoid()


STROKES = (
    torch.tensor([[3.0], [3.0], [-1.0]], dtype=torch.float64),
    torch.tensor([[0.5, -2.0, 4.0]], dtype=torch.float64),
    torch.tensor([[1.0, -1.0], [2.0, -40.0], [-5.0, 90.0], [0.3, 800.0]], dtype=torch.float64),
)
"""Strokes that add up, a single one, and some whose exponentials overflow."""


def _check_canvas(answer: Canvas) -> str | None:
    found = numbers(call(answer, torch.zeros(3, 2, dtype=torch.float64)), [2], "the image")
    if float(found.max()) > 1:
        return f"three empty strokes give a pixel of {float(found.max()):.1f}; pixels end at 1."
    if float(found[0]) == 1:
        return "three strokes that change nothing should leave mid-grey, not white."
    for strokes in STROKES:
        value, target = call(answer, strokes), sum_then_sigmoid(strokes)
        if same(value, target):
            continue
        if strokes is STROKES[0] and float(numbers(value, [1])) <= 1 / (1 + math.exp(-3)):
            return "a second stroke of log-odds 3 should make the pixel brighter than one does."
        return differs(value, target, f"for strokes of shape {list(strokes.shape)}")
    return None


squash = Exercise(name="squash", check=_check_canvas, reference=sum_then_sigmoid)

EXERCISES = (even, rule, accuracy, squash)
