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
from tests.translation.given import FEW, pictures


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
