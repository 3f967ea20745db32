"""Laws of `genbook.kit.packing`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook.kit import packing
from genbook.kit.device import seeded

FEW = settings(max_examples=30, deadline=None)


@FEW
@given(st.integers(0, 100))
def test_packing_pictures_costs_at_most_half_a_level(seed):
    images = torch.rand(2, 1, 4, 4, generator=seeded(seed))
    back = packing.unpack_images(packing.pack_images(images), 1, 4, 4)
    assert (back - images).abs().max() <= 0.5 / 15 + 1e-6


def test_images_of_sixteen_levels_survive_being_packed():
    images = torch.arange(16.0).reshape(2, 2, 4) / 15
    back = packing.unpack_images(packing.pack_images(images), 2, 4)
    torch.testing.assert_close(back, images)


def test_grey_values_out_of_range_are_packed_as_black_and_white():
    assert packing.pack_images(torch.tensor([-0.2, 1.3])) == "0f"


def test_surfaces_survive_being_packed():
    values = torch.linspace(-3, 5, 25).reshape(5, 5)
    again = packing.unpack_surface(packing.pack_surface(values), side=5)
    torch.testing.assert_close(again, (values + 3) / 8, rtol=0, atol=1 / 255)


@FEW
@given(
    points=st.lists(st.tuples(st.integers(-600, 600), st.integers(-600, 600)), min_size=1).map(
        lambda pairs: torch.tensor(pairs) / 100
    )
)
def test_points_survive_as_text(points):
    torch.testing.assert_close(packing.unpack_points(packing.pack_points(points)), points)


def test_lost_points_come_back_as_missing_and_far_ones_as_far():
    points = torch.tensor([[math.nan, math.inf], [-math.inf, 1.0], [1e6, -1e6]])
    back = packing.unpack_points(packing.pack_points(points))
    expected = torch.tensor([[math.nan, math.nan], [math.nan, 1.0], [99.0, -99.0]])
    torch.testing.assert_close(back, expected, equal_nan=True)


BAD_INPUT = {
    "half a surface": lambda: packing.unpack_surface("00ff", side=2),
    "half an image": lambda: packing.unpack_images("0f0", 2, 2),
    "too few digits": lambda: packing.unpack_images("00", 3),
    "odd numbers": lambda: packing.unpack_points("1 2 3"),
    "a picture of NaN": lambda: packing.pack_images(torch.tensor([math.nan])),
    "an infinite surface": lambda: packing.pack_surface(torch.tensor([[math.inf]])),
}


@pytest.mark.parametrize("broken", BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_explained(broken):
    with pytest.raises(ValueError, match="expected"):
        broken()
