"""Draw the frames of an explorable: one layout for all, quickly, on both sides of a fork."""

from __future__ import annotations

import gc
import os
import pickle
import random
import select
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from typing import Any

import matplotlib
import matplotlib.style
from matplotlib.figure import Figure

from genbook.kit import plotting, recycling, svg
from genbook.kit.explore.controls import Grid
from genbook.kit.explore.stage import AxisLines, hold, moved, settle
from genbook.kit.svg import Node

FORK_FROM = 40  # frames; below this a second process is not worth its start


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
        self.lines = AxisLines()
        with styled():
            figure = self._figure(grid.start)
            self.stage, self.first = settle(figure, salt=salt, alt=alt)
            _close(figure)

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
            figure = self._held(place)
            drawing = svg.draw(figure, salt=self.salt, alt=self.alt)
            _close(figure)
            return drawing

    def renamed(self, salt: str) -> Artist:
        r"""The same artist, whose drawings' ids begin otherwise.

        Args:
            salt: the new start of the ids; it must not occur in the drawings' texts.

        Returns:
            A copy; nothing is drawn again.
        """
        other = copy(self)
        first = svg.serialise(self.first).replace(self.salt, salt)
        other.salt, other.first = salt, svg.parse(first)
        stacked = self.stage.stacked.replace(self.salt, salt)
        other.stage = replace(self.stage, stacked=stacked)
        return other

    def image(self, place: Sequence[int], caption: str = "") -> str:
        r"""A frame as an image, for where neither scripts nor drawings are shown.

        Args:
            place: a point of the grid.
            caption: printed under it.

        Returns:
            PNG, base64.
        """
        with styled():
            figure = self._held(tuple(place))
            _close(figure)
            return plotting.png(figure, caption=caption)

    def frames(self) -> list[Node]:
        r"""Draw every frame, the last control fastest.

        Axis lines that frames share are drawn once (:class:`~.stage.AxisLines`); a few frames are
        drawn again in full to see that nothing is amiss.

        Figures are used again (:mod:`genbook.kit.recycling`), unless ``draw`` keeps them.

        Where the system can fork cheaply (Linux) and a core is idle, a second process draws from
        the other end until the two meet; on busy cores that gains nothing. It works on a copy of
        this process, so nothing has to be imported or sent to it; should it fail or hang, this one
        simply draws on to the end.

        Returns:
            The drawings.

        Raises:
            ValueError: if a frame is no figure, its axes jump, or the first frame drawn again
                comes out different.
        """
        places = list(self.grid.places())
        drawn = self._recycled(places) if self._lets_go() else self._all(self._quick, places)
        start = self.grid.start
        if svg.serialise(drawn[self.grid.number(start)]) != svg.serialise(self.first):
            if svg.serialise(self.frame(start)) != svg.serialise(self.frame(start)):
                raise ValueError(
                    f"expected {self._call(start)} to give the same figure each time, got two "
                    "different ones; draw random numbers before explore(…), or seed them in draw"
                )
            return self._all(self.frame, places)
        sample = random.Random(0).sample(places, min(2, len(places)))
        if all(self._agrees(drawn, place) for place in sample):
            return drawn
        return self._all(self.frame, places)

    def _all(
        self, work: Callable[[tuple[int, ...]], Node], places: list[tuple[int, ...]]
    ) -> list[Node]:
        gc.freeze()  # collections then look at the frames' own litter only
        try:
            with styled():
                if _can_fork(len(places)):
                    return _both_ends(work, places)
                return [work(place) for place in places]
        finally:
            gc.unfreeze()

    def _agrees(self, drawn: list[Node], place: tuple[int, ...]) -> bool:
        return svg.serialise(drawn[self.grid.number(place)]) == svg.serialise(self.frame(place))

    def _recycled(self, places: list[tuple[int, ...]]) -> list[Node]:
        with recycling.recycling() as pool:

            def work(place: tuple[int, ...]) -> Node:
                drawing = self._quick(place)
                pool.take_back()
                return drawing

            return self._all(work, places)

    def _lets_go(self) -> bool:
        gc.freeze()  # what was there before holds no figure of ours
        try:
            with styled():
                return recycling.lets_go(lambda: _closed(self._figure(self.grid.start)))
        finally:
            gc.unfreeze()

    def _quick(self, place: tuple[int, ...]) -> Node:
        figure = self._held(place)
        drawing = self.lines.draw(figure, salt=self.salt, alt=self.alt)
        _close(figure)
        return drawing

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

    def _held(self, place: tuple[int, ...]) -> Figure:
        figure, stage = self._figure(place), self.stage
        size = tuple(float(inches) for inches in figure.get_size_inches())
        if size != stage.size or len(figure.axes) != len(stage.panels):
            raise ValueError(
                f"expected every frame to have the size {stage.size} and {len(stage.panels)} axes, "
                f"got {size} and {len(figure.axes)} from {self._call(place)}; draw the same axes "
                "in every frame"
            )
        hold(figure, stage)
        jump = "" if self.rescale else moved(figure, stage)
        if jump:
            raise ValueError(jump.format(call=self._call(place)))
        return figure


def _close(figure: Figure) -> None:
    """Take a figure off pyplot's list, where ``draw`` made it with pyplot."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(figure)


def _closed(figure: Figure) -> Figure:
    _close(figure)
    return figure


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


def _can_fork(count: int) -> bool:
    if sys.platform != "linux" or count < FORK_FROM:
        return False
    return os.getloadavg()[0] < len(os.sched_getaffinity(0)) - 0.5


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
