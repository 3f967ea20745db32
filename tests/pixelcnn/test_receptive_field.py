"""Laws of `genbook.pixelcnn.receptive_field`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn import (
    masks,
    receptive_field,
    row_lstm,
)
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from tests.pixelcnn.given import FEW, kinds, net_of, sizes

kernels = st.sampled_from([1, 3, 5, 7])


@FEW
@kinds
@given(
    size=sizes,
    first=kernels.filter(lambda k: k > 1),
    kernel=kernels.filter(lambda k: k > 1),
    depth=st.integers(0, 3),
    place=st.integers(0, 48),
)
def test_the_jacobian_is_exactly_zero_on_and_after_the_pixel(
    kind, size, first, kernel, depth, place
):
    net = net_of(kind, first=first, kernel=kernel, depth=depth, channels=4)
    at = divmod(place % (size[0] * size[1]), size[1])
    seen = receptive_field.sensitivity(net, torch.rand(2, 1, *size, dtype=torch.float64), at)[0]
    assert seen[~receptive_field.before(size, at)].max() == 0


@FEW
@kinds
@given(size=sizes, place=st.integers(0, 48), colour=st.integers(0, 2))
def test_colours_see_only_the_colours_before_them(kind, size, place, colour):
    net = net_of(kind, first=3, depth=1, channels=6, colours=3, levels=3)
    at = divmod(place % (size[0] * size[1]), size[1])
    seen = receptive_field.sensitivity(
        net, torch.rand(2, 3, *size, dtype=torch.float64), at, colour
    )
    assert seen[:, ~(receptive_field.before(size, at) | _only(size, at))].sum() == 0
    assert seen[colour:, at[0], at[1]].max() == 0


def _only(size, at):
    mask = torch.zeros(size, dtype=torch.bool)
    mask[at] = True
    return mask


@pytest.mark.parametrize("net", [row_lstm.RowLSTM(4, 1, first=5, generator=seeded(0)).double()])
def test_a_row_lstm_is_causal(net):
    for at in ((0, 0), (2, 3), (4, 6)):
        seen = receptive_field.sensitivity(net, torch.rand(2, 1, 5, 7, dtype=torch.float64), at)[0]
        assert seen[~receptive_field.before((5, 7), at)].max() == 0


def test_the_grid_recurrence_sees_everything_before_in_its_quadrant():
    net = row_lstm.GridRecurrence(6, generator=seeded(0)).double()
    seen = receptive_field.sensitivity(net, torch.rand(1, 1, 4, 5, dtype=torch.float64), (3, 4))[0]
    assert seen[3, 4] == 0
    assert (seen > 0).sum() == 19


def test_mask_b_first_leaks_the_pixel_itself():
    source = seeded(0)
    conv = masks.MaskedConv(1, 1, 3, kind="B", generator=source).double()
    seen = receptive_field.sensitivity(conv, torch.zeros(1, 1, 5, 5, dtype=torch.float64), (2, 2))[
        0
    ]
    assert seen[2, 2] > 0


@pytest.mark.parametrize(("kernel", "layers"), [(3, 1), (3, 3), (3, 5), (5, 2), (7, 2)])
def test_fields_of_the_theorem_are_the_jacobians(kernel, layers):
    size, at = (9, 11), (7, 4)
    x = torch.rand(8, 1, *size, dtype=torch.float64, generator=seeded(1))
    options = {"first": kernel, "kernel": kernel, "depth": layers - 1}
    plain = receptive_field.sensitivity(net_of(PixelCNN, channels=32, **options), x, at)[0] > 0
    gated = receptive_field.sensitivity(net_of(GatedPixelCNN, channels=8, **options), x, at)[0] > 0
    assert torch.equal(plain, receptive_field.field(size, at, kernel, layers, stacks=1))
    assert torch.equal(gated, receptive_field.field(size, at, kernel, layers, stacks=2))


def test_the_blind_share_rises_to_a_quarter():
    shares = [receptive_field.blind_share(layers) for layers in range(1, 200)]
    assert shares == sorted(shares)
    assert 0.24 < shares[-1] < 0.25


def test_sheared_coins_are_copies_where_they_say():
    x, copied = receptive_field.sheared_coins(5, (4, 7), seeded(0), shift=2)
    for row, column in copied.nonzero().tolist():
        assert torch.equal(x[:, 0, row, column], x[:, 0, row - 1, column + 2])


def test_shearing_keeps_every_row():
    x = torch.rand(2, 1, 5, 6)
    assert torch.equal(receptive_field.sheared(x).sort(-1).values, x.sort(-1).values)
