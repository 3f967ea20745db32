"""Right and wrong answers to the exercises of the chapter `clipping`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from genbook.clipping import exercises, rules


def clip_in_numpy(gradients, threshold):
    parts = [g.numpy() for g in gradients]
    length = np.sqrt(sum((p**2).sum() for p in parts))
    return [p * min(1, threshold / max(length, 1e-300)) for p in parts]


def clip_by_torch(gradients, threshold):
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    clip_grad_norm_(parameters, threshold)
    return tuple(p.grad for p in parameters)


def clip_in_lists(gradients, threshold):
    return [g.tolist() for g in exercises.clip_by_hand(gradients, threshold)]


def clip_in_single_precision(gradients, threshold):
    return rules.by_norm([g.float() for g in gradients], threshold)


def clip_in_place(gradients, threshold):
    length = torch.cat([g.flatten() for g in gradients]).norm()
    if length > threshold:
        for g in gradients:
            g.mul_(threshold / length)
    return gradients


def clip_each_alone(gradients, threshold):
    return [exercises.clip_by_hand([g], threshold)[0] for g in gradients]


def clip_and_stretch(gradients, threshold):
    length = math.sqrt(sum(float((g * g).sum()) for g in gradients))
    return [g * threshold / (length + 1e-30) for g in gradients]


def clip_with_0_by_0(gradients, threshold):
    length = torch.cat([g.flatten() for g in gradients]).norm()
    return [g / length * torch.clamp(length, max=threshold) for g in gradients]


def clip_by_clamp(gradients, threshold):
    length = torch.cat([g.flatten() for g in gradients]).norm()
    return [g * torch.clamp(threshold / length, max=1.0) for g in gradients]


def clip_by_sum_of_lengths(gradients, threshold):
    length = sum(float(g.norm()) for g in gradients)
    return [g * min(1.0, threshold / (length + 1e-30)) for g in gradients]


def clip_below_the_threshold(gradients, threshold):
    return exercises.clip_by_hand(gradients, 0.99 * threshold)


def clip_the_first(gradients, threshold):
    return exercises.clip_by_hand(gradients, threshold)[:1]


def update_by_hand(parameters, loss, optimiser, threshold):
    gradients = torch.autograd.grad(loss(), parameters)
    for p, g in zip(parameters, rules.by_norm(gradients, threshold), strict=True):
        p.grad = g
    optimiser.step()


def update_empties_last(parameters, loss, optimiser, threshold):
    loss().backward()
    clip_grad_norm_(parameters, threshold)
    optimiser.step()
    optimiser.zero_grad()


def update_with_zeros(parameters, loss, optimiser, threshold):
    for p in parameters:
        p.grad = torch.zeros_like(p)
    loss().backward()
    length = torch.stack([p.grad.norm() for p in parameters]).norm()
    for p in parameters:
        p.grad /= max(1.0, float(length) / threshold)
    optimiser.step()
    return optimiser


def update_with(edit, fresh=True):
    def update(parameters, loss, optimiser, threshold):
        if fresh:
            optimiser.zero_grad()
        loss().backward()
        edit(parameters, threshold)
        optimiser.step()

    return update


def each_alone(parameters, threshold):
    for p in parameters:
        clip_grad_norm_([p], threshold)


def stretched(parameters, threshold):
    length = torch.stack([p.grad.norm() for p in parameters]).norm()
    for p in parameters:
        p.grad *= threshold / length


def update_clips_first(parameters, loss, optimiser, threshold):
    clip_grad_norm_(parameters, threshold)
    optimiser.zero_grad()
    loss().backward()
    optimiser.step()


def update_empties_between(parameters, loss, optimiser, threshold):
    loss().backward()
    optimiser.zero_grad()
    optimiser.step()


def update_by_half(parameters, loss, optimiser, threshold):
    exercises.mended_update(parameters, loss, optimiser, threshold / 2)


def update_raises(parameters, loss, optimiser, threshold):
    raise KeyError("threshold")


def mixed_by_hand(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    clip_grad_norm_(parameters, threshold * scaler.get_scale())
    scaler.step(optimiser)
    scaler.update()


def mixed_divides_and_multiplies(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    scale = scaler.get_scale()
    length = torch.stack([p.grad.norm() for p in parameters]).norm() / scale
    for p in parameters:
        p.grad *= min(1.0, threshold / float(length))
    scaler.step(optimiser)
    scaler.update()


def mixed_empties_last(parameters, loss, optimiser, scaler, threshold):
    scaler.scale(loss()).backward()
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()
    optimiser.zero_grad(set_to_none=False)


def mixed_with(edit, fresh=True, step=None):
    def update(parameters, loss, optimiser, scaler, threshold):
        if fresh:
            optimiser.zero_grad()
        scaler.scale(loss()).backward()
        scaler.unscale_(optimiser)
        edit(parameters, threshold)
        (step or scaler.step)(optimiser)
        scaler.update()

    return update


def mixed_unscales_late(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    clip_grad_norm_(parameters, threshold)
    scaler.unscale_(optimiser)
    scaler.step(optimiser)
    scaler.update()


def mixed_without_update(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)


def mixed_skips_by_itself(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    scaler.unscale_(optimiser)
    if clip_grad_norm_(parameters, threshold).isfinite():
        optimiser.step()
    scaler.update()


def mixed_by_autograd(parameters, loss, optimiser, scaler, threshold):
    with torch.no_grad():
        loss()  # for a log
    for p, g in zip(parameters, torch.autograd.grad(scaler.scale(loss()), parameters), strict=True):
        p.grad = g
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def mixed_unscaled(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    loss().backward()
    clip_grad_norm_(parameters, threshold)
    optimiser.step()


def mixed_unscaled_after_all(parameters, loss, optimiser, scaler, threshold):
    scaler.scale(loss()).backward()
    mixed_unscaled(parameters, loss, optimiser, scaler, threshold)


def mixed_unscaled_with_the_scalers_step(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    loss().backward()
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def mixed_divides_what_was_not_scaled(parameters, loss, optimiser, scaler, threshold):
    scaler.scale(loss())
    optimiser.zero_grad()
    loss().backward()
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def mixed_with_its_own_scale(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    (1024 * loss()).backward()
    for p in parameters:
        p.grad /= 1024
    clip_grad_norm_(parameters, threshold)
    optimiser.step()


def mixed_with_a_fixed_scale(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    clip_grad_norm_(parameters, 1024 * threshold)
    scaler.step(optimiser)
    scaler.update()


def mixed_that_never_lowers_the_scale(parameters, loss, optimiser, scaler, threshold):
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    for p in parameters:
        p.grad /= scaler.get_scale()
    if clip_grad_norm_(parameters, threshold).isfinite():
        optimiser.step()


def criterion_in_numpy(weight, gamma):
    return np.linalg.svd(weight.numpy(), compute_uv=False)[0] * gamma < 1


def criterion_by_squares(weight, gamma):
    return torch.linalg.eigvalsh(weight.T @ weight).max() < 1 / gamma**2


def criterion_as_a_number(weight, gamma):
    return 1 if gamma * torch.linalg.svdvals(weight).max() < 1 else 0


def row_sums(weight, gamma):
    return bool(weight.abs().sum(1).max() < 1 / gamma)


ANSWERS = {
    "clip": Answers(
        right=(
            clip_in_numpy,
            clip_by_torch,
            clip_in_lists,
            clip_in_single_precision,
            clip_in_place,
            clip_by_clamp,
        ),
        wrong=(
            (clip_each_alone, "each tensor was clipped alone"),
            (lambda g, c: [part.clamp(-c, c) for part in g], "direction turned"),
            (clip_and_stretch, "already short"),
            (clip_with_0_by_0, "NaN"),
            (clip_by_sum_of_lengths, "sum of the lengths"),
            (clip_below_the_threshold, "expected"),
            (clip_the_first, "expected a list of 2 tensors"),
            (lambda g, c: g, "nothing was shortened"),
        ),
    ),
    "scale": Answers(
        right=(
            lambda factor, optimiser: np.float64(factor) ** (0.5 if optimiser == "SGD" else 1),
            lambda factor, optimiser: torch.tensor([factor]).pow(0.5 + 0.5 * (optimiser == "Adam")),
            lambda factor, optimiser: [math.exp(math.log(factor) / (1 + (optimiser == "SGD")))],
        ),
        wrong=(
            (lambda factor, optimiser: factor, "λ²"),
            (lambda factor, optimiser: math.sqrt(factor), "one λ is left"),
            (lambda *given: 1 / exercises.scale_by_hand(*given), "upside down"),
            (lambda factor, optimiser: 3.0 if optimiser == "SGD" else 9.0, "for a factor of 2"),
            (lambda factor, optimiser: factor * (1 + (optimiser == "SGD")), "expected 3, got 18"),
            (lambda factor, optimiser: {}[optimiser], "your code raised"),
        ),
    ),
    "update": Answers(
        right=(update_by_hand, update_empties_last, update_with_zeros),
        wrong=(
            (exercises.printed_update, "after the step"),
            (update_clips_first, "has just written"),
            (update_with(lambda *_: None), "has just written"),
            (update_with(clip_grad_norm_, fresh=False), "gradients add up"),
            (update_with(each_alone), "each tensor was clipped alone"),
            (update_with(clip_grad_value_), "clips by value"),
            (update_with(stretched), "already short"),
            (update_empties_between, "nothing moved"),
            (update_by_half, "update 1 should lead to"),
            (update_raises, "your code raised KeyError"),
        ),
    ),
    "mixed": Answers(
        right=(
            mixed_by_hand,
            mixed_divides_and_multiplies,
            mixed_empties_last,
            mixed_skips_by_itself,
            mixed_by_autograd,
        ),
        wrong=(
            (exercises.printed_mixed, "loss scale"),
            (mixed_unscales_late, "loss scale"),
            (mixed_with(lambda *_: None), "not clipped"),
            (mixed_with(each_alone), "each tensor was clipped alone"),
            (mixed_with(clip_grad_norm_, fresh=False), "gradients add up"),
            (mixed_with(clip_grad_norm_, step=lambda o: o.step()), "overflows"),
            (mixed_without_update, "your code raised RuntimeError"),
            (mixed_unscaled, "the loss was not scaled"),
            (mixed_unscaled_after_all, "overflows"),
            (mixed_unscaled_with_the_scalers_step, "your code raised AssertionError"),
            (mixed_divides_what_was_not_scaled, "the loss was not scaled"),
            (mixed_with_its_own_scale, "the loss was not scaled"),
            (mixed_with_a_fixed_scale, "get_scale"),
            (mixed_that_never_lowers_the_scale, "scaler.update()"),
        ),
    ),
    "criterion": Answers(
        right=(criterion_in_numpy, criterion_by_squares, criterion_as_a_number),
        wrong=(
            (exercises.printed_criterion, "singular value is 3"),
            (lambda w, gamma: bool(w.norm() < 1 / gamma), "Frobenius"),
            (lambda w, gamma: bool(torch.linalg.matrix_norm(w, 2) < 1), "compare with 1/γ"),
            (lambda w, gamma: bool(torch.linalg.matrix_norm(w, 2) < gamma), "the smaller γ"),
            (lambda w, gamma: bool(w.abs().max() < 1 / gamma), "largest entry"),
            (lambda w, gamma: bool(w.max() < 1 / gamma), "expected False, got True"),
            (row_sums, "row sum"),
            (lambda w, gamma: not criterion_in_numpy(w, gamma), "expected False"),
            (lambda w, gamma: bool(torch.linalg.matrix_norm(w, 2) <= 1 / gamma), "equality"),
            (lambda w, gamma: torch.linalg.matrix_norm(w, 2), "expected True or False"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


def test_a_stub_is_not_answered_yet():
    for exercise in (exercises.update, exercises.mixed):
        assert exercise.verdict(lambda *_: ...) == f"… {exercise.name}: not answered yet."
