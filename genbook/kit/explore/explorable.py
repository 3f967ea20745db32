"""What a call of ``explore`` asks for, and the figure that comes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from genbook.kit import svg
from genbook.kit.explore import delta, record, static
from genbook.kit.explore.controls import Grid, coarser, grid
from genbook.kit.explore.frames import Artist
from genbook.kit.explore.stage import Stage
from genbook.kit.plotting import UNNAMED

MOST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Options:
    r"""Everything that :func:`~genbook.kit.explore.explore` takes besides ``draw``.

    Args:
        caption: what to notice.
        alt: what the figure shows.
        controls: a parameter of ``draw`` → the values it takes.
        drag: the sliders that dragging sets.
        start: values to begin with.
        labels: what the reader sees instead of a parameter's name.
        units: written after the values.
        rescale: whether limits may differ between frames.

    Raises:
        ValueError: if the caption or the alt text is empty.

    Example:
        >>> Options(caption="A line.", alt="It rises.", controls={"mu": (0, 1, 0.5)}).rescale
        False
    """

    caption: str
    alt: str
    controls: Mapping[str, Any]
    drag: Sequence[str | None] | None = None
    start: Mapping[str, Any] | None = None
    labels: Mapping[str, str] | None = None
    units: Mapping[str, str] | None = None
    rescale: bool = False

    def __post_init__(self) -> None:
        for word, text in (("caption", self.caption), ("alt", self.alt)):
            if not text.strip():
                raise ValueError(f"expected a {word} for the figure, got an empty one; write it")

    @classmethod
    def given(cls, caption: str, alt: str, others: Mapping[str, Any]) -> Options:
        r"""Tell options from controls by their names.

        Args:
            caption: what to notice.
            alt: what the figure shows.
            others: options and controls.

        Returns:
            The options.

        Example:
            >>> Options.given("A line.", "It rises.", {"mu": True, "rescale": True}).controls
            {'mu': True}
        """
        names = {field.name for field in fields(cls)} - {"controls"}
        options = {name: value for name, value in others.items() if name in names}
        controls = {name: value for name, value in others.items() if name not in names}
        return cls(caption=caption, alt=alt, controls=controls, **options)


@dataclass(frozen=True)
class Plan:
    r"""An explorable, ready to be shown.

    Args:
        artist: draws its frames.
        name: start of its ids.
        caption: what to notice.
        spec: what the page's script needs to know of the controls.
    """

    artist: Artist
    name: str
    caption: str
    spec: dict[str, Any]

    def html(self) -> str:
        r"""Every frame in one ``<figure>``.

        Returns:
            HTML.

        Raises:
            ValueError: if a frame is wrong, or all take more than 1 MB.
        """
        board, frames = self.artist.grid, self.artist.frames()
        first = board.number(board.start)
        changes = delta.encode(frames, board.shape, first).json()
        size = len(json.dumps(changes, ensure_ascii=False, separators=(",", ":")).encode())
        if size > MOST_BYTES:
            raise ValueError(
                f"expected at most 1 MB of frames, got {size / 1e6:.2f} MB in {board.count} frames "
                f"({size / board.count / 1e3:.1f} kB each); draw fewer points, or "
                + coarser(board, int(board.count * MOST_BYTES / size))
            )
        drawing = svg.serialise(frames[first])
        edition = hashlib.sha256(f"{drawing} {changes}".encode()).hexdigest()[:8]
        record.references(self.artist, self.name, edition, self.caption, size)
        return static.page(
            name=self.name,
            edition=edition,
            drawing=drawing,
            stage=self.artist.stage.opening,
            stacked=self.artist.stage.stacked,
            caption=self.caption,
            grid=board,
            spec={**self.spec, **changes},
        )


def plan(draw: Callable[..., Any], options: Options) -> Plan:
    r"""Read the controls, draw the first frame, and find a name for the figure.

    Args:
        draw: a function of the controls that returns a figure.
        options: of the call.

    Returns:
        The explorable.

    Raises:
        ValueError: if a control or an option is wrong, or ``draw`` returns no figure.
    """
    board = grid(
        draw, options.controls, start=options.start, labels=options.labels, units=options.units
    )
    artist = Artist(draw, board, salt=UNNAMED, alt=options.alt, rescale=options.rescale)
    name = _name(options.caption, board, svg.serialise(artist.first))
    artist = artist.renamed(name)
    spec = {
        "controls": [_control(control) for control in board.controls],
        "start": list(board.start),
        "drag": _drag(options.drag, board, artist.stage, options.rescale),
    }
    return Plan(artist, name, options.caption, spec)


def _name(caption: str, board: Grid, drawing: str) -> str:
    """From what is shown, so that figures that differ have other ids, in whatever order."""
    controls = [(control.name, control.texts) for control in board.controls]
    words = f"{caption}|{controls}|{drawing}"
    return "gb-" + hashlib.sha256(words.encode()).hexdigest()[:8]


def _control(control: Any) -> dict[str, Any]:
    entry = {
        "name": control.name,
        "kind": control.kind,
        "label": control.label,
        "unit": control.unit,
        "texts": list(control.texts),
    }
    if control.kind in ("slider", "steps"):
        entry["values"] = list(control.values)
    return entry


def _drag(
    drag: Sequence[str | None] | None, board: Grid, stage: Stage, rescale: bool
) -> dict[str, Any] | None:
    if drag is None:
        return None
    names = {c.name: k for k, c in enumerate(board.controls) if c.kind in ("slider", "steps")}
    given = tuple(drag)
    if len(given) != 2 or not any(given) or any(n is not None and n not in names for n in given):
        raise ValueError(
            f"expected drag to name the sliders for x and y (None for neither), out of "
            f"{', '.join(names) or 'no sliders'}, got {drag!r}"
        )
    if rescale:
        raise ValueError("expected fixed limits under drag, got rescale=True; leave one out")
    panel = stage.panels[0]
    left, bottom, width, height = panel.position
    return {
        "controls": [None if name is None else names[name] for name in given],
        "box": [round(100 * v, 3) for v in (left, 1 - bottom - height, width, height)],
        "limits": [list(panel.x), list(panel.y)],
        "log": [scale == "log" for scale in panel.scales],
        "column": _column(stage),
    }


def _column(stage: Stage) -> dict[str, Any] | None:
    """Where the first axes stands on a narrow screen: in which column, and where in it."""
    whole = stage.size[0] * 72
    left, bottom, width, height = stage.panels[0].position
    for place, (start, span) in enumerate(stage.columns):
        if start <= left * whole < start + span and len(stage.columns) > 1:
            shares = ((left * whole - start) / span, 1 - bottom - height, width * whole / span)
            return {"number": place, "box": [round(100 * v, 3) for v in (*shares, height)]}
    return None
