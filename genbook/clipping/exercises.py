"""Exercises of the chapter on gradients that explode and vanish."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from genbook.clipping import bounds
from genbook.kit.exercises import Exercise, UnansweredError, Wrong, call

Loss = Callable[[], Tensor]
Clip = Callable[[list[Tensor], float], list[Tensor]]
Parameters = list[nn.Parameter]

# Clip by norm


def clip_by_hand(gradients: list[Tensor], threshold: float) -> list[Tensor]:
    """Shorten all gradients together to the threshold."""
    length = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    return [gradient * min(1.0, threshold / length) for gradient in gradients]


def _each_alone(gradients: list[Tensor], threshold: float) -> list[Tensor]:
    return [clip_by_hand([gradient], threshold)[0] for gradient in gradients]


def _stretched(gradients: list[Tensor], threshold: float) -> list[Tensor]:
    length = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))
    return [gradient * threshold / length for gradient in gradients]


def _value(gradients: list[Tensor], threshold: float) -> list[Tensor]:
    return [gradient.clamp(-threshold, threshold) for gradient in gradients]


def _check_clip(answer: Clip) -> str | None:
    long = [torch.tensor([6.0, 0.0]), torch.tensor([[8.0]])]
    short = [torch.tensor([0.3, 0.0]), torch.tensor([[0.4]])]
    first, second = call(answer, [g.clone() for g in long], 5.0)
    found = torch.stack([first[0], second[0, 0]])
    if torch.allclose(found, torch.tensor([5.0, 5.0])):
        return "6 and 8 both became 5, so the direction turned: scale all tensors by one factor."
    if not torch.allclose(found, torch.tensor([3.0, 4.0])):
        return f"expected 3 and 4 for 6 and 8 at threshold 5, got {found.tolist()}."
    kept = call(answer, [g.clone() for g in short], 5.0)
    if not all(torch.allclose(a, b) for a, b in zip(kept, short, strict=True)):
        return "a gradient that is already short must stay as it is, not be stretched."
    return None


clip = Exercise(
    name="clip",
    check=_check_clip,
    reference=clip_by_hand,
    wrong=(
        Wrong(_each_alone, "one factor"),
        Wrong(_value, "direction turned"),
        Wrong(_stretched, "already short"),
    ),
)

# Which λ?


def scale_by_hand(factor: float, optimiser: str) -> float:
    """The λ of θ = λφ that multiplies a layer's learning rate by a factor."""
    return math.sqrt(factor) if optimiser == "SGD" else factor


def _check_scale(answer: Callable[[float, str], float]) -> str | None:
    sgd, adam = (float(call(answer, 9.0, name)) for name in ("SGD", "Adam"))
    if math.isclose(sgd, 9.0):
        return "SGD multiplies the rate by λ²: the gradient by φ grows by λ, and θ = λφ once more."
    if math.isclose(adam, 3.0):
        return "Adam divides the gradient by its own size, so only one λ is left."
    if not (math.isclose(sgd, 3.0) and math.isclose(adam, 9.0)):
        return f"for a factor of 9 expected 3 under SGD and 9 under Adam, got {sgd:g}, {adam:g}."
    return None


scale = Exercise(
    name="scale",
    check=_check_scale,
    reference=scale_by_hand,
    wrong=(
        Wrong(lambda factor, optimiser: factor, "λ²"),
        Wrong(lambda factor, optimiser: math.sqrt(factor), "one λ is left"),
    ),
)

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


def _clip_first(
    parameters: Parameters, loss: Loss, optimiser: torch.optim.Optimizer, threshold: float
) -> None:
    clip_grad_norm_(parameters, threshold)
    optimiser.zero_grad()
    loss().backward()
    optimiser.step()


def _steep() -> tuple[nn.Parameter, Loss, torch.optim.Optimizer]:
    """A gradient of length 100 and plain descent with rate 1."""
    at = nn.Parameter(torch.zeros(2))
    return at, lambda: (torch.tensor([60.0, 80.0]) * at).sum(), torch.optim.SGD([at], lr=1.0)


def _moved(at: nn.Parameter) -> float:
    """How far from 0; a stub leaves it there."""
    if bool((at == 0).all()):
        raise UnansweredError
    return at.detach().norm().item()


def _check_update(answer: Update) -> str | None:
    at, loss, optimiser = _steep()
    for _ in range(2):
        answer([at], loss, optimiser, 1.0)
    moved = _moved(at)
    left = 0.0 if at.grad is None else at.grad.norm().item()
    if moved > 100 and left < 2:
        return "the gradient was cut after the step had used it, and zero_grad throws that away."
    if moved > 100:
        return "the step used the full gradient: clip what backward() has just written."
    if not math.isclose(moved, 2.0, rel_tol=1e-3):
        return f"two steps of length 1 should move 2, yours moved {moved:.3g}."
    return None


update = Exercise(
    name="update",
    check=_check_update,
    reference=mended_update,
    wrong=(Wrong(printed_update, "after the step"), Wrong(_clip_first, "has just written")),
)

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


def _unclipped(
    parameters: Parameters,
    loss: Loss,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    threshold: float,
) -> None:
    optimiser.zero_grad()
    scaler.scale(loss()).backward()
    scaler.step(optimiser)
    scaler.update()


def _check_mixed(answer: Mixed) -> str | None:
    at, loss, optimiser = _steep()
    answer([at], loss, optimiser, torch.amp.GradScaler("cpu", init_scale=1024.0), 1.0)
    moved = _moved(at)
    if math.isclose(moved, 1 / 1024, rel_tol=1e-2):
        return (
            "the step was 1024 times too short: the threshold met gradients that still carry the "
            "loss scale, and the scaler divided afterwards."
        )
    if math.isclose(moved, 100.0, rel_tol=1e-2):
        return "the gradient was not clipped at all."
    if not math.isclose(moved, 1.0, rel_tol=1e-2):
        return f"a step of length 1 was expected, yours moved {moved:.3g}."
    return None


mixed = Exercise(
    name="mixed",
    check=_check_mixed,
    reference=mended_mixed,
    wrong=(Wrong(printed_mixed, "loss scale"), Wrong(_unclipped, "not clipped")),
)

# λ₁ is no eigenvalue

Criterion = Callable[[Tensor, float], bool]


def printed_criterion(weight: Tensor, gamma: float) -> bool:
    """Meant to be the condition that is sufficient for every gradient to vanish."""
    largest = torch.linalg.eigvals(weight).abs().max()
    return bool(largest < 1 / gamma)


def mended_criterion(weight: Tensor, gamma: float) -> bool:
    """Whether the largest singular value is below 1/γ."""
    largest = torch.linalg.matrix_norm(weight, 2)
    return bool(largest < 1 / gamma)


def _frobenius(weight: Tensor, gamma: float) -> bool:
    return bool(torch.linalg.matrix_norm(weight) < 1 / gamma)


def _no_gamma(weight: Tensor, gamma: float) -> bool:
    return bool(torch.linalg.matrix_norm(weight, 2) < 1)


def _check_criterion(answer: Criterion) -> str | None:
    exploding, even = bounds.tilted(3.0, 90.0), torch.eye(9, dtype=torch.float64)
    if call(answer, exploding, 1.0):
        return (
            "you promise that 3·uvᵀ with u ⟂ v vanishes, and with one unit saturated it explodes: "
            "its eigenvalues are 0, its largest singular value is 3."
        )
    if not call(answer, 0.5 * even, 1.0):
        return "½ of the identity shrinks every vector; the Frobenius norm is too strict a test."
    if not call(answer, 3.0 * even, 0.25):
        return "a sigmoid's slope is at most γ = ¼, so λ₁ = 3 still vanishes: compare with 1/γ."
    return None


criterion = Exercise(
    name="criterion",
    check=_check_criterion,
    reference=mended_criterion,
    wrong=(
        Wrong(printed_criterion, "singular value is 3"),
        Wrong(_frobenius, "Frobenius"),
        Wrong(_no_gamma, "compare with 1/γ"),
    ),
)

EXERCISES = (clip, scale, update, mixed, criterion)
