"""Finish the pages: the book's style sheet, and the theme's slips in accessibility mended."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

STATIC = (Path(__file__).parents[1] / "static", Path(__file__).with_name("static"))

MENDED = (
    # the book's name in the side bar stood in no landmark
    (
        '<div id="pst-primary-sidebar" class=',
        '<div id="pst-primary-sidebar" role="navigation" aria-label="Book" class=',
    ),
    (
        '<dialog id="pst-primary-sidebar-modal"></dialog>',
        '<dialog id="pst-primary-sidebar-modal" aria-label="Book"></dialog>',
    ),
    # a list whose children are no list items; a role that ARIA has withdrawn
    ('<div role="list" class="citation-list">', '<div class="citation-list">'),
    (' role="doc-biblioentry"', ""),
)


FIGURE_SCRIPT = re.compile(
    r"if\(!window\[key\]\)\{.*?\nwindow\[key\]=\{mount,render\};\}", re.DOTALL
)
"""What each explorable brings, so that it moves alone; on one page the first is enough."""


BROUGHT = re.compile(
    r'(<script type="application/json" data-genbook-brought="([\w-]+)">)(\{.*?\})(</script>)',
    re.DOTALL,
)
"""A machine's programs and trained weights: they move out of the page into a script beside it."""


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_config_value("comments_config", {}, "")  # Jupyter Book sets it for a box we leave out
    app.connect("builder-inited", add_static)
    app.connect("build-finished", mend_pages)


def add_static(app: Sphinx) -> None:
    """Serve the kit's style sheets and scripts with the book."""
    app.config.html_static_path.extend(map(str, STATIC))
    app.add_css_file("explore.css")
    app.add_css_file("genbook.css")
    for script in ("print.js", "reading.js", "predict.js", "equations.js"):
        app.add_js_file(script)


def mend_pages(app: Sphinx, failure: Exception | None) -> None:
    """Mend every page of the output, once."""
    if failure is None and app.builder.format == "html":
        for path in _pages(Path(app.outdir)):
            text = path.read_text(encoding="utf-8")
            static = Path(app.outdir) / "_static"
            better, brought = parted(mended(text), os.path.relpath(static, path.parent))
            for name, script in brought.items():
                (static / name).write_text(script, encoding="utf-8")
            if better != text:
                path.write_text(better, encoding="utf-8")


def parted(html: str, static: str) -> tuple[str, dict[str, str]]:
    r"""A page without its machines' programs and weights, and scripts that bring them.

    Args:
        html: a page.
        static: the way from the page to the folder of scripts.

    Returns:
        The page, and scripts by their files' names.

    Example:
        >>> tag = '<script type="application/json" data-genbook-brought="vae">'
        >>> page, scripts = parted(tag + '{"packed":{},"worker":"run()"}</script>', "../_static")
        >>> print(page.removeprefix(tag))
        "../_static/machine-vae.js"</script>
        >>> scripts
        {'machine-vae.js': '(window.genbookBrought||={})["vae"]={"packed":{},"worker":"run()"};'}
    """
    scripts: dict[str, str] = {}

    def out(match: re.Match[str]) -> str:
        before, name, brought, after = match.groups()
        scripts[f"machine-{name}.js"] = f'(window.genbookBrought||={{}})["{name}"]={brought};'
        return f'{before}"{static}/machine-{name}.js"{after}'

    return BROUGHT.sub(out, html), scripts


def _pages(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.html"):
        if "_static" not in path.relative_to(folder).parts:
            yield path


def mended(html: str) -> str:
    r"""A page with the theme's slips mended, and the figures' script once; twice changes nothing.

    Args:
        html: a page.

    Returns:
        The page.

    Example:
        >>> mended('<div class="citation" id="a" role="doc-biblioentry">')
        '<div class="citation" id="a">'
    """
    for wrong, right in MENDED:
        html = html.replace(wrong, right)
    seen: set[str] = set()

    def once(match: re.Match[str]) -> str:
        again = match[0] in seen
        seen.add(match[0])
        return "" if again else match[0]

    return FIGURE_SCRIPT.sub(once, html)
