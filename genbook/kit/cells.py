"""Cells of a notebook as Python: magics, shell commands and help are IPython's, not Python's."""

from __future__ import annotations

import ast
import re

from IPython.core.inputtransformer2 import TransformerManager

TRANSFORMER = TransformerManager()
RUNS_ITS_BODY = frozenset({"time", "timeit", "capture", "prun", "memit", "mprun", "lprun"})
"""Cell magics whose body is Python that runs here; the body of others is another language."""

LINE_MAGIC = re.compile(r"^(\s*)%(?:time|timeit|prun|memit)\s+(?:-\S+\s+(?:\d+\s+)?)*(?=\S)", re.M)


def plain(code: str) -> str:
    r"""The Python that a cell runs, line by line where it stood.

    Args:
        code: a code cell's source.

    Returns:
        Python source; calls of IPython stand for what is not Python, and a cell in another language
        is empty.

    Example:
        >>> plain("%%time\nx = 1")
        '\nx = 1\n'
        >>> plain("%time x = 1"), plain("%%bash\nls -l").strip()
        ('x = 1\n', '')
    """
    lines = code.splitlines(keepends=True)
    first = next((place for place, line in enumerate(lines) if line.strip()), None)
    magic = re.match(r"\s*%%\s*(\w+)", lines[first]) if first is not None else None
    if first is not None and magic:
        if magic[1] not in RUNS_ITS_BODY:
            return ""
        return "\n" * (first + 1) + plain("".join(lines[first + 1 :]))
    return TRANSFORMER.transform_cell(LINE_MAGIC.sub(r"\1", code))


def tree(code: str) -> ast.Module:
    r"""The syntax of a cell.

    Args:
        code: a code cell's source.

    Returns:
        Its syntax tree.

    Raises:
        SyntaxError: if what is left without magics is not Python.

    Example:
        >>> len(tree("%matplotlib inline\nx = 1\nx?").body)
        3
    """
    try:
        return ast.parse(code)  # nearly every cell is Python as it stands
    except SyntaxError:
        return ast.parse(plain(code))


def trees(cells: list[str]) -> list[ast.Module]:
    r"""The syntax of those cells that are Python; running the others will say what is wrong.

    Args:
        cells: sources of code cells.

    Returns:
        Syntax trees.

    Example:
        >>> len(trees(["x = 1", "x = = 1", "%%html\n<p>"]))
        2
    """
    found = []
    for code in cells:
        try:
            found.append(tree(code))
        except SyntaxError:
            continue
    return found
