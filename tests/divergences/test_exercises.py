"""Right and wrong answers to the exercises of the chapter `divergences`."""

from __future__ import annotations

import math

import numpy as np
import scipy.special
import torch
from exercising import Answers, assert_judged, judged
from scipy.spatial import distance
from scipy.stats import entropy

from genbook.divergences import exercises


def kl_in_a_loop(p, q):
    total = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        if a > 0:
            total += a * math.log(a / b) if b > 0 else math.inf
    return total


def kl_in_numpy(p, q):
    return scipy.special.rel_entr(p.numpy(), q.numpy()).sum()


def kl_in_single_precision(p, q):
    return exercises.kl_by_hand(p.float(), q.float())


def kl_in_place(p, q):
    ratio = p.clone().div_(q)
    p.mul_(torch.where(p > 0, ratio.log_(), 0.0))
    return [p.sum()]


def kl_without_the_zero_rule(p, q):
    return (p * (p / q).log()).sum()


def kl_held_off_zero(p, q):
    return kl_without_the_zero_rule(p.clamp_min(1e-30), q.clamp_min(1e-12))


def kl_up_to_a_constant(p, q):
    return exercises.kl_by_hand(p, q) + 0.001


def js_of(kl):
    def js(p, q):
        m = (p + q) / 2
        return (kl(p, m) + kl(q, m)) / 2

    return js


def js_by_entropies(p, q):
    def h(v):
        return torch.special.entr(v).sum()

    return h((p + q) / 2) - (h(p) + h(q)) / 2


def js_in_scipy(p, q):
    return distance.jensenshannon(p.numpy(), q.numpy()) ** 2


def js_of_one_side(p, q):
    return exercises.kl_by_hand(p, (p + q) / 2)


def jeffrey(p, q):
    return (exercises.kl_by_hand(p, q) + exercises.kl_by_hand(q, p)) / 2


def js_about_the_root(p, q):  # the geometric mean in place of the arithmetic one
    m = (p * q).sqrt()
    m = m / m.sum() if m.sum() > 0 else (p + q) / 2
    return js_by_entropies(p, q) + 0.1 * (m - (p + q) / 2).abs().sum()


def pearson_by_moments(p, q):
    return (p**2 / q).sum() - 1


def pearson_of_the_ratio(p, q):
    u = p.numpy() / q.numpy()
    return float(np.sum(q.numpy() * (u - 1) ** 2))


def pearson_in_a_list(p, q):
    return [sum((a - b) ** 2 / b for a, b in zip(p.tolist(), q.tolist(), strict=True))]


ANSWERS = {
    "kl": Answers(
        right=(
            kl_in_a_loop,
            kl_in_numpy,
            kl_in_single_precision,
            kl_in_place,
            lambda p, q: entropy(p, q),
        ),
        wrong=(
            (lambda p, q: exercises.kl_by_hand(q, p), "swapped"),
            (kl_without_the_zero_rule, "0 · log 0"),
            (lambda p, q: exercises.kl_by_hand(p, q) / math.log(2), "bits"),
            (lambda p, q: kl_in_a_loop(p, q) / len(p), "mean over the outcomes"),
            (lambda p, q: -torch.special.xlogy(p, q).sum(), "cross entropy"),
            (kl_held_off_zero, "do not keep q away from 0"),
            (kl_up_to_a_constant, "expected 0.2238, got 0.2248"),
            (lambda p, q: torch.special.xlogy(p, p / q), "expected one number"),
            (lambda p, q: p.nonsense, "your code raised"),
        ),
    ),
    "js": Answers(
        right=(js_by_entropies, js_in_scipy, js_of(kl_in_a_loop), js_of(kl_in_single_precision)),
        wrong=(
            (lambda p, q: 2 * js_by_entropies(p, q), "factor ½"),
            (jeffrey, "(p + q) / 2"),
            (lambda p, q: js_by_entropies(p, q) / math.log(2), "bits"),
            (lambda p, q: distance.jensenshannon(p, q), "square root"),
            (js_of_one_side, "both sides"),
            (lambda p, q: js_of_one_side(q, p), "expected"),
            (js_about_the_root, "expected"),
            (js_of(kl_without_the_zero_rule), "no finite number"),
        ),
    ),
    "pearson": Answers(
        right=(pearson_by_moments, pearson_of_the_ratio, pearson_in_a_list),
        wrong=(
            (exercises.printed_pearson, "as printed"),
            (lambda p, q: (p / q - 1).square().sum(), "weight q"),
            (lambda p, q: (p * (p / q - 1) ** 2).sum(), "the weight is q"),
            (lambda p, q: ((p - q) ** 2 / (p + q)).sum(), "symmetric"),
            (lambda p, q: 0.5 * ((p - q) ** 2 / q).sum(), "expected"),
            (lambda p, q: (p**2 / q).sum(), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
