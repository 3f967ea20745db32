"""Keep notebooks as the book stores them: no outputs, but those that CI compares."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from genbook.kit.cells import tree
from genbook.kit.files import check_folder

CHECKED = "nbval-check-output"
KEPT = ("tags", "format", "raw_mimetype")
"""What a cell's metadata say of what it means: the last two, in which language a raw cell is."""

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
EMBEDDED = {
    "GENBOOK_DATA": "none",
    "GENBOOK_DOWNLOAD": "0",
    "GENBOOK_STATIC": "0",
    "GENBOOK_PROGRESS": "0",
    "GENBOOK_RECEIPTS": "claims",
}


@dataclass(frozen=True)
class ReceiptCall:
    r"""A ``receipt(...)`` call found in a notebook.

    Args:
        chapter: the notebook's stem.
        claim: its first argument.
        label: the label of the equation or theorem it names.
        test: the break-it test it names.
        recorded: whether it is about a recorded study.
        checked: whether its cell's output is compared by CI.
    """

    chapter: str
    claim: str
    label: str
    test: str
    recorded: bool
    checked: bool


def read(path: Path) -> NotebookNode:
    r"""The notebook at ``path``, in format 4.

    Args:
        path: an ``.ipynb`` file.

    Returns:
        The notebook.

    Raises:
        ValueError: if there is no such file, or it is no notebook.
    """
    try:
        return parsed(path.read_text(encoding="utf-8-sig"), str(path))
    except FileNotFoundError as error:
        raise ValueError(f"expected a notebook at {path}, found no file") from error
    except OSError as error:
        raise ValueError(f"expected a notebook at {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"expected a notebook at {path}, found text that is not UTF-8") from error


def parsed(text: str, name: str) -> NotebookNode:
    r"""A notebook from its text, in format 4; what may be left out is filled in.

    Args:
        text: of an ``.ipynb`` file.
        name: what to call it in an error.

    Returns:
        The notebook.

    Raises:
        ValueError: if it is no notebook.

    Example:
        >>> parsed('{"nbformat": 4, "nbformat_minor": 5, "cells": []}', "x.ipynb").metadata
        {}
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"expected a notebook at {name}, found text that is not JSON") from error
    try:
        metadata = content.setdefault("metadata", {})
        if not metadata.get("kernelspec", True):
            del metadata["kernelspec"]
        for number, cell in enumerate(content.get("cells", [])):
            if (content["nbformat"], content["nbformat_minor"]) >= (4, 5):
                cell.setdefault("id", f"cell-{number:03d}")
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # whatever the many readers of other JSON stumble over
        said = (str(error).splitlines() or [""])[0]
        raise ValueError(
            f"expected a notebook at {name}, found other JSON: {type(error).__name__}: {said}"
        ) from error
    return notebook


def code(path: Path) -> list[str]:
    r"""The sources of a notebook's code cells.

    Args:
        path: an ``.ipynb`` file.

    Returns:
        One text a cell.

    Raises:
        ValueError: as :func:`read`.
    """
    return [cell.source for cell in read(path).cells if cell.cell_type == "code"]


EXPECTED = "raises-exception"
"""The tag of a cell that shall raise."""


def failure(name: str, notebook: NotebookNode) -> str:
    r"""Which cell of a notebook failed, where, and how.

    Args:
        name: of the notebook's file.
        notebook: as it was left.

    Returns:
        Notebook, cell, line and error, and the line's code; empty if no cell has an error that it
        is not tagged for.
    """
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and EXPECTED not in cell.metadata.get("tags", []):
                line = _line_of(output.get("traceback", []), cell)
                text = cell.source.split("\n")[line - 1] if line else cell.source
                place = f"cell {number}" + (f", line {line}" if line else "")
                return f"{name}, {place}: {output.ename}: {output.evalue}\n    {text.strip()}"
    return ""


def _line_of(traceback: list[str], cell: NotebookNode) -> int:
    """The line of the cell itself that a traceback names first; 0 if it names none."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))
    found = re.search(rf"In\s*\[{cell.get('execution_count')}\], line (\d+)", text)
    lines = cell.source.split("\n")
    above = sum(1 for _ in takewhile(lambda line: not line.strip(), lines))
    return min(int(found[1]) + above, len(lines)) if found else 0  # IPython drops blank ones above


def is_checked(cell: NotebookNode) -> bool:
    r"""Whether CI compares this cell's output with the stored one.

    Args:
        cell: a notebook cell.

    Returns:
        True for a code cell tagged ``nbval-check-output``.
    """
    return cell.cell_type == "code" and CHECKED in cell.metadata.get("tags", [])


def clean(notebook: NotebookNode) -> NotebookNode:
    r"""The notebook as the book stores it: outputs of checked cells only, stable ids.

    Args:
        notebook: any notebook.

    Returns:
        A new notebook; the argument is left alone.
    """
    result = nbformat.from_dict(notebook)
    result.metadata = NotebookNode(
        kernelspec=NotebookNode(KERNEL), language_info=NotebookNode(name="python")
    )
    result.nbformat, result.nbformat_minor = 4, 5
    for index, cell in enumerate(result.cells):
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in KEPT and v})
        cell.id = f"cell-{index:03d}"
        if cell.cell_type == "code":
            # nbval compares only cells that look as if they had been run
            cell.execution_count = 1 if is_checked(cell) else None
            cell.outputs = [_stored(output) for output in cell.outputs] if is_checked(cell) else []
    return result


def _stored(output: NotebookNode) -> NotebookNode:
    kept = NotebookNode({key: value for key, value in output.items() if key != "metadata"})
    if "execution_count" in kept:
        kept.execution_count = None
    if output.output_type in ("display_data", "execute_result"):
        kept.metadata = NotebookNode()
    return kept


def refresh(path: Path, *, timeout: float = 1_800.0) -> None:
    r"""Run a notebook on the data that is always there and store it clean.

    Args:
        path: the notebook; it is rewritten in place.
        timeout: seconds a cell may take.

    Raises:
        ValueError: if there is no notebook at ``path``, its folder cannot be written to (which is
            seen before anything runs), or a cell raises or takes too long; the file is then left
            alone.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    from genbook.kit import kernels

    notebook = read(path)
    check_folder(path.parent, f"the folder of {path.name}")
    saved = {key: os.environ.get(key) for key in EMBEDDED}
    os.environ.update(EMBEDDED)
    try:
        NotebookClient(
            notebook,
            timeout=timeout,
            coalesce_streams=True,  # however a busy machine cuts what is printed
            resources={"metadata": {"path": str(path.parent)}},
            config=kernels.settings(),
        ).execute()
    except (CellControlSignal, DeadKernelError) as error:
        raise ValueError(failure(path.name, notebook) or f"{path.name}: {error}") from error
    finally:
        for key, value in saved.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})
    if said := failure(path.name, notebook):  # %%capture keeps an error from its cell's status
        raise ValueError(said)
    write(path, clean(notebook))


def write(path: Path, notebook: NotebookNode) -> None:
    r"""Write a notebook in one step: a reader sees the old file or the new one.

    Args:
        path: where to.
        notebook: what.
    """
    temporary = path.with_suffix(".ipynb.part")
    temporary.write_text(nbformat.writes(notebook, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def receipts(path: Path) -> Iterator[ReceiptCall]:
    r"""The receipts that a notebook asks for, read from its source.

    Args:
        path: the notebook.

    Yields:
        One record a ``receipt(...)`` call, in order.

    Raises:
        ValueError: if a call does not spell its claim, label and test as plain strings, or a cell
            is not Python.
    """
    for number, cell in enumerate(read(path).cells):
        if cell.cell_type != "code":
            continue
        for node in ast.walk(_tree(path, number, cell.source)):
            if isinstance(node, ast.Call) and _name(node.func) == "receipt":
                yield _receipt_call(path.stem, node, checked=is_checked(cell))


def _tree(path: Path, number: int, code: str) -> ast.Module:
    try:
        return tree(code)
    except SyntaxError as error:
        raise ValueError(
            f"{path.name}, cell {number}, line {error.lineno}: expected Python, got {error.msg}: "
            f"{(error.text or '').strip()}"
        ) from error


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _receipt_call(chapter: str, node: ast.Call, *, checked: bool) -> ReceiptCall:
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    try:
        claim, label, test = (
            ast.literal_eval(part) for part in (node.args[0], keywords["label"], keywords["test"])
        )
    except (IndexError, KeyError, ValueError) as error:
        raise ValueError(
            f"expected receipt('claim', …, label='…', test='…') with plain strings in {chapter}, "
            f"got {ast.unparse(node)}"
        ) from error
    flag = keywords.get("recorded")
    recorded = isinstance(flag, ast.Constant) and flag.value is True
    return ReceiptCall(chapter, claim, label, test, recorded, checked)


def main(paths: list[str]) -> int:
    r"""Refresh the notebooks named on the command line.

    Args:
        paths: notebooks.

    Returns:
        The exit code.
    """
    for path in paths:
        refresh(Path(path))
        sys.stderr.write(f"refreshed {path}\n")
    return 0
