"""Formulas in a figure as flowing text, so that they look right in the page's own font."""

from __future__ import annotations

import re
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font

from genbook.kit.svg.tree import Node

_STYLE = re.compile(r"([\w-]+):\s*([^;]+)")


def flow(text: Node) -> None:
    r"""Join the single characters that matplotlib placed for its own font into runs.

    A character stays with the run before it unless its style, its height or a gap sets it apart;
    then a new run begins, moved by what was measured. Formulas in which characters stand above
    each other keep matplotlib's places.

    Args:
        text: a ``text`` element whose children are ``tspan`` elements of one character.
    """
    spans = sorted(text.children, key=lambda span: float(span.attributes["x"]))
    runs: list[Node] = []
    end = height = 0.0
    for span in spans:
        x, y = float(span.attributes["x"]), float(span.attributes["y"])
        style = dict(_STYLE.findall(span.attributes["style"]))
        size = float(style["font-size"].removesuffix("px"))
        gap = x - end if runs else 0.0
        if gap < -0.15 * size:
            return
        apart = gap > 0.12 * size
        if runs and not apart and y == height and _alike(runs[-1], span):
            runs[-1].text += span.text
        else:
            runs.append(_run(span, gap if apart else 0.0, y - height, first=not runs))
        end, height = x + _advance(span.text, size, style), y
    text.children = runs


def _alike(run: Node, span: Node) -> bool:
    return run.attributes["style"] == span.attributes["style"]


def _run(span: Node, dx: float, dy: float, *, first: bool) -> Node:
    kept = {"style": span.attributes["style"]}
    if first:
        kept.update(x=span.attributes["x"], y=span.attributes["y"])
    else:
        kept.update({name: f"{d:.6f}" for name, d in (("dx", dx), ("dy", dy)) if d})
    return type(span)(span.tag, kept, span.text)


@lru_cache(maxsize=4096)
def _width(letter: str, size: float, family: str, style: str, weight: str) -> float:
    wanted = FontProperties(family=family, style=style, weight=weight)  # type: ignore[arg-type]
    font = get_font(findfont(wanted))
    font.set_size(size, 72)
    return float(font.load_char(ord(letter)).linearHoriAdvance / 65536)


def _advance(letter: str, size: float, style: dict[str, str]) -> float:
    family = style.get("font-family", "DejaVu Sans").strip("'\" ")
    weight = style.get("font-weight", "400")
    return _width(letter, size, family, style.get("font-style", "normal"), weight)
