"""Exercises of the chapter on mode collapse."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.games import modes
from genbook.kit.answers import call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise

# --- The histogram ----------------------------------------------------------------------------

HISTOGRAMS = tuple(
    torch.tensor(counts, dtype=torch.float64)
    for counts in ([30.0, 10.0, 0.0, 10.0], [1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 7.0], [4.0, 4.0, 4.0])
)
"""With an empty mode, with none, with a single mode, and the wished-for one, whose KL is 0."""


def histogram_kl(counts: Tensor) -> Tensor:
    """KL of the histogram against equal modes, in nats; empty modes add nothing."""
    share = counts / counts.sum()
    return torch.special.xlogy(share, len(counts) * share).sum()


def _entropy(counts: Tensor) -> Tensor:
    share = counts / counts.sum()
    return -torch.special.xlogy(share, share).sum()


def _check_histogram(answer: Callable[[Tensor], Tensor]) -> str | None:
    for counts in HISTOGRAMS:
        given, target = call(answer, counts), modes.histogram_kl(counts)
        value = float(numbers(given, []))
        if math.isnan(value):
            return "NaN: 0 · log 0 is 0 here, and torch.special.xlogy knows it."
        if math.isinf(value):
            return "infinite: that is KL(p‖q̂), the forward direction; PacGAN averages under q̂."
        if same(given, target):
            continue
        if same(given, _entropy(counts)):
            return "that is the entropy of q̂; the divergence is log K less it."
        if same(given, target / math.log(2)):
            return f"that is in bits ({shown(given)}); the book uses nats, the natural logarithm."
        return differs(given, target, f"for the counts {shown(counts)}")
    return None


histogram = Exercise(name="histogram", check=_check_histogram, reference=histogram_kl)


# --- Packing ----------------------------------------------------------------------------------

BATCHES = (
    (torch.arange(24.0).reshape(12, 2), 3),
    (torch.arange(24.0).reshape(8, 3) ** 2, 2),
    (torch.arange(12.0).reshape(6, 2), 6),
    (torch.arange(6.0).reshape(3, 2), 1),
)


def pack(x: Tensor, m: int) -> Tensor:
    """Lay m neighbours side by side: [B, d] becomes [B/m, m·d]."""
    return x.reshape(len(x) // m, m * x.shape[1])


def _packs(x: Tensor, packed: Tensor, m: int) -> str | None:
    """What is wrong with packs of different samples, each used once; their order is free."""
    wanted = {tuple(row.tolist()) for row in x}
    found = [tuple(part.tolist()) for row in packed for part in row.reshape(m, -1)]
    if len(set(found)) < len(found):
        return "each sample stands beside itself; a pack holds m different samples."
    if set(found) != wanted:
        return "right shape, but coordinates of different samples are mixed: look at the first row."
    return None


def _check_pack(answer: Callable[[Tensor, int], Tensor]) -> str | None:
    for x, m in BATCHES:
        value = numbers(call(answer, x, m), name="the packs")
        wanted = [len(x) // m, m * x.shape[1]]
        if m > 1 and list(value.shape) == [len(x) // m, x.shape[1]]:
            return "a mean of the pack hides what the critic is to see: whether samples agree."
        if m > 1 and list(value.shape) == [len(x), m * x.shape[1]]:
            return "each sample stands beside itself; a pack holds m different samples."
        if list(value.shape) != wanted:
            return f"for m = {m} expected shape {wanted}, got {list(value.shape)}."
        if (trouble := _packs(x.double(), value, m)) is not None:
            return trouble
    return None


packing = Exercise(name="packing", check=_check_pack, reference=pack)


# --- Bug hunts --------------------------------------------------------------------------------


def seven(n: int) -> Tensor:
    """Meant to be n centres on a circle, [n, 2]; it is not."""
    angles = torch.linspace(0, 2 * math.pi, n)
    return torch.stack([angles.cos(), angles.sin()], 1)


def eight(n: int) -> Tensor:
    """Return n different centres on a circle, [n, 2]."""
    angles = 2 * math.pi * torch.arange(n) / n
    return torch.stack([angles.cos(), angles.sin()], 1)


def _check_ring(answer: Callable[[int], Tensor]) -> str | None:
    for n in (8, 5, 12):
        value = numbers(call(answer, n), name="the centres")
        if value.ndim != 2 or value.shape[1] != 2:
            return f"expected centres [n, 2], got shape {list(value.shape)}."
        if len(value) != n:
            return f"for n = {n} there are {len(value)} centres; none may be lost or fixed."
        if (apart := modes.distinct(value)) < n:
            return f"only {apart} different centres of {n}: angles 0 and 2π are one place."
        if not same(value.norm(dim=1), torch.ones(n), rtol=1e-4):
            return f"expected centres at distance 1, got {shown(value.norm(dim=1))}."
        angles = torch.atan2(value[:, 1], value[:, 0]).sort().values
        gaps = torch.cat([angles.diff(), angles[:1] + 2 * math.pi - angles[-1:]])
        if not same(gaps, torch.full((n,), 2 * math.pi / n), rtol=1e-3):
            return "not evenly spaced around the whole circle."
    return None


ring = Exercise(name="ring", check=_check_ring, reference=eight)

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


GAMES = ((0.6, 0.2, 3, 0.1), (-0.7, 0.4, 1, 0.25), (1.5, -0.3, 5, 0.05))


def _check_unroll(answer: Look) -> str | None:
    for x, y, steps, look in GAMES:
        start = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
        value = call(answer, *start, steps, look)
        ahead = steps * look * x
        if same(value, y + 2 * ahead):
            continue
        if same(value, y):
            return "that is K = 0, the ordinary game."
        if same(value, y + ahead):
            return "∂f/∂x alone: the imagined steps see a constant x. What does detach cut?"
        if same(value, y - 2 * ahead):
            return "the imagined critic goes the wrong way: y climbs xy."
        where = f"for x = {x}, y = {y}, K = {steps}, η = {look}"
        return differs(value, y + 2 * ahead, f"{where}: y + 2Kηx, ")
    return None


unroll = Exercise(name="unroll", check=_check_unroll, reference=far_sighted)

EXERCISES = (histogram, packing, ring, unroll)
