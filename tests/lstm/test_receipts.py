"""The receipts of the chapter `lstm`, broken on purpose."""

from __future__ import annotations

import math

import pytest
import torch
from chapters import assert_breaks

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.lstm import cells as lstm_cells
from genbook.lstm import figures, lag
from genbook.lstm import paths as lstm_paths
from genbook.lstm import units as lstm_text
from tests.lstm.given import DOUBLE, changed


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chapter without its long runs and its long text."""
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    monkeypatch.setattr(lag, "lag_accuracy", lambda *_, **__: 0.5)
    watch, source = figures.watch, data.python_source
    monkeypatch.setattr(
        figures, "watch", lambda arm, length, seed: watch(arm, length, seed, total=3)
    )
    monkeypatch.setattr(data, "python_source", lambda _=0, split="train": source(20_000, split))


def test_receipt_bound(monkeypatch):
    def radius(weight, count, *, gamma=1.0):
        return (gamma * lstm_paths.spectral_radius(weight)) ** torch.arange(count + 1, dtype=DOUBLE)

    monkeypatch.setattr(lstm_paths, "rnn_bound", radius)
    assert_breaks("lstm", "test_receipt_bound", monkeypatch)


def test_receipt_radius(monkeypatch):
    changed(monkeypatch, "rnn_path", lambda path: 1.01 * path)
    assert_breaks("lstm", "test_receipt_radius", monkeypatch)


def test_receipt_necessary(monkeypatch):
    changed(monkeypatch, "rnn_path", lambda path: path + 1e-3)
    assert_breaks("lstm", "test_receipt_necessary", monkeypatch)


def test_receipt_torch(monkeypatch):
    def in_another_order(cell: lstm_cells.LSTMCell) -> lstm_cells.LSTMCell:
        with torch.no_grad():
            for values in cell.parameters():
                values.copy_(torch.cat([values.chunk(4)[block] for block in (0, 1, 3, 2)]))
        return cell

    changed(monkeypatch, "from_torch", in_another_order)
    assert_breaks("lstm", "test_receipt_torch", monkeypatch)


def test_receipt_keep(monkeypatch):
    original = lstm_cells.update
    monkeypatch.setattr(lstm_cells, "update", lambda i, f, o, g, c: original(i, f - 1e-6, o, g, c))
    assert_breaks("lstm", "test_receipt_keep", monkeypatch)


def test_receipt_held(monkeypatch):
    original = lstm_cells.hold
    monkeypatch.setattr(lstm_cells, "hold", lambda g, *, i, f, o: original(g, i=i, f=f + 0.01, o=o))
    assert_breaks("lstm", "test_receipt_held", monkeypatch)


def test_receipt_parts(monkeypatch):
    original = lstm_cells.unroll
    monkeypatch.setattr(lstm_cells, "unroll", lambda cell, xs, state=None: original(cell, xs))
    assert_breaks("lstm", "test_receipt_parts", monkeypatch)


def test_receipt_memory(monkeypatch):
    changed(monkeypatch, "memory", lambda tau: math.log(2) * tau)
    assert_breaks("lstm", "test_receipt_memory", monkeypatch)


def test_receipt_direct(monkeypatch):
    monkeypatch.setattr(lstm_paths, "direct_path", lambda forget: forget.flip(0).cumprod(0).flip(0))
    assert_breaks("lstm", "test_receipt_direct", monkeypatch)


def test_receipt_total(monkeypatch):
    monkeypatch.setattr(
        lstm_paths,
        "total_path",
        lambda _, gates: torch.diag_embed(lstm_paths.direct_path(gates.forget)),
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
