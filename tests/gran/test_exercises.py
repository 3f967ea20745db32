"""Right and wrong answers to the exercises of the chapter `gran`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.gran.battle import Battle, Rates
from genbook.gran.exercises import EXERCISES, eager_canvas, hurried_referee, referee


def even_in_numpy(logits, share):
    return np.quantile(logits.numpy(), share)


def even_by_sorting(logits, share):
    return sorted(logits.tolist())[int(share * len(logits))]


def even_in_single(logits, share):
    return torch.quantile(logits.float(), share)


def upper_share(logits, share):
    return torch.quantile(logits, 1 - share)


def of_chances(logits, share):
    return torch.quantile(logits.sigmoid(), share)


def by_the_mean(logits, share):
    return logits.mean() + share * logits.std()


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


def within(factor):
    def banded(test_1, test_2, sample_1, sample_2):
        if abs(math.log(test_1 / test_2)) > math.log(factor):
            return 0
        return sample_only(test_1, test_2, sample_1, sample_2)

    return banded


def by_wide_difference(test_1, test_2, sample_1, sample_2):
    if abs(test_1 - test_2) > 0.2:
        return 0
    return sample_only(test_1, test_2, sample_1, sample_2)


def by_log(*rates):
    return within(math.exp(0.3))(*rates)


def lopsided_and_narrow(test_1, test_2, sample_1, sample_2):
    if abs(test_1 / test_2 - 1) > 0.16:
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
    "even": Answers(
        right=(even_in_numpy, even_by_sorting, even_in_single),
        wrong=(
            (upper_share, "turned round"),
            (of_chances, "on D itself"),
            (by_the_mean, "should lie below"),
            (lambda logits, share: 0.0, "30 % of the validation images"),
        ),
    ),
    "rule": Answers(
        right=RIGHT,
        wrong=(
            (sample_only, "factor of 4"),
            (turned, "turned round"),
            (lopsided, "swap"),
            (lopsided_and_narrow, "swap"),
            (within(1.25), "too wide"),
            (by_wide_difference, "too wide"),
            (by_log, "too wide"),
            (within(1.15), "too narrow"),
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
            (within(1.25), "too wide"),
            (by_log, "too wide"),
            (within(1.15), "too narrow"),
            (by_wide_difference, "differ by 3"),
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
