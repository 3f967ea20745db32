"""Put a web of objects back into the state in which it was remembered."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np

_PLAIN: tuple[type, ...] = (
    str,
    bytes,
    int,
    float,
    complex,
    type(None),
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
)


class Memory:
    r"""What an object and everything within its reach looked like.

    Attributes, lists, dictionaries, sets and arrays are remembered; what hangs on a class, a
    module or a closure is not, nor is what only a weak reference leads to.

    Args:
        root: where to start.
        leave: types whose objects stay as they are, with all within them.

    Example:
        >>> import types
        >>> thing = types.SimpleNamespace(name="a", parts=[1, 2])
        >>> memory = Memory(thing)
        >>> thing.name, thing.more = "b", True
        >>> thing.parts.append(3)
        >>> memory.restore()
        >>> thing
        namespace(name='a', parts=[1, 2])
    """

    def __init__(self, root: object, leave: tuple[type, ...] = ()) -> None:
        self._attributes: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._slots: list[tuple[object, str, Any]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._others: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[np.ndarray, np.ndarray]] = []
        self._kept: list[object] = []  # keeps every id in use while the web is walked
        skipped = (*_PLAIN, *leave)
        seen: set[int] = set()
        stack = [root]
        while stack:
            thing = stack.pop()
            if id(thing) not in seen and not isinstance(thing, skipped):
                seen.add(id(thing))
                self._kept.append(thing)
                stack.extend(self._remember(thing))

    def restore(self) -> None:
        r"""Undo every change since the memory was made."""
        for now, then in self._attributes:
            now.clear()
            now.update(then)
        for thing, name, value in self._slots:
            object.__setattr__(thing, name, value)
        for items, before in self._lists:
            items[:] = before
        for group, before in self._others:
            group.clear()
            group.update(before) if hasattr(group, "update") else group.extend(before)
        for array, numbers in self._arrays:
            array[...] = numbers

    def _remember(self, thing: Any) -> Iterator[object]:
        if isinstance(thing, types.MethodType):
            yield thing.__self__
        elif isinstance(thing, partial):
            yield from (thing.func, thing.args, thing.keywords)
        elif isinstance(thing, tuple | frozenset):
            yield from thing
        elif isinstance(thing, list):
            self._lists.append((thing, list(thing)))
            yield from thing
        elif isinstance(thing, dict):
            self._others.append((thing, dict(thing)))
            yield from thing
            yield from thing.values()
        elif isinstance(thing, set | deque):
            self._others.append((thing, type(thing)(thing)))
            yield from thing
        elif isinstance(thing, np.ndarray) and thing.flags.writeable:
            self._arrays.append((thing, thing.copy()))
        yield from self._own(thing)

    def _own(self, thing: Any) -> Iterator[object]:
        own = getattr(thing, "__dict__", None)
        if isinstance(own, dict):
            self._attributes.append((own, dict(own)))
            yield from own.values()
        kind: Any = type(thing)
        for name in _slots(kind):
            if hasattr(thing, name):
                value = getattr(thing, name)
                self._slots.append((thing, name, value))
                yield value


@lru_cache(maxsize=1024)
def _slots(kind: type) -> tuple[str, ...]:
    """The names of the slots of a type and its bases, private ones as the type stores them."""
    found = []
    for base in kind.__mro__:
        names = base.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            if name not in ("__dict__", "__weakref__"):
                private = name.startswith("__") and not name.endswith("__")
                found.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return tuple(found)
