"""Where data may lie on this machine, and which copy is read: one answer for all who ask."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from genbook.kit.environment import cache_folder, path_setting, setting, starts

INSIDE = ("mnist", "", "MNIST/raw", "raw", "MNIST", "mnist/raw")
"""Folders within ``GENBOOK_DATA`` that may hold the files, in the order they are looked at."""

Check = Callable[[str, bytes, str], object]


@dataclass(frozen=True)
class Found:
    r"""What was found of one file.

    Args:
        path: of the copy that is read; ``None`` if no good one is there.
        bad: what is wrong with the copies that come before it.
    """

    path: Path | None
    bad: tuple[str, ...] = ()


def bundled_only() -> bool:
    r"""Whether ``GENBOOK_DATA=none`` asks for nothing but what is bundled."""
    return setting("GENBOOK_DATA").lower() == "none"


def data_folder(base: Path | None = None) -> Path | None:
    r"""The folder that ``GENBOOK_DATA`` names.

    Blanks and quotes around it do not count, ``~`` and ``$NAME`` are expanded, and a relative path
    counts from ``base``, then from the working directory, then from the repository.

    Args:
        base: where a relative path counts from first.

    Returns:
        The folder, absolute, or ``None`` if none is named.

    Raises:
        ValueError: if there is no such folder, or nobody may look into it.
    """
    given = path_setting("GENBOOK_DATA")
    if given is None or bundled_only():
        return None
    for folder in (start / given for start in starts(base)):
        if os.path.isdir(folder):
            return _readable(folder.resolve())
    raise ValueError(
        f"GENBOOK_DATA: expected a folder or 'none', found no folder at {given}; unset it, or give "
        "the folder that holds mnist/."
    )


def _readable(folder: Path) -> Path:
    try:
        os.scandir(folder).close()
    except OSError as trouble:
        raise ValueError(
            f"GENBOOK_DATA: expected a folder to read from, got {folder}: {trouble.strerror}; mend "
            "its rights, or give another folder."
        ) from trouble
    return folder


def cached(name: str) -> Path:
    r"""Where a download of the file called ``name`` is kept."""
    return cache_folder() / "mnist" / f"{name}.gz"


def looked_in() -> list[Path]:
    r"""The folders that are looked at, in order."""
    folder = data_folder()
    return [cached("x").parent, *([folder / part for part in INSIDE] if folder else [])]


def candidates(name: str) -> Iterator[Path]:
    r"""Copies of a file, best first: in the cache, then under ``GENBOOK_DATA``.

    Dots, underscores, blanks and capitals in a copy's name do not count, nor does ``.gz``, ``.idx``
    or what tells a second copy, ``(1)``, at its end; a folder of that name may hold the file.
    Capitals in a folder's name do not count.

    Args:
        name: of the file, such as ``"train-images-idx3-ubyte"``.

    Yields:
        Paths of files.

    Raises:
        ValueError: if ``GENBOOK_DATA`` names no folder.
    """
    seen = set()
    for folder in _folders():
        for path in _named(name, folder):
            if path not in seen:
                seen.add(path)
                yield path


def _folders() -> Iterator[Path]:
    """The folders of :func:`looked_in` that are there, however their names are spelled."""
    yield cached("x").parent
    if folder := data_folder():
        for part in INSIDE:
            yield from _below(folder, Path(part.lower()).parts)


def _below(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    if not parts:
        yield folder
    for path in _entries(folder) if parts else []:
        if path.name.lower() == parts[0] and os.path.isdir(path):
            yield from _below(path, parts[1:])


def _named(name: str, folder: Path) -> Iterator[Path]:
    for path in _entries(folder):
        if plain(path.name) == name:
            yield from _named(name, path) if os.path.isdir(path) else [path]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def plain(name: str) -> str:
    r"""A file's name without what copies spell differently.

    Args:
        name: such as ``"Train-Images.idx3_ubyte.GZ"``.

    Returns:
        Small letters and hyphens, no ending.

    Example:
        >>> plain("Train-Images.idx3_ubyte.GZ"), plain("t10k-labels-idx1-ubyte")
        ('train-images-idx3-ubyte', 't10k-labels-idx1-ubyte')
        >>> plain("train-images-idx3-ubyte (1).gz"), plain("train images idx3 ubyte - Copy")
        ('train-images-idx3-ubyte', 'train-images-idx3-ubyte')
    """
    bare = re.sub(r"(\.(gz|idx|bin))+$", "", name.lower())
    return re.sub(r"[._ ]", "-", re.sub(r"( \(\d+\)| - copy)+$", "", bare))


def find(name: str, check: Check) -> Found:
    r"""The first copy of a file that is good.

    Args:
        name: of the file.
        check: is given the name, the bytes and the path, and raises ``ValueError`` if the bytes are
            not the ones wanted; one function, always the same, since its verdict is remembered.

    Returns:
        The copy, and what is wrong with those before it.

    Raises:
        ValueError: if ``GENBOOK_DATA`` names no folder.
    """
    bad: list[str] = []
    for path in candidates(name):
        try:
            state = path.stat()
            trouble = _no_file(path, state.st_mode) or _trouble(
                check, name, path, (state.st_size, state.st_mtime_ns, state.st_ino)
            )
        except OSError as error:
            trouble = f"{path}: {error.strerror}; mend its rights, fetch it again or delete it."
        if trouble is None:
            return Found(path, tuple(bad))
        bad.append(trouble)
    return Found(None, tuple(bad))


def _no_file(path: Path, mode: int) -> str | None:
    """What is wrong with a pipe or a device: whoever reads it may wait for ever."""
    return None if stat.S_ISREG(mode) else f"{path}: expected a file; delete it."


@lru_cache(maxsize=64)
def _trouble(check: Check, name: str, path: Path, state: Sequence[int]) -> str | None:
    """What is wrong with a file in this state; a file is looked through once."""
    try:
        check(name, path.read_bytes(), str(path))
    except ValueError as error:
        return str(error)
    return None
