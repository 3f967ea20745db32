"""Draw the frames of an explorable: one layout for all, quickly, on both sides of a fork."""

from __future__ import annotations

import math
import os
import pickle
import select
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from genbook.kit import plotting, svg
from genbook.kit.explore.controls import Grid
from genbook.kit.svg import Node

FORK_FROM = 40  # frames; below this a second process is not worth its start


@dataclass(frozen=True)
class Panel:
    r"""Where one axes stands and what it spans.

    Args:
        name: for messages.
        position: left, bottom, width, height as fractions of the figure.
        x: limits of the x axis.
        y: limits of the y axis.
        scales: ``("linear", "log")`` and so on.
    """

    name: str
    position: tuple[float, float, float, float]
    x: tuple[float, float]
    y: tuple[float, float]
    scales: tuple[str, str]


@dataclass(frozen=True)
class Stage:
    r"""What all frames of an explorable share: size, places and limits of their axes.

    Args:
        size: width and height in inches.
        panels: one an axes.
    """

    size: tuple[float, float]
    panels: tuple[Panel, ...]


class Artist:
    r"""Calls ``draw`` for the points of a grid and holds the frames to one stage.

    Args:
        draw: a function of the controls that returns a figure.
        grid: the controls.
        salt: start of the drawing's ids.
        alt: what the figure shows.
        rescale: whether limits may differ between frames.
    """

    def __init__(
        self, draw: Callable[..., Any], grid: Grid, *, salt: str, alt: str, rescale: bool = False
    ) -> None:
        self.draw, self.grid, self.salt, self.alt, self.rescale = draw, grid, salt, alt, rescale
        with styled():
            figure = self._figure(grid.start)
            self.first = svg.draw(figure, salt=salt, alt=alt)
        self.stage = _stage(figure)

    def frame(self, place: tuple[int, ...]) -> Node:
        r"""Draw one frame.

        Args:
            place: a point of the grid.

        Returns:
            The drawing.

        Raises:
            ValueError: if ``draw`` gave no figure, or one whose axes jump.
        """
        with styled():
            return self._frame(place)

    def frames(self) -> list[Node]:
        r"""Draw every frame, the last control fastest.

        Where the system can fork cheaply (Linux), a second process draws from the other end
        until the two meet. It works on a copy of this process, so nothing has to be imported or
        sent to it; should it fail or hang, this one simply draws on to the end.

        Returns:
            The drawings.

        Raises:
            ValueError: if a frame is no figure, its axes jump, or the first frame drawn again
                comes out different.
        """
        places = list(self.grid.places())
        with styled():
            drawn = (
                _both_ends(self._frame, places)
                if _can_fork(len(places))
                else [self._frame(place) for place in places]
            )
        start = self.grid.number(self.grid.start)
        if svg.serialise(drawn[start]) != svg.serialise(self.frame(self.grid.start)):
            raise ValueError(
                f"expected {self._call(self.grid.start)} to give the same figure each time, got "
                "two different ones; draw random numbers before explore(…) or seed them in draw"
            )
        return drawn

    def _frame(self, place: tuple[int, ...]) -> Node:
        figure = self._figure(place)
        self._hold(figure, place)
        return svg.draw(figure, salt=self.salt, alt=self.alt)

    def _figure(self, place: tuple[int, ...]) -> Figure:
        figure = self.draw(**self.grid.values(place))
        if not isinstance(figure, Figure):
            raise ValueError(
                f"expected {self._call(place)} to return a matplotlib figure, got "
                f"{type(figure).__name__}; end draw with `return figure`"
            )
        return figure

    def _call(self, place: tuple[int, ...]) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.grid.values(place).items())
        return f"{getattr(self.draw, '__name__', 'draw')}({given})"

    def _hold(self, figure: Figure, place: tuple[int, ...]) -> None:
        """Put the figure's axes where the first frame's are, and refuse limits that jump."""
        stage = self.stage
        size = tuple(float(inches) for inches in figure.get_size_inches())
        if size != stage.size or len(figure.axes) != len(stage.panels):
            raise ValueError(
                f"expected every frame to have the size {stage.size} and {len(stage.panels)} axes, "
                f"got {size} and {len(figure.axes)} from {self._call(place)}; draw the same axes "
                "in every frame"
            )
        figure.set_layout_engine("none")
        for axes, panel in zip(figure.axes, stage.panels, strict=True):
            axes.set_position(panel.position)
            if not self.rescale:
                self._check_limits(axes, panel, place)

    def _check_limits(self, axes: Axes, panel: Panel, place: tuple[int, ...]) -> None:
        for letter, then, now in (("x", panel.x, axes.get_xlim()), ("y", panel.y, axes.get_ylim())):
            if axes.axison and not all(
                math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
                for a, b in zip(then, now, strict=True)
            ):
                raise ValueError(
                    f"expected the {letter} limits of {panel.name} to stay at {_pair(then)}, got "
                    f"{_pair(now)} from {self._call(place)}; fix them in draw with "
                    f"set_{letter}lim(…), or say rescale=True if they are meant to move"
                )


@contextmanager
def styled() -> Iterator[None]:
    r"""The book's style and the settings of :mod:`genbook.kit.svg` around a drawing.

    Example:
        >>> with styled():
        ...     matplotlib.rcParams["axes.spines.top"]
        False
    """
    with matplotlib.style.context(plotting.STYLE), svg.settings(), _one_thread():
        yield


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch, where it is in use, to one thread: its pool does not survive a fork."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _pair(limits: tuple[float, float]) -> str:
    return f"({limits[0]:.6g}, {limits[1]:.6g})"


def _stage(figure: Figure) -> Stage:
    """Read the stage off a figure that has been drawn, so that its layout has settled."""
    width, height = figure.get_size_inches()
    panels = tuple(_panel(axes, place) for place, axes in enumerate(figure.axes))
    return Stage((float(width), float(height)), panels)


def _panel(axes: Axes, place: int) -> Panel:
    title = axes.get_title() or axes.get_title("left") or axes.get_ylabel() or axes.get_xlabel()
    left, bottom, width, height = axes.get_position(original=True).bounds
    return Panel(
        name=f"axes {place}" + (f" ({title!r})" if title else ""),
        position=(left, bottom, width, height),
        x=axes.get_xlim(),
        y=axes.get_ylim(),
        scales=(axes.get_xscale(), axes.get_yscale()),
    )


def _can_fork(count: int) -> bool:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return sys.platform == "linux" and cores > 1 and count >= FORK_FROM


def _both_ends(
    work: Callable[[tuple[int, ...]], Node], places: Sequence[tuple[int, ...]]
) -> list[Node]:
    """Work from the front here and from the back in a copy of this process until both meet."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads about: see frames
        child = os.fork()
    if child == 0:  # pragma: no cover - runs in the copy
        os.close(reader)
        _from_the_back(work, places, writer)
    os.close(writer)
    done: dict[int, Node] = {}
    inbox = _Inbox(reader)
    try:
        front = 0
        while front < len(places) and front not in done:
            done[front] = work(places[front])
            front += 1
            for number, node in inbox.arrived():
                done[number] = node
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
    return [done[number] for number in range(len(places))]


def _from_the_back(
    work: Callable[[tuple[int, ...]], Node], places: Sequence[tuple[int, ...]], writer: int
) -> None:  # pragma: no cover - runs in the copy
    try:
        for number in reversed(range(len(places))):
            data = pickle.dumps((number, work(places[number])))
            message = len(data).to_bytes(8, "big") + data
            while message:
                message = message[os.write(writer, message) :]
    finally:
        os._exit(0)


class _Inbox:
    """Reads what the copy has written so far, without waiting for more."""

    def __init__(self, reader: int) -> None:
        self.reader, self.buffer = reader, bytearray()

    def arrived(self) -> Iterator[tuple[int, Node]]:
        while select.select([self.reader], [], [], 0)[0]:
            chunk = os.read(self.reader, 1 << 20)
            if not chunk:
                break
            self.buffer += chunk
        while len(self.buffer) >= 8:
            size = int.from_bytes(self.buffer[:8], "big")
            if len(self.buffer) < 8 + size:
                return
            yield pickle.loads(bytes(self.buffer[8 : 8 + size]))
            del self.buffer[: 8 + size]
