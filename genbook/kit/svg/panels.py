"""A drawing in columns, for a narrow screen."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.figure import Figure
from matplotlib.text import Text

from genbook.kit.svg.drawing import WHOLE
from genbook.kit.svg.shorten import short_number

LEAST_LETTER = 9.0
"""CSS pixels below which no letter of a drawing goes, on a phone neither."""

PHONE = 312.0
"""CSS pixels of a column on a phone of 360: what is legible there needs no more room."""


def columns(figure: Figure) -> tuple[tuple[float, float], ...]:
    r"""Where a drawing is cut from top to bottom for a phone, never through an axes.

    What stands side by side stays together as long as it is legible at a phone's width.

    Args:
        figure: after its layout has settled, that is after :func:`draw`.

    Returns:
        Left edge and width of each column, in points, from the left; together they are the figure.

    Example:
        >>> from genbook.kit import plotting, svg
        >>> wide, _ = plotting.subplots(1, 3, width=12, height=2)
        >>> small, _ = plotting.subplots(1, 3, width=3, height=2)
        >>> drawn = [svg.render(figure, salt="one") for figure in (wide, small)]
        >>> len(columns(wide)), len(columns(small))
        (3, 1)
    """
    points = 72 / figure.dpi
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
    spans = sorted((box.x0 * points, box.x1 * points) for box in boxes if box is not None)
    apart: list[tuple[float, float]] = []
    for left, right in spans:
        if apart and left < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(right, apart[-1][1]))
        else:
            apart.append((left, right))
    cuts = [(a[1] + b[0]) / 2 for a, b in pairwise(apart)]
    edges = [0.0, *cuts, figure.get_size_inches()[0] * 72]
    scale = legible_scale(figure) or 1.0
    parts: list[tuple[float, float]] = []
    for left, right in pairwise(edges):
        if parts and (right - parts[-1][0]) * scale <= PHONE:
            parts[-1] = (parts[-1][0], right)
        else:
            parts.append((left, right))
    return tuple((left, right - left) for left, right in parts)


def stacked(figure: Figure, *, salt: str) -> str:
    r"""The columns of a drawing below one another, for a narrow screen.

    Each is a window on the one drawing, so that what changes there changes here.

    Args:
        figure: what was drawn with this ``salt``.
        salt: start of every id in the drawing.

    Returns:
        HTML that assistive technology skips; empty where there is but one column.

    Example:
        >>> from genbook.kit import plotting
        >>> stacked(plotting.subplots(width=2, height=1)[0], salt="one")
        ''
    """
    parts = columns(figure)
    if len(parts) < 2:
        return ""
    scale = legible_scale(figure)
    panels = [
        f'<div class="gb-panel"{_room(width * scale)}>{window}</div>'
        for (_, width), window in zip(parts, windows(figure, salt=salt), strict=True)
    ]
    return f'<div class="gb-panels" aria-hidden="true">{"".join(panels)}</div>'


def windows(figure: Figure, *, salt: str) -> tuple[str, ...]:
    r"""Each column of a drawing as a window on it.

    Args:
        figure: what was drawn with this ``salt``.
        salt: start of every id in the drawing.

    Returns:
        An SVG element a column, from the left; it draws nothing itself and repeats the drawing.

    Example:
        >>> from genbook.kit import plotting, svg
        >>> figure, _ = plotting.subplots(width=2, height=1)
        >>> _ = svg.render(figure, salt="one")
        >>> windows(figure, salt="one")[0][:43]
        '<svg viewBox="0 0 144 72" fill="currentColo'
    """
    height = short_number(figure.get_size_inches()[1] * 72, 2)
    return tuple(
        f'<svg viewBox="{short_number(left, 2)} 0 {short_number(width, 2)} {height}" '
        f'fill="currentColor" stroke-linejoin="round"><use href="#{salt}{WHOLE}"/></svg>'
        for left, width in columns(figure)
    )


def legible_scale(figure: Figure) -> float:
    r"""CSS pixels that a point must have for the smallest letter of a drawing to be legible.

    Args:
        figure: what was drawn.

    Returns:
        The scale; 0 where there is no text.

    Example:
        >>> from genbook.kit import plotting, svg
        >>> figure, axes = plotting.subplots(width=2, height=1)
        >>> _ = axes.set_title("small", fontsize=6), svg.render(figure, salt="one")
        >>> legible_scale(figure)
        1.5
    """
    sizes = [
        float(text.get_fontsize())
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]
    return LEAST_LETTER / float(min(sizes)) if sizes else 0.0


def opening(figure: Figure, stacked: str) -> str:
    r"""The tag around a drawing, which says how it is laid out on a narrow screen.

    A drawing of several columns is stacked; another keeps the width at which its smallest letter
    is legible, and is scrolled sideways.

    Args:
        figure: what was drawn.
        stacked: see :func:`stacked`.

    Returns:
        The opening tag of a ``<div>``.

    Example:
        >>> from genbook.kit import plotting, svg
        >>> figure, _ = plotting.subplots(width=7, height=1)
        >>> _ = svg.render(figure, salt="one")
        >>> opening(figure, "")
        '<div class="gb-stage gb-roomy" style="--gb-room:533.65px">'
    """
    if stacked:
        return '<div class="gb-stage gb-stacked">'
    room = _room(figure.get_size_inches()[0] * 72 * legible_scale(figure))
    return f'<div class="gb-stage{" gb-roomy" if room else ""}"{room}>'


def _room(width: float) -> str:
    return f' style="--gb-room:{short_number(width, 2)}px"' if width > PHONE else ""
