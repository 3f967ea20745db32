"""BLEU, against cases counted by hand."""

from __future__ import annotations

import math

import pytest

from genbook.captions import scores


@pytest.mark.parametrize(
    ("said", "told", "n", "score"),
    [
        ("a b c d", ["a b c d"], 4, 1.0),
        ("the the the the the the the", ["the cat is on the mat"], 1, 2 / 7),
        ("a b", ["a b c d"], 1, math.exp(-1)),
        ("a b", ["a b c d", "a b"], 2, 1.0),
        ("a b c", ["a b", "x b c y"], 2, 1.0),
        ("b a", ["a b"], 2, 0.0),
        ("a b c", ["a b c d", "a b"], 1, 1.0),
    ],
)
def test_counted_by_hand(said, told, n, score):
    assert scores.bleu(said, told, n) == pytest.approx(score, abs=1e-12)


def test_no_reference_is_refused():
    with pytest.raises(ValueError, match="expected a reference"):
        scores.bleu("a", [])
