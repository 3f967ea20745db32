"""Hands and layers of machines: what a pointer and keys make, and that it arrives and is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from browser import pages
from browser.conftest import Visits
from browser.machines import drag, dump, gap, step, steps, written
from browser.test_machine_of_each_chapter import writer
from playwright.sync_api import Page
from torch import Tensor

from genbook.kit.data.text import ALPHABET
from genbook.kit.machine import trace
from genbook.kit.machine.first_frame import first_frame
from genbook.kit.machine.page import machine
from genbook.kit.machine.parts import Act, Hand, Layer, Machine, Panel, Slider, Twin
from genbook.lstm.machines import COLUMNS, ROWS

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


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(writer(), tmp_path_factory.mktemp("sheet"))


@pytest.fixture
def typing(sheet: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(sheet)
    page.wait_for_selector('figure[data-genbook-machine-state="ready"]')
    yield page
    page.context.close()


def settled(page: Page) -> dict[str, Tensor]:
    """What the machine shows, once nothing is on its way."""
    page.evaluate(
        """async () => {
        const machine = document.querySelector('figure').genbookMachine;
        do await new Promise(r => setTimeout(r, 30)); while (machine.busy);}"""
    )
    return dump(page, "lstm")["targets"]


def on_sheet(page: Page) -> str:
    places = settled(page)["letters"][::3].long().tolist()
    return "".join(ALPHABET[place - 1] for place in places if place)


def looked_at(page: Page) -> int:
    marks = settled(page)["letters"][2::3]
    return int((marks >= 2).nonzero().item())


def test_what_is_typed_is_read_and_what_is_written_follows_it(typing: Page) -> None:
    field, parts = typing.locator("textarea"), writer()
    assert field.input_value() == on_sheet(typing) == "for x in (1, 2):\n    print(x)"
    field.press("Control+End")
    field.press_sequentially(" + y")
    assert on_sheet(typing) == "for x in (1, 2):\n    print(x) + y"
    twin = Twin(parts, 1, parts.beginning(), codes_of(field.input_value()))
    step(typing, "lstm", 5)
    for _ in range(5):
        twin.step()
    twin.look()
    assert gap(typing, twin) <= 1e-6
    assert typing.locator("#gb-machine-lstm-data").input_value() == "yours"
    field.press("Backspace")
    assert on_sheet(typing) == "for x in (1, 2):\n    print(x) + "


def codes_of(text: str) -> Tensor:
    return torch.tensor([float(ALPHABET.index(letter)) for letter in text])


def test_what_the_network_never_saw_is_read_as_a_question_mark_and_said(typing: Page) -> None:
    typing.locator("textarea").fill("π = “é”\t;")
    assert on_sheet(typing) == '? = "?"    ;'
    assert "never saw: 2, read as “?”" in typing.locator(".gb-readout").inner_text()
    typing.locator("textarea").fill("pi")
    assert on_sheet(typing) == "pi"
    assert "never saw" not in typing.locator(".gb-readout").inner_text()


def test_more_than_there_is_room_for_is_left_out(typing: Page) -> None:
    typing.locator("textarea").fill("ab" * 30)
    assert on_sheet(typing) == "ab" * 20


def test_an_empty_field_says_what_to_do_and_the_next_letter_begins_anew(typing: Page) -> None:
    typing.get_by_role("button", name="Clear the data").click()
    assert typing.locator("textarea").input_value() == ""
    assert typing.locator(".gb-readout").inner_text() == "Type some text in the field."
    typing.locator("textarea").press_sequentially("q")
    assert on_sheet(typing) == "q"


def test_pointer_keys_and_caret_choose_the_letter_looked_at(typing: Page) -> None:
    assert looked_at(typing) == 28
    canvas = typing.locator("canvas").nth(0)
    box = canvas.bounding_box()
    assert box
    typing.mouse.move(
        box["x"] + box["width"] * 4.5 / COLUMNS, box["y"] + box["height"] * 1.5 / ROWS
    )
    assert looked_at(typing) == 17 + 4
    canvas.focus()
    typing.keyboard.press("ArrowUp")
    assert looked_at(typing) == 4
    typing.keyboard.press("ArrowRight")
    assert looked_at(typing) == 5
    field = typing.locator("textarea")
    field.focus()
    typing.keyboard.press("Control+Home")
    for _ in range(3):
        typing.keyboard.press("ArrowRight")
    assert looked_at(typing) == 2
    step(typing, "lstm", 1)
    assert looked_at(typing) == 29


def test_a_click_on_a_letter_drops_nothing_that_was_written(typing: Page) -> None:
    step(typing, "lstm", 4)
    drag(typing, 0, (0.05, 0.95), (0.3, 0.95))
    assert len(on_sheet(typing)) == 29 + 4
    assert steps(typing) == 4


def test_a_typed_text_is_in_the_address(typing: Page, visits: Visits) -> None:
    typing.locator("textarea").fill("a = 'b'\n#c")
    settled(typing)
    other = visits.open(typing.url)
    other.wait_for_selector('figure[data-genbook-machine-state="ready"]')
    assert on_sheet(other) == other.locator("textarea").input_value() == "a = 'b'\n#c"
    other.context.close()


def test_letters_are_read_easily_on_every_shade_by_day_and_by_night(typing: Page) -> None:
    for theme in ("light", "dark"):
        least = typing.evaluate(
            """theme => {
            document.documentElement.dataset.theme = theme;
            const style = getComputedStyle(document.querySelector('figure'));
            const rgb = (name) => style.getPropertyValue(name).trim().replace('#', '')
              .replace(/^(.)(.)(.)$/, '$1$1$2$2$3$3').match(/../g).map((c) => parseInt(c, 16));
            const light = (colour) => colour.map((c) => c / 255)
              .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
              .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
            const [paper, ink] = ['--gb-paper', '--gb-ink'].map(rgb);
            const ends = ['--gb-model', '--gb-data'].map(rgb);
            return Math.min(...ends.flatMap((end) => [0, 0.25, 0.55].map((share) => {
              const under = light(paper.map((c, k) => c + (end[k] - c) * share)), over = light(ink);
              return (Math.max(under, over) + 0.05) / (Math.min(under, over) + 0.05);
            })));}""",
            theme,
        )
        assert least >= 4.5, theme


def test_the_first_frame_of_a_text_has_its_letters_and_frames_the_last_one() -> None:
    letters, legend, _, guesses = first_frame(writer()).axes
    shown = [text.get_text() for text in letters.texts]
    assert "".join(shown) == "forxin(1,2):↵print(x)"
    framed = [patch for patch in letters.patches if not patch.get_fill()]
    assert [patch.get_xy()[0] for patch in framed] == [11]
    assert len(legend.patches) == 5
    assert len(guesses.patches) == 8
