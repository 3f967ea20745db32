"""Neighbours: cosines by hand, and partners that are found or not."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.words import neighbours
from genbook.words.corpus import Corpus


@pytest.fixture
def four():
    return Corpus(("a", "b", "c", "d"), torch.ones(4, 4))


def test_cosines_are_torchs():
    vectors = torch.randn(6, 3, generator=seeded(0), dtype=torch.float64)
    wanted = torch.cosine_similarity(vectors, vectors[2], dim=1)
    torch.testing.assert_close(neighbours.cosines(vectors, 2), wanted)
    torch.testing.assert_close(neighbours.cosines(vectors, torch.tensor(2)), wanted)


def test_length_does_not_count_and_the_word_is_not_its_own_neighbour(four):
    vectors = torch.tensor([[1.0, 0.0], [9.0, 1.0], [1.0, 1.0], [-1.0, 0.0]])
    found = neighbours.nearest(four, vectors, "a", 3)
    assert [word for word, _ in found] == ["b", "c", "d"]
    assert found[2][1] == pytest.approx(-1)


def test_partners_are_asked_both_ways_and_found_among_so_many(four):
    vectors = torch.tensor([[1.0, 0.0], [0.9, 0.3], [1.0, 0.1], [0.0, 1.0]])
    assert neighbours.partners_found(four, vectors, 1, [("a", "b"), ("a", "x")]) == (0, 2)
    assert neighbours.partners_found(four, vectors, 1, [("b", "c")]) == (1, 2)
    assert neighbours.partners_found(four, vectors, 2, [("a", "b")]) == (2, 2)


def test_a_word_without_a_vector_finds_nobody(four):
    vectors = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert neighbours.partners_found(four, vectors, 3, [("a", "b")]) == (1, 2)


def test_no_pair_of_partners_stands_twice():
    both = [frozenset(pair) for pair in neighbours.PARTNERS]
    assert len(set(both)) == len(both)
    assert all(len(pair) == 2 for pair in both)
