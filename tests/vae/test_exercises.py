"""Answers to the exercises of `vae`, right in odd forms and wrong in ways that look right."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from exercising import Answers, assert_judged, judged
from scipy.special import logsumexp
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from genbook.vae import bounds, exercises, models


def kl_in_numpy(mean, log_var):
    m, v = mean.numpy(), log_var.numpy()
    return 0.5 * (m**2 + np.exp(v) - 1 - v).sum(1)


def kl_in_lists(mean, log_var):
    return [
        sum(0.5 * (m * m + math.exp(v) - 1 - v) for m, v in zip(*rows, strict=True))
        for rows in zip(mean.tolist(), log_var.tolist(), strict=True)
    ]


def kl_by_torch(mean, log_var):
    prior = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return kl_divergence(Normal(mean, (log_var / 2).exp()), prior).sum(-1)


def kl_in_single_precision(mean, log_var):
    return exercises.kl_by_hand(mean.float(), log_var.float())


def kl_with(change):
    return lambda mean, log_var: change(mean, log_var, exercises.kl_by_hand(mean, log_var))


def bound_in_numpy(log_w):
    return logsumexp(log_w.numpy(), axis=0) - np.log(len(log_w))


def bound_by_largest(log_w):
    top = log_w.max(0).values
    return [
        float(t + math.log(float((c - t).exp().mean()))) for t, c in zip(top, log_w.T, strict=True)
    ]


def bound_by_adding(log_w):
    total = log_w[0]
    for row in log_w[1:]:
        total = torch.logaddexp(total, row)
    return total - math.log(len(log_w))


def loss_as_a_float(*case):
    return float(exercises.mended_loss(*case))


def loss_of_the_chapter(x, logits, mean, log_var):
    reconstruction = models.bernoulli_log_prob(x, logits)
    divergence = models.gaussian_kl(models.Gaussian(mean, log_var))
    return -bounds.Bound(reconstruction, divergence).value.mean()


def loss_summed(x, logits, mean, log_var):
    pixels = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    return (pixels + exercises.kl_by_hand(mean, log_var).sum()) / len(x)


def loss_in_single_precision(*case):
    return exercises.mended_loss(*(part.float() for part in case)).view(1).numpy()


def crossed(x, logits):
    return functional.binary_cross_entropy_with_logits(logits, x, reduction="none")


def naive_loss(x, logits, mean, log_var):
    p = torch.sigmoid(logits)
    terms = -(x * p.log() + (1 - x) * (1 - p).log()).sum(-1)
    return (terms + exercises.kl_by_hand(mean, log_var)).mean()


ANSWERS = {
    "kl": Answers(
        right=(kl_in_numpy, kl_in_lists, kl_by_torch, kl_in_single_precision),
        wrong=(
            (lambda m, v: 0.5 * (m**2 + v**2 - 1 - 2 * v.log()).sum(-1), "read it as σ."),
            (lambda m, v: 0.5 * (m**2 + v - 1 - v.log()).sum(-1), "read it as σ²"),
            (lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 1 - 2 * v).sum(-1), "read it as log σ:"),
            (kl_with(lambda m, v, kl: 2 * kl), "½"),
            (kl_with(lambda m, v, kl: -kl), "never negative"),
            (kl_with(lambda m, v, kl: kl / m.shape[1]), "not averaged"),
            (kl_with(lambda m, v, kl: kl.mean()), "one number an image"),
            (lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v), "sum over the last axis"),
            (lambda m, v: 0.5 * (m**2 + v.exp() - 1 - v).sum(0), "expected one number an image"),
            (lambda m, v: 0.5 * ((m**2 + 1) / v.exp() - 1 + v).sum(-1), "the expectation is"),
            (lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(-1), "look for the −1"),
            (lambda m, v: 0.5 * (m.abs() + v.exp() - 1 - v).sum(-1), "expected"),
            (kl_with(lambda m, v, kl: kl.clamp(max=5.0)), "expected"),
            (lambda m, v: "0", "expected numbers"),
        ),
    ),
    "bound": Answers(
        right=(bound_in_numpy, bound_by_largest, bound_by_adding, bounds.iwae_bound),
        wrong=(
            (lambda w: w.exp().mean(0).log(), "exp(−1000)"),
            (lambda w: w.mean(0), "mean of the logarithms"),
            (lambda w: torch.logsumexp(w, 0), "log k"),
            (lambda w: torch.logsumexp(w, 1) - math.log(w.shape[1]), "axis 0"),
            (lambda w: -exercises.bound_by_hand(w), "other sign"),
            (lambda w: exercises.bound_by_hand(w).mean(), "one number an image"),
            (lambda w: torch.logsumexp(w, 0) - math.log(w.shape[1]), "number of images"),
            (lambda w: torch.logsumexp(w, 0) - math.log(3), "expected"),
            (lambda w: w.max(0).values, "largest weight alone"),
            (lambda w: w.clamp_min(-700).exp().mean(0).log(), "expected"),
        ),
    ),
    "loss": Answers(
        right=(loss_as_a_float, loss_of_the_chapter, loss_summed, loss_in_single_precision),
        wrong=(
            (exercises.grey_loss, "β of P"),
            (exercises._both_averaged, "P / D"),
            (exercises._units_averaged, "1 / D"),
            (exercises._summed_over_images, "1 / N"),
            (lambda *case: len(case[0]) * exercises.mended_loss(*case), "depend on the batch"),
            (lambda *case: exercises.mended_loss(*case) / case[0].shape[1], "nats an image"),
            (lambda *case: -exercises.mended_loss(*case), "that is the ELBO"),
            (lambda x, logits, m, v: crossed(x, logits).sum(-1).mean(), "where is the divergence"),
            (
                lambda x, logits, m, v: crossed(x, logits).sum(-1) + exercises.kl_by_hand(m, v),
                "one number",
            ),
            (
                lambda x, logits, m, v: (
                    crossed(x, logits).sum(-1) - exercises.kl_by_hand(m, v)
                ).mean(),
                "wrong sign",
            ),
            (naive_loss, "expected"),
            (lambda x, logits, m, v: exercises.mended_loss(logits, x, m, v), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


@pytest.mark.parametrize("exercise", exercises.EXERCISES, ids=lambda exercise: exercise.name)
def test_an_answer_may_not_change_what_it_is_given(exercise):
    def spoiling(*arguments):
        value = exercise.reference(*arguments)
        for argument in arguments:
            argument.zero_()
        return value

    assert exercise.verdict(spoiling) == f"✓ {exercise.name}: right."
