"""Laws of `genbook.fgan.windows`."""

from __future__ import annotations

import math

import torch

from genbook.fgan import survival, windows
from genbook.games import duality
from genbook.gan.images import Split


def test_parzen_scores_of_a_game_that_fits_beat_those_of_a_game_that_died(monkeypatch):
    points = torch.rand(60, 4, generator=torch.Generator().manual_seed(2))
    images = Split(points[:20], points[20:40], points[40:])
    samples = torch.stack([points[:20], points[:20] + 3, torch.full((20, 4), math.nan)])
    outcome = survival.Outcome(samples, torch.zeros(5, 3), (None, None, 2))
    monkeypatch.setattr(windows, "on_images", lambda *_, **__: outcome)
    near, far, dead = windows.scored(duality.KL, images, (0, 1, 2), iterations=5, samples=20)
    assert near["parzen"] > far["parzen"]
    assert dead == {"row": "KL", "seed": 2, "died": 2}
