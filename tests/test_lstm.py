"""What the LSTM chapter says, as laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from chapters import assert_breaks
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from genbook import lstm, lstm_text, lstm_training
from genbook.figures import lstm as figures
from genbook.kit import data, studies
from genbook.kit.device import seeded
from genbook.kit.receipts import ReceiptError, check

FAST = settings(max_examples=20, deadline=None)
DOUBLE = torch.float64


def cell_of(
    inputs: int = 3, hidden: int = 4, *, seed: int = 0, gain: float = 1.0, **options: object
) -> lstm.LSTMCell:
    """A double-precision cell whose recurrent weights are ``gain`` times the usual ones."""
    cell = lstm.LSTMCell(inputs, hidden, generator=seeded(seed), dtype=DOUBLE, **options)
    with torch.no_grad():
        cell.weight_h *= gain
        cell.bias += torch.randn(4 * hidden, generator=seeded(seed + 1), dtype=DOUBLE)
    return cell


def inputs_of(steps: int = 9, inputs: int = 3, *, seed: int = 7, batch: tuple[int, ...] = ()):
    return torch.randn(steps, *batch, inputs, generator=seeded(seed), dtype=DOUBLE)


def refused(error: float | torch.Tensor, tol: float) -> None:
    """A receipt with this error must not be printed."""
    with pytest.raises(ReceiptError):
        check(
            "broken on purpose",
            error=float(torch.as_tensor(error).detach()),
            tol=tol,
            label="eq-lstm",
            test="test_lstm",
        )


# The cell


@FAST
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 8), st.integers(0, 99))
def test_cell_equals_torch_for_every_size(inputs, hidden, steps, seed):
    module = nn.LSTM(inputs, hidden, dtype=DOUBLE)
    xs = inputs_of(steps, inputs, seed=seed, batch=(2,))
    gates = lstm.unroll(lstm.from_torch(module), xs)
    expected, (_, cell) = module(xs)
    assert torch.allclose(gates.hidden, expected, atol=1e-12)
    assert torch.allclose(gates.cell[-1], cell[0], atol=1e-12)


def torch_gap(order: tuple[int, ...] = (0, 1, 2, 3)) -> tuple[torch.Tensor, torch.Tensor]:
    """Errors of values and gradients against torch, with the blocks copied in some order."""
    torch.manual_seed(0)
    module = nn.LSTM(3, 5, dtype=DOUBLE)
    cell = lstm.from_torch(module)
    with torch.no_grad():
        for name, values in cell.named_parameters():
            values.copy_(torch.cat([values.chunk(4)[block] for block in order]))
            assert name in {"weight_x", "weight_h", "bias"}
    xs = inputs_of(6, batch=(2,)).requires_grad_()
    ours = lstm.unroll(cell, xs).hidden
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
    cell, xs = lstm.from_torch(module), inputs_of(batch=(2,))
    lstm.unroll(cell, xs).hidden.square().sum().backward()
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
            state = lstm.update(i.sigmoid(), f.sigmoid(), o.sigmoid(), g.tanh(), state[1]).state
        return state

    xs = inputs_of(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(run, (xs, *values))
    assert torch.autograd.gradcheck(lambda x: lstm.unroll(cell, x).cell, (xs,))


@FAST
@given(st.integers(0, 99))
def test_gates_stay_in_their_intervals(seed):
    gates = lstm.unroll(cell_of(seed=seed, gain=3), 3 * inputs_of(20, seed=seed))
    for gate in (gates.input, gates.forget, gates.output):
        assert ((gate > 0) & (gate < 1)).all()
    assert (gates.candidate.abs() <= 1).all()
    assert (gates.hidden.abs() < 1).all()


def test_closed_input_and_open_forget_keep_the_cell_bit_for_bit():
    start = torch.randn(7, generator=seeded(0))
    one, zero, now = torch.ones(7), torch.zeros(7), start
    for step in range(1000):
        candidate = torch.tanh(torch.randn(7, generator=seeded(step)))
        now = lstm.update(zero, one, one, candidate, now).cell
    assert torch.equal(now, start)
    leaky = lstm.update(zero, one - 1e-6, one, one, start).cell
    refused((leaky - start).abs().max(), 0.0)


@FAST
@given(st.floats(0, 1), st.floats(0, 1), st.floats(-2, 2), st.integers(1, 30))
def test_held_gates_follow_the_closed_form(i, f, start, steps):
    pulse = torch.tanh(inputs_of(steps, 1)[:, 0])
    held = lstm.hold(pulse, i=i, f=f, o=0.5, cell=start)
    t = torch.arange(1, steps + 1, dtype=DOUBLE)
    powers = torch.where(t[:, None] >= t, f ** (t[:, None] - t).clamp_min(0), 0.0)
    expected = f**t * start + i * powers @ pulse
    assert torch.allclose(held.cell, expected, atol=1e-10)
    assert torch.equal(held.hidden, 0.5 * torch.tanh(held.cell))


def test_a_held_cell_with_a_wrong_gate_leaves_the_closed_form():
    pulse = torch.zeros(30, dtype=DOUBLE)
    pulse[0] = 1
    expected = 0.9 ** torch.arange(30, dtype=DOUBLE)
    assert (lstm.hold(pulse, i=1, f=0.9, o=1).cell - expected).abs().max() < 1e-12
    refused((lstm.hold(pulse, i=1, f=0.91, o=1).cell - expected).abs().max(), 1e-12)


def test_without_a_forget_gate_the_cell_only_adds():
    cell = cell_of(forget_gate=False)
    gates = lstm.unroll(cell, inputs_of(30))
    total = (gates.input * gates.candidate).cumsum(0)
    assert torch.equal(gates.forget, torch.ones_like(gates.forget))
    assert torch.allclose(gates.cell, total, atol=1e-12)
    steps = torch.arange(1, 31, dtype=DOUBLE)[:, None]
    assert (gates.cell.abs() <= steps).all()


def test_the_sequence_equals_step_by_step_and_chunk_by_chunk():
    cell, xs = cell_of(), inputs_of(12, batch=(2,))
    whole = lstm.unroll(cell, xs)
    state, steps = None, []
    for x in xs:
        state = cell(x, state).state
        steps.append(state[1])
    assert torch.allclose(torch.stack(steps), whole.cell, atol=1e-13)
    first = lstm.unroll(cell, xs[:5])
    second = lstm.unroll(cell, xs[5:], first[-1].state)
    gap = (torch.cat([first.cell, second.cell]) - whole.cell).abs().max()
    assert gap < 1e-13
    lost = lstm.unroll(cell, xs[5:])
    refused((lost.cell[-1] - whole.cell[-1]).abs().max(), 1e-13)


def test_nothing_later_reaches_an_earlier_step():
    cell, xs = cell_of(), inputs_of(8)
    changed = xs.clone()
    changed[5:] += 1
    assert torch.equal(lstm.unroll(cell, xs).cell[:5], lstm.unroll(cell, changed).cell[:5])


# Memory


@FAST
@given(st.floats(-10, 25))
def test_memory_lies_between_exp_b_and_half_a_step_more(bias):
    tau = lstm.memory(torch.tensor(bias, dtype=DOUBLE)).item()
    assert math.exp(bias) * (1 - 1e-9) <= tau <= math.exp(bias) * (1 + 1e-9) + 0.5
    forget = 1 / (1 + math.exp(-bias))
    assert forget**tau == pytest.approx(1 / math.e, rel=1e-4)


def test_memory_is_not_the_half_life():
    bias = torch.tensor(2.0, dtype=DOUBLE)
    kept = torch.sigmoid(bias) ** lstm.memory(bias)
    assert (kept - 1 / math.e).abs() < 1e-12
    half_life = math.log(2) * lstm.memory(bias)
    refused((torch.sigmoid(bias) ** half_life - 1 / math.e).abs(), 1e-12)
    refused((math.exp(2.0) - half_life).clamp_min(0), 0.0)


# Paths


def test_direct_path_is_the_product_of_forget_gates_exactly():
    cell, xs = cell_of(), inputs_of(40)
    gates = lstm.unroll(cell, xs)
    path = lstm.direct_path(gates.forget)
    for step in (1, 20, 40):
        auto = lstm.path_by_autograd(cell, xs, step, through_hidden=False)
        assert torch.equal(auto, torch.diag(path[step - 1]))
    off_by_one = gates.forget.flip(0).cumprod(0).flip(0)
    auto = lstm.path_by_autograd(cell, xs, 20, through_hidden=False)
    refused((auto - torch.diag(off_by_one[19])).abs().max(), 0.0)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 4), st.booleans())
def test_total_path_equals_autograd(seed, gain, forget_gate):
    cell = cell_of(seed=seed, gain=gain, forget_gate=forget_gate)
    xs = inputs_of(8, seed=seed)
    paths = lstm.total_path(cell, lstm.unroll(cell, xs))
    for step in (1, 5, 8):
        auto = lstm.path_by_autograd(cell, xs, step)
        assert torch.allclose(paths[step - 1], auto, atol=1e-9 * (1 + auto.abs().max().item()))


def test_total_path_breaks_when_a_gate_is_left_out():
    cell, xs = cell_of(), inputs_of(8)
    gates = lstm.unroll(cell, xs)
    auto = lstm.path_by_autograd(cell, xs, 1)
    assert (lstm.total_path(cell, gates)[0] - auto).abs().max() < 1e-12
    with torch.no_grad():
        cell.weight_h[4:8] = 0
    refused((lstm.total_path(cell, gates)[0] - auto).abs().max(), 1e-12)


def test_each_jacobian_equals_autograd_on_a_batch():
    cell, xs = cell_of(), inputs_of(3, batch=(2,))
    gates = lstm.unroll(cell, xs)
    found = lstm.jacobians(cell, gates)
    assert found.shape == (3, 2, 8, 8)

    def step(joint):
        return torch.cat(cell(xs[2, 1], (joint[4:], joint[:4])).state[::-1])

    before = torch.cat([gates.cell[1, 1], gates.hidden[1, 1]])
    expected = torch.func.jacrev(step)(before)
    assert torch.allclose(found[2, 1], expected, atol=1e-12)


def test_without_recurrent_weights_total_is_direct():
    cell, xs = cell_of(gain=0.0), inputs_of(10)
    gates = lstm.unroll(cell, xs)
    direct = torch.diag_embed(lstm.direct_path(gates.forget))
    assert torch.allclose(lstm.total_path(cell, gates), direct, atol=1e-15)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 5), st.booleans())
def test_one_step_gap_keeps_its_bound(seed, gain, forget_gate):
    cell = cell_of(seed=seed, gain=gain, forget_gate=forget_gate)
    xs = inputs_of(10, seed=seed)
    gates = lstm.unroll(cell, xs)
    bound = lstm.step_gap_bound(cell, gates)
    for last in range(2, 11):
        part = lstm.unroll(cell, xs[:last])
        gap = lstm.total_path(cell, part)[-2] - torch.diag(part.forget[-1])
        assert torch.linalg.matrix_norm(gap, 2) <= bound[last - 2] + 1e-12


def test_the_gap_is_not_within_a_tenth_of_its_bound_for_all_cells():
    cell = cell_of(gain=5.0)
    gates = lstm.unroll(cell, inputs_of(10))
    gap = lstm.total_path(cell, gates)[-2] - torch.diag(gates.forget[-1])
    excess = torch.linalg.matrix_norm(gap, 2) - 0.01 * lstm.step_gap_bound(cell, gates)[-1]
    refused(excess.clamp_min(0), 0.0)


def test_an_lstm_explodes_though_its_direct_path_cannot():
    def reach(bias: float) -> tuple[torch.Tensor, torch.Tensor]:
        cell = lstm.LSTMCell(3, 32, forget_bias=bias, generator=seeded(0), dtype=DOUBLE)
        gates = lstm.unroll(cell, inputs_of(100))
        direct = lstm.direct_path(gates.forget).max()
        return direct.detach(), lstm.norms(lstm.total_path(cell, gates))[0].detach()

    direct, total = reach(5.0)
    assert direct <= 1
    assert total > 100
    _, forgetful = reach(0.0)
    refused((100 - forgetful).clamp_min(0), 0.0)


# The plain recurrent net


def rnn_of(seed: int, gain: float = 1.0) -> lstm.RNNCell:
    net = lstm.RNNCell(3, 5, generator=seeded(seed), dtype=DOUBLE)
    with torch.no_grad():
        net.weight_h *= gain
    return net


def test_plain_net_equals_torch():
    module = nn.RNN(3, 5, dtype=DOUBLE)
    net, xs = lstm.RNNCell(3, 5, dtype=DOUBLE), inputs_of(batch=(2,))
    with torch.no_grad():
        net.weight_x.copy_(module.weight_ih_l0)
        net.weight_h.copy_(module.weight_hh_l0)
        net.bias.copy_(module.bias_ih_l0 + module.bias_hh_l0)
    assert torch.allclose(lstm.unroll_rnn(net, xs), module(xs)[0], atol=1e-12)


@FAST
@given(st.integers(0, 99), st.floats(0.1, 4))
def test_the_plain_nets_path_keeps_the_bound(seed, gain):
    net, xs = rnn_of(seed, gain), inputs_of(12, seed=seed)
    reach = lstm.norms(lstm.rnn_path(net, lstm.unroll_rnn(net, xs))).flip(0)
    bound = lstm.rnn_bound(net.weight_h, 11)
    assert (reach <= bound * (1 + 1e-9)).all()


def test_the_plain_nets_path_equals_autograd():
    net, xs = rnn_of(0, 2.0), inputs_of(6)
    hidden = lstm.unroll_rnn(net, xs)
    path = lstm.rnn_path(net, hidden)
    auto = torch.func.jacrev(lambda h: lstm.unroll_rnn(net, xs[2:], h)[-1])(hidden[1])
    assert torch.allclose(path[1], auto, atol=1e-12)


def test_the_spectral_radius_bounds_nothing():
    net, xs, start = lstm.saturating_pair(11)
    reach = lstm.norms(lstm.rnn_path(net, lstm.unroll_rnn(net, xs, start))).flip(0)
    assert lstm.spectral_radius(net.weight_h) < 1e-6
    k = torch.arange(11, dtype=DOUBLE)
    assert torch.allclose(reach[1:], math.sqrt(2) * 2 ** k[1:], rtol=1e-9)
    refused((reach[-1] - lstm.spectral_radius(net.weight_h) ** 10).clamp_min(0), 1.0)
    assert (reach <= lstm.rnn_bound(net.weight_h, 10) * (1 + 1e-12)).all()


def test_a_large_singular_value_does_not_make_the_gradient_explode():
    net = lstm.RNNCell(1, 2, dtype=DOUBLE)
    with torch.no_grad():
        net.weight_h.copy_(torch.tensor([[0.0, 3.0], [0.0, 0.0]]))
    path = lstm.rnn_path(net, lstm.unroll_rnn(net, inputs_of(6, 1)))
    assert lstm.rnn_bound(net.weight_h, 1)[-1] == 3
    assert torch.equal(path[:-2], torch.zeros_like(path[:-2]))


def test_the_bound_with_the_radius_instead_of_the_singular_value_is_broken():
    net, xs = rnn_of(3, 1.5), inputs_of(12, seed=3) * 0.1
    reach = lstm.norms(lstm.rnn_path(net, lstm.unroll_rnn(net, xs))).flip(0)
    k = torch.arange(12, dtype=DOUBLE)
    assert (reach - lstm.rnn_bound(net.weight_h, 11)).max() <= 1e-12
    refused((reach - lstm.spectral_radius(net.weight_h) ** k).max().clamp_min(0), 1e-12)


# Readers and their training


@FAST
@given(st.integers(1, 6), st.integers(1, 4), st.sampled_from(["rnn", "lstm"]))
def test_a_carried_state_continues_the_sequence(steps, size, kind):
    reader = lstm_training.Reader(kind, 3, 2, hidden=5, generator=seeded(0))
    x = torch.randn(2 * steps, size, 3, generator=seeded(1))
    whole, _ = reader(x)
    first, state = reader(x[:steps])
    second, _ = reader(x[steps:], state)
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-6)


def test_a_reader_starts_as_asked():
    bias = torch.arange(5.0)
    reader = lstm_training.Reader(
        "lstm", 3, 2, hidden=5, forget_bias=bias, input_bias=-bias, generator=seeded(0)
    )
    cell = lstm.from_torch(reader.recurrent)
    assert torch.equal(cell.bias, torch.cat([-bias, bias, torch.zeros(10)]))
    plain = lstm_training.Reader("rnn", 3, 2, hidden=5, orthogonal=True, generator=seeded(0))
    weight = plain.recurrent.weight_hh_l0
    assert torch.allclose(weight @ weight.T, torch.eye(5), atol=1e-5)


def test_the_same_seed_gives_the_same_run():
    first, second = (lstm_training.lag_run("LSTM, bias 1", 20, 3, total=20) for _ in range(2))
    assert replace(first, seconds=0) == replace(second, seconds=0)


def test_training_lowers_the_loss_and_stops_when_all_is_right():
    reader = lstm_training.arm_named("LSTM, keep and shut").reader(10, seeded(0))
    losses = [
        step.terms["loss"] for step in lstm_training.lag_steps(reader, 10, seeded(1), total=2_000)
    ]
    assert len(losses) < 2_000
    assert sum(losses[-50:]) < 0.1 * sum(losses[:50])
    assert lstm_training.lag_accuracy(reader, 10, sequences=2_000) > 0.98


def test_the_loss_of_even_scores_is_the_logarithm_of_the_answers():
    scores = torch.zeros(6, 3, 7)
    for answers in (torch.zeros(3, dtype=torch.int64), torch.zeros(6, 3, dtype=torch.int64)):
        loss, _ = lstm_training.loss_and_accuracy(scores, answers)
        assert loss.item() == pytest.approx(math.log(7), rel=1e-6)


def test_only_the_last_step_counts_when_there_is_one_answer():
    scores = torch.randn(6, 3, 7, generator=seeded(0))
    answers = torch.tensor([1, 2, 3])
    changed = torch.cat([scores[:-1] + 1_000, scores[-1:]])
    first = lstm_training.loss_and_accuracy(scores, answers)[0]
    assert first == lstm_training.loss_and_accuracy(changed, answers)[0]


@FAST
@given(st.integers(1, 5), st.integers(1, 9), st.integers(60, 200))
def test_streams_go_on_where_they_stopped(size, length, count):
    batches = lstm_training.streams(torch.arange(count), size=size, length=length)
    x, y = next(batches)
    assert torch.equal(y, x + 1)
    if count // size > 2 * length:
        later, _ = next(batches)
        assert torch.equal(later[0], y[-1])


def test_spread_biases_give_memories_up_to_the_longest_lag():
    memories = lstm.memory(lstm_training.spread_bias(4_000, 100, seeded(0)))
    assert memories.min() >= 1.4
    assert memories.max() <= 99.5
    assert abs(memories.median().item() - 50) < 3


# Units against chance


def brute_auc(scores: torch.Tensor, labels: torch.Tensor, strata: torch.Tensor) -> float:
    """Over all pairs of one stratum with different labels: the share in the right order."""
    won = pairs = 0.0
    for i in range(len(scores)):
        for j in range(len(scores)):
            if strata[i] == strata[j] and labels[i] and not labels[j]:
                pairs += 1
                won += float(scores[i] > scores[j]) + 0.5 * float(scores[i] == scores[j])
    return won / pairs


@FAST
@given(st.integers(0, 999))
def test_auc_counts_pairs(seed):
    generator = seeded(seed)
    scores = torch.randint(5, (24, 2), generator=generator).float()
    strata = torch.randint(3, (24,), generator=generator)
    labels = torch.rand(24, generator=generator) < 0.5
    labels[:2], strata[:2] = torch.tensor([True, False]), 0
    found = lstm_text.auc(scores, labels, strata)
    for unit in range(2):
        assert found[unit].item() == pytest.approx(brute_auc(scores[:, unit], labels, strata))


@FAST
@given(st.integers(0, 999))
def test_a_function_of_the_stratum_scores_exactly_half(seed):
    generator = seeded(seed)
    strata = torch.randint(7, (300,), generator=generator)
    labels = torch.rand(300, generator=generator) < 0.2 + 0.1 * strata
    scores = torch.randn(7, 4, generator=generator)[strata]
    assert (lstm_text.auc(scores, labels, strata) == 0.5).all()
    assert (lstm_text.auc(scores, labels) != 0.5).any()


def runs(count: int, seed: int) -> torch.Tensor:
    """Slow on–off labels."""
    noise = torch.randn(count + 200, generator=seeded(seed)).unfold(0, 201, 1).mean(-1)
    return noise[:count] > 0


def test_slow_units_that_know_nothing_are_rarely_called_significant():
    hits = 0
    for seed in range(40):
        units = torch.stack([runs(2_000, 1_000 + 50 * seed + u).float() for u in range(5)], 1)
        units += 0.1 * torch.randn(units.shape, generator=seeded(seed))
        strata = torch.randint(3, (2_000,), generator=seeded(seed))
        found = lstm_text.evidence(
            units, {"it": runs(2_000, seed)}, strata, shifts=39, generator=seeded(seed)
        )
        hits += found["it"].p_value <= 0.05
    assert hits <= 6


def test_a_unit_that_knows_is_found_whichever_way_it_points():
    label = runs(4_000, 0)
    units = torch.randn(4_000, 6, generator=seeded(1))
    units[:, 4] -= 3 * label.float()
    strata = torch.zeros(4_000, dtype=torch.int64)
    found = lstm_text.evidence(units, {"it": label}, strata, shifts=39, generator=seeded(2))["it"]
    assert (found.unit, found.sign) == (4, -1)
    assert found.auc > 0.95
    assert found.p_value == 1 / 40


def marked(source: str, label: str) -> str:
    return "".join(
        letter if here else "."
        for letter, here in zip(source, lstm_text.positions(source)[label].tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("source", "label", "expected"),
    [
        ("a = 'b' + \"c'd\"\n", "quotes", """....'b...."c'd.."""),
        ("x = 1  # it's\n", "quotes", "." * 14),
        ('"""two\nlines"""\n', "quotes", "." * 16),
        ("f(a[0], b)\n", "brackets", ".(a[0], b.."),
        ("f(')')\n", "brackets", ".(')'.."),
        ("        y\n    z\n", "indentation", ".......\x20y\n......"),
    ],
)
def test_positions_follow_the_grammar(source, label, expected):
    assert marked(source, label) == expected


def test_positions_survive_source_that_is_cut_off():
    found = lstm_text.positions("f('a', (\n'b")
    assert {len(mask) for mask in found.values()} == {11}
    assert found["brackets"][-1]


def test_recorded_cells_are_those_of_the_text_in_order():
    reader = lstm_training.Reader("lstm", 9, 9, hidden=4, embedding=3, generator=seeded(0))
    codes = torch.randint(9, (20,), generator=seeded(1))
    cells = lstm_text.record_cells(reader, codes, streams=2)
    one = lstm_text.record_cells(reader, codes[10:], streams=1)
    assert torch.allclose(cells[10:], one, atol=1e-6)


def test_figures_have_what_they_promise():
    masks = {"a": runs(900, 0), "b": runs(900, 1)}
    begins = figures.telling_stretches(masks, count=3)
    assert len(set(begins)) == 3
    assert all(450 <= begin <= 830 for begin in begins)
    watched = figures.watch("RNN", 20, 0, total=5, moments=7)
    assert len(watched.snapshots) == 7
    assert [snapshot.update for snapshot in watched.snapshots][-1] == 5
    with pytest.raises(ValueError, match="LSTM"):
        figures.gates_of(watched, 20, 0)


def test_the_study_holds_every_contender_at_every_length_for_five_seeds():
    result = studies.load("lstm_long_lag")
    there = {(row["arm"], row["length"], row["seed"]) for row in result.rows}
    wanted = {
        (arm.name, length, seed)
        for arm in lstm_training.ARMS
        for length in lstm_training.LENGTHS
        for seed in result.seeds
    }
    assert there == wanted
    assert len(result.seeds) >= 5


# The chapter's receipts, broken on purpose


def changed(monkeypatch: pytest.MonkeyPatch, name: str, how: Callable[[Any], Any]) -> None:
    """Let ``lstm.name`` return something else."""
    original = getattr(lstm, name)
    monkeypatch.setattr(lstm, name, lambda *a, **k: how(original(*a, **k)))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chapter without its long runs and its long text."""
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    monkeypatch.setattr(lstm_training, "lag_accuracy", lambda *_, **__: 0.5)
    watch, source = figures.watch, data.python_source
    monkeypatch.setattr(
        figures, "watch", lambda arm, length, seed: watch(arm, length, seed, total=3)
    )
    monkeypatch.setattr(data, "python_source", lambda _=0, split="train": source(20_000, split))


def test_receipt_bound(monkeypatch):
    def radius(weight, count, *, gamma=1.0):
        return (gamma * lstm.spectral_radius(weight)) ** torch.arange(count + 1, dtype=DOUBLE)

    monkeypatch.setattr(lstm, "rnn_bound", radius)
    assert_breaks("lstm", "test_receipt_bound", monkeypatch)


def test_receipt_radius(monkeypatch):
    changed(monkeypatch, "rnn_path", lambda path: 1.01 * path)
    assert_breaks("lstm", "test_receipt_radius", monkeypatch)


def test_receipt_necessary(monkeypatch):
    changed(monkeypatch, "rnn_path", lambda path: path + 1e-3)
    assert_breaks("lstm", "test_receipt_necessary", monkeypatch)


def test_receipt_torch(monkeypatch):
    def in_another_order(cell: lstm.LSTMCell) -> lstm.LSTMCell:
        with torch.no_grad():
            for values in cell.parameters():
                values.copy_(torch.cat([values.chunk(4)[block] for block in (0, 1, 3, 2)]))
        return cell

    changed(monkeypatch, "from_torch", in_another_order)
    assert_breaks("lstm", "test_receipt_torch", monkeypatch)


def test_receipt_keep(monkeypatch):
    original = lstm.update
    monkeypatch.setattr(lstm, "update", lambda i, f, o, g, c: original(i, f - 1e-6, o, g, c))
    assert_breaks("lstm", "test_receipt_keep", monkeypatch)


def test_receipt_held(monkeypatch):
    original = lstm.hold
    monkeypatch.setattr(lstm, "hold", lambda g, *, i, f, o: original(g, i=i, f=f + 0.01, o=o))
    assert_breaks("lstm", "test_receipt_held", monkeypatch)


def test_receipt_parts(monkeypatch):
    original = lstm.unroll
    monkeypatch.setattr(lstm, "unroll", lambda cell, xs, state=None: original(cell, xs))
    assert_breaks("lstm", "test_receipt_parts", monkeypatch)


def test_receipt_memory(monkeypatch):
    changed(monkeypatch, "memory", lambda tau: math.log(2) * tau)
    assert_breaks("lstm", "test_receipt_memory", monkeypatch)


def test_receipt_direct(monkeypatch):
    monkeypatch.setattr(lstm, "direct_path", lambda forget: forget.flip(0).cumprod(0).flip(0))
    assert_breaks("lstm", "test_receipt_direct", monkeypatch)


def test_receipt_total(monkeypatch):
    monkeypatch.setattr(
        lstm, "total_path", lambda _, gates: torch.diag_embed(lstm.direct_path(gates.forget))
    )
    assert_breaks("lstm", "test_receipt_total", monkeypatch)


def test_receipt_gap(monkeypatch):
    changed(monkeypatch, "step_gap_bound", lambda bound: 0.01 * bound)
    assert_breaks("lstm", "test_receipt_gap", monkeypatch)


def test_receipt_explode(monkeypatch):
    changed(monkeypatch, "direct_path", lambda path: 1.01 * path)
    changed(monkeypatch, "total_path", lambda path: path / path.abs().max())
    assert_breaks("lstm", "test_receipt_explode", monkeypatch)


def test_receipt_lag(monkeypatch, quick):
    assert_breaks("lstm", "test_receipt_lag", monkeypatch)


def test_receipt_lookup(monkeypatch, quick):
    original = lstm_text.auc
    monkeypatch.setattr(lstm_text, "auc", lambda scores, labels, _=None: original(scores, labels))
    assert_breaks("lstm", "test_receipt_lookup", monkeypatch)


def test_receipt_units(monkeypatch, quick):
    original = lstm_text.evidence
    monkeypatch.setattr(
        lstm_text,
        "evidence",
        lambda scores, labels, strata, **rest: original(
            scores[torch.randperm(len(scores), generator=seeded(0))], labels, strata, **rest
        ),
    )
    assert_breaks("lstm", "test_receipt_units", monkeypatch)


# Bad input


def reader_of(kind: str, **options: Any) -> lstm_training.Reader:
    return lstm_training.Reader(kind, 3, 4, hidden=5, generator=seeded(0), **options)


def embedded() -> lstm_training.Reader:
    return reader_of("lstm", embedding=2)


def evidence_of(shifts: int) -> dict[str, lstm_text.Evidence]:
    labels = torch.arange(40) % 2 == 0
    strata = torch.zeros(40, dtype=torch.int64)
    units = torch.zeros(40, 2)
    return lstm_text.evidence(units, {"it": labels}, strata, shifts=shifts, generator=seeded(0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lstm.LSTMCell(0, 3), "at least 1"),
        (lambda: lstm.RNNCell(3, 0), "at least 1"),
        (lambda: lstm.LSTMCell(3, 4)(torch.zeros(2, 5)), r"\[\.\.\., 3\]"),
        (lambda: lstm.LSTMCell(3, 4)(torch.zeros(3), (torch.zeros(4), torch.zeros(5))), "cell"),
        (lambda: lstm.RNNCell(3, 4)(torch.zeros(5)), r"\[\.\.\., 3\]"),
        (lambda: lstm.unroll(lstm.LSTMCell(3, 4), torch.zeros(0, 3)), "T ≥ 1"),
        (lambda: lstm.unroll_rnn(lstm.RNNCell(3, 4), torch.zeros(3)), "T ≥ 1"),
        (lambda: lstm.from_torch(nn.LSTM(3, 4, num_layers=2)), "one layer"),
        (lambda: lstm.hold(torch.zeros(3), i=1.5, f=1, o=1), "gate i"),
        (lambda: lstm.hold(torch.zeros(0), i=1, f=1, o=1), r"\[T, \.\.\.\]"),
        (lambda: lstm.direct_path(torch.zeros(0, 3)), "T ≥ 1"),
        (lambda: lstm.rnn_path(lstm.RNNCell(3, 4), torch.zeros(0, 4)), "T ≥ 1"),
        (lambda: lstm.rnn_bound(torch.zeros(2, 3), 1), r"\[H, H\]"),
        (lambda: lstm.rnn_bound(torch.eye(2), 1, gamma=0), "gamma"),
        (lambda: lstm.path_by_autograd(lstm.LSTMCell(3, 4), torch.zeros(5, 3), 6), "step"),
        (lambda: reader_of("gru"), "'rnn' or 'lstm'"),
        (lambda: reader_of("lstm", orthogonal=True), "orthogonal"),
        (lambda: reader_of("rnn", forget_bias=1.0), "biases"),
        (lambda: list(lstm_training.train(reader_of("rnn"), [], total=0, rate=1)), "total"),
        (lambda: lstm_training.loss_and_accuracy(torch.zeros(5, 2, 4), torch.zeros(3)), "answers"),
        (lambda: lstm_training.rows(torch.zeros(2, 3, 8, 8)), r"\[B, 1, H, W\]"),
        (lambda: next(lstm_training.streams(torch.arange(9), size=3, length=3)), "characters"),
        (lambda: lstm_training.spread_bias(3, 2, seeded(0)), "3 steps"),
        (lambda: lstm_training.arm_named("GRU"), "expected one of"),
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
