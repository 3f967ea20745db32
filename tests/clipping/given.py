"""What several test modules of `clipping` are given."""

from __future__ import annotations

import math

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

from genbook.clipping import bounds, characters
from genbook.kit.device import seeded

FEW = settings(max_examples=25, deadline=None)


DOUBLE = torch.float64


SEEDS = st.integers(0, 10_000)


INFINITE = math.inf


# A rate for each layer


def bowl(x: Tensor) -> Tensor:
    return (torch.tensor([1.0, 4.0], dtype=DOUBLE) * x.square()).sum() / 2 + x.prod().sin()


POINT = torch.tensor([1.5, -0.7], dtype=DOUBLE)


# Training


def arms(*thresholds: float) -> list[characters.Arm]:
    return [characters.Arm(0, 0.5, threshold) for threshold in thresholds]


TEXT = torch.randint(96, (400,), generator=seeded(0))


def walk(seed: int, squash=bounds.TANH):
    """Weights, states 0 … 5 of a net of four units, and its errors by autograd."""
    source = seeded(seed)
    weight = bounds.with_largest("random", 4, 1.3, source)
    drives = torch.randn(6, 4, generator=source, dtype=DOUBLE)
    start = torch.randn(4, generator=source, dtype=DOUBLE).requires_grad_()
    xs = [start]
    for drive in drives:
        xs.append(weight @ squash.function(xs[-1]) + drive)
    question = torch.randn(4, generator=source, dtype=DOUBLE)
    errors = torch.autograd.grad((xs[-1] * question).sum().sin(), xs)
    return weight, torch.stack(xs[:-1]).detach(), errors
