"""Laws of `genbook.vae.figures`."""

from __future__ import annotations

import re

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.vae import figures, models
from tests.vae.given import F64


def test_the_bound_figure_reads_out_a_sum_that_holds():
    figure = figures.bound_gap(0.5, 0.7)
    bound, gap, evidence = map(float, re.findall(r"-?\d+\.\d+", figure.get_label()))
    assert bound + gap == pytest.approx(evidence, abs=0.02)
    best = figures.one_dimensional().posterior(torch.tensor([[figures.OBSERVED]], dtype=F64))
    exact = figures.bound_gap(float(best.mean), float(best.stddev))
    assert "gap 0.00" in exact.get_label()


def test_places_part_wherever_they_begin_and_far_ones_stay():
    starts = {
        "one spot": torch.zeros(10, 2),
        "one corner": torch.full((10, 2), 9.0),
        "a crowd": 0.3 * torch.randn(10, 2, generator=seeded(0)),
        "a wide crowd": 1.5 * torch.randn(10, 2, generator=seeded(1)),
    }
    for places in starts.values():
        spots = figures.spread(places, apart=0.55, reach=3.2)
        assert torch.pdist(spots).min() >= 0.55
        assert spots.abs().max() <= 3.2
    far = torch.tensor([[0.0, 0.1], [0.0, 0.0], [2.0, 2.0]])
    assert torch.equal(figures.spread(far, apart=0.5, reach=3)[2], far[2])
    with pytest.raises(ValueError, match="room for 10 places"):
        figures.spread(torch.zeros(10, 2), apart=3, reach=3)


def test_explorable_figures_keep_their_axes_still():
    plane = models.VAE(64, 2, hidden=(8,), generator=seeded(0))
    other = models.VAE(64, 2, hidden=(8,), generator=seeded(1))
    auto = models.Autoencoder(64, 2, hidden=(8,), generator=seeded(0))
    images = data.coins(torch.rand(12, 1, 8, 8, generator=seeded(1)), seeded(2))
    codes = torch.randn(12, 2, generator=seeded(3))
    drawings = {
        figures.bound_gap: [(-1.0, 0.1), (3.0, 1.5)],
        figures.bound_cloud: [(0, 0.4), (8, 3.0)],
        figures.latent_plane(plane, codes, torch.arange(12) % 10, (8, 8)): [
            (-3.2, 0.0),
            (0.0, 3.2),
        ],
        figures.between(auto, plane, images): [("1", 0.0), ("6", 1.0)],
        figures.rate_distortion({1: plane, 4: other}, images, codes): [(1,), (4,)],
    }
    for draw, values in drawings.items():
        first, second = ([(a.get_xlim(), a.get_ylim()) for a in draw(*v).axes] for v in values)
        assert first == second


def test_the_papers_numbers_are_drawn_beside_ours():
    rows = [
        {"part": "curve", "dataset": "mnist", "k": k, "passes": passes, "nll": 100.0, "active": 9}
        for k in (1, 5, 50)
        for passes in (1, 4)
    ]
    (axes,) = figures.learning_curves(rows).axes
    assert [row[-1] for row in figures.nll_cells(rows)][::2] == list(figures.PAPER.values())
    stars = [line.get_ydata()[0] for line in axes.get_lines() if line.get_marker() == "*"]
    assert stars == list(figures.PAPER.values())
