"""Figures that a reader can push, alive in Jupyter and on a page without a kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genbook.kit.console import display
from genbook.kit.explore.controls import Steps, steps
from genbook.kit.explore.explorable import Options, plan

__all__ = ["Steps", "explore", "standalone", "steps"]


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
    options = Options(
        caption=caption,
        alt=alt,
        controls=controls,
        drag=drag,
        start=start,
        labels=labels,
        units=units,
        rescale=rescale,
    )
    shown = plan(draw, options)
    if os.environ.get("GENBOOK_STATIC") == "1":
        data = {"text/html": shown.html(), "text/plain": f"<Explorable: {caption}>"}
        display(data, raw=True)
        return
    from genbook.kit.explore import live

    widget = live.Explorable(shown.artist, name=shown.name, caption=caption, spec=shown.spec)
    display(widget)


def standalone(draw: Callable[..., Any], *, caption: str, alt: str, **others: Any) -> str:
    r"""The static form of :func:`explore` as HTML, to put into a page of one's own.

    Args:
        draw: see :func:`explore`, as for all the others.
        caption: what to notice.
        alt: what the figure shows.
        **others: the options and controls of :func:`explore`.

    Returns:
        A ``<figure>`` with every frame, its script and its style.

    Raises:
        ValueError: as :func:`explore` does.
    """
    return plan(draw, Options.given(caption, alt, others)).html()
