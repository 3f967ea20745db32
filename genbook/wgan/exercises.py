"""Exercises of the chapter on Wasserstein GANs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from genbook.kit.exercises import Exercise, Wrong, call
from genbook.wgan import transport

Critic = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], Tensor]

P = torch.tensor([0.5, 0.2, 0.3, 0.0], dtype=torch.float64)
Q = torch.tensor([0.1, 0.1, 0.2, 0.6], dtype=torch.float64)
BINS = torch.arange(4, dtype=torch.float64)
SCORES = torch.tensor([0.2, 1.5, -0.4, 3.0], dtype=torch.float64)
OTHERS = torch.tensor([-2.0, 0.3, 0.8, -0.1], dtype=torch.float64)


def _equal(value: float, target: float) -> bool:
    return math.isclose(value, target, rel_tol=1e-6, abs_tol=1e-9)


def _number(function: Callable[..., Tensor], *arguments: object) -> float:
    return float(torch.as_tensor(call(function, *arguments)).detach())


# --- The distance of two histograms -----------------------------------------------------------


def earth_moved(p: Tensor, q: Tensor) -> Tensor:
    """W₁ of two histograms on bins at distance 1, from what is carried over each border."""
    return (p - q).cumsum(-1).abs().sum()


def _compared_bin_by_bin(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).abs().sum()


def _net_flow(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).cumsum(-1).sum().abs()


def _largest_flow(p: Tensor, q: Tensor) -> Tensor:
    return (p - q).cumsum(-1).abs().max()


def _check_earth(answer: Pair) -> str | None:
    p = torch.tensor([0.0, 0.5, 0.5, 0.0], dtype=torch.float64)
    q = torch.tensor([0.5, 0.0, 0.0, 0.5], dtype=torch.float64)
    value, second = _number(answer, P, Q), _number(answer, p, q)
    target = float(transport.on_line(BINS, P, BINS, Q))
    if _equal(value, float(_compared_bin_by_bin(P, Q))):
        return "that compares bin by bin and does not see how far the earth travels."
    if _equal(value, float(_largest_flow(P, Q))):
        return "that is the busiest border (the Kolmogorov–Smirnov distance); sum over borders."
    if _equal(value, target) and not _equal(second, 1.0):
        return "right for one example, but loads going left and right must not cancel."
    return None if _equal(value, target) else f"expected {target:.4f}, got {value:.4f}."


earth = Exercise(
    name="earth",
    check=_check_earth,
    reference=earth_moved,
    wrong=(
        Wrong(_compared_bin_by_bin, "bin by bin"),
        Wrong(_net_flow, "cancel"),
        Wrong(_largest_flow, "busiest"),
    ),
)

# --- Bug hunts --------------------------------------------------------------------------------


def _gradient(critic: Critic, x: Tensor) -> Tensor:
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return gradient


def batch_penalty(critic: Critic, x: Tensor) -> Tensor:
    """Meant to be the gradient penalty at x [B, d]; it is not."""
    gradient = _gradient(critic, x)
    return (gradient.norm() - 1) ** 2


def mended_penalty(critic: Critic, x: Tensor) -> Tensor:
    """The mean of (‖∇T‖ − 1)², one norm a sample."""
    gradient = _gradient(critic, x)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()


def _norm_of_the_mean(critic: Critic, x: Tensor) -> Tensor:
    return (_gradient(critic, x).mean(0).norm() - 1) ** 2


def _norm_over_samples(critic: Critic, x: Tensor) -> Tensor:
    return ((_gradient(critic, x).norm(dim=0) - 1) ** 2).mean()


def _square_of_the_mean(critic: Critic, x: Tensor) -> Tensor:
    return (_gradient(critic, x).norm(dim=1).mean() - 1) ** 2


def _check_penalty(answer: Callable[[Critic, Tensor], Tensor]) -> str | None:
    x = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.5, 2.0]], dtype=torch.float64)
    even = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [2.0, -1.0], [-2.0, 1.0]], dtype=torch.float64)
    value = _number(answer, lambda y: y[:, 0], x)
    if _equal(value, (math.sqrt(3) - 1) ** 2):
        return "T(x) = x₁ has slope 1, yet three samples cost (√3 − 1)². Which axes does it sum?"
    if not _equal(value, 0.0):
        return "the norm runs over the samples: T(x) = x₁ should cost 0."
    value = _number(answer, lambda y: y.square().sum(1) / 2, even)
    if _equal(value, 1.0):
        return "the mean comes before the norm: opposite gradients cancel and hide their slopes."
    target = (math.sqrt(5) - 1) ** 2
    if not _equal(value, target):
        return f"for T = ½‖x‖² expected {target:.4f}, got {value:.4f}."
    value = _number(answer, lambda y: y.square().sum(1) / 2, x)
    target = _number(mended_penalty, lambda y: y.square().sum(1) / 2, x)
    if _equal(value, target):
        return None
    return "the mean comes before the square: a slope of 0 and a slope of 2 would cost nothing."


penalty = Exercise(
    name="penalty",
    check=_check_penalty,
    reference=mended_penalty,
    wrong=(
        Wrong(batch_penalty, "Which axes"),
        Wrong(_norm_over_samples, "over the samples"),
        Wrong(_norm_of_the_mean, "cancel"),
        Wrong(_square_of_the_mean, "before the square"),
    ),
)


def hinge_loss(t_real: Tensor, t_fake: Tensor) -> Tensor:
    """Printed under W₁ = max E_p[T] − E_q[T] as its critic's loss; it is another one."""
    return (1 - t_real).clamp_min(0).mean() + (1 + t_fake).clamp_min(0).mean()


def kantorovich_loss(t_real: Tensor, t_fake: Tensor) -> Tensor:
    """What minimising makes E_p[T] − E_q[T] largest."""
    return t_fake.mean() - t_real.mean()


def _upside_down(t_real: Tensor, t_fake: Tensor) -> Tensor:
    return -kantorovich_loss(t_real, t_fake)


def _unclamped_hinge(t_real: Tensor, t_fake: Tensor) -> Tensor:
    return (1 - t_real).mean() + (1 + t_fake).mean()


def _check_hinge(answer: Pair) -> str | None:
    value = _number(answer, SCORES, OTHERS)
    target = float(kantorovich_loss(SCORES, OTHERS))
    if _equal(value, -target):
        return "the sign: the optimiser minimises, and the critic should give data high scores."
    if _equal(value, target + 2):
        return "the clamps are gone; the 2 left over moves no gradient, but this is not −W₁ yet."
    higher = _number(answer, SCORES + 5, OTHERS - 5)
    if _equal(higher, 0.0):
        return (
            "it stops at a margin of 1: scores that differ by more gain nothing. W₁ has no margin."
        )
    return None if _equal(value, target) else f"expected {target:.4f}, got {value:.4f}."


hinge = Exercise(
    name="hinge",
    check=_check_hinge,
    reference=kantorovich_loss,
    wrong=(
        Wrong(hinge_loss, "margin"),
        Wrong(_upside_down, "sign"),
        Wrong(_unclamped_hinge, "left over"),
    ),
)


class Settings(NamedTuple):
    r"""What a critic's step needs.

    Args:
        rate: of the gradient step.
        limit: c of the clip.
    """

    rate: float
    limit: float


Update = Callable[[Tensor, Tensor, Settings], Tensor]


def clip_then_step(weights: Tensor, gradient: Tensor, settings: Settings) -> Tensor:
    """Meant to return weights within ± limit after a gradient step; it does not."""
    weights = weights.clamp(-settings.limit, settings.limit)
    return weights - settings.rate * gradient


def step_then_clip(weights: Tensor, gradient: Tensor, settings: Settings) -> Tensor:
    """Algorithm 1, lines 6 and 7."""
    weights = weights - settings.rate * gradient
    return weights.clamp(-settings.limit, settings.limit)


def _clip_the_gradient(weights: Tensor, gradient: Tensor, settings: Settings) -> Tensor:
    return weights - settings.rate * gradient.clamp(-settings.limit, settings.limit)


def _scale_the_weights(weights: Tensor, gradient: Tensor, settings: Settings) -> Tensor:
    stepped = weights - settings.rate * gradient
    return stepped * (settings.limit / stepped.abs().max()).clamp_max(1)


def _check_clip(answer: Update) -> str | None:
    weights = torch.tensor([0.009, -0.002, -0.01], dtype=torch.float64)
    gradient = torch.tensor([-5.0, 3.0, 4.0], dtype=torch.float64)
    settings = Settings(rate=0.001, limit=0.01)
    value = call(answer, weights, gradient, settings)
    if torch.allclose(value, _clip_the_gradient(weights, gradient, settings)):
        return "that clips the gradient; Algorithm 1 clips the weights."
    if float(value.abs().max()) > settings.limit + 1e-12:
        return f"a weight leaves at {float(value.abs().max()):.3f} > 0.01: the step comes last."
    target = step_then_clip(weights, gradient, settings)
    if torch.allclose(value, target):
        return None
    return "within the limit, but a weight that was inside it has moved: clamp each on its own."


clip = Exercise(
    name="clip",
    check=_check_clip,
    reference=step_then_clip,
    wrong=(
        Wrong(clip_then_step, "comes last"),
        Wrong(_clip_the_gradient, "clips the gradient"),
        Wrong(_scale_the_weights, "on its own"),
    ),
)


def away_loss(t_fake: Tensor) -> Tensor:
    """Meant to be the generator's loss, where T is high on data; it drives the fakes away."""
    return t_fake.mean()


def towards_loss(t_fake: Tensor) -> Tensor:
    """What minimising moves fakes to where T is higher."""
    return -t_fake.mean()


def _absolute_loss(t_fake: Tensor) -> Tensor:
    return t_fake.mean().abs()


def _logistic_loss(t_fake: Tensor) -> Tensor:
    return torch.nn.functional.softplus(-t_fake).mean()


def _check_sign(answer: Callable[[Tensor], Tensor]) -> str | None:
    gradients = []
    for shift in (-10.0, 0.0, 10.0):
        scores = (OTHERS + shift).requires_grad_()
        loss = call(answer, scores)
        gradients.append(torch.autograd.grad(loss, scores)[0])
    flat = torch.cat(gradients)
    share = 1 / len(OTHERS)
    if bool((flat > 0).all()):
        return "a step down this loss lowers the scores of the fakes: away from the data."
    if bool((flat > 0).any()):
        return "the sign must not depend on the scores: only differences of T mean anything."
    if not torch.allclose(flat, torch.full_like(flat, -share)):
        return "it saturates: a fake with a high score should be pulled like any other."
    return None


sign = Exercise(
    name="sign",
    check=_check_sign,
    reference=towards_loss,
    wrong=(
        Wrong(away_loss, "away from the data"),
        Wrong(_absolute_loss, "only differences"),
        Wrong(_logistic_loss, "saturates"),
    ),
)

EXERCISES = (earth, penalty, hinge, clip, sign)
