"""What the book's build needs beyond Jupyter Book.

- notebooks run in static mode, on data that is already there (:mod:`.environment`);
- a notebook runs again when the code, data or settings it depends on change (:mod:`.fingerprints`);
- notebooks that must run do so side by side (:mod:`.prerun`);
- the reference, written from the code (:mod:`.reference`);
- the page *What this book verifies* (:mod:`.verified`);
- accessible, script-light pages (:mod:`.pages`).
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from genbook.kit.sphinx_ext import environment, fingerprints, pages, prerun, reference, verified


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    for part in (environment, fingerprints, prerun, reference, verified, pages):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
