"""What the environment says about a run as a whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pooch

SAYINGS = {"1": True, "0": False}
QUOTES = "\"'`“”„‘’"
"""Also those that a text processor or a page puts around what is copied from it."""


def setting(name: str) -> str:
    r"""An environment variable, without the blanks and quotes that copying leaves around it.

    Args:
        name: The variable.

    Returns:
        Its value, empty if it is unset.

    Example:
        >>> setting("GENBOOK_NO_SUCH_VARIABLE")
        ''
    """
    return os.environ.get(name, "").strip().strip(QUOTES).strip()


def path_setting(name: str) -> Path | None:
    r"""A path in an environment variable; ``~`` and ``$NAME`` in it are expanded.

    Args:
        name: The variable.

    Returns:
        The path as given, relative or absolute, or ``None`` if the variable is unset or empty.

    Raises:
        ValueError: If ``~`` stands for nobody's home.
    """
    value = setting(name)
    if not value:
        return None
    try:
        return Path(os.path.expandvars(value)).expanduser()
    except RuntimeError as trouble:
        raise ValueError(f"{name}: expected a path, got {value!r}: {trouble}") from trouble


def flag(name: str, *, default: bool) -> bool:
    r"""An environment variable that is 0 or 1.

    Args:
        name: The variable.
        default: What it means if it is unset or empty.

    Returns:
        Its value.

    Raises:
        ValueError: If it is neither.

    Example:
        >>> flag("GENBOOK_NO_SUCH_VARIABLE", default=True)
        True
    """
    value = setting(name)
    if value == "":
        return default
    if value not in SAYINGS:
        raise ValueError(
            f"{name}: expected 0 or 1, got {value!r}; set it to one of them or unset it."
        )
    return SAYINGS[value]


def watched() -> bool:
    r"""Whether somebody may be looking at a progress bar.

    ``GENBOOK_PROGRESS`` (0 or 1) decides if it is set. If not, nobody looks in the book build
    (``GENBOOK_STATIC=1``), under pytest, and where stderr is neither a terminal nor a notebook.

    Returns:
        Whether to draw progress bars.
    """
    default = (
        not flag("GENBOOK_STATIC", default=False)
        and "PYTEST_VERSION" not in os.environ
        and (sys.stderr.isatty() or "ipykernel" in sys.modules)
    )
    return flag("GENBOOK_PROGRESS", default=default)


def cache_folder() -> Path:
    r"""Where downloads are kept: ``$GENBOOK_CACHE``, else the platform's cache folder.

    A relative path counts as :func:`starts` says, if the folder is there.

    Returns:
        The folder, absolute, which may not exist yet.
    """
    given = path_setting("GENBOOK_CACHE")
    if given is None:
        return Path(pooch.os_cache("genbook"))
    folders = [start / given for start in starts()]
    return next((folder for folder in folders if os.path.isdir(folder)), folders[0])


def starts(base: Path | None = None) -> list[Path]:
    r"""Where a relative path counts from, in order: a kernel runs beside its notebook.

    Args:
        base: first of all.

    Returns:
        ``base`` if given, the working directory, the repository.
    """
    repository = Path(__file__).parents[2]
    return [*([base] if base else []), Path.cwd(), repository]
