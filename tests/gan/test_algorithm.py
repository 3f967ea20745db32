"""Laws of `genbook.gan.algorithm`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbook.gan import algorithm


def test_momentum_does_not_rescale_a_gradient():
    for scale in (1.0, 1e-6):
        weight = nn.Parameter(torch.zeros(1))
        rule = algorithm.Momentum(lr=0.5, momentum=0.0).over([weight])
        (scale * weight).sum().backward()
        rule.step()
        assert weight.item() == pytest.approx(-0.5 * scale)
