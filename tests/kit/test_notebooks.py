"""Notebooks are stored clean: nothing but the outputs that CI compares."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from genbook.kit import notebooks

CHECKED = {"tags": [notebooks.CHECKED]}


def notebook(*cells) -> nbformat.NotebookNode:
    return new_notebook(cells=list(cells))


def printed(text: str) -> nbformat.NotebookNode:
    return new_output("stream", name="stdout", text=text)


def test_only_checked_cells_keep_their_outputs():
    cleaned = notebooks.clean(
        notebook(
            new_code_cell("1", outputs=[printed("a")], execution_count=3),
            new_code_cell("2", outputs=[printed("b")], execution_count=4, metadata=CHECKED),
        )
    )
    assert [cell.outputs for cell in cleaned.cells] == [[], [printed("b")]]
    assert [cell.execution_count for cell in cleaned.cells] == [None, 1]


def test_cleaning_is_idempotent_and_leaves_its_argument_alone():
    dirty = notebook(new_code_cell("1", outputs=[printed("a")]), new_markdown_cell("x"))
    once = notebooks.clean(dirty)
    assert notebooks.clean(once) == once
    assert dirty.cells[0].outputs == [printed("a")]


def test_refresh_runs_on_embedded_data_and_stores_what_was_printed(tmp_path, capfd):
    path = tmp_path / "x.ipynb"
    source = "import os\nprint(os.environ['GENBOOK_DATA'])"
    notebooks.write(path, notebook(new_code_cell(source, metadata=CHECKED)))
    notebooks.refresh(path)
    assert notebooks.read(path).cells[0].outputs[0].text == "none\n"
    assert capfd.readouterr() == ("", "")


def test_a_notebook_that_fails_is_left_as_it_was(tmp_path):
    path = tmp_path / "x.ipynb"
    notebooks.write(path, notebook(new_code_cell("1 / 0")))
    before = path.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        notebooks.refresh(path)
    assert path.read_bytes() == before


def test_receipts_are_read_from_the_source(tmp_path):
    path = tmp_path / "x.ipynb"
    source = 'receipt("a", equal(0, 0), label="eq-a", test="test_a")'
    notebooks.write(path, notebook(new_code_cell(source, metadata=CHECKED)))
    assert list(notebooks.receipts(path)) == [
        notebooks.ReceiptCall("x", "a", "eq-a", "test_a", recorded=False, checked=True)
    ]


@pytest.mark.parametrize("source", ["receipt(claim, label='a', test='b')", "receipt('a')"])
def test_a_receipt_without_plain_words_is_refused(tmp_path, source):
    path = tmp_path / "x.ipynb"
    notebooks.write(path, notebook(new_code_cell(source)))
    with pytest.raises(ValueError, match="plain strings"):
        list(notebooks.receipts(path))


def test_files_that_are_no_notebooks_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="found no file"):
        notebooks.read(tmp_path / "missing.ipynb")
    (tmp_path / "text.ipynb").write_text("hello")
    with pytest.raises(ValueError, match="not JSON"):
        notebooks.read(tmp_path / "text.ipynb")
