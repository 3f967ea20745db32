"""Laws of `genbook.vae.scores`."""

from __future__ import annotations

from genbook.kit import data
from genbook.vae import scores


def test_neighbours_of_the_training_set_are_itself():
    digits = data.digits("train", device="cpu").take(200)
    codes = digits.flat
    assert scores.neighbour_accuracy(codes, digits.labels, codes, digits.labels) == 1
