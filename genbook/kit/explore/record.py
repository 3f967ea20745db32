"""Drawings set aside during the book's build, for the browser tests to hold the page against."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

from genbook.kit import svg
from genbook.kit.explore.frames import Artist

POINTS = 5


def references(artist: Artist, name: str, edition: str, caption: str, size: int) -> None:
    r"""Draw five random frames afresh and write them to ``$GENBOOK_EXPLORE_RECORD``, if set.

    They go past the encoding, so that a test can tell whether the page shows *the* frame that
    Python draws for those values.

    Args:
        artist: draws the frames.
        name: the figure's id.
        edition: tells its frames from those on other data; the file is named after both, so that a
            page from the cache finds the drawings of its own data.
        caption: of the figure.
        size: bytes that all frames take on the page.
    """
    folder = os.environ.get("GENBOOK_EXPLORE_RECORD")
    if not folder:
        return
    board = artist.grid
    places = list(board.places())
    chosen = random.Random(name).sample(places, min(POINTS, len(places)))
    points = [
        {
            "place": dict(zip([c.name for c in board.controls], place, strict=True)),
            "values": {k: repr(v) for k, v in board.values(place).items()},
            "svg": svg.serialise(artist.frame(place)),
        }
        for place in chosen
    ]
    Path(folder).mkdir(parents=True, exist_ok=True)
    record = {"name": name, "caption": caption, "frames": board.count, "bytes": size}
    text = json.dumps({**record, "points": points}, ensure_ascii=False, indent=1)
    (Path(folder) / f"{name}-{edition}.json").write_text(text, encoding="utf-8")
