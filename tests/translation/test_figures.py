"""Laws of `genbook.translation.figures`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.translation import (
    figures,
)
from tests.translation.given import FEW


@FEW
@given(st.floats(0.05, 0.95))
def test_the_game_for_one_pixel_is_zero_exactly_at_the_share_of_ink(share):
    v = torch.tensor([share, share / 2, (1 + share) / 2], dtype=torch.float64)
    game, error = figures.mixed_loss(share, 2.0, v)
    assert abs(game[0]) < 1e-12
    assert (game[1:] > 0).all()
    assert error[0].item() == pytest.approx(4 * share * (1 - share))


def test_drawings_have_a_readout():
    assert "40%" in figures.one_pixel(0.4, 0.5).get_label()
    assert "180°" in figures.round_trip(180).get_label()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.8])
@pytest.mark.parametrize("weight", [0.0, 0.13, 3.0, 12.0])
def test_the_optimum_of_one_pixel_has_slope_zero(share, weight):
    best = torch.tensor(figures.one_pixel_optimum(share, weight), dtype=torch.float64)
    v = best.clone().requires_grad_()
    (slope,) = torch.autograd.grad(sum(figures.mixed_loss(share, weight, v[None])).sum(), v)
    assert 0 < best < 1
    assert abs(slope) < 1e-9


@pytest.mark.parametrize(
    ("share", "weight"), [(0.0, 1.0), (1.0, 1.0), (0.4, -1.0), (0.4, torch.inf)]
)
def test_one_pixel_needs_a_share_inside_and_a_finite_weight(share, weight):
    with pytest.raises(ValueError, match="inside"):
        figures.one_pixel_optimum(share, weight)
