"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def check_folder(path: str | os.PathLike[str], name: str) -> None:
    r"""See that files can be written to a folder, before work is done for it.

    Args:
        path: The folder; it is made if need be.
        name: What to call it in an error, such as a setting's name.

    Raises:
        ValueError: If it cannot be made or written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     check_folder(Path(folder, "new"), "the cache")
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".{os.getpid()}.{secrets.token_hex(4)}.probe"
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as trouble:
        raise ValueError(
            f"{name}: expected a folder that can be written to, got {path}: {trouble.strerror}; "
            "choose another one or mend its rights."
        ) from trouble


def replace_file(path: str | os.PathLike[str], content: bytes) -> None:
    r"""Put ``content`` at ``path`` whole or not at all: a temporary file, fsync, rename.

    A reader sees the old file or the new one, never half of either, and a process that is killed
    leaves the old one as it was.

    Args:
        path: The file; its folder is made if need be.
        content: What it shall hold.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     replace_file(Path(folder, "note"), b"whole")
        ...     Path(folder, "note").read_bytes()
        b'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
