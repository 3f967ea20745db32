"""Exercises of the chapter on how far a layer may stretch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbook.invertible import norms, traces
from genbook.kit.answers import Hint, agree, call, known, numbers, same
from genbook.kit.exercises import Exercise


def _drawn(*shape: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


BRANCHES: tuple[tuple[Callable[[Any], Any], float, int], ...] = (
    (lambda x: 0.5 * x, 3.0, 4),
    (lambda x: -0.8 * _tanh(x), 0.7, 1),
    (lambda x: 0.9 * _tanh(x - 1), -0.4, 7),
    (lambda x: 0.5 * x, 3.0, 60),
)


def _tanh(x: Any) -> Any:
    if isinstance(x, Tensor):
        return torch.tanh(x)
    return np.tanh(x) if isinstance(x, np.ndarray | np.generic) else math.tanh(x)


def back_by_hand(g: Callable[[Any], Any], y: float, steps: int) -> Any:
    """The n-th stop of the way back, beginning at y."""
    x = y
    for _ in range(steps):
        x = y - g(x)
    return x


def _check_back(answer: Callable[..., Any]) -> str | None:
    if (hint := agree(answer, back_by_hand, BRANCHES, _way)) is None:
        return None
    rivals = (
        (
            lambda g, y, n: back_by_hand(lambda x: -g(x), y, n),
            "look at the sign: from y = x + g(x) follows x = y − g(x).",
        ),
        (
            _forgets_y,
            "each step subtracts g from y, not from the last x: keep y.",
        ),
        (
            lambda g, y, n: back_by_hand(g, y, n - 1) if n > 1 else y,
            "one step too few: x₀ = y is no step.",
        ),
        (lambda g, y, n: back_by_hand(g, y, n + 1), "one step too many: x₀ = y, then n steps."),
        (_from_zero, "begin at x₀ = y."),
    )
    return known(answer, rivals, BRANCHES) or hint


def _way(g: Callable[[Any], Any], y: float, steps: int) -> str:
    return f"for y = {y:g} and {steps} steps"


def _forgets_y(g: Callable[[Any], Any], y: float, steps: int) -> Any:
    x = y
    for _ in range(steps):
        x = x - g(x)
    return x


def _from_zero(g: Callable[[Any], Any], y: float, steps: int) -> Any:
    x = 0 * y
    for _ in range(steps):
        x = y - g(x)
    return x


back = Exercise(name="back", check=_check_back, reference=back_by_hand)


def variance_by_hand(matrix: Tensor) -> Tensor:
    """Var(uᵀAu) for fair signs u: twice the squares beside the diagonal of the even part."""
    even = (matrix + matrix.T) / 2
    off = even - torch.diag(even.diagonal())
    return 2 * off.square().sum()


def _signs(matrix: Tensor) -> Tensor:
    return traces.estimate_variance(matrix, gaussian=False)


MATRICES = tuple((_drawn(d, d, seed=d),) for d in (2, 3, 5))


def _check_variance(answer: Callable[..., Any]) -> str | None:
    if (hint := agree(answer, _signs, MATRICES, _sized)) is None:
        return None
    rivals = (
        (
            lambda a: traces.estimate_variance(a, gaussian=True),
            "that is the variance for Gaussian probes; a sign squared is always 1, so the "
            "diagonal adds none.",
        ),
        (
            lambda a: 2 * (a.square().sum() - a.diagonal().square().sum()),
            "A need not be symmetric: uᵀAu sees only its even part, (A + Aᵀ) / 2.",
        ),
        (lambda a: _signs(a) / 2, "half of it: s_ij and s_ji stand in the same pair, twice."),
        (lambda a: 2 * _signs(a), "twice that: i ≠ j counts each pair twice already."),
        (lambda a: 4 * _signs(a), "the even part is half of A + Aᵀ."),
        (lambda a: _signs(a).sqrt(), "that is the standard deviation."),
    )
    return known(answer, rivals, MATRICES) or hint


def _sized(matrix: Tensor) -> str:
    return f"for a matrix of {len(matrix)} × {len(matrix)}"


variance = Exercise(name="variance", check=_check_variance, reference=variance_by_hand)


def hasty(weight: Tensor, seed: int = 0) -> Tensor:
    """Meant to give a layer of norm 1; it does not."""
    u = torch.randn(weight.shape[1], generator=torch.Generator().manual_seed(seed)).to(weight)
    v = weight @ u / (weight @ u).norm()
    u = weight.T @ v / (weight.T @ v).norm()
    return weight / (v @ weight @ u)


def patient(weight: Tensor) -> Tensor:
    """A layer of norm 1: power iteration until the estimate stands still."""
    u = torch.ones(weight.shape[1]).to(weight) + torch.arange(weight.shape[1]).to(weight) / 7
    before = torch.zeros(()).to(weight)
    for _ in range(100_000):
        v = weight @ u / (weight @ u).norm()
        u = weight.T @ v / (weight.T @ v).norm()
        sigma = v @ weight @ u
        if sigma - before <= 1e-15 * sigma:
            break
        before = sigma
    return weight / sigma


LAYERS = (
    _drawn(20, 12, seed=1),
    0.01 * _drawn(9, 14, seed=2),
    torch.diag(torch.tensor([3.0, 2.95, 0.1], dtype=torch.float64)),
)


def _check_once(answer: Callable[..., Any]) -> str | None:
    for weight in LAYERS:
        given = call(answer, weight)
        found = numbers(given, weight.shape)
        size = f"for a layer of {weight.shape[0]} × {weight.shape[1]} "
        if not bool(found.isfinite().all()):
            return size + "it is no finite number."
        length = float(torch.linalg.matrix_norm(found, 2))
        right = float(torch.linalg.matrix_norm(weight, 2))
        if same(given, weight / right, rtol=max(3e-5, _coarse(given))):
            continue
        if same(found, weight / torch.linalg.matrix_norm(weight)):
            return size + "that is divided by the root of the sum of squares, not by the norm."
        if not same(found / max(length, 1e-30), weight / right, rtol=1e-3):
            return size + "the direction changed: divide the whole matrix by one number."
        if same(found, weight):
            return size + (
                f"it came back as it was, of norm {right:.4f}: divide by the norm, whether that is "
                "above 1 or below."
            )
        if length > 1:
            return size + (
                f"the norm is {length:.4f}: that was divided by less than the norm. If by an "
                "estimate, it was too small: one step from a random u is not enough; go on until "
                "it stands still."
            )
        return size + (
            f"the norm is {length:.4f}, below 1: that was divided by more than the norm. In vᵀWu "
            "both v and u must have length 1."
        )
    return None


def _coarse(answer: Any) -> float:
    return 1e-4 if getattr(answer, "dtype", None) in (torch.float32,) else 0.0


once = Exercise(name="once", check=_check_once, reference=patient)


def flattened(kernel: Tensor, side: int) -> Tensor:
    """Meant to be the norm of a circular convolution on side × side images; it is not."""
    return torch.linalg.matrix_norm(kernel.flatten(1), 2)


def by_waves(kernel: Tensor, side: int) -> Tensor:
    """The norm of a circular convolution: the longest of its matrices, one a frequency."""
    waves = torch.fft.fft2(kernel, s=(side, side)).permute(2, 3, 0, 1)
    return torch.linalg.matrix_norm(waves, 2).max()


KERNELS = (
    (torch.ones(1, 1, 3, 3, dtype=torch.float64), 8),
    (_drawn(2, 3, 3, 3, seed=11), 6),
    (_drawn(4, 1, 3, 5, seed=8), 7),
)


def _operator(kernel: Tensor, side: int) -> Tensor:
    found: Tensor = torch.linalg.matrix_norm(norms.as_matrix(kernel, side, side), 2)
    return found


def _check_waves(answer: Callable[..., Any]) -> str | None:
    if (hint := agree(answer, _operator, KERNELS, _pictured)) is None:
        return None
    rivals = (
        (flattened, "that is still the norm of the reshaped kernel."),
        (
            lambda k, n: math.sqrt(k.shape[-2] * k.shape[-1]) * flattened(k, n),
            "that is the upper bound √(hw) times the reshaped norm; the norm lies below it.",
        ),
        (
            lambda k, n: torch.fft.fft2(k, s=(n, n)).abs().max(),
            "with several channels each frequency has a matrix: take its norm, not its largest "
            "entry.",
        ),
        (
            lambda k, n: by_waves(k, k.shape[-1]),
            "the kernel must be filled up with zeros to the size of the image: s=(side, side).",
        ),
        (
            lambda k, n: by_waves(k, 2 * n),
            "that is the norm on larger images: side × side images have side × side frequencies.",
        ),
        (
            lambda k, n: torch.linalg.matrix_norm(
                torch.fft.fft2(k, s=(n, n)).permute(2, 3, 0, 1)
            ).max(),
            "that is the Frobenius norm of each frequency's matrix; take the largest singular "
            "value: matrix_norm(…, 2).",
        ),
    )
    try:
        return known(answer, rivals, KERNELS) or hint
    except Hint:
        return hint


def _pictured(kernel: Tensor, side: int) -> str:
    return f"for a kernel of shape {list(kernel.shape)} on {side} × {side} images"


waves = Exercise(name="waves", check=_check_waves, reference=by_waves)

EXERCISES = (back, variance, once, waves)
