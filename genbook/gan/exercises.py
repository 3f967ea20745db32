"""Exercises of the chapter on the GAN's optimum."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from genbook.kit.exercises import Exercise, Wrong, call

Pair = Callable[[Tensor, Tensor], Tensor]
StepLoss = Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]

P = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
G = torch.tensor([0.1, 0.4, 0.3, 0.2], dtype=torch.float64)


def _close(value: object, target: float) -> bool:
    return math.isclose(float(value), target, rel_tol=1e-6, abs_tol=1e-9)  # type: ignore[arg-type]


def best_discriminator(p: Tensor, g: Tensor) -> Tensor:
    """D* from the two densities."""
    return p / (p + g)


def _likelihood_ratio(p: Tensor, g: Tensor) -> Tensor:
    return p / g


def _of_the_fakes(p: Tensor, g: Tensor) -> Tensor:
    return g / (p + g)


def _check_dstar(answer: Pair) -> str | None:
    found = torch.as_tensor(call(answer, P, G)).double()
    if found.shape != P.shape:
        return f"expected one number a point, shape {list(P.shape)}, got {list(found.shape)}."
    if bool((found > 1).any()):
        return "a probability above 1: p/g is the odds of D*, not D* itself."
    if torch.allclose(found, 1 - best_discriminator(P, G)):
        return "that is the probability of a fake; D answers whether x came from the data."
    return None if torch.allclose(found, best_discriminator(P, G)) else "set dV/dD to 0 at each x."


dstar = Exercise(
    name="dstar",
    check=_check_dstar,
    reference=best_discriminator,
    wrong=(Wrong(_likelihood_ratio, "odds"), Wrong(_of_the_fakes, "probability of a fake")),
)


def js_from_value(value: float) -> float:
    """The Jensen–Shannon divergence that a value of the game certifies."""
    return (value + math.log(4)) / 2


def _js_without_half(value: float) -> float:
    return value + math.log(4)


def _js_without_shift(value: float) -> float:
    return value / 2


def _check_js(answer: Callable[[float], float]) -> str | None:
    bottom, top = float(call(answer, -math.log(4))), float(call(answer, 0.0))
    if _close(top, 2 * math.log(2)):
        return "twice too large: C(G) holds 2 · JS, and JS is at most log 2."
    if not _close(bottom, 0.0):
        return "at p_g = p_data the value is −log 4 and JS is 0; shift before you scale."
    return None if _close(top, math.log(2)) else f"a value of 0 means JS = log 2, not {top:.4f}."


js = Exercise(
    name="js",
    check=_check_js,
    reference=js_from_value,
    wrong=(Wrong(_js_without_half, "twice"), Wrong(_js_without_shift, "shift")),
)


def naive_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) with D = σ(v), written as it is read."""
    return torch.log(1 - torch.sigmoid(v))


def stable_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) = −log(1 + e^v), safe for every v."""
    return -softplus(v)


def _clamped_log_one_minus(v: Tensor) -> Tensor:
    return torch.log((1 - torch.sigmoid(v)).clamp_min(1e-7))


def _check_stable(answer: Callable[[Tensor], Tensor]) -> str | None:
    v = torch.tensor([-3.0, 0.0, 40.0], requires_grad=True)
    value = call(answer, v)
    if not bool(torch.isfinite(value).all()):
        return "at v = 40 the sigmoid rounds to 1 and the logarithm to −∞; stay with the logit."
    (slope,) = torch.autograd.grad(value.sum(), v)
    if not math.isclose(slope[2].item(), -1.0, rel_tol=1e-4):
        return f"the slope at v = 40 should be −1, yours is {slope[2]:g}: a clamp kills gradients."
    right = torch.allclose(value, stable_log_one_minus(v))
    return None if right else "finite, but not log(1 − σ(v)): compare at v = 0, where it is −log 2."


stable = Exercise(
    name="stable",
    check=_check_stable,
    reference=stable_log_one_minus,
    wrong=(Wrong(naive_log_one_minus, "logit"), Wrong(_clamped_log_one_minus, "clamp")),
)


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


def _step_attached(critic: nn.Module, generator: nn.Module, real: Tensor, noise: Tensor) -> Tensor:
    on_real, on_fake = critic(real), critic(generator(noise))
    ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_fake)
    return cross_entropy(on_real, ones) + cross_entropy(on_fake, zeros)


def _step_swapped(critic: nn.Module, generator: nn.Module, real: Tensor, noise: Tensor) -> Tensor:
    on_real, on_fake = critic(real), critic(generator(noise).detach())
    ones, zeros = torch.ones_like(on_fake), torch.zeros_like(on_real)
    return cross_entropy(on_real, zeros) + cross_entropy(on_fake, ones)


def _check_step(answer: StepLoss) -> str | None:
    random = torch.Generator().manual_seed(0)
    real, noise = torch.randn(2, 6, 2, generator=random)
    critic, generator = nn.Linear(2, 1), nn.Linear(2, 2)
    with torch.no_grad():
        for weight in (*critic.parameters(), *generator.parameters()):
            weight.copy_(torch.randn(weight.shape, generator=random))
    loss = call(answer, critic, generator, real, noise)
    right = mended_step(critic, generator, real, noise)
    if not torch.allclose(loss, right):
        return f"expected a loss of {right:.4f}, got {loss:.4f}: which target do fakes have?"
    loss.backward()
    if any(weight.grad is not None for weight in generator.parameters()):
        return "the loss is right, but it left a gradient in the generator: detach the fakes."
    return None


step = Exercise(
    name="step",
    check=_check_step,
    reference=mended_step,
    wrong=(
        Wrong(broken_step, "target"),
        Wrong(_step_attached, "detach"),
        Wrong(_step_swapped, "target"),
    ),
)

EXERCISES = (dstar, js, stable, step)
