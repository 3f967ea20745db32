"""Right and wrong answers to the exercises of the chapter `gan`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn import functional

from genbook.gan import exercises


def dstar_by_sigmoid(p, g):
    return torch.sigmoid(p.log() - g.log())


def dstar_by_softmax(p, g):
    return torch.stack([p, g]).log().softmax(0)[0]


def dstar_in_place(p, g):
    return p.div_(g.add_(p))


def naive_in_double_precision(v):
    return torch.log(1 - torch.sigmoid(v.double()))


def clamped(v):
    return torch.log((1 - torch.sigmoid(v)).clamp_min(1e-7))


def zero_one_half(v):  # the right slope of the other half of the loss
    return functional.logsigmoid(v)


def by_cases(v):  # right values, but the branch not taken poisons the slope
    return torch.where(v > 20, -v, -torch.log1p(torch.exp(v)))


def by_hand(v):
    return -(v.clamp_min(0) + torch.log1p(torch.exp(-v.abs())))


def step_losses(critic, generator, real, noise):
    with torch.no_grad():
        fake = generator(noise)
    return critic(real), critic(fake)


def step_by_softplus(*game):
    on_real, on_fake = step_losses(*game)
    return functional.softplus(-on_real).mean() + functional.softplus(on_fake).mean()


def step_by_probabilities(*game):
    on_real, on_fake = (torch.sigmoid(v) for v in step_losses(*game))
    ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_fake)
    return functional.binary_cross_entropy(on_real, ones) + functional.binary_cross_entropy(
        on_fake, zeros
    )


def step_as_a_vector_of_one(*game):
    return step_by_softplus(*game).reshape(1)


def step_with_a_frozen_generator(critic, generator, real, noise):
    for weight in generator.parameters():
        weight.requires_grad_(False)
    on_real, on_fake = critic(real), critic(generator(noise))
    return functional.softplus(-on_real).mean() + functional.softplus(on_fake).mean()


def step_attached(critic, generator, real, noise):
    on_real, on_fake = critic(real), critic(generator(noise))
    return functional.softplus(-on_real).mean() + functional.softplus(on_fake).mean()


def step_swapped(*game):
    on_real, on_fake = step_losses(*game)
    return functional.softplus(on_real).mean() + functional.softplus(-on_fake).mean()


def step_with_a_detached_critic(*game):
    on_real, on_fake = step_losses(*game)
    return functional.softplus(-on_real).mean() + functional.softplus(on_fake.detach()).mean()


def step_detached(*game):
    return step_by_softplus(*game).detach()


def step_as_a_number(*game):
    return step_by_softplus(*game).item()


def step_halved(*game):
    return step_by_softplus(*game) / 2


def step_over_all(*game):  # one mean over a joint pile: wrong if the piles differ in size
    on_real, on_fake = step_losses(*game)
    return 2 * torch.cat([functional.softplus(-on_real), functional.softplus(on_fake)]).mean()


def step_already_taken(*game):
    loss = step_by_softplus(*game)
    loss.backward()
    return loss


ANSWERS = {
    "dstar": Answers(
        right=(
            dstar_by_sigmoid,
            dstar_by_softmax,
            dstar_in_place,
            lambda p, g: [a / (a + b) for a, b in zip(p.tolist(), g.tolist(), strict=True)],
            lambda p, g: p.numpy() / (p.numpy() + g.numpy()),
            lambda p, g: p.float() / (p + g).float(),
        ),
        wrong=(
            (lambda p, g: p / g, "odds"),
            (lambda p, g: p.log() - g.log(), "logit"),
            (lambda p, g: p, "a probability is at most 1"),
            (lambda p, g: g / (p + g), "probability of a fake"),
            (lambda p, g: torch.sigmoid(p - g), "expected"),
            (lambda p, g: (p / p.sum()) / (p / p.sum() + g / g.sum()), "expected"),
            (lambda p, g: (p / (p + g)).mean(), "expected shape"),
        ),
    ),
    "js": Answers(
        right=(
            lambda value: value / 2 + math.log(2),
            lambda value: torch.tensor(value / 2) + math.log(2.0),
            lambda value: np.float64(value + np.log(4)) / 2,
            lambda value: [max(0.0, (value + 2 * math.log(2)) / 2)],
        ),
        wrong=(
            (lambda value: value + math.log(4), "twice"),
            (lambda value: value / 2, "shift"),
            (lambda value: (value + math.log(4)) / math.log(4), "bits"),
            (lambda value: (math.log(4) - value) / 2, "shift"),
            (lambda value: math.log(2) * (1 + value / math.log(4)) ** 2, "expected"),
        ),
    ),
    "stable": Answers(
        right=(
            lambda v: functional.logsigmoid(-v),
            by_hand,
            lambda v: -torch.logaddexp(v, torch.zeros_like(v)),
            lambda v: -functional.softplus(v.double()),
            lambda v: (
                -functional.binary_cross_entropy_with_logits(
                    v, torch.zeros_like(v), reduction="none"
                )
            ),
        ),
        wrong=(
            (exercises.naive_log_one_minus, "logit"),
            (naive_in_double_precision, "logit"),
            (lambda v: -torch.log1p(torch.exp(v)), "logit"),
            (lambda v: -v - torch.log1p(torch.exp(-v)), "logit"),
            (clamped, "clamp"),
            (by_cases, "slope"),
            (zero_one_half, "slope"),
            (lambda v: functional.softplus(v), "slope"),
            (lambda v: -functional.softplus(v) + 1, "−log 2"),
            (lambda v: -np.logaddexp(0, v.detach().numpy()), "no gradient"),
            (lambda v: -functional.softplus(v).mean(), "expected shape"),
        ),
    ),
    "step": Answers(
        right=(
            step_by_softplus,
            step_by_probabilities,
            step_as_a_vector_of_one,
            step_with_a_frozen_generator,
            lambda *game: [step_by_softplus(*game)],
        ),
        wrong=(
            (exercises.broken_step, "target"),
            (step_attached, "detach the fakes"),
            (step_swapped, "target"),
            (step_with_a_detached_critic, "nothing that the discriminator says"),
            (step_detached, "no gradient"),
            (step_as_a_number, "no gradient"),
            (step_halved, "in full"),
            (step_over_all, "in full"),
            (step_already_taken, "backward()"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
