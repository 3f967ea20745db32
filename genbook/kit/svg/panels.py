"""A drawing in columns, for a narrow screen."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.figure import Figure

from genbook.kit.svg.drawing import WHOLE
from genbook.kit.svg.shorten import short_number


def columns(figure: Figure) -> tuple[tuple[float, float], ...]:
    r"""Where a drawing can be cut from top to bottom without cutting through an axes.

    Args:
        figure: after its layout has settled, that is after :func:`draw`.

    Returns:
        Left edge and width of each column, in points, from the left; together they are the figure.

    Example:
        >>> from genbook.kit import plotting, svg
        >>> figure, _ = plotting.subplots(1, 3, width=6, height=2)
        >>> len(svg.render(figure, salt="one")) > 0, len(columns(figure))
        (True, 3)
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
    return tuple((left, right - left) for left, right in pairwise(edges))


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
    height = short_number(figure.get_size_inches()[1] * 72, 2)
    windows = [
        f'<div class="gb-panel"><svg viewBox="{short_number(left, 2)} 0 '
        f'{short_number(width, 2)} {height}" fill="currentColor" stroke-linejoin="round">'
        f'<use href="#{salt}{WHOLE}"/></svg></div>'
        for left, width in parts
    ]
    if len(windows) < 2:
        return ""
    return f'<div class="gb-panels" aria-hidden="true">{"".join(windows)}</div>'
