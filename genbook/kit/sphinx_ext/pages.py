"""Finish the pages: the book's own style sheet, and nothing that asks another host."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

STATIC = Path(__file__).parents[1] / "static"


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for a box we leave out
    app.connect("builder-inited", add_static)


def add_static(app: Sphinx) -> None:
    """Serve the kit's style sheet with the book."""
    app.config.html_static_path.append(str(STATIC))
    app.add_css_file("genbook.css")
