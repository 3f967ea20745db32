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
        ("a a", ["a b", "a c"], 1, 1 / 2),  # no reference has it twice
        ("a b c d e", ["a b c d e f", "a b"], 1, math.exp(-1 / 5)),  # the nearest length, not less
        ("a big dark disc right", ["a big dark disc left"], 2, math.sqrt(4 / 5 * 3 / 4)),
        ("a b c x", ["a b c d"], 3, (3 / 4 * 2 / 3 * 1 / 2) ** (1 / 3)),
    ],
)
def test_counted_by_hand(said, told, n, score):
    assert scores.bleu(said, told, n) == pytest.approx(score, abs=1e-12)


def test_no_reference_is_refused():
    with pytest.raises(ValueError, match="expected a reference"):
        scores.bleu("a", [])
