"""Figures used again: making axes takes longer than drawing on them."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from genbook.kit.rollback import Memory

RESTING = 3  # figures of a kind that may wait for the collector before it is called

Made = tuple[Figure, Any]

_pool: ContextVar[Pool | None] = ContextVar("pool", default=None)


def figure(make: Callable[[], Made], request: Mapping[str, Any]) -> Made:
    r"""What ``make`` makes, or the same used once more inside :func:`recycling`.

    Args:
        make: gives a figure and its axes.
        request: everything that what it makes depends on, besides matplotlib's settings.

    Returns:
        A figure and its axes, as new.
    """
    pool = _pool.get()
    if pool is None or not _is_plain(list(request.values())):
        return make()
    return pool.lend(make, repr(sorted(request.items())))


@contextmanager
def recycling() -> Iterator[Pool]:
    r"""Let :func:`figure` hand out figures again that were given back to the pool.

    Example:
        >>> with recycling() as pool:
        ...     first, _ = figure(lambda: (Figure(), None), {})
        ...     number = id(first)
        ...     del first
        ...     pool.take_back()
        ...     id(figure(lambda: (Figure(), None), {})[0]) == number
        True
    """
    pool = Pool()
    token = _pool.set(pool)
    try:
        yield pool
    finally:
        _pool.reset(token)


@contextmanager
def nothing_recycled() -> Iterator[None]:
    r"""Inside it :func:`figure` makes every figure anew, whatever stands around it.

    Example:
        >>> with recycling(), nothing_recycled():
        ...     figure(lambda: (Figure(), "new"), {})[1]
        'new'
    """
    token = _pool.set(None)
    try:
        yield
    finally:
        _pool.reset(token)


def lets_go(make: Callable[[], Figure]) -> bool:
    r"""Whether nobody keeps a figure that ``make`` made, so that it may be used again.

    Example:
        >>> kept = []
        >>> lets_go(Figure), lets_go(lambda: kept.append(Figure()) or kept[0])
        (True, False)
    """
    made = make()
    parts = [weakref.ref(part) for part in (made, *made.axes)]
    del made
    gc.collect()
    return all(part() is None for part in parts)


class Pool:
    r"""Figures made so far, each with the memory of how it was made.

    A figure is used again only once nothing but the pool holds it or its axes, and after all
    that was done to it and to everything within its reach has been undone.
    """

    def __init__(self) -> None:
        self._lent: list[_Loan] = []
        self._resting: list[_Loan] = []

    def lend(self, make: Callable[[], Made], key: str) -> Made:
        r"""A figure as new.

        Args:
            make: gives one, where none can be used again.
            key: what it depends on.

        Returns:
            The figure and its axes.

        Raises:
            ValueError: if somebody keeps figures for later.
        """
        loan = self._rested(key) or _loan(make, key)
        self._lent.append(loan)
        return loan.figure, _handed(loan.axes)

    def take_back(self) -> None:
        r"""Undo what was done to the figures that were lent; call it once they are drawn."""
        for loan in self._lent:
            if loan.is_alone():
                loan.memory.restore()
                self._resting.append(loan)
        self._lent.clear()

    def _rested(self, key: str) -> _Loan | None:
        settings = _settings()
        alike = [one for one in self._resting if one.key == key and one.settings == settings]
        if len(alike) >= RESTING and not any(loan.is_free() for loan in alike):
            gc.collect()
            if not all(loan.is_free() for loan in alike):
                raise ValueError(
                    "expected draw to return a new figure each time, got one that it keeps for "
                    "later; call plotting.subplots anew and keep no figure or axes"
                )
        for loan in alike:
            if loan.is_free():
                self._resting.remove(loan)
                return loan
        return None


@dataclass(eq=False)
class _Loan:
    key: str
    settings: dict[str, Any]
    figure: Figure
    axes: Any
    memory: Memory
    ties: list[set[Any]]
    held: list[int]

    def counts(self) -> list[int]:
        return [sys.getrefcount(part) for part in (self.figure, *self.figure.axes)]

    def is_free(self) -> bool:
        return self.counts() == self.held

    def is_alone(self) -> bool:
        """Whether its axes are tied as at first; what ties them hangs on the class, not on them."""
        return _ties(self.axes) == self.ties


def _ties(axes: Any) -> list[set[Any]]:
    return [set(_tied(one)) for one in _flat(axes)]


def _tied(axes: Any) -> Iterator[Any]:
    """The axes that share limits with ``axes``, and its twins."""
    yield from axes.get_shared_x_axes().get_siblings(axes)
    yield from axes.get_shared_y_axes().get_siblings(axes)
    yield from axes._twinned_axes.get_siblings(axes)


def _loan(make: Callable[[], Made], key: str) -> _Loan:
    made, axes = make()
    leave = (matplotlib.RcParams,)
    loan = _Loan(key, _settings(), made, axes, Memory(made, leave), _ties(axes), [])
    del made, axes
    loan.held = loan.counts()
    return loan


def _settings() -> dict[str, Any]:
    settings: Any = matplotlib.rcParams
    return dict.copy(settings)  # the values as they stand, without a look at each


def _handed(axes: Any) -> Any:
    return axes.copy() if isinstance(axes, np.ndarray) else axes


def _flat(axes: Any) -> list[Any]:
    if isinstance(axes, np.ndarray):
        return list(axes.flat)
    return [] if axes is None else [axes]


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, value.keys())) and all(map(_is_plain, value.values()))
    return value is None or type(value) in (bool, int, float, str)
