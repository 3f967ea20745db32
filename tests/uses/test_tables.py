"""The table of patterns: a distribution, the likeliest of its kind, and its samples."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.uses import tables


def every(height: int, width: int) -> torch.Tensor:
    pages = list(product((0.0, 1.0), repeat=height * width))
    return torch.tensor(pages).view(-1, height, width)


def some_table(seed: int = 0) -> tables.Table:
    return tables.Table(0.05 + 0.9 * torch.rand(256, generator=seeded(seed), dtype=torch.float64))


def test_the_chances_of_all_pages_add_up_to_one():
    chances = (-some_table().nats(every(3, 4))).exp()
    assert chances.sum().item() == pytest.approx(1, abs=1e-12)


def test_a_pattern_is_read_pixel_by_pixel():
    page = torch.bernoulli(torch.full((5, 6), 0.5), generator=seeded(1))
    found = tables.contexts(page)
    for row, column in product(range(5), range(6)):
        number = 0
        for place, (down, right) in enumerate(tables.NEIGHBOURS):
            y, x = row + down, column + right
            inside = y >= 0 and 0 <= x < 6
            number += 2**place * int(inside and page[y, x] == 1)
        assert found[row, column] == number


def test_a_pattern_knows_only_pixels_drawn_before():
    page = torch.bernoulli(torch.full((6, 6), 0.5), generator=seeded(2))
    changed = page.clone()
    changed[3, 2:] = 1 - changed[3, 2:]
    changed[4:] = 1 - changed[4:]
    one, other = tables.contexts(page), tables.contexts(changed)
    assert torch.equal(one[:3], other[:3])
    assert torch.equal(one[3, :3], other[3, :3])


def test_no_other_table_is_likelier_for_the_counted_images():
    images = tables.binary(data.digits("train", device="cpu").images[:200, 0])
    own = tables.fit(images, before=1e-9)
    least = own.nats(images).sum()
    for seed in range(5):
        push = 0.02 * torch.randn(256, generator=seeded(seed), dtype=torch.float64)
        other = tables.Table((own.ink + push).clamp(1e-9, 1 - 1e-9))
        assert other.nats(images).sum() > least


def test_what_is_drawn_has_the_tables_own_chances():
    table = some_table(3)
    drawn = table.draw(20_000, (2, 2), seeded(0))
    number = (drawn.flatten(1) @ torch.tensor([8.0, 4, 2, 1])).long()
    shares = torch.bincount(number, minlength=16) / 20_000
    wanted = (-table.nats(every(2, 2))).exp()
    assert (shares - wanted).abs().max() < 4 * 0.5 / 20_000**0.5


def test_a_cost_stands_at_its_own_pixel():
    table = tables.Table(torch.full((256,), 0.25, dtype=torch.float64))
    costs = table.costs(torch.tensor([[1.0, 0.0]]))
    assert costs.exp().tolist() == [[pytest.approx(4), pytest.approx(4 / 3)]]


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="0 or 1"):
        tables.contexts(torch.full((2, 2), 0.5))
    with pytest.raises(ValueError, match=r"\[N, H, W\]"):
        tables.fit(torch.zeros(2, 2))
    with pytest.raises(ValueError, match="before"):
        tables.fit(torch.zeros(1, 2, 2), before=0)


@pytest.mark.parametrize("before", [0.1, 0.5, 3.0])
def test_an_unseen_pattern_has_even_chances_and_a_seen_one_is_pulled_towards_them(before):
    found = tables.fit(torch.tensor([[[1.0, 1.0, 1.0, 0.0]]]), before=before)
    assert (found.ink[200:] == 0.5).all()
    assert found.ink[0].item() == pytest.approx((1 + before) / (1 + 2 * before))
    assert found.ink[3].item() == pytest.approx((1 + before) / (2 + 2 * before))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [(3, 4), (4, 3), (2, 5), (5, 2), (12, 1)])
def test_no_page_is_cheaper_than_the_cheapest(seed, size):
    table = some_table(seed)
    least = table.nats(every(*size)).min().item()
    assert tables.cheapest(table, size) == pytest.approx(least, abs=1e-12)


def test_where_the_first_ink_costs_more_than_the_blank_page_that_is_the_cheapest():
    ink = some_table(7).ink.clone()
    ink[0] = 1e-3
    table = tables.Table(ink)
    least = table.nats(every(3, 4)).min().item()
    assert tables.cheapest(table, (3, 4)) == pytest.approx(least, abs=1e-12)
    assert least == pytest.approx(-12 * math.log(1 - 1e-3))
    assert tables.cheapest(table, (2, 60)) == pytest.approx(-120 * math.log(1 - 1e-3))
    with pytest.raises(ValueError, match="10 pixels"):
        tables.cheapest(some_table(1), (2, 60))
