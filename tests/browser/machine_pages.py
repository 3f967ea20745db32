"""A machine alone on a page: how a test sets it, steps it and reads what it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import pages
from playwright.sync_api import Locator, Page

from genbook.kit.machine.page import machine
from genbook.kit.machine.parts import Choice, Machine, Twin

STATE = "data-genbook-machine-state"


def written(parts: Machine, folder: Path) -> Path:
    """The machine's page in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBOOK_STATIC", "1")
        shown = machine(parts, caption="A machine.", alt="What it draws.")
    path = folder / f"{parts.name}.html"
    path.write_text(pages.document(shown._repr_html_()), encoding="utf-8")  # type: ignore[union-attr]
    return path


def figure(page: Page) -> Locator:
    """The machine."""
    return page.locator("figure.gb-machine")


def wait(page: Page, word: str = "ready") -> None:
    """Until the machine is in this state."""
    page.wait_for_selector(f'figure.gb-machine[{STATE}="{word}"]')


def settle(page: Page, parts: Machine, settings: Mapping[str, Any]) -> None:
    """Move the controls as a reader does."""
    for control in parts.controls:
        words = control.words if isinstance(control, Choice) else control.values
        page.locator(f"#gb-machine-{parts.name}-{control.name}").evaluate(
            """(field, index) => {
            if (field.tagName === 'SELECT') field.selectedIndex = index; else field.value = index;
            field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input'));
            }""",
            words.index(settings[control.name]),
        )


def step(page: Page, count: int) -> None:
    """Ask for steps and wait until they are done."""
    page.evaluate(
        """async count => {
        const machine = document.querySelector('figure.gb-machine').genbookMachine;
        const wait = () => new Promise(r => setTimeout(r, 20));
        do await wait(); while (machine.busy);
        machine.ask(count);
        do await wait(); while (machine.busy);
        }""",
        count,
    )


def dump(page: Page) -> dict[str, Any]:
    """What the worker keeps and has found, as words that hold every number."""
    return page.evaluate(
        """async () => {
        const found = await document.querySelector('figure.gb-machine').genbookMachine.dump();
        const plain = (x) => [...x].map(String);
        return {
          state: Object.fromEntries(Object.entries(found.state)
            .map(([name, leaves]) => [name, leaves.map(plain)])),
          targets: Object.fromEntries(Object.entries(found.targets)
            .map(([name, leaf]) => [name, plain(leaf)])),
          steps: found.steps,
        };}"""
    )


def furthest(page: Page, twin: Twin) -> float:
    """The largest difference between what page and twin keep, as a share of 1 or of the number."""
    held, gaps = dump(page)["state"], [0.0]
    for name, leaves in twin.state.items():
        for shown, ours in zip(held[name], leaves, strict=True):
            gap = (torch.tensor([float(x) for x in shown]) - ours.flatten()).abs()
            gaps.append((gap / ours.flatten().abs().clamp_min(1)).max().item())
    return max(gaps)


def drag(page: Page, panel: int, *spots: tuple[float, float]) -> None:
    """A pointer's way over a panel, in shares of its width and height from below."""
    canvas = page.locator("canvas").nth(panel)
    canvas.scroll_into_view_if_needed()
    box: Any = canvas.bounding_box()
    for number, (x, y) in enumerate(spots):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - y) * box["height"], steps=6)
        if not number:
            page.mouse.down()
    page.mouse.up()


def break_setting(page: Page, name: str) -> None:
    """A step size that is no number."""
    page.evaluate(
        """name => {
        const machine = document.querySelector('figure.gb-machine').genbookMachine;
        machine.settings[name] = NaN;
        }""",
        name,
    )
