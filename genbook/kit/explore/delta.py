"""Many drawings of one figure as the first of them and what changes.

Every attribute or text that differs between frames becomes a *column*. A column holds one value
for each combination of the controls that it depends on, so a curve that only follows ``mu`` is
stored once for each ``mu``. Numbers are hundredths; of a long run of coordinates the second
differences are stored, which for a smooth curve take one character a point. Where the elements
themselves change, the smallest element around the change is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from genbook.kit.explore.numbers import ALPHABET, pack, unpack
from genbook.kit.svg import Node, inner, parse, walk

TEXT = ""
INNER = "*"
SAME = 0
MODES = tuple(product((False, True), (0, 1, 2)))  # absolute?, order of the differences

_RUN = re.compile(r"-?\d+(?:\.\d{1,2})?(?: -?\d+(?:\.\d{1,2})?)*")
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True)
class Column:
    r"""What one attribute or text is in every frame.

    Args:
        node: the element's place in the drawing, in the document's order.
        name: the attribute, ``""`` for the text, ``"*"`` for everything inside.
        axes: the controls that it depends on.
        skeletons: for numbers, the texts around them, the first frame's first; else empty.
        codes: for numbers, one packed value for each combination of ``axes``.
        table: for other texts, the different values.
        places: for other texts, where in ``table`` the value of each combination is.
    """

    node: int
    name: str
    axes: tuple[int, ...]
    skeletons: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    table: tuple[str | None, ...] = ()
    places: tuple[int, ...] = ()

    def json(self) -> list[Any]:
        """The column as the page reads it."""
        head: list[Any] = [self.node, self.name, list(self.axes)]
        if self.skeletons:
            return [*head, list(self.skeletons), " ".join(self.codes)]
        if self.places == tuple(range(len(self.table))):
            return [*head, list(self.table)]
        return [*head, list(self.table), list(self.places), 0]


@dataclass
class _Collector:
    shape: tuple[int, ...]
    start: int
    columns: list[Column] = field(default_factory=list)
    count: int = 0


def encode(frames: Sequence[Node], shape: tuple[int, ...], start: int) -> list[Column]:
    r"""Find what changes between ``frames``.

    Args:
        frames: every drawing, the last control fastest.
        shape: values a control.
        start: the number of the first frame shown.

    Returns:
        The columns, by element.

    Raises:
        ValueError: if the frames are not as many as the shape says, or differ in their root.

    Example:
        >>> frames = [parse(f'<svg><path d="M0 {y}"/></svg>') for y in range(3)]
        >>> [column.codes for column in encode(frames, (3,), 0)]
        [('!!!', '!!$', '!!&')]
    """
    expected = int(np.prod(shape))
    if len(frames) != expected:
        raise ValueError(f"expected {expected} frames for the shape {shape}, got {len(frames)}")
    if len({frame.tag for frame in frames}) > 1:
        raise ValueError("expected frames with one kind of root")
    collector = _Collector(shape, start)
    _compare(list(frames), collector)
    return collector.columns


def _compare(nodes: list[Node], collector: _Collector) -> None:
    place = collector.count
    collector.count += 1
    first = nodes[collector.start]
    for name in sorted({name for node in nodes for name in node.attributes}):
        _add(collector, place, name, [node.attributes.get(name) for node in nodes])
    tags = [child.tag for child in first.children]
    if all([child.tag for child in node.children] == tags for node in nodes):
        _add(collector, place, TEXT, [node.text for node in nodes])
        for children in zip(*(node.children for node in nodes), strict=True):
            _compare(list(children), collector)
        return
    _add(collector, place, INNER, [inner(node) for node in nodes])
    collector.count += sum(1 for _ in walk(first)) - 1


def _add(collector: _Collector, node: int, name: str, values: Sequence[str | None]) -> None:
    if all(value == values[0] for value in values):
        return
    table: dict[str | None, int] = {}
    numbers = np.array([table.setdefault(value, len(table)) for value in values])
    numbers = numbers.reshape(collector.shape)
    axes = tuple(
        axis
        for axis in range(numbers.ndim)
        if (numbers != numbers.take([0], axis=axis)).any()
    )
    slices = tuple(slice(None) if axis in axes else 0 for axis in range(numbers.ndim))
    flat = [int(number) for number in numbers[slices].ravel()]
    texts = list(table)
    plain = Column(node, name, axes, table=tuple(texts), places=tuple(flat))
    first = values[collector.start]
    if name != INNER and first is not None and None not in table:
        packed = _packed(first, [texts[number] or "" for number in flat])
        if packed is not None:
            better = Column(node, name, axes, *packed)
            if len(str(better.json())) < len(str(plain.json())):
                plain = better
    collector.columns.append(plain)


def _packed(first: str, values: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    base = split(first)
    if base is None:
        return None
    skeletons = {base[0]: 0}
    codes = []
    cache: dict[str, str] = {}
    for value in values:
        if value not in cache:
            parts = split(value)
            if parts is None:
                return None
            place = skeletons.setdefault(parts[0], len(skeletons))
            try:
                cache[value] = _code(place, parts[1], base[1])
            except ValueError:  # a coordinate beyond what the packing holds
                return None
        codes.append(cache[value])
    return tuple(skeletons), tuple(codes)


def split(value: str) -> tuple[str, list[int]] | None:
    r"""Part a text into its skeleton and its numbers in hundredths.

    Args:
        value: an attribute's value or a text.

    Returns:
        The text with every run of numbers replaced by how many they are, and the numbers;
        ``None`` where :func:`join` would not give the text back.

    Example:
        >>> split("M1 2.5 3 4Z")
        ('M4Z', [100, 250, 300, 400])
        >>> split("p = 0.50") is None
        True
    """
    numbers: list[int] = []

    def take(match: re.Match[str]) -> str:
        run = match[0].split(" ")
        numbers.extend(round(float(number) * 100) for number in run)
        return str(len(run))

    skeleton = _RUN.sub(take, value)
    return (skeleton, numbers) if join(skeleton, numbers) == value else None


def join(skeleton: str, numbers: Sequence[int]) -> str:
    r"""Put the numbers back.

    Args:
        skeleton: see :func:`split`.
        numbers: hundredths.

    Returns:
        The text.

    Example:
        >>> join("M4Z", [100, 250, 300, 400])
        'M1 2.5 3 4Z'
    """
    queue = iter(numbers)

    def give(match: re.Match[str]) -> str:
        return " ".join(_hundredths(next(queue, 0)) for _ in range(int(match[0])))

    return _COUNT.sub(give, skeleton)


def _hundredths(number: int) -> str:
    whole, rest = divmod(abs(number), 100)
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}" + (f".{rest:02d}".rstrip("0") if rest else "")


def _code(skeleton: int, numbers: Sequence[int], base: Sequence[int]) -> str:
    parts = [pack([skeleton])]
    for offset in (0, 1):  # x and y take turns
        values = np.array(numbers[offset::2], dtype=np.int64)
        against = np.array(base[offset::2], dtype=np.int64)
        parts.append(_stream(values, against))
    return "".join(parts)


def _stream(values: np.ndarray, against: np.ndarray) -> str:
    alike = len(values) == len(against)
    if alike and (values == against).all():
        return ALPHABET[SAME]
    best: tuple[int, int, np.ndarray] | None = None
    for mode, (absolute, order) in enumerate(MODES, start=1):
        if not (absolute or alike):
            continue
        rest = values if absolute else values - against
        for _ in range(order):
            rest = np.diff(rest, prepend=0)
        size = np.abs(rest)
        cost = int(((size > 27) + 1.0 * (size > 1300) + (size != 0) * 0.5 + 0.5).sum() * 2)
        if best is None or cost < best[0]:
            best = (cost, mode, rest)
    assert best is not None
    return ALPHABET[best[1]] + pack(best[2].tolist())


def decode(base: Node, columns: Sequence[Column], shape: tuple[int, ...], number: int) -> Node:
    r"""Draw frame ``number`` from the base drawing, as the page's script does.

    Args:
        base: the first frame shown.
        columns: what :func:`encode` found.
        shape: values a control.
        number: which frame.

    Returns:
        A new tree.

    Example:
        >>> frames = [parse(f"<svg><text>{word}</text></svg>") for word in ("a", "b")]
        >>> decode(frames[0], encode(frames, (2,), 0), (2,), 1).children[0].text
        'b'
    """
    place = tuple(int(i) for i in np.unravel_index(number, shape))
    root = _copy(base)
    nodes = list(walk(root))
    for column in columns:
        _set(nodes[column.node], column.name, _value(column, nodes[column.node], shape, place))
    return root


def _copy(node: Node) -> Node:
    children = [_copy(child) for child in node.children]
    return Node(node.tag, dict(node.attributes), node.text, children, node.kind)


def _value(
    column: Column, node: Node, shape: tuple[int, ...], place: tuple[int, ...]
) -> str | None:
    number = 0
    for axis in column.axes:
        number = number * shape[axis] + place[axis]
    if not column.skeletons:
        return column.table[column.places[number]]
    parts = split(node.text if column.name == TEXT else node.attributes[column.name])
    assert parts is not None
    return _uncode(column, column.codes[number], parts[1])


def _uncode(column: Column, code: str, base: Sequence[int]) -> str:
    stream = iter(unpack(code))
    skeleton = column.skeletons[next(stream)]
    count = sum(int(number) for number in _COUNT.findall(skeleton))
    numbers = [0] * count
    for offset in (0, 1):
        against = base[offset::2]
        length = len(range(offset, count, 2))
        mode = _unmode(next(stream))
        if mode == SAME:
            numbers[offset::2] = against
            continue
        absolute, order = MODES[mode - 1]
        rest = np.array([next(stream) for _ in range(length)], dtype=np.int64)
        for _ in range(order):
            rest = np.cumsum(rest)
        numbers[offset::2] = (rest if absolute else rest + np.array(against)).tolist()
    return join(skeleton, numbers)


def _unmode(number: int) -> int:
    """A mode is written as its place in the alphabet, and read as a number."""
    return 2 * number if number >= 0 else -2 * number - 1


def _set(node: Node, name: str, value: str | None) -> None:
    if name == INNER:
        filled = parse(f"<g>{value}</g>")
        node.text, node.children = filled.text, filled.children
    elif name == TEXT:
        node.text = value or ""
    elif value is None:
        node.attributes.pop(name, None)
    else:
        node.attributes[name] = value
