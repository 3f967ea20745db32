"""The receipt on the first page, broken on purpose."""

from __future__ import annotations

from dataclasses import replace

from chapters import altered, assert_breaks, swap

from genbook.divergences import densities, measures


def test_receipt_moments():
    reversed_kl = replace(measures.KL, penalty=lambda p, q: measures._kl(q, p))
    assert_breaks(
        "index",
        "test_receipt_moments",
        swap(measures.KL, reversed_kl),
        altered(densities.moments, lambda found: (found[0], found[1] ** 2)),
    )
