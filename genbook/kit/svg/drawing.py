"""From a matplotlib figure to a drawing."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from genbook.kit.svg.ids import rename
from genbook.kit.svg.mathtext import flow
from genbook.kit.svg.shorten import rounded, short_number
from genbook.kit.svg.tidy import inline, tidy
from genbook.kit.svg.tree import Node, parse, serialise, walk

WHOLE = "-all"
POINTS = 72  # an inch
SETTINGS = MappingProxyType(
    {
        "svg.fonttype": "none",
        "svg.image_inline": True,
        "image.composite_image": False,
        "path.simplify": False,
    }
)


def render(figure: Figure, *, salt: str, alt: str = "") -> str:
    r"""Draw ``figure`` as SVG for inclusion in a page.

    Coordinates are rounded to 0.01; text stays text and takes the page's font; the book's colours
    become CSS variables and the ink ``currentColor``, so that one drawing serves the light and the
    dark theme. The same figure gives the same string.

    Args:
        figure: what to draw.
        salt: start of every id in the drawing; keeps two drawings on one page apart.
        alt: read out in place of the drawing.

    Returns:
        An ``<svg>`` element.

    Raises:
        ValueError: if ``salt`` is no plain word.

    Example:
        >>> from genbook.kit import plotting
        >>> figure, axes = plotting.subplots(width=2, height=1)
        >>> render(figure, salt="one", alt="Empty axes.")[:37]
        '<svg viewBox="0 0 144 72" width="192"'
    """
    with settings():
        if figure.get_layout_engine() is not None:
            lay_out(figure)
        return serialise(draw(figure, salt=salt, alt=alt))


@contextmanager
def settings() -> Iterator[None]:
    r"""Matplotlib's settings for :func:`draw`; open it once around many figures.

    Example:
        >>> with settings():
        ...     matplotlib.rcParams["svg.fonttype"]
        'none'
    """
    with matplotlib.rc_context(dict(SETTINGS)):  # type: ignore[arg-type]
        yield


def draw(figure: Figure, *, salt: str, alt: str = "") -> Node:
    r"""The tree of :func:`render`, to be called inside :func:`settings`.

    Args:
        figure: what to draw.
        salt: start of every id in the drawing.
        alt: read out in place of the drawing.

    Returns:
        The root of the drawing.

    Raises:
        ValueError: if ``salt`` is no plain word.

    Example:
        >>> with settings():
        ...     draw(Figure(figsize=(2, 1)), salt="one").tag
        'svg'
    """
    return finish(sketch(figure), salt=salt, alt=alt, note=str(figure.get_label()))


def sketch(figure: Figure) -> Node:
    r"""The first half of :func:`draw`: matplotlib's drawing, shortened and themed.

    Args:
        figure: what to draw.

    Returns:
        The root of the drawing, with matplotlib's ids, which depend on the figure alone.
    """
    for image in (image for axes in figure.axes for image in axes.images):
        if image.get_interpolation() == "nearest":  # the browser enlarges pixels just as well
            image.set_interpolation("none")
    matplotlib.rcParams["svg.hashsalt"] = "genbook"
    root = parse(_printed(figure))
    inline(root)
    for node in walk(root):
        if [child.tag for child in node.children] == ["text"] and node.children[0].children:
            flow(node.children[0])  # a formula without rules
    return tidy(root)


def finish(root: Node, *, salt: str, alt: str = "", note: str = "") -> Node:
    r"""The second half of :func:`draw`: short ids, and the attributes of the whole.

    Args:
        root: what :func:`sketch` gave; it changes.
        salt: start of every id in the drawing.
        alt: read out in place of the drawing.
        note: a sentence on this very drawing, which an explorable reads out.

    Returns:
        The root of the drawing.

    Raises:
        ValueError: if ``salt`` is no plain word.
    """
    if not re.fullmatch(r"[A-Za-z][\w-]*", salt):
        raise ValueError(
            f"expected a salt of letters, digits and hyphens, a letter first, got {salt!r}"
        )
    rename(root, salt)
    whole = Node("g", {"id": f"{salt}{WHOLE}"}, children=root.children)
    return _dressed(root, whole, alt, note)


def lay_out(figure: Figure) -> None:
    r"""Let the layout of a figure settle, which takes one drawing.

    Args:
        figure: its axes may move.

    Example:
        >>> lay_out(Figure(figsize=(2, 1)))
    """
    _printed(figure)


def _printed(figure: Figure) -> str:
    """What matplotlib writes, without the second drawing that ``savefig`` makes for a layout."""
    usual, dpi = figure.canvas, figure.dpi
    buffer = io.StringIO()
    try:
        FigureCanvasSVG(figure)
        figure.dpi = POINTS
        width, height = (float(inches) * POINTS for inches in figure.get_size_inches())
        pen = _Pen(width, height, buffer, image_dpi=dpi, metadata={"Date": None})
        renderer: Any = MixedModeRenderer(figure, width, height, dpi, pen)
        figure.draw(renderer)
        renderer.finalize()
    finally:
        figure.set_canvas(usual)
        figure.dpi = dpi
    return buffer.getvalue()


class _Pen(RendererSVG):
    """Matplotlib's own; what one drawing has measured is not measured for the next."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: Any
    ) -> tuple[float, float, float]:
        return _measured(s, prop.copy(), ismath, matplotlib.rcParams["mathtext.fontset"])


@lru_cache(maxsize=4096)
def _measured(
    text: str, font: FontProperties, is_formula: Any, _fontset: str
) -> tuple[float, float, float]:
    measured: tuple[float, float, float] = TextToPath().get_text_width_height_descent(
        text, font, is_formula
    )
    return measured


def _dressed(root: Node, whole: Node, alt: str, note: str) -> Node:
    box = rounded(root.attributes["viewBox"])
    width = float(box.split()[2])
    attributes = {
        "viewBox": box,
        "width": short_number(width * 4 / 3, 0),
        "role": "img",
        "aria-label": alt,
        "fill": "currentColor",
        "stroke-linejoin": "round",
        "style": "max-width:100%;height:auto",
    }
    if not alt:
        del attributes["aria-label"]
        attributes["role"] = "presentation"
    if note:
        attributes["data-note"] = note
    return Node("svg", attributes, children=[whole])
