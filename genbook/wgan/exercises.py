"""Exercises of the chapter on Wasserstein GANs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from genbook.kit.answers import (
    ReaderError,
    agree,
    call,
    differentiates,
    differs,
    numbers,
    same,
    shown,
)
from genbook.kit.exercises import Exercise
from genbook.wgan import transport

Critic = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], Tensor]
Rivals = Sequence[tuple[Callable[..., Any], str]]


def _double(*rows: Sequence[float]) -> tuple[Tensor, ...]:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


def _known(answer: Callable[..., Any], cases: Iterable[Any], rivals: Rivals) -> str | None:
    """The words for the mistake that gives the answer's values in all cases."""
    listed = list(cases)
    for rival, words in rivals:
        if all(same(call(answer, *case), numbers(rival(*case))) for case in listed):
            return words
    return None


# --- The distance of two histograms -----------------------------------------------------------


def earth_moved(p: Tensor, q: Tensor) -> Tensor:
    """W₁ of two histograms on bins at distance 1, from what is carried over each border."""
    return (p - q).cumsum(-1).abs().sum()


HISTOGRAMS = (
    _double([0.5, 0.2, 0.3, 0.0], [0.1, 0.1, 0.2, 0.6]),
    _double([0.0, 0.5, 0.5, 0.0], [0.5, 0.0, 0.0, 0.5]),
    _double([0.0, 0.1, 0.2, 0.0, 0.3, 0.4], [0.3, 0.0, 0.3, 0.2, 0.1, 0.1]),
    _double([1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]),
    _double([0.25, 0.75], [0.25, 0.75]),
)


def _on_bins(p: Tensor, q: Tensor) -> Tensor:
    bins = torch.arange(len(p), dtype=torch.float64)
    return transport.on_line(bins, p, bins, q)


def _histograms(p: Tensor, q: Tensor) -> str:
    sides = ("[" + ", ".join(f"{v:g}" for v in side.tolist()) + "]" for side in (p, q))
    return "for p = {} and q = {}".format(*sides)


def _check_earth(answer: Pair) -> str | None:
    bin_by_bin = "that compares bin by bin and does not see how far the earth travels."
    rivals: Rivals = (
        (lambda p, q: (p - q).abs().sum(), bin_by_bin),
        (lambda p, q: (p - q).abs().sum() / 2, bin_by_bin),
        (
            lambda p, q: (p - q).cumsum(-1).sum().abs(),
            "that is the distance of the two means: loads going left and right must not cancel.",
        ),
        (
            lambda p, q: (p - q).cumsum(-1).abs().max(),
            "that is the busiest border (the Kolmogorov–Smirnov distance); sum over borders.",
        ),
        (
            lambda p, q: (p - q).cumsum(-1).abs().mean(),
            "that is the mean over the borders; each load pays for each border: sum.",
        ),
        (
            lambda p, q: (p - q).cumsum(-1).square().sum(),
            "that squares what crosses a border; the cost grows in proportion to it.",
        ),
    )
    return _known(answer, HISTOGRAMS, rivals) or agree(answer, _on_bins, HISTOGRAMS, _histograms)


earth = Exercise(name="earth", check=_check_earth, reference=earth_moved)

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


def _linear(slope: float | Tensor) -> Critic:
    return lambda x: slope * (0.6 * x[:, 0] - 0.8 * x[:, 1])


def _bowl(x: Tensor) -> Tensor:
    return x.square().sum(1) / 2


POINTS = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.5, 2.0]], dtype=torch.float64)
CROSS = torch.tensor([[1.0, 2.0], [-1.0, -2.0], [2.0, -1.0], [-2.0, 1.0]], dtype=torch.float64)
SLOPES = (0.5, 1.0, 3.0)
PENALISED = (*((_linear(s), POINTS) for s in SLOPES), (_bowl, POINTS), (_bowl, CROSS))


def _check_penalty(answer: Callable[[Critic, Tensor], Tensor]) -> str | None:
    norm = torch.linalg.vector_norm
    rivals: Rivals = (
        (
            batch_penalty,
            "a critic of slope 1 pays (√3 − 1)² for three samples. Which axes does the norm sum?",
        ),
        (
            lambda critic, x: ((norm(_gradient(critic, x), dim=0) - 1) ** 2).mean(),
            "the norm runs over the samples: a critic of slope 1 should pay nothing.",
        ),
        (
            lambda critic, x: (norm(_gradient(critic, x).mean(0)) - 1) ** 2,
            "the mean comes before the norm: opposite gradients cancel and hide their slopes.",
        ),
        (
            lambda critic, x: (norm(_gradient(critic, x), dim=1).mean() - 1) ** 2,
            "the mean comes before the square: slopes of 0 and of 2 would cost nothing.",
        ),
        (
            lambda critic, x: (norm(_gradient(critic, x), dim=1) - 1).clamp_min(0).square().mean(),
            "a slope of 0.5 costs nothing here: that is the one-sided penalty.",
        ),
        (
            lambda critic, x: (norm(_gradient(critic, x), dim=1).square() - 1).square().mean(),
            "the norm is squared before 1 is taken away.",
        ),
        (
            lambda critic, x: ((norm(_gradient(critic, x), dim=1) - 1) ** 2).sum(),
            "that is the sum over the samples; the penalty is a mean.",
        ),
    )
    if (words := _known(answer, PENALISED, rivals)) is not None:
        return words
    for slope in SLOPES:
        paid, where = call(answer, _linear(slope), POINTS), f"for a critic of slope {slope:g}"
        if (hint := differs(paid, (slope - 1) ** 2, where)) is not None:
            return hint
    for points, where in ((POINTS, "three"), (CROSS, "four")):
        target = numbers(mended_penalty(_bowl, points))
        if hint := differs(call(answer, _bowl, points), target, f"for T = ½‖x‖², {where} points,"):
            return hint
    return _check_penalty_trains(answer)


def _check_penalty_trains(answer: Callable[[Critic, Tensor], Tensor]) -> str | None:
    slope = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    paid = call(answer, _linear(slope), POINTS)
    if not (isinstance(paid, Tensor) and paid.requires_grad):
        return (
            "the value is right, but no gradient reaches the critic's weights: keep the graph "
            "(create_graph=True) and return a tensor."
        )
    (gradient,) = torch.autograd.grad(paid.sum(), slope, allow_unused=True)
    found = 0.0 if gradient is None else float(gradient)
    where = "the value is right; for its derivative in the slope, at slope 3,"
    return differs(found, 4.0, where, rtol=1e-3)


penalty = Exercise(name="penalty", check=_check_penalty, reference=mended_penalty)


def hinge_loss(t_real: Tensor, t_fake: Tensor) -> Tensor:
    """Printed under W₁ = max E_p[T] − E_q[T] as its critic's loss; it is another one."""
    return (1 - t_real).clamp_min(0).mean() + (1 + t_fake).clamp_min(0).mean()


def kantorovich_loss(t_real: Tensor, t_fake: Tensor) -> Tensor:
    """What minimising makes E_p[T] − E_q[T] largest."""
    return t_fake.mean() - t_real.mean()


SCORES, OTHERS = _double([0.2, 1.5, -0.4, 3.0], [-2.0, 0.3, 0.8, -0.1])
SCORED = ((SCORES, OTHERS), (SCORES + 5, OTHERS - 5), (OTHERS, SCORES), (SCORES[:3], OTHERS[1:]))


def _check_hinge(answer: Pair) -> str | None:
    rivals: Rivals = (
        (
            hinge_loss,
            "it stops at a margin of 1: scores that differ by more gain nothing. W₁ has no margin.",
        ),
        (
            lambda t_real, t_fake: t_real.mean() - t_fake.mean(),
            "the sign: the optimiser minimises, and the critic should give data high scores.",
        ),
        (
            lambda t_real, t_fake: (1 - t_real).mean() + (1 + t_fake).mean(),
            "the clamps are gone; the 2 left over moves no gradient, but this is not −W₁ yet.",
        ),
        (
            lambda t_real, t_fake: t_fake.sum() - t_real.sum(),
            "that is the sum over the samples; expectations are means.",
        ),
        (
            lambda t_real, t_fake: -(t_real.mean() - t_fake.mean()).abs(),
            "the sign must not depend on the scores: a critic that is upside down has to turn.",
        ),
    )
    if (words := _known(answer, SCORED, rivals)) is not None:
        return words

    def described(t_real: Tensor, t_fake: Tensor) -> str:
        return f"for scores {shown(t_real)} and {shown(t_fake)}"

    return agree(answer, kantorovich_loss, SCORED, described) or _check_hinge_trains(answer)


def _check_hinge_trains(answer: Pair) -> str | None:
    """Whether a loss that comes as a tensor moves the scores of both."""
    if _flows(answer, *SCORED[0]) and differentiates(answer, kantorovich_loss, SCORED[0], [0, 1]):
        return None
    return (
        "the value is right, the gradient is not: the critic learns from both scores; what is "
        "detached are the fakes, before it sees them."
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


def _update(
    weights: Sequence[float], gradient: Sequence[float], rate: float, limit: float
) -> tuple[Tensor, Tensor, Settings]:
    w, g = _double(weights, gradient)
    return w, g, Settings(rate, limit)


UPDATES = (
    _update([0.009, -0.002, -0.01], [-5.0, 3.0, 4.0], rate=0.001, limit=0.01),
    _update([0.4, -0.3, 0.1], [0.2, -0.1, 0.3], rate=0.1, limit=1.0),
    _update([0.3, -0.9], [40.0, 20.0], rate=0.02, limit=0.5),
)


def _check_clip(answer: Update) -> str | None:
    rivals: Rivals = (
        (clip_then_step, "a weight can leave the limit with the step: the clip comes last."),
        (
            lambda w, g, s: w - s.rate * g.clamp(-s.limit, s.limit),
            "that clips the gradient; Algorithm 1 clips the weights.",
        ),
        (
            lambda w, g, s: (w + s.rate * g).clamp(-s.limit, s.limit),
            "that steps up the loss; the critic's loss is minimised.",
        ),
        (
            lambda w, g, s: w.clamp(-s.limit, s.limit),
            "that clips, but it has taken no step.",
        ),
    )
    if (words := _known(answer, UPDATES, rivals)) is not None:
        return words
    for weights, gradient, settings in UPDATES:
        target = step_then_clip(weights, gradient, settings)
        came = call(answer, weights, gradient, settings)
        if same(came, target):
            continue
        found = numbers(came, target.shape)
        if not bool((found.abs() <= settings.limit * (1 + 1e-6)).all()):
            return f"you return {shown(came)}, beyond ±{settings.limit:g}: the clip comes last."
        return (
            f"expected {shown(target)}, got {shown(came)}: within the limit, but each weight is "
            "clamped on its own."
        )
    return None


def away_loss(t_fake: Tensor) -> Tensor:
    """Meant to be the generator's loss, where T is high on data; it drives the fakes away."""
    return t_fake.mean()


def towards_loss(t_fake: Tensor) -> Tensor:
    """What minimising moves fakes to where T is higher."""
    return -t_fake.mean()


STEP = 0.25


def _check_sign(answer: Callable[[Tensor], Tensor]) -> str | None:
    """The loss's differences, so that any constant and any kind of number may come."""
    count = len(OTHERS)
    moves = torch.cat([STEP * torch.eye(count).double(), torch.ones(1, count).double()])
    rises: list[Tensor] = []
    for shift in (-10.0, 0.0, 10.0):
        base = numbers(call(answer, OTHERS + shift), [])
        moved = [numbers(call(answer, OTHERS + shift + move), []) for move in moves]
        rises.append(torch.stack(moved) - base)
    found = torch.stack(rises)
    if bool((found > 0).all()):
        return "a step down this loss lowers the scores of the fakes: away from the data."
    if bool((found > 0).any()):
        return "the sign must not depend on the scores: only differences of T mean anything."
    if same(found, -moves.sum(1).expand_as(found), rtol=1e-3):
        return "the right direction, but that is the sum over the fakes; E_q is a mean."
    rise, target = found[:, -1], torch.full((3,), -1.0, dtype=torch.float64)
    if not same(rise, target, rtol=1e-3):
        return (
            "all scores rise by 1, from −10, 0 and 10: the loss should fall by 1 each time, yours "
            f"changes by {shown(rise)}. Where it changes less it saturates."
        )
    if not same(found[:, :-1], torch.full_like(found[:, :-1], -STEP / count), rtol=1e-3):
        return "every fake should count alike: one score that rises by 1 lowers the mean by 1/n."
    return _check_sign_trains(answer)


def _check_sign_trains(answer: Callable[[Tensor], Tensor]) -> str | None:
    if _flows(answer, OTHERS):
        return None
    return "the value is right, but no gradient reaches the fakes: it was detached on the way."


def _flows(answer: Callable[..., Any], *scores: Tensor) -> bool:
    """Whether a gradient comes back from a loss in torch; of other numbers the value is all."""
    if not isinstance(call(answer, *scores), Tensor):
        return True
    try:  # sums of leaves, so that the reader may write into them
        loss = call(answer, *(s.clone().requires_grad_() + 0 for s in scores))
    except ReaderError:  # NumPy somewhere
        return True
    return not isinstance(loss, Tensor) or loss.requires_grad


Round = Callable[[Tensor, Tensor, Tensor, Tensor, Settings], Sequence[Any]]


def printed_round(
    t_real: Tensor, t_fake: Tensor, weights: Tensor, gradient: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """Meant to be L_D, L_G and the critic's weights after a clipped step; no line is right."""
    critic_loss = (1 - t_real).clamp_min(0).mean() + (1 + t_fake).clamp_min(0).mean()
    generator_loss = t_fake.mean()
    clipped = weights.clamp(-settings.limit, settings.limit)
    return critic_loss, generator_loss, clipped - settings.rate * gradient


def mended_round(
    t_real: Tensor, t_fake: Tensor, weights: Tensor, gradient: Tensor, settings: Settings
) -> tuple[Tensor, Tensor, Tensor]:
    """L_D and L_G without margins, high scores for data, and the clip after the step."""
    stepped = weights - settings.rate * gradient
    critic_loss, generator_loss = t_fake.mean() - t_real.mean(), -t_fake.mean()
    return critic_loss, generator_loss, stepped.clamp(-settings.limit, settings.limit)


def _check_round(answer: Round) -> str | None:
    came = call(answer, SCORES, OTHERS, *UPDATES[0])
    if not isinstance(came, (tuple, list)) or len(came) != 3:
        return f"expected three results (L_D, L_G, weights), got {shown(came)}."
    lines: tuple[tuple[str, Callable[[], str | None]], ...] = (
        ("critic's loss", lambda: _check_hinge(lambda a, b: call(answer, a, b, *UPDATES[0])[0])),
        (
            "generator's loss",
            lambda: _check_sign(lambda b: call(answer, SCORES, b, *UPDATES[0])[1]),
        ),
        ("weights", lambda: _check_clip(lambda w, g, c: call(answer, SCORES, OTHERS, w, g, c)[2])),
    )
    for name, check in lines:
        if (hint := check()) is not None:
            return f"{name}: {hint}"
    return None


round = Exercise(name="round", check=_check_round, reference=mended_round)

EXERCISES = (earth, penalty, round)
