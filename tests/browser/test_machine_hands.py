"""Hands and layers of machines: what a pointer and keys make, and that it arrives and is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browser import pages
from browser.conftest import Visits
from browser.machines import drag
from playwright.sync_api import Page
from torch import Tensor

from genbook.kit.machine import trace
from genbook.kit.machine.first_frame import first_frame
from genbook.kit.machine.page import machine
from genbook.kit.machine.parts import Act, Hand, Layer, Machine, Panel, Slider

BARS, PIXELS = 8, 100


def desk() -> Machine:
    """Three hands on 8 + 100 + 2 numbers; the view hands back what arrived."""

    def look(data: Tensor) -> tuple[Tensor, ...]:
        bars, grid, place = data[:BARS], data[BARS : BARS + PIXELS], data[-2:]
        trail = torch.cat([place, torch.zeros(2)])
        return data * 1, bars.cumsum(0), 1 - grid, trail, bars.sum()

    return Machine(
        name="desk",
        groups={},
        acts=(),
        view=Act(
            {"": trace(look, torch.zeros(BARS + PIXELS + 2))},
            ("data",),
            ("arrived", "sums", "negative", "trail", "all"),
        ),
        controls=(Slider("unused", "nothing", (1, 2)),),
        data={"flat": torch.cat([torch.ones(BARS) / 2, torch.zeros(PIXELS + 2)])},
        most=BARS + PIXELS + 2,
        panels=(
            Panel(
                (0, 4), (0, 2),
                (
                    Layer("bars", "data", "--gb-data", many=BARS),
                    Layer("line", "sums", "--gb-model"),
                ),
                Hand("bars", "Bars", many=BARS), xlabel="x",
            ),
            Panel(
                (0, 1), (0, 1),
                (Layer("image", "data", "--gb-ink", "10", first=BARS, many=PIXELS),),
                Hand("paint", "A grid", first=BARS, many=PIXELS, columns=10), title="paint",
            ),
            Panel(
                (-1, 1), (-1, 1),
                (Layer("path", "trail", "--gb-gradient"), Layer("points", "trail", "--gb-model")),
                Hand("place", "A place", first=BARS + PIXELS, many=2), title="place",
            ),
            Panel((0, 1), (0, 1), (Layer("image", "negative", "--gb-ink", "10"),)),
        ),
        words="{all} in {all#} and {all%}",
        restarts=False,
        size=(7.2, 2.2),
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBOOK_STATIC", "1")
        shown = machine(desk(), caption="A desk.", alt="Four panels.")
    path = tmp_path_factory.mktemp("desk") / "desk.html"
    path.write_text(pages.document(shown._repr_html_()), encoding="utf-8")  # type: ignore[union-attr]
    return path


@pytest.fixture
def opened(address: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(address)
    page.wait_for_selector('figure[data-genbook-machine-state="ready"]')
    yield page
    page.context.close()


def arrived(page: Page) -> list[float]:
    """What the view was given, once nothing is on its way."""
    return page.evaluate(
        """async () => {
        const machine = document.querySelector('figure').genbookMachine;
        do await new Promise(r => setTimeout(r, 30)); while (machine.busy);
        return [...(await machine.dump()).targets.arrived];}"""
    )


def shade(page: Page, panel: int, x: float, y: float) -> list[int]:
    return page.evaluate(
        """([panel, x, y]) => {
        const canvas = document.querySelectorAll('canvas')[panel];
        const at = [Math.round(x * (canvas.width - 1)), Math.round((1 - y) * (canvas.height - 1))];
        return [...canvas.getContext('2d').getImageData(...at, 1, 1).data];}""",
        [panel, x, y],
    )


def test_a_drag_sets_every_bar_on_its_way(opened: Page) -> None:
    drag(opened, 0, (0.06, 0.25), (0.94, 0.75))
    bars = arrived(opened)[:BARS]
    assert bars[0] == pytest.approx(0.5, abs=0.1)
    assert bars[-1] == pytest.approx(1.5, abs=0.1)
    assert all(one < other + 0.05 for one, other in itertools.pairwise(bars))
    assert opened.locator("#gb-machine-desk-data").input_value() == "yours"
    total = sum(bars)
    words = opened.locator(".gb-readout").inner_text()
    assert words.startswith(f"{total:.3f}"[:4])


def test_a_drag_past_the_edge_stays_in_the_panel(opened: Page) -> None:
    drag(opened, 0, (0.5, 0.5), (0.5, 3.0))
    assert max(arrived(opened)[:BARS]) == 2


def test_keys_choose_a_bar_and_set_it(opened: Page) -> None:
    opened.locator("canvas").nth(0).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowUp"):
        opened.keyboard.press(key)
    bars = arrived(opened)[:BARS]
    assert bars == pytest.approx([0.5, 0.5, 0.7] + [0.5] * 5)


def test_a_stroke_darkens_its_pixels_and_shift_rubs_them_out(opened: Page) -> None:
    drag(opened, 1, (0.15, 0.55), (0.85, 0.55))
    grid = torch.tensor(arrived(opened)[BARS:-2]).reshape(10, 10)
    assert grid[4, 2:8].min() > 0.4
    assert grid[0].max() == grid[9].max() == 0
    assert shade(opened, 1, 0.45, 0.55)[0] < shade(opened, 1, 0.45, 0.05)[0]
    assert shade(opened, 3, 0.45, 0.55)[0] > shade(opened, 3, 0.45, 0.05)[0]
    opened.keyboard.down("Shift")
    drag(opened, 1, (0.15, 0.55), (0.85, 0.55))
    opened.keyboard.up("Shift")
    assert torch.tensor(arrived(opened)[BARS:-2]).max() < 0.2


def test_keys_paint_and_rub_out(opened: Page) -> None:
    opened.locator("canvas").nth(1).focus()
    for key in ("ArrowUp", "ArrowRight", "Space"):
        opened.keyboard.press(key)
    assert arrived(opened)[BARS + 46] == 1
    opened.keyboard.press("Backspace")
    assert arrived(opened)[BARS + 46] == 0


def test_a_place_follows_the_pointer_and_the_keys(opened: Page) -> None:
    drag(opened, 2, (0.5, 0.5), (0.75, 0.25))
    assert arrived(opened)[-2:] == pytest.approx([0.5, -0.5], abs=0.03)
    x, y = arrived(opened)[-2:]
    opened.locator("canvas").nth(2).focus()
    opened.keyboard.press("ArrowLeft")
    assert arrived(opened)[-2:] == pytest.approx([x - 0.05, y], abs=1e-6)


def test_what_a_reader_made_is_in_the_address(opened: Page, visits: Visits) -> None:
    drag(opened, 0, (0.3, 0.25), (0.7, 0.9))
    ours = arrived(opened)
    other = visits.open(opened.url)
    other.wait_for_selector('figure[data-genbook-machine-state="ready"]')
    assert arrived(other) == pytest.approx(ours, abs=0.011)
    other.context.close()


def test_clearing_empties_what_has_a_fixed_size(opened: Page) -> None:
    opened.get_by_role("button", name="Clear the data").click()
    assert arrived(opened) == [0] * (BARS + PIXELS + 2)


def test_without_random_numbers_no_other_seed_is_offered(opened: Page) -> None:
    assert opened.get_by_role("button", name="Another seed").count() == 0


def test_axe_finds_nothing(opened: Page) -> None:
    found = pages.audit(opened)
    assert found.violations_count == 0, found.generate_report()


def test_the_first_frame_has_every_panel_and_layer() -> None:
    bars, grid, place, negative = first_frame(desk()).axes
    assert [bar.get_height() for bar in bars.patches] == [0.5] * BARS
    assert bars.get_lines()[0].get_ydata().tolist() == [0.5 * k for k in range(1, BARS + 1)]
    assert grid.get_images()[0].get_array()[..., 3].max() == 0
    assert negative.get_images()[0].get_array()[..., 3].min() == 1
    assert place.get_title("left") == "place"
