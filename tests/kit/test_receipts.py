"""A receipt prints a line that is the same everywhere, or raises with what it measured."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.receipts import ReceiptError, check, receipt

NAMED = {"label": "eq-x", "test": "test_x"}


def test_the_line_holds_the_tolerance_and_not_the_error(capsys):
    for error in (0.001, 0.019):
        receipt("a = b", error=error, tol=0.02, **NAMED)
    assert capsys.readouterr().out == "✓ a = b   (error ≤ 0.02)\n" * 2


def test_tolerance_zero_asks_for_equality(capsys):
    receipt("a = b", error=0.0, tol=0, **NAMED)
    assert capsys.readouterr().out == "✓ a = b   (exact)\n"
    with pytest.raises(ReceiptError):
        receipt("a = b", error=1e-300, tol=0, **NAMED)


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_receipt_is_given_exactly_when_the_error_keeps_the_tolerance(error, tol):
    if error <= tol:
        assert check("a", error=error, tol=tol, **NAMED).error == error
    else:
        with pytest.raises(ReceiptError, match="✗ a   "):
            check("a", error=error, tol=tol, **NAMED)


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_an_error_that_is_no_number_is_a_failure(error):
    with pytest.raises(ReceiptError):
        check("a", error=error, tol=1e9, **NAMED)


def test_tensors_of_one_number_are_accepted():
    assert check("a", error=torch.tensor([0.5]), tol=1, **NAMED).error == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"claim": " "}, "non-empty claim"),
        ({"label": ""}, "non-empty label"),
        ({"test": ""}, "non-empty test"),
        ({"tol": -1.0}, "finite tolerance"),
        ({"tol": math.nan}, "finite tolerance"),
        ({"error": -0.1}, "error ≥ 0"),
        ({"error": torch.zeros(2)}, "one number"),
    ],
)
def test_bad_input_is_explained(changes, message):
    call = {"claim": "a", "error": 0.0, "tol": 0.0, **NAMED, **changes}
    with pytest.raises(ValueError, match=message):
        check(call.pop("claim"), **call)


def test_the_page_gets_the_measured_error_and_escapes_the_claim():
    html = check("a < b & c", error=0.25, tol=1, **NAMED)._repr_mimebundle_()["text/html"]
    assert 'data-claim="a &lt; b &amp; c"' in html
    assert 'data-error="0.25"' in html
    assert "measured 0.25" in html


def test_the_book_build_displays_instead_of_printing(monkeypatch, capsys):
    shown = []
    monkeypatch.setenv("GENBOOK_STATIC", "1")
    monkeypatch.setattr("genbook.kit.receipts.display", shown.append)
    receipt("a", error=0.0, tol=0, **NAMED)
    assert capsys.readouterr().out == ""
    assert [str(r) for r in shown] == ["✓ a   (exact)"]
