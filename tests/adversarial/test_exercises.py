"""Right and wrong answers to the exercises of the chapter `adversarial`."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn import functional

from genbook.adversarial import exercises


def by_autograd(w, b, x, y, epsilon):
    place = x.clone().requires_grad_()
    loss = functional.softplus(-y * (place @ w + b))
    (slope,) = torch.autograd.grad(loss, place)
    return x + epsilon * slope.sign()


def in_numpy(w, b, x, y, epsilon):
    return x.numpy() - epsilon * y * np.sign(w.numpy())


def in_a_list(w, b, x, y, epsilon):
    return [
        v - epsilon * y * ((u > 0) - (u < 0)) for u, v in zip(w.tolist(), x.tolist(), strict=True)
    ]


def in_single_precision(w, b, x, y, epsilon):
    return exercises.attack_by_hand(w.float(), b, x.float(), y, epsilon)


def by_a_targets_cross_entropy(w, b, x, y, epsilon):
    place = x.clone().requires_grad_()
    target = torch.tensor((y + 1) / 2, dtype=x.dtype)
    loss = functional.binary_cross_entropy_with_logits(place @ w + b, target)
    return tuple((x + epsilon * torch.autograd.grad(loss, place)[0].sign()).tolist())


def by_trying_all_signs(w, b, x, y, epsilon):
    tried = [
        x + epsilon * torch.tensor(signs, dtype=x.dtype)
        for signs in product((-1, 0, 1), repeat=len(x))
    ]
    return min(tried, key=lambda z: (round(float(y * (w @ z + b)), 9), float((z - x).abs().sum())))


def in_place(w, b, x, y, epsilon):
    return x.sub_(epsilon * y * w.sign())


def least_search_limit(w, b, x, y):
    return max(0, float(y * (w @ x + b))) / float(torch.linalg.vector_norm(w, 1))


def least_by_search(w, b, x, y):
    low, high = 0.0, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        wrong = y * (w @ (x - middle * y * w.sign()) + b) <= 0
        low, high = (low, middle) if wrong else (middle, high)
    return high


def least_in_numpy(w, b, x, y):
    return np.maximum(0, y * (w.numpy() @ x.numpy() + b)) / np.abs(w.numpy()).sum()


def steps_with_clamp(slope, x, epsilon, steps, rate):
    change = torch.zeros_like(x)
    for _ in range(steps):
        change = (change + rate * slope(x + change).sign()).clamp(-epsilon, epsilon)
    return x + change


def steps_in_numpy(slope, x, epsilon, steps, rate):
    at = x.numpy().copy()
    for _ in range(steps):
        at = at + rate * np.sign(slope(torch.from_numpy(at)).numpy())
        at = np.clip(at, x.numpy() - epsilon, x.numpy() + epsilon)
    return at


def steps_in_place(slope, x, epsilon, steps, rate):
    at = x.clone()
    for _ in range(steps):
        at.add_(slope(at).sign(), alpha=rate)
        at.copy_(torch.clamp(at, x - epsilon, x + epsilon))
    return at.tolist()


def steps_in_single_precision(slope, x, epsilon, steps, rate):
    return exercises.mended_steps(slope, x.float(), epsilon, steps, rate)


def steps_back_by_the_change(slope, x, epsilon, steps, rate):
    at = x
    for _ in range(steps):
        at = x + (at + rate * slope(at).sign() - x).clamp(-epsilon, epsilon)
    return at


def printed_and_brought_back(slope, x, epsilon, steps, rate):
    at = x
    for _ in range(steps):
        at = at + (rate * slope(at).sign()).clamp(-epsilon, epsilon)
        at = torch.clamp(at, x - epsilon, x + epsilon)
    return at


def steps_along_the_first_slope(slope, x, epsilon, steps, rate):
    return x + (steps * rate * slope(x).sign()).clamp(-epsilon, epsilon)


def steps_that_do_not_leave(slope, x, epsilon, steps, rate):
    at = x
    for _ in range(steps):
        there = at + rate * slope(at).sign()
        at = torch.where((there - x).abs() > epsilon, at, there)
    return at


def steps_that_never_rest(slope, x, epsilon, steps, rate):
    at = x
    for _ in range(steps):
        at = at + rate * torch.where(slope(at) >= 0, 1.0, -1.0)
        at = torch.clamp(at, x - epsilon, x + epsilon)
    return at


ANSWERS = {
    "attack": Answers(
        right=(
            by_autograd,
            in_numpy,
            in_a_list,
            in_single_precision,
            by_a_targets_cross_entropy,
            by_trying_all_signs,
            in_place,
        ),
        wrong=(
            (lambda w, b, x, y, e: x + e * y * w.sign(), "raises the margin"),
            (lambda w, b, x, y, e: x - e * w.sign(), "label is missing"),
            (lambda w, b, x, y, e: (x - e * y * w.sign()).clamp(0, 1), "clipped"),
            (
                lambda w, b, x, y, e: x - e * y * torch.where(w >= 0, 1.0, -1.0),
                "where a weight is 0",
            ),
            (lambda w, b, x, y, e: x + e * exercises._slope(w, b, x, y), "slope itself"),
            (
                lambda w, b, x, y, e: x - e * y * w / w.norm(),
                "length ε in all",
            ),
            (lambda w, b, x, y, e: x - 2 * e * y * w.sign(), "expected"),
            (lambda w, b, x, y, e: x - e * y * w.sign() * (y * (w @ x + b) > 0), "expected"),
            (lambda w, b, x, y, e: x - e * (w @ x + b).sign() * w.sign(), "expected"),
            (
                lambda w, b, x, y, e: x - min(e, least_search_limit(w, b, x, y)) * y * w.sign(),
                "expected",
            ),
            (lambda w, b, x, y, e: x - e * y * (w * x).sign(), "expected"),
            (lambda w, b, x, y, e: w.nonsense, "your code raised"),
        ),
    ),
    "least": Answers(
        right=(
            least_by_search,
            least_in_numpy,
            lambda *a: [float(exercises.least_by_hand(*a))],
            lambda w, b, x, y: torch.relu(y * (w.float() @ x.float() + b)) / w.float().norm(1),
            least_search_limit,
        ),
        wrong=(
            (lambda w, b, x, y: max(0, y * (w @ x + b)) / w.norm(), "Euclidean"),
            (lambda w, b, x, y: (w @ x + b).abs() / w.abs().sum(), "needs no change"),
            (lambda w, b, x, y: y * (w @ x + b) / w.abs().sum(), "negative"),
            (lambda w, b, x, y: max(0, y * (w @ x)) / w.abs().sum(), "bias"),
            (lambda w, b, x, y: max(0, y * (w @ x + b)) / w.abs().max(), "one number alone"),
            (lambda w, b, x, y: max(0, y * (w @ x + b)) / w.abs().mean(), "expected"),
            (lambda w, b, x, y: min(1, max(0, y * (w @ x + b)) / w.abs().sum()), "expected"),
            (lambda w, b, x, y: max(0, y * (w @ x + b)) / w.sum().abs(), "expected"),
            (lambda w, b, x, y: max(0, w @ x + b) / w.abs().sum(), "expected"),
        ),
    ),
    "boxed": Answers(
        right=(
            steps_with_clamp,
            steps_in_numpy,
            steps_in_place,
            steps_in_single_precision,
            steps_back_by_the_change,
            printed_and_brought_back,
        ),
        wrong=(
            (exercises.printed_steps, "their sum leaves the box"),
            (exercises._once, "at the end only"),
            (exercises._in_a_ball, "each number has its own"),
            (exercises._unsigned, "sign of the slope"),
            (lambda f, x, e, n, r: x + e * f(x).sign(), "expected"),
            (steps_along_the_first_slope, "expected"),
            (steps_that_do_not_leave, "expected"),
            (steps_that_never_rest, "expected"),
            (lambda f, x, e, n, r: exercises.mended_steps(f, x, e, n - 1, r), "expected"),
            (lambda f, x, e, n, r: exercises.mended_steps(f, x, e, n, r).clamp(0, 1), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


def test_the_printed_attack_takes_all_its_steps_both_ways():
    moved = exercises.printed_steps(exercises._uphill, torch.zeros(3), 0.3, 5, 0.1)
    torch.testing.assert_close(moved, torch.tensor([0.5, -0.5, 0.5]))
