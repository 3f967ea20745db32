r"""Against vanishing: a penalty that keeps the length of the error on its way back.

Axes: **S** seeds, **T** steps, **B** sequences, **H** units. Any of S and B may be missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbook.clipping.bounds import TANH, Squash
from genbook.kit.seeds import Streams
from genbook.kit.training import Step, finite


def ratios(weight: Tensor, xs: Tensor, errors: Tensor, squash: Squash = TANH) -> Tensor:
    r"""By which factor each step back changes the length of the error.

    .. math:: r_k = \frac{\big\|\delta_{k+1}\,J_{k+1}\big\|}{\|\delta_{k+1}\|},\qquad
        \delta_k=\frac{\partial E}{\partial x_k},\quad
        J_{k+1} = W\operatorname{diag}\big(\sigma'(x_k)\big)

    Args:
        weight: W, ``[H, H]`` or ``[S, H, H]``.
        xs: the states :math:`x_0,\dots,x_{T-1}`, ``[T, …, H]``; with seeds ``[T, S, B, H]``.
        errors: :math:`\delta_1,\dots,\delta_T`, of the same shape.
        squash: σ.

    Returns:
        Shape ``[T, …]``.

    Raises:
        ValueError: if the shapes differ, or an error is zero and has no direction.

    Source:
        Pascanu, Mikolov & Bengio (2013), equation 9.

    Example:
        >>> ratios(3 * torch.eye(2), torch.zeros(4, 2), torch.ones(4, 2))
        tensor([3.0000, 3.0000, 3.0000, 3.0000])
    """
    if xs.shape != errors.shape or xs.ndim < 2 or xs.shape[-1:] != weight.shape[-1:]:
        raise ValueError(
            f"expected states and errors [T, …, {weight.shape[-1]}], got {list(xs.shape)} and "
            f"{list(errors.shape)}"
        )
    lengths = errors.norm(dim=-1)
    if not bool((lengths > 0).all()):
        raise ValueError(
            "expected errors that are not zero, got one that is; it may have underflowed: take "
            "float64 or a shorter sequence"
        )
    directions = errors / lengths[..., None]
    return ((directions @ weight) * squash.slope(xs)).norm(dim=-1)


def penalty(weight: Tensor, xs: Tensor, errors: Tensor, squash: Squash = TANH) -> Tensor:
    r"""How far the steps back are from keeping the length of the error.

    .. math:: \Omega = \sum_k (r_k - 1)^2

    Its gradient by W is meant with states and errors held, as in the paper: pass them detached.

    Args:
        weight: W, ``[H, H]`` or ``[S, H, H]``.
        xs: the states, ``[T, …, H]``.
        errors: of the same shape.
        squash: σ.

    Returns:
        One number a sequence, ``[…]``.

    Raises:
        ValueError: see :func:`ratios`.

    Source:
        Pascanu, Mikolov & Bengio (2013), equation 9.

    Example:
        >>> round(penalty(3 * torch.eye(2), torch.zeros(4, 2), torch.ones(4, 2)).item(), 4)
        16.0
    """
    return (ratios(weight, xs, errors, squash) - 1).square().sum(0)


@dataclass(frozen=True)
class Recall:
    r"""A task that needs a long memory, and how it is trained.

    A sign enters at step 0. Then there is nothing but noise, and at the end the sign is asked for.

    Attributes:
        steps: T, between the sign and the question.
        hidden: H, tanh units.
        batch: B.
        updates: of plain SGD.
        rate: its learning rate.
        threshold: the gradient of each seed is clipped at this norm.
        largest: singular value of the first recurrent weights; below 1 the gradient vanishes.
        noise: deviation of what enters at each step.
        strength: α, weight of the penalty; 0 for none.

    Raises:
        ValueError: if a count is not positive or a size is negative.
    """

    steps: int = 30
    hidden: int = 24
    batch: int = 16
    updates: int = 200
    rate: float = 0.1
    threshold: float = 1.0
    largest: float = 0.9
    noise: float = 0.1
    strength: float = 0.0

    def __post_init__(self) -> None:
        counts = (self.steps, self.hidden, self.batch, self.updates)
        if min(counts) < 1 or min(self.rate, self.threshold, self.largest) <= 0:
            raise ValueError(f"expected positive counts, rate, threshold and λ₁, got {self}")
        if min(self.noise, self.strength) < 0:
            raise ValueError(f"expected noise and strength ≥ 0, got {self}")


@dataclass(frozen=True)
class RecallStep(Step):
    r"""One update of all seeds.

    Attributes:
        losses: cross-entropy before the update in nats, ``[S]``.
        penalties: Ω, ``[S]``.
        reach: :math:`\|\delta_1\| / \|\delta_T\|`, mean over sequences, ``[S]``.
    """

    losses: Tensor
    penalties: Tensor
    reach: Tensor


def recall(task: Recall, seeds: Streams) -> Iterator[RecallStep]:
    r"""Train nets to remember a sign, with or without the penalty.

    .. math:: x_0 = s\,a,\qquad x_t = W\tanh(x_{t-1}) + \epsilon_t,\qquad
        E = \log\big(1 + e^{-s\,c^\top\tanh(x_T)}\big)

    Args:
        task: sizes and settings.
        seeds: one stream a run.

    Yields:
        Updates.

    Example:
        >>> task = Recall(steps=3, hidden=4, batch=2, updates=2)
        >>> [step.losses.shape for step in recall(task, Streams([0, 1, 2]))]
        [torch.Size([3]), torch.Size([3])]
    """
    weights = _start(task, seeds)
    for index in range(task.updates):
        sign = 2.0 * seeds.integers(2, task.batch) - 1
        xs, losses = _forward(weights, sign, task.noise * seeds.normal(task.steps, *_shape(task)))
        found = torch.autograd.grad(losses.sum(), [*weights, *xs[1:]])
        gradients, errors = list(found[:3]), torch.stack(found[3:])
        omega = penalty(weights[0], torch.stack(xs[:-1]).detach(), errors).mean(-1)
        if task.strength:
            (pull,) = torch.autograd.grad(omega.sum(), weights[0])
            gradients[0] = gradients[0] + task.strength * pull
        _descend(weights, gradients, task)
        lengths = errors.norm(dim=-1)
        reach = (lengths[0] / lengths[-1]).mean(-1)
        terms = finite(index, loss=losses.detach().mean().item())
        yield RecallStep(index, task.updates, terms, losses.detach(), omega.detach(), reach)


def _shape(task: Recall) -> tuple[int, int]:
    return task.batch, task.hidden


def _start(task: Recall, seeds: Streams) -> list[Tensor]:
    """Recurrent weights [S, H, H], the sign's entry [S, H] and the readout [S, H]."""
    recurrent = seeds.normal(task.hidden, task.hidden)
    recurrent *= task.largest / torch.linalg.matrix_norm(recurrent, 2)[:, None, None]
    entry, readout = seeds.normal(task.hidden), seeds.normal(task.hidden) / math.sqrt(task.hidden)
    return [weight.requires_grad_() for weight in (recurrent, entry, readout)]


def _forward(weights: list[Tensor], sign: Tensor, noise: Tensor) -> tuple[list[Tensor], Tensor]:
    """The states x₀, …, x_T, each [S, B, H], and the mean loss of each seed [S]."""
    recurrent, entry, readout = weights
    xs = [sign[..., None] * entry[:, None]]
    for step in range(noise.shape[1]):
        xs.append(torch.tanh(xs[-1]) @ recurrent.mT + noise[:, step])
    logits = (torch.tanh(xs[-1]) * readout[:, None]).sum(-1)
    return xs, softplus(-sign * logits).mean(-1)


@torch.no_grad()
def _descend(weights: list[Tensor], gradients: list[Tensor], task: Recall) -> None:
    """One step of SGD, the gradient of each seed clipped by norm."""
    norms = torch.stack([g.flatten(1).square().sum(1) for g in gradients]).sum(0).sqrt()
    factors = task.rate * (task.threshold / norms).clamp(max=1)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight -= factors.view(-1, *[1] * (gradient.ndim - 1)) * gradient
