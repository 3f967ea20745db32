"""The plane of codes in a page: paint, place, steps; weights inside the page and beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser.conftest import Visits
from browser.machines import drag, dump, settle_on, step, wait, written
from browser.machines import gap as every_gap
from playwright.sync_api import Page

from genbook.kit.device import seeded
from genbook.kit.machine.parts import Machine, Twin
from genbook.kit.sphinx_ext.pages import parted
from genbook.vae import machines
from genbook.vae.models import VAE

SIDE = 8
NAME = "vae"


@pytest.fixture(scope="module")
def plane() -> Machine:
    model = VAE(SIDE**2, 2, hidden=(32, 32), generator=seeded(0))
    grid = torch.zeros(SIDE, SIDE)
    grid[1:7, 3:5] = 1
    drawn = {"a one": grid.flatten(), "a line": grid.T.flatten(), "nothing": torch.zeros(SIDE**2)}
    return machines.plane(model, (SIDE, SIDE), drawn, torch.randn(40, 2, generator=seeded(1)))


@pytest.fixture(scope="module")
def address(plane: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(plane, tmp_path_factory.mktemp("vae"))


@pytest.fixture
def opened(address: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(address)
    wait(page, NAME)
    yield page
    page.context.close()


def gap(page: Page, twin: Twin) -> float:
    """As between any two; what was gained is a difference of bounds, and as far off as they are."""
    gained, shown = twin.targets.pop("gained"), dump(page, NAME)["targets"]["gained"]
    share = ((shown - gained).abs() / twin.targets["bound"].abs()).item()
    found = max(share, every_gap(page, twin))
    twin.targets["gained"] = gained
    return found


def data_of(page: Page) -> torch.Tensor:
    """What the reader made, once it has been looked at."""
    step(page, NAME, 0)
    return torch.tensor(
        page.evaluate(f"document.querySelector('#gb-machine-{NAME}').genbookMachine.data")
    )


@pytest.mark.parametrize(
    ("settings", "data"), [({}, ""), ({"rate": 0.02}, "a line"), ({"rate": 0.4}, "nothing")]
)
def test_one_step_and_twenty_are_torchs(
    opened: Page, plane: Machine, settings: dict[str, Any], data: str, report: dict[str, Any]
) -> None:
    settle_on(opened, plane, settings, data)
    start = plane.data[data] if data else next(iter(plane.data.values()))
    wanted = {**plane.beginning(), **settings}
    twin = Twin(plane, 1, wanted, start)
    step(opened, NAME, 0)
    twin.look()
    before = gap(opened, twin)
    step(opened, NAME, 1)
    twin.step()
    twin.look()
    first = gap(opened, twin)
    step(opened, NAME, 19)
    for _ in range(19):
        twin.step()
    twin.look()
    twenty = gap(opened, twin)
    report[f"machine, vae, {settings or 'as it begins'} (millionths)"] = {
        "before": 1e6 * before, "one step": 1e6 * first, "twenty": 1e6 * twenty,
    }  # fmt: skip
    assert before <= 1e-6
    assert first <= 1e-6
    assert twenty <= 1e-4


def test_painted_pixels_arrive_and_the_guess_moves(opened: Page, plane: Machine) -> None:
    before = dump(opened, NAME)["targets"]["centre"]
    drag(opened, 0, (0.1, 0.1), (0.9, 0.9))
    data = data_of(opened)
    grid = data[: SIDE**2].reshape(SIDE, SIDE)
    assert grid.flip(1).diagonal().min() > 0.4
    found = dump(opened, NAME)["targets"]
    assert not torch.equal(found["centre"], before)
    twin = Twin(plane, 1, plane.beginning(), data)
    twin.look()
    assert found["gained"].item() == 0
    torch.testing.assert_close(found["centre"], twin.targets["centre"], atol=1e-6, rtol=0)
    words = opened.locator(".gb-readout").inner_text().replace("−", "-")
    assert f"{found['bound'].item():.3f}" in words


def test_the_code_is_dragged_and_pushed_by_keys(opened: Page) -> None:
    drag(opened, 1, (0.5, 0.5), (0.75, 0.25))
    data = data_of(opened)
    assert data[-2:].tolist() == pytest.approx([1.75, -1.75], abs=0.1)
    opened.locator("canvas").nth(1).focus()
    opened.keyboard.press("ArrowUp")
    assert (data_of(opened)[-1] - data[-1]).item() == pytest.approx(7 / 40, abs=1e-5)


def test_keys_paint(opened: Page) -> None:
    opened.locator("#gb-machine-vae-data").select_option("nothing")
    opened.locator("canvas").nth(0).focus()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Space")
    assert data_of(opened)[: SIDE**2].sum() == 1


def test_a_number_that_is_none_stops_the_machine_with_a_sentence(opened: Page) -> None:
    opened.evaluate(
        """() => {
        document.querySelector('#gb-machine-vae').genbookMachine.settings.rate = NaN;
        document.querySelector('#gb-machine-vae canvas').focus();
        }"""
    )
    opened.keyboard.press("Space")  # sends nothing but data
    opened.evaluate(
        """() => {
        const figure = document.querySelector('#gb-machine-vae');
        figure.genbookMachine.settings.rate = NaN;
        const field = document.querySelector('#gb-machine-vae-data');
        field.dispatchEvent(new Event('change'));
        }"""
    )
    opened.get_by_role("button", name="Reset").click()
    opened.get_by_role("button", name="Step", exact=True).click()
    wait(opened, NAME, "failed")
    assert "no longer a finite number" in opened.locator(".gb-readout").inner_text()


def test_weights_beside_the_page_come_when_the_figure_is_near(
    address: Path, plane: Machine, visits: Visits, tmp_path: Path
) -> None:
    text, scripts = parted(address.read_text(encoding="utf-8"), "beside")
    assert list(scripts) == ["machine-vae.js"]
    packed = plane.groups["weights"].packed
    assert packed in address.read_text(encoding="utf-8")
    assert packed not in text
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "machine-vae.js").write_text(scripts["machine-vae.js"], "utf-8")
    text = text.replace("<figure", '<div style="height:5000px"></div><figure', 1)
    (tmp_path / "far.html").write_text(text, encoding="utf-8")
    page = visits.open(tmp_path / "far.html")
    page.wait_for_timeout(200)
    assert page.evaluate("window.genbookBrought === undefined")
    page.locator("#gb-machine-vae").scroll_into_view_if_needed()
    wait(page, NAME)
    start = next(iter(plane.data.values()))
    twin = Twin(plane, 1, plane.beginning(), start)
    twin.look()
    step(page, NAME, 0)
    assert gap(page, twin) <= 1e-6
    page.context.close()


def test_weights_that_do_not_come_are_told(address: Path, visits: Visits, tmp_path: Path) -> None:
    text, _ = parted(address.read_text(encoding="utf-8"), "nowhere")
    (tmp_path / "alone.html").write_text(text, encoding="utf-8")
    page = visits.open(tmp_path / "alone.html")
    wait(page, NAME, "failed")
    assert "did not arrive" in page.locator(".gb-readout").inner_text()
    assert page.locator("#gb-machine-vae .gb-stage > svg").is_visible()
    page.context.close()
