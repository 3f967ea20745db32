"""The receipts of the chapter `clipping`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds

from genbook.clipping import bounds, characters, cliff, penalty, rules
from genbook.kit import studies
from genbook.lstm import paths

BRIEF = penalty.Recall(steps=2, hidden=3, batch=2, updates=1)


# The chapter's receipts, broken


def changed(monkeypatch, module, name: str, change) -> None:
    original = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *a, **k: change(original(*a, **k)))


def test_receipts_hold(monkeypatch):
    assert_holds("clipping", "test_receipt_counterexamples", monkeypatch)


def test_receipt_bounds(monkeypatch):
    changed(monkeypatch, bounds, "upper_bound", lambda bound: 0.5 * bound)
    changed(monkeypatch, bounds, "lower_bound", lambda bound: 2 * bound)
    assert_breaks("clipping", "test_receipt_bounds", monkeypatch)


def test_receipt_linear(monkeypatch):
    changed(monkeypatch, paths, "spectral_radius", lambda radius: 1.02 * radius)
    assert_breaks("clipping", "test_receipt_linear", monkeypatch)


def test_receipt_counterexamples(monkeypatch):
    monkeypatch.setattr(bounds, "tilted", lambda largest, _: largest * torch.eye(2).double())
    assert_breaks("clipping", "test_receipt_counterexamples", monkeypatch)


def test_receipt_cliff(monkeypatch):
    changed(monkeypatch, cliff, "gradient", lambda found: (found[0], 1.01 * found[1]))
    assert_breaks("clipping", "test_receipt_cliff", monkeypatch)


def test_receipt_tame(monkeypatch):
    changed(monkeypatch, cliff, "slopes", lambda found: (found[0], 10 * found[1]))
    assert_breaks("clipping", "test_receipt_tame", monkeypatch)


def test_receipt_wall(monkeypatch):
    changed(monkeypatch, cliff, "wall", lambda b: b + 0.01)
    assert_breaks("clipping", "test_receipt_wall", monkeypatch)


def test_receipt_curvature(monkeypatch):
    changed(monkeypatch, cliff, "wall", lambda b: b + 0.5)
    assert_breaks("clipping", "test_receipt_curvature", monkeypatch)


def test_receipt_torch(monkeypatch):
    changed(monkeypatch, rules, "by_norm", lambda cut: [1.01 * g for g in cut])
    changed(monkeypatch, rules, "by_value", lambda cut: [1.01 * g for g in cut])
    assert_breaks("clipping", "test_receipt_torch", monkeypatch)


def test_receipt_direction(monkeypatch):
    changed(monkeypatch, rules, "turned", lambda degrees: 0.9 * degrees + 1)
    assert_breaks("clipping", "test_receipt_direction", monkeypatch)


def test_receipt_descents(monkeypatch):
    original = cliff.descend
    monkeypatch.setattr(
        cliff, "descend", lambda start, rate, limits, steps: original(start, rate, 1e9 * limits)
    )
    assert_breaks("clipping", "test_receipt_descents", monkeypatch)


def test_receipt_penalty(monkeypatch):
    changed(monkeypatch, penalty, "penalty", lambda omega: omega + 1e-3)
    assert_breaks("clipping", "test_receipt_penalty", monkeypatch)


def test_receipt_recall(monkeypatch):
    original = penalty.recall

    def swapped(task, seeds):  # who should forget remembers, and the other way round
        forgets = task.largest < 1 and task.strength == 0
        return original(replace(task, largest=2.0 if forgets else 0.9, strength=0.0), seeds)

    monkeypatch.setattr(penalty, "recall", swapped)
    assert_breaks("clipping", "test_receipt_recall", monkeypatch)


@pytest.fixture
def one_walk(monkeypatch):
    """Chapter cells after the descents, without their two hundred walks or their nets."""
    recall = penalty.recall
    monkeypatch.setattr(penalty, "recall", lambda task, seeds: recall(BRIEF, seeds))
    original = cliff.descend
    monkeypatch.setattr(
        cliff, "descend", lambda start, rate, limits, steps: original(start, rate, limits, steps=1)
    )


def test_receipt_rates(monkeypatch, one_walk):
    original = rules.path
    monkeypatch.setattr(rules, "path", lambda *a, scale=1.0, **k: original(*a, scale=scale**2, **k))
    assert_breaks("clipping", "test_receipt_rates", monkeypatch)


def test_receipt_layer(monkeypatch, one_walk):
    original = rules.layer_rate
    monkeypatch.setattr(
        rules, "layer_rate", lambda layer, factor, adaptive: original(layer, factor, adaptive=True)
    )
    assert_breaks("clipping", "test_receipt_layer", monkeypatch)


def test_receipt_edits(monkeypatch, one_walk):
    monkeypatch.setattr(rules, "centralised", lambda gradient: gradient)
    monkeypatch.setattr(rules, "normalised", lambda gradient: gradient)
    assert_breaks("clipping", "test_receipt_edits", monkeypatch)


@pytest.fixture
def no_training(monkeypatch, one_walk):
    """The chapter's live runs, replaced by what they come to when nothing explodes."""

    def calm(arms, total=0):
        both = torch.full((2,), 4.5)
        singular = torch.full((2, 2), 3.6)
        return characters.Outcome(arms, both, both, both, torch.zeros(2), singular)

    monkeypatch.setattr(characters, "average_norm", lambda seed: 0.6)
    monkeypatch.setattr(characters, "outcome", calm)


def altered_rows(monkeypatch, change) -> None:
    changed(
        monkeypatch,
        studies,
        "load",
        lambda found: replace(found, rows=tuple({**row, **change(row)} for row in found.rows)),
    )


def test_receipt_study(monkeypatch, no_training):
    altered_rows(monkeypatch, lambda row: {"bits": 3.6, "diverged": False})
    assert_breaks("clipping", "test_receipt_study", monkeypatch)


def test_receipt_live(monkeypatch, no_training):
    assert_breaks("clipping", "test_receipt_live", monkeypatch)


def test_receipt_rule(monkeypatch, no_training):
    altered_rows(monkeypatch, lambda row: {"bits": row["bits"] + row["rate"], "diverged": True})
    assert_breaks("clipping", "test_receipt_rule", monkeypatch)
