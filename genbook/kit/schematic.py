"""Schematics: boxes with words, and wires whose thickness says how much goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from genbook.kit import plotting
from genbook.kit.palette import INK

SMALLEST, WIDEST = 0.6, 5.0
"""Thickness of a wire in points through which nothing, and all, goes."""

MARGIN = 0.15
"""Around the drawing, in units of the schematic."""


@dataclass(frozen=True)
class Box:
    r"""A part of the machinery.

    Args:
        name: what wires call it.
        x: the centre, in units of the schematic.
        y: the centre, in units of the schematic.
        words: what stands in it; a line break is kept.
        colour: of its frame, with the book's meanings; ink for what has none.
        width: in units of the schematic.
        height: in units of the schematic.
        framed: whether it has a frame; an input or output has none.
    """

    name: str
    x: float
    y: float
    words: str
    colour: str = INK
    width: float = 1.0
    height: float = 0.6
    framed: bool = True


@dataclass(frozen=True)
class Wire:
    r"""An arrow from one box to another.

    Args:
        start: name of a box.
        end: name of a box.
        words: what stands beside its middle.
        share: how much goes through, in [0, 1]: its thickness.
        bend: 0 for a straight wire; above 0 it arches to the left of its way, below 0 to the right.
        colour: with the book's meanings.
        dashed: for what flows back or is not differentiated.
        lift: how far the words stand from the middle, up, in units of the schematic.
        shift: and to the right.
    """

    start: str
    end: str
    words: str = ""
    share: float = 0.25
    bend: float = 0.0
    colour: str = INK
    dashed: bool = False
    lift: float = 0.16
    shift: float = 0.0


def schematic(
    boxes: Sequence[Box],
    wires: Sequence[Wire],
    *,
    width: float = 5.0,
    height: float = 2.2,
    title: str = "",
) -> Figure:
    r"""Draw the parts of a machine and what flows between them.

    A unit is the same length across and up; the axes span what the boxes need.

    Args:
        boxes: the parts; names must differ.
        wires: from part to part.
        width: in inches; 5 keeps the words legible on a phone.
        height: in inches.
        title: over the drawing.

    Returns:
        The figure.

    Raises:
        ValueError: if there is no box, two share a name, a wire ends nowhere, or a share is not in
            [0, 1].

    Example:
        >>> figure = schematic([Box("z", 0, 0, "z"), Box("g", 2, 0, "G")], [Wire("z", "g")])
        >>> len(figure.axes)
        1
    """
    places = {box.name: box for box in boxes}
    _check(boxes, wires, places)
    figure, axes = plotting.subplots(width=width, height=height)
    axes.set_axis_off()
    axes.set_aspect("equal")
    tops = [_middle(wire, places) for wire in wires]
    words = [(x + wire.shift, y + wire.lift) for (x, y), wire in zip(tops, wires, strict=True)]
    across = [b.x + side * b.width / 2 for b in boxes for side in (-1, 1)]
    up = [b.y + side * b.height / 2 for b in boxes for side in (-1, 1)]
    up += [y for _, y in tops + words]
    axes.set_xlim(min(across) - MARGIN, max(across) + MARGIN)
    axes.set_ylim(min(up) - MARGIN, max(up) + MARGIN)
    axes.set_title(title)
    frames = {box.name: _draw_box(axes, box) for box in boxes}
    for wire in wires:
        _draw_wire(axes, wire, places, frames)
    return figure


def _check(boxes: Sequence[Box], wires: Sequence[Wire], places: dict[str, Box]) -> None:
    if not boxes or len(places) != len(boxes):
        raise ValueError(f"expected boxes with names that differ, got {[b.name for b in boxes]}")
    for wire in wires:
        if not {wire.start, wire.end} <= set(places):
            raise ValueError(
                f"expected a wire between {sorted(places)}, got {wire.start!r} → {wire.end!r}"
            )
        if not 0 <= wire.share <= 1:
            raise ValueError(
                f"expected a share in [0, 1] for {wire.start} → {wire.end}, got {wire.share}"
            )


def _draw_box(axes: Axes, box: Box) -> FancyBboxPatch:
    frame = FancyBboxPatch(
        (box.x - box.width / 2, box.y - box.height / 2),
        box.width,
        box.height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="none",
        edgecolor=box.colour if box.framed else "none",
        linewidth=1.6,
        mutation_aspect=1,
    )
    axes.add_artist(frame)
    axes.text(box.x, box.y, box.words, ha="center", va="center", fontsize=9.5)
    return frame


def _draw_wire(
    axes: Axes, wire: Wire, places: dict[str, Box], frames: dict[str, FancyBboxPatch]
) -> None:
    start, end = places[wire.start], places[wire.end]
    thickness = SMALLEST + (WIDEST - SMALLEST) * wire.share
    axes.add_artist(  # as a patch it would be worked out once more, for limits that are set
        FancyArrowPatch(
            (start.x, start.y),
            (end.x, end.y),
            patchA=frames[wire.start],
            patchB=frames[wire.end],
            shrinkA=2,
            shrinkB=2,
            connectionstyle=f"arc3,rad={-wire.bend}",
            arrowstyle="-|>,head_length=5,head_width=3",
            linewidth=thickness,
            linestyle="--" if wire.dashed else "-",
            color=wire.colour,
        )
    )
    if wire.words:
        x, y = _middle(wire, places)
        axes.text(x + wire.shift, y + wire.lift, wire.words, ha="center", va="center", fontsize=8.5)


def _middle(wire: Wire, places: dict[str, Box]) -> tuple[float, float]:
    start, end = places[wire.start], places[wire.end]
    dx, dy = end.x - start.x, end.y - start.y
    return (start.x + end.x - dy * wire.bend) / 2, (start.y + end.y + dx * wire.bend) / 2
