"""Laws of `genbook.draw.windows`."""

from __future__ import annotations

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
