"""Laws of `genbook.lstm.cells`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from genbook.kit.device import seeded
from genbook.lstm import cells as lstm_cells
from genbook.lstm import lag, readers
from genbook.lstm import paths as lstm_paths
from genbook.lstm import units as lstm_text
from tests.lstm.given import DOUBLE, FAST, cell_of, inputs_of, refused, rnn_of

# The cell


@FAST
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 8), st.integers(0, 99))
def test_cell_equals_torch_for_every_size(inputs, hidden, steps, seed):
    module = nn.LSTM(inputs, hidden, dtype=DOUBLE)
    xs = inputs_of(steps, inputs, seed=seed, batch=(2,))
    gates = lstm_cells.unroll(lstm_cells.from_torch(module), xs)
    expected, (_, cell) = module(xs)
    assert torch.allclose(gates.hidden, expected, atol=1e-12)
    assert torch.allclose(gates.cell[-1], cell[0], atol=1e-12)


def torch_gap(order: tuple[int, ...] = (0, 1, 2, 3)) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors of values and gradients against torch, with the blocks copied in some order."""
    torch.manual_seed(0)
    module = nn.LSTM(3, 5, dtype=DOUBLE)
    cell = lstm_cells.from_torch(module)
    with torch.no_grad():
        for name, values in cell.named_parameters():
            values.copy_(torch.cat([values.chunk(4)[block] for block in order]))
            assert name in {"weight_x", "weight_h", "bias"}
    xs = inputs_of(6, batch=(2,)).requires_grad_()
    ours = lstm_cells.unroll(cell, xs).hidden
    theirs = module(xs)[0]
    (ours_grad,) = torch.autograd.grad(ours.square().sum(), xs)
    (theirs_grad,) = torch.autograd.grad(theirs.square().sum(), xs)
    return (ours - theirs).abs().max().detach(), (ours_grad - theirs_grad).abs().max()


def test_cell_equals_torch_and_the_order_of_blocks_matters():
    values, gradients = torch_gap()
    assert values < 1e-12
    assert gradients < 1e-12
    wrong_values, wrong_gradients = torch_gap((0, 1, 3, 2))
    refused(wrong_values, 1e-12)
    refused(wrong_gradients, 1e-12)


def test_weight_gradients_equal_torch_block_by_block():
    module = nn.LSTM(3, 5, dtype=DOUBLE)
    cell, xs = lstm_cells.from_torch(module), inputs_of(batch=(2,))
    lstm_cells.unroll(cell, xs).hidden.square().sum().backward()
    module(xs)[0].square().sum().backward()
    assert torch.allclose(cell.weight_x.grad, module.weight_ih_l0.grad, atol=1e-11)
    assert torch.allclose(cell.weight_h.grad, module.weight_hh_l0.grad, atol=1e-11)
    assert torch.allclose(cell.bias.grad, module.bias_ih_l0.grad, atol=1e-11)
    assert torch.allclose(module.bias_ih_l0.grad, module.bias_hh_l0.grad, atol=1e-12)


def test_gradients_pass_gradcheck():
    cell = cell_of(2, 3)
    names, values = zip(*cell.named_parameters(), strict=True)

    def run(xs, *parameters):
        drive = xs @ parameters[names.index("weight_x")].T + parameters[names.index("bias")]
        state = cell.start(xs[0])
        for now in drive:
            i, f, g, o = (now + state[0] @ parameters[names.index("weight_h")].T).chunk(4, -1)
            state = lstm_cells.update(
                i.sigmoid(), f.sigmoid(), o.sigmoid(), g.tanh(), state[1]
            ).state
        return state

    xs = inputs_of(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(run, (xs, *values))
    assert torch.autograd.gradcheck(lambda x: lstm_cells.unroll(cell, x).cell, (xs,))


@FAST
@given(st.integers(0, 99))
def test_gates_stay_in_their_intervals(seed):
    gates = lstm_cells.unroll(cell_of(seed=seed, gain=3), 3 * inputs_of(20, seed=seed))
    for gate in (gates.input, gates.forget, gates.output):
        assert ((gate > 0) & (gate < 1)).all()
    assert (gates.candidate.abs() <= 1).all()
    assert (gates.hidden.abs() < 1).all()


def test_closed_input_and_open_forget_keep_the_cell_bit_for_bit():
    start = torch.randn(7, generator=seeded(0))
    one, zero, now = torch.ones(7), torch.zeros(7), start
    for step in range(1000):
        candidate = torch.tanh(torch.randn(7, generator=seeded(step)))
        now = lstm_cells.update(zero, one, one, candidate, now).cell
    assert torch.equal(now, start)
    leaky = lstm_cells.update(zero, one - 1e-6, one, one, start).cell
    refused((leaky - start).abs().max(), 0.0)


@FAST
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-2, 2), st.integers(1, 30))
def test_held_gates_follow_the_closed_form(i, f, start, steps):
    pulse = torch.tanh(inputs_of(steps, 1)[:, 0])
    held = lstm_cells.hold(pulse, i=i, f=f, o=0.5, cell=start)
    t = torch.arange(1, steps + 1, dtype=DOUBLE)
    powers = torch.where(t[:, None] >= t, f ** (t[:, None] - t).clamp_min(0), 0.0)
    expected = f**t * start + i * powers @ pulse
    assert torch.allclose(held.cell, expected, atol=1e-10)
    assert torch.equal(held.hidden, 0.5 * torch.tanh(held.cell))


def test_a_held_cell_with_a_wrong_gate_leaves_the_closed_form():
    pulse = torch.zeros(30, dtype=DOUBLE)
    pulse[0] = 1
    expected = 0.9 ** torch.arange(30, dtype=DOUBLE)
    assert (lstm_cells.hold(pulse, i=1, f=0.9, o=1).cell - expected).abs().max() < 1e-12
    refused((lstm_cells.hold(pulse, i=1, f=0.91, o=1).cell - expected).abs().max(), 1e-12)


def test_without_a_forget_gate_the_cell_only_adds():
    cell = cell_of(forget_gate=False)
    gates = lstm_cells.unroll(cell, inputs_of(30))
    total = (gates.input * gates.candidate).cumsum(0)
    assert torch.equal(gates.forget, torch.ones_like(gates.forget))
    assert torch.allclose(gates.cell, total, atol=1e-12)
    steps = torch.arange(1, 31, dtype=DOUBLE)[:, None]
    assert (gates.cell.abs() <= steps).all()


def test_the_sequence_equals_step_by_step_and_chunk_by_chunk():
    cell, xs = cell_of(), inputs_of(12, batch=(2,))
    whole = lstm_cells.unroll(cell, xs)
    state, steps = None, []
    for x in xs:
        state = cell(x, state).state
        steps.append(state[1])
    assert torch.allclose(torch.stack(steps), whole.cell, atol=1e-13)
    first = lstm_cells.unroll(cell, xs[:5])
    second = lstm_cells.unroll(cell, xs[5:], first[-1].state)
    gap = (torch.cat([first.cell, second.cell]) - whole.cell).abs().max()
    assert gap < 1e-13
    lost = lstm_cells.unroll(cell, xs[5:])
    refused((lost.cell[-1] - whole.cell[-1]).abs().max(), 1e-13)


def test_nothing_later_reaches_an_earlier_step():
    cell, xs = cell_of(), inputs_of(8)
    changed = xs.clone()
    changed[5:] += 1
    assert torch.equal(
        lstm_cells.unroll(cell, xs).cell[:5], lstm_cells.unroll(cell, changed).cell[:5]
    )


def test_each_jacobian_equals_autograd_on_a_batch():
    cell, xs = cell_of(), inputs_of(3, batch=(2,))
    gates = lstm_cells.unroll(cell, xs)
    found = lstm_paths.jacobians(cell, gates)
    assert found.shape == (3, 2, 8, 8)

    def step(joint):
        return torch.cat(cell(xs[2, 1], (joint[4:], joint[:4])).state[::-1])

    before = torch.cat([gates.cell[1, 1], gates.hidden[1, 1]])
    expected = torch.func.jacrev(step)(before)
    assert torch.allclose(found[2, 1], expected, atol=1e-12)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 5), st.booleans())
def test_one_step_gap_keeps_its_bound(seed, gain, forget_gate):
    cell = cell_of(seed=seed, gain=gain, forget_gate=forget_gate)
    xs = inputs_of(10, seed=seed)
    gates = lstm_cells.unroll(cell, xs)
    bound = lstm_paths.step_gap_bound(cell, gates)
    for last in range(2, 11):
        part = lstm_cells.unroll(cell, xs[:last])
        gap = lstm_paths.total_path(cell, part)[-2] - torch.diag(part.forget[-1])
        assert torch.linalg.matrix_norm(gap, 2) <= bound[last - 2] + 1e-12


def test_the_bound_of_the_gap_counts_a_negative_cell_by_its_size():
    cell = cell_of()
    gates = lstm_cells.unroll(cell, inputs_of(10))
    bound = lstm_paths.step_gap_bound(cell, gates)
    turned = replace(gates, cell=-gates.cell)
    assert torch.equal(lstm_paths.step_gap_bound(cell, turned), bound)
    wi, wf, wg, _ = (torch.linalg.matrix_norm(w, 2) for w in cell.weight_h.chunk(4))
    largest = torch.stack([c.abs().max() for c in gates.cell[:-1]])
    assert torch.allclose(bound, largest * wf / 4 + wi / 4 + wg, atol=1e-12)


def test_plain_net_equals_torch():
    module = nn.RNN(3, 5, dtype=DOUBLE)
    net, xs = lstm_cells.RNNCell(3, 5, dtype=DOUBLE), inputs_of(batch=(2,))
    with torch.no_grad():
        net.weight_x.copy_(module.weight_ih_l0)
        net.weight_h.copy_(module.weight_hh_l0)
        net.bias.copy_(module.bias_ih_l0 + module.bias_hh_l0)
    assert torch.allclose(lstm_cells.unroll_rnn(net, xs), module(xs)[0], atol=1e-12)


def test_the_plain_nets_path_equals_autograd():
    net, xs = rnn_of(0, 2.0), inputs_of(6)
    hidden = lstm_cells.unroll_rnn(net, xs)
    path = lstm_paths.rnn_path(net, hidden)
    auto = torch.func.jacrev(lambda h: lstm_cells.unroll_rnn(net, xs[2:], h)[-1])(hidden[1])
    assert torch.allclose(path[1], auto, atol=1e-12)


def test_a_large_singular_value_does_not_make_the_gradient_explode():
    net = lstm_cells.RNNCell(1, 2, dtype=DOUBLE)
    with torch.no_grad():
        net.weight_h.copy_(torch.tensor([[0.0, 3.0], [0.0, 0.0]]))
    path = lstm_paths.rnn_path(net, lstm_cells.unroll_rnn(net, inputs_of(6, 1)))
    assert lstm_paths.rnn_bound(net.weight_h, 1)[-1] == 3
    assert torch.equal(path[:-2], torch.zeros_like(path[:-2]))


# Bad input


def reader_of(kind: str, **options: Any) -> readers.Reader:
    return readers.Reader(kind, 3, 4, hidden=5, generator=seeded(0), **options)


def embedded() -> readers.Reader:
    return reader_of("lstm", embedding=2)


def evidence_of(shifts: int) -> dict[str, lstm_text.Evidence]:
    labels = torch.arange(40) % 2 == 0
    strata = torch.zeros(40, dtype=torch.int64)
    units = torch.zeros(40, 2)
    return lstm_text.evidence(units, {"it": labels}, strata, shifts=shifts, generator=seeded(0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lstm_cells.LSTMCell(0, 3), "at least 1"),
        (lambda: lstm_cells.RNNCell(3, 0), "at least 1"),
        (lambda: lstm_cells.LSTMCell(3, 4)(torch.zeros(2, 5)), r"\[\.\.\., 3\]"),
        (
            lambda: lstm_cells.LSTMCell(3, 4)(torch.zeros(3), (torch.zeros(4), torch.zeros(5))),
            "cell",
        ),
        (lambda: lstm_cells.RNNCell(3, 4)(torch.zeros(5)), r"\[\.\.\., 3\]"),
        (lambda: lstm_cells.unroll(lstm_cells.LSTMCell(3, 4), torch.zeros(0, 3)), "T ≥ 1"),
        (lambda: lstm_cells.unroll_rnn(lstm_cells.RNNCell(3, 4), torch.zeros(3)), "T ≥ 1"),
        (lambda: lstm_cells.from_torch(nn.LSTM(3, 4, num_layers=2)), "one layer"),
        (lambda: lstm_cells.from_torch(nn.LSTM(3, 4, batch_first=True)), "batch_first=False"),
        (lambda: lstm_cells.hold(torch.zeros(3), i=1.5, f=1, o=1), "gate i"),
        (lambda: lstm_cells.hold(torch.zeros(0), i=1, f=1, o=1), r"\[T, \.\.\.\]"),
        (lambda: lstm_paths.direct_path(torch.zeros(0, 3)), "T ≥ 1"),
        (lambda: lstm_paths.rnn_path(lstm_cells.RNNCell(3, 4), torch.zeros(0, 4)), "T ≥ 1"),
        (lambda: lstm_paths.rnn_bound(torch.zeros(2, 3), 1), r"\[H, H\]"),
        (lambda: lstm_paths.rnn_bound(torch.eye(2), 1, gamma=0), "gamma"),
        (
            lambda: lstm_paths.path_by_autograd(lstm_cells.LSTMCell(3, 4), torch.zeros(5, 3), 6),
            "step",
        ),
        (lambda: reader_of("gru"), "'rnn' or 'lstm'"),
        (lambda: reader_of("lstm", orthogonal=True), "orthogonal"),
        (lambda: reader_of("rnn", forget_bias=1.0), "biases"),
        (lambda: list(readers.train(reader_of("rnn"), [], total=0, rate=1)), "total"),
        (lambda: readers.loss_and_accuracy(torch.zeros(5, 2, 4), torch.zeros(3)), "answers"),
        (lambda: next(readers.streams(torch.arange(9), size=3, length=3)), "characters"),
        (lambda: readers.spread_bias(3, 2, seeded(0)), "3 steps"),
        (lambda: lag.arm_named("GRU"), "expected one of"),
        (lambda: lstm_text.auc(torch.zeros(3, 2), torch.zeros(4, dtype=torch.bool)), "scores"),
        (lambda: lstm_text.auc(torch.zeros(3, 2), torch.zeros(3, dtype=torch.bool)), "both"),
        (lambda: evidence_of(shifts=0), "shift"),
        (lambda: lstm_text.record_cells(reader_of("lstm"), torch.arange(9), streams=2), "embed"),
        (lambda: lstm_text.record_cells(embedded(), torch.arange(9), streams=10), "streams"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
