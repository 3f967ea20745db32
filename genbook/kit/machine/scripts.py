"""The scripts beside these modules, without their comments and indents."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent


@lru_cache(maxsize=8)
def script(name: str) -> str:
    r"""A script, squeezed.

    Args:
        name: of the file, such as ``"noise"``.

    Returns:
        JavaScript.

    Example:
        >>> text = script("noise")
        >>> "threefry" in text, "//" in text
        (True, False)
    """
    text = (HERE / f"{name}.js").read_text(encoding="utf-8")
    text = re.sub(r"^\s*//.*$|\s+// .*$", "", text, flags=re.MULTILINE)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
