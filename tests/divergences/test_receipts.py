"""The receipts of the chapter `divergences`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

from chapters import assert_breaks

from genbook.divergences import densities, fitting, measures, samples

# Each receipt of the chapter, with the thing it checks broken once.


def holder(name: str):
    return next(m for m in (measures, densities, fitting, samples) if hasattr(m, name))


def scaled(monkeypatch, name: str, factor: float) -> None:
    room = holder(name)
    original = getattr(room, name)
    monkeypatch.setattr(room, name, lambda *a, **k: original(*a, **k) * factor)


def altered(divergence: measures.Divergence, factor: float) -> measures.Divergence:
    return replace(divergence, penalty=lambda p, q: divergence.penalty(p, q) * factor)


def test_receipt_gibbs(monkeypatch):
    monkeypatch.setattr(
        measures,
        "KL",
        replace(measures.KL, penalty=lambda p, q: -measures._kl(p, q) - 0.1 * p.exp()),
    )
    assert_breaks("divergences", "test_receipt_gibbs", monkeypatch)


def test_receipt_closed_form(monkeypatch):
    scaled(monkeypatch, "on_grid", 1.001)
    assert_breaks("divergences", "test_receipt_closed_form", monkeypatch)


def test_receipt_samples(monkeypatch):
    original = samples.draw
    monkeypatch.setattr(samples, "draw", lambda *a: original(*a) + 0.3)
    assert_breaks("divergences", "test_receipt_samples", monkeypatch)


def test_receipt_mle(monkeypatch):
    scaled(monkeypatch, "entropy", 1 / math.log(2))
    assert_breaks("divergences", "test_receipt_mle", monkeypatch)


def test_receipt_moments(monkeypatch):
    original = fitting.fit_gaussian
    monkeypatch.setattr(
        fitting,
        "fit_gaussian",
        lambda *a, **k: replace(fit := original(*a, **k), sigma=1.01 * fit.sigma),
    )
    assert_breaks("divergences", "test_receipt_moments", monkeypatch)


def test_receipt_mode(monkeypatch):
    original = fitting.best_gaussian
    monkeypatch.setattr(
        fitting,
        "best_gaussian",
        lambda *a, **k: replace(fit := original(*a, **k), value=fit.value + 0.01),
    )
    assert_breaks("divergences", "test_receipt_mode", monkeypatch)


def test_receipt_zeros(monkeypatch):
    for name in ("KL", "REVERSE_KL"):
        divergence = getattr(measures, name)
        clamped = replace(
            divergence,
            penalty=lambda p, q, d=divergence: d.penalty(p.clamp_min(-30), q.clamp_min(-30)),
        )
        monkeypatch.setattr(measures, name, clamped)
    assert_breaks("divergences", "test_receipt_zeros", monkeypatch)


def test_receipt_real_fit(monkeypatch):
    scaled(monkeypatch, "nll", -1.0)
    assert_breaks("divergences", "test_receipt_real_fit", monkeypatch)


def test_receipt_bounds(monkeypatch):
    factors = {"total variation": 3.0, "Jensen–Shannon": 10.0, "Pearson χ²": 0.01}
    broken = tuple(altered(d, factors.get(d.name, 1.0)) for d in measures.DIVERGENCES)
    monkeypatch.setattr(measures, "DIVERGENCES", broken)
    assert_breaks("divergences", "test_receipt_bounds", monkeypatch)


def test_receipt_js_max(monkeypatch):
    monkeypatch.setattr(measures, "JENSEN_SHANNON", altered(measures.JENSEN_SHANNON, 2.0))
    assert_breaks("divergences", "test_receipt_js_max", monkeypatch)


def test_receipt_data_processing(monkeypatch):
    squares = tuple(
        replace(d, penalty=lambda p, q: (p.exp() - q.exp()) ** 2) for d in measures.DIVERGENCES
    )
    monkeypatch.setattr(measures, "DIVERGENCES", squares)
    assert_breaks("divergences", "test_receipt_data_processing", monkeypatch)


def test_receipt_slopes(monkeypatch):
    scaled(monkeypatch, "on_grid", 1.01)
    assert_breaks("divergences", "test_receipt_slopes", monkeypatch)


def test_receipt_reverse_covers(monkeypatch):
    original = fitting.fit_two_gaussians
    monkeypatch.setattr(
        fitting,
        "fit_two_gaussians",
        lambda *a, **k: replace(original(*a, **k), weight=0.5, value=0.1),
    )
    assert_breaks("divergences", "test_receipt_reverse_covers", monkeypatch)


def test_receipt_published_fits(monkeypatch):
    wrong = {**fitting.PUBLISHED_FITS, "KL": replace(fitting.PUBLISHED_FITS["KL"], mu=1.02)}
    monkeypatch.setattr(fitting, "PUBLISHED_FITS", wrong)
    assert_breaks("divergences", "test_receipt_published_fits", monkeypatch)
