"""Laws of `genbook.lstm.readers`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.lstm import cells as lstm_cells
from genbook.lstm import readers
from tests.lstm.given import FAST

# Readers and their training


@FAST
@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from(["rnn", "lstm"]))
def test_a_carried_state_continues_the_sequence(steps, size, kind):
    reader = readers.Reader(kind, 3, 2, hidden=5, generator=seeded(0))
    x = torch.randn(2 * steps, size, 3, generator=seeded(1))
    whole, _ = reader(x)
    first, state = reader(x[:steps])
    second, _ = reader(x[steps:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-6)


def test_a_reader_starts_as_asked():
    bias = torch.arange(5.0)
    reader = readers.Reader(
        "lstm", 3, 2, hidden=5, forget_bias=bias, input_bias=-bias, generator=seeded(0)
    )
    cell = lstm_cells.from_torch(reader.recurrent)
    assert torch.equal(cell.bias, torch.cat([-bias, bias, torch.zeros(10)]))
    plain = readers.Reader("rnn", 3, 2, hidden=5, orthogonal=True, generator=seeded(0))
    weight = plain.recurrent.weight_hh_l0
    assert torch.allclose(weight @ weight.T, torch.eye(5), atol=1e-5)


def test_the_loss_of_even_scores_is_the_logarithm_of_the_answers():
    scores = torch.zeros(6, 3, 7)
    for answers in (torch.zeros(3, dtype=torch.int64), torch.zeros(6, 3, dtype=torch.int64)):
        loss, _ = readers.loss_and_accuracy(scores, answers)
        assert loss.item() == pytest.approx(math.log(7), rel=1e-6)


def test_only_the_last_step_counts_when_there_is_one_answer():
    scores = torch.randn(6, 3, 7, generator=seeded(0))
    answers = torch.tensor([1, 2, 3])
    changed = torch.cat([scores[:-1] + 1_000, scores[-1:]])
    first = readers.loss_and_accuracy(scores, answers)[0]
    assert first == readers.loss_and_accuracy(changed, answers)[0]


@FAST
@given(st.integers(1, 5), st.integers(1, 9), st.integers(60, 200))
def test_streams_go_on_where_they_stopped(size, length, count):
    batches = readers.streams(torch.arange(count), size=size, length=length)
    x, y = next(batches)
    assert torch.equal(y, x + 1)
    if count // size > 2 * length:
        later, _ = next(batches)
        assert torch.equal(later[0], y[-1])
