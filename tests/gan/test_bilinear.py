"""Laws of `genbook.gan.bilinear`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.gan import bilinear
from genbook.gan.bilinear import METHODS, SmallGame
from tests.gan.given import FEW


@FEW
@given(x_rate=st.floats(0.01, 0.9), y_rate=st.floats(0.01, 0.9))
def test_growth_of_the_three_methods(x_rate, y_rate):
    game, h = SmallGame(x_rate, y_rate), x_rate * y_rate
    growth = {name: bilinear.growth(step, game) for name, step in METHODS.items()}
    assert growth["simultaneous"] == pytest.approx(math.sqrt(1 + h))
    assert growth["alternating"] == pytest.approx(1)
    assert growth["extragradient"] == pytest.approx(math.sqrt(1 - h + h**2))


@pytest.mark.parametrize("name", METHODS)
def test_an_orbit_is_the_matrix_applied_again_and_again(name):
    game, start = SmallGame(0.3, 0.2, 0.1), torch.tensor([1.0, -0.5], dtype=torch.float64)
    path = bilinear.orbit(METHODS[name], game, start, 4)
    matrix = bilinear.update_matrix(METHODS[name], game)
    torch.testing.assert_close(path[-1], torch.linalg.matrix_power(matrix, 4) @ start)


@FEW
@given(x_rate=st.floats(0.05, 1.5), y_rate=st.floats(0.05, 1.5))
def test_taking_turns_conserves_an_ellipse(x_rate, y_rate):
    game, start = SmallGame(x_rate, y_rate), torch.tensor([1.0, 0.3], dtype=torch.float64)
    kept = bilinear.conserved(game, bilinear.orbit(METHODS["alternating"], game, start, 60))
    torch.testing.assert_close(kept, kept[:1].expand(61))
