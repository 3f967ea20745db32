"""Laws of `genbook.lstm.truncation`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit import studies
from genbook.kit.device import seeded
from genbook.lstm import lag, readers, truncation
from tests.lstm.given import DOUBLE, FAST

WEIGHTS = st.floats(-1.2, 1.2).filter(lambda value: abs(value) > 0.1)


def pulse(length: int) -> torch.Tensor:
    return torch.eye(length, dtype=DOUBLE)[0]


@FAST
@given(decay=WEIGHTS, weight=WEIGHTS, length=st.integers(2, 12), data=st.data())
def test_of_one_pulse_a_window_sees_its_share_of_the_decay_and_no_weight(
    decay, weight, length, data
):
    window = data.draw(st.integers(1, length - 1))
    full = truncation.truncated_gradient(pulse(length), decay, weight, length)
    part = truncation.truncated_gradient(pulse(length), decay, weight, window)
    assert float(part[0] / full[0]) == pytest.approx(window / (length - 1), rel=1e-9)
    assert float(part[1]) == 0
    assert float(full[1]) == pytest.approx(decay ** (length - 1), rel=1e-9)


@FAST
@given(decay=WEIGHTS, weight=WEIGHTS, start=st.floats(-2, 2), window=st.integers(1, 9))
def test_the_window_holds_the_last_terms_of_the_sum(decay, weight, start, window):
    x = torch.randn(9, generator=seeded(0), dtype=DOUBLE)
    before = torch.cat([torch.tensor([start], dtype=DOUBLE), x.new_zeros(9)])
    before[1:] = truncation.leaky(x, x.new_tensor(decay), x.new_tensor(weight), start=start)
    powers = decay ** torch.arange(window, dtype=DOUBLE)
    wanted = [powers @ terms.flip(0)[:window] for terms in (before[:-1], x)]
    found = truncation.truncated_gradient(x, decay, weight, window, start=start)
    torch.testing.assert_close(found, torch.stack(wanted), rtol=1e-10, atol=1e-12)


@FAST
@given(decay=st.floats(-0.98, 0.98), window=st.integers(1, 15), seed=st.integers(0, 99))
def test_the_bias_stays_below_its_bound(decay, window, seed):
    x = torch.randn(15, generator=seeded(seed), dtype=DOUBLE)
    gap = truncation.truncated_gradient(x, decay, 1.0, 15) - truncation.truncated_gradient(
        x, decay, 1.0, window
    )
    states = truncation.leaky(x, x.new_tensor(decay), x.new_tensor(1.0))
    assert abs(float(gap[0])) <= float(truncation.bias_bound(states, decay, window)) + 1e-12


@pytest.mark.parametrize("decay", [1.0, -1.0, 2.0, float("nan")])
def test_nothing_bounds_a_cell_that_does_not_forget(decay):
    with pytest.raises(ValueError, match="expected a decay between -1 and 1"):
        truncation.bias_bound(torch.ones(3), decay, 1)


@pytest.mark.parametrize("window", [0, 6])
def test_a_window_outside_the_sequence_is_refused(window):
    with pytest.raises(ValueError, match="expected a window from 1 to 5"):
        truncation.truncated_gradient(torch.ones(5), 0.5, 1.0, window)


def test_sequences_and_windows_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match=r"expected inputs of shape \[T\]"):
        truncation.leaky(torch.zeros(0), torch.tensor(1.0), torch.tensor(1.0))
    with pytest.raises(ValueError, match="at least 1 step"):
        truncation.Truncated(lag.ARMS[0].reader(20, seeded(0)), 0)


@pytest.mark.parametrize("arm", ["RNN", "LSTM, bias 1"])
def test_a_truncated_reader_reads_the_same_and_only_its_window_is_sent_back(arm):
    reader = lag.arm_named(arm).reader(20, seeded(0)).double()
    x, y = next(readers.orders(20, 3, seeded(1)))
    x = x.double().requires_grad_()
    scores, _ = reader(x)
    seen, _ = truncation.Truncated(reader, 6)(x)
    torch.testing.assert_close(seen, scores[-6:])
    (back,) = torch.autograd.grad(readers.loss_and_accuracy(seen, y)[0], x)
    assert (back.abs().amax((1, 2)) > 0).tolist() == [False] * 14 + [True] * 6


def test_the_widest_window_is_the_full_gradient_and_windows_close_in_on_it():
    reader = lag.arm_named("LSTM, bias 1").reader(20, seeded(0)).double()
    x, y = next(readers.orders(20, 5, seeded(1)))
    loss, _ = readers.loss_and_accuracy(reader(x.double())[0], y)
    full = torch.cat(
        [g.flatten() for g in torch.autograd.grad(loss, list(reader.recurrent.parameters()))]
    )
    gaps = [
        float((truncation.recurrent_gradient(reader, x.double(), y, k) - full).norm())
        for k in (5, 10, 15, 20)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 1e-5
    assert gaps[-1] < 1e-14


def test_only_the_first_mark_gets_symbols_of_its_own():
    x, y = next(readers.orders(30, 50, seeded(2)))
    moved, same = next(truncation.apart([(x, y)]))
    assert torch.equal(same, y)
    assert torch.equal(moved[..., :2] + moved[..., 8:], x[..., :2])
    assert torch.equal(moved[..., 2:8], x[..., 2:])
    assert torch.equal(moved[..., 8:].sum(0).argmax(-1), y // 2)
    assert torch.equal(moved[..., :2].sum(0).argmax(-1), y % 2)


def test_the_study_holds_every_window_of_three_seeds():
    result = studies.load("lstm_windows")
    there = {(row["arm"], row["own"], row["window"], row["seed"]) for row in result.rows}
    assert there == {
        (arm, own, window, seed)
        for arm in ("LSTM, bias 1", "LSTM, keep and shut")
        for own in (False, True)
        for window in truncation.WINDOWS
        for seed in range(3)
    }
    assert len(list(truncation.record_windows(True, 0))) == 12
