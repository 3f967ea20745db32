"""Laws of `genbook.draw.network`."""

from __future__ import annotations

import pytest
import torch

from genbook import draw
from genbook.draw import studies


def number(value):
    return torch.tensor(value, dtype=torch.float64)


def some_window(gain=1.7):
    return draw.Window(number(5.2), number(3.1), number(1.3), number(0.8), number(gain))


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
        next(studies.train(draw.DRAW(8), torch.zeros(2, 7, 7), torch.Generator(), steps=1))
    drawing = draw.DRAW(8, steps=1, hidden=4)(torch.zeros(2, 8, 8), torch.Generator())
    with pytest.raises(ValueError, match="expected images"):
        draw.negative_bound(drawing, torch.zeros(2, 7, 8))


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
