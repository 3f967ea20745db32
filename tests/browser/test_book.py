"""The built book, opened from disk: every explorable on every page, and the pages themselves."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import pages
from browser.conftest import Visits
from browser.pages import Open
from playwright.sync_api import Locator, Page

from genbook.kit import svg

BUILT = sorted((pages.BUILD / "html" / "book").glob("*.html"))


@pytest.fixture(scope="module", params=BUILT or [None], ids=lambda p: p.stem if p else "no book")
def path(request: pytest.FixtureRequest) -> Path:
    """Every page in turn, with all its tests in a row; there is no skipping it."""
    if request.param is None:
        pytest.fail("the book isn't built: run make book first")
    return Path(request.param)


@pytest.fixture(scope="module")
def standing(path: Path, visits: Visits) -> Iterator[Page]:
    """The page, loaded once."""
    page = visits.open(path)
    pages.settle(page)
    yield page
    page.context.close()


def figures(page: Page) -> list[Locator]:
    found = page.locator(pages.FIGURE)
    assert found.count() == page.locator(pages.READY).count()
    return [found.nth(k) for k in range(found.count())]


def name_of(figure: Locator) -> str:
    return str(figure.get_attribute("id"))


def test_a_move_takes_no_longer_than_writing_twelve_thousand_numbers(
    fresh: Page, report: dict[str, Any]
) -> None:
    if not figures(fresh):
        return
    measured = pages.quickest(fresh, lambda: figures(fresh))
    for figure, times in zip(figures(fresh), measured, strict=True):
        report[f"timing, {Path(fresh.url).stem}, {name_of(figure)} (ms)"] = times
    assert all(times["yardsticks"] <= pages.SLOWEST for times in measured)


def test_every_explorable_shows_pythons_frames_at_five_random_points(page: Page) -> None:
    for figure in figures(page):
        for point in pages.references(figure)["points"]:
            pages.put(figure, point["place"])
            assert pages.alike(pages.drawing(figure), svg.parse(point["svg"])) == []


@pytest.mark.parametrize("means", ["keys", "mouse"])
def test_every_control_leads_to_pythons_frame(page: Page, means: str) -> None:
    for figure in figures(page):
        for point in pages.references(figure)["points"]:
            for control in pages.fields(figure):
                drive(page, figure, control, point["place"][control["name"]], means)
            assert pages.place(figure) == point["place"]
            assert pages.alike(pages.drawing(figure), svg.parse(point["svg"])) == []


def drive(page: Page, figure: Locator, control: dict[str, Any], wanted: int, means: str) -> None:
    """Bring one control to a place as a reader would."""
    field = figure.locator(f"#{control['id']}")
    if control["kind"] == "checkbox":
        if field.is_checked() != bool(wanted):
            if means == "mouse":
                field.click()
            else:
                field.press("Space")
    elif control["kind"] == "select-one":
        if means == "mouse":
            field.select_option(index=wanted)
        else:
            field.press("Home")
            for _ in range(wanted):
                field.press("ArrowDown")
    elif means == "mouse":
        last = pages.shape(figure)[control["name"]] - 1
        field.scroll_into_view_if_needed()
        box = field.bounding_box()
        assert box is not None
        x = 8 + wanted / last * (box["width"] - 16)  # the thumb is 16 pixels wide
        field.click(position={"x": x, "y": box["height"] / 2})
        reached = pages.place(figure)[control["name"]]
        assert abs(reached - wanted) <= 1 + last * 8 / box["width"]
        for _ in range(abs(reached - wanted)):
            page.keyboard.press("ArrowRight" if wanted > reached else "ArrowLeft")
    else:
        last = pages.shape(figure)[control["name"]] - 1
        end, arrow = ("Home", "ArrowRight") if 2 * wanted <= last else ("End", "ArrowLeft")
        field.press(end)
        for _ in range(min(wanted, last - wanted)):
            page.keyboard.press(arrow)


def test_every_play_button_plays_and_pauses(page: Page) -> None:
    for figure in figures(page):
        for control in (c for c in pages.fields(figure) if c["play"]):
            pages.put(figure, {control["name"]: 0})
            index = [c["name"] for c in pages.fields(figure)].index(control["name"])
            button = figure.locator(f"#{control['id']}").locator("xpath=..").locator(".gb-play")
            button.click()
            page.wait_for_function(
                "([f, k]) => f.genbook.place[k] > 1", arg=[figure.element_handle(), index]
            )
            button.press("Enter")
            stopped = pages.place(figure)
            drawn = svg.serialise(pages.drawing(figure))
            pages.put(figure, {control["name"]: 0})
            pages.put(figure, stopped)
            assert svg.serialise(pages.drawing(figure)) == drawn


def test_a_page_weighs_less_than_1_mb(path: Path, page: Page, report: dict[str, Any]) -> None:
    data = path.read_bytes()
    report[f"page, {path.stem}"] = {
        "kB": len(data) / 1e3,
        "kB gzipped": len(gzip.compress(data)) / 1e3,
        "explorables": len(figures(page)),
    }
    for figure in figures(page):
        drawn = pages.references(figure)
        report[f"frames, {path.stem}, {drawn['name']}"] = {
            "frames": drawn["frames"],
            "bytes a frame": drawn["bytes"] / drawn["frames"],
        }
    assert len(data) <= 1_000_000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_figures_are_legible(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    pages.settle(page)
    for figure in [*figures(page), *page.locator(".gb-picture").all()]:
        assert pages.faint(figure) == []
    found = pages.audit(page)
    assert found.violations_count == 0, found.generate_report()


def test_nothing_overflows_at_360_pixels(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    pages.settle(page)
    assert pages.overflow(page) == []


def test_letters_of_figures_keep_apart_and_inside_in_every_frame(page: Page) -> None:
    for figure in [*figures(page), *page.locator(".gb-picture").all()]:
        assert pages.collisions(figure) == []


def test_no_letter_of_a_figure_is_under_nine_pixels_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    pages.settle(page)
    assert pages.small_letters(page) == []


def test_print_shows_the_current_frame(page: Page) -> None:
    points = {}
    for figure in figures(page):
        points[figure] = random.Random(1).choice(pages.references(figure)["points"])
        pages.put(figure, points[figure]["place"])
    page.emulate_media(media="print")
    for figure, point in points.items():
        assert pages.alike(pages.drawing(figure), svg.parse(point["svg"])) == []
        assert figure.locator(pages.DRAWING).is_visible()
        assert figure.locator("figcaption").is_visible()
        assert not figure.locator(".gb-controls").is_visible()


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_nothing_is_cut_on_paper(page: Page, paper: str) -> None:
    page.set_viewport_size({"width": {"A4": 718, "Letter": 740}[paper], "height": 1000})
    page.emulate_media(media="print")
    pages.settle(page)
    assert pages.cut(page) == []


def test_the_dark_page_is_printed_light_and_dark_again_afterwards(page: Page) -> None:
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    page.wait_for_function("document.documentElement.dataset.theme === 'light'", timeout=5_000)
    assert pages.pale(page) == []
    page.emulate_media(media="screen")
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=5_000)


def test_solutions_are_printed_on_demand_and_closed_again(page: Page) -> None:
    button = page.get_by_role("button", name="Print this page with its solutions")
    if not page.locator("section#exercises").count():
        assert button.count() == 0
        return
    page.evaluate(
        """() => {
        window.counts = [];
        const count = () => window.counts.push(
          document.querySelectorAll('details:not([open])').length);
        count();
        window.print = () => { count(); dispatchEvent(new Event('afterprint')); count(); };}"""
    )
    button.click()
    before, printed, after = page.evaluate("window.counts")
    assert before == after > printed == 0


def test_no_solution_is_seen_before_it_is_asked_for(page: Page) -> None:
    for solution in page.locator("details.gb-solution").all():
        code = solution.locator("pre").last
        assert not code.is_visible()
        solution.locator("summary").click()
        assert code.is_visible()
        solution.locator("summary").click()
    shown = page.locator("section#exercises .highlight-python pre").all()
    if shown:
        assert page.locator("details.gb-solution").count() >= 2


def test_without_scripting_first_frames_and_captions_stand(path: Path, visit: Open) -> None:
    page = visit(path, java_script_enabled=False)
    for figure in page.locator(pages.FIGURE).all():
        assert figure.locator(pages.DRAWING).is_visible()
        assert figure.locator("figcaption").is_visible()
        assert not figure.locator(".gb-controls").is_visible()
