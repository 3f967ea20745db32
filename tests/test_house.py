"""The house: chapters build on earlier ones only, faces are light, tests mirror rooms."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import grimp
import pytest
import yaml

import genbook

ROOT = Path(__file__).parents[1]
PAGE_ONLY = {"figures", "exercises", "machines"}
SHARED = {"kit", "games"}
PACKAGES = sorted(entry.name for entry in pkgutil.iter_modules(genbook.__path__) if entry.ispkg)
CHAPTERS = [name for name in PACKAGES if name not in SHARED]
each_chapter = pytest.mark.parametrize("stem", CHAPTERS)


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("genbook", cache_dir=None)


def chapters_in_order() -> list[str]:
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [entry.get("file", "") for part in toc["parts"] for entry in part["chapters"]]
    return [stem for name in files if (stem := name.removeprefix("book/")) in CHAPTERS]


def imported_by(package: str, *, but: str = "") -> set[str]:
    """The packages that the modules of a package, but for one, import directly."""
    inside = {f"genbook.{package}", *graph().find_descendants(f"genbook.{package}")}
    inside.discard(f"genbook.{package}.{but}")
    found = {
        name for module in inside for name in graph().find_modules_directly_imported_by(module)
    }
    return {name.split(".")[1] for name in found if name.count(".")} - {package}


def rooms(package: str) -> set[str]:
    return {entry.name for entry in pkgutil.iter_modules([str(ROOT / "genbook" / package)])}


def test_every_chapter_stands_in_the_table_of_contents():
    assert sorted(chapters_in_order()) == CHAPTERS


@each_chapter
def test_a_chapter_imports_only_chapters_that_stand_before_it(stem):
    """A machine may offer a game that a later chapter explains."""
    order = chapters_in_order()
    assert imported_by(stem, but="machines") - SHARED <= set(order[: order.index(stem)])


def test_the_kit_knows_no_topic_and_the_games_know_no_chapter():
    assert imported_by("kit") == set()
    assert imported_by("games") == {"kit"}


@each_chapter
def test_the_face_of_a_chapter_names_what_it_holds_and_its_names_exist(stem):
    face = __import__(f"genbook.{stem}", fromlist=["__all__"])
    assert (face.__doc__ or "").strip()
    assert face.__all__
    for name in face.__all__:
        holder = getattr(face, name)
        assert name not in rooms(stem), f"{name} hides the room of that name"
        where = getattr(holder, "__module__", f"genbook.{stem}")
        assert where.split(".")[-1] not in PAGE_ONLY


def test_the_faces_draw_nothing():
    imports = "; ".join(f"import genbook.{name}" for name in ("games", *CHAPTERS))
    script = f"import sys; {imports}; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_a_test_module_is_named_for_a_room(package):
    named = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / package).glob("test_*")}
    below = {(room, name) for room in rooms(package) for name in rooms(f"{package}/{room}")}
    inner = {word for room, name in below for word in (name, f"{room}_{name}")}
    extra = {"receipts"} if package in CHAPTERS else {"unrolling"}
    assert {name for name in named if name not in rooms(package) | inner | extra} == set()


@pytest.mark.parametrize("package", [*CHAPTERS, "games"])
def test_every_room_has_a_test_module(package):
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / package).glob("test_*")}
    assert rooms(package) - PAGE_ONLY - tested == set()
