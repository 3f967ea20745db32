"""Exercises of the chapter on DRAW, GRAN and the battle."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.kit.exercises import Exercise, Wrong, call

Places = Callable[[float, float, int], Tensor]
Rule = Callable[[float, float, float, float], int]
Canvas = Callable[[Tensor], Tensor]


# --- Where the filters sit --------------------------------------------------------------------


def filter_places(centre: float, stride: float, patch: int) -> Tensor:
    """The centres of N filters, for pixels that are counted from 1."""
    places = torch.arange(1, patch + 1, dtype=torch.float64)
    return centre + (places - patch / 2 - 0.5) * stride


def _from_zero(centre: float, stride: float, patch: int) -> Tensor:
    places = torch.arange(patch, dtype=torch.float64)
    return centre + (places - patch / 2 - 0.5) * stride


def _one_sided(centre: float, stride: float, patch: int) -> Tensor:
    return centre + torch.arange(patch, dtype=torch.float64) * stride


def _half_off(centre: float, stride: float, patch: int) -> Tensor:
    return centre + (torch.arange(1, patch + 1, dtype=torch.float64) - patch / 2) * stride


def _check_places(answer: Places) -> str | None:
    target = filter_places(14.5, 2.0, 5)
    found = call(answer, 14.5, 2.0, 5)
    if not isinstance(found, Tensor) or found.shape != target.shape:
        return "expected a tensor of N numbers."
    off = found.double() - target
    if float(off.abs().max()) < 1e-9:
        return None
    if float(off.std()) > 1e-9:
        return "neighbouring filters should be one stride apart."
    shift = float(off[0]) / 2.0
    if math.isclose(shift, -1.0):
        return "one stride too far left: i runs from 1, not from 0."
    if math.isclose(shift, 0.5):
        return "half a stride too far right: the mean of 1 … N is N/2 + ½."
    return "the grid should be centred: the mean of the places is g."


places = Exercise(
    name="places",
    check=_check_places,
    reference=filter_places,
    wrong=(
        Wrong(_from_zero, "from 1, not from 0"),
        Wrong(_half_off, "half a stride"),
        Wrong(_one_sided, "centred"),
    ),
)


# --- The rule ---------------------------------------------------------------------------------


def referee(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    """1 or 2 for the winner, 0 for a tie; all four are error rates, the band is 0.2."""
    if abs(math.log(test_1 / test_2)) > math.log(1.2) or sample_1 == sample_2:
        return 0
    return 1 if sample_1 < sample_2 else 2


def _sample_only(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    if sample_1 == sample_2:
        return 0
    return 1 if sample_1 < sample_2 else 2


def _turned(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    found = referee(test_1, test_2, sample_1, sample_2)
    return 3 - found if found else 0


def _lopsided(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    if abs(test_1 / test_2 - 1) > 0.2:
        return 0
    return _sample_only(test_1, test_2, sample_1, sample_2)


def _check_referee(answer: Rule) -> str | None:
    clear = call(answer, 0.2, 0.2, 0.3, 0.6)
    if clear == 2:
        return "turned round: a low ε(D₁(G₂)) means that D₁ sees through player 2."
    if clear != 1:
        return "with equal test errors, rates 0.3 against 0.6 make player 1 the winner."
    if call(answer, 0.1, 0.4, 0.3, 0.6) != 0:
        return "the discriminators differ by a factor of 4 on the test set; what then?"
    if call(answer, 0.2, 0.2, 0.3, 0.3) != 0:
        return "equal sample rates are a tie."
    one, two = call(answer, 0.17, 0.2, 0.3, 0.6), call(answer, 0.2, 0.17, 0.6, 0.3)
    three, four = call(answer, 0.162, 0.2, 0.3, 0.6), call(answer, 0.2, 0.162, 0.6, 0.3)
    if {one, two} != {1, 2} or (three, four) != (0, 0):
        return "swap the players and the verdict should swap: is your band even, as 1/r_test is?"
    return None


rule = Exercise(
    name="rule",
    check=_check_referee,
    reference=referee,
    wrong=(
        Wrong(_sample_only, "factor of 4"),
        Wrong(_turned, "turned round"),
        Wrong(_lopsided, "swap"),
    ),
)


# --- Bug hunts --------------------------------------------------------------------------------


def hurried_referee(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    """Meant to be the same rule; the arguments are error rates."""
    r_test = (1 - test_1) / (1 - test_2)
    r_sample = (1 - sample_1) / (1 - sample_2)
    if abs(math.log(r_test)) > math.log(1.2):
        return 0
    return 1 if r_sample < 1 else 2 if r_sample > 1 else 0


def _flipped_only(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    found = hurried_referee(test_1, test_2, sample_1, sample_2)
    return 3 - found if found else 0


def _test_only(test_1: float, test_2: float, sample_1: float, sample_2: float) -> int:
    return _turned(test_1, test_2, sample_1, sample_2)


def _check_accuracy(answer: Rule) -> str | None:
    clear = call(answer, 0.2, 0.2, 0.3, 0.6)
    if clear == 2:
        return "the wrong player wins: accuracies turn the inequality round."
    if call(answer, 0.05, 0.15, 0.3, 0.6) != 0:
        return "errors of 0.05 and 0.15 differ by 3, accuracies of 0.95 and 0.85 hardly: a tie."
    return _check_referee(answer)


accuracy = Exercise(
    name="accuracy",
    check=_check_accuracy,
    reference=referee,
    wrong=(
        Wrong(hurried_referee, "inequality"),
        Wrong(_flipped_only, "differ by 3"),
        Wrong(_test_only, "inequality"),
    ),
)


def eager_canvas(strokes: Tensor) -> Tensor:
    """Meant to be the image of T strokes [T, d] in log-odds."""
    return strokes.sigmoid().sum(0)


def sum_then_sigmoid(strokes: Tensor) -> Tensor:
    """The image of T strokes [T, d] in log-odds: add, then squash once."""
    return strokes.sum(0).sigmoid()


def _averaged(strokes: Tensor) -> Tensor:
    return strokes.sigmoid().mean(0)


def _clamped(strokes: Tensor) -> Tensor:
    return eager_canvas(strokes).clamp(0, 1)


def _check_canvas(answer: Canvas) -> str | None:
    found = call(answer, torch.zeros(3, 2, dtype=torch.float64))
    if not isinstance(found, Tensor) or found.shape != (2,):
        return "expected one image [d]."
    if float(found.max()) > 1:
        return f"three empty strokes give a pixel of {float(found.max()):.1f}; pixels end at 1."
    if float(found[0]) == 1:
        return "three strokes that change nothing should leave mid-grey, not white."
    strokes = torch.tensor([[3.0], [3.0], [-1.0]], dtype=torch.float64)
    found = call(answer, strokes)
    if torch.allclose(found, sum_then_sigmoid(strokes)):
        return None
    return "a second stroke of log-odds 3 should make the pixel brighter than one does."


squash = Exercise(
    name="squash",
    check=_check_canvas,
    reference=sum_then_sigmoid,
    wrong=(
        Wrong(eager_canvas, "pixels end at 1"),
        Wrong(_clamped, "mid-grey"),
        Wrong(_averaged, "brighter"),
    ),
)

EXERCISES = (places, rule, accuracy, squash)
