"""Right and wrong answers to the exercises of the chapter `draw`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.draw.exercises import EXERCISES, careless_bank, filter_places


def places_as_list(centre, stride, patch):
    return [centre + (i - (patch + 1) / 2) * stride for i in range(1, patch + 1)]


def places_in_numpy(centre, stride, patch):
    return centre + stride * (np.arange(patch) - (patch - 1) / 2)


def places_in_single(centre, stride, patch):
    half = (patch - 1) * stride / 2
    return torch.linspace(centre - half, centre + half, patch)


def from_zero(centre, stride, patch):
    return centre + (torch.arange(patch) - patch / 2 - 0.5) * stride


def one_sided(centre, stride, patch):
    return centre + torch.arange(patch) * stride


def half_off(centre, stride, patch):
    return centre + (torch.arange(1, patch + 1) - patch / 2) * stride


def without_stride(centre, stride, patch):
    return centre + torch.arange(1, patch + 1) - patch / 2 - 0.5


def without_centre(centre, stride, patch):
    return (torch.arange(1, patch + 1) - patch / 2 - 0.5) * stride + 14.5


def cost_by_loops(means, logs):
    return sum(
        0.5 * (float(m) ** 2 + math.exp(float(s)) - float(s) - 1)
        for m, s in zip(means.flatten(), logs.flatten(), strict=True)
    )


def cost_by_distributions(means, logs):
    q = torch.distributions.Normal(means, (logs / 2).exp())
    return torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()


def cost_in_numpy(means, logs):
    m, s = means.numpy(), logs.numpy()
    return np.sum(m * m + np.exp(s) - s) / 2 - m.size / 2


def as_printed(means, logs):
    return 0.5 * (means**2 + logs.exp() - logs).sum() - len(means) / 2


def without_one(means, logs):
    return 0.5 * (means**2 + logs.exp() - logs).sum()


def without_half(means, logs):
    return (means**2 + logs.exp() - logs - 1).sum()


def averaged(means, logs):
    return 0.5 * (means**2 + logs.exp() - logs - 1).mean()


def averaged_over_steps(means, logs):
    return 0.5 * (means**2 + logs.exp() - logs - 1).mean(0).sum()


def averaged_over_units(means, logs):
    return 0.5 * (means**2 + logs.exp() - logs - 1).mean(1).sum()


def with_deviations(means, logs):
    return 0.5 * (means**2 + (logs / 2).exp() - logs - 1).sum()


def bank_by_shift(centre, stride, variance, patch, size):
    away = (torch.arange(1, size + 1) - filter_places(centre, stride, patch)[:, None]) ** 2
    weights = torch.exp(-(away - away.min(1, keepdim=True).values) / (2 * variance))
    return weights / weights.sum(1, keepdim=True)


def bank_in_numpy(centre, stride, variance, patch, size):
    means = filter_places(centre, stride, patch).numpy()
    logits = -((np.arange(1, size + 1) - means[:, None]) ** 2) / (2 * variance)
    return np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))


def bank_as_list(centre, stride, variance, patch, size):
    return bank_in_numpy(centre, stride, variance, patch, size).tolist()


def bank_in_single(centre, stride, variance, patch, size):
    means = centre + (torch.arange(1, patch + 1) - patch / 2 - 0.5) * stride
    return torch.softmax(-((torch.arange(1, size + 1) - means[:, None]) ** 2) / (2 * variance), 1)


def bank_by_loops(centre, stride, variance, patch, size):
    rows = []
    for mean in filter_places(centre, stride, patch).tolist():
        logits = [-((a - mean) ** 2) / (2 * variance) for a in range(1, size + 1)]
        weights = [math.exp(logit - max(logits)) for logit in logits]
        rows.append(tuple(weight / sum(weights) for weight in weights))
    return tuple(rows)


def bank_of_the_nearest(centre, stride, variance, patch, size):
    """As printed, and where that is 0/0 the nearest pixel alone."""
    away = (torch.arange(1, size + 1) - filter_places(centre, stride, patch)[:, None]) ** 2
    weights = torch.exp(-away / (2 * variance))
    total = weights.sum(1, keepdim=True)
    nearest = torch.nn.functional.one_hot(away.argmin(1), size).double()
    return torch.where(total > 0, weights / total.clamp(min=1e-300), nearest)


def bank_evened(centre, stride, variance, patch, size):
    means = filter_places(centre, stride, patch)
    weights = torch.exp(-((torch.arange(1, size + 1) - means[:, None]) ** 2) / (2 * variance))
    return (weights + 1e-8) / (weights + 1e-8).sum(1, keepdim=True)


def bank_of_deviations(centre, stride, variance, patch, size):
    return bank_by_shift(centre, stride, variance**2, patch, size)


def bank_bare(centre, stride, variance, patch, size):
    means = filter_places(centre, stride, patch)
    weights = torch.exp(-((torch.arange(1, size + 1) - means[:, None]) ** 2) / (2 * variance))
    return weights / weights.sum(1, keepdim=True)


def bank_clamped(centre, stride, variance, patch, size):
    inside = min(max(centre, 1.0), float(size))
    return bank_by_shift(inside, stride, variance, patch, size)


def bank_over_filters(centre, stride, variance, patch, size):
    means = filter_places(centre, stride, patch)
    return (-((torch.arange(1, size + 1) - means[:, None]) ** 2) / (2 * variance)).softmax(0)


ANSWERS = {
    "places": Answers(
        right=(places_as_list, places_in_numpy, places_in_single),
        wrong=(
            (from_zero, "from 1, not from 0"),
            (half_off, "half a stride"),
            (one_sided, "centred"),
            (without_stride, "one stride apart"),
            (without_centre, "g = 3"),
        ),
    ),
    "cost": Answers(
        right=(cost_by_loops, cost_by_distributions, cost_in_numpy),
        wrong=(
            (as_printed, "every unit at every step"),
            (without_one, "cost nothing"),
            (without_half, "½ is missing"),
            (averaged, "not a mean"),
            (averaged_over_steps, "not a mean"),
            (averaged_over_units, "not a mean"),
            (lambda m, s: 0.25 * (m**2 + s.exp() - s - 1).sum(), "the ½ stands twice"),
            (with_deviations, "codes of 3 steps"),
        ),
    ),
    "bank": Answers(
        right=(bank_by_shift, bank_in_numpy, bank_as_list, bank_in_single, bank_by_loops),
        wrong=(
            (careless_bank, "row sums to 0"),
            (bank_bare, "divided by 0"),
            (bank_clamped, "centre -30"),
            (bank_over_filters, "row sums to"),
            (bank_of_the_nearest, "centre -500"),
            (bank_evened, "centre 3.5"),
            (bank_of_deviations, "centre 3.5"),
        ),
    ),
}


@judged(EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
