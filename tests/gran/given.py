"""What several test modules of `gran` are given."""

from __future__ import annotations

import torch
from hypothesis import settings

FEW = settings(max_examples=20, deadline=None)


def number(value):
    return torch.tensor(value, dtype=torch.float64)
