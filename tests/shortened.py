"""A chapter's statements, cut short: every loop a few rounds, every explorable a few frames.

What they compute is worth nothing; that they run to their end is what is looked at.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from itertools import groupby, islice
from types import ModuleType
from typing import Any

import pytest
from chapters import chapter

import genbook
from genbook.kit import explore, page, training
from genbook.kit.device import FAST_DIVISOR
from genbook.kit.explore.controls import grid
from genbook.kit.explore.frames import Artist, styled

ROUNDS = 4
"""How often a loop runs."""

BUDGETS = {"cpu": FAST_DIVISOR}
"""What the fast profile divides a budget by, so that a fourth part of it is a round still."""

FRAMES = 3
"""How many frames of an explorable are drawn, from the first to the last."""

LENGTHS = frozenset({"ahead", "batches", "cpu", "epochs", "gpu", "iterations", "rounds", "updates"})
"""Keywords that say how long a loop runs."""


class _Shorter(ast.NodeTransformer):
    """Every length of a loop that stands in a call or in a function's defaults.

    Where a mark is made after ``every`` so many rounds, as many marks are made, one a round. A
    length that the cell names elsewhere stays.
    """

    def __init__(self, elsewhere: frozenset[int]) -> None:
        self.elsewhere = elsewhere

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        self.shorten({k.arg: k.value for k in node.keywords if k.arg})
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        last = [argument.arg for argument in node.args.args][-len(node.args.defaults) :]
        self.shorten(dict(zip(last, node.args.defaults, strict=False)))
        return node

    def shorten(self, given: dict[str, ast.expr]) -> None:
        numbers = {name: node for name, node in given.items() if isinstance(node, ast.Constant)}
        every = numbers["every"].value if "every" in numbers else None
        for name, constant in numbers.items():
            if every is not None and name in LENGTHS | {"every", "fork"}:
                constant.value = max(1, constant.value // every)
            elif name in LENGTHS and constant.value not in self.elsewhere:
                constant.value = min(constant.value, ROUNDS * BUDGETS.get(name, 1))


def _numbers(code: str) -> frozenset[int]:
    """The numbers of a cell that are not the length of a loop."""
    tree = ast.parse(code)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    lengths = {id(k.value) for call in calls for k in call.keywords if k.arg in LENGTHS}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(
        node.value for node in constants if id(node) not in lengths and type(node.value) is int
    )


def statements(stem: str) -> Iterator[tuple[int, str]]:
    """The number of the cell and the code of each statement."""
    of_chapter = chapter(stem).statements
    for cell, group in groupby(of_chapter, key=lambda statement: statement.cell):
        codes = [statement.code for statement in group]
        shorter = _Shorter(_numbers("\n".join(codes)))
        for code in codes:
            tree = shorter.visit(ast.parse(code))
            yield cell, ast.unparse(ast.fix_missing_locations(tree))


def progress(steps: Iterable[Any], *, description: str = "") -> Iterator[Any]:
    """The first of the steps."""
    return islice(steps, ROUNDS)


def draw(drawing: Any, *, caption: str, alt: str, rescale: bool = False, **given: Any) -> None:
    """A few frames of an explorable, spread over its grid."""
    options = {name: given.pop(name) for name in {"start", "labels", "units"} & given.keys()}
    given.pop("drag", None)
    artist = Artist(drawing, grid(drawing, given, **options), salt="gb-a", alt=alt, rescale=rescale)
    places = list(artist.grid.places())
    with styled():
        for index in {round(k * (len(places) - 1) / (FRAMES - 1)) for k in range(FRAMES)}:
            artist.frame(places[index])


STEPS = r"\w*Step|Fitting|Mark|Moment|Round|Update|tuple\[int, nn\.Module, Streams\]"
LOOP = re.compile(rf"Iterator\[({STEPS})\]")
"""What a training loop of the book returns."""

WHOLE = frozenset({"genbook.dcgan.training", "genbook.fgan.univariate"})
"""Loops that run to their end: the chapter asks for their last row, or for all ten digits."""


def training_loops() -> Iterator[tuple[ModuleType, str, Callable[..., Iterator[Any]]]]:
    """Every place where a module of the book holds one."""
    for found in pkgutil.walk_packages(genbook.__path__, "genbook."):
        if not found.name.endswith("__main__"):
            room = importlib.import_module(found.name)
            for name, thing in vars(room).items():
                kind = str(getattr(thing, "__annotations__", {}).get("return"))
                loops = inspect.isgeneratorfunction(thing) and LOOP.match(kind)
                if loops and thing.__module__ not in WHOLE:
                    yield room, name, thing


def cut(loop: Callable[..., Iterator[Any]], within: list[object]) -> Callable[..., Iterator[Any]]:
    """The loop, ended after a few of its steps; a loop within another's step runs to its end."""

    @wraps(loop)
    def short(*arguments: Any, **keywords: Any) -> Iterator[Any]:
        steps = loop(*arguments, **keywords)
        if within:
            yield from steps
            return
        for _ in range(ROUNDS):
            within.append(loop)
            try:
                step = next(steps)
            except StopIteration:
                return
            finally:
                within.pop()
            yield step

    return short


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short whatever is run from here on."""
    within: list[object] = []
    for room, name, loop in list(training_loops()):
        monkeypatch.setattr(room, name, cut(loop, within))
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    monkeypatch.setattr(training, "progress", progress)
    for room in (explore, page):
        monkeypatch.setattr(room, "explore", draw)
