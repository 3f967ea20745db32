"""Right and wrong answers to the exercises of the chapter `gan`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import logsigmoid, softplus

from genbook.gan.exercises import (
    EXERCISES,
    broken_step,
    mended_step,
    naive_log_one_minus,
)


def dstar_by_sigmoid(p, g):
    return torch.sigmoid(p.log() - g.log())


def dstar_as_list(p, g):
    return [float(a / (a + b)) for a, b in zip(p, g, strict=True)]


def dstar_in_numpy(p, g):
    return p.numpy() / (p + g).numpy()


def dstar_in_single(p, g):
    return 1 / (1 + g.float() / p.float())


def odds(p, g):
    return p / g


def of_the_fakes(p, g):
    return g / (p + g)


def one_half(p, g):
    return torch.full_like(p, 0.5)


def js_by_logs(value):
    return 0.5 * value + math.log(2)


def js_as_tensor(value):
    return (torch.tensor(value) + math.log(4)) / 2


def js_in_numpy(value):
    return np.float32((value + np.log(4)) / 2)


def js_twice(value):
    return value + math.log(4)


def js_without_shift(value):
    return value / 2


def js_by_two_points(value):
    return 0.0 if value < -1 else math.log(2)


def stable_by_logsigmoid(v):
    return logsigmoid(-v)


def stable_by_logsigmoid_less_v(v):
    return logsigmoid(v) - v


def stable_by_logaddexp(v):
    return -torch.logaddexp(torch.zeros_like(v), v)


def stable_by_cases(v):
    return -(v.clamp_min(0) + torch.log1p(torch.exp(-v.abs())))


def by_log1p(v):
    return -torch.log1p(torch.exp(v))


def clamped(v):
    return torch.log((1 - torch.sigmoid(v)).clamp_min(1e-7))


def detached(v):
    return -softplus(v.detach())


def of_the_data(v):
    return logsigmoid(v)


def cut_at_fifty(v):
    return -softplus(v.clamp(max=50.0))


def step_by_softplus(critic, generator, real, noise):
    with torch.no_grad():
        fake = generator(noise)
    return softplus(-critic(real)).mean() + softplus(critic(fake)).mean()


def step_in_one_batch(critic, generator, real, noise):
    scores = critic(torch.cat([real, generator(noise).detach()]))
    target = torch.cat([torch.ones(len(real), 1), torch.zeros(len(noise), 1)])
    return 2 * cross_entropy(scores, target)


def step_by_logsigmoid(critic, generator, real, noise):
    fake = generator(noise.clone()).clone().detach()
    return -logsigmoid(critic(real)).mean() - logsigmoid(-critic(fake)).mean()


def attached(critic, generator, real, noise):
    on_real, on_fake = critic(real), critic(generator(noise))
    ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_fake)
    return cross_entropy(on_real, ones) + cross_entropy(on_fake, zeros)


def swapped(critic, generator, real, noise):
    on_real, on_fake = critic(real), critic(generator(noise).detach())
    ones, zeros = torch.ones_like(on_fake), torch.zeros_like(on_real)
    return cross_entropy(on_real, zeros) + cross_entropy(on_fake, ones)


def critic_detached(critic, generator, real, noise):
    on_real, on_fake = critic(real), critic(generator(noise)).detach()
    ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_fake)
    return cross_entropy(on_real, ones) + cross_entropy(on_fake, zeros)


def a_number(critic, generator, real, noise):
    return mended_step(critic, generator, real, noise).item()


def halved(critic, generator, real, noise):
    return mended_step(critic, generator, real, noise) / 2


ANSWERS = {
    "dstar": Answers(
        right=(dstar_by_sigmoid, dstar_as_list, dstar_in_numpy, dstar_in_single),
        wrong=(
            (odds, "odds"),
            (of_the_fakes, "probability of a fake"),
            (one_half, "Set dV/dD to 0"),
            (lambda p, g: (p / (p + g)).sum(), "expected shape [4]"),
        ),
    ),
    "js": Answers(
        right=(js_by_logs, js_as_tensor, js_in_numpy),
        wrong=(
            (js_twice, "twice"),
            (js_without_shift, "shift"),
            (js_by_two_points, "for a value of -0.3"),
            (lambda value: "0.5", "expected numbers"),
        ),
    ),
    "stable": Answers(
        right=(
            stable_by_logsigmoid,
            stable_by_logsigmoid_less_v,
            stable_by_logaddexp,
            stable_by_cases,
        ),
        wrong=(
            (naive_log_one_minus, "stay with the logit"),
            (by_log1p, "stay with the logit"),
            (clamped, "clamp"),
            (cut_at_fifty, "clamp"),
            (detached, "no gradient"),
            (of_the_data, "slope at v = -200 should be"),
        ),
    ),
    "step": Answers(
        right=(step_by_softplus, step_in_one_batch, step_by_logsigmoid),
        wrong=(
            (broken_step, "target"),
            (attached, "detach the fakes"),
            (swapped, "target"),
            (critic_detached, "not what it says of them"),
            (a_number, "no gradient reaches"),
            (halved, "expected"),
        ),
    ),
}


@judged(EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
