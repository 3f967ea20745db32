"""The receipts of the chapter `lstm`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from chapters import altered, assert_breaks, rewritten, swap

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.machine import weights
from genbook.kit.training import Step
from genbook.lstm import cells as lstm_cells
from genbook.lstm import figures, lag, machines, readers, relatives, truncation
from genbook.lstm import paths as lstm_paths
from genbook.lstm import units as lstm_text


def test_receipt_torch():
    def in_another_order(cell):
        with torch.no_grad():
            for values in cell.parameters():
                values.copy_(torch.cat([values.chunk(4)[block] for block in (0, 1, 3, 2)]))
        return cell

    def stopped(original):
        def unroll(cell, xs, state=None):
            return original(cell, xs, state, through_hidden=False)

        return unroll

    assert_breaks(
        "lstm",
        "test_receipt_torch",
        altered(lstm_cells.from_torch, in_another_order),
        swap(lstm_cells.unroll, stopped(lstm_cells.unroll)),
    )


def test_receipt_keep():
    original = lstm_cells.update

    def coupled(i, f, o, g, cell):  # the forget gate as one minus a leak
        return original(i, f - 1e-6, o, g, cell)

    assert_breaks("lstm", "test_receipt_keep", swap(original, coupled))


def test_receipt_held():
    original = lstm_cells.update

    def exchanged(i, f, o, g, cell):
        return original(f, i, o, g, cell)

    assert_breaks("lstm", "test_receipt_held", swap(original, exchanged))


def test_receipt_parts():
    original = lstm_cells.unroll

    def from_zero(cell, xs, state=None):
        return original(cell, xs)

    def exchanged(cell, xs, state=None):
        return original(cell, xs, state and state[::-1])

    assert_breaks(
        "lstm", "test_receipt_parts", swap(original, from_zero), swap(original, exchanged)
    )


def test_receipt_memory():
    assert_breaks(
        "lstm",
        "test_receipt_memory",
        altered(lstm_paths.memory, lambda tau: math.log(2) * tau),
        swap(lstm_paths.memory, torch.exp),
    )


def test_receipt_relatives():
    gru, peephole = relatives.held_gru, relatives.held_peephole

    def half_life(bias):
        return math.log(2) / torch.nn.functional.softplus(-torch.as_tensor(bias))

    assert_breaks(
        "lstm",
        "test_receipt_relatives",
        swap(lstm_paths.memory, half_life),
        swap(gru, lambda bias, steps, *, hidden=1.0: gru(-bias, steps, hidden=hidden)),
        swap(peephole, lambda bias, peep, steps, *, cell=1.0: peephole(bias + 1, peep, steps)),
        swap(peephole, lambda bias, peep, steps, *, cell=1.0: peephole(bias, -peep, steps)),
    )


def test_receipt_pulse():
    original = truncation.truncated_gradient

    def from_an_empty_cell(x, decay, weight, window, *, start=0.0):
        return original(x[-window:], decay, weight, window)

    def one_step_more(x, decay, weight, window, *, start=0.0):
        return original(x, decay, weight, min(window + 1, len(x)), start=start)

    assert_breaks(
        "lstm",
        "test_receipt_pulse",
        swap(original, from_an_empty_cell),
        swap(original, one_step_more),
    )


def test_receipt_bias():
    original, bound = truncation.truncated_gradient, truncation.bias_bound

    def one_step_less(x, decay, weight, window, *, start=0.0):
        return original(x, decay, weight, max(window - 1, 1), start=start)

    assert_breaks(
        "lstm",
        "test_receipt_bias",
        swap(original, one_step_less),
        swap(bound, lambda states, decay, window: bound(states, decay, window + 1)),
        swap(bound, lambda states, decay, window: bound(states, decay**2, window)),
    )


def test_receipt_own():
    original = truncation.recurrent_gradient

    def not_stopped(reader, x, y, window):
        return original(reader, x, y, len(x))

    def never_reaching(reader, x, y, window):
        return original(reader, x, y, min(window, 20))

    assert_breaks(
        "lstm", "test_receipt_own", swap(original, not_stopped), swap(original, never_reaching)
    )


def test_receipt_windows():
    """The record alone stands behind these claims."""

    def among(own, window, **values):
        wanted = {"arm": "LSTM, bias 1", "own": own, "window": window, "seed": 0}
        return lambda row: values if wanted.items() <= row.items() else {}

    assert_breaks(
        "lstm",
        "test_receipt_windows",
        rewritten("lstm_windows", among(False, 30, accuracy=0.5)),
        rewritten("lstm_windows", among(True, 30, accuracy=0.9)),
        rewritten("lstm_windows", among(False, 19, accuracy=0.9)),
        rewritten("lstm_windows", lambda row: {"accuracy": min(row["accuracy"], 0.98)}),
    )


def test_receipt_direct():
    def with_its_own_gate(forget):
        return forget.flip(0).cumprod(0).flip(0)

    original = lstm_paths.path_by_autograd

    def through(cell, xs, step, *, through_hidden=True):
        return original(cell, xs, step)

    assert_breaks(
        "lstm",
        "test_receipt_direct",
        swap(lstm_paths.direct_path, with_its_own_gate),
        swap(original, through),
    )


def test_receipt_total():
    original = lstm_paths.jacobians

    def without_the_output_gate(cell, gates, start=None):
        return original(cell, replace(gates, output=gates.output.round()), start)

    def direct_only(_, gates, start=None):
        return torch.diag_embed(lstm_paths.direct_path(gates.forget))

    assert_breaks(
        "lstm",
        "test_receipt_total",
        swap(original, without_the_output_gate),
        swap(lstm_paths.total_path, direct_only),
    )


def test_receipt_gap():
    original = lstm_paths.total_path

    def bound_with(inner):
        def bound(cell, gates):
            wi, wf, wg, _ = (torch.linalg.matrix_norm(w, 2) for w in cell.weight_h.chunk(4))
            return gates.cell[:-1].abs().amax(-1) / 4 * wf + wi / 4 + inner * wg

        return bound

    def doubled(cell, gates, start=None):
        way = original(cell, gates, start)
        return way + 9 * (way - torch.diag_embed(lstm_paths.direct_path(gates.forget)))

    assert_breaks(
        "lstm",
        "test_receipt_gap",
        swap(lstm_paths.step_gap_bound, bound_with(0.25)),
        swap(lstm_paths.step_gap_bound, bound_with(2.0)),
        swap(original, doubled),
    )


def test_receipt_explode():
    def direct_only(_, gates, start=None):
        return torch.diag_embed(lstm_paths.direct_path(gates.forget))

    assert_breaks("lstm", "test_receipt_explode", swap(lstm_paths.total_path, direct_only))


def short_runs(monkeypatch):
    """The failing readers get 30 updates, in which they fail as surely; the third gets 600."""
    original = figures.watch

    def watch(arm, length, seed):
        return original(arm, length, seed, total=600 if arm == "LSTM, keep and shut" else 30)

    swap(original, watch)(monkeypatch)


def test_receipt_lag():
    """Live against the record: that the record holds for other seeds is not shown."""
    accuracy = lag.lag_accuracy

    def share_of_errors(reader, length, *, sequences=10_000, seed=10**6):
        return 1 - accuracy(reader, length, sequences=sequences, seed=seed)

    assert_breaks("lstm", "test_receipt_lag", swap(accuracy, share_of_errors), given=short_runs)


def test_receipt_held_gates():
    """The record alone stands behind these claims."""

    def among(held, **values):
        return lambda row: values if row["held"] is held and row["seed"] == 0 else {}

    assert_breaks(
        "lstm",
        "test_receipt_held_gates",
        rewritten("lstm_held", among(True, accuracy=0.25)),
        rewritten("lstm_held", among(False, accuracy=0.5)),
        rewritten("lstm_held", among(True, direct_after=0.01)),
        rewritten("lstm_held", among(True, total_after=0.9)),
    )


LETTERS = 24_000
"""Of half as many the evidence is too weak in Python 3.13: the text is the library's own."""


def taught(monkeypatch):
    """A short text, and in place of training a unit that is high where a bracket is open.

    What is tested is the evidence, not what training finds.
    """
    source = data.python_source
    swap(source, lambda _=0, split="train": source(LETTERS, split))(monkeypatch)

    def train(reader, batches, *, total, **settings):
        reader.taught = True
        yield Step(0, 1, {"loss": 1.0, "accuracy": 1.0})

    record = lstm_text.record_cells

    def record_cells(reader, codes, *, streams):
        cells = record(reader, codes, streams=streams)
        if getattr(reader, "taught", False):
            mask = lstm_text.positions(str(source(LETTERS, "test")))["brackets"].float()
            cells[:, 7] = mask + torch.randn(len(mask), generator=seeded(0)) / 2
        return cells

    swap(readers.train, train)(monkeypatch)
    swap(record, record_cells)(monkeypatch)


def out_of_order(monkeypatch):
    """Cells in the order of the streams' steps, not in that of the text."""
    record = lstm_text.record_cells

    def record_cells(reader, codes, *, streams):
        cells = record(reader, codes, streams=streams)
        return cells.unflatten(0, (streams, -1)).transpose(0, 1).flatten(0, 1)

    swap(record, record_cells)(monkeypatch)


def test_receipt_lookup():
    original = lstm_text.auc

    def without_strata(scores, labels, strata=None):
        return original(scores, labels)

    assert_breaks("lstm", "test_receipt_lookup", swap(original, without_strata), given=taught)


def test_receipt_units():
    assert_breaks("lstm", "test_receipt_units", out_of_order, given=taught)


def test_receipt_untrained():
    assert_breaks("lstm", "test_receipt_untrained", out_of_order, given=taught)


def test_receipt_trained():
    """The trained net is as good as its evidence; an untrained one in its place is not."""

    def nothing_learned(monkeypatch):
        def train(reader, batches, *, total, **settings):
            reader.taught = False
            yield Step(0, 1, {"loss": 1.0, "accuracy": 1.0})

        swap(readers.train, train)(monkeypatch)

    assert_breaks("lstm", "test_receipt_trained", nothing_learned, given=taught)


def test_receipt_page():
    original = machines.read_letter

    def exchanged(cell, held, state, letter):
        gates = original(cell, held, state, letter)
        return replace(gates, input=gates.forget, forget=gates.input, cell=gates.cell.sin())

    def forgetful(cell, held, state, letter):
        return original(cell, held, (torch.zeros_like(state[0]), state[1]), letter)

    assert_breaks(
        "lstm",
        "test_receipt_page",
        swap(original, exchanged),
        swap(original, forgetful),
        given=taught,
    )


def test_receipt_rounded():
    """After a short training 3 bits a weight are seen; after the chapter's, 5 bits are."""
    source, train = data.python_source, readers.train

    def short(monkeypatch):
        swap(source, lambda _=0, split="train": source(LETTERS, split))(monkeypatch)
        swap(train, lambda *given, total, **how: train(*given, total=150, **how))(monkeypatch)

    def three_bits(tensors):
        return [
            w if w.ndim < 2 else (w / w.abs().amax(1, keepdim=True) * 3).round()
            * w.abs().amax(1, keepdim=True) / 3
            for w in tensors
        ]  # fmt: skip

    assert_breaks("lstm", "test_receipt_rounded", swap(weights.rounded, three_bits), given=short)
