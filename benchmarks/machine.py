"""How long a round of the GAN machine takes in a page, beside torch's own on one thread.

A round is one step of the discriminator and one of the generator, batches of 128, both with Adam.
Page and torch are timed in turns, in one run.

    python benchmarks/machine.py [width …]
"""

from __future__ import annotations

import math
import shutil
import statistics
import sys
import time

import torch
from playwright.sync_api import Page, sync_playwright

from genbook.gan import machines
from genbook.kit.machine import noise
from genbook.kit.machine.emit import PRELUDE
from genbook.kit.machine.page import worker_script
from genbook.kit.machine.parts import Machine, Twin
from genbook.kit.machine.scripts import script

TURNS, ROUNDS = 7, 60
SETTINGS = {
    "game": "GAN, −log D",
    "critic_steps": 1,
    "critic_rate": 1e-3,
    "generator_rate": 1e-3,
}


def on_page(page: Page, rounds: int) -> float:
    """Milliseconds a round in the page's worker."""
    took = page.evaluate(
        """rounds => new Promise(done => {
        worker.onmessage = ({data}) => done(data.broken ? NaN : data.took);
        worker.postMessage({run: rounds});
        })""",
        rounds,
    )
    if took is None or math.isnan(took):
        raise RuntimeError("the machine stopped at a number that is none; no time to report")
    return float(took) / rounds


def in_torch(machine: Machine, rounds: int) -> float:
    """Milliseconds a round of the same functions in eager torch, with ``autograd.grad``."""
    twin = Twin(machine, 1, SETTINGS, machine.data["ring"])
    eager = machines.round_in_torch(twin)
    start = time.perf_counter()
    for _ in range(rounds):
        eager()
    return 1e3 * (time.perf_counter() - start) / rounds


def main() -> None:
    """Measure the widths named, or three."""
    torch.set_num_threads(1)
    widths = [int(word) for word in sys.argv[1:]] or [32, 64, 128]
    shared = len(PRELUDE) + len(noise.SCRIPT) + len(script("machine")) + len(script("worker"))
    print(f"shared script: {shared / 1e3:.1f} kB")
    with sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for width in widths:
            machine = machines.gan(width)
            page = browser.new_page()
            page.evaluate(
                """([text, settings, points]) => {
                window.worker = new Worker(URL.createObjectURL(new Blob([text])));
                worker.postMessage({reset: true, turn: 1, seed: 1, settings, data: points});
                }""",
                [worker_script(machine), SETTINGS, machine.data["ring"].flatten().tolist()],
            )
            on_page(page, ROUNDS)
            in_torch(machine, ROUNDS)
            pairs = [(on_page(page, ROUNDS), in_torch(machine, ROUNDS)) for _ in range(TURNS)]
            ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
            ratio = statistics.median(one / other for one, other in pairs)
            print(
                f"2 × {width}: page {ours:.2f} ms, torch {theirs:.2f} ms, ratio {ratio:.2f}; "
                f"worker {len(worker_script(machine)) / 1e3:.0f} kB"
            )
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
