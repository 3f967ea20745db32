"""What is shown in a notebook and told on a console, whatever letters the console knows."""

from __future__ import annotations

import sys
from typing import Any

import IPython.display
from IPython.core.interactiveshell import InteractiveShell


def display(thing: Any, *, raw: bool = False) -> None:
    r"""Show something in a notebook; where there is none, print its text.

    Args:
        thing: an object that IPython knows how to show, or MIME type → text.
        raw: whether it is the latter.

    Example:
        >>> display({"text/plain": "a figure", "text/html": "<svg>"}, raw=True)
        a figure
    """
    if InteractiveShell.initialized():
        IPython.display.display(thing, raw=raw)
    else:
        print(encodable(str(thing["text/plain"] if raw else thing)))


def encodable(line: str) -> str:
    r"""A line that this console can print: where it knows no ✓, plain letters stand for it.

    Args:
        line: what to print.

    Returns:
        The line, or its nearest form in the console's encoding.

    Example:
        >>> encodable("ab")
        'ab'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        plain = line.replace("✓", "ok").replace("✗", "x").replace("…", "...")
        return plain.encode(encoding, "replace").decode(encoding)
    return line
