"""A table prints the same numbers as plain text and on the page."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.tables import Table, number, table


def test_numbers_are_rounded_the_same_way_in_both_forms():
    shown = Table(("name", "value"), (("a", 0.12345), ("b", 2)), "Two.", digits=3)
    bundle = shown._repr_mimebundle_()
    for form in bundle.values():
        assert "0.123" in form
        assert "0.1234" not in form
    assert ">2<" in bundle["text/html"]


def test_cells_are_escaped_and_the_caption_may_hold_tags():
    html = Table(("x",), (("a < b",),), "An <em>m</em>.")._repr_mimebundle_()["text/html"]
    assert "a &lt; b" in html
    assert "<caption>An <em>m</em>.</caption>" in html


@pytest.mark.parametrize(
    ("rows", "caption"), [(((1, 2),), "c"), ((), "c"), (((1,),), " ")], ids=["wide", "none", "mute"]
)
def test_bad_input_is_explained(rows, caption):
    with pytest.raises(ValueError, match="expected"):
        Table(("only",), rows, caption)


def test_a_tensor_of_one_entry_is_shown_as_its_number(capsys):
    table(["loss"], [[torch.tensor([0.25])]], caption="One.", digits=2)
    assert capsys.readouterr().out.split() == ["loss", "0.25"]


def test_a_longer_tensor_is_refused():
    with pytest.raises(ValueError, match="one entry"):
        number(torch.zeros(2))


def test_a_deviation_keeps_its_sign():
    html = Table(("score",), (("0.90 ± 0.02",),), "Scores.")._repr_mimebundle_()["text/html"]
    assert "<td>0.90 ±\u00a00.02</td>" in html


def test_a_sum_in_a_cell_is_not_broken_and_words_may_be():
    rows = (("1 + 0", "WGAN + GP"),)
    html = Table(("lost", "game"), rows, "Runs.")._repr_mimebundle_()["text/html"]
    assert "<td>1\u00a0+\u00a00</td><td>WGAN + GP</td>" in html
