"""Right and wrong answers to the exercises of the chapter `gran`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.gran.battle import Battle, Rates
from genbook.gran.exercises import EXERCISES, eager_canvas, hurried_referee, referee


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


def rule_of_the_book(test_1, test_2, sample_1, sample_2):
    return Battle(Rates(test_1, test_2, sample_1, sample_2)).winner


def rule_by_ratio(test_1, test_2, sample_1, sample_2):
    inside = max(test_1, test_2) <= 1.2 * min(test_1, test_2)
    return float(inside and (sample_1 != sample_2) * (1 + (sample_1 > sample_2)))


def rule_in_numpy(test_1, test_2, sample_1, sample_2):
    return np.int64(referee(test_1, test_2, sample_1, sample_2))


def rule_as_tensor(test_1, test_2, sample_1, sample_2):
    return torch.tensor([referee(test_1, test_2, sample_1, sample_2)])


def sample_only(test_1, test_2, sample_1, sample_2):
    return 0 if sample_1 == sample_2 else 1 if sample_1 < sample_2 else 2


def turned(*rates):
    found = referee(*rates)
    return 3 - found if found else 0


def lopsided(test_1, test_2, sample_1, sample_2):
    if abs(test_1 / test_2 - 1) > 0.2:
        return 0
    return sample_only(test_1, test_2, sample_1, sample_2)


def by_difference(test_1, test_2, sample_1, sample_2):
    if abs(test_1 - test_2) > 0.0367:
        return 0
    return sample_only(test_1, test_2, sample_1, sample_2)


def flipped_only(*rates):
    found = hurried_referee(*rates)
    return 3 - found if found else 0


def canvas_in_numpy(strokes):
    return 0.5 * (1 + np.tanh(strokes.numpy().sum(0) / 2))


def canvas_step_by_step(strokes):
    canvas = torch.zeros(strokes.shape[1], dtype=strokes.dtype)
    for stroke in strokes:
        canvas += stroke
    return torch.sigmoid(canvas)


def canvas_as_list(strokes):
    return [torch.sigmoid(column.sum()).item() for column in strokes.T]


def canvas_in_single(strokes):
    return strokes.float().sum(0).sigmoid()


def averaged(strokes):
    return strokes.sigmoid().mean(0)


def clamped(strokes):
    return eager_canvas(strokes).clamp(0, 1)


def mean_then_sigmoid(strokes):
    return strokes.mean(0).sigmoid()


def last_only(strokes):
    return strokes[-1].sigmoid()


def overflowing(strokes):
    total = strokes.sum(0)
    return torch.exp(total) / (1 + torch.exp(total))


RIGHT = (rule_of_the_book, rule_by_ratio, rule_in_numpy, rule_as_tensor)
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
    "rule": Answers(
        right=RIGHT,
        wrong=(
            (sample_only, "factor of 4"),
            (turned, "turned round"),
            (lopsided, "swap"),
            (by_difference, "for the rates"),
            (lambda *rates: "1", "expected numbers"),
            (lambda *rates: 3, "expected 0, 1 or 2, got 3"),
        ),
    ),
    "accuracy": Answers(
        right=RIGHT,
        wrong=(
            (hurried_referee, "inequality"),
            (flipped_only, "differ by 3"),
            (turned, "inequality"),
            (lopsided, "swap"),
        ),
    ),
    "squash": Answers(
        right=(canvas_in_numpy, canvas_step_by_step, canvas_as_list, canvas_in_single),
        wrong=(
            (eager_canvas, "pixels end at 1"),
            (clamped, "mid-grey"),
            (averaged, "brighter"),
            (mean_then_sigmoid, "brighter"),
            (last_only, "brighter"),
            (overflowing, "for strokes of shape [4, 2]"),
            (lambda strokes: math.nan * strokes[0], "for strokes of shape [3, 1]"),
        ),
    ),
}


@judged(EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
