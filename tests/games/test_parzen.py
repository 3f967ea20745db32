"""Laws of `genbook.games.parzen`."""

from __future__ import annotations

import torch
from sklearn.neighbors import KernelDensity

from genbook.games import parzen


def test_parzen_windows_agree_with_a_library():
    points = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    ours = parzen.parzen(points[:30], points[30:], [0.3, 1.0])
    for sigma, row in zip((0.3, 1.0), ours, strict=True):
        theirs = KernelDensity(bandwidth=sigma).fit(points[:30]).score_samples(points[30:])
        torch.testing.assert_close(row.double(), torch.from_numpy(theirs), rtol=1e-4, atol=1e-4)


def test_the_validation_set_chooses_the_width():
    points = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    score = parzen.parzen_score(points[:100], points[100:150], points[150:], [0.01, 0.5, 9.0])
    assert score.sigma == 0.5
    assert score.standard_error > 0
