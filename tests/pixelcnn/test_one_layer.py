"""Drawing with one layer: the signals met are those of a pass over the finished image."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn.masks import MaskedConv
from genbook.pixelcnn.one_layer import row_by_row
from tests.pixelcnn.given import FEW, sizes


def layer(side=3, inputs=1, outputs=2, **options):
    return MaskedConv(inputs, outputs, side, kind="A", generator=seeded(0), **options).double()


@FEW
@given(size=sizes, side=st.sampled_from([3, 5, 7]), inputs=st.integers(1, 2))
def test_signals_met_on_the_way_are_those_of_one_pass(size, side, inputs):
    conv = layer(side, inputs, 3)
    with torch.no_grad():
        conv.bias += torch.tensor([0.5, -1.0, 2.0])
        images, met = row_by_row(conv, lambda signals: signals[:, :inputs].sin(), 2, size)
        assert images.shape == (2, inputs, *size)
        torch.testing.assert_close(met, conv(images), rtol=0, atol=1e-12)


def test_each_value_is_drawn_from_the_signals_of_its_pixel():
    with torch.no_grad():
        images, met = row_by_row(layer(), lambda s: s.argmax(1, keepdim=True).double(), 3, (5, 4))
    assert torch.equal(images, met.argmax(1, keepdim=True).double())


@pytest.mark.parametrize(
    ("conv", "words"),
    [
        (layer(1), "at least 3"),
        (layer(stack="horizontal"), "stack='all'"),
        (layer(stack="vertical"), "stack='all'"),
        (MaskedConv(1, 2, 3, kind="B", generator=seeded(0)), "kind='A'"),
    ],
)
def test_another_kind_of_layer_is_refused(conv, words):
    with pytest.raises(ValueError, match=words):
        row_by_row(conv, torch.sigmoid, 1, (3, 3))
