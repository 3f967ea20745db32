"""Answers are compared by value, in every form a reader may give them."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from genbook.kit import answers
from genbook.kit.answers import (
    Hint,
    ReaderError,
    UnansweredError,
    agree,
    call,
    differentiates,
    differs,
    known,
    same,
)
from genbook.kit.exercises import Exercise

TARGET = torch.tensor([0.1, -2.0, 3e4], dtype=torch.float64)
FORMS = {
    "list": TARGET.tolist(),
    "tuple": tuple(TARGET.tolist()),
    "list of tensors": list(TARGET),
    "list of NumPy numbers": list(TARGET.numpy()),
    "NumPy": TARGET.numpy(),
    "NumPy in single": TARGET.numpy().astype(np.float32),
    "single": TARGET.float(),
    "with gradient": TARGET.clone().requires_grad_(),
    "NumPy backwards": TARGET.numpy()[::-1].copy()[::-1],
    "NumPy read-only": np.broadcast_to(TARGET.numpy(), (3,)),
    "NumPy objects": TARGET.numpy().astype(object),
    "NumPy, masked nowhere": np.ma.array(TARGET.numpy()),
    "NumPy, another byte order": TARGET.numpy().astype(">f8"),
    "fractions": [Fraction(1, 10), -2, Fraction(30_000)],
    "decimals": [Decimal("0.1"), Decimal(-2), Decimal("3e4")],
    "complex without imaginary part": TARGET + 0j,
    "complex numbers without imaginary part": [complex(value) for value in TARGET.tolist()],
    "sparse": TARGET.to_sparse(),
    "a column": torch.stack([TARGET, TARGET], 1)[:, 0],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_a_value_is_the_same_answer(form):
    assert same(form, TARGET)
    assert differs(form, TARGET) is None


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("place", range(3))
def test_a_wrong_number_is_seen_in_every_form_and_place(form, place):
    moved = TARGET.clone()
    moved[place] *= 1.01
    assert not same(form, moved)


@given(value=st.floats(-1e6, 1e6), factor=st.floats(-0.9e-6, 0.9e-6))
def test_an_answer_within_the_tolerance_is_right(value, factor):
    assert same(value * (1 + factor), value)


@given(value=st.floats(0.01, 1e6), factor=st.floats(1.1e-6, 10))
def test_an_answer_outside_is_wrong(value, factor):
    answer = value * (1 + factor)
    assume(factor > 2.1e-4 or np.float32(answer) != answer)
    assert not same(answer, value)


THIRDS = torch.tensor([1.0, -2.0, 5e4], dtype=torch.float64) / 3
ROUGH = (torch.tensor([1.0, -2.0, 5e4]) / 3 * 1.00001).float()
"""As a computation in single precision may end: off by a hundred of its last digits."""


@pytest.mark.parametrize(
    "form",
    [
        ROUGH.tolist(),
        tuple(ROUGH.tolist()),
        ROUGH.double(),
        ROUGH.double().numpy(),
        [np.float64(value) for value in ROUGH.tolist()],
    ],
    ids=["list", "tuple", "cast", "cast NumPy", "NumPy numbers"],
)
def test_numbers_computed_in_single_precision_keep_its_tolerance_in_any_form(form):
    assert same(form, THIRDS)
    assert same(float(ROUGH[0]), THIRDS[0])
    assert same([float(ROUGH[0]), 0.5], [1 / 3, 0.5])
    assert not same([value * 1.01 for value in ROUGH.tolist()], THIRDS)
    assert not same((THIRDS * 1.00001).tolist(), THIRDS)


@pytest.mark.parametrize("written", [0.25, 0.5, 3, 7.0, 1234567.0])
def test_a_number_that_somebody_wrote_is_judged_as_exactly_as_one_in_double(written):
    assert same(written, written * (1 + 1e-7))
    assert not same(written, written * (1 + 1e-5))
    assert not same([written, 1 / 3], [written * (1 + 1e-5), 1 / 3])


def test_a_number_may_come_with_axes_of_length_one_and_no_others():
    assert same(torch.tensor([[2.0]]), 2.0)
    assert same([2], 2.0)
    with pytest.raises(Hint, match=r"expected one number as your answer, got shape \[2\]"):
        same([2.0, 2.0], 2.0)
    with pytest.raises(Hint, match=r"expected shape \[3\] as your answer, got shape \[1, 3\]"):
        same(TARGET[None], TARGET)
    with pytest.raises(Hint, match="got shape"):
        same(2.0, TARGET)


def test_nan_is_never_right_and_infinity_only_where_it_is_wanted():
    assert not same(math.nan, 1.0)
    assert not same(math.nan, math.nan)
    assert same(math.inf, math.inf)
    assert not same(-math.inf, math.inf)
    assert not same(math.inf, 1.0)


class Unreadable:
    def __float__(self):
        raise ZeroDivisionError

    __repr__ = __float__


@pytest.mark.parametrize(
    "words",
    [
        "1.0",
        "half",
        ["a"],
        ["1.0"],
        np.array(["1.0"]),
        np.array(["1.0", 1], dtype=object),
        b"1",
        bytearray(b"1"),
        {"a": 1},
        {1.0},
        [None],
        [1.0, None],
        object(),
        Unreadable(),
        [Unreadable()],
        10**400,
        [10**400],
        1 + 1j,
        np.array([1 + 1j]),
        torch.tensor([1 + 1j]),
        np.array([1], dtype="m8[s]"),
        torch.ones(1, device="meta"),
        [[1.0], [1.0, 2.0]],
    ],
    ids=lambda words: type(words).__name__,
)
def test_what_is_no_number_is_explained(words):
    with pytest.raises(Hint, match="expected numbers as your answer"):
        same(words, 1.0)


def test_what_a_mask_hides_is_no_number():
    assert not same(np.ma.array(TARGET.numpy(), mask=[False, True, False]), TARGET)


def test_what_can_be_read_once_counts_as_its_numbers():
    squares = Exercise("e", lambda answer: differs(answer, [1.0, 4.0]), None)
    for answer in ((x * x for x in (1, 2)), map(float, [1, 4]), {"a": 1, "b": 4}.values()):
        assert squares.verdict(answer) == "✓ e: right."
    assert agree(lambda x: (2 * v for v in x), lambda x: 2 * x, [(TARGET,)]) is None
    assert len(call(itertools.count)) == answers.MANY


@pytest.mark.parametrize("blank", [None, ...])
def test_a_blank_is_not_answered_yet(blank):
    with pytest.raises(UnansweredError):
        same(blank, 1.0)
    with pytest.raises(UnansweredError):
        call(lambda: blank)


def test_the_hint_shows_the_readers_own_value():
    assert differs([1, 2.5], [1, 2], "for x = 3") == "for x = 3 expected [1, 2], got [1, 2.5]."
    wide = torch.zeros(4, 5)
    wrong = wide.clone()
    wrong[2, 3] = 7
    assert differs(wrong, wide) == "expected 0 at [2, 3], got 7."
    assert (
        differs([[1, 2], [3, 4]], torch.tensor([[1, 2], [5, 4]])) == "expected 5 at [1, 0], got 3."
    )


def test_the_first_case_that_differs_is_named():
    hint = agree(lambda x: x.abs(), lambda x: x, [(TARGET[:1],), (TARGET[1:2],)])
    assert hint == "for [-2] expected [-2], got [2]."
    assert agree(lambda x: x.numpy(), lambda x: x, [(TARGET,)]) is None


def test_a_function_cannot_change_what_it_is_checked_against():
    def in_place(x):
        return x.mul_(0)

    kept = TARGET.clone()
    assert agree(in_place, lambda x: x, [(kept,)]) is not None
    assert torch.equal(kept, TARGET)
    values = [1.0, 2.0]
    call(lambda x: x.append(3) or 1, values)
    assert values == [1.0, 2.0]


def test_a_function_changes_no_setting_of_the_process():
    def careless(x):
        torch.set_default_dtype(torch.float16)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        return x

    x = TARGET.clone().requires_grad_()
    assert agree(careless, lambda x: torch.autograd.grad((x * x).sum(), x)[0] / 2, [(x,)]) is None
    assert torch.tensor(1.0).dtype is torch.float32
    assert torch.tensor(1.0).device.type == "cpu"


class Speechless(Exception):  # noqa: N818
    def __str__(self):
        raise KeyError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SystemExit(1), "SystemExit: 1"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (StopIteration(), "StopIteration"),
        (Speechless(), "Speechless"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_function_raises_is_told_in_a_line(error, said):
    def raises():
        raise error

    with pytest.raises(ReaderError) as caught:
        call(raises)
    assert str(caught.value) == said


def test_who_interrupts_is_obeyed():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(interrupted)


def test_only_the_readers_own_code_is_blamed():
    with pytest.raises(ReaderError, match="ZeroDivisionError"):
        call(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        agree(lambda x: x, lambda x: 1 / 0, [(1.0,)])
    with pytest.raises(Hint, match="expected a function, got 3"):
        call(3)


def test_long_words_are_cut():
    assert len(answers.shown("x" * 200)) <= 60


RIVALS = ((lambda x: x.mean(), "the mean"), (lambda x: x.sum(0), "the first axis"))
GRIDS = ((torch.arange(6.0).view(2, 3),), (torch.eye(2),))


def test_a_known_mistake_is_named_in_any_form_only_if_it_is_made_in_every_case():
    assert known(lambda x: x.numpy().sum(0), RIVALS, GRIDS) == "the first axis"
    assert known(lambda x: float(x.mean()), RIVALS, GRIDS) == "the mean"
    assert known(lambda x: x.sum(1), RIVALS, GRIDS) is None
    assert known(lambda x: "nothing of the kind", RIVALS, GRIDS) is None


def test_a_stub_and_an_answer_that_raises_are_no_known_mistakes():
    with pytest.raises(UnansweredError):
        known(lambda x: None, RIVALS, GRIDS)
    with pytest.raises(ReaderError, match="ZeroDivisionError"):
        known(lambda x: 1 / 0, RIVALS, GRIDS)
    with pytest.raises(ZeroDivisionError):
        known(lambda x: x, [(lambda x: 1 / 0, "")], GRIDS)


def product(x, y):
    return (x * y).sum()


def backward_inside(x, y):
    value = product(x, y)
    value.backward()
    return value


@pytest.mark.parametrize(
    "function",
    [
        product,
        lambda x, y: torch.dot(x.float(), y.float()),
        lambda x, y: x * y,
        lambda x, y: float(product(x, y)),
        lambda x, y: product(x, y).detach(),
        lambda x, y: np.dot(x.numpy(), y.numpy()),
    ],
)
def test_a_gradient_passes_if_it_is_right_or_there_is_none(function):
    assert differentiates(function, product, (TARGET, TARGET + 1), [0, 1])


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: product(x, y.detach()),
        lambda x, y: product(x, y) + (x - x.detach()).sum(),
        backward_inside,
    ],
)
def test_a_gradient_that_is_cut_wrong_or_spent_is_seen(function):
    assert not differentiates(function, product, (TARGET, TARGET + 1), [0, 1])
