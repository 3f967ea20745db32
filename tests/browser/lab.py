"""JupyterLab on the loopback interface, with settings and kernels of its own."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client import BlockingKernelClient

READY = "import genbook.kit.explore.live"


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab: the start of its addresses, its token, where its kernels are listed."""

    address: str
    token: str
    runtime: Path

    def page(self, path: str) -> str:
        """The address of a notebook, in a workspace without memories."""
        return f"{self.address}/lab/tree/{path}?reset&token={self.token}"

    def start_kernel(self, path: str) -> None:
        """Have a notebook's kernel ready: a cell run while it starts can get lost in the page."""
        wish = {"path": path, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        kernel = self._ask("POST", "sessions", wish)["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{kernel}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=180)
            client.execute_interactive(READY, timeout=180, store_history=False)
        finally:
            client.stop_channels()

    def stop_kernels(self) -> None:
        """End every kernel: each keeps what its notebook has made."""
        for session in self._ask("GET", "sessions"):
            self._ask("DELETE", f"sessions/{session['id']}")

    def _ask(self, method: str, what: str, wish: Any = None) -> Any:
        head = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        data = None if wish is None else json.dumps(wish).encode()
        address = f"{self.address}/api/{what}"
        request = urllib.request.Request(address, data=data, headers=head, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")


@contextmanager
def serving(folder: Path, home: Path, sayings: Mapping[str, str] | None = None) -> Iterator[Lab]:
    """JupyterLab over a folder; what it keeps, it keeps in ``home``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--ip=127.0.0.1"]
    command += [f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    command += ["--allow-root", f"--ServerApp.root_dir={folder}", "--LabApp.news_url="]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GENBOOK_")}
    places = {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_RUNTIME_DIR": str(home / "run")}
    places |= {"IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home / "set")}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    told = kept | places | dict(sayings or {})
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env=told, stdout=log, stderr=log, cwd=folder)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api?token={token}", server, home / "log")
            yield Lab(address, token, home / "run")
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
