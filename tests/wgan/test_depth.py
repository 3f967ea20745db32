"""Laws of `genbook.wgan.depth`."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genbook.games.play import mlp
from genbook.kit.seeds import Streams
from genbook.wgan import depth, losses


def test_random_signs_lose_the_predicted_factor_a_layer():
    width, clip = 128, 0.01
    critic = mlp([2, *[width] * 8, 1], Streams([0]), nn.ReLU)
    with torch.no_grad():
        for weight in critic.parameters():
            weight.copy_(clip * weight.sign())
    x = Streams([1]).normal(256, 2)
    norms = depth.layer_norms(critic, losses.wgan(), x, x + 3)
    lost = depth.decades_per_layer(norms[:, 1:]).item()
    assert lost == pytest.approx(-math.log10(depth.chain_factors(clip, width).random), abs=0.15)


@pytest.mark.parametrize("signs", ["equal", "random"])
def test_no_layer_of_clipped_weights_exceeds_the_aligned_factor(signs):
    width, clip = 16, 0.3
    weights = torch.full((width, width // 2), clip, dtype=torch.float64)  # half of the columns
    if signs == "random":
        weights *= Streams([3], dtype=torch.float64).normal(width, width // 2)[0].sign()
    factors = depth.chain_factors(clip, width)
    largest = torch.linalg.matrix_norm(weights, 2).item()
    if signs == "equal":
        assert largest == pytest.approx(factors.aligned, rel=1e-12)
    else:
        assert largest < 0.8 * factors.aligned
    over_a_basis = weights.square().sum().item() / width
    assert over_a_basis**0.5 == pytest.approx(factors.random, rel=1e-12)


@pytest.mark.parametrize(("clip", "width"), [(0.0, 8), (math.nan, 8), (0.1, 1)])
def test_factors_of_no_layer_are_refused(clip, width):
    with pytest.raises(ValueError, match="expected a limit c > 0"):
        depth.chain_factors(clip, width)
