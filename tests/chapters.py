"""Run a chapter's own receipt cells, whole and with the code broken on purpose.

:func:`assert_breaks` runs the statements that a receipt needs twice: first as they stand (the
receipt must hold), then with a function of the package broken (it must fail). Only the needed
statements run: a backward slice over the notebook's cells, or all that stand before the receipt
where the slice does not hold by itself.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from genbook.kit import page
from genbook.kit.receipts import ReceiptError, check

BOOK = Path(__file__).parents[1] / "book"
SILENT = frozenset({"explore", "picture", "show", "table", "print", "display"})
CONSUMERS = frozenset({"list", "tuple", "next", "deque", "sum", "max", "min", "dict", "zip"})
Break = Callable[[pytest.MonkeyPatch], object]


@dataclass(frozen=True)
class Statement:
    """A top-level statement of a cell: what it binds or changes, and what it reads."""

    cell: int
    code: str
    binds: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]
    tests: frozenset[str]
    silent: bool


@dataclass(frozen=True)
class Chapter:
    """The statements of a notebook's code cells, in order."""

    stem: str
    statements: tuple[Statement, ...]

    def before(self, test: str) -> list[Statement]:
        """All statements up to the last receipt of ``test``, but for drawing and other receipts."""
        last = max(place for place, s in enumerate(self.statements) if test in s.tests)
        kept = self.statements[: last + 1]
        return [s for s in kept if not s.silent and (test in s.tests or not s.tests)]

    def needed(self, test: str) -> list[Statement]:
        """The statements that the receipts of ``test`` depend on, those receipts included."""
        wanted = [s for s in self.statements if test in s.tests]
        if not wanted:
            raise ValueError(f"no receipt of {self.stem} names {test}")
        last = self.statements.index(wanted[-1])
        names: set[str] = set()
        kept: list[Statement] = []
        for statement in reversed(self.statements[: last + 1]):
            is_receipt = bool(statement.tests)
            mine = test in statement.tests
            touched = statement.binds | statement.changes
            if mine or (not is_receipt and not statement.silent and touched & names):
                kept.append(statement)
                names -= statement.binds - statement.changes
                names |= statement.reads
        return kept[::-1]

    @property
    def tests(self) -> set[str]:
        """Every test that a receipt of the chapter names."""
        return {test for statement in self.statements for test in statement.tests}


@cache
def chapter(stem: str) -> Chapter:
    """The chapter, read once."""
    return parsed(stem, BOOK / f"{stem}.ipynb")


def parsed(stem: str, path: Path) -> Chapter:
    """The statements of the notebook at ``path``."""
    cells = nbformat.read(path, as_version=4).cells
    plain = TransformerManager().transform_cell
    found: list[Statement] = []
    for number, cell in enumerate(cells):
        if cell.cell_type == "code" and not cell.source.lstrip().startswith("%%"):
            found += _statements(number, plain(cell.source))
    fixed = re.compile(r"import |from |\w+ = (device\.)?pick\(|\w+ = lambda seed: device.seeded\(")
    lasting = {name for s in found if fixed.match(s.code) for name in s.binds}
    return Chapter(stem, tuple(_without(lasting, s) for s in found))


def _without(lasting: set[str], statement: Statement) -> Statement:
    """The statement, if calls change neither modules and functions nor the device."""
    if statement.code.startswith("torch.manual_seed"):
        return statement
    return replace_fields(statement, changes=statement.changes - lasting)


def _statements(number: int, code: str) -> Iterator[Statement]:
    for node in ast.parse(code).body:
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        inside = _own_names(node)
        bound = {n.id for n in names if isinstance(n.ctx, ast.Store)} - inside
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            bound |= {a.asname or a.name.split(".")[0] for a in node.names}
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            bound |= {node.name}
        reads = _awaited([node], set())
        changes = (_changed(node) - inside) & reads
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
        yield Statement(
            cell=number,
            code=ast.unparse(node),
            binds=frozenset(bound),
            changes=frozenset(changes),
            reads=frozenset(reads),
            tests=frozenset(_test_of(c) for c in calls if getattr(c.func, "id", "") == "receipt"),
            silent=isinstance(node, ast.Expr) and _head(node.value) in SILENT,
        )


def _awaited(body: list[ast.stmt], made: set[str]) -> set[str]:
    """Names that statements read and have not bound themselves by then; ``made`` gains theirs."""
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.For):
            found |= _loaded(node.iter) - made
            around = made | {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)}
            found |= _awaited(node.body, set(around)) | _awaited(node.orelse, set(made))
        elif isinstance(node, ast.If | ast.While):
            found |= _loaded(node.test) - made
            found |= _awaited(node.body, set(made)) | _awaited(node.orelse, set(made))
        elif isinstance(node, ast.With):
            for item in node.items:
                found |= _loaded(item.context_expr) - made
                if item.optional_vars is not None:
                    made |= _stored(item.optional_vars)
            found |= _awaited(node.body, made)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found |= _loaded(node) - made
            made.add(node.name)
        else:
            found |= _loaded(node) - made
            if isinstance(node, ast.AugAssign):
                found |= _stored(node.target) - made
            made |= _stored(node)
    return found


def _loaded(node: ast.AST) -> set[str]:
    """Names that a part reads from around it, those of its own comprehensions left out."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        body = node.body if isinstance(node, ast.FunctionDef) else [node.body]
        own = {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)} | {
            name for part in body for name in _stored(part) | _defined(part)
        }
        inner = {name for part in body for name in _loaded(part)}
        return (inner - own) | _loaded(node.args)
    found = {name for part in ast.iter_child_nodes(node) for name in _loaded(part)}
    generators = getattr(node, "generators", [])
    if generators:
        found -= {name for part in generators for name in _stored(part.target)}
        found |= _loaded(generators[0].iter)
    return found


def _stored(node: ast.AST) -> set[str]:
    return {
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }


def _defined(node: ast.AST) -> set[str]:
    return {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}


def _own_names(node: ast.AST) -> set[str]:
    """Names that live inside functions and comprehensions only."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.comprehension):
            found |= {n.id for n in ast.walk(part.target) if isinstance(n, ast.Name)}
        if isinstance(part, (ast.FunctionDef, ast.Lambda)):
            found |= {a.arg for a in ast.walk(part.args) if isinstance(a, ast.arg)}
            if isinstance(part, ast.FunctionDef):
                found |= {
                    n.id
                    for n in ast.walk(part)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
    return found


def _changed(node: ast.stmt) -> set[str]:
    """Names whose object a statement changes in place, as far as can be told by reading."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, (ast.Attribute, ast.Subscript)):
            if isinstance(part.ctx, (ast.Store, ast.Del)):
                found |= _root(part)
        elif isinstance(part, ast.AugAssign):
            found |= _root(part.target)
        elif isinstance(part, ast.Call) and _head(part) in CONSUMERS:
            found |= _handed(part)
        elif isinstance(part, (ast.For, ast.comprehension)):
            found |= _handed(part.iter)
        elif isinstance(part, ast.Assign) and any(map(_takes_all, part.targets)):
            found |= _handed(part.value)
    if isinstance(node, ast.Expr):  # a call whose value is dropped is made for what it changes
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                found |= _root(part.func) if isinstance(part.func, ast.Attribute) else set()
                found |= _handed(part)
    if isinstance(node, (ast.For, ast.While, ast.With)):
        for inner in node.body:
            found |= _changed(inner)
    if isinstance(node, ast.For) and found & _stored(node.target):
        found |= _loaded(node.iter)  # what is changed one by one lies in what is walked through
    return found


def _takes_all(target: ast.expr) -> bool:
    """Whether an assignment such as ``*_, last = …`` runs a generator to its end."""
    return any(isinstance(part, ast.Starred) for part in ast.walk(target))


def _handed(node: ast.AST) -> set[str]:
    """Names handed to a call, or to the calls within it: a training loop changes its networks.

    What is handed as a part, such as ``digits.flat``, does not count: it is data.
    """
    calls = [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    given = [a for call in calls for a in (*call.args, *(k.value for k in call.keywords))]
    return {name for part in given for name in _whole_names(part)}


def _whole_names(node: ast.AST) -> Iterator[str]:
    """Names in an expression that stand for the whole of what they name."""
    if isinstance(node, ast.Name):
        yield node.id
    elif not isinstance(node, ast.Attribute):
        for part in ast.iter_child_nodes(node):
            yield from _whole_names(part)


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def _head(node: ast.expr) -> str:
    return getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""


def _test_of(call: ast.Call) -> str:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    return str(ast.literal_eval(keywords["test"]))


def outcomes(
    statements: list[Statement], test: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str | None]:
    """Run statements; each claim that names ``test`` → how it failed, or None if it held."""
    found: dict[str, str | None] = {}

    def record(claim: str, *relations: Any, **details: Any) -> None:
        try:
            check(claim, *relations, **details)
            failure = None
        except ReceiptError as error:
            failure = str(error)
        if details["test"] == test:
            found[claim] = failure

    monkeypatch.setenv("GENBOOK_DATA", "none")
    monkeypatch.setattr(page, "receipt", record)
    for name in SILENT - {"print", "display"}:
        monkeypatch.setattr(page, name, lambda *_, **__: None)
    silence = dict.fromkeys(("print", "display"), lambda *_, **__: None)
    namespace: dict[str, Any] = {"__name__": "__main__", **silence}
    for statement in statements:
        exec(compile(statement.code, f"cell {statement.cell}", "exec"), namespace)
    return found


def assert_breaks(
    stem: str,
    test: str,
    *breaks: Break,
    given: Break | None = None,
    where: Chapter | None = None,
) -> None:
    """The receipts that name ``test`` hold as the chapter stands and fail when its code is broken.

    Args:
        stem: the chapter.
        test: the name of the test that calls this.
        *breaks: each is called with a monkeypatch and breaks something; every break must fail a
            receipt, and every receipt must fail under some break.
        given: applied in all runs, the unbroken one too: shortens a training, for instance.
        where: another chapter than the book's, for tests of this function.
    """
    if not breaks:
        raise ValueError("expected at least one break, got none; what would be wrong?")
    source = where or chapter(stem)
    statements = source.needed(test)
    standing, fallen = _control(statements, test, given)
    if fallen or not standing:
        statements = source.before(test)
        standing, fallen = _control(statements, test, given)
    assert standing, f"no receipt of {stem} that names {test} was reached"
    assert not fallen, f"does not hold before anything is broken: {fallen}"
    left = set(standing)
    for number, break_ in enumerate(breaks):
        found = _run(statements, test, given, break_)
        broken = {claim for claim in standing if found.get(claim)}
        assert broken, f"break {number} leaves every receipt of {test} standing"
        left -= broken
    assert not left, f"still holds although it was broken: {sorted(left)}"


def _control(
    statements: list[Statement], test: str, given: Break | None
) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """What the receipts say unbroken, and those of them that fail."""
    try:
        standing = _run(statements, test, given, None)
    except Exception as error:
        standing = {"the run": f"{type(error).__name__}: {error}"}
    return standing, {claim: failure for claim, failure in standing.items() if failure}


def _run(
    statements: list[Statement], test: str, given: Break | None, break_: Break | None
) -> dict[str, str | None]:
    with pytest.MonkeyPatch.context() as patch:
        if given is not None:
            given(patch)
        if break_ is not None:
            break_(patch)
        return outcomes(statements, test, patch)


def replace(monkeypatch: pytest.MonkeyPatch, original: Any, substitute: Any) -> None:
    """Put ``substitute`` wherever a module of the package holds ``original``."""
    hits = 0
    for name, module in list(sys.modules.items()):
        if name == "genbook" or name.startswith("genbook."):
            for key, value in list(vars(module).items()):
                if value is original:
                    monkeypatch.setattr(module, key, substitute)
                    hits += 1
    if not hits:
        raise ValueError(f"expected something that a module of genbook holds, got {original!r}")


def swap(original: Any, substitute: Any) -> Break:
    """The break that puts ``substitute`` in place of ``original`` everywhere."""
    return lambda monkeypatch: replace(monkeypatch, original, substitute)


def altered(original: Callable[..., Any], change: Callable[[Any], Any]) -> Break:
    """The break by which a function returns ``change`` of what it should."""

    def wrong(*arguments: Any, **keywords: Any) -> Any:
        return change(original(*arguments, **keywords))

    return swap(original, wrong)


def method(owner: type, name: str, substitute: Callable[..., Any]) -> Break:
    """The break that gives a class another method."""
    return lambda monkeypatch: monkeypatch.setattr(owner, name, substitute)


def told(study: str, name: str, value: float, **where: Any) -> Break:
    """The break by which the rows of a recorded study with these settings say ``value``."""

    def change(row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value} if name in row and where.items() <= row.items() else {}

    return rewritten(study, change)


def rewritten(study: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Break:
    """The break by which a recorded study says something else: ``change`` of every row.

    What it shows is that the receipt reads the record; not that the study would find the same.
    """

    def break_(monkeypatch: pytest.MonkeyPatch) -> None:
        from dataclasses import replace as but

        from genbook.kit import studies

        load = studies.load

        def changed(name: str, *arguments: Any) -> Any:
            found = load(name, *arguments)
            if name != study:
                return found
            return but(found, rows=tuple({**row, **change(row)} for row in found.rows))

        replace(monkeypatch, load, changed)

    return break_
