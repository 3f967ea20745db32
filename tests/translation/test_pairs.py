"""Laws of `genbook.translation.pairs`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.translation import pairs as translation_pairs
from genbook.translation.pairs import Pairs
from tests.translation.given import FEW, digits, source


@FEW
@given(st.sampled_from([1, 2, 4]), st.integers(0, 1000))
def test_a_thumbnail_is_an_orthogonal_projection(block, seed):
    x, y = torch.rand(2, 1, 1, 8, 8, generator=source(seed), dtype=torch.float64)
    small = translation_pairs.coarse(x, block)
    torch.testing.assert_close(translation_pairs.coarse(small, block), small)
    left = (small * y).sum()
    torch.testing.assert_close(left, (x * translation_pairs.coarse(y, block)).sum())


def test_the_outline_of_a_square_is_its_border():
    image = torch.zeros(1, 1, 8, 8)
    image[..., 2:6, 2:6] = 1
    expected = image.clone()
    expected[..., 3:5, 3:5] = 0
    assert torch.equal(translation_pairs.outline(image), expected)


def test_an_even_patch_has_no_edges_and_a_step_has_one():
    image = torch.zeros(1, 3, 4, 4)
    assert not translation_pairs.edges(image).any()
    image[..., 2:] = 1
    assert translation_pairs.edges(image)[0, 0, 0].tolist() == [0, 1, 0, 0]


def test_grey_of_white_is_white():
    torch.testing.assert_close(
        translation_pairs.grey(torch.ones(1, 3, 2, 2)), torch.ones(1, 1, 2, 2)
    )


@pytest.mark.parametrize("make", [translation_pairs.thumbnails, translation_pairs.outlines])
def test_pairs_of_digits_fit_and_keep_their_labels(make):
    images = digits(10)
    pairs = make(images)
    assert pairs.x.shape == pairs.y.shape == (10, 1, 8, 8)
    assert torch.equal(pairs.labels, images.labels)
    assert len(pairs.take(3)) == 3


def test_pairs_of_photographs_go_from_one_channel_to_three():
    pairs = translation_pairs.photographs(translation_pairs.grey, "grey → colour", "test", count=4)
    assert list(pairs.x.shape) == [4, 1, 32, 32]
    assert list(pairs.y.shape) == [4, 3, 32, 32]
    torch.testing.assert_close(translation_pairs.grey(pairs.y), pairs.x)


def test_heaps_without_mnist_come_from_two_halves_of_the_digits(monkeypatch):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    heaps = translation_pairs.domains("train")
    assert (len(heaps.x), len(heaps.y), heaps.block) == (718, 719, 2)
    torch.testing.assert_close(translation_pairs.in_blocks(heaps.x, heaps.block), heaps.x)
    assert (translation_pairs.in_blocks(heaps.y, heaps.block) - heaps.y).abs().mean() > 0.05


def test_blocks_of_three_leave_the_margin_of_the_large_canvas_empty():
    image = torch.ones(1, 1, 28, 28)
    blocks = translation_pairs.in_blocks(image, 3)
    assert blocks.sum() == 24 * 24
    assert not blocks[..., :2, :].any()


def test_pictures_of_a_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="divides"):
        translation_pairs.coarse(torch.zeros(1, 1, 8, 8), 3)
    with pytest.raises(ValueError, match="block"):
        translation_pairs.in_blocks(torch.zeros(1, 1, 8, 8), 9)
    with pytest.raises(ValueError, match="colour"):
        translation_pairs.grey(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="one length"):
        Pairs("wrong", torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), torch.zeros(3))
