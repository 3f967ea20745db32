"""The form that needs no kernel: one figure of HTML with every frame in it."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from genbook.kit.explore.controls import Grid
from genbook.kit.looks import style

HERE = Path(__file__).parent

STILL = "This figure moves in a browser of 2021 or later, with scripts allowed."
"""Stands until the script has made the controls; where it cannot, the first frame stands, too."""


def page(
    *,
    name: str,
    edition: str,
    drawing: str,
    stage: str,
    stacked: str,
    caption: str,
    grid: Grid,
    spec: dict[str, Any],
) -> str:
    r"""Write an explorable for a page without a kernel.

    It holds the first drawing and its caption as plain HTML, so that they stand without
    scripting, then the data and the script that make the controls.

    Args:
        name: the figure's id.
        edition: tells its frames from those that the same figure has on other data.
        drawing: the first frame's SVG.
        stage: the tag around it, see :func:`genbook.kit.svg.opening`.
        stacked: its columns below one another, for a narrow screen; may be empty.
        caption: HTML.
        grid: the controls.
        spec: what the script needs to know of them, and what changes between frames.

    Returns:
        A ``<figure>``.
    """
    data = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
    data = data.replace("</", "<\\/").replace("<!--", "<\\u0021--")
    first = ", ".join(f"{c.label} = {c.texts[c.start]} {c.unit}".rstrip() for c in grid.controls)
    key = hashlib.sha256(script().encode()).hexdigest()[:8]
    return (
        f'<figure class="gb-explore" id="{name}" data-edition="{edition}" '
        'data-genbook-explore="waiting">'
        f"<style>{style()}</style>"
        f"{stage}{drawing}{stacked}</div>"
        '<div class="gb-controls" role="group" aria-label="Controls of the figure" hidden></div>'
        '<p class="gb-note"></p>'
        f'<p class="gb-readout" aria-live="polite">{escape(first)}</p>'
        f'<p class="gb-still">{STILL}</p>'
        f"<figcaption>{caption}</figcaption>"
        f'<script type="application/json">{data}</script>'
        f'<script>(()=>{{const key="genbookExplore_{key}";'
        f"if(!window[key]){{{script()}\nwindow[key]={{mount,render}};}}"
        f'const here=document.currentScript&&document.currentScript.closest("figure");'
        f'window[key].mount(here||document.getElementById("{name}"))}})()</script>'
        "</figure>"
    )


@lru_cache(maxsize=1)
def script() -> str:
    r"""The page's script: explore.js without its comments, blank and ``export``.

    Example:
        >>> "export" in script()
        False
    """
    text = module()
    text = re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"  // .*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^export default .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n\s*", "\n", text).strip()


@lru_cache(maxsize=1)
def module() -> str:
    r"""explore.js, which anywidget loads as it is.

    Example:
        >>> "export default" in module()
        True
    """
    return (HERE / "explore.js").read_text(encoding="utf-8")
