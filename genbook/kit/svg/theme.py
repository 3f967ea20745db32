"""The book's colours as CSS variables, and the ink as the page's text colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from genbook.kit import palette

PAPER = "#ffffff"

_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")


@lru_cache(maxsize=512)
def themed(value: str, *, is_text: bool) -> str:
    r"""The book's colours in ``value`` as variables that the page's theme sets.

    Args:
        value: of a style or an attribute.
        is_text: whether it colours text, which needs the more contrast.

    Example:
        >>> themed("#010203", is_text=False)
        'currentColor'
    """
    if "#" not in value or value.startswith("url("):
        return value
    return _HEX.sub(lambda match: _colour(match[0].lower(), is_text), value)


def _colour(code: str, is_text: bool) -> str:
    if code in _inks():
        return "currentColor"
    name = _names().get(code)
    if name is None:
        return code
    if is_text:
        return f"var(--gb-{name}-text,{code})"
    return f"var(--gb-{name},{code})"


@lru_cache(maxsize=1)
def _inks() -> frozenset[str]:
    return frozenset({"#000000", palette.INK.lower()})


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    words = ("data", "model", "critic", "gradient", "muted")
    names = {getattr(palette, word.upper()).lower(): word for word in words}
    for place, code in enumerate(palette.SERIES):
        names.setdefault(code.lower(), f"series-{place + 1}")
    return MappingProxyType({**names, PAPER: "paper"})
