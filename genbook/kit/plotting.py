"""One visual language for the whole book: a colour has one meaning everywhere.

Importing this module makes the book's style matplotlib's current one, in notebooks and in tests.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator
from numpy.typing import ArrayLike
from PIL import Image

from genbook.kit import recycling, svg
from genbook.kit.console import display
from genbook.kit.looks import style
from genbook.kit.palette import CRITIC, DATA, GRADIENT, INK, MODEL, MUTED, SERIES

__all__ = [
    "CRITIC",
    "DATA",
    "GRADIENT",
    "INK",
    "MODEL",
    "MUTED",
    "SERIES",
    "STYLE",
    "Picture",
    "image_grid",
    "numeral",
    "picture",
    "place_ticks",
    "png",
    "subplots",
    "tile",
    "tint",
]

STYLE = Path(__file__).with_name("book.mplstyle")
matplotlib.style.use(STYLE)

UNNAMED = "gb-unnamed"
"""A drawing's ids begin with this until it is named after what it shows."""


def subplots(
    nrows: int = 1,
    ncols: int = 1,
    *,
    width: float = 7.0,
    height: float = 2.8,
    **options: Any,
) -> tuple[Figure, Any]:
    r"""A figure and its axes in the book's style, without touching pyplot's global state.

    Args:
        nrows: rows of axes.
        ncols: columns of axes.
        width: width in inches; 7 fills the page's column.
        height: height in inches.
        **options: handed to :meth:`matplotlib.figure.Figure.subplots`.

    Returns:
        The figure and what ``Figure.subplots`` returns: one axes, or an array of axes.

    Raises:
        ValueError: if the width or the height is not positive.

    Example:
        >>> fig, ax = subplots(width=4, height=2)
        >>> _ = ax.plot([0, 1], [0, 1], color=DATA)
    """
    if not (width > 0 and height > 0):
        raise ValueError(
            f"expected a positive width and height in inches, got {width} × {height}; try 7 × 2.8"
        )

    def make() -> tuple[Figure, Any]:
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(nrows, ncols, **options)

    request = {"nrows": nrows, "ncols": ncols, "width": width, "height": height, **options}
    return recycling.figure(make, request)


def numeral(value: float, digits: int = 2) -> str:
    r"""A number as print has it, with a minus and not a hyphen.

    Args:
        value: the number.
        digits: after the point.

    Returns:
        The text.

    Example:
        >>> numeral(-0.25), numeral(3, 0)
        ('−0.25', '3')
    """
    return f"{value:.{digits}f}".replace("-", "−")


def place_ticks(
    axis: XAxis | YAxis,
    places: ArrayLike,
    labels: Sequence[str] | None = None,
    *,
    fontsize: float | None = None,
    family: str | None = None,
) -> None:
    r"""Ticks at chosen places, and what stands at them; the limits widen to hold them.

    What :meth:`matplotlib.axis.Axis.set_ticks` does, without making a tick for each place: a frame
    whose axis lines are drawn already (:class:`~genbook.kit.explore.stage.AxisLines`) needs none.

    Args:
        axis: ``axes.xaxis`` or ``axes.yaxis``.
        places: where.
        labels: as many; the numbers themselves if left out.
        fontsize: of the labels, in points.
        family: of the labels' font.

    Raises:
        ValueError: if there is no place, or not a label for each.

    Example:
        >>> fig, ax = subplots(width=2, height=1)
        >>> place_ticks(ax.xaxis, [0, 2], ["none", "two"])
        >>> [label.get_text() for label in ax.get_xticklabels()], ax.get_xlim() == (0, 2)
        (['none', 'two'], True)
    """
    at = np.asarray(places, dtype=np.float64)
    if not len(at) or (labels is not None and len(labels) != len(at)):
        raise ValueError(
            f"expected at least one place and a label for each, got {len(at)} places"
            + (f" and {len(labels)} labels" if labels is not None else "")
        )
    letter = axis.axis_name
    ends = (*getattr(axis.axes, f"get_{letter}bound")(), at.min(), at.max())
    getattr(axis.axes, f"set_{letter}bound")(min(ends), max(ends))
    axis.set_major_locator(FixedLocator(at.tolist()))
    if labels is not None:
        axis.set_major_formatter(FixedFormatter(list(labels)))
    if fontsize is not None:
        axis.set_tick_params(labelsize=fontsize)
    if family is not None:
        axis.set_tick_params(labelfontfamily=family)


def image_grid(
    axes: Axes, images: torch.Tensor | np.ndarray, *, columns: int, padding: int = 1
) -> None:
    r"""Tile images of values in [0, 1] on one axes, row by row.

    Args:
        axes: where to draw; its ticks and frame are removed.
        images: shape ``[N, H, W]``, ``[N, 1, H, W]`` or ``[N, 3, H, W]``.
        columns: images in a row.
        padding: pixels between images.

    Raises:
        ValueError: if the shape is none of those, or ``columns`` is not positive.

    Example:
        >>> fig, ax = subplots(width=2, height=1)
        >>> image_grid(ax, torch.rand(4, 1, 8, 8), columns=4)
    """
    if columns < 1:
        raise ValueError(f"expected at least one column, got columns={columns}")
    tiled = tile(torch.as_tensor(images).cpu(), columns=columns, padding=padding)
    axes.imshow(tiled, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="equal")
    axes.set_axis_off()


def image_rows(rows: Mapping[str, torch.Tensor], *, height: float = 0.62) -> Figure:
    r"""Named rows of images of values in [0, 1], the names at the left.

    Args:
        rows: by name, of one length; each as :func:`image_grid` takes it.
        height: of a row in inches.

    Returns:
        One panel a row.

    Example:
        >>> len(image_rows({"one": torch.rand(3, 8, 8), "other": torch.zeros(3, 8, 8)}).axes)
        2
    """
    figure, panels = subplots(
        len(rows), 1, width=7.0, height=height * len(rows) + 0.2, squeeze=False
    )
    for axes, (name, images) in zip(panels[:, 0], rows.items(), strict=True):
        shown = tile(images, columns=len(images))
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="nearest", aspect="equal")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        axes.set_anchor("E")  # what room is left belongs to the names
    return figure


def tile(images: torch.Tensor, *, columns: int, padding: int = 1) -> np.ndarray:
    r"""The array of pixels that shows ``images`` side by side; gaps are mid-grey.

    Args:
        images: shape ``[N, H, W]`` or ``[N, C, H, W]`` with C = 1 or 3.
        columns: images in a row.
        padding: pixels between images.

    Returns:
        Shape ``[rows, cols]`` or ``[rows, cols, 3]``.

    Raises:
        ValueError: if the shape fits neither form.

    Example:
        >>> tile(torch.zeros(3, 2, 2), columns=2).shape
        (5, 5)
    """
    images = images.detach().to("cpu", torch.float32)
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.shape[0] == 0:
        raise ValueError(
            "expected images of shape [N, H, W], [N, 1, H, W] or [N, 3, H, W] with N ≥ 1, "
            f"got {list(images.shape)}"
        )
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    canvas = torch.full(
        (channels, rows * (height + padding) - padding, columns * (width + padding) - padding), 0.5
    )
    for index, image in enumerate(images.clamp(0, 1)):
        top = (index // columns) * (height + padding)
        left = (index % columns) * (width + padding)
        canvas[:, top : top + height, left : left + width] = image
    array = canvas.permute(1, 2, 0).numpy()
    return array[:, :, 0] if channels == 1 else array


def tint(signed: torch.Tensor, above: str = DATA, below: str = MODEL) -> np.ndarray:
    r"""Signed numbers as colours for ``imshow``, transparent at 0: the page shows in either theme.

    .. math:: \text{opacity} = 0.55\,|v|, \quad \text{in steps of a twelfth of the whole}

    Args:
        signed: v in [−1, 1], shape ``[H, W]``.
        above: colour of the positive ones.
        below: colour of the negative ones.

    Returns:
        Red, green, blue and opacity in [0, 1], shape ``[H, W, 4]``.

    Raises:
        ValueError: if a number is outside [−1, 1].

    Example:
        >>> tint(torch.tensor([[0.0, 1.0]]))[0, :, 3].tolist()
        [0.0, 0.55]
    """
    values = signed.double().cpu().numpy()
    if not (np.abs(values) <= 1).all():
        raise ValueError(
            f"expected numbers in [−1, 1], got {values.min():g} to {values.max():g}; "
            "divide by the largest absolute value"
        )
    opacity = 0.55 * np.round(np.abs(values) * 12) / 12
    colour = np.where((values > 0)[..., None], to_rgb(above), to_rgb(below))
    return np.concatenate([colour, opacity[..., None]], -1)


def picture(figure: Figure, *, caption: str, alt: str) -> None:
    r"""Show a figure with its caption: themed inline SVG on the page, an image in Jupyter.

    Args:
        figure: a figure made by :func:`subplots`.
        caption: one or two sentences under the figure; may hold HTML's inline tags.
        alt: what the figure shows, for readers who cannot see it.

    Raises:
        ValueError: if the caption or the alt text is empty.

    Example:
        >>> fig, ax = subplots(width=2, height=1)
        >>> picture(fig, caption="An empty frame.", alt="Two axes without lines.")  # doctest: +SKIP
    """
    display(Picture(figure=figure, caption=caption, alt=alt).bundle(), raw=True)


@dataclass(frozen=True)
class Picture:
    r"""A figure together with the words that belong to it.

    Args:
        figure: the drawing.
        caption: shown under it.
        alt: read out in its place.
    """

    figure: Figure
    caption: str
    alt: str

    def __post_init__(self) -> None:
        for field in ("caption", "alt"):
            if not getattr(self, field).strip():
                raise ValueError(f"expected a {field} for the picture, got an empty one; write it")

    def __repr__(self) -> str:
        return f"<Picture: {self.caption}>"

    def bundle(self) -> dict[str, str]:
        r"""The picture as plain text and as html, and off the book's pages as an image, too.

        Returns:
            MIME type → text.
        """
        whole = svg.render(self.figure, salt=UNNAMED, alt=self.alt)
        stacked = svg.stacked(self.figure, salt=UNNAMED)
        inner = whole + stacked
        stage = svg.opening(self.figure, stacked)
        salt = "gb" + hashlib.sha256(f"{self.caption}{inner}".encode()).hexdigest()[:8]
        inner = inner.replace(UNNAMED, salt)
        on_a_page = os.environ.get("GENBOOK_STATIC") == "1"
        sheet = "" if on_a_page else f"<style>{style()}</style>"
        html = (
            f'<figure class="gb-picture">{sheet}{stage}{inner}</div>'
            f"<figcaption>{self.caption}</figcaption></figure>"
        )
        shown = {"text/plain": repr(self), "text/html": html}
        return (
            shown
            if on_a_page
            else {
                **shown,
                "image/png": png(self.figure, caption=self.caption),
            }
        )


def png(figure: Figure, *, caption: str = "", dpi: float = 110) -> str:
    r"""A figure as an image on white, for mails, previews and print where no SVG is shown.

    Args:
        figure: what to draw; it stays as it is.
        caption: printed under it, without its markup.
        dpi: dots an inch.

    Returns:
        PNG, base64.

    Example:
        >>> fig, ax = subplots(width=2, height=1)
        >>> png(fig)[:5]
        'iVBOR'
    """
    parts = [_on_white(figure, dpi)]
    if caption.strip():
        parts.append(_on_white(_caption(caption, float(figure.get_figwidth())), dpi))
    width = max(part.shape[1] for part in parts)
    parts = [
        np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=255)
        for part in parts
    ]
    buffer = io.BytesIO()
    Image.fromarray(np.concatenate(parts)).save(buffer, "png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def _on_white(figure: Figure, dpi: float) -> np.ndarray:
    """The figure's pixels, ``[height, width, 3]``."""
    usual, before, paper = figure.canvas, figure.dpi, figure.get_facecolor()
    try:
        figure.dpi = dpi
        figure.set_facecolor("white")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
    finally:
        figure.set_canvas(usual)
        figure.dpi = before
        figure.set_facecolor(paper)


def _caption(caption: str, width: float) -> Figure:
    words = unescape(re.sub(r"<[^>]*>", "", caption)).replace("$", r"\$")
    size, margin = 8.5, 0.12
    letters = max(20, int((width - 2 * margin) * 72 / (0.56 * size)))
    lines = textwrap.wrap(words, letters)
    height = 1.35 * size / 72 * len(lines) + 2 * margin
    figure = Figure(figsize=(width, height))
    figure.text(margin / width, 1 - margin / height, "\n".join(lines), va="top", fontsize=size)
    return figure
