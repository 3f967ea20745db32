"""Exercises of the chapter on DRAW, GRAN and the battle."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from genbook.kit.answers import Hint, call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

Places = Callable[[float, float, int], Tensor]
Rule = Callable[[float, float, float, float], int]
Canvas = Callable[[Tensor], Tensor]


# --- Where the filters sit --------------------------------------------------------------------

WINDOWS = ((14.5, 2.0, 5), (3.0, 0.5, 4), (20.0, 1.25, 1), (0.0, 3.0, 2))
"""Centres, strides and numbers of filters; odd, even and one."""


def filter_places(centre: float, stride: float, patch: int) -> Tensor:
    """The centres of N filters, for pixels that are counted from 1."""
    places = torch.arange(1, patch + 1, dtype=torch.float64)
    return centre + (places - patch / 2 - 0.5) * stride


def _check_places(answer: Places) -> str | None:
    for centre, stride, patch in WINDOWS:
        target = filter_places(centre, stride, patch)
        found = numbers(call(answer, centre, stride, patch), [patch], "the places")
        if same(found, target, rtol=1e-5):
            continue
        off = found - target
        if patch > 1 and not bool((off - off.mean()).abs().max() <= 1e-5):
            return "neighbouring filters should be one stride apart."
        shift = float(off.mean()) / stride
        if math.isclose(shift, -1.0, abs_tol=1e-5):
            return "one stride too far left: i runs from 1, not from 0."
        if math.isclose(shift, 0.5, abs_tol=1e-5):
            return "half a stride too far right: the mean of 1 … N is N/2 + ½."
        return (
            f"the grid should be centred: the mean of the places is g = {centre:g}, got "
            f"{shown(found.mean())} for δ = {stride:g} and N = {patch}."
        )
    return None


places = Exercise(name="places", check=_check_places, reference=filter_places)


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
    if inside != (1, 2) or beyond != (0, 0):
        return "swap the players and the verdict should swap: is your band even, as 1/r_test is?"
    for rates in drawn_rates():
        if (found := _winner(answer, *rates)) != referee(*rates):
            words = ", ".join(f"{rate:.3f}" for rate in rates)
            return f"for the rates {words} expected {referee(*rates)}, got {found}."
    return None


rule = Exercise(name="rule", check=_check_referee, reference=referee)


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

EXERCISES = (places, rule, accuracy, squash)
