"""How long a frame of an explorable takes: in full on new figures, and as the build draws it.

Runs the code of the chapters' notebooks, draws every frame of every explorable both ways, and
counts the frames and elements that differ (none may).

    python benchmarks/drawing.py [stem …]
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

os.environ.setdefault("GENBOOK_STATIC", "1")
os.environ.setdefault("GENBOOK_DATA", "none")

from IPython.core.interactiveshell import InteractiveShell

from genbook.kit import explore, recycling, svg
from genbook.kit.explore.controls import grid
from genbook.kit.explore.frames import Artist, styled

BOOK = Path(__file__).parent.parent / "book"


@dataclass
class Tally:
    """Seconds of CPU and frames so far."""

    frames: int = 0
    full: float = 0.0
    build: float = 0.0
    different: int = 0
    elements: int = 0

    def line(self, name: str) -> str:
        """The tally in words."""
        count = max(1, self.frames)
        return (
            f"{name:14s} {self.frames:5d} frames   {1e3 * self.full / count:6.1f} ms in full   "
            f"{1e3 * self.build / count:6.1f} ms in the build   {self.different} frames and "
            f"{self.elements} elements differ"
        )


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What ``work`` gives, and its seconds of CPU."""
    start = time.process_time()
    return work(), time.process_time() - start


def differences(one: svg.Node, other: svg.Node) -> int:
    """How many elements differ."""
    pairs = zip_longest(svg.walk(one), svg.walk(other))
    return sum(
        a is None
        or b is None
        or (a.tag, a.attributes, a.text, a.kind) != (b.tag, b.attributes, b.text, b.kind)
        for a, b in pairs
    )


def measure(tally: Tally) -> Callable[..., None]:
    """Something to stand in for ``explore``."""

    def stand_in(draw: Any, *, caption: str, alt: str, rescale: bool = False, **given: Any) -> None:
        names = {"start", "labels", "units"}
        options = {name: given.pop(name) for name in names & given.keys()}
        given.pop("drag", None)
        artist = Artist(draw, grid(draw, given, **options), salt="gb-a", alt=alt, rescale=rescale)
        places = list(artist.grid.places())
        gc.freeze()  # as the build does: collections look at the frames' own litter only
        with styled(), recycling.recycling() as pool:
            for place in places:
                with recycling.nothing_recycled():
                    fresh, seconds = timed(lambda place=place: artist.frame(place))
                tally.full += seconds

                def work(place: tuple[int, ...] = place) -> svg.Node:
                    node = artist._quick(place)
                    pool.take_back()
                    return node

                built, seconds = timed(work)
                tally.build += seconds
                wrong = differences(fresh, built)
                tally.elements += wrong
                tally.different += wrong > 0
        gc.unfreeze()
        tally.frames += len(places)

    return stand_in


def run(stem: str) -> Tally:
    """Run a chapter's cells with ``explore`` replaced."""
    tally = Tally()
    usual = sys.modules.get("genbook.kit.page")
    explore.explore = measure(tally)
    if usual is not None:
        usual.explore = explore.explore  # type: ignore[attr-defined]
    shell = InteractiveShell.instance()
    shell.reset(new_session=False)
    notebook = json.loads((BOOK / f"{stem}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            code = shell.transform_cell("".join(cell["source"]))
            try:
                exec(compile(code, stem, "exec"), shell.user_ns)
            except Exception as error:
                print(f"{stem}: {type(error).__name__}: {error}", file=sys.stderr)
    return tally


def main() -> None:
    """Measure the chapters named, or all."""
    warnings.simplefilter("ignore")
    stems = sys.argv[1:] or sorted(path.stem for path in BOOK.glob("*.ipynb"))
    os.chdir(BOOK)
    whole = Tally()
    for stem in stems:
        with redirect_stdout(io.StringIO()):
            tally = run(stem)
        print(tally.line(stem), flush=True)
        for name in ("frames", "full", "build", "different", "elements"):
            setattr(whole, name, getattr(whole, name) + getattr(tally, name))
    print(whole.line("all"))


if __name__ == "__main__":
    main()
