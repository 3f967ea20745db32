"""The receipt on the first page, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

from chapters import assert_breaks, assert_holds

from genbook.divergences import fitting


def test_receipt_moments(monkeypatch):
    assert_holds("index", "test_receipt_moments", monkeypatch)
    original = fitting.fit_gaussian
    monkeypatch.setattr(
        fitting, "fit_gaussian", lambda *a, **k: replace(fit := original(*a, **k), mu=fit.mu + 0.01)
    )
    assert_breaks("index", "test_receipt_moments", monkeypatch)
