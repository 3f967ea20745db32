"""Driving a machine on a page: its controls, its steps, what it keeps; and its twin in Python."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from browser import pages
from playwright.sync_api import Page
from torch import Tensor

from genbook.kit.machine.page import machine
from genbook.kit.machine.parts import Choice, Machine, Twin

STATE = "data-genbook-machine-state"


def written(parts: Machine, folder: Path) -> Path:
    """A page with the machine alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENBOOK_STATIC", "1")
        html = machine(parts, caption="A machine.", alt="Its picture.")._repr_html_()  # type: ignore[union-attr]
    path = folder / f"{parts.name}.html"
    path.write_text(pages.document(html), encoding="utf-8")
    return path


def wait(page: Page, name: str, state: str = "ready") -> None:
    page.wait_for_selector(f'#gb-machine-{name}[{STATE}="{state}"]')


def step(page: Page, name: str, count: int) -> None:
    page.evaluate(
        """async ([name, count]) => {
        const machine = document.querySelector('#gb-machine-' + name).genbookMachine;
        const idle = async () => { while (machine.busy) await new Promise(r => setTimeout(r, 5)); };
        await idle();
        machine.ask(count);
        await idle();
        }""",
        [name, count],
    )


def dump(page: Page, name: str) -> dict[str, dict[str, Any]]:
    """What it keeps (a list of leaves by group) and what it shows (by target), as numbers."""
    found = page.evaluate(
        """async name => {
        const found = await document.querySelector('#gb-machine-' + name).genbookMachine.dump();
        const plain = (x) => [...x].map(String);
        return {
          state: Object.fromEntries(Object.entries(found.state)
            .map(([name, leaves]) => [name, leaves.map(plain)])),
          targets: Object.fromEntries(Object.entries(found.targets)
            .map(([name, leaf]) => [name, plain(leaf)])),
        };}""",
        name,
    )
    return {
        "state": {
            group: [_numbers(leaf) for leaf in leaves] for group, leaves in found["state"].items()
        },
        "targets": {target: _numbers(leaf) for target, leaf in found["targets"].items()},
    }


def _numbers(words: list[str]) -> Tensor:
    return torch.tensor([float(word) for word in words])


def drag(page: Page, panel: int, *spots: tuple[float, float]) -> None:
    """Draw over a panel from spot to spot: shares of its width, and of its height from below."""
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


def steps(page: Page) -> int:
    """How many steps the page's machine has made."""
    return page.evaluate("document.querySelector('figure.gb-machine').genbookMachine.steps")


def settle_on(page: Page, parts: Machine, settings: dict[str, Any], data: str = "") -> None:
    """Move the controls."""
    wanted = {**parts.beginning(), **settings}
    indices = {
        c.name: (c.words if isinstance(c, Choice) else c.values).index(wanted[c.name])
        for c in parts.controls
    }
    if data:
        page.locator(f"#gb-machine-{parts.name}-data").select_option(data)
    for name, index in indices.items():
        page.locator(f"#gb-machine-{parts.name}-{name}").evaluate(
            """(field, index) => {
            if (field.tagName === 'SELECT') field.selectedIndex = index; else field.value = index;
            field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input'));
            }""",
            index,
        )


def gap(page: Page, twin: Twin) -> float:
    """The largest difference between page and twin, of all that they keep and show.

    A number above 1 counts by its share.
    """
    found, furthest = dump(page, twin.machine.name), 0.0
    pairs = [
        (shown, leaf.flatten().float())
        for group, leaves in twin.state.items()
        for shown, leaf in zip(found["state"][group], leaves, strict=True)
    ]
    pairs += [(found["targets"][name], leaf.flatten()) for name, leaf in twin.targets.items()]
    for shown, ours in pairs:
        scale = ours.abs().clamp(min=1)
        apart = torch.where(shown == ours, 0.0, (shown - ours).abs() / scale)  # ∞ is ∞
        furthest = max(furthest, apart.nan_to_num(nan=math.inf).max().item())
    return furthest
