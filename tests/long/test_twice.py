"""A cell that is run twice in a row gives the same numbers, receipts and figures both times."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient

from genbook.kit import notebooks

NOTEBOOKS = sorted((Path(__file__).parents[2] / "book").glob("*.ipynb"))
SAYINGS = {"GENBOOK_DATA": "none", "GENBOOK_DOWNLOAD": "0", "GENBOOK_PROGRESS": "0"}
STREAMS = ("stdout", "stderr")
CLOCKS = ("pixel_studies.costs(",)
"""What measures seconds: a cell that shows them differs from run to run, and has to."""

ADDRESS = re.compile(r"\b0x[0-9a-f]+\b")
RESIDUE = re.compile(r"\b\d(\.\d+)?e-1[4-9]\b")
"""What rounding leaves of a zero: it depends on where in memory an array begins."""


def shown(outputs: list[Any]) -> list[tuple[str, str]]:
    """What a reader sees of a cell's outputs: kind and text, without addresses and residues."""
    found: list[tuple[str, str]] = []
    for kind, text in _parts(outputs):
        if kind in STREAMS and found and found[-1][0] == kind:  # cut where the kernel was in time
            found[-1] = (kind, found[-1][1] + text)
        else:
            found.append((kind, text))
    return [(kind, RESIDUE.sub("rounding", ADDRESS.sub("0x", text))) for kind, text in found]


def _parts(outputs: list[Any]) -> Iterator[tuple[str, str]]:
    for output in outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        elif output.output_type == "error":
            yield "error", f"{output.ename}: {output.evalue}"
        else:
            for kind, text in sorted(output.data.items()):
                if "widget-view" not in kind:
                    yield kind, str(text)


def first_difference(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> str:
    """Where two lists of outputs part, in words; empty if they are the same."""
    for (kind, old), (_, new) in zip(before, after, strict=False):
        if old != new:
            pairs = list(zip(old, new, strict=False))
            at = next((k for k, (a, b) in enumerate(pairs) if a != b), len(pairs))
            start = max(0, at - 40)
            return f"{kind}: {old[start : at + 40]!r} became {new[start : at + 40]!r}"
    if len(before) != len(after):
        return f"{len(before)} outputs became {len(after)}"
    return ""


def changes(path: Path, folder: Path) -> list[str]:
    """The cells of a notebook that show something else, or fail, when they are run again."""
    notebook = notebooks.read(path)
    metadata = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=1800, resources=metadata, kernel_name="python3")
    found = []
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            client.execute_cell(cell, number)
            once = shown(copy.deepcopy(cell.outputs))
            client.allow_errors = True
            client.execute_cell(cell, number)
            client.allow_errors = False
            difference = first_difference(once, shown(cell.outputs))
            if difference and not any(clock in cell.source for clock in CLOCKS):
                found.append(f"cell {number} ({cell.source.splitlines()[0]}): {difference}")
    return found


@pytest.mark.timeout(7200)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_cell_run_twice_shows_the_same(path, monkeypatch, tmp_path):
    for name, value in SAYINGS.items():
        monkeypatch.setenv(name, value)
    found = changes(path, tmp_path)
    assert not found, "\n".join(found)


def test_a_cell_that_goes_on_where_it_stopped_is_found(tmp_path):
    source = ["total = 0\nsteps = iter(range(9))", "total += 1\nprint(total)", "print(7)"]
    cells = [notebooks.nbformat.v4.new_code_cell(code) for code in source]
    path = tmp_path / "counting.ipynb"
    notebooks.nbformat.write(notebooks.nbformat.v4.new_notebook(cells=cells), path)
    (found,) = changes(path, tmp_path)
    assert found == "cell 1 (total += 1): stdout: '1\\n' became '2\\n'"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [("1.76e-15 ≤ 1e-11", "2.17e-15 ≤ 1e-11", True), ("1.76e-12 ≤ 1e-11", "2e-12 ≤ 1e-11", False)],
)
def test_what_rounding_leaves_of_a_zero_may_differ_and_nothing_more(old, new, same):
    streams = [notebooks.nbformat.v4.new_output("stream", text=text) for text in (old, new)]
    before, after = (shown([stream]) for stream in streams)
    assert (not first_difference(before, after)) == same
