"""Exercises of the chapter on DRAW."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.kit.answers import call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

Places = Callable[[float, float, int], Tensor]
Cost = Callable[[Tensor, Tensor], Tensor]
Bank = Callable[[float, float, float, int, int], Tensor]


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


# --- What the codes cost ----------------------------------------------------------------------


def latent_cost(means: Tensor, log_variances: Tensor) -> Tensor:
    """Nats of the codes of one image, for means and log-variances [T, units]."""
    return 0.5 * (means**2 + log_variances.exp() - log_variances - 1).sum()


CODES = (
    (torch.zeros(3, 4, dtype=torch.float64), torch.zeros(3, 4, dtype=torch.float64)),
    (
        torch.tensor(
            [[1.0, -2.0, 0.5, 0.1], [0.0, 3.0, -0.25, 1.0], [0.6, -0.4, 2.0, 0.0]],
            dtype=torch.float64,
        ),
        torch.tensor(
            [[0.0, -1.0, 0.7, 0.2], [0.3, -2.0, 0.1, -0.5], [-0.8, 0.4, 0.0, 0.9]],
            dtype=torch.float64,
        ),
    ),
    (
        torch.tensor([[2.0], [0.0], [-1.0], [0.5], [1.5]], dtype=torch.float64),
        torch.tensor([[-3.0], [0.5], [0.0], [-0.2], [1.0]], dtype=torch.float64),
    ),
)
"""Codes that cost nothing, codes of three steps and four units, codes of five steps and one."""


def _check_cost(answer: Cost) -> str | None:
    for means, logs in CODES:
        value, target = call(answer, means, logs), latent_cost(means, logs)
        if same(value, target, rtol=1e-5):
            continue
        found = float(numbers(value, [], "the cost"))
        steps, units = means.shape
        slip = found - float(target)
        if units > 1 and math.isclose(slip, (units - 1) * steps / 2, abs_tol=1e-5):
            return "the −1 is owed by every unit at every step, not once a step."
        if math.isclose(slip, steps * units / 2, abs_tol=1e-5):
            return "at mean 0 and variance 1 the code says nothing and should cost nothing: −1?"
        if math.isclose(found, 2 * float(target), rel_tol=1e-5):
            return "twice too much: the ½ is missing."
        if math.isclose(2 * found, float(target), rel_tol=1e-5):
            return "half of it: the ½ stands twice."
        if any(
            math.isclose(found * count, float(target), rel_tol=1e-5)
            for count in (steps * units, steps, units)
        ):
            return "a sum over steps and units, not a mean."
        return differs(value, target, f"for codes of {steps} steps and {units} units")
    return None


cost = Exercise(name="cost", check=_check_cost, reference=latent_cost)


# --- A bug hunt -------------------------------------------------------------------------------


def careless_bank(centre: float, stride: float, variance: float, patch: int, size: int) -> Tensor:
    """Meant to be N filters over A pixels, [N, A], whose rows sum to 1."""
    means = filter_places(centre, stride, patch)
    pixels = torch.arange(1, size + 1, dtype=torch.float64)
    weights = torch.exp(-((pixels - means[:, None]) ** 2) / (2 * variance))
    return weights / (weights.sum(1, keepdim=True) + 1e-8)


def careful_bank(centre: float, stride: float, variance: float, patch: int, size: int) -> Tensor:
    """N filters over A pixels, [N, A]: a softmax over the pixels, which divides by no zero."""
    means = filter_places(centre, stride, patch)
    pixels = torch.arange(1, size + 1, dtype=torch.float64)
    return (-((pixels - means[:, None]) ** 2) / (2 * variance)).softmax(1)


BANKS = (
    (3.5, 1.0, 0.5, 3, 6),
    (10.0, 2.0, 1.5, 5, 20),
    (-30.0, 4.0, 0.8, 4, 12),
    (400.0, 9.0, 2.0, 3, 28),
    (-500.0, 8.0, 120.0, 3, 20),
)
"""Windows inside the image, sharp ones far outside it, and a wide one still farther."""


def _check_bank(answer: Bank) -> str | None:
    for case in BANKS:
        value, target = call(answer, *case), careful_bank(*case)
        if same(value, target):
            continue
        found = numbers(value, [case[3], case[4]], "the bank")
        where = f"centre {case[0]:g}, stride {case[1]:g}, variance {case[2]:g}"
        if not bool(found.isfinite().all()):
            return f"{where}: the bank holds NaN or infinity. What was divided by 0?"
        sums = found.sum(1)
        if not same(sums, torch.ones_like(sums), rtol=1e-5):
            return f"{where}: a row sums to {float(sums.min()):g}. What drowned it?"
        return differs(value, target, where)
    return None


bank = Exercise(name="bank", check=_check_bank, reference=careful_bank)

EXERCISES = (places, cost, bank)
