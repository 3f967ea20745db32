"""What is shown without a notebook is text, in letters that the console knows."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from genbook import __main__ as command
from genbook.kit import plotting
from genbook.kit.console import encodable
from genbook.kit.page import explore, picture, table
from genbook.kit.studies import Study


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


def test_a_study_tells_its_rows_on_any_console(monkeypatch):
    run = Study("x_greek", "x", lambda slice, seed: [{"setting": "β₁ = 0.9 “λ”"}], seeds=(0,))
    monkeypatch.setattr(command, "chosen_studies", lambda topic, only: [run])
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", console)
    assert command.main(["study", "x", "--slice"]) == 0
    console.flush()
    assert "setting ?? = 0.9 “?”" in console.buffer.getvalue().decode("cp1252")


def test_a_file_of_any_name_is_told_on_any_console(monkeypatch):
    monkeypatch.setattr("genbook.kit.data.fetch_mnist", lambda: [Path("λ", "images.gz")])
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr("sys.stdout", console)
    assert command.main(["data"]) == 0
    console.flush()
    assert console.buffer.getvalue().decode("cp1252").rstrip() == str(Path("?", "images.gz"))


def test_marks_are_spelled_where_the_console_lacks_them(monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert encodable("✗ no… ✓") == "x no... ok"
