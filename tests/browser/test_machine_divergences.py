"""The drawn curve in a real browser: torch's numbers, the reader's pen, and what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browser import machines as driving
from browser.conftest import Visits
from playwright.sync_api import Locator, Page

from genbook.divergences import machines
from genbook.kit.machine.parts import Machine


@pytest.fixture(scope="module")
def curve() -> Machine:
    return machines.drawn_curve()


@pytest.fixture(scope="module")
def address(curve: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return driving.written(curve, tmp_path_factory.mktemp("curve"))


@pytest.fixture
def opened(address: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(address)
    driving.wait(page, "curve")
    yield page
    page.context.close()


def figure(page: Page) -> Locator:
    return page.locator("#gb-machine-curve")


def target(page: Page, name: str) -> torch.Tensor:
    driving.step(page, "curve", 0)
    return driving.dump(page, "curve")["targets"][name]


def fitted(page: Page) -> tuple[float, float]:
    """Mean and deviation of the single Gaussian's line."""
    x, heights = target(page, "line").reshape(-1, 2).T
    mean = (x * heights).sum() / heights.sum()
    return mean.item(), (((x - mean) ** 2 * heights).sum() / heights.sum()).sqrt().item()


def test_a_pointer_draws_the_curve_and_forward_kl_finds_its_mean_and_width(opened: Page) -> None:
    driving.drag(opened, 0, (0.01, 0.02), (0.4, 0.02), (0.5, 0.9), (0.6, 0.02), (0.99, 0.02))
    data = opened.evaluate("document.querySelector('figure.gb-machine').genbookMachine.data")
    drawn = torch.tensor(data) + machines.DUST
    x = machines.places()
    mean = (x * drawn).sum() / drawn.sum()
    width = (((x - mean) ** 2 * drawn).sum() / drawn.sum()).sqrt()
    assert opened.locator("#gb-machine-curve-data").input_value() == "yours"
    driving.step(opened, "curve", 600)
    assert fitted(opened) == pytest.approx((mean.item(), width.item()), abs=0.05)


def test_both_panels_draw_the_same_curve_and_keys_do_too(opened: Page) -> None:
    opened.locator("canvas").nth(1).focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        opened.keyboard.press(key)
    data = opened.evaluate("document.querySelector('figure.gb-machine').genbookMachine.data")
    assert data[1] == pytest.approx(0.1, abs=1e-3)
    assert data[0] == pytest.approx(0, abs=1e-3)


def test_another_score_goes_on_from_where_the_models_stand(opened: Page, curve: Machine) -> None:
    driving.step(opened, "curve", 300)
    wide = fitted(opened)[1]
    driving.settle_on(opened, curve, {"score": "KL(q‖p), reverse"})
    assert fitted(opened)[1] == pytest.approx(wide, abs=1e-6)
    assert driving.steps(opened) == 300


def test_another_seed_begins_elsewhere(opened: Page) -> None:
    before = fitted(opened)[0]
    figure(opened).get_by_role("button", name="Another seed").click()
    driving.wait(opened, "curve")
    assert abs(fitted(opened)[0] - before) > 0.1


def test_nothing_drawn_is_a_plain_and_no_fault(opened: Page) -> None:
    figure(opened).get_by_role("button", name="Clear the data").click()
    driving.step(opened, "curve", 30)
    assert target(opened, "second").isfinite().all()


def test_a_step_size_that_is_no_number_stops_it_with_a_sentence_and_reset_mends_it(
    opened: Page,
) -> None:
    driving.no_number(opened, "rate")
    figure(opened).get_by_role("button", name="Reset").click()
    figure(opened).get_by_role("button", name="Step", exact=True).click()
    driving.wait(opened, "curve", "failed")
    assert "no longer a finite number" in figure(opened).locator(".gb-readout").inner_text()
    opened.locator("#gb-machine-curve-rate").evaluate("f => f.dispatchEvent(new Event('input'))")
    figure(opened).get_by_role("button", name="Reset").click()
    driving.wait(opened, "curve")
