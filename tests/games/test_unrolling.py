"""Laws of `genbook.games.unrolling`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.games import duality
from genbook.games.play import from_convex, scores, unrolled
from genbook.kit.seeds import Streams
from tests.collapse.given import FEW


class Scalar(torch.nn.Module):
    """The critic y·x of the bilinear game."""

    def __init__(self, y: float) -> None:
        super().__init__()
        self.y = torch.nn.Parameter(torch.tensor(y, dtype=torch.float64))

    def forward(self, x):
        return self.y * x


@FEW
@given(x=st.floats(-2, 2), y=st.floats(-2, 2), steps=st.integers(0, 4))
def test_unrolling_differentiates_through_the_imagined_steps(x, y, steps):
    objective, rate = from_convex(duality.TRANSPORT), 0.3
    place = torch.tensor([[[x]]], dtype=torch.float64, requires_grad=True)
    streams = Streams([0], dtype=torch.float64)
    real = torch.zeros(1, 1, 1, dtype=torch.float64)
    critic = unrolled(Scalar(y), objective, real, place, streams, steps=steps, rate=rate)
    loss = objective.generator_loss(scores(critic, place)).sum()
    (slope,) = torch.autograd.grad(loss, place)
    assert slope.item() == pytest.approx(-(y - 2 * steps * rate * x), abs=1e-12)
