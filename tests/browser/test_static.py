"""The static form on pages of its own: every control, by every means, shows Python's frame."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import pages
from browser.conftest import Visits
from browser.figures import CASES
from browser.pages import Open
from playwright.sync_api import Locator, Page, expect

from genbook.kit.explore.frames import Artist

STEP = 120  # milliseconds that a playing figure shows a step
MINUTE = 60_000


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every case, one of them twice."""
    path = tmp_path_factory.mktemp("static") / "page.html"
    figures = [case.html() for case in CASES.values()]
    path.write_text(pages.document(*figures, CASES["training"].html()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def artists() -> dict[str, Artist]:
    """Draws the reference frames."""
    return {name: case.artist("salt") for name, case in CASES.items()}


@pytest.fixture(scope="module")
def standing(visits: Visits, written: Path) -> Page:
    """The page, loaded once."""
    return visits.open(written)


def figure_of(page: Page, name: str) -> Locator:
    return page.locator(pages.READY).nth(list(CASES).index(name))


def assert_frame(figure: Locator, artist: Artist) -> None:
    """The drawing in the page is the one that Python draws for the figure's place."""
    artist.salt = figure.evaluate("f => f.id")
    wanted = artist.frame(tuple(pages.place(figure).values()))
    assert pages.alike(pages.drawing(figure), wanted) == []


@pytest.mark.parametrize("name", CASES)
def test_five_random_points_show_the_frames_that_python_draws(
    page: Page, artists: dict[str, Artist], name: str
) -> None:
    figure, artist = figure_of(page, name), artists[name]
    assert_frame(figure, artist)
    for point in random.Random(name).sample(list(artist.grid.places()), 5):
        pages.put(figure, dict(zip(CASES[name].controls, point, strict=True)))
        assert tuple(pages.place(figure).values()) == point
        assert_frame(figure, artist)


@pytest.mark.parametrize("name", ["mu", "sigma"])
def test_keys_move_a_slider(page: Page, artists: dict[str, Artist], name: str) -> None:
    figure = figure_of(page, "curves")
    slider = pages.field(figure, name)
    slider.focus()
    last = pages.shape(figure)[name] - 1
    for key, wanted in (("Home", 0), ("ArrowRight", 1), ("ArrowUp", 2), ("End", last)):
        page.keyboard.press(key)
        assert pages.place(figure)[name] == wanted
        assert_frame(figure, artists["curves"])


@pytest.mark.parametrize("share", [0.02, 0.35, 0.98])
def test_the_mouse_moves_a_slider(page: Page, artists: dict[str, Artist], share: float) -> None:
    figure = figure_of(page, "curves")
    slider = pages.field(figure, "mu")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": share * box["width"], "y": box["height"] / 2})
    assert abs(pages.place(figure)["mu"] - share * 8) <= 1
    assert_frame(figure, artists["curves"])


def test_a_menu_obeys_mouse_and_keys(page: Page, artists: dict[str, Artist]) -> None:
    figure = figure_of(page, "shapes")
    menu = pages.field(figure, "kind")
    menu.select_option("contours")
    assert pages.place(figure)["kind"] == 2
    assert_frame(figure, artists["shapes"])
    menu.focus()
    page.keyboard.press("ArrowUp")
    assert pages.place(figure)["kind"] == 1
    assert_frame(figure, artists["shapes"])


def test_a_checkbox_obeys_mouse_and_keys(page: Page, artists: dict[str, Artist]) -> None:
    figure = figure_of(page, "shapes")
    figure.get_by_text("bars", exact=True).click()
    assert pages.place(figure)["bars"] == 0
    assert_frame(figure, artists["shapes"])
    page.keyboard.press("Tab")
    pages.field(figure, "bars").focus()
    page.keyboard.press("Space")
    assert pages.place(figure)["bars"] == 1
    assert_frame(figure, artists["shapes"])


@pytest.mark.parametrize("key", ["", "Enter"])
def test_play_runs_to_the_end_and_pauses(
    visit: Open, written: Path, artists: dict[str, Artist], key: str
) -> None:
    page = visit(written, clock=True)
    figure = figure_of(page, "training")
    button = figure.get_by_role("button", name="Play step")

    def press() -> None:
        if key:
            figure.locator(".gb-play").focus()
            page.keyboard.press(key)
        else:
            figure.locator(".gb-play").click()

    press()
    page.clock.run_for(3 * STEP)
    assert pages.place(figure) == {"step": 6}
    press()
    assert_frame(figure, artists["training"])
    page.clock.run_for(MINUTE)
    assert pages.place(figure) == {"step": 6}
    assert button.is_visible()
    press()
    page.clock.run_for(MINUTE)
    assert pages.place(figure) == {"step": 11}
    assert_frame(figure, artists["training"])
    assert button.is_visible()
    press()
    page.clock.run_for(2 * STEP)
    assert pages.place(figure) == {"step": 2}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_plays_by_itself(visit: Open, written: Path, motion: Any) -> None:
    page = visit(written, reduced_motion=motion, clock=True)
    page.clock.run_for(MINUTE)
    assert pages.place(figure_of(page, "training")) == {"step": 3}


def test_play_is_slow_where_less_motion_is_asked_for(visit: Open, written: Path) -> None:
    page = visit(written, reduced_motion="reduce", clock=True)
    figure = figure_of(page, "training")
    figure.locator(".gb-play").click()
    page.clock.run_for(4 * STEP)
    assert pages.place(figure) == {"step": 3}
    page.clock.run_for(STEP)
    assert pages.place(figure) == {"step": 4}


def test_dragging_in_the_axes_sets_both_sliders(page: Page, artists: dict[str, Artist]) -> None:
    figure, board = figure_of(page, "curves"), artists["curves"].grid
    area = figure.locator(".gb-stage > .gb-drag")
    box = area.bounding_box()
    assert box is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + (x + 6) / 12 * box["width"], box["y"] + (1 - y / 2) * box["height"]

    page.mouse.move(*at(0, 1))
    page.mouse.down()
    page.mouse.move(*at(2.1, 0.74))
    page.mouse.up()
    shown = board.values(tuple(pages.place(figure).values()))
    assert shown == {"mu": 2, "sigma": 0.75}
    assert_frame(figure, artists["curves"])
    page.mouse.move(*at(-3, 1))
    assert board.values(tuple(pages.place(figure).values())) == shown


def test_touch_drags_too(visit: Open, written: Path, artists: dict[str, Artist]) -> None:
    page = visit(written, has_touch=True)
    figure = figure_of(page, "curves")
    area = figure.locator(".gb-stage > .gb-drag")
    box = area.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 1, box["y"] + box["height"] / 2)
    assert pages.place(figure)["mu"] == 0
    assert area.evaluate("a => getComputedStyle(a).touchAction") == "pan-y pinch-zoom"


def stroke(page: Page, path: list[tuple[float, float]], *, rest: float = 0) -> None:
    """A finger goes down, rests for some milliseconds, moves along a path and lifts."""
    session = page.context.new_cdp_session(page)
    points = [{"x": x, "y": y} for x, y in path]
    touch = "Input.dispatchTouchEvent"
    session.send(touch, {"type": "touchStart", "touchPoints": points[:1]})
    page.wait_for_timeout(rest)
    for before, after in pairwise(points):
        for share in (0.2, 0.4, 0.6, 0.8, 1.0):
            point = {key: before[key] + share * (after[key] - before[key]) for key in ("x", "y")}
            session.send(touch, {"type": "touchMove", "touchPoints": [point]})
    session.send(touch, {"type": "touchEnd", "touchPoints": []})
    session.detach()


@pytest.fixture
def touched(visit: Open, written: Path) -> tuple[Page, Locator, dict[str, float]]:
    """A page under a finger, its figure that is dragged both ways, and the area's box."""
    page = visit(written, viewport={"width": 700, "height": 500}, has_touch=True)
    figure = figure_of(page, "curves")
    area = figure.locator(".gb-stage > .gb-drag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box is not None
    return page, figure, {k: float(v) for k, v in box.items()}


def at(box: dict[str, float], x: float, y: float) -> tuple[float, float]:
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_a_finger_that_strokes_up_scrolls_the_page_and_moves_nothing(touched: Any) -> None:
    page, figure, box = touched
    place, top = pages.place(figure), page.evaluate("scrollY")
    stroke(page, [at(box, 0.5, 0.9), at(box, 0.5, 0.1)])
    page.wait_for_function("top => Math.abs(scrollY - top) > 20", arg=top)
    assert pages.place(figure) == place


def test_a_finger_that_strokes_sideways_drags_both_ways(touched: Any) -> None:
    page, figure, box = touched
    place, top = pages.place(figure), page.evaluate("scrollY")
    stroke(page, [at(box, 0.2, 0.5), at(box, 0.6, 0.5), at(box, 0.9, 0.8)])
    moved = {name: place[name] != now for name, now in pages.place(figure).items()}
    assert moved == dict.fromkeys(place, True)
    assert page.evaluate("scrollY") == top


def test_a_finger_that_rests_first_drags_up_and_down(touched: Any) -> None:
    page, figure, box = touched
    top = page.evaluate("scrollY")
    stroke(page, [at(box, 0.5, 0.9), at(box, 0.5, 0.1)], rest=400)
    high = pages.place(figure)
    stroke(page, [at(box, 0.5, 0.1), at(box, 0.5, 0.9)], rest=400)
    assert pages.place(figure) != high
    assert page.evaluate("scrollY") == top
    assert figure.locator(".gb-held").count() == 0


def test_figures_keep_their_colours_and_their_paper_where_colours_are_forced(
    visit: Open, written: Path
) -> None:
    page = visit(written, forced_colors="active", color_scheme="dark")
    figure = figure_of(page, "curves")
    stage = figure.locator(".gb-stage")
    assert stage.evaluate("f => getComputedStyle(f).forcedColorAdjust") == "none"
    colours = stage.evaluate(
        "f => [getComputedStyle(f).backgroundColor, getComputedStyle(f).color]"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(26, 26, 26)"]
    caption = figure.locator("figcaption")
    assert caption.evaluate("f => getComputedStyle(f).forcedColorAdjust") == "auto"


def test_in_a_page_that_reads_from_right_to_left_a_figure_stays_as_it_is(
    visit: Open, written: Path
) -> None:
    page = visit(written)
    places = """f => [...f.querySelectorAll("svg text, figcaption")]
        .filter(e => e.checkVisibility())
        .map(e => Math.round(e.getBoundingClientRect().x - f.getBoundingClientRect().x))"""
    figure = figure_of(page, "curves")
    before = figure.evaluate(places)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert len(before) > 5
    assert figure.evaluate(places) == before


def test_two_figures_share_neither_ids_nor_state(page: Page) -> None:
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    figures = page.locator(pages.READY)
    assert figures.count() == len(CASES) + 1
    pages.put(figures.nth(2), {"step": 9})
    assert pages.place(figures.nth(3)) == {"step": 3}


def test_a_rest_is_read_out_with_labels_units_and_the_note(page: Page) -> None:
    figure = figure_of(page, "curves")
    pages.put(figure, {"mu": 6, "sigma": 3})
    readout = figure.locator(".gb-readout")
    expect(readout).to_have_text("mean μ of q = 2, sigma = 1.00 cm. The largest q is 1.00.")
    assert readout.get_attribute("aria-live") == "polite"
    assert figure.locator(".gb-note").text_content() == "The largest q is 1.00."
    assert pages.field(figure, "sigma").get_attribute("aria-valuetext") == "1.00 cm"


def test_print_shows_the_current_frame_without_controls(
    page: Page, artists: dict[str, Artist]
) -> None:
    figure = figure_of(page, "curves")
    pages.put(figure, {"mu": 1, "sigma": 1})
    readout = figure.locator(".gb-readout")
    expect(readout).to_contain_text("mean μ of q = −3, sigma = 0.50 cm.")
    page.emulate_media(media="print")
    assert_frame(figure, artists["curves"])
    assert not figure.locator(".gb-controls").is_visible()
    box = readout.bounding_box()
    assert box is not None
    assert box["height"] > 10


def test_without_scripting_the_first_frame_and_its_caption_stand(
    visit: Open, written: Path
) -> None:
    page = visit(written, java_script_enabled=False)
    figures = page.locator(pages.FIGURE)
    for k in range(figures.count()):
        figure = figures.nth(k)
        box = figure.locator(pages.DRAWING).bounding_box()
        assert box is not None
        assert box["height"] > 100
        assert figure.locator("figcaption").is_visible()
        assert figure.locator(".gb-still").is_visible()
        assert not figure.locator(".gb-controls").is_visible()


def test_where_scripts_run_no_figure_says_that_it_stands_still(page: Page) -> None:
    assert page.locator(pages.READY).count() == page.locator(pages.FIGURE).count() > 0
    assert page.locator(".gb-still").count() == 0


@pytest.mark.parametrize("missing", ["Element.prototype.replaceChildren", "window.AbortController"])
def test_in_an_old_browser_the_first_frame_and_a_sentence_stand(
    visit: Open, written: Path, missing: str
) -> None:
    page = visit(written)
    drawn = page.locator(pages.DRAWING).first.bounding_box()
    page.context.add_init_script(f"delete {missing};")
    page.reload()
    assert page.locator(pages.READY).count() == 0
    figure = page.locator(pages.FIGURE).first
    assert figure.locator(".gb-still").is_visible()
    assert not figure.locator(".gb-controls").is_visible()
    now = figure.locator(pages.DRAWING).bounding_box()
    assert now is not None
    assert drawn is not None
    assert now["height"] == drawn["height"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_all_is_legible(page: Page, theme: str) -> None:
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    pages.settle(page)
    found = pages.audit(page)
    assert found.violations_count == 0, found.generate_report()
    for name in CASES:
        assert pages.faint(figure_of(page, name)) == []


@pytest.mark.parametrize("faint", ["span", "em"])
def test_axe_sees_the_one_faint_word(visit: Open, tmp_path: Path, faint: str) -> None:
    path = tmp_path / "listing.html"
    words = "<span>bold</span> " * 3 + f"<{faint} style='color:#999'>pale</{faint}>"
    path.write_text(pages.document(f"<pre>{words}</pre>"), encoding="utf-8")
    found = pages.audit(visit(path)).response["violations"]
    assert [(rule["id"], len(rule["nodes"])) for rule in found] == [("color-contrast", 1)]


def test_focus_is_visible(page: Page) -> None:
    figure = figure_of(page, "curves")
    page.keyboard.press("Tab")
    slider = pages.field(figure, "mu")
    slider.focus()
    assert slider.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"


def test_nothing_overflows_at_360_pixels(visit: Open, written: Path) -> None:
    page = visit(written, viewport={"width": 360, "height": 700})
    assert pages.overflow(page) == []


def test_columns_stand_below_one_another_on_a_phone(visit: Open, written: Path) -> None:
    page = visit(written, viewport={"width": 360, "height": 700})
    figure = figure_of(page, "curves")
    windows = figure.locator(".gb-panel svg")
    first, second = (windows.nth(k).bounding_box() for k in range(2))
    assert first is not None
    assert second is not None
    assert second["y"] >= first["y"] + first["height"]
    assert first["width"] > 250
    assert pages.smallest_text(figure) > 8
    drawing = figure.locator(pages.DRAWING).bounding_box()
    assert drawing is not None
    assert drawing["height"] <= 1
    page.set_viewport_size({"width": 900, "height": 700})
    assert not windows.first.is_visible()


def test_a_column_follows_the_sliders_and_obeys_the_finger(
    visit: Open, written: Path, artists: dict[str, Artist]
) -> None:
    page = visit(written, viewport={"width": 360, "height": 900}, has_touch=True)
    figure, board = figure_of(page, "curves"), artists["curves"].grid
    column = figure.locator(".gb-panel").first
    before = column.screenshot()
    box = column.locator(".gb-drag").bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] * 8 / 12, box["y"] + box["height"] * (1 - 0.25))
    assert board.values(tuple(pages.place(figure).values())) == {"mu": 2, "sigma": 0.5}
    assert column.screenshot() != before


@pytest.mark.parametrize("name", CASES)
def test_a_move_takes_no_longer_than_writing_twelve_thousand_numbers(
    fresh: Page, name: str, report: dict[str, Any]
) -> None:
    (measured,) = pages.quickest(fresh, lambda: [figure_of(fresh, name)])
    report[f"timing, test page, {name} (ms)"] = measured
    assert measured["yardsticks"] <= pages.SLOWEST
