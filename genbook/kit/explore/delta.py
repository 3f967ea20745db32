"""Many drawings of one figure as the first of them and what changes.

Every attribute or text that differs between frames becomes a *column*. A column holds one value
for each combination of the controls that it depends on, so a curve that only follows ``mu`` is
stored once for each ``mu``. Numbers are hundredths; of a long run of coordinates the second
differences are stored, which for a smooth curve take one character a point. Where the elements
themselves change, the smallest element around the change is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import product
from typing import Any

import numpy as np

from genbook.kit.explore.numbers import ALPHABET, pack, unpack
from genbook.kit.svg import Node, copy, inner, parse, serialise, walk

TEXT = ""
INNER = "*"
PRESENT = "?"
MOST_OPTIONAL = 64  # elements that come and go, a parent; beyond, the parent's inside is replaced
SAME = 0
MODES = tuple(product((False, True), (0, 1, 2)))  # absolute?, order of the differences
_ABSOLUTE = 1 + MODES.index((True, 0))

Key = tuple[str, str]

_RUN = re.compile(r"-?\d+(?:\.\d{1,2})?(?: -?\d+(?:\.\d{1,2})?)*")
_COUNT = re.compile(r"\d+")


@dataclass(frozen=True)
class Column:
    r"""What one attribute or text is in every frame.

    Args:
        node: the element's place in the template, in the document's order.
        name: the attribute, ``""`` for the text, ``"*"`` for everything inside, ``"?"`` for
            whether the element is there at all.
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
        return [*head, list(self.table), pack(self.places), 0]


@dataclass(frozen=True)
class Extra:
    r"""An element that the first frame lacks.

    Args:
        parent: its parent's place in the template.
        place: which of the parent's children in the template it is.
        node: the element.
    """

    parent: int
    place: int
    node: Node

    def json(self) -> list[Any]:
        """The element as the page reads it."""
        return [self.parent, self.place, serialise(self.node)]


@dataclass(frozen=True)
class Encoded:
    r"""Every frame of a figure.

    Args:
        shape: values a control.
        template: the first frame, with the elements that only other frames have.
        columns: what changes.
        extras: what the template has over the first frame.
    """

    shape: tuple[int, ...]
    template: Node
    columns: tuple[Column, ...]
    extras: tuple[Extra, ...]

    def json(self) -> dict[str, Any]:
        """What the page needs besides the first frame."""
        return {
            "columns": [column.json() for column in self.columns],
            "extras": [extra.json() for extra in self.extras],
        }


def encode(frames: Sequence[Node], shape: tuple[int, ...], start: int) -> Encoded:
    r"""Find what changes between ``frames``.

    Args:
        frames: every drawing, the last control fastest.
        shape: values a control.
        start: the number of the first frame shown.

    Returns:
        A template and what changes in it.

    Raises:
        ValueError: if the frames are not as many as the shape says, or differ in their root.

    Example:
        >>> frames = [parse(f'<svg><path d="M0 {y}"/></svg>') for y in range(3)]
        >>> [column.name for column in encode(frames, (3,), 0).columns]
        ['d']
    """
    expected = int(np.prod(shape))
    if len(frames) != expected:
        raise ValueError(f"expected {expected} frames for the shape {shape}, got {len(frames)}")
    if len({frame.tag for frame in frames}) > 1:
        raise ValueError("expected frames with one kind of root")
    encoder = _Encoder(shape, start)
    template = encoder.compare(list(frames), extra=False)
    return Encoded(shape, template, tuple(encoder.columns), tuple(encoder.extras))


class _Encoder:
    """Walks all frames at once; ``count`` numbers the elements of the template."""

    def __init__(self, shape: tuple[int, ...], start: int) -> None:
        self.shape, self.start = shape, start
        self.columns: list[Column] = []
        self.extras: list[Extra] = []
        self.count = 0

    def compare(self, nodes: list[Node], *, extra: bool) -> Node:
        place, first = self.count, nodes[self.start]
        self.count += 1
        for name in sorted({name for node in nodes for name in node.attributes}):
            self.add(place, name, [node.attributes.get(name) for node in nodes])
        slots = _slots([node.children for node in nodes], self.start)
        texts = [node.text for node in nodes]
        if slots is None or (slots and any(texts)):
            self.add(place, INNER, [inner(node) for node in nodes])
            self.count += sum(1 for _ in walk(first)) - 1
            return first
        self.add(place, TEXT, texts)
        children = [self.child(slot, place, k, extra) for k, slot in enumerate(slots)]
        return Node(first.tag, first.attributes, first.text, children, first.kind)

    def child(self, slot: list[Node | None], parent: int, place: int, extra: bool) -> Node:
        model = slot[self.start] or next(node for node in slot if node is not None)
        if any(node is None for node in slot):
            self.add(self.count, PRESENT, [None if node is None else "1" for node in slot])
        added = slot[self.start] is None and not extra
        merged = self.compare([node or model for node in slot], extra=extra or added)
        if added:
            self.extras.append(Extra(parent, place, merged))
        return merged

    def add(self, node: int, name: str, values: Sequence[str | None]) -> None:
        if any(value != values[0] for value in values):
            self.columns.append(_column(node, name, values, self.shape, self.start))


def _slots(families: list[list[Node]], start: int) -> list[list[Node | None]] | None:
    """Align children between frames: a slot an element, ``None`` where a frame lacks it."""
    keys = [tuple((child.tag, child.kind) for child in children) for children in families]
    order = list(keys[start])
    for other in dict.fromkeys(keys):
        order = _merged(order, other)
    shortest = min(len(key) for key in keys)
    if len(order) - shortest > MOST_OPTIONAL:
        return None
    rows = []
    for family, key in zip(families, keys, strict=True):
        row: list[Node | None] = [None] * len(order)
        slot = -1
        for child, name in zip(family, key, strict=True):
            slot = order.index(name, slot + 1)
            row[slot] = child
        rows.append(row)
    slots = [list(slot) for slot in zip(*rows, strict=True)]
    return [slot for slot in slots if any(child is not None for child in slot)]


def _merged(order: list[Key], other: Sequence[Key]) -> list[Key]:
    """The shortest sequence found that holds both."""
    if list(other) == order:
        return order
    merged: list[Key] = []
    for action, a, b, c, d in SequenceMatcher(None, order, other, False).get_opcodes():
        merged += order[a:b]
        if action in ("insert", "replace"):
            merged += other[c:d]
    return merged


def _column(
    node: int, name: str, values: Sequence[str | None], shape: tuple[int, ...], start: int
) -> Column:
    table: dict[str | None, int] = {}
    numbers = np.array([table.setdefault(value, len(table)) for value in values]).reshape(shape)
    axes = tuple(
        axis for axis in range(len(shape)) if (numbers != numbers.take([0], axis=axis)).any()
    )
    slices = tuple(slice(None) if axis in axes else 0 for axis in range(len(shape)))
    flat = tuple(int(number) for number in numbers[slices].ravel())
    texts = tuple(table)
    plain = Column(node, name, axes, table=texts, places=flat)
    first = values[start]
    if name in (INNER, PRESENT) or first is None or None in table:
        return plain
    packed = _packed(first, [texts[number] or "" for number in flat])
    if packed is None:
        return plain
    short = Column(node, name, axes, *packed)
    return short if len(str(short.json())) < len(str(plain.json())) else plain


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
        parts.append(_stream(numbers[offset::2], base[offset::2]))
    return "".join(parts)


def _stream(values: Sequence[int], against: Sequence[int]) -> str:
    """Write numbers in the cheapest of ``MODES``, the first of equals."""
    alike = len(values) == len(against)
    if alike and values == against:
        return ALPHABET[SAME]
    if len(values) < 2:
        return _single(values, against)
    array = np.array(values, dtype=np.int64)
    starts = [array - np.array(against, dtype=np.int64)] if alike else []
    tries = [rest for start in (*starts, array) for rest in _differences(start)]
    costs = [_cost(rest) for rest in tries]
    best = costs.index(min(costs))
    return ALPHABET[best + (1 if alike else _ABSOLUTE)] + pack(tries[best].tolist())


def _single(values: Sequence[int], against: Sequence[int]) -> str:
    """A number alone is its own difference, so only the order 0 can win."""
    if len(values) != len(against) or not values:
        return ALPHABET[_ABSOLUTE] + pack(values)
    change = values[0] - against[0]
    if _weight(change) <= _weight(values[0]):
        return ALPHABET[1] + pack([change])
    return ALPHABET[_ABSOLUTE] + pack(values)


def _differences(numbers: np.ndarray) -> Iterator[np.ndarray]:
    """The numbers and their first and second differences, each from 0."""
    yield numbers
    for _ in range(2):
        earlier = numbers
        numbers = earlier.copy()
        numbers[1:] -= earlier[:-1]
        yield numbers


def _cost(numbers: np.ndarray) -> int:
    """About twice the characters that :func:`pack` takes; zeros are cheap."""
    size = np.abs(numbers)
    large = np.count_nonzero(size > 27) + np.count_nonzero(size > 1300)
    return int(2 * large + np.count_nonzero(size) + len(size))


def _weight(number: int) -> int:
    size = abs(number)
    return 2 * (size > 27) + 2 * (size > 1300) + (size != 0)


def decode(encoded: Encoded, number: int) -> Node:
    r"""Draw frame ``number`` from the template, as the page's script does.

    Args:
        encoded: what :func:`encode` found.
        number: which frame.

    Returns:
        A new tree.

    Example:
        >>> frames = [parse(f"<svg><text>{word}</text></svg>") for word in ("a", "b")]
        >>> decode(encode(frames, (2,), 0), 1).children[0].text
        'b'
    """
    shape = encoded.shape
    place = tuple(int(i) for i in np.unravel_index(number, shape))
    root = copy(encoded.template)
    nodes = list(walk(root))
    absent = set()
    for column in encoded.columns:
        value = _value(column, nodes[column.node], shape, place)
        if column.name == PRESENT:
            absent |= {id(nodes[column.node])} if value is None else set()
        else:
            _set(nodes[column.node], column.name, value)
    for node in nodes:
        node.children = [child for child in node.children if id(child) not in absent]
    return root


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
