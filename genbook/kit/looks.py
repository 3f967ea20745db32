"""The style sheet of figures, for outputs that stand alone."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

SHEET = Path(__file__).with_name("static") / "explore.css"


@lru_cache(maxsize=1)
def style() -> str:
    r"""explore.css without its comments and blank.

    Example:
        >>> "/*" in style()
        False
    """
    text = re.sub(r"/\*.*?\*/", "", SHEET.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"\s*([{};,>])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()
