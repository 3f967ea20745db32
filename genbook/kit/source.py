"""The code shown is the code tested: display the package's own source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from IPython.display import Markdown, display


def source(thing: Callable[..., Any] | type, *, docstring: bool = False) -> str:
    r"""The source text of a function, method or class of the package.

    Args:
        thing: what to read.
        docstring: keep the docstrings.

    Returns:
        The text, without common indentation.

    Raises:
        ValueError: if ``thing`` has no Python source.

    Example:
        >>> source(source).splitlines()[0]
        'def source(thing: Callable[..., Any] | type, *, docstring: bool = False) -> str:'
    """
    try:
        text = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError) as error:
        raise ValueError(
            f"expected a function, method or class written in Python, got {thing!r}"
        ) from error
    return text.rstrip() if docstring else _without_docstrings(text).rstrip()


def _without_docstrings(text: str) -> str:
    lines = text.splitlines()
    for node in sorted(_documented(ast.parse(text)), key=lambda node: -node.lineno):
        first = node.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
        following = first.lineno - 1
        if following < len(lines) and not lines[following].strip():
            del lines[following]
    return "\n".join(lines)


def _documented(tree: ast.AST) -> list[Any]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) and ast.get_docstring(node) and len(node.body) > 1
    ]


def show(*things: Callable[..., Any] | type, docstring: bool = False) -> None:
    r"""Display the package's own source, highlighted, and say where it lives.

    Args:
        *things: functions, methods or classes, shown one under the other.
        docstring: keep the docstrings.

    Raises:
        ValueError: if one of them has no Python source.

    Example:
        >>> show(source)
        <IPython.core.display.Markdown object>
    """
    blocks = [
        f"```python\n# {thing.__module__}.{thing.__qualname__}\n"
        f"{source(thing, docstring=docstring)}\n```"
        for thing in things
    ]
    display(Markdown("\n".join(blocks)))
