"""Laws of `genbook.pixelcnn.row_lstm`."""

from __future__ import annotations

import torch
from hypothesis import given

from genbook.kit.device import seeded
from genbook.pixelcnn import (
    row_lstm,
)
from tests.pixelcnn.given import FEW, sizes


@FEW
@given(size=sizes)
def test_skewing_is_undone(size):
    x = torch.rand(2, 3, *size)
    assert torch.equal(row_lstm.unskew(row_lstm.skew(x)), x)


@FEW
@given(size=sizes)
def test_diagonals_equal_the_double_loop(size):
    net = row_lstm.GridRecurrence(3, generator=seeded(0)).double()
    x = torch.rand(2, 1, *size, dtype=torch.float64)
    torch.testing.assert_close(net(x), net.one_by_one(x), rtol=0, atol=1e-13)
