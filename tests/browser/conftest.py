"""A real browser, cut off from the network, and a report of what was measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser import pages
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from xdist.scheduler import LoadScopeScheduling

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
MEASURED = pytest.StashKey[dict[str, Any]]()


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


@dataclass
class Visits:
    """Opens pages; remembers the requests that left the disk and the script errors."""

    chromium: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(
        self, address: str | Path, *, allow: str = "", clock: bool = False, **options: Any
    ) -> Page:
        """A page in a context of its own; with ``clock``, its time stands until it is moved on."""
        context = self.chromium.new_context(**{"viewport": pages.SCREEN, **options})
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)

        def watch(request: Any) -> None:
            local = request.url.startswith(LOCAL)
            if not local and not (allow and request.url.startswith(allow)):
                self.faults.append(f"request to {request.url}")

        context.on("request", watch)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error.stack}"))
        if clock:
            page.clock.install(time=0)
            page.clock.pause_at(1000)
        page.goto(address.as_uri() if isinstance(address, Path) else address)
        return page

    def check(self) -> None:
        """Fail for what went wrong since the last check."""
        found, self.faults[:] = list(self.faults), []
        assert not found

    def close(self) -> None:
        """Leave every page."""
        for context in self.contexts:
            context.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[pages.Open]:
    """Open a page; a request that leaves the disk, or a script error, fails the test."""
    visits = Visits(chromium)
    yield visits.open
    visits.close()
    visits.check()


@pytest.fixture(scope="module")
def visits(chromium: Browser) -> Iterator[Visits]:
    """Open pages that stand for all tests of a module."""
    visits = Visits(chromium)
    yield visits
    visits.close()


@pytest.fixture
def page(standing: Page, visits: Visits) -> Iterator[Page]:
    """The page that stands, brought back to how it was loaded."""
    pages.restore(standing)
    yield standing
    standing.evaluate("window.used = true")
    visits.check()


@pytest.fixture
def fresh(page: Page) -> Page:
    """The page with every figure untouched: loaded anew only where a test has used it."""
    if page.evaluate("window.used"):
        pages.reload(page)
    return page


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> dict[str, Any]:
    """What is measured: printed at the end and left in _build/reports."""
    return pytestconfig.stash[MEASURED]


class PageByPage(LoadScopeScheduling):
    """Gives one worker all tests of a page of the book, or of a module about a page of its own."""

    def _split_scope(self, nodeid: str) -> str:
        module, _, test = nodeid.partition("::")
        case = test.partition("[")[2].rstrip("]")
        return case.partition("-")[0] if module.endswith("test_book.py") else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> PageByPage:
    """Load a page in one worker only."""
    return PageByPage(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing measured."""
    config.stash[MEASURED] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's measurements over."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["measured"] = session.config.stash[MEASURED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take a worker's measurements."""
    node.config.stash[MEASURED].update(getattr(node, "workeroutput", {}).get("measured", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write and print the measurements."""
    measured = config.stash[MEASURED]
    if not measured:
        return
    pages.REPORT.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(pages.REPORT.read_text()) if pages.REPORT.exists() else {}
    pages.REPORT.write_text(json.dumps({**old, **measured}, indent=1, ensure_ascii=False))
    terminalreporter.section("explorables")
    for key, value in sorted(measured.items()):
        terminalreporter.write_line(f"{key}: {_short(value)}")


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_short(entry)}" for key, entry in value.items())
    return f"{value:.2f}" if isinstance(value, float) else str(value)
