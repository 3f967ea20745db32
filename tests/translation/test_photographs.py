"""Laws of `genbook.translation.photographs`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.translation import (
    pairs,
    photographs,
)
from tests.translation.given import FEW, pictures, source


@FEW
@given(st.integers(0, 1000), st.floats(0, 1))
def test_colour_fades_in_proportion_and_greys_have_none(seed, share):
    images = pictures(seed, 3)
    faded = share * images + (1 - share) * pairs.grey(images)
    expected = share * photographs.colour(images)
    torch.testing.assert_close(photographs.colour(faded), expected, atol=1e-6, rtol=1e-5)


def test_colour_needs_three_channels():
    with pytest.raises(ValueError, match="colour images"):
        photographs.colour(pictures())


@pytest.mark.parametrize(("tilt", "place"), [((1, 0), 0), ((0, 1), 4), ((1, 1), 2), ((-1, 1), 6)])
def test_a_ramp_has_all_its_slopes_in_one_direction(tilt, place):
    steps = torch.arange(8.0)
    ramp = tilt[0] * steps[None, :] + tilt[1] * steps[:, None]
    shares = photographs.directions(ramp[None, None])
    assert shares[place] == 1


@FEW
@given(st.integers(0, 1000))
def test_turning_a_picture_by_a_right_angle_moves_directions_by_half_the_bins(seed):
    images = pictures(seed)
    upright = photographs.directions(images, 2)
    mirrored = photographs.directions(images.transpose(2, 3), 2)
    assert upright.sum().item() == pytest.approx(1)
    torch.testing.assert_close(mirrored.flip(0), upright)


@pytest.mark.parametrize("images", [torch.zeros(2, 1, 4, 4), torch.zeros(2, 3, 4, 4)])
def test_pictures_without_slopes_or_with_colours_have_no_directions(images):
    with pytest.raises(ValueError, match="expected images"):
        photographs.directions(images)


def test_tones_are_shares_and_ink_has_two():
    ink = (pictures() > 0.25).double()
    shares = photographs.tones(ink)
    assert shares.sum().item() == pytest.approx(1)
    assert shares[-1].item() == pytest.approx(ink.mean().item())
    assert not shares[1:-1].any()


@FEW
@given(st.integers(0, 1000), st.floats(0, 1))
def test_the_way_left_falls_from_one_to_zero_on_the_straight_way(seed, share):
    start, goal = torch.rand(2, 5, generator=source(seed), dtype=torch.float64)
    made = (1 - share) * start + share * goal
    assert photographs.left_to_go(made, start, goal) == pytest.approx(1 - share)


def test_there_is_no_way_from_a_histogram_to_itself():
    with pytest.raises(ValueError, match="differ"):
        photographs.left_to_go(torch.ones(2), torch.ones(2), torch.ones(2))


@FEW
@given(st.integers(0, 1000))
def test_edges_survive_inversion_and_contrast_but_not_another_picture(seed):
    images = pictures(seed)
    assert photographs.same_edges(images, 0.2 - 3 * images) == pytest.approx(1)
    assert abs(photographs.same_edges(images, images.roll(1, 0))) < 0.5


def test_no_other_one_colour_is_nearer_to_the_answers():
    answers = pictures(1, 3)
    painter = photographs.OneColour(answers)
    made = painter(answers[:, :1])
    assert made.shape == answers.shape
    least = (made - answers).abs().mean()
    for place in range(3):
        for shift in (-0.05, 0.05):
            other = painter.colour.clone()
            other[place] += shift
            assert (other[:, None, None] - answers).abs().mean() > least


def test_still_grey_is_grey():
    made = photographs.StillGrey()(pictures())
    assert photographs.colour(made) < 1e-6
