"""A web server on this machine that misbehaves on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


@dataclass
class Mirror:
    """Files by name, how to serve them, and what was asked for."""

    files: dict[str, bytes]
    resumes: bool = True
    drop_after: int | None = None
    drops: int = 0
    stall_after: int | None = None
    go_on: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    url: str = ""

    def gets(self, name: str) -> list[str | None]:
        """The Range headers of every GET of ``name``."""
        return [given for verb, path, given in self.asked if (verb, path) == ("GET", name)]


class _Handler(BaseHTTPRequestHandler):
    mirror: ClassVar[Mirror]

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        mirror, name, given = self.mirror, self.path.lstrip("/"), self.headers.get("Range")
        mirror.asked.append((self.command, name, given))
        if name not in mirror.files:
            self.send_error(404)
            return
        content, start = mirror.files[name], 0
        if given and mirror.resumes:
            start = int(given.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if body:
            self._send(content[start:])

    def _send(self, content: bytes) -> None:
        mirror = self.mirror
        if mirror.drop_after is not None and mirror.drops > 0:
            mirror.drops -= 1
            content = content[: mirror.drop_after]
        if mirror.stall_after is not None and not mirror.go_on.is_set():
            self.wfile.write(content[: mirror.stall_after])
            self.wfile.flush()
            mirror.go_on.wait(30)
            content = content[mirror.stall_after :]
        with suppress(ConnectionError):
            self.wfile.write(content)


@contextmanager
def serve(mirror: Mirror) -> Iterator[Mirror]:
    """Serve ``mirror`` on a free port while the block runs."""
    handler = type("Handler", (_Handler,), {"mirror": mirror})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield mirror
    finally:
        mirror.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
