"""The book on paper: contents and outline lead to the right sheets, and links stay inside."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from browser import pages
from playwright.sync_api import Browser, Page
from pypdf import PdfReader, PdfWriter

from genbook.kit import paper

NAMES = ("index", "wgan", "references")
BUILT = sorted((pages.BUILD / "html" / "book").glob("*.html"))
SHEET = round((210 - 2 * 16) / 25.4 * 96)
"""The width of A4 between the margins, in CSS pixels."""
DEAF = "addEventListener('resize', (event) => event.stopImmediatePropagation(), true)"
"""A script of the page doesn't learn that a sheet is narrower than the window."""


@pytest.fixture(scope="module")
def leaves(chromium: Browser) -> list[paper.Leaf]:
    built = pages.BUILD / "html" / "book"
    return [paper.printed(chromium, built / f"{name}.html") for name in NAMES]


@pytest.fixture(scope="module")
def book(chromium: Browser, leaves: list[paper.Leaf]) -> PdfReader:
    return reread(paper.bound(chromium, leaves))


def reread(writer: PdfWriter) -> PdfReader:
    buffer = io.BytesIO()
    writer.write(buffer)
    return PdfReader(buffer)


def flat(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())  # no ligatures


def entries(reader: PdfReader, outline: list[Any]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for entry in outline:
        if isinstance(entry, list):
            found += entries(reader, entry)
        else:
            found.append((str(entry.title), int(reader.get_destination_page_number(entry) or 0)))
    return found


def test_contents_name_the_sheet_on_which_each_page_begins(
    book: PdfReader, leaves: list[paper.Leaf]
) -> None:
    front = flat(book.pages[0].extract_text())
    start = 1
    for leaf in leaves:
        assert flat(f"{leaf.title}{start + 1}") in front
        assert flat(leaf.title) in flat(book.pages[start].extract_text())
        start += leaf.sheets
    assert start == len(book.pages)


def test_the_outline_leads_to_the_sheet_with_the_heading(book: PdfReader) -> None:
    found = entries(book, book.outline)
    assert len(found) > 10
    for title, sheet in found:
        assert flat(title) in flat(book.pages[sheet].extract_text()), title


def test_every_sheet_bears_its_number(book: PdfReader) -> None:
    for number, sheet in enumerate(book.pages, 1):
        assert flat(sheet.extract_text()).endswith(str(number))


def test_links_to_pages_of_the_book_stay_in_it_and_none_leads_to_the_disk(book: PdfReader) -> None:
    goals = []
    for sheet in book.pages:
        for reference in sheet.get("/Annots", ()):
            action = reference.get_object().get("/A", {})
            assert not str(action.get("/URI", "")).startswith("file:")
            if action.get("/S") == "/GoTo" and isinstance(action["/D"], list):
                goals.append(action["/D"][0].get_object())
    assert goals
    assert all(goal["/Type"] == "/Page" for goal in goals)


def test_solutions_are_printed_if_asked_for(chromium: Browser, leaves: list[paper.Leaf]) -> None:
    with_them = paper.printed(chromium, leaves[1].path, solutions=True)
    assert "∎" in "".join(
        sheet.extract_text() for sheet in PdfReader(io.BytesIO(with_them.pdf)).pages
    )
    assert with_them.sheets >= leaves[1].sheets


@contextmanager
def on_a_sheet(chromium: Browser, path: Path) -> Iterator[Page]:
    """The page, loaded in a window and laid out for paper, its folds open."""
    page = chromium.new_page(viewport={"width": 1000, "height": 1400})
    try:
        page.add_init_script(DEAF)
        page.goto(path.as_uri())
        pages.settle(page)
        page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
        pages.settle(page)
        page.emulate_media(media="print")
        page.set_viewport_size({"width": SHEET, "height": 1000})
        pages.settle(page)
        yield page
    finally:
        page.close()


@pytest.mark.parametrize("path", BUILT or [None], ids=lambda p: p.stem if p else "no book")
def test_formulas_keep_to_their_place_and_words_in_tables_are_whole(
    chromium: Browser, path: Path | None
) -> None:
    if path is None:
        pytest.fail("the book isn't built: run make book first")
    with on_a_sheet(chromium, path) as page:
        assert pages.misprinted(page) == []


def formula(width: int, number: str = "") -> str:
    """A formula of one sign, as MathJax sets it, and its number at the right."""
    return (
        f'<div class="math" style="position: relative">{number}<mjx-container display="true">'
        f'<mjx-c style="display: inline-block; width: {width}px">x</mjx-c></mjx-container></div>'
    )


def cell(style: str) -> str:
    return f'<table><tr><td style="padding: 0; {style}">correlation 0.5</td></tr></table>'


NUMBER = '<span class="eqno" style="position: absolute; right: 0; width: 40px">(7)</span>'


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        (formula(500, NUMBER) + cell("width: 30px"), set()),
        (formula(620), {"leaves its place"}),
        (formula(580, NUMBER), {"lies on its number"}),
        (cell("max-width: 30px; overflow-wrap: anywhere"), {"broken in two"}),
        (cell("max-width: 30px"), {"leaves its cell"}),
        (cell("min-width: 700px"), {"wider than the article"}),
    ],
)
def test_what_does_not_fit_a_sheet_is_seen(
    chromium: Browser, tmp_path: Path, body: str, faults: set[str]
) -> None:
    path = tmp_path / "page.html"
    article = f'<article class="bd-article" style="width: 600px">{body}</article>'
    path.write_text(f'<meta charset="utf-8">{article}', encoding="utf-8")
    with on_a_sheet(chromium, path) as page:
        assert {fault.partition(":")[0] for fault in pages.misprinted(page)} == faults


def test_a_book_that_is_not_built_is_refused_before_any_work(tmp_path) -> None:
    toc = tmp_path / "_toc.yml"
    with pytest.raises(ValueError, match=r"no _toc\.yml"):
        paper.print_book(tmp_path, toc, tmp_path / "out.pdf")
    toc.write_text("format: jb-book\nroot: a\nchapters:\n- file: b\n- glob: book/api/*\n")
    assert paper.in_order(toc) == ["a", "b"]
    with pytest.raises(ValueError, match="a, b: not built yet; run make book"):
        paper.print_book(tmp_path, toc, tmp_path / "out.pdf")


def test_a_page_that_never_loads_is_named_and_a_slow_one_is_waited_for(
    chromium: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "slow.html"
    wait = "<script>const end = Date.now() + 1500; while (Date.now() < end);</script>"
    page.write_text(f"{wait}{chapter('Slow', 'slow')}", encoding="utf-8")
    assert paper.printed(chromium, page).title == "Slow"
    monkeypatch.setattr(paper, "PATIENCE", 0.3)
    with pytest.raises(ValueError, match=r"slow\.html: not ready to print after 0\.3 s"):
        paper.printed(chromium, page)


def chapter(title: str, other: str) -> str:
    """Three sheets: links, a section of a name that both chapters have, a formula of its own."""
    return (
        f'<body class="bd-article"><article class="bd-article"><section><h1>{title}</h1>'
        f'<p><a href="#exercises">mine</a> <a href="{other}.html#exercises">theirs</a> '
        f'<a href="{other}.html#eq-7">formula</a> <a href="elsewhere.html">lost</a></p>'
        '<section style="break-before: page" id="exercises"><h2>Exercises</h2></section>'
        '<p style="break-before: page" id="eq-7">eq 7</p></section></article></body>'
    )


def test_each_link_leads_to_its_own_chapters_place(chromium: Browser, tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.html").write_text(chapter(f"Chapter {name}", other), encoding="utf-8")
    leaves = [paper.printed(chromium, tmp_path / f"{name}.html") for name in ("a", "b")]
    book = reread(paper.bound(chromium, leaves))
    assert len(book.pages) == 7
    numbers = {sheet.indirect_reference.idnum: k for k, sheet in enumerate(book.pages)}
    for first, (mine, theirs, formula) in {1: (2, 5, 6), 4: (5, 2, 3)}.items():
        links = [reference.get_object() for reference in book.pages[first].get("/Annots", ())]
        seen = [link for link in links if link["/Rect"][3] - link["/Rect"][1] > 5]
        goals = [numbers[list.__getitem__(link["/A"]["/D"], 0).idnum] for link in seen]
        assert goals == [mine, theirs, formula]
