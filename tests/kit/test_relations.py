"""Relations see every element, refuse NaN and infinities, and agree with plain comparisons."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit import relations
from genbook.kit.relations import (
    above,
    always,
    at_least,
    at_most,
    below,
    between,
    close,
    equal,
    never,
)

numbers = st.floats(-1e6, 1e6)
vectors = st.lists(numbers, min_size=1, max_size=6)
ORDERED = {at_most: operator.le, below: operator.lt, at_least: operator.ge, above: operator.gt}
TWO_SIDED = [*ORDERED, equal, lambda a, b: close(a, b, tol=1e9)]


@pytest.mark.parametrize("relation", ORDERED, ids=lambda r: r.__name__)
@given(pairs=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6))
def test_an_order_holds_exactly_when_it_holds_for_every_pair(relation, pairs):
    left, right = map(list, zip(*pairs, strict=True))
    wanted = all(ORDERED[relation](a, b) for a, b in pairs)
    assert relation(left, right).holds == wanted
    assert relation(torch.tensor(left, dtype=torch.float64), np.array(right)).holds == wanted


@given(a=vectors, b=numbers, tol=st.floats(1e-9, 1e6))
def test_close_holds_exactly_when_every_difference_keeps_the_tolerance(a, b, tol):
    assert close(a, b, tol=tol).holds == all(abs(x - b) <= tol for x in a)


@given(v=vectors, low=numbers, high=numbers)
def test_between_is_two_orders(v, low, high):
    wanted = at_least(v, low).holds and at_most(v, high).holds
    assert between(v, low, high).holds == wanted


@given(mask=st.lists(st.booleans(), min_size=1, max_size=20))
def test_never_and_always_count(mask):
    assert never(mask).holds == (not any(mask))
    assert always(mask).holds == all(mask)
    assert never(torch.tensor(mask)).measured == f"{sum(mask)} of {len(mask)}"
    assert never(np.array(mask)).law == f"0 of {len(mask)}"
    assert always(x for x in mask).law == f"{len(mask)} of {len(mask)}"


@pytest.mark.parametrize("relation", TWO_SIDED)
@given(values=vectors, place=st.integers(0, 5), other=vectors)
def test_a_nan_anywhere_on_either_side_fails_and_is_named(relation, values, place, other):
    place %= len(values)
    bad = [*values[:place], math.nan, *values[place + 1 :]]
    for sides in ((bad, 0.0), (0.0, bad), (torch.tensor(bad), other[0])):
        found = relation(*sides)
        assert not found.holds
        assert "NaN" in found.measured
    for sides in ((math.nan, 0.0, 1.0), (0.0, math.nan, 1.0), (0.0, 0.0, math.nan)):
        assert not between(*sides).holds


@pytest.mark.parametrize("relation", [r for r in TWO_SIDED if r is not equal])
@pytest.mark.parametrize("sides", [(math.inf, 0.0), (0.0, -math.inf), (math.inf, math.inf)])
def test_an_infinity_is_no_number_to_compare(relation, sides):
    found = relation(*sides)
    assert not found.holds
    assert "infinite" in found.measured


def test_an_infinity_that_is_claimed_is_equal_to_itself():
    assert equal([1.0, math.inf], [1.0, math.inf]).holds
    assert not equal(math.inf, -math.inf).holds
    assert not equal(1e308, math.inf).holds


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.int64, torch.float16])
def test_the_kind_of_number_does_not_matter(kind):
    x = torch.tensor([1, 2, 3]).to(kind)
    assert equal(x, [1, 2, 3]).holds
    assert not equal(x, [1, 2, 4]).holds
    assert at_most(x.numpy(), 3).holds
    assert close(x.clone().requires_grad_() if x.is_floating_point() else x, x, tol=1e-9).holds


def test_shapes_broadcast_as_in_torch():
    column, row = torch.arange(3.0)[:, None], torch.arange(4.0)
    assert at_most(column, row + 2).holds
    assert not at_most(column, row + 1).holds
    assert equal([torch.ones(2), torch.ones(2)], 1).holds


def test_exact_means_to_the_last_bit():
    assert not equal(1.0, 1.0 + 2**-52).holds
    assert equal(0.1 + 0.2, 0.1 + 0.2).holds
    assert equal("B", "B").holds
    assert not equal("B", "A").holds
    assert not equal(("a", "b"), ("a", "c")).holds
    assert not equal(["1"], [1]).holds


def test_both_sides_are_shown_where_there_is_least_room():
    assert above([5.0, 0.81], [1.0, 0.62]).measured == "0.81 > 0.62"
    assert above([5.0, 0.5], [1.0, 0.62]).measured == "0.5 > 0.62"
    assert between([0.5, 0.9], 0, 1).measured == "0.9 in [0, 1]"
    assert close([1.0, 2.0], [1.0, 2.25], tol=1).measured == "0.25 ≤ 1"
    assert close(200.0, 198.0, tol=0.1, relative=True).measured == "0.0101 ≤ 0.1"
    assert equal([1, 2], [1, 3]).measured == "1 of 2 equal"


def test_the_law_holds_nothing_that_was_measured():
    for shift in (0.1, 0.2):
        assert close(shift, 0.0, tol=0.5).law == "error ≤ 0.5"
        assert equal([shift], [shift]).law == "exact"
        for relation in ORDERED:
            assert relation(shift, 1.0).law == ""
        assert between(shift, 0, 1).law == ""


def test_the_share_of_the_tolerance_is_kept():
    assert close(0.25, 0.0, tol=0.5).used == 0.5


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda: close(1, 1, tol=0), "use equal"),
        (lambda: close(1, 1, tol=math.nan), "tolerance > 0"),
        (lambda: close(1, 1, tol=-1.0), "tolerance > 0"),
        (lambda: close(1, 1, tol=math.inf), "tolerance > 0"),
        (lambda: at_most([], 1), "at least one number"),
        (lambda: equal(torch.ones(2), torch.ones(3)), "shapes that broadcast"),
        (lambda: between(torch.ones(2), torch.ones(3), 1), "shapes that broadcast"),
        (lambda: never([]), "at least one truth value"),
        (lambda: never([0, 1]), "expected truth values"),
        (lambda: always(torch.ones(2)), "expected truth values"),
    ],
)
def test_what_cannot_be_compared_is_refused(broken, message):
    with pytest.raises(ValueError, match=message):
        broken()


def test_a_mask_of_tensors_of_one_element_is_counted():
    assert always([torch.tensor(True), True]).holds


def test_every_relation_is_at_hand_on_a_page():
    from genbook.kit import page

    for name in ("above", "always", "at_least", "at_most", "below", "between", "close", "equal"):
        assert getattr(page, name) is getattr(relations, name)
