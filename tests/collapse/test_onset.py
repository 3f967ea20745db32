"""Laws of `genbook.collapse.onset`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.collapse import onset
from genbook.games import modes as games_modes
from genbook.kit.seeds import Streams


def test_rings_of_their_own_have_their_own_size_and_width():
    radii, stds = torch.tensor([0.5, 4.0]), torch.tensor([0.02, 0.1])
    centres, draw = onset.own_rings(radii, stds)
    drawn = draw(Streams([0, 1]), 4000)
    for place in range(2):
        distance, _ = games_modes.nearest(drawn[place, None], centres[place])
        rayleigh = float(stds[place]) * math.sqrt(math.pi / 2)
        assert distance.mean().item() == pytest.approx(rayleigh, rel=0.03)
