"""Right and wrong answers to the exercises of the chapter `lstm`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.lstm import exercises, paths, truncation


def bias_in_numpy(steps):
    f = np.exp(-1 / steps)
    return np.log(f) - np.log1p(-f)


def bias_by_logit(steps):
    return torch.logit(torch.exp(torch.tensor([-1 / steps], dtype=torch.float64)))


def bias_in_single_precision(steps):
    return -torch.log(torch.expm1(torch.tensor(1 / steps)))


def bias_by_bisection(steps):
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        remembers = 1 / math.log1p(math.exp(-middle))
        low, high = (middle, high) if remembers < steps else (low, middle)
    return low


def direct_in_numpy(forget):
    gates = forget.numpy()
    return np.stack([gates[t + 1 :].prod(0) for t in range(len(gates))])


def direct_in_lists(forget):
    return exercises.direct_by_hand(forget).tolist()


def direct_by_division(forget):
    return forget.prod(0) / forget.cumprod(0)


def direct_in_single_precision(forget):
    return paths.direct_path(forget.float())


def direct_in_place(forget):
    for t in range(len(forget) - 1):
        forget[t] = forget[t + 1 :].prod(0)
    forget[-1] = 1
    return list(forget)


def direct_without_the_first(forget):
    return paths.direct_path(forget)[1:]


def direct_along_the_units(forget):
    later = torch.cat([forget[:, 1:], torch.ones_like(forget[:, :1])], 1)
    return later.flip(1).cumprod(1).flip(1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_in_numpy(x, h, c, w_x, w_h, b):
    x, h, c, w_x, w_h, b = (part.numpy() for part in (x, h, c, w_x, w_h, b))
    i, f, g, o = np.split(x @ w_x.T + h @ w_h.T + b, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def step_by_torch(x, h, c, w_x, w_h, b):
    cell = torch.nn.LSTMCell(x.shape[1], h.shape[1], dtype=x.dtype)
    with torch.no_grad():
        for name, values in zip(("weight_ih", "weight_hh", "bias_ih"), (w_x, w_h, b), strict=True):
            cell.get_parameter(name).copy_(values)
        cell.bias_hh.zero_()
    return cell(x, (h, c))


def step_stacked(*given):
    return torch.stack(exercises.mended_step(*given))


def step_in_single_precision(*given):
    return exercises.mended_step(*(part.float() for part in given))


def step_in_lists(*given):
    return [part.tolist() for part in exercises.mended_step(*given)]


def step_without_bias(x, h, c, w_x, w_h, b):
    return exercises.mended_step(x, h, c, w_x, w_h, 0 * b)


def step_shows_c(x, h, c, w_x, w_h, b):
    _, new = exercises.mended_step(x, h, c, w_x, w_h, b)
    o = (x @ w_x.T + h @ w_h.T + b).chunk(4, -1)[3]
    return o.sigmoid() * new, new


def step_shows_the_old_cell(x, h, c, w_x, w_h, b):
    _, new = exercises.mended_step(x, h, c, w_x, w_h, b)
    o = (x @ w_x.T + h @ w_h.T + b).chunk(4, -1)[3]
    return o.sigmoid() * c.tanh(), new


def step_keeps_h(x, h, c, w_x, w_h, b):
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, -1)
    new = f.sigmoid() * h + i.sigmoid() * g.tanh()
    return o.sigmoid() * new.tanh(), new


def truncated_in_numpy(x, decay, weight, target, window):
    cells = np.zeros(len(x) + 1)
    for t, value in enumerate(x.numpy()):
        cells[t + 1] = decay * cells[t] + weight * value
    powers = decay ** np.arange(window)
    by_decay = powers @ cells[:-1][::-1][:window]
    by_weight = powers @ x.numpy()[::-1][:window]
    return (cells[-1] - target) * np.array([by_decay, by_weight])


def truncated_by_detaching(x, decay, weight, target, window, *, at=0):
    decay = torch.tensor(decay, dtype=x.dtype, requires_grad=True)
    weight = torch.tensor(weight, dtype=x.dtype, requires_grad=True)
    cell = torch.zeros((), dtype=x.dtype)
    for t, value in enumerate(x):
        if t == len(x) - window + at:
            cell = cell.detach()
        cell = decay * cell + weight * value
    loss = (cell - target) ** 2 / 2
    return torch.autograd.grad(loss, (decay, weight))


def truncated_in_single_precision(x, *given):
    return truncated_in_numpy(x, *given).astype(np.float32)


def truncated_from_nothing(x, decay, weight, target, window):
    return exercises.truncated_by_hand(x[-window:], decay, weight, target, window)


def truncated_everywhere(x, decay, weight, target, window):
    return exercises.truncated_by_hand(x, decay, weight, target, len(x))


def truncated_one_step_more(x, decay, weight, target, window):
    return exercises.truncated_by_hand(x, decay, weight, target, min(window + 1, len(x)))


def truncated_without_the_loss(x, decay, weight, target, window):
    return truncation.truncated_gradient(x, decay, weight, window)


def truncated_one_step_less(*given):
    return truncated_by_detaching(*given, at=1)


ANSWERS = {
    "bias": Answers(
        right=(bias_in_numpy, bias_by_logit, bias_in_single_precision, bias_by_bisection),
        wrong=(
            (lambda steps: math.exp(-1 / steps), "the gate f itself"),
            (lambda steps: -math.log(2 ** (1 / steps) - 1), "keeps ½"),
            (math.log, "rule of thumb"),
            (lambda steps: -exercises.bias_by_hand(steps), "sign is turned"),
            (lambda steps: math.log(steps + 0.5), "your bias"),
            (lambda steps: math.log(steps - 0.5) if steps > 1 else -1.0, "your bias"),
            (lambda steps: {3.0: exercises.bias_by_hand(3.0)}[steps], "your code raised KeyError"),
            (lambda steps: "large", "expected numbers"),
        ),
    ),
    "direct": Answers(
        right=(
            direct_in_numpy,
            direct_in_lists,
            direct_by_division,
            direct_in_single_precision,
            direct_in_place,
        ),
        wrong=(
            (lambda forget: forget.flip(0).cumprod(0).flip(0), "one gate too many"),
            (lambda forget: forget.cumprod(0), "from the start"),
            (lambda forget: paths.direct_path(forget).flip(0), "wrong order"),
            (lambda forget: forget.prod(0).expand_as(forget), "product of all gates"),
            (direct_along_the_units, "expected"),
            (direct_without_the_first, "expected shape [6, 3]"),
            (lambda forget: paths.direct_path(forget).log(), "expected"),
        ),
    ),
    "step": Answers(
        right=(
            step_in_numpy,
            step_by_torch,
            step_stacked,
            step_in_single_precision,
            step_in_lists,
        ),
        wrong=(
            (exercises.loaded_step, "wrong order"),
            (step_keeps_h, "not the hidden state"),
            (lambda *given: exercises.mended_step(*given)[::-1], "got (c, h)"),
            (step_without_bias, "for c expected"),
            (step_shows_c, "c is right; for h"),
            (step_shows_the_old_cell, "c is right; for h"),
            (lambda *given: exercises.mended_step(*given)[0], "expected the pair"),
        ),
    ),
    "truncated": Answers(
        right=(
            truncated_in_numpy,
            truncated_by_detaching,
            truncated_in_single_precision,
            lambda *given: list(exercises.truncated_by_hand(*given)),
        ),
        wrong=(
            (truncated_everywhere, "full gradient"),
            (truncated_from_nothing, "emptied the cell"),
            (truncated_one_step_more, "one step too many"),
            (truncated_without_the_loss, "multiplies it by"),
            (lambda *given: exercises.truncated_by_hand(*given)[::-1], "turned round"),
            (truncated_one_step_less, "for 7 steps and window 3"),
            (lambda *given: exercises.truncated_by_hand(*given)[0], "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
