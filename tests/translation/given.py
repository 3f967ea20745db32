"""What several test modules of `translation` are given."""

from __future__ import annotations

import torch
from hypothesis import settings

from genbook.kit import data
from genbook.translation import pairs as translation_pairs

FEW = settings(max_examples=15, deadline=None)


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def digits(count=64):
    return data.digits("train", device="cpu").take(count)


def last(steps):
    *_, step = steps
    return step


def pairs_of():
    return translation_pairs.thumbnails(digits())


def pictures(seed=0, channels=1):
    return torch.rand(4, channels, 8, 8, generator=source(seed), dtype=torch.float64)
