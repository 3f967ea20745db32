"""The whole book as one PDF: each page printed by Chromium, bound with contents and numbers.

Playwright and pypdf belong to the developers' tools; what needs them imports them.
"""

from __future__ import annotations

import html
import io
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from genbook.kit.files import check_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from pypdf import PdfWriter

REFERENCE = "book/api/"
"""Pages made from docstrings; they stay on the screen."""

HEADINGS = """() => [...document.querySelectorAll('.bd-article h1, .bd-article section > h2')].map(
  (heading) => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll('a.headerlink, button').forEach((part) => part.remove());
    return copy.textContent.trim();
  })"""

NAME_PLACES = """() => {
  const article = document.querySelector('.bd-article');
  for (const place of article.querySelectorAll('[id]:not(svg *)')) {
    const link = document.createElement('a');
    link.href = '#' + place.id;
    link.textContent = '\\u200b';
    link.style.cssText = 'position: absolute; top: 0; left: 0; font-size: 1px';
    article.append(link);
  }}"""
"""Chromium names in the PDF only those places to which the page itself links."""

PATIENCE = 900.0
"""Seconds that a page may take to load, on a machine that has other work, too."""

LAYOUT: dict[str, Any] = {
    "format": "A4",
    "print_background": True,
    "margin": {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"},
}


@dataclass(frozen=True)
class Leaf:
    r"""A page of the book as it was printed.

    Args:
        path: the html file.
        title: its heading.
        pdf: what Chromium printed.
        sheets: how many sheets that are.
        sections: each section's heading, and the sheet on which it begins, from 0.
    """

    path: Path
    title: str
    pdf: bytes
    sheets: int
    sections: tuple[tuple[str, int], ...] = ()


def in_order(toc: Path) -> list[str]:
    r"""The book's pages in the order of its table of contents, without the code's reference.

    Args:
        toc: ``_toc.yml``.

    Returns:
        Names of documents such as ``"book/wgan"``, the root first.

    Raises:
        ValueError: if there is no such file.
    """
    from sphinx_external_toc.parsing import parse_toc_yaml

    if not toc.is_file():
        raise ValueError(f"expected a table of contents, found no {toc.name}; run in the checkout")
    site = parse_toc_yaml(toc)

    def walk(name: str) -> Iterator[str]:
        yield name
        for tree in site[name].subtrees if name in site else []:
            for item in tree.items:
                if not str(item).startswith(REFERENCE):
                    yield from walk(str(item))

    return list(walk(site.root.docname))


def print_book(build: Path, toc: Path, target: Path, *, solutions: bool = False) -> int:
    r"""Print the built book into one PDF with contents, an outline, links and page numbers.

    Args:
        build: the folder of the built html.
        toc: ``_toc.yml``.
        target: the PDF to write.
        solutions: print the worked solutions, too.

    Returns:
        The number of sheets.

    Raises:
        ValueError: if the book is not built, the target's folder cannot be written, or Chromium,
            playwright or pypdf is not installed.
    """
    check_folder(target.parent, "the folder of the PDF")
    paths = [build / f"{name}.html" for name in in_order(toc)]
    if missing := [path.stem for path in paths if not path.is_file()]:
        raise ValueError(f"{', '.join(missing)}: not built yet; run make book first")
    with chromium() as browser:
        leaves = [printed(browser, path, solutions=solutions) for path in paths]
        book = bound(browser, leaves)
    with target.open("wb") as file:
        book.write(file)
    return len(book.pages)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ValueError("playwright is not installed: pip install -e '.[dev]'") from None
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise ValueError("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def printed(browser: Browser, path: Path, *, solutions: bool = False) -> Leaf:
    r"""Print one page, in light colours and with its equations set.

    Args:
        browser: Chromium.
        path: a page of the built book.
        solutions: open the solutions of its exercises.

    Returns:
        The page as it was printed.

    Raises:
        ValueError: if it is not loaded and set after :data:`PATIENCE`.
    """
    from playwright.sync_api import TimeoutError as TooSlow

    page = browser.new_page(viewport={"width": 1000, "height": 1400})
    page.set_default_timeout(1000 * PATIENCE)
    try:
        page.goto(path.absolute().as_uri())
        page.evaluate("document.documentElement.dataset.theme = 'light'")
        page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
        page.wait_for_function("document.fonts.status === 'loaded'")
        if solutions:
            page.evaluate(
                """document.querySelectorAll('details.sd-dropdown, details.gb-solution')
                .forEach((fold) => (fold.open = true))"""
            )
        page.add_style_tag(content="#jb-print-toc { display: none }")
        page.evaluate(NAME_PLACES)
        title, *sections = page.evaluate(HEADINGS)
        pdf = page.pdf(outline=True, tagged=True, **LAYOUT)
    except TooSlow as late:
        raise ValueError(f"{path.name}: not ready to print after {PATIENCE:g} s") from late
    finally:
        page.close()
    begins = zip(sections, _second_level(_reader(pdf)), strict=True)
    return Leaf(path, title, pdf, _sheets(pdf), tuple(begins))


def _second_level(reader: Any) -> list[int]:
    """The sheets on which the sections begin, by the outline that Chromium makes of headings."""
    inner = [entry for part in reader.outline if isinstance(part, list) for entry in part]
    return [
        int(reader.get_destination_page_number(entry))
        for entry in inner
        if not isinstance(entry, list)
    ]


def _sheets(pdf: bytes) -> int:
    return len(_reader(pdf).pages)


def _reader(pdf: bytes) -> Any:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise ValueError("pypdf is not installed: pip install -e '.[dev]'") from None
    return PdfReader(io.BytesIO(pdf))


def bound(browser: Browser, leaves: Sequence[Leaf]) -> PdfWriter:
    r"""Bind printed pages behind a page of contents; number the sheets; keep links inside.

    Args:
        browser: Chromium, which prints contents and numbers.
        leaves: the pages in order.

    Returns:
        The book.
    """
    from pypdf import PdfWriter

    front = _set(browser, contents(leaves, [0] * len(leaves)))
    first = _sheets(front)
    starts = [first + sum(leaf.sheets for leaf in leaves[:k]) for k in range(len(leaves))]
    front = _set(browser, contents(leaves, [start + 1 for start in starts]))
    book = PdfWriter()
    book.append(io.BytesIO(front), outline_item="Contents", import_outline=False)
    for leaf, start in zip(leaves, starts, strict=True):
        book.append(io.BytesIO(leaf.pdf), import_outline=False)
        chapter = book.add_outline_item(title=leaf.title, page_number=start)
        for heading, sheet in leaf.sections:
            book.add_outline_item(title=heading, page_number=start + sheet, parent=chapter)
    numbers = _reader(_set(browser, page_numbers(len(book.pages))))
    for page, number in zip(book.pages, numbers.pages, strict=True):
        page.merge_page(number)
    _keep_links_inside(book, leaves, starts)
    return book


def _set(browser: Browser, page_html: str) -> bytes:
    page = browser.new_page()
    try:
        page.set_content(page_html)
        return page.pdf(**LAYOUT)
    finally:
        page.close()


def contents(leaves: Sequence[Leaf], starts: Sequence[int]) -> str:
    r"""The title and the table of contents, in html.

    Args:
        leaves: the pages; the first is the book's own.
        starts: the number of each one's first sheet, from 1.

    Returns:
        A page.

    Example:
        >>> leaf = Leaf(Path("a.html"), "A & B", b"", 3)
        >>> "A &amp; B" in contents([leaf], [2])
        True
    """
    rows = "".join(
        f"<tr><td>{html.escape(leaf.title)}</td><td>{start}</td></tr>"
        for leaf, start in zip(leaves, starts, strict=True)
    )
    return (
        "<style>body { font: 12pt sans-serif } h1 { font-size: 30pt; margin-top: 50mm }"
        "table { width: 100%; border-spacing: 0 6pt } td:last-child { text-align: right }</style>"
        f"<h1>{html.escape(leaves[0].title)}</h1><h2>Contents</h2><table>{rows}</table>"
    )


def page_numbers(count: int) -> str:
    r"""As many empty sheets as asked for, each with its number at the foot, in html.

    Args:
        count: how many.

    Returns:
        A page.

    Example:
        >>> page_numbers(2).count("<div>")
        2
    """
    sheets = "".join(f"<div><span>{number}</span></div>" for number in range(1, count + 1))
    return (
        "<style>body { margin: 0; font: 9pt sans-serif; color: #444 }"
        "div { position: relative; height: 258mm; break-after: page }"
        "div:last-child { break-after: auto }"
        "span { position: absolute; bottom: 0; right: 0 }</style>" + sheets
    )


def _keep_links_inside(book: PdfWriter, leaves: Sequence[Leaf], starts: Sequence[int]) -> None:
    """A link to a place of the book leads to that place; one to another file is no link.

    Two chapters may name places alike, so a name is looked up in the chapter that uses it.
    """
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    goals: dict[tuple[Path, str], Any] = {}
    for leaf, start in zip(leaves, starts, strict=True):
        path, reader = leaf.path.absolute(), _reader(leaf.pdf)
        goals[path, ""] = ArrayObject([book.pages[start].indirect_reference, NameObject("/Fit")])
        for name, place in reader.named_destinations.items():
            sheet = book.pages[start + reader.get_destination_page_number(place)]
            goal = ArrayObject([sheet.indirect_reference, *place.dest_array[1:]])
            goals[path, unquote(name.removeprefix("/"))] = goal
    for leaf, start in zip(leaves, starts, strict=True):
        for sheet in book.pages[start : start + leaf.sheets]:
            kept = ArrayObject()
            for reference in sheet.get("/Annots", ()):
                link = reference.get_object()
                action = link.get("/A", {})
                uri = urlsplit(str(action.get("/URI", "")))
                named = link.get("/Dest", action.get("/D"))
                if uri.scheme == "file":
                    path, name = Path(unquote(uri.path)), unquote(uri.fragment)
                elif isinstance(named, str):
                    path, name = leaf.path.absolute(), unquote(named.removeprefix("/"))
                else:
                    kept.append(reference)
                    continue
                if (path, "") not in goals:
                    continue
                goal = goals.get((path, name), goals[path, ""])
                link.pop("/Dest", None)
                link[NameObject("/A")] = DictionaryObject(
                    {NameObject("/S"): NameObject("/GoTo"), NameObject("/D"): goal}
                )
                kept.append(reference)
            if "/Annots" in sheet:
                sheet[NameObject("/Annots")] = kept
