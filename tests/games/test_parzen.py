"""Laws of `genbook.games.parzen`."""

from __future__ import annotations

import pytest
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


def test_cluster_centres_are_the_means_of_clusters_that_lie_far_apart():
    near = torch.tensor([[0.0, 0.0], [0.0, 2.0], [0.0, 4.0]])
    found = parzen.cluster_centres(torch.cat([near, near + 1_000]).repeat(20, 1), 2, batch=120)
    means = torch.stack([near.mean(0), near.mean(0) + 1_000])
    torch.testing.assert_close(found[found[:, 0].argsort()], means, rtol=0, atol=0.5)


@pytest.mark.parametrize("count", [0, 4])
def test_more_centres_than_rows_or_none_are_refused(count):
    with pytest.raises(ValueError, match="expected 1 to 3 centres"):
        parzen.cluster_centres(torch.zeros(3, 2), count)
