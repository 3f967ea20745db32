"""How smoothly the book's machines run: frames a second and the longest task of the page.

Each machine of the built book runs for some seconds, at full speed and with the page's processor
throttled four times (its worker's too, where Chromium can).

    python benchmarks/smoothness.py [stem …]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

BOOK = Path("_build/html/book")
SECONDS = 3.0
WATCH = """seconds => new Promise(done => {
  let frames = 0, longest = 0;
  const watcher = new PerformanceObserver(list => {
    for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
  });
  watcher.observe({type: 'longtask'});
  const began = performance.now();
  const frame = now => {
    frames += 1;
    if (now - began < 1e3 * seconds) { requestAnimationFrame(frame); return; }
    watcher.disconnect();
    done([1e3 * frames / (now - began), longest]);
  };
  requestAnimationFrame(frame);
})"""


def machines_of(page: Page) -> list[str]:
    """Names of the machines on a page."""
    found: list[str] = page.evaluate(
        """[...document.querySelectorAll('[data-genbook-machine]')]
        .map(figure => figure.dataset.genbookMachine)"""
    )
    return found


def measure(page: Page, name: str, slower: int) -> str:
    """Run one machine and say how it went."""
    figure = page.locator(f'[data-genbook-machine="{name}"]')
    figure.scroll_into_view_if_needed()
    page.wait_for_function(
        """name => document.getElementById(`gb-machine-${name}`)
        .dataset.genbookMachineState === 'ready'""",
        arg=name,
    )
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    figure.get_by_role("button", name="Run", exact=True).click()
    rate, longest = page.evaluate(WATCH, SECONDS)
    steps = figure.locator(".gb-readout").inner_text().split(".")[0]
    if figure.get_by_role("button", name="Pause").count():
        figure.get_by_role("button", name="Pause").click()
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    return f"{rate:5.0f} frames/s, longest task {longest:4.0f} ms ({steps})"


def main() -> None:
    """Measure the chapters named, or all."""
    stems = sys.argv[1:] or sorted(path.stem for path in BOOK.glob("*.html"))
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for stem in stems:
            for slower in (1, 4):
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto((BOOK / f"{stem}.html").resolve().as_uri())
                for name in machines_of(page):
                    print(f"{stem:12s} {name:12s} {slower}×  {measure(page, name, slower)}")
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
