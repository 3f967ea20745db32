"""Laws of `genbook.gran.recurrent`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook.gran import (
    recurrent,
)
from genbook.gran import recurrent as gran
from genbook.kit.seeds import Streams


@pytest.mark.parametrize("steps", recurrent.STEPS)
def test_the_image_is_the_squashed_sum_of_the_increments(steps):
    generator = recurrent.Recurrent(16, Streams([0, 1], dtype=torch.float64), steps=steps)
    z = Streams([5, 6], dtype=torch.float64).normal(9, 64)
    torch.testing.assert_close(generator(z), generator.increments(z).sum(0).sigmoid())
    torch.testing.assert_close(generator(z), generator.canvases(z)[-1])


def test_more_steps_cost_no_parameters():
    sizes = {
        sum(w.numel() for w in recurrent.Recurrent(16, Streams([0]), steps=steps).parameters())
        for steps in recurrent.STEPS
    }
    assert len(sizes) == 1


def test_the_first_strokes_of_a_longer_drawing_are_the_shorter_one():
    short, long = (recurrent.Recurrent(16, Streams([3]), steps=steps) for steps in (3, 5))
    z = Streams([5]).normal(9, 64)
    assert torch.equal(short.increments(z), long.increments(z)[:3])


def test_bad_input_to_gran_is_refused():
    with pytest.raises(ValueError, match="steps ≥ 1"):
        recurrent.Recurrent(16, Streams([0]), steps=0)
    with pytest.raises(ValueError, match="expected z"):
        recurrent.Recurrent(16, Streams([0])).increments(torch.zeros(1, 2, 3))


FEW = settings(max_examples=15, deadline=None)


@FEW
@given(st.integers(1, 6), st.sampled_from([1, 3, 5]), st.floats(-5, 5))
def test_smoothing_leaves_a_flat_page_alone(side, width, grey):
    page = torch.full((2, side * side), grey, dtype=torch.float64)
    torch.testing.assert_close(gran.smooth(page, width), page)


def test_smoothing_is_the_mean_of_the_square_inside_the_page():
    page = torch.arange(16.0).reshape(1, 16)
    found = gran.smooth(page, 3).reshape(4, 4)
    square = page.reshape(4, 4)
    assert found[1, 2] == square[0:3, 1:4].mean()
    assert found[0, 0] == square[0:2, 0:2].mean()
    assert found[3, 1] == square[2:4, 0:3].mean()


def test_smoothing_refuses_even_widths_and_pages_that_are_not_square():
    for images, width in ((torch.zeros(2, 9), 2), (torch.zeros(2, 8), 3), (torch.zeros(2, 9), 0)):
        with pytest.raises(ValueError, match="odd width"):
            gran.smooth(images, width)


def test_a_brush_of_one_pixel_is_no_brush():
    z = Streams([0]).normal(6, 64)
    plain, brushed = (
        gran.Recurrent(64, Streams([0]), steps=3, brush=width).requires_grad_(False)
        for width in (1, 3)
    )
    same = gran.Recurrent(64, Streams([0]), steps=3).requires_grad_(False)
    assert torch.equal(plain(z), same(z))
    assert not torch.equal(plain(z), brushed(z))


def test_every_stroke_of_a_brush_is_smooth_and_the_canvas_is_still_their_sum():
    net = gran.Recurrent(784, Streams([0]), steps=3, brush=3).requires_grad_(False)
    z = Streams([1]).normal(8, 64)
    strokes = net.increments(z)
    torch.testing.assert_close(net(z), strokes.sum(0).sigmoid())
    raw = net.decoder(torch.cat([torch.tanh(net.embed(z)), torch.zeros(1, 8, 64)], -1))
    torch.testing.assert_close(strokes[0], gran.smooth(raw, 3))
