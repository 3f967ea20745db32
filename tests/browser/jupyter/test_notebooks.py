"""Each notebook of the book, top to bottom in JupyterLab, its kernel started somewhere else."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import pages
from browser.conftest import Visits
from browser.lab import Lab, serving
from playwright.sync_api import ConsoleMessage, Locator, Page, TimeoutError

from genbook.kit import notebooks

BOOK = Path(__file__).parents[3] / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
ELSEWHERE = "elsewhere"
SAYINGS = {"GENBOOK_DATA": "none", "GENBOOK_DOWNLOAD": "0"}
SCREEN = {"width": 1100, "height": 1400}
A_MOVE = 60_000
THE_NOTEBOOK = 3_600_000
KNOWN = (
    "Cross reference target was not found",
    "No target for internal reference",
    "Linking ",
)
"""JupyterLab's MyST knows no other file (glossary, literature, chapters), and remarks on links to a
heading: that it is not there yet while cells below are still to be read, or has no label."""
THEIRS = "_markdownOverlapsToolbar"
"""JupyterLab's toolbar of a cell looks for the text of a Markdown cell where MyST keeps none."""
LIVE = "[data-genbook-explore=live]"
CELLS = ".jp-Notebook .jp-CodeCell"
DONE = """() => {
  const prompts = [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')]
    .map((cell) => cell.querySelector('.jp-InputPrompt').textContent.trim());
  const failed = document.querySelector('.jp-OutputArea-output[data-mime-type*=error]');
  const idle = [...document.querySelectorAll('.jp-StatusBar-Widget')]
    .some((item) => item.textContent.includes('| Idle'));
  return idle && (failed || prompts.every((text) => /\\[\\d+\\]/.test(text)));
}"""
CHANGED = """([f, before]) =>
  f.querySelector('.gb-error').textContent || f.genbook.svg !== before"""
STANDS = "f => ['ready', 'stopped'].includes(f.dataset.genbookMachineState)"
BACK = """([f, before]) =>
  f.querySelector('.gb-error').textContent || f.genbook.svg === before"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over a copy of the notebooks, away from the checkout."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / ELSEWHERE).mkdir()
    for path in NOTEBOOKS:
        shutil.copy(path, folder / ELSEWHERE)
    with serving(folder, tmp_path_factory.mktemp("home"), SAYINGS) as found:
        yield found


def calls(path: Path, name: str) -> int:
    """How often a notebook's cells show something with the kit's function of that name."""
    trees = [ast.parse(c.source) for c in notebooks.read(path).cells if c.cell_type == "code"]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sum(getattr(node.func, "id", "") == name for node in found)


def errors_of(page: Page) -> list[str]:
    """Errors and warnings in the notebook's outputs."""
    kinds = ".jp-OutputArea-output:is([data-mime-type*=error], [data-mime-type*=stderr])"
    return page.locator(f".jp-Notebook {kinds}").all_text_contents()


def number(prompt: str) -> int:
    """The count in ``[7]:``."""
    return int(prompt.strip(" []:\n"))


def move(figure: Locator, name: str) -> None:
    """Move a control by a step, with its keys or its box, as a reader does."""
    field = figure.locator(f'[id$="-{name}"]')
    field.scroll_into_view_if_needed()
    field.focus()
    if field.evaluate("e => e.type") == "checkbox":
        field.press("Space")
    else:
        last = "e => Number(e.max ?? 0) || e.options?.length - 1"
        at = field.evaluate("e => e.selectedIndex ?? Number(e.value)")
        field.press("ArrowLeft" if at == field.evaluate(last) else "ArrowRight")


def faults_of(figure: Locator) -> list[str]:
    """What is wrong with an explorable: a control that changes nothing, an error, no way back."""
    figure.scroll_into_view_if_needed()
    handle, caption = figure.element_handle(), figure.locator("figcaption").text_content() or ""
    start, before = pages.place(figure), figure.evaluate("f => f.genbook.svg")
    for name in start:
        try:
            move(figure, name)
            figure.page.wait_for_function(CHANGED, arg=[handle, before], timeout=A_MOVE)
            figure.evaluate("(f, place) => f.genbook.set(place)", start)
            figure.page.wait_for_function(BACK, arg=[handle, before], timeout=A_MOVE)
        except TimeoutError:
            return [f"{caption[:60]}: {name} changes nothing, or can't be moved back"]
        if trouble := figure.locator(".gb-error").text_content():
            return [f"{caption[:60]}: {name}: {trouble}"]
    return []


def stays_still(figure: Locator) -> list[str]:
    """What is wrong with a machine: it never gets ready, or a step changes no word."""
    figure.scroll_into_view_if_needed()
    handle, name = figure.element_handle(), figure.get_attribute("id") or ""
    words = figure.locator(".gb-readout")
    try:
        figure.page.wait_for_function(STANDS, arg=handle, timeout=A_MOVE)
        before = words.text_content()
        figure.get_by_role("button", name="Step", exact=True).click()
        figure.page.wait_for_function(
            "([f, before]) => f.querySelector('.gb-readout').textContent !== before",
            arg=[handle, before],
            timeout=A_MOVE,
        )
        figure.page.wait_for_function(STANDS, arg=handle, timeout=A_MOVE)
    except TimeoutError:
        state = figure.get_attribute("data-genbook-machine-state")
        return [f"{name}: {state}, {words.text_content()}"]
    return []


def is_seen(picture: Locator) -> bool:
    """Whether a picture is on the page with an area, and its letters with it."""
    picture.scroll_into_view_if_needed()
    box = picture.locator("svg, img").first.bounding_box()
    return box is not None and box["width"] > 100 and box["height"] > 50


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom(path: Path, lab: Lab, visits: Visits) -> None:
    place = f"{ELSEWHERE}/{path.name}"
    lab.start_kernel(place)
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(KNOWN):
            said.append(f"console: {message.text} ({message.location.get('url', '')})")

    page = visits.open(lab.page(place), allow=lab.address, viewport=SCREEN)
    page.on("console", hear)
    page.wait_for_selector(CELLS, timeout=180_000)
    page.wait_for_selector(".jp-StatusBar-Widget >> text=| Idle", timeout=180_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(DONE, timeout=THE_NOTEBOOK, polling=500)
    assert errors_of(page) == []
    counts = [number(t) for t in page.locator(f"{CELLS} .jp-InputPrompt").all_text_contents()]
    assert counts == sorted(counts)

    figures = page.locator(LIVE)
    assert figures.count() == calls(path, "explore")
    assert [fault for figure in figures.all() for fault in faults_of(figure)] == []
    machines = page.locator(".jp-OutputArea-output figure[data-genbook-machine]")
    assert machines.count() == calls(path, "machine")
    assert [fault for machine in machines.all() for fault in stays_still(machine)] == []
    pictures = page.locator(".jp-OutputArea-output .gb-picture")
    assert pictures.count() >= calls(path, "picture")
    assert [picture.text_content() for picture in pictures.all() if not is_seen(picture)] == []
    assert said == []
    visits.faults[:] = [fault for fault in visits.faults if THEIRS not in fault]
    visits.check()
    page.context.close()
    lab.stop_kernels()
