"""Detectors beside likelihood: the nearest plane, a classifier's doubt, shares of a sample."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import percentileofscore
from sklearn.decomposition import PCA

from genbook.adversarial.networks import Classifier
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.uses import detectors, tables


def points() -> torch.Tensor:
    mixed = torch.randn(7, 7, generator=seeded(1), dtype=torch.float64)
    return torch.randn(80, 7, generator=seeded(0), dtype=torch.float64) @ mixed + 3


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_plane_is_that_of_the_principal_components(count):
    x = points()
    plane, other = detectors.principal(x, count), PCA(count).fit(x.numpy())
    assert torch.allclose(plane.mean.double(), x.mean(0), atol=1e-6)
    inner = plane.basis.double() @ torch.from_numpy(other.components_).T
    assert torch.allclose(inner.abs(), torch.eye(count).double(), atol=1e-5)
    wanted = torch.from_numpy(other.inverse_transform(other.transform(x.numpy())))
    assert torch.allclose(plane.redrawn(x.float()).double(), wanted, atol=2e-5)
    gaps = (x - wanted).square().sum(1)
    assert torch.allclose(plane.gaps(x.float()).double(), gaps, rtol=1e-4, atol=1e-5)


def test_what_lies_in_the_plane_has_no_gap_and_no_other_plane_has_less():
    x = points().float()
    plane = detectors.principal(x, 2)
    inside = plane.mean + torch.randn(5, 2, generator=seeded(2)) @ plane.basis
    assert plane.gaps(inside).max() < 1e-8
    least = plane.gaps(x).sum()
    for seed in range(5):
        turned = torch.linalg.qr(
            plane.basis.T + 0.1 * torch.randn(7, 2, generator=seeded(seed))
        ).Q.T
        assert detectors.Subspace(plane.mean, turned).gaps(x).sum() > least


def test_a_small_reader_reads_and_its_weights_are_its_all():
    images = data.digits("train", device="cpu").take(600)
    pages = tables.binary(images.flat)
    net = detectors.small_reader(pages, images.labels, steps=200)
    assert (net(pages).argmax(1) == images.labels).float().mean() > 0.85
    again = detectors.told(Classifier([64, 32, 10], 9), list(net.parameters()), pages)
    assert torch.allclose(again, net(pages).softmax(1), atol=1e-6)


def test_doubts_are_minus_the_log_odds_and_fall_with_the_largest_chance():
    logits = 4 * torch.randn(50, 6, generator=seeded(3), dtype=torch.float64)
    chances = logits.softmax(1)
    most = chances.max(1).values
    assert torch.allclose(detectors.doubts(chances), -most.logit(), atol=1e-9)
    assert torch.equal(detectors.doubts(chances).argsort(), most.argsort(descending=True))


def test_shares_are_those_of_the_sample():
    scores = torch.randn(401, generator=seeded(4), dtype=torch.float64)
    steps = detectors.steps_of(scores)
    assert (steps[0], steps[-1]) == (scores.min().float(), scores.max().float())
    assert steps[len(steps) // 2] == scores.median().float()
    for place in range(len(steps)):
        share = detectors.share_below(steps[place], steps).item()
        assert share == pytest.approx(place / (len(steps) - 1), abs=1e-6)
    for score in (-1.0, 0.2, 1.4):
        share = detectors.share_below(torch.tensor(score), steps).item()
        assert share == pytest.approx(percentileofscore(scores.numpy(), score) / 100, abs=0.025)
    assert detectors.share_below(torch.tensor(-9.0), steps) == 0
    assert detectors.share_below(torch.tensor(9.0), steps) == 1


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="1 to 7 components"):
        detectors.principal(points(), 8)
    with pytest.raises(ValueError, match="components, got 0"):
        detectors.principal(points(), 0)
