"""Laws of `genbook.lstm.relatives`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.lstm import paths, relatives
from tests.lstm.given import DOUBLE, FAST


@FAST
@given(bias=st.floats(-2, 4), hidden=st.floats(0.1, 2))
def test_a_held_gru_forgets_as_a_held_cell(bias, hidden):
    kept = relatives.held_gru(bias, 400, hidden=hidden)
    tau = float(paths.memory(torch.tensor(bias, dtype=DOUBLE)))
    assert float(relatives.lifetime(kept, hidden)) == pytest.approx(tau, rel=1e-9)
    assert 1 - 1 / (1 + math.exp(-bias)) < 1 / tau


@FAST
@given(
    bias=st.floats(-2, 4),
    peep=st.floats(-2, 2),
    cell=st.floats(-2, 2).filter(lambda cell: abs(cell) > 1e-6),
)
def test_a_peephole_keeps_a_share_between_two_gates(bias, peep, cell):
    kept = relatives.held_peephole(bias, peep, 30, cell=cell) / cell
    shares = torch.sigmoid(torch.tensor([bias, bias + peep * cell], dtype=DOUBLE))
    power = torch.arange(1, 31)
    assert bool((kept >= shares.min() ** power * (1 - 1e-9)).all())
    assert bool((kept <= shares.max() ** power * (1 + 1e-9)).all())


def test_a_shut_peephole_and_a_cell_that_outlives_the_run():
    assert torch.equal(relatives.held_peephole(1.0, 0.0, 9), relatives.held_gru(1.0, 9))
    assert float(relatives.lifetime(relatives.held_gru(9.0, 10), 1.0)) == math.inf


def test_no_step_and_no_start_are_refused():
    with pytest.raises(ValueError, match="at least one step"):
        relatives.held_peephole(0.0, 0.0, 0)
    with pytest.raises(ValueError, match="something at the start"):
        relatives.lifetime(torch.ones(3), 0.0)
