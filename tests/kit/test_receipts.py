"""A receipt prints both sides, a line that is the same everywhere for CI, or raises."""

from __future__ import annotations

import io
import math

import pytest
import torch

from genbook.kit.receipts import ReceiptError, check, receipt
from genbook.kit.relations import above, close, equal, never

NAMED = {"label": "eq-x", "test": "test_x"}


def test_a_reader_sees_both_sides(capsys, monkeypatch):
    monkeypatch.delenv("GENBOOK_RECEIPTS", raising=False)
    receipt("five exceeds one", above(0.81, 0.62), **NAMED)
    assert capsys.readouterr().out == "✓ five exceeds one   (0.81 > 0.62)\n"


def test_the_line_that_is_compared_holds_nothing_measured(capsys, monkeypatch):
    monkeypatch.setenv("GENBOOK_RECEIPTS", "claims")
    for error in (0.001, 0.019):
        receipt("a = b", close(error, 0.0, tol=0.02), above(1.0, error), **NAMED)
        receipt("a > b", above(1.0, error), **NAMED)
        receipt("none", never([False, error > 1]), recorded=True, **NAMED)
    expected = "✓ a = b   (error ≤ 0.02)\n✓ a > b\n✓ none   (recorded; 0 of 2)\n"
    assert capsys.readouterr().out == expected * 2


def test_one_relation_that_fails_is_enough_and_shows_its_sides():
    with pytest.raises(ReceiptError, match=r"✗ a   \(0.5 > 0.6 does not hold\)"):
        receipt("a", equal(1, 1), above(0.5, 0.6), **NAMED)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_no_number_is_a_failure(bad):
    losses = torch.tensor([0.1, bad, 0.2])
    for relation in (close(losses, 0.0, tol=1e9), above(losses, -1.0), equal(losses, losses + 1)):
        with pytest.raises(ReceiptError):
            check("a", relation, **NAMED)


@pytest.mark.parametrize(
    ("claim", "given", "changes", "message"),
    [
        (" ", (equal(1, 1),), {}, "non-empty claim"),
        ("a", (equal(1, 1),), {"label": ""}, "non-empty label"),
        ("a", (equal(1, 1),), {"test": ""}, "non-empty test"),
        ("a", (), {}, "expected relations"),
        ("a", (True,), {}, "expected relations"),
        ("a", (0.0,), {}, "expected relations"),
    ],
)
def test_bad_input_is_explained(claim, given, changes, message):
    with pytest.raises(ValueError, match=message):
        check(claim, *given, **{**NAMED, **changes})


def test_the_page_gets_both_sides_and_escapes_the_claim():
    found = check("a < b & c", close(0.25, 0.0, tol=1), recorded=True, **NAMED)
    bundle = found._repr_mimebundle_()
    html = bundle["text/html"]
    assert 'data-claim="a &lt; b &amp; c"' in html
    assert 'data-measured="recorded; 0.25 ≤ 1"' in html
    assert 'data-recorded="true"' in html
    assert "(recorded; 0.25 ≤ 1)</span>" in html
    assert bundle["text/plain"] == "✓ a < b & c   (recorded; error ≤ 1)"


def test_the_book_build_displays_instead_of_printing(monkeypatch, capsys):
    shown = []
    monkeypatch.setenv("GENBOOK_STATIC", "1")
    monkeypatch.setattr("genbook.kit.receipts.display", shown.append)
    receipt("a", equal(0, 0), **NAMED)
    assert capsys.readouterr().out == ""
    assert [str(r) for r in shown] == ["✓ a   (exact)"]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_console_without_a_check_mark_gets_letters(monkeypatch, encoding):
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", console)
    monkeypatch.delenv("GENBOOK_RECEIPTS", raising=False)
    receipt("a ≤ b", equal(0, 0), **NAMED)
    console.flush()
    assert console.buffer.getvalue().startswith(b"ok a ")
