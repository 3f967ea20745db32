"""Run a chapter's own receipt cells, whole or with something broken on purpose."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from genbook.kit import notebooks, page
from genbook.kit.receipts import ReceiptError, check

BOOK = Path(__file__).parents[1] / "book"
SILENT = ("explore", "picture", "show", "table")


class Chapter:
    """The code cells of a notebook, without what only draws."""

    def __init__(self, stem: str) -> None:
        cells = notebooks.read(BOOK / f"{stem}.ipynb").cells
        self.cells = [cell.source for cell in cells if cell.cell_type == "code"]
        self.names = {
            index: {call.test for call in _receipt_tests(source)}
            for index, source in enumerate(self.cells)
        }

    def outcomes(self, test: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
        """Run every cell up to the last that names ``test``; claim → failure, or None."""
        last = max(index for index, tests in self.names.items() if test in tests)
        found: dict[str, str | None] = {}

        def record(claim: str, **details: Any) -> None:
            try:
                check(claim, **details)
                failure = None
            except ReceiptError as error:
                failure = str(error)
            if details["test"] == test:
                found[claim] = failure

        monkeypatch.setenv("GENBOOK_DATA", "none")
        monkeypatch.setattr(page, "receipt", record)
        for name in SILENT:
            monkeypatch.setattr(page, name, lambda *_, **__: None)
        namespace: dict[str, Any] = {"print": lambda *_, **__: None}
        for index, source in enumerate(self.cells[: last + 1]):
            exec(compile(source, f"cell {index}", "exec"), namespace)
        return found


class _Call:
    def __init__(self, node: ast.Call) -> None:
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        self.test = ast.literal_eval(keywords["test"])


def _receipt_tests(source: str) -> list[_Call]:
    return [
        _Call(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "receipt"
    ]


@cache
def chapter(stem: str) -> Chapter:
    """The chapter, read once."""
    return Chapter(stem)


def assert_breaks(stem: str, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every receipt that names ``test`` fails now that something is broken."""
    found = chapter(stem).outcomes(test, monkeypatch)
    assert found, f"no receipt of {stem} names {test}"
    standing = [claim for claim, failure in found.items() if failure is None]
    assert not standing, f"still holds although it was broken: {standing}"


def assert_holds(stem: str, test: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every receipt that names ``test`` holds as the chapter stands."""
    found = chapter(stem).outcomes(test, monkeypatch)
    assert {claim: failure for claim, failure in found.items() if failure} == {}
