"""Right and wrong answers to the exercises of the chapter `translation`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    l1_loss,
    logsigmoid,
)

from genbook.translation import exercises
from genbook.translation.exercises import EXERCISES


def field_backwards(layers):
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side


def field_as_float(layers):
    return float(field_backwards(layers))


def field_in_numpy(layers):
    kernels, strides = np.array(layers).T
    jumps = np.cumprod(np.concatenate([[1], strides[:-1]]))
    return 1 + ((kernels - 1) * jumps).sum()


def field_as_tensor(layers):
    return torch.tensor([field_backwards(layers)])


def off_by_one(layers):
    return field_backwards(layers) - 1


def pair_by_library(y, fake, verdicts):
    real = torch.ones_like(verdicts)
    return binary_cross_entropy_with_logits(verdicts, real) + 100 * l1_loss(fake, y)


def pair_by_logsigmoid(y, fake, verdicts):
    return 100 * (fake - y).abs().mean() - logsigmoid(verdicts).mean()


def pair_in_numpy(y, fake, verdicts):
    v = verdicts.detach().numpy()
    return np.logaddexp(0, -v).mean() + 100 * np.abs(y.numpy() - fake.detach().numpy()).mean()


def pair_as_number(y, fake, verdicts):
    return pair_by_library(y, fake, verdicts).item()


def pair_as_float(y, fake, verdicts):
    return float(pair_by_library(y, fake, verdicts))


def pair_in_list(y, fake, verdicts):
    return [pair_by_library(y, fake, verdicts)]


def pair_as_array(y, fake, verdicts):
    return pair_by_library(y, fake, verdicts).numpy()


def pair_as_array_all_along(y, fake, verdicts):
    v = np.asarray(verdicts)
    return np.logaddexp(0, -v).mean() + 100 * np.abs(np.asarray(y) - np.asarray(fake)).mean()


def pair_in_single(y, fake, verdicts):
    return pair_by_library(y.float(), fake.float(), verdicts.float())


def pair_detached(y, fake, verdicts):
    return pair_by_library(y, fake.detach(), verdicts)


def pair_detached_in_list(y, fake, verdicts):
    return [pair_detached(y, fake, verdicts)]


def pair_all_detached(y, fake, verdicts):
    return pair_by_library(y, fake, verdicts).detach()


def pair_of_chances(y, fake, verdicts):
    chances = torch.sigmoid(verdicts)
    return binary_cross_entropy(chances, torch.ones_like(chances)) + 100 * l1_loss(fake, y)


def pair_with_epsilon(y, fake, verdicts):
    return 100 * l1_loss(fake, y) - (torch.sigmoid(verdicts) + 1e-12).log().mean()


def pair_in_single_by_log(y, fake, verdicts):
    return 100 * l1_loss(fake, y) - torch.sigmoid(verdicts.float()).log().mean()


def pair_that_overflows(y, fake, verdicts):
    return (1 + torch.exp(-15 * verdicts)).log().mean() + 100 * l1_loss(fake, y)


def pair_with_ten(y, fake, verdicts):
    return binary_cross_entropy_with_logits(verdicts, torch.ones_like(verdicts)) + 10 * l1_loss(
        fake, y
    )


def cycles_by_library(there, back, x, y):
    return l1_loss(there(back(y)), y) + l1_loss(back(there(x)), x)


def cycles_by_mean(there, back, x, y):
    both = torch.cat([(back(there(x)) - x).flatten(), (there(back(y)) - y).flatten()])
    return 2 * both.abs().mean()


def cycles_by_sum(there, back, x, y):
    pairs = ((back(there(x)), x), (there(back(y)), y))
    return sum((v - w).abs().sum() / w.numel() for v, w in pairs)


def cycles_as_number(there, back, x, y):
    return exercises.both_cycles(there, back, x, y).item()


def cycles_as_float(there, back, x, y):
    return float(exercises.both_cycles(there, back, x, y))


def cycles_in_list(there, back, x, y):
    return [exercises.both_cycles(there, back, x, y)]


def cycles_as_array(there, back, x, y):
    return exercises.both_cycles(there, back, x, y).numpy()


def cycles_in_numpy(there, back, x, y):
    pairs = ((back(there(x)), x), (there(back(y)), y))
    return sum(np.abs(np.asarray(v) - np.asarray(w)).mean() for v, w in pairs)


def cycles_detached(there, back, x, y):
    return l1_loss(back(there(x).detach()), x) + l1_loss(there(back(y).detach()), y)


def cycles_detached_in_list(there, back, x, y):
    return [cycles_detached(there, back, x, y)]


def cycles_half_detached(there, back, x, y):
    return l1_loss(back(there(x)), x) + l1_loss(there(back(y).detach()), y)


def cycles_all_detached(there, back, x, y):
    return exercises.both_cycles(there, back, x, y).detach()


def cycles_squared(there, back, x, y):
    return (back(there(x)) - x).square().mean() + (there(back(y)) - y).square().mean()


def pool_by_copy(kept, new, coin, place):
    old = kept[place]
    kept[:] = kept if coin < 0.5 else [*kept[:place], new, *kept[place + 1 :]]
    return new if coin < 0.5 else old


def pool_as_numpy(kept, new, coin, place):
    return np.int64(exercises.mended_pool(kept, new, coin, place))


def pool_as_tensor(kept, new, coin, place):
    return torch.tensor(exercises.mended_pool(kept, new, coin, place))


def storing_both(kept, new, coin, place):
    old, kept[place] = kept[place], new
    return new if coin < 0.5 else old


def at_the_end(kept, new, coin, place):
    if coin < 0.5:
        return new
    old = kept.pop(place)
    kept.append(new)
    return old


def coin_reversed(kept, new, coin, place):
    return exercises.mended_pool(kept, new, 1 - coin, place)


ANSWERS = {
    "field": Answers(
        right=(field_backwards, field_as_float, field_in_numpy, field_as_tensor),
        wrong=(
            (exercises._without_strides, "strides"),
            (exercises._own_stride, "own stride"),
            (exercises._last_stride, "product of all strides"),
            (exercises._product_of_kernels, "do not multiply"),
            (off_by_one, "for ((3, 1),) expected 3, got 2"),
        ),
    ),
    "pair": Answers(
        right=(
            pair_by_library,
            pair_by_logsigmoid,
            pair_in_numpy,
            pair_in_single,
            pair_as_number,
            pair_as_float,
            pair_in_list,
            pair_as_array,
            pair_as_array_all_along,
        ),
        wrong=(
            (exercises.saturating_pair_loss, "saturates"),
            (exercises._flipped, "critic's term"),
            (exercises._squared, "median"),
            (exercises._summed, "means"),
            (pair_detached, "detached"),
            (pair_detached_in_list, "detached"),
            (pair_all_detached, "detached"),
            (pair_of_chances, "cuts the logarithm off"),
            (pair_with_epsilon, "work on the logits"),
            (pair_in_single_by_log, "work on the logits"),
            (pair_with_ten, "for verdicts of size 1 expected"),
            (pair_that_overflows, "for verdicts of size 1 expected"),
            (lambda y, fake, verdicts: math.nan, "got nan"),
        ),
    ),
    "cycles": Answers(
        right=(
            cycles_by_library,
            cycles_by_mean,
            cycles_by_sum,
            cycles_as_number,
            cycles_as_float,
            cycles_in_list,
            cycles_as_array,
            cycles_in_numpy,
        ),
        wrong=(
            (exercises.short_circuit, "identity term"),
            (exercises._between, "no pair"),
            (exercises._forward_only, "starts at y"),
            (cycles_detached, "detached"),
            (cycles_detached_in_list, "detached"),
            (cycles_half_detached, "detached"),
            (cycles_all_detached, "detached"),
            (cycles_squared, "do not undo each other"),
            (lambda there, back, x, y: 0.0, "do not undo each other"),
        ),
    ),
    "pool": Answers(
        right=(pool_by_copy, pool_as_numpy, pool_as_tensor),
        wrong=(
            (exercises.stuck_pool, "lost"),
            (storing_both, "stay as it is"),
            (at_the_end, "belongs where"),
            (coin_reversed, "after heads"),
        ),
    ),
}


@judged(EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
