"""The live form in JupyterLab: the kernel draws, the newest wish wins, errors do no harm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from browser import pages
from browser.conftest import Visits
from browser.lab import Lab, serving
from playwright.sync_api import Locator, Page

CELLS = [
    """
import time
from genbook.kit import plotting
from genbook.kit.explore import explore, steps
calls = []
def draw(level, fail):
    calls.append(level)
    if fail and level > 3:
        raise RuntimeError("no such level")
    time.sleep(0.15)
    figure, axes = plotting.subplots(width=4, height=2)
    axes.plot([0, 1], [0, level], color=plotting.MODEL)
    axes.set(xlim=(0, 1), ylim=(0, 10), title=f"level {level}")
    return figure
controls = dict(level=(0, 10, 1), fail=False)
explore(draw, caption="A line.", alt="A line.", drag=(None, "level"), **controls)
""",
    "print('drawn', len(calls))",
    'explore(draw, caption="One to close.", alt="A line.", drag=(None, "level"), **controls)',
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab in a folder of its own, with the notebook's kernel ready."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "live.ipynb").write_text(json.dumps(notebook(*CELLS)), encoding="utf-8")
    with serving(folder, tmp_path_factory.mktemp("home")) as found:
        found.start_kernel("live.ipynb")
        yield found


LIVE = "[data-genbook-explore=live]"


def notebook(*cells: str) -> dict[str, Any]:
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell{k}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": cell.strip(),
            }
            for k, cell in enumerate(cells)
        ],
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture(scope="module")
def opened(lab: Lab, visits: Visits) -> Page:
    """The notebook, opened once, with every cell run."""
    size = {"width": 1000, "height": 1800}
    page = visits.open(lab.page("live.ipynb"), allow=lab.address, viewport=size)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    page.wait_for_selector(".jp-StatusBar-Widget >> text=| Idle", timeout=90_000)
    run(page, "Run All Cells")
    page.locator(f"{LIVE} svg").nth(1).wait_for(timeout=120_000)
    page.get_by_text("drawn ", exact=False).last.wait_for()
    return page


@pytest.fixture
def live(opened: Page, visits: Visits) -> Iterator[Page]:
    """The notebook, with its first figure where it began."""
    figure_of(opened).evaluate("f => f.genbook.set({level: 5, fail: 0})")
    shows(opened, "level 5")
    yield opened
    visits.check()


def run(page: Page, entry: str) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=entry, exact=True).click()


def shows(page: Page, text: str) -> None:
    """Wait until the first figure's drawing has this title."""
    title = re.compile(f"^{re.escape(text)}$")
    figure_of(page).locator(".gb-stage svg text").filter(has_text=title).wait_for()


def figure_of(page: Page) -> Locator:
    return page.locator(LIVE).first


def drawn(page: Page) -> int:
    """How often the kernel has drawn, asked of the notebook's last cell."""
    last = page.locator(".jp-Notebook .jp-CodeCell").nth(1)
    old = last.locator(".jp-InputPrompt").inner_text()
    last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "([cell, old]) => /\\[\\d+\\]/.test(cell.querySelector('.jp-InputPrompt').innerText)"
        " && cell.querySelector('.jp-InputPrompt').innerText !== old",
        arg=[last.element_handle(), old],
    )
    return int(last.locator(".jp-OutputArea-output").inner_text().split()[-1])


def test_a_move_brings_the_kernels_figure(live: Page) -> None:
    figure = figure_of(live)
    slider = pages.field(figure, "level")
    slider.focus()
    live.keyboard.press("ArrowRight")
    shows(live, "level 6")
    box = figure.locator(".gb-drag").bounding_box()
    assert box is not None
    live.mouse.click(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"])
    shows(live, "level 2")
    assert figure.locator("figcaption").inner_text() == "A line."


def test_a_burst_of_ten_moves_draws_at_most_three_times(live: Page) -> None:
    figure = figure_of(live)
    before, sent = drawn(live), figure.evaluate("f => f.genbook.sent")
    for level in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10):
        pages.put(figure, {"level": level})
    shows(live, "level 10")
    assert drawn(live) - before <= 3
    assert figure.evaluate("f => f.genbook.sent") - sent <= 3


def test_an_error_shows_and_leaves_the_last_good_frame(live: Page) -> None:
    figure = figure_of(live)
    sent = figure.evaluate("f => f.genbook.sent")
    pages.put(figure, {"level": 2})
    shows(live, "level 2")
    pages.put(figure, {"fail": 1})
    assert figure.evaluate("f => f.genbook.sent") == sent + 2
    pages.put(figure, {"level": 9})
    live.wait_for_selector("text=RuntimeError: no such level")
    shows(live, "level 2")
    pages.put(figure, {"fail": 0})
    shows(live, "level 9")
    assert figure.locator(".gb-error").inner_text() == ""


def test_closing_the_cell_leaves_no_listener(live: Page) -> None:
    figure = live.locator(LIVE).nth(1)
    client = live.context.new_cdp_session(live)
    handles = ["[id$='-level']", "[id$='-fail']", ".gb-drag"]
    find = "document.querySelectorAll('[data-genbook-explore=live]')[1].querySelector"
    remote = [
        client.send("Runtime.evaluate", {"expression": f'{find}("{name}")'})["result"]["objectId"]
        for name in handles
    ]

    def listeners() -> list[int]:
        found = [client.send("DOMDebugger.getEventListeners", {"objectId": o}) for o in remote]
        return [len(entry["listeners"]) for entry in found]

    assert min(listeners()) >= 1
    live.locator(".jp-Notebook .jp-CodeCell").nth(2).locator(".cm-content").click()
    live.keyboard.press("Escape")
    live.keyboard.press("d")
    live.keyboard.press("d")
    figure.wait_for(state="detached")
    assert listeners() == [0, 0, 0]
