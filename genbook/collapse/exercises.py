"""Exercises of the chapter on mode collapse."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.games import modes
from genbook.kit.exercises import Exercise, Wrong, call

# --- The histogram ----------------------------------------------------------------------------

COUNTS = torch.tensor([30.0, 10.0, 0.0, 10.0], dtype=torch.float64)


def histogram_kl(counts: Tensor) -> Tensor:
    """KL of the histogram against equal modes, in nats; empty modes add nothing."""
    share = counts / counts.sum()
    return torch.special.xlogy(share, len(counts) * share).sum()


def _with_nan(counts: Tensor) -> Tensor:
    share = counts / counts.sum()
    return (share * (len(counts) * share).log()).sum()


def _forward(counts: Tensor) -> Tensor:
    share = counts / counts.sum()
    return -(len(counts) * share).log().mean()


def _entropy(counts: Tensor) -> Tensor:
    share = counts / counts.sum()
    return -torch.special.xlogy(share, share).sum()


def _check_histogram(answer: Callable[[Tensor], Tensor]) -> str | None:
    value, target = float(call(answer, COUNTS)), float(modes.histogram_kl(COUNTS))
    if math.isnan(value):
        return "NaN: 0 · log 0 is 0 here, and torch.special.xlogy knows it."
    if math.isinf(value):
        return "infinite: that is KL(p‖q̂), the forward direction; PacGAN averages under q̂."
    if math.isclose(value, float(_entropy(COUNTS)), rel_tol=1e-9):
        return "that is the entropy of q̂; the divergence is log K less it."
    return None if math.isclose(value, target, rel_tol=1e-9) else f"expected {target:.4f}."


histogram = Exercise(
    name="histogram",
    check=_check_histogram,
    reference=histogram_kl,
    wrong=(Wrong(_with_nan, "NaN"), Wrong(_forward, "forward"), Wrong(_entropy, "entropy")),
)


# --- Packing ----------------------------------------------------------------------------------

BATCH = torch.arange(24.0).reshape(12, 2)


def pack(x: Tensor, m: int) -> Tensor:
    """Lay m neighbours side by side: [B, d] becomes [B/m, m·d]."""
    return x.reshape(len(x) // m, m * x.shape[1])


def _stack_features(x: Tensor, m: int) -> Tensor:
    return x.T.reshape(len(x) // m, m * x.shape[1])


def _mean(x: Tensor, m: int) -> Tensor:
    return x.reshape(len(x) // m, m, x.shape[1]).mean(1)


def _repeat(x: Tensor, m: int) -> Tensor:
    return x.repeat(1, m)


def _check_pack(answer: Callable[[Tensor, int], Tensor]) -> str | None:
    value = call(answer, BATCH, 3)
    if not isinstance(value, Tensor) or value.ndim != 2:
        return "expected a tensor [B/m, m·d]."
    if value.shape == (4, 2):
        return "a mean of the pack hides what the critic is to see: whether samples agree."
    if value.shape == (12, 6):
        return "each sample stands beside itself; a pack holds m different samples."
    if value.shape != (4, 6):
        return f"expected shape [4, 6], got {list(value.shape)}."
    if not torch.equal(value, pack(BATCH, 3)):
        return "right shape, but coordinates of different samples are mixed: look at the first row."
    return None


packing = Exercise(
    name="packing",
    check=_check_pack,
    reference=pack,
    wrong=(Wrong(_stack_features, "mixed"), Wrong(_mean, "hides"), Wrong(_repeat, "itself")),
)


# --- Bug hunts --------------------------------------------------------------------------------


def seven(n: int) -> Tensor:
    """Meant to be n centres on a circle, [n, 2]; it is not."""
    angles = torch.linspace(0, 2 * math.pi, n)
    return torch.stack([angles.cos(), angles.sin()], 1)


def eight(n: int) -> Tensor:
    """Return n different centres on a circle, [n, 2]."""
    angles = 2 * math.pi * torch.arange(n) / n
    return torch.stack([angles.cos(), angles.sin()], 1)


def _drop_last(n: int) -> Tensor:
    return seven(n)[:-1]


def _half_circle(n: int) -> Tensor:
    angles = math.pi * torch.arange(n) / n
    return torch.stack([angles.cos(), angles.sin()], 1)


def _check_ring(answer: Callable[[int], Tensor]) -> str | None:
    value = call(answer, 8)
    if not isinstance(value, Tensor) or value.shape[1:] != (2,):
        return "expected centres [n, 2]."
    if len(value) != 8:
        return f"the repeated centre is gone, and now there are {len(value)} of 8."
    if modes.distinct(value) < 8:
        return f"only {modes.distinct(value)} different centres: angles 0 and 2π are one place."
    gaps = torch.linalg.vector_norm(value - value.roll(1, 0), dim=-1)
    even = bool((gaps - gaps[0]).abs().max() < 1e-5)
    return None if even else "not evenly spaced around the whole circle."


ring = Exercise(
    name="ring",
    check=_check_ring,
    reference=eight,
    wrong=(
        Wrong(seven, "one place"),
        Wrong(_drop_last, "there are 7"),
        Wrong(_half_circle, "evenly"),
    ),
)

Look = Callable[[Tensor, Tensor, int, float], Tensor]


def short_sighted(x: Tensor, y: Tensor, steps: int, look: float) -> Tensor:
    """Meant to be df_K/dx in the game of xy, y imagined ``steps`` ahead; it is not."""
    x = x.detach().requires_grad_()
    for _ in range(steps):
        y = y + look * x.detach()
    return torch.autograd.grad(x * y, x)[0]


def far_sighted(x: Tensor, y: Tensor, steps: int, look: float) -> Tensor:
    """df_K/dx in the game of xy, through the imagined steps: y + 2Kηx."""
    x = x.detach().requires_grad_()
    for _ in range(steps):
        y = y + look * x
    return torch.autograd.grad(x * y, x)[0]


def _uphill(x: Tensor, y: Tensor, steps: int, look: float) -> Tensor:
    return far_sighted(x, y, steps, -look)


def _not_ahead(x: Tensor, y: Tensor, steps: int, look: float) -> Tensor:
    return y.clone()


def _check_unroll(answer: Look) -> str | None:
    x, y = torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.2, dtype=torch.float64)
    value = float(call(answer, x, y, 3, 0.1))
    if math.isclose(value, 0.2, rel_tol=1e-9):
        return "that is K = 0, the ordinary game."
    if math.isclose(value, 0.2 + 0.15, rel_tol=1e-9):
        return "∂f/∂x alone: the imagined steps see a constant x. What does detach cut?"
    if value < 0.2:
        return "the imagined critic goes the wrong way: y climbs xy."
    return None if math.isclose(value, 0.2 + 0.3, rel_tol=1e-9) else "expected y + 2Kηx = 0.5."


unroll = Exercise(
    name="unroll",
    check=_check_unroll,
    reference=far_sighted,
    wrong=(
        Wrong(short_sighted, "detach"),
        Wrong(_uphill, "wrong way"),
        Wrong(_not_ahead, "K = 0"),
    ),
)

EXERCISES = (histogram, packing, ring, unroll)
