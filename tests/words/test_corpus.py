"""Counts of words: by hand, and what the shipped text must have."""

from __future__ import annotations

import pytest
import torch

from genbook.words import corpus


@pytest.fixture(scope="module")
def parts():
    return corpus.of_python(60, 4, device="cpu")


def test_words_are_runs_of_letters():
    assert corpus.words_of("X = os.path.join(a, 'B2b_c')  # It's") == ["os", "path", "join", "it"]


def test_near_counts_every_pair_within_the_window():
    words = ["a", "b", "c", "a", "b", "a"]
    for window in (1, 2, 5):
        ours = corpus.near(words, ["a", "b", "c"], window)
        wanted = torch.zeros(3, 3, dtype=torch.float64)
        for s, left in enumerate(words):
            for t, right in enumerate(words):
                if 0 < abs(s - t) <= window:
                    wanted["abc".index(left), "abc".index(right)] += 1
        assert torch.equal(ours, wanted)


def test_unknown_words_keep_their_place():
    assert corpus.near(["a", "x", "b"], ["a", "b"], 1).sum() == 0
    assert corpus.near(["a", "x", "b"], ["a", "b"], 2).tolist() == [[0, 1], [1, 0]]


def test_equally_frequent_words_stand_in_the_order_of_the_alphabet():
    assert corpus.vocabulary(["d", "c", "b", "b", "c", "a"], 4) == ("b", "c", "a", "d")


def test_shares_add_up_and_the_noise_has_the_same_margins(parts):
    for part in parts:
        torch.testing.assert_close(part.joint.sum(), part.joint.new_tensor(1.0))
        for axis in (0, 1):
            torch.testing.assert_close(part.noise.sum(axis), part.joint.sum(axis))
        assert torch.equal(part.counts, part.counts.T)


def test_both_parts_count_the_same_words_of_different_text(parts):
    train, test = parts
    assert train.vocabulary == test.vocabulary
    assert train.counts.sum() > 2 * test.counts.sum() > 0


def test_a_word_is_found_or_named(parts):
    train, _ = parts
    assert train.vocabulary[train.place("self")] == "self"
    with pytest.raises(ValueError, match="got 'librarian'"):
        train.place("librarian")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: corpus.vocabulary(["a"], 2), "1 to 1 different words"),
        (lambda: corpus.near(["a", "b"], ["a"], 2), "a window of 1 to 1"),
        (lambda: corpus.near(["a", "b"], ["a"], 0), "a window of 1 to 1"),
        (lambda: corpus.Corpus(("a",), torch.ones(2, 2)), r"counts \[1, 1\]"),
        (lambda: corpus.Corpus(("a",), torch.zeros(1, 1)), "at least one pair"),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
