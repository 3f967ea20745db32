"""Laws of `genbook.gran.draw`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.gran import (
    draw,
    draw_study,
)
from tests.gran.given import FEW, number


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


def test_bad_input_to_draw_is_refused():
    with pytest.raises(ValueError, match="five numbers"):
        draw.window(torch.zeros(4), 8, 2)
    with pytest.raises(ValueError, match="variances > 0"):
        draw.filter_bank(number(1.0), number(1.0), number(0.0), 2, 8)
    with pytest.raises(ValueError, match="square images"):
        draw.read(torch.zeros(3, 4), some_window(), 2)
    with pytest.raises(ValueError, match="square patches"):
        draw.write(torch.zeros(3, 4), some_window(), 8)
    with pytest.raises(ValueError, match="both windows"):
        draw.DRAW(8, reads=2)
    with pytest.raises(ValueError, match="expected images"):
        next(draw_study.train(draw.DRAW(8), torch.zeros(2, 7, 7), torch.Generator(), steps=1))
    drawing = draw.DRAW(8, steps=1, hidden=4)(torch.zeros(2, 8, 8), torch.Generator())
    with pytest.raises(ValueError, match="expected images"):
        draw.negative_bound(drawing, torch.zeros(2, 7, 8))


def test_at_zeros_a_window_of_two_by_two_reads_the_four_corners():
    where = draw.window(torch.zeros(5), 28, 2)
    bank = draw.filter_bank(where.x, where.stride, where.variance, 2, 28)
    assert bank.argmax(-1).tolist() == [0, 27]
    assert bank[:, 7:21].max() < 1e-9


@pytest.mark.parametrize("patch", [2, 5, 8])
def test_an_opened_window_sees_every_pixel_between_its_outermost_filters(patch):
    net = draw.DRAW(28, steps=1, hidden=4, latent=2, reads=patch, writes=patch)
    draw.open_windows(net, 0.5)
    where = draw.window(net.to_read.bias.detach(), 28, patch)
    bank = draw.filter_bank(where.x, where.stride, where.variance, patch, 28)
    inside = bank.sum(0)[8:20]
    assert inside.min() > 0.85 * inside.max()


@pytest.mark.parametrize("patch", [5, 8])
def test_an_opened_window_writes_ones_as_about_one_in_log_odds(patch):
    net = draw.DRAW(28, steps=1, hidden=4, latent=2, reads=patch, writes=patch)
    draw.open_windows(net, 0.5)
    where = draw.window(net.to_write.bias.detach(), 28, patch)
    ink = draw.write(torch.ones(patch, patch), where, 28)
    torch.testing.assert_close(ink[13:15, 13:15], torch.ones(2, 2), rtol=0, atol=0.15)


def test_opening_changes_nothing_but_the_windows():
    plain, opened = draw.DRAW(8, reads=2, writes=3), draw.DRAW(8, reads=2, writes=3)
    opened.load_state_dict(plain.state_dict())
    draw.open_windows(opened)
    changed = {
        name
        for (name, one), two in zip(plain.named_parameters(), opened.parameters(), strict=True)
        if not torch.equal(one, two)
    }
    assert changed == {
        "to_read.weight",
        "to_read.bias",
        "to_write.weight",
        "to_write.bias",
    }
    with pytest.raises(ValueError, match="share"):
        draw.open_windows(opened, 1.5)


def test_a_drawing_without_windows_has_none_to_open():
    net = draw.DRAW(8)
    before = [part.clone() for part in net.parameters()]
    draw.open_windows(net)
    assert all(map(torch.equal, before, net.parameters()))


@pytest.mark.parametrize("windows", [{"reads": 0, "writes": 0}, {"reads": 2}, {"writes": -1}])
def test_a_window_has_at_least_one_filter_or_there_is_none(windows):
    with pytest.raises(ValueError, match="both windows or neither"):
        draw.DRAW(8, **windows)
