"""Exercises of the chapter on the GAN's optimum."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from genbook.kit.answers import call, call_in_place, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

Pair = Callable[[Tensor, Tensor], Tensor]
StepLoss = Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]

DENSITIES = (
    ([0.5, 0.3, 0.2, 0.0], [0.1, 0.4, 0.3, 0.2]),
    ([2.0, 1e-6, 0.7], [0.5, 3.0, 0.7]),
)
"""Masses with a zero, and densities above 1."""


def best_discriminator(p: Tensor, g: Tensor) -> Tensor:
    """D* from the two densities."""
    return p / (p + g)


def _check_dstar(answer: Pair) -> str | None:
    for left, right in DENSITIES:
        p, g = (torch.tensor(v, dtype=torch.float64) for v in (left, right))
        value, target = call(answer, p, g), best_discriminator(p, g)
        found = numbers(value, target.shape)
        if same(value, target):
            continue
        if bool((found > 1).any()):
            return "a probability above 1: p/g is the odds of D*, not D* itself."
        if same(value, 1 - target):
            return "that is the probability of a fake; D answers whether x came from the data."
        words = differs(value, target, f"for p = {shown(p)} and g = {shown(g)}")
        return f"{words} Set dV/dD to 0 at each x."
    return None


dstar = Exercise(name="dstar", check=_check_dstar, reference=best_discriminator)


def js_from_value(value: float) -> float:
    """The Jensen–Shannon divergence that a value of the game certifies."""
    return (value + math.log(4)) / 2


def _check_js(answer: Callable[[float], float]) -> str | None:
    bottom, top = call(answer, -math.log(4)), call(answer, 0.0)
    if same(top, 2 * math.log(2)):
        return "twice too large: C(G) holds 2 · JS, and JS is at most log 2."
    if not same(bottom, 0.0):
        return (
            "at p_g = p_data the value is −log 4 and JS is 0; shift before you scale. "
            f"Yours is {shown(bottom)}."
        )
    for value in (0.0, -0.3, -1.1):
        given = call(answer, value)
        if not same(given, js_from_value(value)):
            return differs(given, js_from_value(value), f"for a value of {value:g}")
    return None


js = Exercise(name="js", check=_check_js, reference=js_from_value)


def naive_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) with D = σ(v), written as it is read."""
    return torch.log(1 - torch.sigmoid(v))


def stable_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) = −log(1 + e^v), safe for every v."""
    return -softplus(v)


LOGITS = (-200.0, -20.0, -3.0, 0.5, 3.0, 40.0, 200.0, 1000.0)
"""Where sigmoids round to 0 or 1, and where exponentials overflow."""


def _check_stable(answer: Callable[[Tensor], Tensor]) -> str | None:
    for kind in (torch.float32, torch.float64):
        v = torch.tensor(LOGITS, dtype=kind, requires_grad=True)
        value = call(answer, v)
        found = numbers(value, [len(LOGITS)])
        for logit, number in zip(LOGITS, found.tolist(), strict=True):
            if not math.isfinite(number):
                return (
                    f"{shown(number)} at v = {logit:g}: the sigmoid rounds to 1 or an exponential "
                    "overflows; stay with the logit."
                )
        if (trouble := _slope(value, v)) is not None:
            return trouble
        right = stable_log_one_minus(v.detach().double())
        if not same(found[1:], right[1:], rtol=1e-4):
            words = differs(found[1:], right[1:], rtol=1e-4)
            return f"finite, but not log(1 − σ(v)): {words} At v = 0 it is −log 2."
    return None


def _slope(value: Any, v: Tensor) -> str | None:
    """The derivative −σ(v), which a clamp kills; an answer outside torch has none to check."""
    if not isinstance(value, Tensor) or not value.requires_grad:
        return "no gradient reaches the logit; stay with torch's functions and detach nothing."
    (slope,) = torch.autograd.grad(value.sum(), v)
    for logit, found, right in zip(LOGITS, slope.tolist(), (-v.sigmoid()).tolist(), strict=True):
        if not math.isclose(found, right, rel_tol=1e-3, abs_tol=1e-6):
            return (
                f"the slope at v = {logit:g} should be {right:.3g}, yours is {found:.3g}: a clamp "
                "kills gradients."
            )
    return None


stable = Exercise(name="stable", check=_check_stable, reference=stable_log_one_minus)


def broken_step(critic: nn.Module, generator: nn.Module, real: Tensor, noise: Tensor) -> Tensor:
    """The discriminator's loss on one minibatch; two lines are wrong."""
    fake = generator(noise)
    on_real, on_fake = critic(real), critic(fake)
    real_loss = cross_entropy(on_real, torch.ones_like(on_real))
    fake_loss = cross_entropy(on_fake, torch.ones_like(on_fake))
    return real_loss + fake_loss


def mended_step(critic: nn.Module, generator: nn.Module, real: Tensor, noise: Tensor) -> Tensor:
    """The discriminator's loss on one minibatch: fakes are detached, their target is 0."""
    fake = generator(noise).detach()
    on_real, on_fake = critic(real), critic(fake)
    real_loss = cross_entropy(on_real, torch.ones_like(on_real))
    fake_loss = cross_entropy(on_fake, torch.zeros_like(on_fake))
    return real_loss + fake_loss


def _players(seed: int) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    real, noise = torch.randn(2, 6, 2, generator=random)
    critic, generator = nn.Linear(2, 1), nn.Linear(2, 2)
    with torch.no_grad():
        for weight in (*critic.parameters(), *generator.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=random))
    return critic, generator, real, noise


def _slopes(loss: Tensor, critic: nn.Module) -> list[Tensor | None]:
    found = torch.autograd.grad(loss, list(critic.parameters()), allow_unused=True)
    return list(found)


def _check_step(answer: StepLoss) -> str | None:
    for seed in (0, 1):
        critic, generator, real, noise = _players(seed)
        loss: Any = call_in_place(answer, critic, generator, real, noise)
        right = mended_step(critic, generator, real, noise)
        if not same(loss, right):
            words = differs(loss, right)
            return f"{words} Which target do fakes have? Which do data?"
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            return "the loss is right, but no gradient reaches the discriminator."
        wanted = _slopes(right, critic)
        loss.backward(retain_graph=True)
        if any(weight.grad is not None for weight in generator.parameters()):
            return "the loss is right, but it left a gradient in the generator: detach the fakes."
        for weight, slope in zip(critic.parameters(), wanted, strict=True):
            if slope is None or weight.grad is None or not same(weight.grad, slope):
                return (
                    "the loss is right, but the discriminator's gradient is not: detach the fakes, "
                    "not what it says of them."
                )
    return None


step = Exercise(name="step", check=_check_step, reference=mended_step)

EXERCISES = (dstar, js, stable, step)
