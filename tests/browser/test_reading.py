"""Reading or code, and predictions: what a page opened from disk remembers of its reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser import pages
from browser.pages import Open
from playwright.sync_api import Page

CHAPTERS = sorted(
    path
    for path in (pages.BUILD / "html" / "book").glob("*.html")
    if path.stem not in {"index", "glossary", "machines", "references", "verified"}
)
SMALLEST = 10.5
"""Half of MathJax's size, in pixels."""

FOLDS = "details.gb-fold, details.gb-proof, details.gb-aside"

LAPTOP = {"width": 1280, "height": 900}
SCREENS = 18
"""How long a chapter may be, in screens of a laptop."""
OTHER_FONTS = 1.1
"""How much longer another machine's fonts may make it, or a part of it."""
OPEN_CODE, RECEIPTS, FIGURES = 0.12, 0.05, 0.20
"""Shares of a chapter's height: at most, at most, at least."""

SHARES = """() => {
  const article = document.querySelector('.bd-article');
  const whole = article.getBoundingClientRect().height;
  const of = (query) => [...article.querySelectorAll(query)]
    .filter((e) => !e.closest('details:not([open])') || e.matches('details'))
    .reduce((sum, e) => sum + e.getBoundingClientRect().height, 0) / whole;
  return {
    screens: whole / 900, code: of('div.highlight'), receipts: of('details.gb-proof'),
    figures: of('figure.gb-explore, figure.gb-picture'), tables: of('table.gb-table'),
  };
}"""


def opened(page: Page) -> int:
    return int(page.evaluate(f"document.querySelectorAll('{FOLDS}').length")) - closed(page)


def closed(page: Page) -> int:
    return int(
        page.evaluate(
            f"[...document.querySelectorAll('{FOLDS}')].filter((fold) => !fold.open).length"
        )
    )


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_open_code_is_the_idea_and_each_cell_has_one_line_of_receipts(
    visit: Open, path: Path, report: dict[str, Any]
) -> None:
    page = visit(path, viewport=LAPTOP)
    pages.settle(page)
    report[f"shares of the height, {path.stem}"] = shares = page.evaluate(SHARES)
    assert shares["screens"] <= SCREENS * OTHER_FONTS
    assert shares["code"] <= OPEN_CODE * OTHER_FONTS
    assert shares["receipts"] <= RECEIPTS * OTHER_FONTS
    assert shares["figures"] >= FIGURES / OTHER_FONTS
    assert opened(page) == 0
    shown = page.locator(".cell > .cell_input")
    asked = shown.filter(has_text="# your code").count()
    assert shown.count() == page.locator(".tag_idea").count() + asked
    assert asked > 0
    assert page.locator(".gb-receipt").count() > 0
    assert (
        page.locator(".gb-receipt").count() == page.locator("details.gb-proof .gb-receipt").count()
    )
    heights = page.locator("details.gb-proof > summary").evaluate_all(
        "summaries => summaries.map((s) => s.getBoundingClientRect().height)"
    )
    assert max(heights) < 40


def test_one_switch_opens_all_code_of_the_book_and_is_remembered(visit: Open) -> None:
    page = visit(CHAPTERS[0])
    switch = page.get_by_role("button", name="Show all code")
    assert switch.get_attribute("aria-pressed") == "false"
    switch.press("Enter")
    assert switch.get_attribute("aria-pressed") == "true"
    assert closed(page) == 0 < opened(page)
    page.goto(CHAPTERS[-1].as_uri())
    assert closed(page) == 0 < opened(page)
    page.get_by_role("button", name="Show all code").click()
    page.reload()
    assert opened(page) == 0 < closed(page)


def test_without_scripts_code_and_receipts_open_by_themselves(visit: Open) -> None:
    page = visit(CHAPTERS[0], java_script_enabled=False)
    proof = page.locator("details.gb-proof").first
    assert not proof.locator(".gb-receipt").first.is_visible()
    proof.locator("summary").click()
    assert proof.locator(".gb-receipt").first.is_visible()
    assert proof.locator("pre").is_visible()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_asks_a_question_with_one_right_choice(visit: Open, path: Path) -> None:
    page = visit(path)
    choices = page.locator("section#predict details.gb-choice")
    assert choices.count() >= 3
    assert page.locator("section#predict details.gb-choice.gb-right").count() == 1
    for place in range(choices.count()):
        right = choices.nth(place).evaluate("c => c.classList.contains('gb-right')")
        text = str(choices.nth(place).locator(".sd-card-body").text_content()).strip()
        assert text.startswith("Right" if right else "No"), text


def test_the_first_choice_counts_is_explained_and_is_remembered(visit: Open) -> None:
    page = visit(CHAPTERS[0])
    status = page.locator("section#predict .gb-score")
    wrong = page.locator("section#predict details.gb-choice:not(.gb-right)").first
    right = page.locator("section#predict details.gb-right")
    assert "first choice counts" in str(status.text_content())
    wrong.locator("summary").press("Enter")
    page.wait_for_selector("section#predict .gb-chosen")
    assert wrong.locator(".sd-card-body").is_visible()
    assert "Your prediction was" in str(status.text_content())
    right.locator("summary").click()
    page.reload()
    assert "Your prediction was" in str(status.text_content())
    assert wrong.evaluate("c => c.classList.contains('gb-chosen')")


def test_predictions_are_counted_over_the_book(visit: Open) -> None:
    page = visit(CHAPTERS[0])
    page.locator("section#predict details.gb-right summary").click()
    status = page.locator("section#predict .gb-score")
    page.wait_for_selector("section#predict .gb-chosen")
    assert str(status.text_content()) == "Predicted right."
    page.goto(CHAPTERS[-1].as_uri())
    page.locator("section#predict details.gb-choice:not(.gb-right) summary").first.click()
    page.wait_for_selector("section#predict .gb-chosen")
    assert str(status.text_content()).endswith("In this book so far: 1 of 2.")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_on_a_phone_an_equation_keeps_to_its_column_or_is_at_its_smallest(
    visit: Open, path: Path
) -> None:
    page = visit(path, viewport={"width": 390, "height": 844})
    pages.settle(page)
    page.wait_for_function("MathJax.startup.promise.then(() => true)")
    wide = page.locator('mjx-container[display="true"]').evaluate_all(
        """equations => equations.filter((e) => e.scrollWidth > e.clientWidth + 1)
          .map((e) => parseFloat(getComputedStyle(e).fontSize))"""
    )
    assert all(size <= SMALLEST for size in wide), wide


def test_an_equation_that_fits_keeps_the_size_that_mathjax_gave_it(visit: Open) -> None:
    page = visit(CHAPTERS[0])
    pages.settle(page)
    page.wait_for_function("MathJax.startup.promise.then(() => true)")
    sizes = page.evaluate(
        """() => ['.bd-article p > .math mjx-container', 'mjx-container[display="true"]']
          .map((query) => getComputedStyle(document.querySelector(query)).fontSize)"""
    )
    assert sizes[0] == sizes[1]
