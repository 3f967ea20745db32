"""Pages of two digits: what they show is what their captions say."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, digit_pages, search
from genbook.captions.digit_pages import Fact
from genbook.kit.data import ImageSet
from genbook.kit.device import seeded

FACTS = [
    Fact(first, relation, second)
    for first in range(10)
    for relation in digit_pages.RELATIONS
    for second in range(10)
]


def labelled(side: int = 8) -> ImageSet:
    """Images that are level, and whose grey tells the digit."""
    labels = torch.arange(10).repeat(3)
    images = ((labels + 1) / 16)[:, None, None, None].expand(30, 1, side, side)
    return ImageSet("digits", images.contiguous(), labels)


def numbers(text: str) -> list[int]:
    return [*(digit_pages.WORDS.index(word) for word in text.split()), 0]


@pytest.mark.parametrize("inverse", [False, True])
def test_a_sentence_means_the_fact_it_was_made_of(inverse):
    for fact in FACTS:
        assert digit_pages.meant(numbers(digit_pages.sentence(fact, inverse=inverse))) == fact


def test_both_sentences_of_a_fact_differ_unless_nothing_else_is_said():
    texts = {digit_pages.sentence(fact, inverse=back) for fact in FACTS for back in (False, True)}
    assert len(texts) == 400


@pytest.mark.parametrize(
    "words",
    [(), (0,), (4, 11, 8), (4, 11, 0), (11, 4, 8, 0), (4, 11, 11, 0), (4, 11, 0, 0), (4, 11, 8, 1)],
)
def test_a_string_outside_the_language_means_nothing(words):
    assert digit_pages.meant(words) is None


@pytest.mark.parametrize("lane", [0, 1])
def test_the_first_digit_is_left_or_above_and_the_other_lane_is_empty(lane):
    first, second = torch.full((8, 8), 0.25), torch.full((8, 8), 0.75)
    beside = digit_pages.page(first, second, "left", lane)
    rows = slice(8 * lane, 8 * lane + 8)
    assert beside[rows, :8].eq(0.25).all()
    assert beside[rows, 8:].eq(0.75).all()
    assert beside.sum() == 64
    assert torch.equal(digit_pages.page(first, second, "above", lane), beside.T)


def test_shrinking_keeps_the_mean_ink_of_a_padded_image():
    images = torch.rand(5, 1, 28, 28, generator=seeded(0))
    small = digit_pages.shrunk(images)
    torch.testing.assert_close(small.sum((1, 2)) * 16, images.sum((1, 2, 3)))
    corner = torch.zeros(1, 1, 28, 28)
    corner[..., 2:6, 6:10] = 1
    assert digit_pages.shrunk(corner)[0, 1, 2] == 1
    eight = torch.rand(2, 1, 8, 8, generator=seeded(1))
    assert torch.equal(digit_pages.shrunk(eight), eight[:, 0])


@pytest.mark.parametrize("shape", [(2, 1, 16, 16), (2, 8, 8)])
def test_other_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected images \[N, 1, 28, 28\]"):
        digit_pages.shrunk(torch.zeros(shape))


@pytest.mark.parametrize(("side", "free"), [(8, 0.0), (8, 1.0), (28, 0.5)])
def test_a_caption_tells_what_its_page_shows(side, free):
    made = digit_pages.pairs(labelled(side), 200, seeded(0), free=free)
    for picture, caption in zip(made.pictures, made.captions.tolist(), strict=True):
        fact = digit_pages.meant(caption)
        quarters = picture.unfold(0, 8, 8).unfold(1, 8, 8).amax((2, 3)).mul(16).round().long() - 1
        inked = quarters[quarters >= 0].tolist()
        assert inked == [fact.first, fact.second]  # read row by row
        beside = (quarters >= 0).sum(1).max() == 2
        assert fact.relation == ("left" if beside else "above")


def test_tied_digits_count_on_and_free_ones_do_not_care():
    for free, share in ((0.0, 1.0), (0.5, 0.55), (1.0, 0.1)):
        made = digit_pages.pairs(labelled(), 2_000, seeded(1), free=free)
        facts = [digit_pages.meant(row) for row in made.captions.tolist()]
        follows = sum(fact.second == (fact.first + 1) % 10 for fact in facts) / 2_000
        assert follows == pytest.approx(share, abs=0.04)
        for kind in (
            [fact.first for fact in facts],
            [fact.relation for fact in facts],
            [digit_pages.WORDS[row[1]] for row in made.captions.tolist()],
        ):
            counts = [kind.count(value) for value in set(kind)]
            assert max(counts) < 1.4 * min(counts)


def test_a_share_that_is_none_and_a_missing_digit_are_refused():
    with pytest.raises(ValueError, match="expected a share"):
        digit_pages.pairs(labelled(), 3, seeded(0), free=1.5)
    nines = ImageSet("digits", torch.zeros(2, 1, 8, 8), torch.tensor([9, 9]))
    with pytest.raises(ValueError, match="all ten digits"):
        digit_pages.pairs(nines, 3, seeded(0), free=1.0)


def test_a_page_that_holds_no_relation_is_refused():
    with pytest.raises(ValueError, match="expected a relation"):
        digit_pages.page(torch.ones(8, 8), torch.ones(8, 8), "right", 0)


@pytest.mark.parametrize(
    ("says", "right"),
    [
        (lambda fact: digit_pages.sentence(fact), (1, 1, 1)),
        (lambda fact: digit_pages.sentence(fact, inverse=True), (1, 1, 1)),
        (lambda fact: digit_pages.sentence(Fact(fact.first, "left", 10 - 1)), None),
        (lambda fact: "left left left", (0, 0, 0)),
    ],
    ids=["first", "second", "nine", "nonsense"],
)
def test_a_reading_counts_what_is_right_in_either_sentence(monkeypatch, says, right):
    data = digit_pages.pairs(labelled(), 100, seeded(2), free=1.0)
    facts = [digit_pages.meant(row) for row in data.captions.tolist()]
    told = iter([search.Found(tuple(numbers(says(fact))), 0.0) for fact in facts])
    monkeypatch.setattr(digit_pages, "beam", lambda *_: next(told))
    found = digit_pages.read(captioner.Captioner("every", 0), data)
    if right is None:
        nines = [fact.second == 9 for fact in facts]
        lefts = [fact.second == 9 and fact.relation == "left" for fact in facts]
        right = (1, sum(nines) / 100, sum(lefts) / 100)
    assert (found.first, found.second, found.both) == pytest.approx(right)
