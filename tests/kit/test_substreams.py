"""Streams of one run never meet, and nothing in the package adds a bare number to a seed."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from pathlib import Path

import pytest

import genbook
from genbook.kit.substreams import ROOM, Substream, members

ROOT = Path(genbook.__file__).parent
MODULES = sorted(path for path in ROOT.rglob("*.py") if path.name != "substreams.py")


def test_streams_a_room_apart_never_meet():
    starts = (1 * ROOM, 2 * ROOM, 10 * ROOM)
    seeds = [set(Substream("x", start).seeds(range(ROOM))) for start in starts]
    assert len(set(range(ROOM)).union(*seeds)) == (1 + len(starts)) * ROOM


def test_members_of_different_runs_differ():
    assert len({seed for run in range(5) for seed in members(run, ROOM)}) == 5 * ROOM


@pytest.mark.parametrize("run", [-1, ROOM, 10**6])
def test_a_seed_without_room_is_refused(run):
    with pytest.raises(ValueError, match=r"judging: expected the seed of a run in 0 … 999"):
        Substream("judging", ROOM).seed(run)


@pytest.mark.parametrize(("purpose", "start"), [("", ROOM), (" ", 1), ("judging", 0), ("a", -5)])
def test_a_stream_without_a_name_or_on_the_run_s_own_is_refused(purpose, start):
    with pytest.raises(ValueError, match="expected a purpose and a start"):
        Substream(purpose, start)


@pytest.mark.parametrize(("run", "count"), [(-1, 2), (0, 0), (0, ROOM + 1)])
def test_members_that_do_not_fit_are_refused(run, count):
    with pytest.raises(ValueError, match="expected a seed"):
        members(run, count)


def substreams_of(package: str) -> dict[str, Substream]:
    """The streams that the modules of a package hold, by purpose."""
    found = {}
    inside = importlib.import_module(f"genbook.{package}")
    for info in pkgutil.iter_modules(inside.__path__):
        module = importlib.import_module(f"genbook.{package}.{info.name}")
        for value in vars(module).values():
            if isinstance(value, Substream):
                found[value.purpose] = value
    return found


@pytest.mark.parametrize(
    "package", [path.name for path in sorted(ROOT.iterdir()) if (path / "__init__.py").is_file()]
)
def test_the_streams_of_a_chapter_have_starts_of_their_own(package):
    streams = substreams_of(package)
    assert len({stream.start for stream in streams.values()}) == len(streams)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_adds_a_bare_number_to_a_seed(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult)):
            sides = {ast.unparse(node.left).split(".")[-1], ast.unparse(node.right).split(".")[-1]}
            numbers = [s for s in (node.left, node.right) if isinstance(s, ast.Constant)]
            assert not (sides & {"seed", "run_seed"} and numbers), ast.unparse(node)
