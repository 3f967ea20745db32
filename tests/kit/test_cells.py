"""Cells are Python with IPython's additions, and are read as IPython would."""

from __future__ import annotations

import ast

import pytest

from genbook.kit import cells

IMPORT = "from genbook import vae"


def imports(code: str) -> list[str]:
    nodes = [node for node in ast.walk(cells.tree(code)) if isinstance(node, ast.ImportFrom)]
    return [str(node.module) for node in nodes]


@pytest.mark.parametrize(
    "code",
    [
        f"%matplotlib inline\n{IMPORT}",
        f"%%time\n{IMPORT}",
        f"\n\n%%capture out --no-stderr\n{IMPORT}",
        f"%%time\n%%capture\n{IMPORT}",
        f"%time {IMPORT}",
        f"%timeit -n 1 {IMPORT}",
        f"!ls *.py\n{IMPORT}",
        f"files = !ls\n{IMPORT}",
        f"where = %pwd\n{IMPORT}",
        f"vae?\n{IMPORT}",
        f"?vae\n{IMPORT}",
        f"{IMPORT}\nawait something()",
        f"  {IMPORT}\n  x = 1",
        f"if True:\n    %time {IMPORT}",
        f"{IMPORT};",
        f">>> {IMPORT}",
        f"In [1]: {IMPORT}",
    ],
)
def test_what_a_cell_imports_is_seen_through_magics(code):
    assert imports(code) == ["genbook"]


@pytest.mark.parametrize("magic", ["bash", "html", "javascript", "latex", "writefile x.py", "sql"])
def test_cells_in_another_language_are_empty(magic):
    assert cells.tree(f"%%{magic}\nfrom genbook import = <p>").body == []


def test_what_is_no_python_is_told_with_its_line():
    with pytest.raises(SyntaxError) as caught:
        cells.tree("%%time\nx = 1\ny = = 2")
    assert caught.value.lineno == 3


def test_a_cell_that_is_no_python_leaves_the_others_alone():
    assert len(cells.trees(["x = 1", "x = = 1", "%%html\n<p>"])) == 2


def test_an_empty_cell_is_an_empty_tree():
    assert cells.tree("").body == cells.tree("\n\n").body == []
