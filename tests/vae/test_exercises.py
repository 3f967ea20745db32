"""Right and wrong answers to the exercises of the chapter `vae`."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from exercising import Answers, assert_judged, judged
from scipy.special import expit, logsumexp
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits, softplus

from genbook.vae import exercises


def kl_in_numpy(mean, log_var):
    m, v = mean.numpy(), np.exp(log_var.numpy())
    return (m * m + v - 1 - np.log(v)).sum(axis=1) / 2


def kl_in_lists(mean, log_var):
    rows = zip(mean.tolist(), log_var.tolist(), strict=True)
    return [
        sum((m * m + math.expm1(s) - s) / 2 for m, s in zip(means, logs, strict=True))
        for means, logs in rows
    ]


def kl_by_library(mean, log_var):
    return kl_divergence(Normal(mean, (log_var / 2).exp()), Normal(0.0, 1.0)).sum(-1)


def kl_in_single(mean, log_var):
    return exercises.kl_by_hand(mean.float(), log_var.float())


def kl_as_published(mean, log_var):
    return -0.5 * torch.einsum("nd->n", 1 + log_var - mean.pow(2) - log_var.exp())


def kl_in_place(mean, log_var):
    return mean.square_().add_(log_var.exp()).sub_(log_var).sub_(1).sum(1).div_(2)


def kl_image_by_image(mean, log_var):
    return [exercises.kl_by_hand(m, s) for m, s in zip(mean, log_var, strict=True)]


def kl_for_two_units(mean, log_var):
    return 0.5 * (mean**2 + log_var.exp() - log_var).sum(-1) - 1


def kl_of_the_first_image(mean, log_var):
    return exercises.kl_by_hand(mean, log_var)[0].expand(len(mean))


def bound_by_scipy(log_w):
    return logsumexp(log_w.numpy(), axis=0) - np.log(log_w.shape[0])


def bound_by_the_peak(log_w):
    peak = log_w.max(dim=0).values
    return peak + (log_w - peak).exp().mean(0).log()


def bound_by_folding(log_w):
    total = log_w[0]
    for row in log_w[1:]:
        total = torch.logaddexp(total, row)
    return (total - math.log(len(log_w))).tolist()


def bound_in_single(log_w):
    return exercises.bound_by_hand(log_w.float())


def bound_image_by_image(log_w):
    return [torch.logsumexp(column - math.log(len(column)), 0) for column in log_w.T]


def bound_by_the_median(log_w):
    return log_w.median(0).values


def bound_with_log_three(log_w):
    return torch.logsumexp(log_w, 0) - math.log(3)


def bound_shifted_by_a_thousand(log_w):
    return (log_w + 1000).exp().mean(0).log() - 1000


def loss_by_counting(x, logits, mean, log_var):
    pixels = binary_cross_entropy_with_logits(logits, x)
    return x.shape[1] * pixels + exercises.kl_by_hand(mean, log_var).mean()


def loss_in_numpy(x, logits, mean, log_var):
    x, logits = x.numpy(), logits.numpy()
    cost = np.logaddexp(0, logits) - x * logits
    return float(cost.sum() / len(x) + kl_in_numpy(mean, log_var).mean())


def loss_by_library(x, logits, mean, log_var):
    seen = Bernoulli(logits=logits).log_prob(x).sum(-1)
    return (kl_by_library(mean, log_var) - seen).mean()


def loss_by_sigmoid(x, logits, mean, log_var):
    cost = binary_cross_entropy(logits.sigmoid(), x, reduction="sum")
    return cost / len(x) + exercises.kl_by_hand(mean, log_var).mean()


def loss_in_single(x, logits, mean, log_var):
    batch = (x, logits, mean, log_var)
    return exercises.mended_loss(*(part.float() for part in batch)).reshape(1)


def loss_as_a_new_tensor(x, logits, mean, log_var):
    return torch.tensor(loss_in_numpy(x, logits, mean, log_var))


def loss_image_by_image(x, logits, mean, log_var):
    rows = zip(x, logits, mean, log_var, strict=True)
    costs = [softplus(a).sum() - v @ a + kl_by_library(m[None], s[None])[0] for v, a, m, s in rows]
    return sum(costs) / len(costs)


def loss_detached(x, logits, mean, log_var):
    return exercises.mended_loss(x, logits, mean.detach(), log_var)


def loss_in_no_balance(x, logits, mean, log_var):
    return binary_cross_entropy_with_logits(logits, x) + exercises._nats(mean, log_var).sum()


def loss_squared(x, logits, mean, log_var):
    squares = (logits.sigmoid() - x).square().sum(-1)
    return (squares + exercises.kl_by_hand(mean, log_var)).mean()


def loss_of_the_first_image(x, logits, mean, log_var):
    return exercises.mended_loss(x[:1], logits[:1], mean[:1], log_var[:1])


def misspelt(*arguments):
    return arguments[0].summed()


kl = exercises.kl_by_hand
nats = exercises._nats
mended = exercises.mended_loss

ANSWERS = {
    "kl": Answers(
        right=(
            kl_in_numpy,
            kl_in_lists,
            kl_by_library,
            kl_in_single,
            kl_as_published,
            kl_in_place,
            kl_image_by_image,
        ),
        wrong=(
            (lambda m, s: 0.5 * (m**2 + s**2 - 1 - (s**2).log()).sum(-1), "read it as σ."),
            (lambda m, s: 0.5 * (m**2 + s**2 - 1 - 2 * s.log()).sum(-1), "read it as σ."),
            (lambda m, s: 0.5 * (m**2 + s - 1 - s.log()).sum(-1), "read it as σ²."),
            (lambda m, s: 0.5 * (m**2 + (2 * s).exp() - 1 - 2 * s).sum(-1), "read it as log σ:"),
            (lambda m, s: (m**2 + s.exp() - 1 - s).sum(-1), "½"),
            (lambda m, s: 0.5 * (1 + s - m**2 - s.exp()).sum(-1), "never negative"),
            (lambda m, s: nats(m, s).mean(-1), "not averaged"),
            (nats, "last axis"),
            (lambda m, s: nats(m, s).numpy().sum(0), "axis 0"),
            (lambda m, s: nats(m, s).sum().item(), "sums over the images too"),
            (lambda m, s: kl_in_numpy(m, s).mean(), "averages over the images too"),
            (lambda m, s: 0.5 * (m**2 + s.exp() - s).sum(-1), "Where is the −1"),
            (lambda m, s: 0.5 * ((m**2 + s.exp() - s).sum(-1) - 1), "once for each unit"),
            (exercises._reversed_kl, "other way round"),
            (lambda m, s: kl(m, s) / math.log(2), "bits"),
            (lambda m, s: nats(m, s).sum(-1, keepdim=True), "expected shape [2] as your answer"),
            (lambda m, s: 0.5 * (m + s.exp() - 1 - s).sum(-1), "D = 2 expected [0, 2.758], got"),
            (kl_for_two_units, "for N = 2 and D = 4 expected"),
            (kl_of_the_first_image, "for N = 2 and D = 2 expected [0, 2.758], got [0, 0]"),
            (lambda m, s: "KL", "expected numbers as your answer, got 'KL'"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
    "bound": Answers(
        right=(
            bound_by_scipy,
            bound_by_the_peak,
            bound_by_folding,
            bound_in_single,
            bound_image_by_image,
        ),
        wrong=(
            (lambda w: w.exp().mean(0).log(), "exp(−1000)"),
            (lambda w: w.exp().sum(0).log() - math.log(len(w)), "exp(−1000)"),
            (lambda w: w.float().exp().mean(0).log(), "exp(−1000)"),
            (lambda w: (w - w.max()).exp().mean(0).log() + w.max(), "of each image"),
            (lambda w: w.numpy().mean(0), "mean of the logarithms"),
            (lambda w: torch.logsumexp(w, 0), "log k"),
            (lambda w: logsumexp(w.numpy(), axis=1) - math.log(w.shape[1]), "axis 0"),
            (lambda w: torch.logsumexp(w, 0) - math.log(w.shape[1]), "log N"),
            (lambda w: torch.logsumexp(w, 0) / len(w), "does not divide"),
            (lambda w: w.max(0).values, "alone"),
            (lambda w: -exercises.bound_by_hand(w), "sign"),
            (lambda w: w.exp().mean(0), "take its logarithm"),
            (lambda w: (w.softmax(0) * w).sum(0), "weighted mean"),
            (lambda w: exercises.bound_by_hand(w).mean(), "one bound an image"),
            (lambda w: w.flatten().logsumexp(0) - math.log(w.numel()), "weights of all images"),
            (bound_with_log_three, "for k = 5 and N = 3 expected"),
            (bound_shifted_by_a_thousand, "for k = 3 and N = 2 expected [-1001, -1.691], got"),
            (bound_by_the_median, "for k = 3 and N = 2 expected"),
            (lambda w: torch.logsumexp(w, 1), "expected shape [2] as your answer, got shape [3]"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
    "loss": Answers(
        right=(
            loss_by_counting,
            loss_in_numpy,
            loss_by_library,
            loss_by_sigmoid,
            loss_in_single,
            loss_as_a_new_tensor,
            loss_image_by_image,
            lambda *batch: mended(*batch).item(),
        ),
        wrong=(
            (exercises.grey_loss, "β of P"),
            (lambda *batch: float(exercises.grey_loss(*batch)), "β of P"),
            (
                lambda x, a, m, s: binary_cross_entropy_with_logits(a, x) + nats(m, s).mean(),
                "P / D",
            ),
            (lambda *batch: len(batch[0]) * mended(*batch), "depend on the batch"),
            (
                lambda x, a, m, s: (
                    binary_cross_entropy_with_logits(a, x, reduction="sum") + kl(m, s).mean()
                ),
                "size of the batch",
            ),
            (lambda x, a, m, s: loss_by_counting(x, a, m, 0 * s) * math.nan, "got nan"),
            (
                lambda x, a, m, s: loss_by_counting(x, a, 0 * m, 0 * s) + nats(m, s).mean(),
                "1 / D",
            ),
            (
                lambda x, a, m, s: (
                    binary_cross_entropy_with_logits(a, x, reduction="none").sum(1) + kl(m, s)
                ),
                "their mean",
            ),
            (
                lambda x, a, m, s: 784 * binary_cross_entropy_with_logits(a, x) + kl(m, s).mean(),
                "784",
            ),
            (lambda x, a, m, s: loss_by_counting(x, a, 0 * m, 0 * s), "divergence is gone"),
            (
                lambda x, a, m, s: loss_by_counting(x, a, 0 * m, 0 * s) - kl(m, s).mean(),
                "the sign",
            ),
            (lambda *batch: -mended(*batch), "ELBO itself"),
            (lambda *batch: mended(*batch) / batch[0].shape[1], "nats a pixel"),
            (lambda x, a, m, s: mended(x, a.sigmoid(), m, s), "sigmoid twice"),
            (lambda x, a, m, s: mended(x, torch.tensor(expit(a.numpy())), m, s), "sigmoid twice"),
            (loss_detached, "detached"),
            (loss_in_no_balance, "for 2 images, P = 5 and D = 3 expected"),
            (loss_squared, "for 2 images, P = 5 and D = 3 expected"),
            (loss_of_the_first_image, "for 2 images, P = 5 and D = 3 expected"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


RIVALS = (
    [(exercises.kl, rival, words) for rival, words in exercises.KL_RIVALS]
    + [(exercises.bound, rival, words) for rival, words in exercises.BOUND_RIVALS]
    + [(exercises.loss, rival, words) for rival, words in exercises.LOSS_RIVALS]
)


@pytest.mark.parametrize(("exercise", "rival", "words"), RIVALS)
def test_every_known_mistake_gets_its_own_hint(exercise, rival, words):
    assert exercise.verdict(rival) == f"✗ {exercise.name}: {words}"
