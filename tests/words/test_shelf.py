"""The shelf: its cost gap by gap, all orders, and when popular first is best."""

from __future__ import annotations

import itertools

import pytest
import torch

from genbook.kit.device import seeded
from genbook.words import shelf


@pytest.fixture
def joint():
    found = torch.rand(5, 5, generator=seeded(0), dtype=torch.float64)
    return found / found.sum()


def test_the_cost_is_that_of_walking_every_trip(joint):
    places = torch.tensor([2.0, 5, 1, 4, 3], dtype=torch.float64)
    walked = sum(
        joint[i, j] * (abs(places[i]) + abs(places[i] - places[j]))
        for i in range(5)
        for j in range(5)
    )
    torch.testing.assert_close(shelf.cost(joint, places), walked)


def test_a_heap_at_the_door_costs_nothing_and_a_scale_is_a_scale(joint):
    places = torch.tensor([2.0, 5, 1, 4, 3], dtype=torch.float64)
    assert shelf.cost(joint, 0 * places) == 0
    torch.testing.assert_close(shelf.cost(joint, 3 * places), 3 * shelf.cost(joint, places))


@pytest.mark.parametrize("n", [1, 2, 4, 6, 7])
def test_the_orders_are_all_permutations(n):
    ours = {tuple(map(int, row)) for row in shelf.orders(n, torch.zeros(1)).tolist()}
    assert ours == set(itertools.permutations(range(1, n + 1)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_eight_books_have_40320_orders_in_either_precision(dtype):
    found = shelf.orders(8, torch.zeros(1, dtype=dtype))
    assert len(found.unique(dim=0)) == 40_320
    assert torch.equal(found.sum(1), torch.full((40_320,), 36.0, dtype=dtype))


def test_gaps_add_up_to_the_cost(joint):
    every = shelf.orders(5, joint)
    ways, second = shelf.gaps(joint, every)
    torch.testing.assert_close((ways + second).sum(-1), shelf.cost(joint, every))
    torch.testing.assert_close(ways[:, 0], joint.sum().expand(120))
    assert bool((second[:, 0] == 0).all())


def test_the_best_is_no_worse_than_any_order(joint):
    found = shelf.best(joint)
    costs = [
        shelf.cost(joint, torch.tensor(order, dtype=torch.float64))
        for order in itertools.permutations(range(1, 6))
    ]
    torch.testing.assert_close(found.cost, torch.stack(costs).min())
    torch.testing.assert_close(shelf.cost(joint, found.places), found.cost)


def test_without_a_second_book_popular_first_is_best():
    for seed in range(20):
        alone = torch.rand(6, generator=seeded(seed), dtype=torch.float64)
        joint = torch.diag(alone / alone.sum())
        assert torch.equal(shelf.popular_first(joint), shelf.best(joint).places)


def test_equal_popularity_keeps_the_order():
    assert shelf.popular_first(torch.eye(4) / 4).tolist() == [1, 2, 3, 4]


def test_ranks_are_those_of_a_stable_sort():
    heights = torch.randint(0, 4, (9,), generator=seeded(0)).float()
    order = heights.sort(stable=True).indices
    wanted = torch.empty(9)
    wanted[order] = torch.arange(1.0, 10.0)
    assert torch.equal(shelf.ranks(heights), wanted)


def test_loyal_readers_go_on_to_the_friend_and_others_anywhere():
    free = shelf.seven("steep", 0.0)
    torch.testing.assert_close(free, free.sum(1, keepdim=True) * free.sum(0, keepdim=True))
    loyal = shelf.seven("steep", 1.0)
    assert set(map(tuple, loyal.nonzero().tolist())) == {(i, (i + 4) % 8) for i in range(3)} | {
        (3, 3), (4, 0), (5, 1), (6, 2),
    }  # fmt: skip
    torch.testing.assert_close(loyal.sum(1), free.sum(1))


def test_friendship_may_run_one_way():
    ring = torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]).double()
    alone = torch.tensor([0.5, 0.3, 0.2]).double()
    torch.testing.assert_close(shelf.with_friends(alone, ring, 1.0), alone.diag() @ ring)
    mixed = shelf.with_friends(10 * alone, ring, 0.25)
    torch.testing.assert_close(mixed, 0.75 * alone.outer(alone) + 0.25 * alone.diag() @ ring)


def test_the_popularities_are_shares_and_fall():
    for shares in shelf.POPULARITY.values():
        assert sum(shares) == pytest.approx(1)
        assert list(shares) == sorted(shares, reverse=True)


def test_swaps_are_shelves_that_differ_in_two_places():
    places = torch.tensor([3.0, 1.0, 4.0, 2.0])
    tried = shelf.swaps(places)
    assert torch.equal(tried[0], places)
    assert ((tried[1:] != places).sum(1) == 2).all()
    assert len(tried.unique(dim=0)) == 7
    assert torch.equal(tried.sort(1).values, torch.arange(1.0, 5.0).expand(7, 4))


def test_better_is_the_best_of_the_swaps(joint):
    places = torch.tensor([5.0, 4, 3, 2, 1], dtype=torch.float64)
    costs = [shelf.cost(joint, places)]
    for i, j in itertools.combinations(range(5), 2):
        other = places.clone()
        other[i], other[j] = places[j], places[i]
        costs.append(shelf.cost(joint, other))
    torch.testing.assert_close(
        shelf.cost(joint, shelf.better(joint, places)), torch.stack(costs).min()
    )
    assert torch.equal(shelf.better(joint, shelf.best(joint).places), shelf.best(joint).places)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: shelf.cost(torch.ones(2, 3), torch.ones(2)), r"p\(i, j\) \[n, n\]"),
        (lambda: shelf.cost(torch.ones(2, 2), torch.ones(3)), "one number for each book"),
        (lambda: shelf.gaps(torch.ones(2, 2), torch.ones(3)), "one number for each book"),
        (lambda: shelf.orders(9, torch.zeros(1)), "1 to 8 books"),
        (lambda: shelf.orders(0, torch.zeros(1)), "1 to 8 books"),
        (lambda: shelf.seven("flat", 0.0), "expected one of"),
        (lambda: shelf.popular_first(torch.ones(2, 3)), r"\[n, n\]"),
        (lambda: shelf.with_friends(torch.ones(3), torch.eye(2), 0.5), r"\[n, n\]"),
    ],
)
def test_what_cannot_be_done_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
