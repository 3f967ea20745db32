"""A chapter's statements, cut short: every loop a few rounds, every explorable a few frames.

What they compute is worth nothing; that they run to their end is what is looked at.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import pytest
from chapters import chapter

from genbook.kit import explore, page, training
from genbook.kit.explore.controls import grid
from genbook.kit.explore.frames import Artist, styled

ROUNDS = 3
"""How often a loop runs."""

FRAMES = 3
"""How many frames of an explorable are drawn, from the first to the last."""

LENGTHS = frozenset({"ahead", "batches", "cpu", "epochs", "gpu", "iterations", "rounds", "updates"})
"""Keywords that say how long a loop runs."""


class _Shorter(ast.NodeTransformer):
    """Every length of a loop that stands in a call, but so long that there are marks on its way."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        given = {k.arg: k.value for k in node.keywords if isinstance(k.value, ast.Constant)}
        every = given["every"].value if "every" in given else 1
        for name, constant in given.items():
            if name in LENGTHS and constant.value > ROUNDS * every:
                constant.value = ROUNDS * every
            if name == "fork":
                constant.value = every
        return node


def statements(stem: str) -> Iterator[tuple[int, str]]:
    """The number of the cell and the code of each statement."""
    for statement in chapter(stem).statements:
        tree = _Shorter().visit(ast.parse(statement.code))
        yield statement.cell, ast.unparse(ast.fix_missing_locations(tree))


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


def shorten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short whatever is run from here on."""
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    monkeypatch.setattr(training, "progress", progress)
    for room in (explore, page):
        monkeypatch.setattr(room, "explore", draw)
