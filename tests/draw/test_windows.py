"""Laws of `genbook.draw.windows`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import draw

FEW = settings(max_examples=20, deadline=None)


def number(value):
    return torch.tensor(value, dtype=torch.float64)


def some_window(gain=1.7):
    return draw.Window(number(5.2), number(3.1), number(1.3), number(0.8), number(gain))


@FEW
@given(st.floats(-1e3, 1e3), st.floats(0, 50), st.floats(1e-3, 1e3))
def test_rows_of_a_filter_bank_sum_to_one_wherever_the_window_lies(centre, stride, variance):
    bank = draw.filter_bank(number(centre), number(stride), number(variance), 4, 9)
    assert (bank.sum(-1) - 1).abs().max() < 1e-12
    assert bank.min() >= 0


def test_filters_agree_with_the_printed_formula_inside_the_image():
    bank = draw.filter_bank(number(5.0), number(1.5), number(0.7), 3, 9)
    pixels = torch.arange(1, 10, dtype=torch.float64)
    for i, row in enumerate(bank, start=1):
        raw = (-(pixels - (5.0 + (i - 2) * 1.5)).square() / 1.4).exp()
        torch.testing.assert_close(row, raw / raw.sum())


def test_a_full_window_of_sharp_filters_is_the_identity():
    where = draw.window(torch.zeros(5, dtype=torch.float64), 7, 7)
    bank = draw.filter_bank(where.x, where.stride, number(1e-3), 7, 7)
    torch.testing.assert_close(bank, torch.eye(7, dtype=torch.float64))


def test_writing_is_the_adjoint_of_reading_with_the_gain_on_the_other_side():
    image, patch = torch.randn(8, 8, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    where = some_window()
    left = (draw.read(image, where, 3) * patch).sum() / where.gain
    right = (image * draw.write(patch, where, 8)).sum() * where.gain
    torch.testing.assert_close(left, right)


def test_reading_is_differentiable_in_the_window():
    image = torch.rand(6, 6, dtype=torch.float64)
    raw = (0.2 * torch.randn(5, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda r: draw.read(image, draw.window(r, 6, 3), 3), raw)


def test_at_zeros_a_window_of_two_by_two_reads_the_four_corners():
    where = draw.window(torch.zeros(5), 28, 2)
    bank = draw.filter_bank(where.x, where.stride, where.variance, 2, 28)
    assert bank.argmax(-1).tolist() == [0, 27]
    assert bank[:, 7:21].max() < 1e-9


def test_five_numbers_as_a_window():
    raw = torch.tensor([0.5, -0.25, 1.0, -2.0, 0.75], dtype=torch.float64)
    found = draw.window(raw, 9, 5)
    wanted = (7.5, 3.75, math.e, 2 * math.exp(-2), math.exp(0.75))
    for name, value in zip(("x", "y", "variance", "stride", "gain"), wanted, strict=True):
        assert getattr(found, name).item() == pytest.approx(value)
    assert draw.window(raw, 9, 1).stride.item() == 0


@pytest.mark.parametrize("stride", [0.0, 1.7])
def test_filters_far_off_the_page_see_its_border_pixel(stride):
    for centre, border in ((-300.0, 0), (400.0, 8)):
        bank = draw.filter_bank(number(centre), number(stride), number(4.0), 3, 9)
        torch.testing.assert_close(bank, torch.eye(9, dtype=torch.float64)[border].expand(3, 9))


def test_wide_filters_see_the_mean_of_the_page_and_sharp_ones_the_nearest_pixel():
    wide = draw.filter_bank(number(2.0), number(1.3), number(1e12), 3, 9)
    torch.testing.assert_close(wide, torch.full((3, 9), 1 / 9, dtype=torch.float64))
    sharp = draw.filter_bank(number(4.5), number(2.2), number(1e-4), 3, 9)
    wanted = torch.zeros(3, 9, dtype=torch.float64)
    wanted[0, 1], wanted[1, 3], wanted[1, 4], wanted[2, 6] = 1, 0.5, 0.5, 1
    torch.testing.assert_close(sharp, wanted)


def test_without_a_stride_all_filters_are_one():
    bank = draw.filter_bank(number(4.0), number(0.0), number(1.0), 4, 9)
    torch.testing.assert_close(bank, bank[:1].expand(4, 9))


@FEW
@given(st.floats(-20, 30), st.floats(0, 8), st.floats(0.05, 50))
def test_what_is_written_and_read_again_is_weaker(centre, stride, variance):
    """The diagonal of F Fᵀ is at most 1, and below it where a filter has two pixels."""
    bank = draw.filter_bank(number(centre), number(stride), number(variance), 4, 9)
    diagonal = bank.square().sum(1)
    assert diagonal.max() <= 1 + 1e-12
    spread = bank.max(1).values < 0.99
    assert (diagonal[spread] < 0.99).all()
    assert diagonal.min() >= 1 / 9 - 1e-12


def test_reading_and_writing_are_sums_over_pixels_with_the_gain():
    image, patch = torch.randn(8, 8, dtype=torch.float64), torch.randn(3, 3, dtype=torch.float64)
    where = some_window(gain=1.7)
    down, across = (
        draw.filter_bank(place, where.stride, where.variance, 3, 8) for place in (where.y, where.x)
    )
    seen = 1.7 * torch.einsum("ir,rc,jc->ij", down, image, across)
    left = torch.einsum("ir,ij,jc->rc", down, patch, across) / 1.7
    torch.testing.assert_close(draw.read(image, where, 3), seen)
    torch.testing.assert_close(draw.write(patch, where, 8), left)


def test_a_stack_of_windows_reads_a_stack_of_images_one_by_one():
    raw = 0.3 * torch.randn(4, 5, dtype=torch.float64)
    images = torch.randn(4, 6, 6, dtype=torch.float64)
    together = draw.read(images, draw.window(raw, 6, 2), 2)
    for one, numbers, image in zip(together, raw, images, strict=True):
        torch.testing.assert_close(one, draw.read(image, draw.window(numbers, 6, 2), 2))
