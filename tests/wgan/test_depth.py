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
    assert lost == pytest.approx(-math.log10(clip * math.sqrt(width / 2)), abs=0.15)
