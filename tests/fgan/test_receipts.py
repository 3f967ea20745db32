"""The receipts of the chapter `fgan`, broken on purpose."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from chapters import assert_breaks, assert_holds

from genbook.divergences import fitting
from genbook.fgan import conjugates, figures, signals, survival, univariate
from genbook.games import duality
from genbook.kit import studies
from genbook.kit.training import NonFiniteLoss


def broken_rows(monkeypatch, change, *names):
    """Put a changed row, or changed rows, into the table that the chapter reads."""
    rows = tuple(change(c) if not names or c.name in names else c for c in duality.TABLE)
    monkeypatch.setattr(duality, "TABLE", rows)


def lowered(amount):
    return lambda c: replace(c, conjugate=lambda t: c.conjugate(t) - amount)


def stale_rows(monkeypatch, name, change):
    """Let a recorded study hold other numbers."""
    honest = studies.load

    def load(wanted):
        found = honest(wanted)
        if wanted != name:
            return found
        return replace(found, rows=tuple({**row, **change(row)} for row in found.rows))

    monkeypatch.setattr(studies, "load", load)


@pytest.fixture
def quick(monkeypatch):
    """Leave out what no receipt looks at: pictures, and live games beside recorded ones."""

    def ring(convex, seeds, *, keep_going=True, **_):
        if not keep_going:
            raise NonFiniteLoss(0, "critic", math.inf)
        count = len(seeds)
        return survival.Outcome(torch.zeros(count, 500, 2), torch.zeros(9, count), (-1,) * count)

    def drawn(convex, images, seeds, **_):
        return survival.Outcome(torch.zeros(1, 100, images.shape[1]), torch.zeros(9, 1), (-1,))

    monkeypatch.setattr(survival, "on_ring", ring)
    monkeypatch.setattr(survival, "on_images", drawn)
    for name in ("parting", "clouds", "drawn_images"):
        monkeypatch.setattr(figures, name, lambda *_, **__: None)


AT_600 = studies.load("fgan_univariate").where(iteration=600, seed=0)


def breaks(monkeypatch, test):
    assert_breaks("fgan", test, monkeypatch)


def test_receipt_roads(monkeypatch):
    broken_rows(monkeypatch, lowered(1e-6), "Jeffrey")
    breaks(monkeypatch, "test_receipt_roads")


def test_receipt_biconjugate(monkeypatch):
    broken_rows(monkeypatch, lowered(1e-5), "Neyman χ²")
    breaks(monkeypatch, "test_receipt_biconjugate")


def test_receipt_domain(monkeypatch):
    broken_rows(monkeypatch, lambda c: replace(c, domain=(-math.inf, 0.1)), "GAN")
    breaks(monkeypatch, "test_receipt_domain")


def test_receipt_young(monkeypatch):
    broken_rows(monkeypatch, lowered(0.1), "squared Hellinger")
    breaks(monkeypatch, "test_receipt_young")


def another_conjugate(monkeypatch, conjugate):
    """Let the bound subtract something else than f*(T)."""
    honest = conjugates.bound_on_grid
    monkeypatch.setattr(
        conjugates, "bound_on_grid", lambda c, *rest: honest(replace(c, conjugate=conjugate), *rest)
    )


def test_receipt_bound(monkeypatch):
    another_conjugate(monkeypatch, torch.zeros_like)
    breaks(monkeypatch, "test_receipt_bound")


def test_receipt_sag(monkeypatch):
    another_conjugate(monkeypatch, torch.clone)
    breaks(monkeypatch, "test_receipt_sag")


def test_receipt_tight(monkeypatch):
    honest = conjugates.raw_critic
    monkeypatch.setattr(conjugates, "raw_critic", lambda c, ell: honest(c, 1.01 * ell))
    breaks(monkeypatch, "test_receipt_tight")


def test_receipt_threshold(monkeypatch):
    honest = conjugates.raw_critic
    monkeypatch.setattr(conjugates, "raw_critic", lambda c, ell: honest(c, ell) - 0.1)
    breaks(monkeypatch, "test_receipt_threshold")


def test_receipt_names(monkeypatch):
    honest = conjugates.divergence_on_grid  # halved, as the paper prints the integral
    monkeypatch.setattr(conjugates, "divergence_on_grid", lambda *a: honest(*a) / 2)
    breaks(monkeypatch, "test_receipt_names")


def test_receipt_published(monkeypatch):
    wrong = {
        **fitting.PUBLISHED_FITS,
        "Jeffrey": replace(fitting.PUBLISHED_FITS["Jeffrey"], sigma=1.7024),
    }
    monkeypatch.setattr(fitting, "PUBLISHED_FITS", wrong)
    breaks(monkeypatch, "test_receipt_published")


def test_receipt_diagonal(monkeypatch):
    honest = univariate.judge

    def shuffled(convexes, *rest):
        judged = honest(convexes, *rest)
        return replace(judged, scores=judged.scores[::-1])

    monkeypatch.setattr(univariate, "judge", shuffled)
    breaks(monkeypatch, "test_receipt_diagonal")


def test_receipt_recorded(monkeypatch):
    def elsewhere(row):  # the KL game ends far away, with a bound above its divergence
        far = row["game"] == "KL"
        return {"mu": 3.0, "bound": row["divergence"] + 1e-4} if far else {}

    stale_rows(monkeypatch, "fgan_univariate", elsewhere)
    breaks(monkeypatch, "test_receipt_recorded")


def test_receipt_signals(monkeypatch):
    honest = signals.raw_critic
    monkeypatch.setattr(signals, "raw_critic", lambda c, ell: 1.001 * honest(c, ell))
    breaks(monkeypatch, "test_receipt_signals")


def steps_swapped(monkeypatch, test):
    honest = signals.expected_gradient
    monkeypatch.setattr(
        signals,
        "expected_gradient",
        lambda *a, practical: honest(*a, practical=not practical),
    )
    breaks(monkeypatch, test)


def test_receipt_minimax(monkeypatch):
    steps_swapped(monkeypatch, "test_receipt_minimax")


def test_receipt_practical(monkeypatch):
    steps_swapped(monkeypatch, "test_receipt_practical")


def test_receipt_lands(monkeypatch):
    forward = {"mu": 1.01, "sigma": 1.8308}  # as if the practical step left the goal alone
    stale_rows(
        monkeypatch,
        "fgan_univariate",
        lambda row: forward if row["game"] == "KL, practical" else {},
    )
    breaks(monkeypatch, "test_receipt_lands")


@pytest.mark.usefixtures("quick")
def test_receipt_batches(monkeypatch):
    honest = signals.batch_gradients
    monkeypatch.setattr(
        signals,
        "batch_gradients",
        lambda *a, practical, **k: honest(*a, practical=not practical, **k),
    )
    breaks(monkeypatch, "test_receipt_batches")


@pytest.mark.usefixtures("quick")
def test_receipt_deaths(monkeypatch):
    stale_rows(monkeypatch, "fgan_ring", lambda row: {"died": 700, "modes": 8})
    breaks(monkeypatch, "test_receipt_deaths")


@pytest.mark.usefixtures("quick")
def test_receipt_grey(monkeypatch):
    stale_rows(monkeypatch, "fgan_images", lambda row: {"grey": 0.1 * row["practical"]})
    breaks(monkeypatch, "test_receipt_grey")


@pytest.mark.usefixtures("quick")
def test_receipt_parzen(monkeypatch):
    stale_rows(monkeypatch, "fgan_parzen", lambda row: {"parzen": float(len(row["row"]))})
    monkeypatch.setattr(univariate, "univariate", lambda *_, **__: iter(AT_600))
    breaks(monkeypatch, "test_receipt_parzen")


@pytest.mark.usefixtures("quick")
def test_receipt_live(monkeypatch):
    honest = univariate.univariate

    def unplayed(seed, *, iterations, contests):
        for row in honest(seed, iterations=1, every=1, contests=contests):
            yield {**row, "iteration": iterations}

    monkeypatch.setattr(univariate, "univariate", unplayed)
    breaks(monkeypatch, "test_receipt_live")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "test", ["test_receipt_bound", "test_receipt_batches", "test_receipt_grey"]
)
def test_receipts_hold_as_the_chapter_stands(test, monkeypatch):
    assert_holds("fgan", test, monkeypatch)
