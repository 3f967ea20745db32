"""Figures that a reader can push, alive in Jupyter and on a page without a kernel."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from IPython.display import display

from genbook.kit import svg
from genbook.kit.explore import delta, record, static
from genbook.kit.explore.controls import Grid, Steps, coarser, grid, steps
from genbook.kit.explore.frames import Artist
from genbook.kit.explore.stage import Stage

__all__ = ["Steps", "explore", "standalone", "steps"]

MOST_BYTES = 1_000_000
_shown: Counter[str] = Counter()  # how often a figure stood in this notebook; keeps ids apart


def explore(
    draw: Callable[..., Any],
    *,
    caption: str,
    alt: str,
    drag: Sequence[str | None] | None = None,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    rescale: bool = False,
    **controls: Any,
) -> None:
    r"""Show a figure that the reader can push.

    In Jupyter the kernel draws on demand. On a page (``GENBOOK_STATIC=1``, which the book's build
    sets) every frame is drawn once and stored as what changes, so that the figure lives on
    without a kernel.

    Args:
        draw: a pure function of the controls that returns a figure made by
            :func:`genbook.kit.plotting.subplots`, always with the same axes and limits. Give the
            figure a sentence to be read out with ``figure.set_label(…)`` if a number in it matters.
        caption: what to notice; may hold HTML's inline tags.
        alt: what the figure shows, for readers who cannot see it.
        drag: the sliders that dragging over the first axes sets from the pointer's x and y, such
            as ``("mu", "sigma")`` or ``("mu", None)``.
        start: values to begin with, instead of a slider's middle and a menu's first.
        labels: what the reader sees instead of a parameter's name.
        units: written after the values.
        rescale: whether the limits of the axes may differ between frames.
        **controls: a parameter of ``draw`` → ``(lo, hi, step)`` for a slider, a list for a menu, a
            bool for a checkbox, :func:`steps` for a slider with a play button.

    Raises:
        ValueError: if a control is unknown or missing, a value is off the grid, there are more
            than 500 frames or 1 MB of them, ``draw`` returns no figure, limits jump, or the
            caption or the alt text is empty.

    Example:
        >>> from genbook.kit import plotting
        >>> def draw(slope):
        ...     figure, axes = plotting.subplots(width=2, height=1)
        ...     axes.plot([0, 1], [0, slope])
        ...     axes.set(xlim=(0, 1), ylim=(0, 2))
        ...     return figure
        >>> explore(draw, slope=(0, 2, 0.5), caption="A line.", alt="A line that rises.")
        ... # doctest: +SKIP
    """
    plan = _plan(draw, caption, alt, drag, start, labels, units, rescale, controls)
    if os.environ.get("GENBOOK_STATIC") == "1":
        data = {"text/html": plan.html(), "text/plain": f"<Explorable: {caption}>"}
        display(data, raw=True)
        return
    from genbook.kit.explore import live

    widget = live.Explorable(plan.artist, name=plan.name, caption=caption, spec=plan.spec)
    display(widget)


def standalone(
    draw: Callable[..., Any],
    *,
    caption: str,
    alt: str,
    drag: Sequence[str | None] | None = None,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    rescale: bool = False,
    **controls: Any,
) -> str:
    r"""The static form of :func:`explore` as HTML, to put into a page of one's own.

    Args:
        draw: see :func:`explore`, as for all the others.
        caption: what to notice.
        alt: what the figure shows.
        drag: the sliders that dragging sets.
        start: values to begin with.
        labels: what the reader sees instead of a parameter's name.
        units: written after the values.
        rescale: whether limits may differ between frames.
        **controls: the grid.

    Returns:
        A ``<figure>`` with every frame, its script and its style.

    Raises:
        ValueError: as :func:`explore` does.
    """
    return _plan(draw, caption, alt, drag, start, labels, units, rescale, controls).html()


@dataclass(frozen=True)
class _Plan:
    artist: Artist
    name: str
    caption: str
    spec: dict[str, Any]

    def html(self) -> str:
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
        record.references(self.artist, self.name, self.caption, size)
        return static.page(
            name=self.name,
            drawing=svg.serialise(frames[first]),
            stacked=self.artist.stage.stacked,
            caption=self.caption,
            grid=board,
            spec={**self.spec, **changes},
        )


def _plan(
    draw: Callable[..., Any],
    caption: str,
    alt: str,
    drag: Sequence[str | None] | None,
    start: Mapping[str, Any] | None,
    labels: Mapping[str, str] | None,
    units: Mapping[str, str] | None,
    rescale: bool,
    controls: Mapping[str, Any],
) -> _Plan:
    for word, text in (("caption", caption), ("alt", alt)):
        if not text.strip():
            raise ValueError(f"expected a {word} for the figure, got an empty one; write it")
    board = grid(draw, controls, start=start, labels=labels, units=units)
    name = _name(draw, caption, board)
    artist = Artist(draw, board, salt=name, alt=alt, rescale=rescale)
    spec = {
        "controls": [_control(control) for control in board.controls],
        "start": list(board.start),
        "drag": _drag(drag, board, artist.stage, rescale),
    }
    return _Plan(artist, name, caption, spec)


def _name(draw: Callable[..., Any], caption: str, board: Grid) -> str:
    controls = [(control.name, control.texts) for control in board.controls]
    words = f"{getattr(draw, '__name__', '')}|{caption}|{controls}"
    name = "gb-" + hashlib.sha256(words.encode()).hexdigest()[:8]
    _shown[name] += 1
    return name if _shown[name] == 1 else f"{name}_{_shown[name]}"


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
