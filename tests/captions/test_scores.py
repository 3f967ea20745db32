"""BLEU, against cases counted by hand."""

from __future__ import annotations

import math

import pytest

from genbook.captions import language, scenes, scores


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


def test_a_writer_is_judged_by_each_wording_and_its_chance():
    own, other = "a b c d e", "e a b c d"
    crossed = 0.25**0.25  # 5 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 groups of four
    for p, q in ((0.75, 0.75), (0.2, 0.9), (1.0, 0.25)):
        same = p * q + (1 - p) * (1 - q)
        found = scores.among({own: p, other: 1 - p}, {own: q, other: 1 - q})
        assert found == pytest.approx(same + (1 - same) * crossed, abs=1e-12)


def test_the_likeliest_wording_beats_a_person_in_every_scene():
    for scene in scenes.SCENES:
        people = language.wordings(scene)
        assert {language.meant(text) for text in people} == {scene}
        commonest = max(people, key=people.get)
        assert scores.among({commonest: 1.0}, people) > scores.among(people, people)


def test_which_wordings_are_judged_and_by_which():
    short, long = {"a b": 1.0}, {"a b c d": 1.0}
    assert scores.among(short, long, 1) == pytest.approx(math.exp(-1), abs=1e-12)
    assert scores.among(long, short, 1) == pytest.approx(1 / 2, abs=1e-12)


def test_chances_that_do_not_sum_to_one_are_refused():
    for said, told in (({"a": 0.5}, {"a": 1.0}), ({"a": 1.0}, {"a": 0.5})):
        with pytest.raises(ValueError, match="sum to 1"):
            scores.among(said, told)
