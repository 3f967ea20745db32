"""What the frames of an explorable share: size, places, limits, and axis lines that agree."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from genbook.kit import svg
from genbook.kit.svg import Node

MARK = "gb-axis-"


@dataclass(frozen=True)
class Panel:
    r"""Where one axes stands and what it spans.

    Args:
        name: for messages.
        position: left, bottom, width, height as fractions of the figure.
        x: limits of the x axis.
        y: limits of the y axis.
        scales: ``("linear", "log")`` and so on.
        titles: heights of its three titles, as fractions of the axes.
    """

    name: str
    position: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    scales: tuple[str, str]
    titles: tuple[float, ...]


@dataclass(frozen=True)
class Stage:
    r"""What all frames have in common.

    Args:
        size: width and height in inches.
        panels: one an axes.
        columns: see :func:`genbook.kit.svg.columns`.
        stacked: see :func:`genbook.kit.svg.stacked`.
        opening: see :func:`genbook.kit.svg.opening`.
    """

    size: tuple[float, float]
    panels: tuple[Panel, ...]
    columns: tuple[tuple[float, float], ...]
    stacked: str
    opening: str


def settle(figure: Figure, *, salt: str, alt: str) -> tuple[Stage, Node]:
    r"""Draw the first frame, and read off it what the others are held to.

    Args:
        figure: the first frame; its layout runs.
        salt: start of the drawing's ids.
        alt: what the figure shows.

    Returns:
        The stage and the drawing.
    """
    svg.lay_out(figure)
    width, height = figure.get_size_inches()
    panels = tuple(_panel(axes, place) for place, axes in enumerate(figure.axes))
    columns, stacked = svg.columns(figure), svg.stacked(figure, salt=salt)
    opening = svg.opening(figure, stacked)
    stage = Stage((float(width), float(height)), panels, columns, stacked, opening)
    hold(figure, stage)
    return stage, svg.draw(figure, salt=salt, alt=alt)


def hold(figure: Figure, stage: Stage) -> None:
    r"""Put the figure's axes and titles where the first frame's are.

    Args:
        figure: a frame with as many axes as the first.
        stage: of the first frame.
    """
    figure.set_layout_engine("none")
    for axes, panel in zip(figure.axes, stage.panels, strict=True):
        axes.set_position(panel.position)
        for title, y in zip(_titles(axes), panel.titles, strict=True):
            title.set_y(y)
        if hasattr(axes, "_autotitlepos"):
            axes._autotitlepos = False


def moved(figure: Figure, stage: Stage) -> str:
    r"""What jumped against the first frame.

    Args:
        figure: a frame.
        stage: of the first frame.

    Returns:
        A sentence's end, empty if nothing moved.
    """
    for axes, panel in zip(figure.axes, stage.panels, strict=True):
        if not axes.axison:
            continue
        limits = (("x", panel.x, axes.get_xlim()), ("y", panel.y, axes.get_ylim()))
        for letter, then, now in limits:
            if not all(map(_close, then, now)):
                return (
                    f"expected the {letter} limits of {panel.name} to stay at {_pair(then)}, got "
                    f"{_pair(now)} from {{call}}; fix them in draw with set_{letter}lim(…), or say "
                    "rescale=True if they are meant to move"
                )
    return ""


class AxisLines:
    r"""Axis lines, ticks, grids and labels drawn so far, by all that they depend on.

    They take most of a drawing's time, and few explorables have more than a handful of kinds.
    """

    def __init__(self) -> None:
        self._drawn: dict[str, tuple[Node, ...]] = {}

    def draw(self, figure: Figure, *, salt: str, alt: str) -> Node:
        r"""Draw a held frame, with axis lines of an earlier one where they agree.

        Args:
            figure: the frame, not drawn yet.
            salt: start of the drawing's ids.
            alt: what the figure shows.

        Returns:
            The drawing.
        """
        marked, signature = dict(_marks(figure)), _signature(figure)
        root = self._borrowed(figure, marked, signature) or self._whole(figure, marked, signature)
        return svg.finish(root, salt=salt, alt=alt, note=str(figure.get_label()))

    def _borrowed(self, figure: Figure, marked: Mapping[str, Axis], signature: str) -> Node | None:
        if signature not in self._drawn:
            return None
        for mark, axis in marked.items():
            axis.draw = _placeholder(mark)  # type: ignore[method-assign]
        root = svg.sketch(figure)
        for axis in marked.values():
            del axis.draw
        _put(root, dict(zip(marked, self._drawn[signature], strict=True)))
        return root if svg.is_whole(root) else None

    def _whole(self, figure: Figure, marked: Mapping[str, Axis], signature: str) -> Node:
        for mark, axis in marked.items():
            axis.set_gid(mark)
        root = svg.sketch(figure)
        for axis in marked.values():
            axis.set_gid(None)
        found = {node.attributes.get("id"): node for node in svg.walk(root)}
        own = {mark: svg.copy(found[mark]) for mark in marked if mark in found}
        for node in own.values():
            node.kind = "matplotlib.axis"
        if len(own) == len(marked):
            self._drawn[signature] = tuple(own.values())
        _put(root, own)
        return root


def _put(root: Node, drawn: Mapping[str, Node]) -> None:
    """Put axis lines where their marks stand."""
    for node in svg.walk(root):
        node.children = list(_with_axes(node.children, drawn))


def _with_axes(children: list[Node], drawn: Mapping[str, Node]) -> Iterator[Node]:
    """The children, axis lines in place of their marks; those without any lines are left out."""
    for child in children:
        axis = drawn.get(child.attributes.get("id", ""))
        if axis is None:
            yield child
        elif axis.children:
            yield svg.copy(axis)


def _placeholder(mark: str) -> Any:
    def draw(renderer: Any) -> None:
        renderer.open_group("matplotlib.axis", gid=mark)
        renderer.close_group("matplotlib.axis")

    return draw


def _marks(figure: Figure) -> Iterator[tuple[str, Axis]]:
    for place, axes in enumerate(figure.axes):
        if axes.axison and axes.get_visible():
            for letter, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
                if axis.get_visible():
                    yield f"{MARK}{place}{letter}", axis


def _signature(figure: Figure) -> str:
    """Everything an axis' looks depend on; objects that only print their address never agree."""
    return repr([(mark, _axis_signature(axis)) for mark, axis in _marks(figure)])


def _axis_signature(axis: Any) -> list[Any]:
    label = axis.label
    return [
        axis.get_view_interval().tolist(),
        axis.get_scale(),
        [_parts(x) for x in (axis.get_major_locator(), axis.get_minor_locator())],
        [_parts(x) for x in (axis.get_major_formatter(), axis.get_minor_formatter())],
        [sorted(getattr(axis, f"_{which}_tick_kw", {}).items()) for which in ("major", "minor")],
        [axis.get_label_position(), axis.get_ticks_position(), axis.get_zorder()],
        [label.get_text(), label.get_color(), label.get_fontsize(), label.get_visible()],
        [_tick(tick) for tick in vars(axis).get("majorTicks", ())],
    ]


def _parts(thing: Any) -> tuple[str, list[tuple[str, Any]]]:
    own = {key: value for key, value in vars(thing).items() if key != "axis"}
    return type(thing).__name__, sorted(own.items())


def _tick(tick: Any) -> list[Any]:
    looks = ("text", "color", "fontsize", "visible", "rotation", "fontweight")
    texts = [
        [getattr(text, f"get_{look}")() for look in looks] for text in (tick.label1, tick.label2)
    ]
    return [texts, [[x.get_visible(), x.get_color()] for x in (tick.tick1line, tick.gridline)]]


def _titles(axes: Axes) -> tuple[Any, ...]:
    return tuple(getattr(axes, name) for name in ("title", "_left_title", "_right_title"))


def _panel(axes: Axes, place: int) -> Panel:
    title = axes.get_title() or axes.get_title("left") or axes.get_ylabel() or axes.get_xlabel()
    left, bottom, width, height = axes.get_position(original=True).bounds
    return Panel(
        name=f"axes {place}" + (f" ({title!r})" if title else ""),
        position=(left, bottom, width, height),
        x=axes.get_xlim(),
        y=axes.get_ylim(),
        scales=(axes.get_xscale(), axes.get_yscale()),
        titles=tuple(title.get_position()[1] for title in _titles(axes)),
    )


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)


def _pair(limits: tuple[float, float]) -> str:
    return f"({limits[0]:.6g}, {limits[1]:.6g})"
