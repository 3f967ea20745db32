"""Exercises of the chapter on the GAN's optimum."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from genbook.kit.answers import Hint, agree, alone, call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

Pair = Callable[[Tensor, Tensor], Tensor]
Pointwise = Callable[[Tensor], Tensor]
StepLoss = Callable[[nn.Module, nn.Module, Tensor, Tensor], Tensor]


def _densities(*rows: Sequence[float]) -> tuple[Tensor, Tensor]:
    p, g = torch.tensor(rows, dtype=torch.float64)
    return p, g


PLACES = (
    _densities([0.5, 0.3, 0.2], [0.1, 0.4, 0.3]),
    _densities([2.0, 1e-6, 3.0, 0.7], [0.5, 1e-4, 3.0, 7.0]),  # densities may exceed 1
    _densities([0.5, 0.0, 0.2], [0.0, 0.4, 0.2]),  # where one of them vanishes
)


def best_discriminator(p: Tensor, g: Tensor) -> Tensor:
    """D* from the two densities."""
    return p / (p + g)


def _check_dstar(answer: Pair) -> str | None:
    def at(p: Tensor, g: Tensor) -> str:
        return f"for p = {shown(p)} and p_g = {shown(g)}"

    hint = agree(answer, best_discriminator, PLACES, at)
    if hint is None:
        return None
    found = [numbers(call(answer, *place)) for place in PLACES]
    for rival, words in (
        (lambda p, g: p / g, "that is the odds of D*, not D* itself."),
        (lambda p, g: (p / g).log(), "that is v*, the logit of D*; D* = σ(v*)."),
    ):
        if all(same(v, rival(*place)) for v, place in zip(found, PLACES, strict=True)):
            return words
    if any(bool((values > 1).any()) for values in found):
        return f"{hint[:-1]}: a probability is at most 1."
    fakes = [1 - best_discriminator(*place) for place in PLACES]
    if all(same(values, target) for values, target in zip(found, fakes, strict=True)):
        return "that is the probability of a fake; D answers whether x came from the data."
    return f"{hint[:-1]}: set dV/dD to 0 at each x."


dstar = Exercise(name="dstar", check=_check_dstar, reference=best_discriminator)


def js_from_value(value: float) -> float:
    """The Jensen–Shannon divergence that a value of the game certifies."""
    return (value + math.log(4)) / 2


def _check_js(answer: Callable[[float], float]) -> str | None:
    values = [(-math.log(4),), (0.0,), (-1.0,), (-0.3,)]
    hint = agree(answer, js_from_value, values, lambda value: f"for V = {value:.4g}")
    if hint is None:
        return None
    bottom, top = (numbers(call(answer, value), []) for value in (-math.log(4), 0.0))
    if same(top, 2 * math.log(2)):
        return "twice too large: C(G) holds 2 · JS, and JS is at most log 2."
    if same(top, 1.0) and same(bottom, 0.0):
        return "that is JS in bits; the book uses nats, and the maximum is log 2."
    if not same(bottom, 0.0):
        return "at p_g = p_data the value is −log 4 and JS is 0; shift before you scale."
    return hint


js = Exercise(name="js", check=_check_js, reference=js_from_value)


def _slopes(value: Tensor, places: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradient at each place; none where the reader froze it."""
    live = [place for place in places if place.requires_grad]
    if not live:
        return [None] * len(places)
    try:
        found = torch.autograd.grad(value.sum(), live, retain_graph=True, allow_unused=True)
    except RuntimeError as error:  # its graph was used up
        raise Hint("return the value itself, and leave backward() to its user.") from error
    slopes = iter(found)
    return [next(slopes) if place.requires_grad else None for place in places]


def naive_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) with D = σ(v), written as it is read."""
    return torch.log(1 - torch.sigmoid(v))


def stable_log_one_minus(v: Tensor) -> Tensor:
    """log(1 − D) = −log(1 + e^v), safe for every v."""
    return -softplus(v)


LOGITS = [-200.0, -30.0, -3.0, -0.5, 0.2, 1.0, 3.0, 40.0, 90.0, 200.0]


def _check_stable(answer: Pointwise) -> str | None:
    v = torch.tensor(LOGITS, requires_grad=True)
    value = call(answer, v)
    found = numbers(value, [len(LOGITS)])
    for at in (LOGITS.index(-200.0), LOGITS.index(40.0), LOGITS.index(200.0)):
        if not bool(found[at].isfinite()):
            return (
                f"at v = {LOGITS[at]:g} yours is {shown(found[at])}: the sigmoid rounds to 0 or "
                "1, and e^v overflows; stay with the logit."
            )
    if not (isinstance(value, Tensor) and value.requires_grad):
        return "right or wrong, no gradient flows from it to v: compute it from v with torch."
    slope = _slopes(value, [v])[0]
    if slope is None:
        return "no gradient flows from your value to v: compute it from v with torch."
    for at, logit in enumerate(LOGITS):
        target = -torch.sigmoid(torch.tensor(logit))
        if (hint := differs(slope[at], target, f"the slope at v = {logit:g}:")) is not None:
            return f"{hint[:-1]}; a clamp kills gradients, and so does rounding."
    # a right slope leaves a constant to be wrong
    right = stable_log_one_minus(v.detach().double())
    for at, logit in enumerate(LOGITS):
        if (hint := differs(found[at], right[at], f"at v = {logit:g}", rtol=2e-4)) is not None:
            return f"{hint[:-1]}; at v = 0 it is −log 2."
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


Batch = tuple[nn.Module, nn.Module, Tensor, Tensor]


def _batches() -> Iterator[Batch]:
    """Three small games; in the second the piles have different sizes."""
    random = torch.Generator().manual_seed(0)
    for real_count, fake_count in ((6, 6), (5, 9), (8, 8)):
        critic, generator = nn.Linear(2, 1), nn.Linear(2, 2)
        with torch.no_grad():
            for weight in (*critic.parameters(), *generator.parameters()):
                weight.copy_(torch.randn(weight.shape, generator=random))
        yield (
            critic,
            generator,
            torch.randn(real_count, 2, generator=random),
            torch.randn(fake_count, 2, generator=random),
        )


def _check_step(answer: StepLoss) -> str | None:
    for critic, generator, real, noise in _batches():
        right = mended_step(critic, generator, real, noise)
        players = copy.deepcopy(critic), copy.deepcopy(generator)
        loss = alone(call(answer, *players, real, noise))
        if not same(loss, right):
            return (
                f"expected a loss of {right:.4f}, got {shown(loss)}: which target do fakes have, "
                "and are both means there in full?"
            )
        if not (isinstance(loss, Tensor) and loss.requires_grad):
            return "the loss is right, but nothing can be learnt from it: no gradient flows."
        if any(slope is not None for slope in _slopes(loss, list(players[1].parameters()))):
            return "the loss is right, but it sends a gradient to the generator: detach the fakes."
        targets = torch.autograd.grad(right, list(critic.parameters()))
        for slope, target in zip(
            _slopes(loss, list(players[0].parameters())), targets, strict=True
        ):
            if slope is None or not same(slope, target):
                return (
                    "the loss is right, but its gradient in the discriminator is not: "
                    "detach what the generator made, and nothing that the discriminator says."
                )
    return None


step = Exercise(name="step", check=_check_step, reference=mended_step)

EXERCISES = (dstar, js, stable, step)
