"""Exercises of the chapter on gradients that explode and vanish."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from genbook.clipping import bounds
from genbook.kit.answers import (
    Hint,
    UnansweredError,
    agree,
    call,
    call_in_place,
    differs,
    numbers,
    same,
    shown,
    tolerance,
)
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise

Loss = Callable[[], Tensor]
Clip = Callable[[list[Tensor], float], Any]
Parameters = list[nn.Parameter]

# Clip by norm


def clip_by_hand(gradients: list[Tensor], threshold: float) -> list[Tensor]:
    """Shorten all gradients together to the threshold."""
    length = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    scale = threshold / length if length > threshold else 1.0
    return [gradient * scale for gradient in gradients]


def _parts(*rows: list[float] | list[list[float]]) -> list[Tensor]:
    return [torch.tensor(row, dtype=torch.float64) for row in rows]


def _layers(seed: int, size: float) -> list[Tensor]:
    source = seeded(seed)
    shapes = ((4, 3), (4,), (2, 4))
    return [size * torch.randn(s, generator=source, dtype=torch.float64) for s in shapes]


LONG = (_parts([6.0, 2.0], [[8.0]]), 5.0)
SHORT = (_parts([0.3, 0.0], [[0.4]]), 5.0)
ZERO = (_parts([0.0, 0.0], [[0.0]]), 5.0)
CLIPS = (LONG, SHORT, (_layers(0, 10.0), 1.5), (_layers(1, 3.0), 7.0), (_layers(2, 0.1), 7.0))


def _length(gradients: list[Tensor]) -> float:
    return math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


CLIP_RIVALS: Sequence[tuple[Clip, str]] = (
    (
        lambda g, c: [clip_by_hand([part], c)[0] for part in g],
        "each tensor was clipped alone, which turns the whole: scale all by one factor.",
    ),
    (
        lambda g, c: [part.clamp(-c, c) for part in g],
        "that clips by value, and the direction turned: scale all tensors by one factor.",
    ),
    (
        lambda g, c: [part * c / _length(g) for part in g],
        "a gradient that is already short must stay as it is, not be stretched.",
    ),
    (
        lambda g, c: [part * min(1.0, c / sum(float(p.norm()) for p in g)) for part in g],
        "the length of the whole is not the sum of the lengths: add the squares, then the root.",
    ),
    (
        lambda g, c: [part * min(1.0, c / max(float(p.abs().max()) for p in g)) for part in g],
        "that bounds the largest component; the norm is the root of the sum of all squares.",
    ),
    (
        lambda g, c: [part * min(1.0, c / _length(g) ** 2) for part in g],
        "the root is missing: the norm is the root of the sum of all squares.",
    ),
    (lambda g, c: g, "nothing was shortened."),
)


def _joined(answer: Any, like: list[Tensor]) -> Tensor:
    """The tensors of an answer as one long vector."""
    if not isinstance(answer, (list, tuple)) or len(answer) != len(like):
        raise Hint(f"expected a list of {len(like)} tensors, got {shown(answer)}.")
    pairs = zip(answer, like, strict=True)
    parts = [numbers(a, g.shape, f"tensor {k}") for k, (a, g) in enumerate(pairs)]
    return torch.cat([part.flatten() for part in parts])


def _clips_as(answer: Clip, rival: Clip) -> bool:
    for case in CLIPS:
        given = call(answer, *case)
        target = _joined(rival(*case), case[0])
        if not same(_joined(given, case[0]), target, rtol=tolerance(given)):
            return False
    return True


def _check_clip(answer: Clip) -> str | None:
    if bool(_joined(call(answer, *ZERO), ZERO[0]).isnan().any()):
        return "a gradient of zeros became NaN: divide by the length only if it is too long."
    for case in (*CLIPS, ZERO):
        given = call(answer, *case)
        target = _joined(clip_by_hand(*case), case[0])
        where = f"for a gradient of length {_length(case[0]):.4g} and threshold {case[1]:g}"
        hint = differs(_joined(given, case[0]), target, where, rtol=tolerance(given))
        if hint is not None:
            return next((words for rival, words in CLIP_RIVALS if _clips_as(answer, rival)), hint)
    return None


clip = Exercise(name="clip", check=_check_clip, reference=clip_by_hand)

# Which λ?


def scale_by_hand(factor: float, optimiser: str) -> float:
    """The λ of θ = λφ that multiplies a layer's learning rate by a factor."""
    return math.sqrt(factor) if optimiser == "SGD" else factor


def _check_scale(answer: Callable[[float, str], Any]) -> str | None:
    factors = (9.0, 2.0, 1.0, 0.25)
    cases = [(factor, name) for factor in factors for name in ("SGD", "Adam")]

    def describe(factor: float, optimiser: str) -> str:
        return f"for a factor of {factor:g} under {optimiser}"

    hint = agree(answer, scale_by_hand, cases, describe)
    if hint is None:
        return None
    found = {case: float(numbers(call(answer, *case), [])) for case in cases}
    sgd, adam = ({f: found[f, name] for f in factors} for name in ("SGD", "Adam"))
    if all(math.isclose(sgd[f], 1 / math.sqrt(f), rel_tol=1e-4) for f in factors):
        return "upside down: θ = λφ learns faster if λ is large."
    if all(math.isclose(sgd[f], f, rel_tol=1e-4) for f in factors):
        return "SGD multiplies the rate by λ²: the gradient by φ grows by λ, and θ = λφ once more."
    if all(math.isclose(adam[f], math.sqrt(f), rel_tol=1e-4) for f in factors):
        return "Adam divides the gradient by its own size, so only one λ is left."
    return hint


scale = Exercise(name="scale", check=_check_scale, reference=scale_by_hand)

# Clipping after the step

Update = Callable[[Parameters, Loss, torch.optim.Optimizer, float], None]


def printed_update(
    parameters: Parameters, loss: Loss, optimiser: torch.optim.Optimizer, threshold: float
) -> None:
    """Meant to be one clipped update."""
    optimiser.zero_grad()
    loss().backward()
    optimiser.step()
    clip_grad_norm_(parameters, threshold)


def mended_update(
    parameters: Parameters, loss: Loss, optimiser: torch.optim.Optimizer, threshold: float
) -> None:
    """One clipped update: backward, clip, step."""
    optimiser.zero_grad()
    loss().backward()
    clip_grad_norm_(parameters, threshold)
    optimiser.step()


class _Bowl:
    """Two parameters in a bowl: its gradient is long far out, short within, and turns."""

    def __init__(self, size: float = 1.0) -> None:
        self.parameters = [nn.Parameter(torch.tensor(v)) for v in ([3.0, -2.0], [[4.0]])]
        self.curvatures = [torch.tensor([1.0, 3.0]), torch.tensor([[5.0]])]
        self.optimiser = torch.optim.SGD(self.parameters, lr=0.15)
        self.size, self.asked = size, 0
        self.scales: list[float] = []  # by which the loss was multiplied, of each way back

    def loss(self) -> Tensor:
        """The height where the parameters are."""
        self.asked += 1
        pairs = zip(self.parameters, self.curvatures, strict=True)
        height = self.size * torch.stack([(c * p.square()).sum() / 2 for p, c in pairs]).sum()
        if height.requires_grad:
            height.register_hook(lambda gradient: self.scales.append(float(gradient)))
        return height

    @property
    def place(self) -> Tensor:
        """Both parameters in a row."""
        return torch.cat([p.detach().flatten() for p in self.parameters])

    def slope(self) -> float:
        """The length of the gradient that is left in the parameters."""
        return _length([p.grad for p in self.parameters if p.grad is not None])


Updater = Callable[[_Bowl], Any]


def _walk(update: Updater, count: int = 16) -> tuple[Tensor, _Bowl]:
    """Where the updates lead, ``[count, 3]``."""
    bowl, seen = _Bowl(), []
    for _ in range(count):
        update(bowl)
        seen.append(bowl.place)
    if bowl.asked == 0:
        raise UnansweredError
    return torch.stack(seen), bowl


def _readers(update: Callable[[], Any]) -> None:
    """Let the reader's update run; that it returns nothing is as it should be."""
    try:
        call_in_place(update)
    except UnansweredError:
        return


def _near(ours: Tensor, theirs: Tensor) -> bool:
    return same(ours, theirs, rtol=1e-4)


def _misled(walk: Tensor, target: Tensor, threshold: float) -> str | None:
    """The hint for a walk that is not the right one."""
    if _near(walk, target):
        return None
    if _near(walk, _Bowl().place.expand_as(walk)):
        return "nothing moved: does anything empty the gradients before the step, or is none made?"
    off = next(k for k in range(len(walk)) if not _near(walk[k], target[k]))
    return (
        f"at threshold {threshold:g} update {off + 1} should lead to {shown(target[off])}, yours "
        f"led to {shown(walk[off])}."
    )


def _edited(
    edit: Callable[[_Bowl, float], object], *, fresh: bool = True
) -> Callable[[_Bowl, float], None]:
    """An update of a bowl that does ``edit`` between backward and step."""

    def update(bowl: _Bowl, threshold: float) -> None:
        if fresh:
            bowl.optimiser.zero_grad()
        bowl.loss().backward()
        edit(bowl, threshold)
        bowl.optimiser.step()

    return update


def _each_alone(bowl: _Bowl, threshold: float) -> None:
    for parameter in bowl.parameters:
        clip_grad_norm_(parameter, threshold)


def _stretch(bowl: _Bowl, threshold: float) -> None:
    length = bowl.slope()
    for gradient in (p.grad for p in bowl.parameters if p.grad is not None):
        gradient.mul_(threshold / length)


def _clip_whole(bowl: _Bowl, threshold: float) -> None:
    clip_grad_norm_(bowl.parameters, threshold)


def _nothing(bowl: _Bowl, threshold: float) -> None:
    pass


UPDATE_RIVALS: Sequence[tuple[Callable[[_Bowl, float], None], str]] = (
    (
        _edited(_clip_whole, fresh=False),
        "gradients add up from update to update: empty them with zero_grad before backward().",
    ),
    (
        _edited(_each_alone),
        "each tensor was clipped alone, which turns the whole: one norm over all parameters.",
    ),
    (
        _edited(lambda bowl, c: clip_grad_value_(bowl.parameters, c)),
        "that clips by value, which turns the gradient: asked is the norm.",
    ),
    (
        _edited(_stretch),
        "a gradient that is already short must stay as it is, not be stretched.",
    ),
)
THRESHOLD = 6.0
HUGE = 2.0**100
GROWTH = 2
UNSCALED = (
    "the loss was not scaled, so in half precision small gradients become 0: call backward() of "
    "scaler.scale(loss())."
)


def _rival(walk: Tensor) -> str | None:
    for rival, words in UPDATE_RIVALS:
        if _near(walk, _walk(lambda bowl, act=rival: act(bowl, THRESHOLD))[0]):  # type: ignore[misc]
            return words
    return None


def _check_update(answer: Update) -> str | None:
    def update(bowl: _Bowl) -> None:
        _readers(lambda: answer(bowl.parameters, bowl.loss, bowl.optimiser, THRESHOLD))

    target, _ = _walk(lambda bowl: _edited(_clip_whole)(bowl, THRESHOLD))
    first = _Bowl()
    update(first)
    walk, _ = _walk(update)
    if _near(walk, _walk(lambda bowl: _edited(_nothing)(bowl, THRESHOLD))[0]):
        if first.slope() < 1.01 * THRESHOLD:
            return (
                "the gradient was cut after the step had used it, and zero_grad throws that away."
            )
        return "the step used the full gradient: clip what backward() has just written."
    hint = _misled(walk, target, THRESHOLD)
    return None if hint is None else _rival(walk) or hint


update = Exercise(name="update", check=_check_update, reference=mended_update)

# Clipping scaled gradients

Mixed = Callable[[Parameters, Loss, torch.optim.Optimizer, torch.amp.GradScaler, float], None]


def printed_mixed(
    parameters: Parameters,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    threshold: float,
) -> None:
    """Meant to be one clipped update in mixed precision."""
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def mended_mixed(
    parameters: Parameters,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    threshold: float,
) -> None:
    """Scale, backward, unscale, clip, step."""
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def _mixed_without_zero_grad(
    parameters: Parameters,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    threshold: float,
) -> None:
    scaler.scale(loss()).backward()
    scaler.unscale_(optimiser)
    clip_grad_norm_(parameters, threshold)
    scaler.step(optimiser)
    scaler.update()


def _mixed(answer: Mixed, scaler: torch.amp.GradScaler | None = None) -> Updater:
    """An update of a bowl with a loss scale that lasts from one to the next, and grows."""
    lasting = scaler or torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=GROWTH)

    def update(bowl: _Bowl) -> None:
        given = (bowl.parameters, bowl.loss, bowl.optimiser, lasting, THRESHOLD)
        _readers(lambda: answer(*given))

    return update


def _check_mixed(answer: Mixed) -> str | None:
    target, _ = _walk(lambda bowl: _edited(_clip_whole)(bowl, THRESHOLD))
    walk, bowl = _walk(_mixed(answer))
    if _near(walk, _walk(_mixed(printed_mixed))[0]):
        return (
            "the step was 1024 times too short, later more: the threshold met gradients that "
            "still carry the loss scale, and the scaler divided afterwards; or it divided twice."
        )
    if _near(walk, _walk(lambda bowl: _edited(_nothing)(bowl, THRESHOLD))[0]):
        return "the gradient was not clipped at all."
    hint = _misled(walk, target, THRESHOLD)
    if hint is None:
        return _check_overflow(answer)
    if _near(walk, _walk(_mixed(_mixed_without_zero_grad))[0]):
        return UPDATE_RIVALS[0][1]
    if (words := _rival(walk)) is not None:
        return words
    if bowl.scales and max(bowl.scales) < 1024:
        return UNSCALED
    if _near(walk[:GROWTH], target[:GROWTH]):
        return (
            "all goes well while the scale is 1024, and no longer when the scaler has doubled it: "
            "ask scaler.get_scale(), or let scaler.unscale_ divide."
        )
    return hint


def _check_overflow(answer: Mixed) -> str | None:
    """A gradient that is too large for single precision once it is scaled, and only then."""
    scaler = torch.amp.GradScaler("cpu", init_scale=HUGE)
    bowl = _Bowl(size=1e9)
    before = bowl.place
    _mixed(answer, scaler)(bowl)
    if HUGE not in bowl.scales:
        return UNSCALED
    if not _near(bowl.place, before):
        return (
            "where the scaled gradient overflows, scaler.step leaves the parameters as they are; "
            f"yours became {shown(bowl.place)}."
        )
    if scaler.get_scale() >= HUGE:
        return "the loss scale did not fall after an overflow: end with scaler.update()."
    return None


mixed = Exercise(name="mixed", check=_check_mixed, reference=mended_mixed)

# λ₁ is no eigenvalue

Criterion = Callable[[Tensor, float], Any]


def printed_criterion(weight: Tensor, gamma: float) -> bool:
    """Meant to be the condition that is sufficient for every gradient to vanish."""
    largest = torch.linalg.eigvals(weight).abs().max()
    return bool(largest < 1 / gamma)


def mended_criterion(weight: Tensor, gamma: float) -> bool:
    """Whether the largest singular value is below 1/γ."""
    largest = torch.linalg.matrix_norm(weight, 2)
    return bool(largest < 1 / gamma)


def _criterion_cases() -> list[tuple[Tensor, float]]:
    """Matrices just below and just above the limit, of every kind and of several sizes."""
    source, cases = seeded(0), []
    for kind in bounds.KINDS:
        for gamma in (1.0, 0.25, 0.5):
            for share, size in ((0.95, 3), (1.05, 6)):
                weight = bounds.with_largest(kind, size, share / gamma, source)
                cases.append((weight, gamma))
    even = 0.6 * torch.ones(2, 2, dtype=torch.float64)
    small = bounds.with_largest("random", 4, 0.6, source)
    return [*cases, (small, 0.25), (even, 1.0), (-even, 1.0), (-0.7 * even, 1.0)]


CRITERION_RIVALS: Sequence[tuple[Criterion, str]] = (
    (
        lambda w, gamma: torch.linalg.matrix_norm(w) < 1 / gamma,
        "½ of the identity shrinks every vector; the Frobenius norm is too strict a test.",
    ),
    (
        lambda w, gamma: torch.linalg.matrix_norm(w, 2) < 1,
        "a sigmoid's slope is at most γ = ¼, so λ₁ = 3 still vanishes: compare with 1/γ.",
    ),
    (
        lambda w, gamma: torch.linalg.matrix_norm(w, 2) < gamma,
        "the smaller γ, the more surely it vanishes: compare with 1/γ.",
    ),
    (
        lambda w, gamma: w.abs().max() < 1 / gamma,
        "0.6 in each of four places makes λ₁ = 1.2: the largest entry is no singular value.",
    ),
    (
        lambda w, gamma: torch.linalg.matrix_norm(w, torch.inf) < 1 / gamma,
        "the largest row sum may exceed λ₁, so it is too strict a test.",
    ),
)


def _truth(value: Any) -> bool:
    number = float(numbers(value, []))
    if number not in (0.0, 1.0):
        raise Hint(f"expected True or False, got {shown(value)}.")
    return number == 1.0


def _judges_as(answer: Criterion, rival: Criterion) -> bool:
    cases = _criterion_cases()
    return all(_truth(call(answer, *case)) == _truth(rival(*case)) for case in cases)


def _check_criterion(answer: Criterion) -> str | None:
    exploding = bounds.tilted(3.0, 90.0)
    if _truth(call(answer, exploding, 1.0)) and _judges_as(answer, printed_criterion):
        return (
            "you promise that 3·uvᵀ with u ⟂ v vanishes, and with one unit saturated it explodes: "
            "its eigenvalues are 0, its largest singular value is 3."
        )
    for weight, gamma in [(exploding, 1.0), *_criterion_cases()]:
        right = mended_criterion(weight, gamma)
        if _truth(call(answer, weight, gamma)) != right:
            for rival, words in CRITERION_RIVALS:
                if _judges_as(answer, rival):
                    return words
            largest = float(torch.linalg.matrix_norm(weight, 2))
            return f"for λ₁ = {largest:.4g} and γ = {gamma:g} expected {right}, got {not right}."
    if _truth(call(answer, torch.ones(1, 1, dtype=torch.float64), 1.0)):
        return "at λ₁ = 1/γ a length may stay as it is: the condition λ₁ < 1/γ has no equality."
    return None


criterion = Exercise(name="criterion", check=_check_criterion, reference=mended_criterion)

EXERCISES = (clip, scale, update, mixed, criterion)
