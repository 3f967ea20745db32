"""What is shown without a notebook is text, in letters that the console knows."""

from __future__ import annotations

import io

import pytest

from genbook.kit import plotting
from genbook.kit.console import encodable
from genbook.kit.page import explore, picture, table


def draw(a):
    figure, axes = plotting.subplots(width=2, height=1)
    axes.set(xlim=(0, 1), ylim=(0, 1), title=f"{a}")
    return figure


SHOWN = {
    "table": lambda: table(["λ", "≤"], [["σ", 1.0]], caption="é λ", digits=1),
    "picture": lambda: picture(draw(0), caption="é λ", alt="σ"),
    "explore": lambda: explore(draw, a=(0, 2, 1), caption="é λ", alt="σ"),
}
"""Outputs whose text has letters that few consoles know."""


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("static", ["0", "1"])
@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_every_output_is_a_short_text_on_any_console(monkeypatch, show, static, encoding):
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr("sys.stdout", console)
    monkeypatch.setenv("GENBOOK_STATIC", static)
    show()
    console.flush()
    told = console.buffer.getvalue().decode(encoding)
    assert 0 < len(told) < 200
    assert "<svg" not in told


def test_marks_are_spelled_where_the_console_lacks_them(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert encodable("✗ no… ✓") == "x no... ok"
