"""Numbers, paths and transforms in as few characters as a hundredth of a point needs."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"-?\d*\.?\d+(?:e[-+]?\d+)?")

_LONG = re.compile(r"-?\d+\.\d{3,}")
_PATH = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_CALL = re.compile(r"(\w+)\(([^)]*)\)")


def short_number(value: float, digits: int) -> str:
    r"""Write ``value`` with at most ``digits`` decimals and no zeros at the end.

    Example:
        >>> short_number(1.5001, 2), short_number(-0.001, 2)
        ('1.5', '0')
    """
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def rounded(text: str) -> str:
    r"""Round every number of three decimals or more in ``text`` to hundredths.

    Example:
        >>> rounded("1.23456 2 3.5000001")
        '1.23 2 3.5'
    """
    return _LONG.sub(_hundredths, text)


def short_path(data: str) -> str:
    r"""One letter for a run of like commands, one blank between numbers.

    Example:
        >>> short_path("M 1.0001 2 L 3 4.12345 L 5 6 z")
        'M1 2 3 4.12 5 6Z'
    """
    parts: list[str] = []
    previous = ""
    for letter, numbers in _PATH.findall(data):
        short = rounded(" ".join(numbers.replace(",", " ").split()))
        follows = {"M": "L"}.get(previous, previous)
        if letter == follows and letter in "LCQ":
            parts.append(" " + short)
            continue
        parts.append(letter.upper() + short)
        previous = letter
    return "".join(parts)


def short_transform(text: str) -> str:
    r"""The calls of a transform without those that move nothing.

    Example:
        >>> short_transform("translate(0 0) rotate(-90.00001)")
        'rotate(-90.00001)'
    """
    return "".join(_short_call(name, body) for name, body in _CALL.findall(text))


def shifted(data: str, height: float) -> str:
    r"""Move a path down by ``height``; every second number is a y.

    Example:
        >>> shifted("M 1 2 L 3 4", 10)
        'M 1 12.000000 L 3 14.000000'
    """
    numbers = iter(range(10**9))

    def move(match: re.Match[str]) -> str:
        return match[0] if next(numbers) % 2 == 0 else f"{float(match[0]) + height:.6f}"

    return _NUMBER.sub(move, data)


def _short_call(name: str, body: str) -> str:
    numbers = [float(number) for number in _NUMBER.findall(body)]
    if (name == "rotate" and numbers[0] == 0) or (name == "translate" and not any(numbers)):
        return ""
    exact = {"rotate": 1, "scale": 2, "matrix": 4}.get(name, 0)
    short = [short_number(x, 6 if i < exact else 2) for i, x in enumerate(numbers)]
    return f"{name}({' '.join(short)})"


def _hundredths(match: re.Match[str]) -> str:
    return short_number(float(match[0]), 2)
