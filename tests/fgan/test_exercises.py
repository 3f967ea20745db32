"""Right and wrong answers to the exercises of the chapter `fgan`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.spatial import distance
from scipy.stats import entropy
from torch.nn.functional import softplus

from genbook.divergences import measures
from genbook.fgan import exercises
from genbook.games import duality


def conjugate_as_a_square(t):
    return (2 - torch.sqrt(1 - t)) ** 2 - 1


def conjugate_in_numpy(t):
    return 4 - t.numpy() - 4 * np.sqrt(1 - t.numpy())


def conjugate_by_insertion(t):
    u = 2 / torch.sqrt(1 - t) - 1
    return u * t - (u - 1) ** 2 / (u + 1)


def conjugate_in_a_loop(t):
    return [4 - s - 4 * math.sqrt(1 - s) for s in t.tolist()]


def conjugate_in_single_precision(t):
    return exercises.triangular_conjugate(t.float())


def conjugate_in_place(t):
    root = (1 - t).sqrt()
    return t.neg_().add_(4).sub_(4 * root)


def root(v):
    return 1 - torch.sqrt(1 + v**2) + v


def cut_in_two(v):
    return torch.where(v < 0, v, 1 - torch.exp(-v))


def hard_limit(v):
    return v.clamp(max=0.95)


def kept_below(v):
    return 0.95 - torch.exp(-v)


def with_a_gap(v):
    return torch.where(v < 0, v - 5, 1 - torch.exp(-v))


def js_by_entropies(p, q):
    return 2 * entropy((p + q) / 2) - entropy(p) - entropy(q)


def js_in_scipy(p, q):
    return 2 * distance.jensenshannon(p.numpy(), q.numpy()) ** 2


def js_by_ratio(p, q):
    u = p / q
    return (q * (u * u.log() - (u + 1) * ((1 + u) / 2).log())).sum()


def js_in_a_list(p, q):
    return [float(exercises.mended_js(p.float(), q.float()).double())]


def gan_less_its_value_at_home(p, q):
    return exercises.printed_gan(p, q) - exercises.printed_gan(p, p)


def gan_as_twice_js(p, q):
    return 2 * measures.on_atoms(measures.JENSEN_SHANNON, p, q)


def gan_in_numpy(p, q):
    u = (p / q).numpy()
    f = u * np.log(u) - (u + 1) * np.log1p(u) + 2 * np.log(2)
    return np.dot(q.numpy(), f)


def jeffrey(p, q):
    return duality.divergence(duality.JEFFREY, p, q)


ANSWERS = {
    "triangular": Answers(
        right=(
            conjugate_as_a_square,
            conjugate_in_numpy,
            conjugate_by_insertion,
            conjugate_in_a_loop,
            conjugate_in_single_precision,
            conjugate_in_place,
        ),
        wrong=(
            (lambda t: -exercises.triangular_conjugate(t), "sign"),
            (lambda t: 2 / torch.sqrt(1 - t) - 1, "insert it"),
            (lambda t: t * (2 / torch.sqrt(1 - t) - 1), "subtract f(u)"),
            (lambda t: 4 - t + 4 * torch.sqrt(1 - t), "u < 0"),
            (lambda t: 4 - t - 4 * torch.sqrt(t - 1), "not finite"),
            (lambda t: t + t**2 / 4, "for t = -2.9 expected [-0.9994], got [-0.7975]"),
            (lambda t: exercises.triangular_conjugate(t).sum(), "shape"),
            (lambda t: t.no_such_thing(), "your code raised"),
        ),
    ),
    "activation": Answers(
        right=(
            root,
            cut_in_two,
            lambda v: 1 - softplus(-v),
            lambda v: 1 - 4 * torch.sigmoid(-v) ** 2,
            lambda v: 2 * torch.tanh(v / 4) - 1,
            lambda v: 1 - torch.log1p(softplus(-v)),
            lambda v: 1 - softplus(-v).sqrt(),
            lambda v: 1 - torch.exp(-4 * v),
            lambda v: 1 - softplus(-4 * v),
            lambda v: 1 - torch.exp(-2 * v.float()),
            lambda v: 1 - np.exp(-v.numpy()),
            lambda v: -torch.expm1(-v.float()),
            lambda v: [1 - 1e-3 * math.exp(min(-s, 700)) for s in v.tolist()],
        ),
        wrong=(
            (lambda v: 1 - torch.exp(v), "falls"),
            (lambda v: 1 - torch.exp(4 * v), "falls"),
            (lambda v: (1 - torch.exp(-v)).clamp(max=0.9999), "it does not"),
            (torch.tanh, "come down to f′(0) = −3"),
            (lambda v: v, "at v = 1.5 you return 1.5, where f* is infinite"),
            (lambda v: v.clamp(max=1.0), "at v = 1.5 it does not"),
            (lambda v: 2 * (v / 4).clamp(-1, 1) - 1, "it does not"),
            (hard_limit, "at v = 1.5 it does not"),
            (kept_below, "at v = 80 it is 0.95"),
            (with_a_gap, "it jumps between v = 0 and 0.5"),
            (lambda v: -softplus(-v), "close to 1"),
            (torch.log, "not a number"),
            (lambda v: 0.5, "shape"),
        ),
    ),
    "js": Answers(
        right=(js_by_entropies, js_in_scipy, js_by_ratio, js_in_a_list, gan_as_twice_js),
        wrong=(
            (exercises.printed_js, "as printed"),
            (lambda p, q: exercises.printed_js(p, q) / 2, "wrong way"),
            (lambda p, q: (p * (2 * p / (p + q)).log()).sum(), "half the sum"),
            (lambda p, q: exercises.mended_js(p, q) / math.log(2), "bits"),
            (jeffrey, "Jeffrey"),
            (lambda p, q: exercises.mended_js(p, q) + 1e-3, "expected"),
            (lambda p, q: (p * (p / q).log()).sum(), "for p = [0.5, 0.3, 0.2]"),
        ),
    ),
    "gan": Answers(
        right=(gan_less_its_value_at_home, gan_as_twice_js, gan_in_numpy, js_by_entropies),
        wrong=(
            (exercises.printed_gan, "what is f(1)"),
            (lambda p, q: exercises.printed_gan(p, q) + math.log(2), "log 2 once"),
            (lambda p, q: exercises.printed_gan(p, q).clamp_min(0), "clamping"),
            (lambda p, q: exercises.printed_gan(p, q) - math.log(4), "wrong way"),
            (exercises.printed_js, "does not halve it"),
            (lambda p, q: exercises.printed_gan(p, q).abs(), "for p = q expected 0, got 1.386"),
            (lambda p, q: (p - q).abs().sum(), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
