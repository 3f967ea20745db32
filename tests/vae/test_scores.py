"""Laws of `genbook.vae.scores`."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from genbook.kit import data
from genbook.vae import scores
from tests.vae.given import quick


@quick
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
    st.lists(st.integers(-3, 3), min_size=1, max_size=8),
)
def test_auc_counts_the_pairs(inliers, outliers):
    pairs = [(a > b) + 0.5 * (a == b) for a in inliers for b in outliers]
    left, right = torch.tensor(inliers).float(), torch.tensor(outliers).float()
    assert scores.auc(left, right) == pytest.approx(sum(pairs) / len(pairs))
    assert scores.auc(left, right) + scores.auc(right, left) == pytest.approx(1)


def test_neighbours_of_the_training_set_are_itself():
    digits = data.digits("train", device="cpu").take(200)
    codes = digits.flat
    assert scores.neighbour_accuracy(codes, digits.labels, codes, digits.labels) == 1


def test_impostors_keep_what_they_promise(generator):
    images = torch.rand(6, 1, 8, 8, generator=generator)
    others = scores.impostors(images, torch.rand(3, 1, 8, 8, generator=generator), generator)
    flat = images.flatten(1)
    assert torch.equal(others["noise"].sort(1).values, flat.sort(1).values)
    assert not torch.equal(others["noise"], flat)
    torch.testing.assert_close(others["negatives"] + flat, torch.ones_like(flat))
    assert torch.equal(others["upside down"].flip(1), flat)
    assert torch.equal(others["half and half"][:, :32], flat[:, :32])
    assert others["blank"].sum() == 0
    assert all(((kind >= 0) & (kind <= 1)).all() for kind in others.values())
