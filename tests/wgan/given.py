"""What several test modules of `wgan` are given."""

from __future__ import annotations

import torch
from hypothesis import settings
from hypothesis import strategies as st

from genbook.kit.seeds import Streams

FEW = settings(max_examples=10, deadline=None)


any_seed = st.integers(0, 10_000)


def double(*seeds):
    return Streams(seeds or (0,), dtype=torch.float64)
