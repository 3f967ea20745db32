"""What the book's build needs beyond Jupyter Book.

- notebooks run in static mode, on data that is already there (:mod:`.environment`);
- a notebook runs again when the code, data or settings it depends on change (:mod:`.fingerprints`);
- notebooks that must run do so side by side (:mod:`.prerun`);
- the reference, written from the code (:mod:`.reference`);
- the page *What this book verifies* (:mod:`.verified`);
- plumbing and receipts folded, the idea open (:mod:`.folding`);
- accessible, script-light pages (:mod:`.pages`);
- stored pages that hold no other (:mod:`.detached`).
"""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from genbook.kit.sphinx_ext import (
    detached,
    environment,
    fingerprints,
    folding,
    pages,
    prerun,
    reference,
    verified,
)

SELDOM = 200_000
"""New objects between two collections: the trees of the pages are millions, and hold no rubbish."""


def written_by() -> str:
    """A digest of the code that writes the pages: when it changes, all are written again."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension with Sphinx."""
    gc.set_threshold(SELDOM)
    app.add_config_value("genbook_writer", written_by(), "html")
    for part in (environment, fingerprints, prerun, reference, verified, folding, pages, detached):
        part.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
