"""Run a notebook again when anything it depends on has changed, and only then.

Jupyter Book's cache knows a notebook by its code cells and its kernel. A chapter also depends on
the package it calls, the data it finds and the settings it reads. A hash of those, written into
the kernel's entry as the notebook is read, makes the cache see them.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from genbook.kit.cells import trees
from genbook.kit.data import mnist_files
from genbook.kit.notebooks import code

PACKAGE = Path(__file__).parents[2]
BUILD_ONLY = Path(__file__).parent
SETTINGS = ("GENBOOK_PROFILE", "GENBOOK_DEVICE", "GENBOOK_STATIC")
LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "matplotlib")


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("env-get-outdated", outdated)
    app.connect("source-read", stamp)


def outdated(
    app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]
) -> Sequence[str]:
    """Documents whose notebook text stands but whose fingerprint does not."""
    known = getattr(env, "genbook_fingerprints", {})
    data = data_state()
    return [
        name
        for name in env.found_docs - added - changed
        if _is_notebook(env, name)
        and known.get(name) != fingerprint(Path(env.doc2path(name)), data)
    ]


def stamp(app: Sphinx, docname: str, source: list[str]) -> None:
    """Write the fingerprint into the notebook's kernel entry as it is read."""
    if not _is_notebook(app.env, docname):
        return
    fingerprint = _of_document(app.env, docname)
    source[0] = stamped(source[0], fingerprint)
    if not hasattr(app.env, "genbook_fingerprints"):
        app.env.genbook_fingerprints = {}  # type: ignore[attr-defined]
    app.env.genbook_fingerprints[docname] = fingerprint  # type: ignore[attr-defined]


def stamped(text: str, fingerprint: str) -> str:
    r"""A notebook's text with a fingerprint in its kernel entry.

    Args:
        text: the notebook, JSON.
        fingerprint: any string.

    Returns:
        JSON.

    Example:
        >>> stamped('{"metadata": {}}', "abc")
        '{"metadata": {"kernelspec": {"genbook": "abc"}}}'
    """
    notebook = json.loads(text)
    metadata = notebook.setdefault("metadata", {})
    metadata["kernelspec"] = {**(metadata.get("kernelspec") or {}), "genbook": fingerprint}
    return json.dumps(notebook)


def fingerprint(notebook: Path, data: str | None = None) -> str:
    r"""A hash of what a notebook depends on besides its own cells.

    The package's modules that its cells import, directly or through others; every resource of the
    kit; the recorded studies of its topic; the data that it would read, byte by byte; settings and
    library versions.

    Args:
        notebook: path of the ``.ipynb``.
        data: what :func:`data_state` says, if it is known.

    Returns:
        Hexadecimal digits.
    """
    digest = hashlib.sha256()
    studies = sorted(notebook.parent.glob(f"studies/{notebook.stem}/*.json"))
    for path in [*sorted(modules_of(notebook)), *_resources(), *studies]:
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    for key in SETTINGS:
        digest.update(f"{key}={os.environ.get(key, '')};".encode())
    for library in LIBRARIES:
        digest.update(f"{library}=={importlib.metadata.version(library)};".encode())
    digest.update((data_state() if data is None else data).encode())
    return digest.hexdigest()[:16]


def modules_of(notebook: Path) -> set[Path]:
    r"""The package's source files that a notebook's cells import, transitively.

    Args:
        notebook: path of the ``.ipynb``.

    Returns:
        Paths of ``.py`` files.
    """
    pending = {file for part in trees(code(notebook)) for file in imported_files(ast.unparse(part))}
    found: set[Path] = set()
    while pending:
        path = pending.pop()
        found.add(path)
        pending |= imported_files(path.read_text(encoding="utf-8")) - found
    return {path for path in found if BUILD_ONLY not in path.parents}


@cache
def imported_files(code: str) -> frozenset[Path]:
    r"""Files of the package that a piece of Python imports; every module is asked for by many.

    Args:
        code: Python source.

    Returns:
        Paths of modules and of the packages that hold them.
    """
    inside = (name.split(".") for name in _imported_names(code))
    return frozenset(
        file for first, *rest in inside if first == PACKAGE.name for file in _files_of(rest)
    )


def _imported_names(code: str) -> frozenset[str]:
    """What is imported, in dotted names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def _files_of(parts: list[str]) -> Iterator[Path]:
    for depth in range(len(parts) + 1):
        stem = PACKAGE.joinpath(*parts[:depth])
        for path in (stem / "__init__.py", stem.with_suffix(".py")):
            if path.is_file():
                yield path


def _resources() -> list[Path]:
    kinds = {".js", ".css", ".mplstyle"}
    found = (path for path in PACKAGE.rglob("*") if path.suffix in kinds)
    return sorted(path for path in found if not path.is_relative_to(BUILD_ONLY))


def data_state() -> str:
    r"""What a notebook would read of the data that may or may not be there.

    Returns:
        The bytes of the files that :func:`genbook.kit.data.mnist` reads, as a hash, and what it
        tells the reader about the others; the same wherever the same files lie.
    """
    return " ".join(map(_state_of, mnist_files.FILES))


def _state_of(split: str) -> str:
    try:
        chosen = mnist_files.sources(split)
    except ValueError as trouble:
        return str(trouble)
    hashes = [f"{name} {_hash(path)}" for name, path in sorted(chosen.paths.items())]
    return f"{split}: {chosen.reason} {chosen.bad} {hashes}"


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_notebook(env: BuildEnvironment, docname: str) -> bool:
    return str(env.doc2path(docname)).endswith(".ipynb")


def _of_document(env: BuildEnvironment, docname: str) -> str:
    return fingerprint(Path(env.doc2path(docname)))
