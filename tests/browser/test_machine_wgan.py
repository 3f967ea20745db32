"""The two heaps in a real browser: torch's numbers, the reader's shovel, and what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import machines as driving
from browser.conftest import Visits
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
    driving.drag(opened, 1, (0.03, 0.5), (0.97, 0.5))
    assert target(opened, "fakes").tolist() == pytest.approx([4.0] * 16)
    driving.drag(opened, 0, (0.03, 0.52), (0.97, 0.52))
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
    driving.drag(opened, 1, (0.5, 0.9), (0.53, 0.9))
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
    driving.no_number(opened, "share")
    figure(opened).get_by_role("button", name="Reset").click()
    figure(opened).get_by_role("button", name="Step", exact=True).click()
    driving.wait(opened, "heaps", "failed")
    assert "no longer a finite number" in figure(opened).locator(".gb-readout").inner_text()
    opened.locator("#gb-machine-heaps-share").evaluate("f => f.dispatchEvent(new Event('input'))")
    figure(opened).get_by_role("button", name="Reset").click()
    driving.wait(opened, "heaps")


def test_a_set_up_is_shared_by_its_address(opened: Page, visits: Visits) -> None:
    driving.drag(opened, 0, (0.3, 0.25), (0.7, 0.9))
    ours = target(opened, "area")
    other = visits.open(opened.url)
    driving.wait(other, "heaps")
    assert torch.equal(target(other, "area"), ours)
    other.context.close()
