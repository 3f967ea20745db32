"""Cells of a notebook as Python: magics, shell commands and help are IPython's, not Python's."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import takewhile

from IPython.core.inputtransformer2 import TransformerManager

TRANSFORMER = TransformerManager()
RUNS_PYTHON = frozenset(
    {"time", "timeit", "capture", "prun", "debug", "memit", "mprun", "lprun", "pyinstrument"}
)
"""Magics whose line or body is Python that runs here; that of others may be any language."""

NO_PYTHON = frozenset(
    {"!", "HTML", "R", "SVG", "bash", "cmd", "cython", "file", "html", "javascript", "js", "julia"}
    | {"latex", "markdown", "perl", "ruby", "script", "sh", "sql", "svg", "sx", "system"}
    | {"writefile"}
)
"""Cell magics whose body is another language, or is not run."""

SIGNLESS = frozenset(
    {"cat", "cd", "conda", "cp", "load", "load_ext", "ls", "mamba", "man", "matplotlib", "mkdir"}
    | {"mv", "pip", "prun", "pwd", "reset", "rm", "run", "sx", "system", "time", "timeit", "uv"}
)
"""Magics and aliases that IPython takes without their % where one line is all of a cell."""


def tree(code: str) -> ast.Module:
    r"""The syntax of what a cell runs, line by line where it stands.

    Calls of IPython stand for what is not Python; what a magic such as ``%time`` runs stands in the
    magic's place.

    Args:
        code: a code cell's source.

    Returns:
        Its syntax tree; of a cell in another language, an empty one.

    Raises:
        SyntaxError: if what is left without magics is not Python.

    Example:
        >>> len(tree("%matplotlib inline\nx = 1\nx?").body)
        3
        >>> ast.unparse(tree("%%time\nx = 1\n%prun -s time f(x)")), tree("%%bash\nls -l |").body
        ('x = 1\nf(x)', [])
    """
    try:
        plain = ast.parse(code)  # nearly every cell is Python as it stands
        return _opened(plain) if "get_ipython" in code else plain
    except SyntaxError:
        signed = f"%{code.strip()}" if _is_signless(code.strip()) else code
        return _opened(_transformed(signed))
    except ValueError as error:  # half a character, in JSON's spelling
        raise SyntaxError(str(error)) from error


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


def _is_signless(line: str) -> bool:
    return "\n" not in line and line.partition(" ")[0] in SIGNLESS


def _transformed(code: str) -> ast.Module:
    """As IPython has it: blank lines at the top are no lines, a lone line may be a magic."""
    lines = code.split("\n")
    above = sum(1 for _ in takewhile(lambda line: not line.strip(), lines))
    below = "\n".join(lines[above:])
    try:
        return _moved(ast.parse(TRANSFORMER.transform_cell(below)), above)
    except SyntaxError as error:
        error.lineno = (error.lineno or 1) + above
        raise


def _moved(module: ast.Module, lines: int) -> ast.Module:
    ast.increment_lineno(module, lines)
    return module


class _Opened(ast.NodeTransformer):
    """Puts what a magic runs before the magic's result, or in its place if nobody asks for it."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        inside = _inside(node.value)
        return node if inside is None else inside

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        return [*(_inside(node.value) or []), node]


def _opened(module: ast.Module) -> ast.Module:
    opened: ast.Module = _Opened().visit(module)
    return opened


def _inside(call: ast.expr) -> list[ast.stmt] | None:
    """The statements that a call of a magic runs; none where the magic is all there is."""
    match call:
        case ast.Call(
            ast.Attribute(attr="run_line_magic"), [ast.Constant(str(name)), ast.Constant(str(line))]
        ) if name in RUNS_PYTHON:
            return _moved(_tail(line), call.lineno - 1).body or None
        case ast.Call(
            ast.Attribute(attr="run_cell_magic"),
            [ast.Constant(str(name)), ast.Constant(str(line)), ast.Constant(str(body))],
        ):
            options = _tail(line).body if name in RUNS_PYTHON else []
            return [*options, *_body(name, body, call.lineno)]
        case ast.Call(ast.Attribute(attr="run_cell"), [ast.Constant(str(body)), *_]):
            return [part for piece in trees([body]) for part in piece.body] or None
        case ast.Call(ast.Attribute(attr="magic"), [ast.Constant(str(text))]):
            name, _, line = text.lstrip("%").partition(" ")
            return (_tail(line).body or None) if name in RUNS_PYTHON else None
    return None


def _body(name: str, body: str, above: int) -> Sequence[ast.stmt]:
    """What stands below a cell magic."""
    if name in NO_PYTHON:
        return []
    try:
        return _moved(_opened(_transformed(body)), above).body
    except SyntaxError as error:
        if name not in RUNS_PYTHON:
            return []
        error.lineno = (error.lineno or 1) + above
        raise


def _tail(line: str) -> ast.Module:
    """The longest end of a magic's line that is Python: what stands behind its options."""
    words = line.split(" ")
    for start in range(len(words)):
        try:
            return ast.parse(" ".join(words[start:]).strip())
        except SyntaxError:
            continue
    return ast.Module([], [])
