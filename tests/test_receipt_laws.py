"""Every receipt is a relation, and a test of its own name breaks the code behind it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from genbook.kit import notebooks

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
RELATIONS = {
    "above",
    "always",
    "at_least",
    "at_most",
    "below",
    "between",
    "close",
    "equal",
    "never",
}
OLD_WORDS = ("(violation)", "(missing)", "(excess)", "(relative violation)", "(shortfall)")


def calls(path: Path) -> list[ast.Call]:
    cells = [c.source for c in notebooks.read(path).cells if c.cell_type == "code"]
    nodes = [node for source in cells for node in ast.walk(notebooks.tree(source))]
    return [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "receipt"]


@cache
def receipt_tests_of(stem: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse((ROOT / "tests" / stem / "test_receipts.py").read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@each_notebook
def test_a_receipt_states_relations_and_no_error_with_a_tolerance(path):
    for call in calls(path):
        words = {keyword.arg for keyword in call.keywords}
        assert words <= {"label", "test", "recorded"}, ast.unparse(call)
        assert len(call.args) >= 2, ast.unparse(call)
        for relation in call.args[1:]:
            plain = relation.value if isinstance(relation, ast.Starred) else relation
            named = {getattr(n, "id", "") for n in ast.walk(plain)}
            assert named & RELATIONS, ast.unparse(call)


@each_notebook
def test_no_receipt_hides_a_number_from_its_relation(path):
    for call in calls(path):
        text = ast.unparse(call)
        assert not re.search(r"\bmax\(0(\.0)?,", text), text
        assert not any(word in text for word in OLD_WORDS), text


@each_notebook
def test_the_test_of_a_receipt_breaks_it_under_its_own_name(path):
    there = receipt_tests_of(path.stem)
    for receipt in notebooks.receipts(path):
        assert receipt.test.startswith("test_receipt_"), receipt.test
        assert receipt.test in there, f"{receipt.claim}: no test {receipt.test}"
        assert reaches(there[receipt.test], path.stem), f"{receipt.test} breaks another"


@each_notebook
def test_no_test_breaks_a_receipt_that_is_not_there(path):
    named = {receipt.test for receipt in notebooks.receipts(path)}
    assert {
        name for name in receipt_tests_of(path.stem) if name.startswith("test_receipt_")
    } <= named


def reaches(function: ast.FunctionDef, stem: str) -> bool:
    """Whether the function calls ``assert_breaks(stem, its own name, …)``."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "assert_breaks":
            words = [a.value for a in node.args[:2] if isinstance(a, ast.Constant)]
            if words == [stem, function.name]:
                return True
    return False
