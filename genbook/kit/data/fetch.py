"""Fetch a file once: several mirrors, resume, verification, one writer at a time."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pooch
from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from genbook.kit.environment import watched

CONNECT, READ = 3.0, 15.0
"""Seconds to wait for a connection, and for the next bytes on it."""

PROBE = 5.0
"""Seconds until a mirror that has not answered counts as out of reach."""

PATIENCE = 900.0
"""Seconds to wait for another process that fetches the same file."""

ROUNDS = 5
"""How often to go through the mirrors, as long as each round brings more bytes."""

CHUNK = 1 << 14
"""Bytes that a broken connection may lose."""

Check = Callable[[bytes], object]


class DownloadError(OSError):
    r"""No mirror gave a good copy; the message says what each of them did.

    Attributes:
        short: The same in a few words.
    """

    def __init__(self, message: str, *, short: str) -> None:
        self.short = short
        super().__init__(message)


def fetch(target: Path, urls: Sequence[str], check: Check) -> Path:
    r"""Bring a file to ``target``, from the first mirror that has a good copy.

    The bytes go to ``<target>.part``, which survives a broken connection or a kill and is continued
    by the next call, from any mirror. Only a copy that passes ``check`` takes the target's place,
    by renaming. A lock lets two processes ask at once: one fetches, the other finds the file.

    Args:
        target: Where the file shall be.
        urls: Where it can be had, best first.
        check: Raises ``ValueError`` if the file's bytes are not the ones wanted.

    Returns:
        ``target``.

    Raises:
        DownloadError: If no mirror has a good copy or none can be reached; a target that was there
            before is left as it was.
    """
    if not urls:
        raise DownloadError(f"no mirror of {target.name} answers", short="no mirror answers")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{target}.lock", timeout=PATIENCE):
            if not is_good(target, check):
                _fetch(target, urls, check)
    except Timeout as trouble:
        raise DownloadError(
            f"another process has held {target}.lock for {PATIENCE:.0f} s",
            short="another process is fetching it",
        ) from trouble
    return target


def reachable(urls: Sequence[str], *, seconds: float = PROBE) -> list[str]:
    r"""The mirrors that answer, in the given order, found out within ``seconds``.

    All are asked at once, in threads, so that neither a dead name server nor a silent host can hold
    up the caller for longer.

    Args:
        urls: Where a file might be.
        seconds: How long to wait.

    Returns:
        Those of ``urls`` that have the file.
    """
    answers: queue.Queue[tuple[str, bool]] = queue.Queue()

    def ask(url: str) -> None:
        yes = False
        with suppress(Exception):
            head = pooch.HTTPDownloader(timeout=CONNECT)
            yes = bool(head(url, None, None, check_only=True))
        answers.put((url, yes))

    for url in urls:
        threading.Thread(target=ask, args=(url,), daemon=True).start()
    return _gather(answers, urls, seconds)


def _gather(
    answers: queue.Queue[tuple[str, bool]], urls: Sequence[str], seconds: float
) -> list[str]:
    """The urls that said yes in time."""
    end, said_yes = time.monotonic() + seconds, set()
    for _ in urls:
        try:
            url, yes = answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            break
        if yes:
            said_yes.add(url)
    return [url for url in urls if url in said_yes]


def is_good(path: Path, check: Check) -> bool:
    r"""Whether the file is there and passes.

    Args:
        path: The file.
        check: As in :func:`fetch`.

    Returns:
        Whether it need not be fetched.
    """
    try:
        check(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _fetch(target: Path, urls: Sequence[str], check: Check) -> None:
    """Go through the mirrors, again and again as long as bytes arrive."""
    part = target.with_name(f"{target.name}.part")
    complaints: dict[str, str] = {}
    for _ in range(ROUNDS):
        before = _size(part)
        for url in urls:
            try:
                _from_mirror(url, part, check)
            except (OSError, ValueError) as trouble:
                complaints[url] = str(trouble)
            else:
                os.replace(part, target)
                return
        if _size(part) <= before:
            break
    if _size(part) == 0:
        part.unlink(missing_ok=True)
    said = "; ".join(f"{url}: {text}" for url, text in complaints.items())
    raise DownloadError(
        f"no mirror has a good copy of {target.name} ({said})", short="no mirror gave a good copy"
    )


def _from_mirror(url: str, part: Path, check: Check) -> None:
    """Continue ``part`` from this mirror; if what comes out is no good, begin it once more."""
    continued = _size(part) > 0
    try:
        if not (continued and is_good(part, check)):
            _append(url, part)
        check(part.read_bytes())
    except ValueError:
        part.unlink(missing_ok=True)
        if not continued:
            raise
        _append(url, part)
        check(part.read_bytes())


def _append(url: str, part: Path) -> None:
    """Download ``url`` to the end of ``part``; from its beginning if the server can't resume."""
    with part.open("ab") as sink, _bar(part) as bar:
        have = sink.tell()

        def start(response: Any, **_: Any) -> None:
            given = response.headers.get("Content-Range", "")
            if response.status_code == 200:
                sink.truncate(0)
            elif response.status_code == 206 and not given.startswith(f"bytes {have}-"):
                raise ValueError(f"asked for bytes {have} and on, was sent {given!r}")
            elif response.status_code == 416:
                raise ValueError(f"has no bytes from {have} on")

        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        get = pooch.HTTPDownloader(
            progressbar=bar,
            chunk_size=CHUNK,
            timeout=(CONNECT, READ),
            headers=headers,
            hooks={"response": start},
        )
        get(url, sink, None)


def _bar(part: Path) -> Any:
    """A progress bar for people."""
    return tqdm(
        desc=part.name.removesuffix(".part"),
        unit="B",
        unit_scale=True,
        total=1,
        leave=False,
        disable=not watched(),
    )


def _size(path: Path) -> int:
    """Bytes in the file, 0 if there is none."""
    return path.stat().st_size if path.is_file() else 0
