"""The two heaps in a real browser: torch's numbers, the reader's shovel, and what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import machines as driving
from browser import pages
from browser.conftest import Visits
from browser.machines import STATE
from playwright.sync_api import Locator, Page

from genbook.kit.machine.parts import Machine
from genbook.wgan import machines


@pytest.fixture(scope="module")
def heaps() -> Machine:
    return machines.two_heaps()


@pytest.fixture(scope="module")
def address(heaps: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return driving.written(heaps, tmp_path_factory.mktemp("heaps"))


@pytest.fixture
def opened(address: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(address)
    driving.wait(page, "heaps")
    yield page
    page.context.close()


def figure(page: Page) -> Locator:
    return page.locator("#gb-machine-heaps")


def steps(page: Page) -> int:
    return page.evaluate("document.querySelector('figure.gb-machine').genbookMachine.steps")


def drag(page: Page, panel: int, *spots: tuple[float, float]) -> None:
    canvas = page.locator("canvas").nth(panel)
    canvas.scroll_into_view_if_needed()
    box: Any = canvas.bounding_box()
    for number, (x, y) in enumerate(spots):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"], steps=6)
        if not number:
            page.mouse.down()
    page.mouse.up()


def no_number(page: Page, name: str) -> None:
    """Set a slider's number to none."""
    page.evaluate(
        """name => {
        document.querySelector('figure.gb-machine').genbookMachine.settings[name] = NaN; }""",
        name,
    )


def target(page: Page, name: str) -> torch.Tensor:
    driving.step(page, "heaps", 0)
    return driving.dump(page, "heaps")["targets"][name]


def test_area_plan_and_critic_agree_to_the_bit_before_the_first_step(opened: Page) -> None:
    found = [target(opened, name).item() for name in ("area", "cost", "lead")]
    assert found == [11, 11, 11]
    assert target(opened, "kl").isinf().all()
    words = figure(opened).locator(".gb-readout").inner_text()
    assert "costs 11.000 bins, the critic proves 11.000" in words
    assert "KL(p‖q) ∞" in words


def test_a_pointer_shovels_either_heap_and_the_critic_follows_at_once(opened: Page) -> None:
    drag(opened, 1, (0.03, 0.5), (0.97, 0.5))
    assert target(opened, "fakes").tolist() == pytest.approx([4.0] * 16)
    drag(opened, 0, (0.03, 0.52), (0.97, 0.52))
    assert target(opened, "area").item() == 0
    assert opened.locator("#gb-machine-heaps-data").input_value() == "yours"


def test_the_view_follows_while_the_pointer_is_down(opened: Page) -> None:
    box: Any = opened.locator("canvas").nth(1).bounding_box()
    before = target(opened, "area").item()
    opened.mouse.move(box["x"] + 0.16 * box["width"], box["y"] + 0.2 * box["height"])
    opened.mouse.down()
    assert target(opened, "area").item() < before
    opened.mouse.up()


def test_keys_shovel_too(opened: Page) -> None:
    opened.locator("canvas").nth(1).focus()
    for key in ("ArrowRight", *["ArrowUp"] * 5):
        opened.keyboard.press(key)
    assert target(opened, "fakes")[1].item() == 2


def test_shovelling_between_steps_begins_anew(opened: Page) -> None:
    driving.step(opened, "heaps", 5)
    drag(opened, 1, (0.5, 0.9), (0.53, 0.9))
    fakes = target(opened, "fakes")
    assert torch.equal(fakes, fakes.round())
    assert fakes[13].item() == 4


def test_steps_lower_w1_and_leave_js(opened: Page) -> None:
    before = target(opened, "area").item(), target(opened, "js").item()
    driving.step(opened, "heaps", 6)
    assert target(opened, "area").item() < before[0] - 2.9
    assert target(opened, "js").item() == pytest.approx(before[1], abs=1e-3)


def test_an_empty_desk_is_two_plains(opened: Page) -> None:
    figure(opened).get_by_role("button", name="Clear the data").click()
    assert target(opened, "area").item() == 0


def test_a_share_that_is_no_number_stops_it_with_a_sentence_and_reset_mends_it(
    opened: Page,
) -> None:
    no_number(opened, "share")
    figure(opened).get_by_role("button", name="Reset").click()
    figure(opened).get_by_role("button", name="Step", exact=True).click()
    driving.wait(opened, "heaps", "failed")
    assert "no longer a finite number" in figure(opened).locator(".gb-readout").inner_text()
    opened.locator("#gb-machine-heaps-share").evaluate("f => f.dispatchEvent(new Event('input'))")
    figure(opened).get_by_role("button", name="Reset").click()
    driving.wait(opened, "heaps")


def test_a_set_up_is_shared_by_its_address(opened: Page, visits: Visits) -> None:
    drag(opened, 0, (0.3, 0.25), (0.7, 0.9))
    ours = target(opened, "area")
    other = visits.open(opened.url)
    driving.wait(other, "heaps")
    assert torch.equal(target(other, "area"), ours)
    other.context.close()


def test_nothing_moves_by_itself_and_leaving_the_page_leaves_no_worker(opened: Page) -> None:
    opened.wait_for_timeout(300)
    assert steps(opened) == 0
    assert figure(opened).get_attribute(STATE) == "ready"
    assert len(opened.workers) == 1
    opened.goto("about:blank")
    opened.wait_for_timeout(100)
    assert opened.workers == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(opened: Page, theme: str) -> None:
    opened.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    pages.settle(opened)
    found = pages.audit(opened)
    assert found.violations_count == 0, found.generate_report()


def test_at_a_phones_width_nothing_sticks_out_and_a_finger_has_room(opened: Page) -> None:
    opened.set_viewport_size({"width": 390, "height": 844})
    pages.settle(opened)
    assert pages.overflow(opened) == []
    wide = opened.evaluate(
        "[...document.querySelectorAll('canvas')].map(c => c.getBoundingClientRect().width)"
    )
    assert min(wide) > 150
    letters = opened.evaluate(
        """[...document.querySelectorAll('.gb-stage > svg text')]
        .map(t => t.getBoundingClientRect().height)"""
    )
    assert min(letters, default=9) >= 9
