"""What several test modules of `gan` are given."""

from __future__ import annotations

import torch
from hypothesis import settings

from genbook.games import play
from genbook.kit import data

FEW = settings(max_examples=15, deadline=None)


GRID = torch.linspace(-30, 30, 6001, dtype=torch.float64)


RING = play.around(data.ring_centres(6, 2.2), 0.25)


def flat(*modules):
    return torch.cat([w.detach().flatten() for m in modules for w in m.parameters()])
