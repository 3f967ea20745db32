"""Laws of `genbook.lstm.paths`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.lstm import cells as lstm_cells
from genbook.lstm import paths as lstm_paths
from genbook.lstm import readers
from tests.lstm.given import DOUBLE, FAST, cell_of, inputs_of, refused, rnn_of

# Memory


@FAST
@given(st.floats(-10, 25))
def test_memory_lies_between_exp_b_and_half_a_step_more(bias):
    tau = lstm_paths.memory(torch.tensor(bias, dtype=DOUBLE)).item()
    assert math.exp(bias) * (1 - 1e-9) <= tau <= math.exp(bias) * (1 + 1e-9) + 0.5
    forget = 1 / (1 + math.exp(-bias))
    assert forget**tau == pytest.approx(1 / math.e, rel=1e-4)


def test_memory_is_not_the_half_life():
    bias = torch.tensor(2.0, dtype=DOUBLE)
    kept = torch.sigmoid(bias) ** lstm_paths.memory(bias)
    assert (kept - 1 / math.e).abs() < 1e-12
    half_life = math.log(2) * lstm_paths.memory(bias)
    refused((torch.sigmoid(bias) ** half_life - 1 / math.e).abs(), 1e-12)
    refused((math.exp(2.0) - half_life).clamp_min(0), 0.0)


# Paths


def test_direct_path_is_the_product_of_forget_gates_exactly():
    cell, xs = cell_of(), inputs_of(40)
    gates = lstm_cells.unroll(cell, xs)
    path = lstm_paths.direct_path(gates.forget)
    for step in (1, 20, 40):
        auto = lstm_paths.path_by_autograd(cell, xs, step, through_hidden=False)
        assert torch.equal(auto, torch.diag(path[step - 1]))
    off_by_one = gates.forget.flip(0).cumprod(0).flip(0)
    auto = lstm_paths.path_by_autograd(cell, xs, 20, through_hidden=False)
    refused((auto - torch.diag(off_by_one[19])).abs().max(), 0.0)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 4), st.booleans())
def test_total_path_equals_autograd(seed, gain, forget_gate):
    cell = cell_of(seed=seed, gain=gain, forget_gate=forget_gate)
    xs = inputs_of(8, seed=seed)
    paths = lstm_paths.total_path(cell, lstm_cells.unroll(cell, xs))
    for step in (1, 5, 8):
        auto = lstm_paths.path_by_autograd(cell, xs, step)
        assert torch.allclose(paths[step - 1], auto, atol=1e-9 * (1 + auto.abs().max().item()))


def test_total_path_breaks_when_a_gate_is_left_out():
    cell, xs = cell_of(), inputs_of(8)
    gates = lstm_cells.unroll(cell, xs)
    auto = lstm_paths.path_by_autograd(cell, xs, 1)
    assert (lstm_paths.total_path(cell, gates)[0] - auto).abs().max() < 1e-12
    with torch.no_grad():
        cell.weight_h[4:8] = 0
    refused((lstm_paths.total_path(cell, gates)[0] - auto).abs().max(), 1e-12)


def test_without_recurrent_weights_total_is_direct():
    cell, xs = cell_of(gain=0.0), inputs_of(10)
    gates = lstm_cells.unroll(cell, xs)
    direct = torch.diag_embed(lstm_paths.direct_path(gates.forget))
    assert torch.allclose(lstm_paths.total_path(cell, gates), direct, atol=1e-15)


def test_the_gap_is_not_within_a_tenth_of_its_bound_for_all_cells():
    cell = cell_of(gain=5.0)
    gates = lstm_cells.unroll(cell, inputs_of(10))
    gap = lstm_paths.total_path(cell, gates)[-2] - torch.diag(gates.forget[-1])
    excess = torch.linalg.matrix_norm(gap, 2) - 0.01 * lstm_paths.step_gap_bound(cell, gates)[-1]
    refused(excess.clamp_min(0), 0.0)


def test_an_lstm_explodes_though_its_direct_path_cannot():
    def reach(bias: float) -> tuple[torch.Tensor, torch.Tensor]:
        cell = lstm_cells.LSTMCell(3, 32, forget_bias=bias, generator=seeded(0), dtype=DOUBLE)
        gates = lstm_cells.unroll(cell, inputs_of(100))
        direct = lstm_paths.direct_path(gates.forget).max()
        return direct.detach(), lstm_paths.norms(lstm_paths.total_path(cell, gates))[0].detach()

    direct, total = reach(5.0)
    assert direct <= 1
    assert total > 100
    _, forgetful = reach(0.0)
    refused((100 - forgetful).clamp_min(0), 0.0)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 4))
def test_the_plain_nets_path_keeps_the_bound(seed, gain):
    net, xs = rnn_of(seed, gain), inputs_of(12, seed=seed)
    reach = lstm_paths.norms(lstm_paths.rnn_path(net, lstm_cells.unroll_rnn(net, xs))).flip(0)
    bound = lstm_paths.rnn_bound(net.weight_h, 11)
    assert (reach <= bound * (1 + 1e-9)).all()


def test_the_bound_with_the_radius_instead_of_the_singular_value_is_broken():
    net, xs = rnn_of(3, 1.5), inputs_of(12, seed=3) * 0.1
    reach = lstm_paths.norms(lstm_paths.rnn_path(net, lstm_cells.unroll_rnn(net, xs))).flip(0)
    k = torch.arange(12, dtype=DOUBLE)
    assert (reach - lstm_paths.rnn_bound(net.weight_h, 11)).max() <= 1e-12
    refused((reach - lstm_paths.spectral_radius(net.weight_h) ** k).max().clamp_min(0), 1e-12)


def test_spread_biases_give_memories_up_to_the_longest_lag():
    memories = lstm_paths.memory(readers.spread_bias(4_000, 100, seeded(0)))
    assert memories.min() >= 1.4
    assert memories.max() <= 99.5
    assert abs(memories.median().item() - 50) < 3
