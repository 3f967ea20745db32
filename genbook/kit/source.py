"""The code shown is the code tested: display the package's own source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from IPython.display import Markdown

from genbook.kit.console import display


def source(thing: Callable[..., Any] | type, *, whole: bool = False) -> str:
    r"""The source text of a function, method or class of the package.

    Args:
        thing: what to read.
        whole: keep docstrings and the checks of arguments, too.

    Returns:
        The text, without common indentation.

    Raises:
        ValueError: if ``thing`` has no Python source.

    Example:
        >>> source(source).splitlines()[0]
        'def source(thing: Callable[..., Any] | type, *, whole: bool = False) -> str:'
    """
    try:
        text = textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError) as error:
        raise ValueError(
            f"expected a function, method or class written in Python, got {thing!r}"
        ) from error
    return text.rstrip() if whole else _idea(text).rstrip()


def _idea(text: str) -> str:
    lines = text.splitlines()
    for statement in sorted(_beside_the_idea(ast.parse(text)), key=lambda s: -s.lineno):
        del lines[statement.lineno - 1 : statement.end_lineno]
        following = statement.lineno - 1
        if following < len(lines) and not lines[following].strip():
            del lines[following]
    return "\n".join(lines)


def _beside_the_idea(tree: ast.AST) -> Iterator[ast.stmt]:
    """Docstrings, and the checks of arguments; what they leave is never empty."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            beside = [s for i, s in enumerate(node.body) if _is_check(s) or _is_docstring(i, s)]
            if len(beside) < len(node.body):
                yield from beside


def _is_docstring(place: int, statement: ast.stmt) -> bool:
    return (
        place == 0
        and isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_check(statement: ast.stmt) -> bool:
    """``if …: raise ValueError(…)`` and nothing else."""
    if not isinstance(statement, ast.If) or statement.orelse or len(statement.body) != 1:
        return False
    (only,) = statement.body
    return (
        isinstance(only, ast.Raise)
        and isinstance(only.exc, ast.Call)
        and isinstance(only.exc.func, ast.Name)
        and only.exc.func.id == "ValueError"
    )


def show(*things: Callable[..., Any] | type, whole: bool = False) -> None:
    r"""Display the package's own source, highlighted, and say where it lives.

    Args:
        *things: functions, methods or classes, shown one under the other.
        whole: keep docstrings and the checks of arguments, too.

    Raises:
        ValueError: if one of them has no Python source.

    Example:
        >>> show(source)
        <IPython.core.display.Markdown object>
    """
    display(Markdown("\n".join(_block(thing, whole) for thing in things)))


def _block(thing: Callable[..., Any] | type, whole: bool) -> str:
    text = source(thing, whole=whole)
    left_out = "" if "raise ValueError" not in _difference(thing, text) else ", arguments checked"
    return f"```python\n# {thing.__module__}.{thing.__qualname__}{left_out}\n{text}\n```"


def _difference(thing: Callable[..., Any] | type, shown: str) -> str:
    kept = set(shown.splitlines())
    return "\n".join(line for line in source(thing, whole=True).splitlines() if line not in kept)
