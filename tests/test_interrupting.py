"""A training that is interrupted leaves a kernel that goes on; people see the time left."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from genbook.kit import kernels, notebooks

VAE = Path(__file__).parents[1] / "book" / "vae.ipynb"
WAIT = 120.0
LONG = """
import time
from genbook.kit.training import Step, progress
def train(total):
    for index in range(total):
        time.sleep(0.01)
        yield Step(index, total, {"loss": 1 / (index + 1)})
"""
Message = dict[str, Any]


@dataclass
class Kernel:
    """A kernel as JupyterLab has one: cells go in, what it publishes is kept."""

    manager: KernelManager
    client: BlockingKernelClient
    published: list[Message] = field(default_factory=list)

    def run(self, code: str, *, interrupt_when: str = "") -> Message:
        """Run a cell and return its reply; interrupt it once it has shown this."""
        self.published.clear()
        asked = self.client.execute(code)
        waiting = interrupt_when
        while True:
            message = self.client.get_iopub_msg(timeout=WAIT)
            if message["parent_header"].get("msg_id") != asked:
                continue
            self.published.append(message)
            if waiting and waiting in str(message["content"]):
                self.manager.interrupt_kernel()
                waiting = ""
            if message["content"].get("execution_state") == "idle":
                break
        assert not waiting, f"the cell ended before it showed {interrupt_when!r}"
        while True:
            reply = self.client.get_shell_msg(timeout=WAIT)
            if reply["parent_header"].get("msg_id") == asked:
                return dict(reply["content"])

    def of(self, kind: str) -> list[Message]:
        """What the last cell published of a kind."""
        return [m["content"] for m in self.published if m["msg_type"] == kind]

    def printed(self) -> str:
        """The text that the last cell printed."""
        return "".join(content["text"] for content in self.of("stream"))


@pytest.fixture
def started(monkeypatch, tmp_path) -> Iterator[Any]:
    """Start kernels as a reader's Jupyter does, not as a test does."""
    found: list[Kernel] = []
    monkeypatch.delenv("PYTEST_VERSION", raising=False)
    monkeypatch.setenv("GENBOOK_DATA", "none")
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
    for name in ("GENBOOK_PROGRESS", "GENBOOK_STATIC"):
        monkeypatch.delenv(name, raising=False)

    def start(**sayings: str) -> Kernel:
        for name, value in sayings.items():
            monkeypatch.setenv(name, value)
        manager = KernelManager(kernel_name="python3", config=kernels.settings())
        manager.start_kernel(cwd=str(tmp_path))
        found.append(Kernel(manager, manager.client()))
        found[-1].client.start_channels()
        found[-1].client.wait_for_ready(timeout=WAIT)
        return found[-1]

    yield start
    for kernel in found:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.manager.cleanup_resources()


def bars_left(kernel: Kernel) -> set[str]:
    """The widgets that the last cell opened and did not close."""
    opened = {content["comm_id"] for content in kernel.of("comm_open")}
    shown = {
        content["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
        for content in kernel.of("display_data")
        if "application/vnd.jupyter.widget-view+json" in content["data"]
    }
    return shown & opened - {content["comm_id"] for content in kernel.of("comm_close")}


def test_a_bar_shows_how_far_a_training_is_and_the_time_left_then_goes(started):
    kernel = started()
    assert kernel.run(LONG + "*_, last = progress(train(150))")["status"] == "ok"
    states = [c["data"]["state"] for c in kernel.of("comm_msg") if "state" in c.get("data", {})]
    lengths = [state["max"] for state in states if "max" in state]
    assert lengths == [150.0]
    texts = [html.unescape(str(state["value"])) for state in states if "value" in state]
    assert any("/150" in text and "<00:0" in text and "loss=" in text for text in texts), texts
    assert kernel.of("display_data")
    assert bars_left(kernel) == set()


@pytest.mark.parametrize("saying", ["GENBOOK_STATIC", "PYTEST_VERSION"])
def test_no_bar_is_shown_in_the_build_and_under_nbval(started, saying):
    kernel = started(**{saying: "1"})
    assert kernel.run(LONG + "*_, last = progress(train(30))")["status"] == "ok"
    kinds = {message["msg_type"] for message in kernel.published}
    assert kinds == {"status", "execute_input"}


def test_an_interrupted_training_runs_again_and_the_cells_after_it_work(started):
    cells = [c.source for c in notebooks.read(VAE).cells if c.cell_type == "code"]
    plane, auto = [c for c in cells if "progress(vae_training.fit(" in c][:2]
    start = "\n".join(cells[: cells.index(plane)])
    after = cells[cells.index(auto) + 1 :][:2]
    kernel = started(GENBOOK_PROFILE="normal")
    assert kernel.run(start)["status"] == "ok"
    for cell in (plane, auto):
        stopped = kernel.run(cell, interrupt_when="loss=")
        assert (stopped["status"], stopped["ename"]) == ("error", "KeyboardInterrupt")
        assert bars_left(kernel) == set()
        assert kernel.run(cell)["status"] == "ok"
    again = kernel.printed()
    for cell in after:
        assert kernel.run(cell)["status"] == "ok"
    kernel.run(auto)
    assert kernel.printed() == again
