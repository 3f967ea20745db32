"""The receipts of the chapter `collapse`, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

from chapters import assert_breaks, assert_holds

from genbook.collapse import causes, critics, digits, figures, limits, remedies
from genbook.games import classifier
from genbook.games import classifier as games_classifier
from genbook.games import modes as games_modes
from genbook.games.play import unrolled
from genbook.kit import studies


def test_receipts_hold_as_the_chapter_stands(monkeypatch):
    assert_holds("collapse", "test_receipt_pack", monkeypatch)


def test_receipt_ceiling(monkeypatch):
    monkeypatch.setattr(limits, "ceiling", lambda: 1.0)
    assert_breaks("collapse", "test_receipt_ceiling", monkeypatch)


def test_receipt_floor(monkeypatch):
    monkeypatch.setattr(limits, "histogram_floor", lambda modes, samples: modes / samples)
    assert_breaks("collapse", "test_receipt_floor", monkeypatch)


def test_receipt_trap(monkeypatch):
    monkeypatch.setattr(games_modes, "distinct", len)
    assert_breaks("collapse", "test_receipt_trap", monkeypatch)


def test_receipt_wish(monkeypatch):
    monkeypatch.setattr(limits, "kept_modes", lambda convex, kept, modes: kept / modes)
    assert_breaks("collapse", "test_receipt_wish", monkeypatch)


def test_receipt_order(monkeypatch):
    true = causes.stale
    monkeypatch.setattr(causes, "stale", lambda s, r, k, n: true(s, 1.5 * r, k, n))
    assert_breaks("collapse", "test_receipt_order", monkeypatch)


def test_receipt_silence(monkeypatch):
    class Everywhere(causes.Elsewhere):
        def __init__(self, critic, centre, radius, height):
            super().__init__(critic, 0 * centre, 3 * radius, height)

    monkeypatch.setattr(causes, "Elsewhere", Everywhere)
    assert_breaks("collapse", "test_receipt_silence", monkeypatch)


def test_receipt_unroll(monkeypatch):
    from genbook.games import play

    def still(critic, objective, real, fake, streams, *, steps, rate):
        return unrolled(critic, objective, real, fake.detach(), streams, steps=steps, rate=rate)

    monkeypatch.setattr(play, "unrolled", still)
    assert_breaks("collapse", "test_receipt_unroll", monkeypatch)


def test_receipt_spiral(monkeypatch):
    true = causes.bilinear_step
    monkeypatch.setattr(
        causes, "bilinear_step", lambda k, *, look, rate: true(0, look=look, rate=rate)
    )
    assert_breaks("collapse", "test_receipt_spiral", monkeypatch)


def test_receipt_pack(monkeypatch):
    true = limits.packed_tv
    monkeypatch.setattr(figures, "seen_together", lambda q, m: 0.5 + 0 * true(q, q, 1))
    assert_breaks("collapse", "test_receipt_pack", monkeypatch)


def test_receipt_spectral(monkeypatch):
    def half(weight, u, steps=1):
        sigma, u = critics_norm(weight, u, steps)
        return sigma / 30, u

    critics_norm = critics.spectral_norm
    monkeypatch.setattr(critics, "spectral_norm", half)
    assert_breaks("collapse", "test_receipt_spectral", monkeypatch)


def _rewritten(monkeypatch, name, change):
    """Load the study ``name`` with each row changed."""
    true = studies.load

    def load(asked):
        found = true(asked)
        if asked != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


def test_receipt_ahead(monkeypatch):
    _rewritten(monkeypatch, "collapse_unroll", lambda row: {"modes": 4})
    assert_breaks("collapse", "test_receipt_ahead", monkeypatch)


def test_receipt_recorded(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": 12, "good": 0.5})
    assert_breaks("collapse", "test_receipt_recorded", monkeypatch)


def test_receipt_goal(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": 25, "good": 0.95})
    assert_breaks("collapse", "test_receipt_goal", monkeypatch)


def test_receipt_hops(monkeypatch):
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"points": "0 0 " * 45})
    assert_breaks("collapse", "test_receipt_hops", monkeypatch)


def test_receipt_ring(monkeypatch):
    _rewritten(monkeypatch, "collapse_ring", lambda row: {"modes": 6})
    assert_breaks("collapse", "test_receipt_ring", monkeypatch)


def test_receipt_unit(monkeypatch):
    monkeypatch.setattr(remedies.Benchmark, "unit", 1.0)
    assert_breaks("collapse", "test_receipt_unit", monkeypatch)


def test_receipt_patience(monkeypatch):
    _rewritten(monkeypatch, "collapse_patience", lambda row: {"modes": 24, "good": 0.9})
    assert_breaks("collapse", "test_receipt_patience", monkeypatch)


def test_receipt_sweep(monkeypatch):
    _rewritten(monkeypatch, "collapse_sweep", lambda row: {"modes": 5})
    assert_breaks("collapse", "test_receipt_sweep", monkeypatch)


def _illiterate(monkeypatch):
    true = games_classifier.learn_to_read

    def learn(train, test, *, steps, seed=0):
        return classifier.Reader(true(train, test, steps=1, seed=seed).logits, 0.5, train.name)

    monkeypatch.setattr(digits, "ITERATIONS", 2)
    monkeypatch.setattr(games_classifier, "learn_to_read", learn)


def test_receipt_digits(monkeypatch):
    _illiterate(monkeypatch)
    _rewritten(monkeypatch, "collapse_digits", lambda row: {"captured": 5})
    assert_breaks("collapse", "test_receipt_digits", monkeypatch)


def test_receipt_live(monkeypatch):
    _illiterate(monkeypatch)
    _rewritten(monkeypatch, "collapse_grid", lambda row: {"modes": int(row["modes"]) + 100})
    for name in ("GRID_BUDGET", "RING_BUDGET"):
        monkeypatch.setattr(remedies, name, replace(getattr(remedies, name), batch=8))
    assert_breaks("collapse", "test_receipt_live", monkeypatch)
