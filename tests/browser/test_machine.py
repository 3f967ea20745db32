"""Machines in a real browser: the page computes what torch computes, and obeys its reader."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import pages
from browser.conftest import Visits
from browser.programs import random_function, run_on_page
from playwright.sync_api import Locator, Page
from torch.utils._pytree import tree_leaves

from genbook.gan import machines
from genbook.kit.machine import noise, trace
from genbook.kit.machine.page import machine
from genbook.kit.machine.parts import Machine, Twin

STATE = "data-genbook-machine-state"
FADING = ("GAN, log(1 − D)", "f-GAN, reverse KL")
"""Games whose first slopes can be as small as Adam's own ε."""

START = {"game": "GAN, −log D", "critic_steps": 1, "critic_rate": 1e-3, "generator_rate": 1e-3}


@pytest.fixture(scope="module")
def gan() -> Machine:
    return machines.gan()


@pytest.fixture(scope="module")
def address(gan: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines on one page."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBOOK_STATIC", "1")
        one = machine(gan, caption="One.", alt="A ring.")._repr_html_()  # type: ignore[union-attr]
    two = one.replace('id="gb-machine-gan"', 'id="gb-machine-second"')
    path = tmp_path_factory.mktemp("machine") / "machine.html"
    path.write_text(pages.document(one, two), encoding="utf-8")
    return path


@pytest.fixture
def opened(address: Path, visits: Visits) -> Iterator[Page]:
    page = visits.open(address)
    page.wait_for_selector(f'#gb-machine-gan[{STATE}="ready"]')
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def blank(visits: Visits) -> Iterator[Page]:
    page = visits.open("about:blank")
    yield page
    page.context.close()


def figure(page: Page) -> Locator:
    return page.locator("#gb-machine-gan")


def step(page: Page, count: int) -> None:
    page.evaluate(
        """async count => {
        const machine = document.querySelector('#gb-machine-gan').genbookMachine;
        const idle = async () => { while (machine.busy) await new Promise(r => setTimeout(r, 5)); };
        await idle();
        machine.ask(count);
        await idle();
        }""",
        count,
    )


def dump(page: Page) -> dict[str, Any]:
    return page.evaluate(
        """async () => {
        const found = await document.querySelector('#gb-machine-gan').genbookMachine.dump();
        const plain = (x) => [...x].map(String);
        return {
          state: Object.fromEntries(Object.entries(found.state)
            .map(([name, leaves]) => [name, leaves.map(plain)])),
          targets: Object.fromEntries(Object.entries(found.targets)
            .map(([name, leaf]) => [name, plain(leaf)])),
          steps: found.steps,
        };}"""
    )


def furthest(page: Page, twin: Twin) -> tuple[float, float]:
    """The largest differences between what page and twin keep: of weights, of Adam's averages."""
    held = dump(page)["state"]
    gaps: list[list[float]] = [[], []]
    for name, leaves in twin.state.items():
        weights = (len(leaves) - 1) // 3
        for place, (shown, ours) in enumerate(zip(held[name], leaves, strict=True)):
            gap = (torch.tensor([float(x) for x in shown]) - ours.flatten()).abs().max().item()
            gaps[place >= weights].append(gap)
    return max(gaps[0]), max(gaps[1])


@pytest.mark.parametrize("seed", range(80))
def test_a_random_program_computes_what_torch_computes(blank: Page, seed: int) -> None:
    dice = random.Random(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function, example, steps = random_function(dice, dice.randint(1, 8))
        program = trace(function, *example)
        wanted = [leaf.flatten() for leaf in tree_leaves(function(*example))]
    for shown, leaf in zip(run_on_page(blank, program, example), wanted, strict=True):
        torch.testing.assert_close(
            shown, leaf.float(), atol=2e-5, rtol=2e-5, equal_nan=True, msg=lambda m: f"{steps}: {m}"
        )


def test_the_page_draws_pythons_random_numbers(blank: Page) -> None:
    text = f"""([key, stream, step]) => {{{noise.SCRIPT}
        const flat = new Float32Array(1001), bell = new Float32Array(1001);
        uniform(flat, key, stream, step);
        normal(bell, key, stream, step);
        return [[...flat], [...bell]];}}"""
    for key, stream, at in ((1, 0, 0), (7, 1003, 12), (4_000_000_000, 5, 99_999)):
        flat, bell = blank.evaluate(text, [key, stream, at])
        assert flat == noise.uniform(1001, key=key, stream=stream, step=at).tolist()
        ours = torch.from_numpy(noise.normal(1001, key=key, stream=stream, step=at))
        torch.testing.assert_close(torch.tensor(bell), ours, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"critic_steps": 3, "critic_rate": 5e-3, "generator_rate": 2e-4},
        {"game": "GAN, log(1 − D)", "critic_rate": 5e-4},
        {"game": "f-GAN, reverse KL", "critic_rate": 2e-4},
        {"game": "f-GAN, forward KL", "critic_steps": 2},
        {"game": "WGAN, weights clipped", "critic_steps": 2},
        {"game": "WGAN, gradient penalty"},
        {"game": "GAN-QP"},
    ],
    ids=[
        "as it begins",
        "three critic steps",
        "saturating",
        "reverse KL",
        "forward KL",
        "clipped",
        "penalty",
        "GAN-QP",
    ],
)
def test_one_step_and_twenty_are_torchs(
    opened: Page, gan: Machine, settings: dict[str, Any], report: dict[str, Any]
) -> None:
    wanted = {**START, **settings}
    for control in gan.controls:
        values = getattr(control, "words", None) or control.values  # type: ignore[union-attr]
        opened.locator(f"#gb-machine-gan-{control.name}").evaluate(
            """(field, index) => {
            if (field.tagName === 'SELECT') field.selectedIndex = index; else field.value = index;
            field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input'));
            }""",
            values.index(wanted[control.name]),
        )
    twin = Twin(gan, 1, wanted, gan.data["ring"])
    exact = Twin(gan, 1, wanted, gan.data["ring"], torch.float64)
    assert furthest(opened, twin) == (0, 0)
    step(opened, 1)
    twin.step()
    exact.step()
    first, nearest = furthest(opened, twin), furthest(opened, exact)
    step(opened, 19)
    for _ in range(19):
        twin.step()
    twenty = furthest(opened, twin)
    report[f"machine, gan, {settings or 'as it begins'} (millionths)"] = {
        "weights after one step": 1e6 * first[0],
        "averages": 1e6 * first[1],
        "weights, from double precision": 1e6 * nearest[0],
        "averages, from double precision": 1e6 * nearest[1],
        "weights after twenty": 1e6 * twenty[0],
        "averages after twenty": 1e6 * twenty[1],
    }
    # Adam divides a slope by its own size: of a slope of 1e-9 rounding decides the sign, and a
    # weight moves by a share of its step size with it. The averages show the slopes themselves.
    assert first[1] <= 1e-6
    assert nearest[1] <= 2e-7
    assert first[0] <= (1e-2 * max(wanted["critic_rate"], wanted["generator_rate"]))
    assert max(twenty) <= 1e-4
    if wanted["game"] not in FADING:
        assert first[0] <= 1e-6


def test_run_pause_step_reset_and_another_seed_do_what_they_say(opened: Page) -> None:
    shown = figure(opened)
    shown.get_by_role("button", name="Run").click()
    opened.wait_for_function("document.querySelector('#gb-machine-gan').genbookMachine.steps > 20")
    assert shown.get_attribute(STATE) == "running"
    shown.get_by_role("button", name="Pause").click()
    assert shown.get_attribute(STATE) == "stopped"
    step(opened, 0)
    before = dump(opened)["steps"]
    shown.get_by_role("button", name="Step", exact=True).click()
    opened.wait_for_function(
        "steps => document.querySelector('#gb-machine-gan').genbookMachine.steps === steps",
        arg=before + 1,
    )
    shown.get_by_role("button", name="Reset").click()
    opened.wait_for_selector(f'#gb-machine-gan[{STATE}="ready"]')
    step(opened, 0)
    start = dump(opened)["state"]
    shown.get_by_role("button", name="Another seed").click()
    step(opened, 0)
    assert dump(opened)["state"] != start
    assert opened.locator("#gb-machine-second").get_attribute(STATE) == "ready"


def test_nothing_moves_by_itself(opened: Page) -> None:
    opened.wait_for_timeout(300)
    assert dump(opened)["steps"] == 0


def test_a_pointer_draws_the_data_and_they_arrive(opened: Page) -> None:
    canvas = figure(opened).locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    opened.mouse.down()
    for k in range(1, 21):
        opened.mouse.move(
            box["x"] + (0.25 + 0.025 * k) * box["width"], box["y"] + 0.5 * box["height"]
        )
    opened.mouse.up()
    points = opened.evaluate("document.querySelector('#gb-machine-gan').genbookMachine.data")
    across, up = points[::2], points[1::2]
    assert len(across) > 10
    assert min(across) == pytest.approx(-1.5, abs=0.1)
    assert max(across) == pytest.approx(1.5, abs=0.2)
    assert max(map(abs, up)) < 0.1
    step(opened, 400)
    samples = [float(x) for x in dump(opened)["targets"]["samples"]]
    assert sum(map(abs, samples[1::2])) / len(samples[1::2]) < 0.5  # they lie along the line


def test_keys_draw_too(opened: Page) -> None:
    canvas = figure(opened).locator("canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Space"):
        opened.keyboard.press(key)
    points = opened.evaluate("document.querySelector('#gb-machine-gan').genbookMachine.data")
    assert points == pytest.approx([0.4, 0.2])


def test_a_set_up_is_shared_by_its_address(opened: Page, visits: Visits) -> None:
    opened.locator("#gb-machine-gan-data").select_option("moons")
    opened.locator("#gb-machine-gan-game").select_option(index=2)
    figure(opened).get_by_role("button", name="Another seed").click()
    step(opened, 3)
    held = dump(opened)["state"]
    other = visits.open(opened.url)
    other.wait_for_selector(f'#gb-machine-gan[{STATE}="ready"]')
    assert other.locator("#gb-machine-gan-data").input_value() == "moons"
    step(other, 3)
    assert dump(other)["state"] == held
    other.context.close()


@pytest.mark.parametrize(
    "address_of",
    ["data=yours&numbers=1,2,x", "seed=-7&game=99", "critic_rate=NaN", "data=nothing", "%E0%A4%A"],
)
def test_a_broken_address_is_survived(address: Path, visits: Visits, address_of: str) -> None:
    page = visits.open(f"{address.as_uri()}#machine-gan?{address_of}")
    page.wait_for_selector(f'#gb-machine-gan[{STATE}="ready"]')
    page.context.close()


def test_a_number_that_is_none_stops_the_machine_with_a_sentence(opened: Page) -> None:
    opened.evaluate(
        """() => {
        const machine = document.querySelector('#gb-machine-gan').genbookMachine;
        machine.settings.critic_rate = NaN;
        document.querySelector('#gb-machine-gan-generator_rate').dispatchEvent(new Event('input'));
        }"""
    )
    figure(opened).get_by_role("button", name="Run").click()
    opened.wait_for_selector(f'#gb-machine-gan[{STATE}="failed"]')
    assert "no longer a finite number" in figure(opened).locator(".gb-readout").inner_text()
    figure(opened).get_by_role("button", name="Reset").click()
    opened.wait_for_selector(f'#gb-machine-gan[{STATE}="ready"]')


def test_without_data_it_asks_for_some(opened: Page) -> None:
    figure(opened).get_by_role("button", name="Clear the data").click()
    assert "Draw some data" in figure(opened).locator(".gb-readout").inner_text()
    figure(opened).get_by_role("button", name="Run").click()
    assert figure(opened).get_attribute(STATE) == "ready"


def test_leaving_the_page_leaves_no_worker(opened: Page) -> None:
    assert len(opened.workers) == 2
    opened.goto("about:blank")
    opened.wait_for_timeout(100)
    assert opened.workers == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(opened: Page, theme: str) -> None:
    opened.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    pages.settle(opened)
    found = pages.audit(opened)
    assert found.violations_count == 0, found.generate_report()


def test_at_a_phones_width_nothing_sticks_out_and_the_canvas_keeps_to_its_axes(
    opened: Page,
) -> None:
    opened.set_viewport_size({"width": 360, "height": 740})
    pages.settle(opened)
    assert pages.overflow(opened) == []
    gap = opened.evaluate(
        """() => {
        const box = (name) => document.querySelector(name).getBoundingClientRect();
        const canvas = box('#gb-machine-gan canvas');
        const drawing = box('#gb-machine-gan .gb-stage > svg');
        return [canvas.left - drawing.left, drawing.right - canvas.right, canvas.width];}"""
    )
    assert min(gap[:2]) >= 0
    assert gap[2] > 200


def test_without_scripts_the_first_frame_and_a_sentence_stand(
    address: Path, visits: Visits
) -> None:
    page = visits.open(address, java_script_enabled=False)
    assert page.locator("#gb-machine-gan .gb-stage > svg").is_visible()
    assert page.locator("#gb-machine-gan .gb-still").is_visible()
    assert not page.locator("#gb-machine-gan .gb-machine-bar").is_visible()
    page.context.close()


def test_the_script_and_each_program_weigh_less_than_30_kb(address: Path) -> None:
    from genbook.kit.machine.emit import PRELUDE
    from genbook.kit.machine.scripts import script

    text = address.read_text(encoding="utf-8")
    brought = text.split('data-genbook-brought="gan">')[1].split("</script>")[0]
    data = json.loads(brought)
    assert (
        sum(
            len(script(name))
            for name in ("layers", "hands", "machine", "bring", "worker", "noise", "weights")
        )
        + len(PRELUDE)
        <= 30_000
    )
    assert len(script("text")) <= 5_000  # comes with machines that have a text
    for program in data["worker"].split("()=>(()=>")[1:]:
        assert len(program) <= 30_000
