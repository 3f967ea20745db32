"""A real browser, cut off from the network, and a report of what was measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import pages
from playwright.sync_api import Browser, Page, sync_playwright

OPTIONS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = ("file:", "data:", "blob:", "about:")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.fail("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[pages.Open]:
    """Open a page; a request that leaves the disk, or a script error, fails the test."""
    contexts = []
    faults: list[str] = []

    def open_page(address: str | Path, *, allow: str = "", **options: Any) -> Page:
        options.setdefault("viewport", {"width": 1000, "height": 900})
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)

        def watch(request: Any) -> None:
            local = request.url.startswith(LOCAL)
            if not local and not (allow and request.url.startswith(allow)):
                faults.append(f"request to {request.url}")

        context.on("request", watch)
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.goto(address.as_uri() if isinstance(address, Path) else address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture(scope="session")
def report() -> Iterator[dict[str, Any]]:
    """What was measured, printed at the end and left in _build/reports."""
    measured: dict[str, Any] = {}
    yield measured
    pages.REPORT.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(pages.REPORT.read_text()) if pages.REPORT.exists() else {}
    pages.REPORT.write_text(json.dumps({**old, **measured}, indent=1, ensure_ascii=False))
    _MEASURED.update(measured)


_MEASURED: dict[str, Any] = {}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the measurements."""
    if not _MEASURED:
        return
    terminalreporter.section("explorables")
    for key, value in sorted(_MEASURED.items()):
        terminalreporter.write_line(f"{key}: {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(entry)}" for key, entry in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)
