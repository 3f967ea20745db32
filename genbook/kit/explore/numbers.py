"""Whole numbers as text: one character for a small one, two or three for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

ALPHABET = "".join(chr(code) for code in range(33, 127) if chr(code) not in '"&<>\\')
BASE = len(ALPHABET)  # 89
ONES = 55  # −27 … 27
ZEROS = 55  # a run of zeros; its length − 2 follows
TWOS = 56  # 29 leads × 89, the next 1,290 on either side
THREES = 85  # 3 leads × 89²
FIVES = 88  # 1 lead, 89⁴
_TWO_COUNT = (THREES - TWOS) * BASE
_THREE_COUNT = (FIVES - THREES) * BASE * BASE


def pack(numbers: Sequence[int]) -> str:
    r"""Write whole numbers as printable text without quotes, brackets, ``&`` or backslash.

    Args:
        numbers: each within ±31 million.

    Returns:
        The text; :func:`unpack` reads it.

    Example:
        >>> list(unpack(pack([0, -3, 0, 0, 0, 1000])))
        [0, -3, 0, 0, 0, 1000]
    """
    parts: list[str] = []
    place, end = 0, len(numbers)
    while place < end:
        number = numbers[place]
        if number == 0:
            run = 1
            while place + run < end and run < BASE + 1 and numbers[place + run] == 0:
                run += 1
            if run > 2:
                parts.append(ALPHABET[ZEROS] + ALPHABET[run - 2])
                place += run
                continue
        parts.append(_SMALL[number + 27] if -27 <= number <= 27 else _long(number))
        place += 1
    return "".join(parts)


def _zigzag(number: int) -> int:
    return 2 * number if number >= 0 else -2 * number - 1


_SMALL = tuple(ALPHABET[_zigzag(number)] for number in range(-27, 28))


def _long(number: int) -> str:
    rest = _zigzag(number) - ONES
    if rest < _TWO_COUNT:
        return ALPHABET[TWOS + rest // BASE] + ALPHABET[rest % BASE]
    rest -= _TWO_COUNT
    if rest < _THREE_COUNT:
        return ALPHABET[THREES + rest // BASE**2] + _digits(rest % BASE**2, 2)
    rest -= _THREE_COUNT
    if rest >= BASE**4:
        raise ValueError(f"expected a number within ±31 million, got {number}")
    return ALPHABET[FIVES] + _digits(rest, 4)


def _digits(rest: int, count: int) -> str:
    return "".join(ALPHABET[rest // BASE**power % BASE] for power in reversed(range(count)))


def unpack(text: str) -> Iterable[int]:
    r"""Read what :func:`pack` wrote.

    Args:
        text: the packed numbers.

    Yields:
        The numbers.

    Example:
        >>> list(unpack(pack([7])))
        [7]
    """
    codes = [ALPHABET.index(letter) for letter in text]
    place = 0

    def take(count: int) -> int:
        nonlocal place
        value = 0
        for code in codes[place : place + count]:
            value = value * BASE + code
        place += count
        return value

    while place < len(codes):
        lead = take(1)
        if lead < ONES:
            yield _unzigzag(lead)
        elif lead == ZEROS:
            yield from [0] * (take(1) + 2)
        elif lead < THREES:
            yield _unzigzag(ONES + (lead - TWOS) * BASE + take(1))
        elif lead < FIVES:
            yield _unzigzag(ONES + _TWO_COUNT + (lead - THREES) * BASE**2 + take(2))
        else:
            yield _unzigzag(ONES + _TWO_COUNT + _THREE_COUNT + take(4))


def _unzigzag(code: int) -> int:
    return code // 2 if code % 2 == 0 else -(code + 1) // 2
