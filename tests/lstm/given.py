"""What several test modules of `lstm` are given."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

from genbook.kit.device import seeded
from genbook.kit.receipts import ReceiptError, check
from genbook.kit.relations import close, equal
from genbook.lstm import cells as lstm_cells

FAST = settings(max_examples=20, deadline=None)


DOUBLE = torch.float64


def cell_of(
    inputs: int = 3, hidden: int = 4, *, seed: int = 0, gain: float = 1.0, **options: object
) -> lstm_cells.LSTMCell:
    """A double-precision cell whose recurrent weights are ``gain`` times the usual ones."""
    cell = lstm_cells.LSTMCell(inputs, hidden, generator=seeded(seed), dtype=DOUBLE, **options)
    with torch.no_grad():
        cell.weight_h *= gain
        cell.bias += torch.randn(4 * hidden, generator=seeded(seed + 1), dtype=DOUBLE)
    return cell


def inputs_of(steps: int = 9, inputs: int = 3, *, seed: int = 7, batch: tuple[int, ...] = ()):
    return torch.randn(steps, *batch, inputs, generator=seeded(seed), dtype=DOUBLE)


def refused(error: float | torch.Tensor, tol: float) -> None:
    """A receipt with this error must not be printed."""
    relation = close(error, 0, tol=tol) if tol else equal(error, 0)
    with pytest.raises(ReceiptError):
        check("broken on purpose", relation, label="eq-lstm", test="test_lstm")


# The plain recurrent net


def rnn_of(seed: int, gain: float = 1.0) -> lstm_cells.RNNCell:
    net = lstm_cells.RNNCell(3, 5, generator=seeded(seed), dtype=DOUBLE)
    with torch.no_grad():
        net.weight_h *= gain
    return net


def runs(count: int, seed: int) -> torch.Tensor:
    """Slow on–off labels."""
    noise = torch.randn(count + 200, generator=seeded(seed)).unfold(0, 201, 1).mean(-1)
    return noise[:count] > 0
