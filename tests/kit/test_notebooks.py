"""Notebooks are stored clean: nothing but the outputs that CI compares."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from genbook.kit import notebooks
from genbook.kit.sphinx_ext import fingerprints

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


@pytest.mark.parametrize("source", ["1 / 0", "%%capture out\n1 / 0"])
def test_a_notebook_that_fails_is_left_as_it_was(tmp_path, source):
    path = tmp_path / "x.ipynb"
    notebooks.write(path, notebook(new_code_cell(source)))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"x\.ipynb, cell 0.*: ZeroDivisionError"):
        notebooks.refresh(path)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_seen_before_anything_runs(tmp_path, monkeypatch):
    path, ran = tmp_path / "x.ipynb", tmp_path / "ran"
    notebooks.write(path, notebook(new_code_cell(f"open({str(ran)!r}, 'w').close()")))
    monkeypatch.setattr(Path, "touch", read_only)
    with pytest.raises(ValueError, match=r"the folder of x\.ipynb: .*Read-only file system"):
        notebooks.refresh(path)
    assert not ran.exists()


def read_only(*_: object, **__: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


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
    (tmp_path / "bytes.ipynb").write_bytes(b'{"cells": "\xe9"}')
    with pytest.raises(ValueError, match="not UTF-8"):
        notebooks.read(tmp_path / "bytes.ipynb")
    with pytest.raises(ValueError, match="expected a notebook at"):
        notebooks.read(tmp_path)


BARE = {"cell_type": "code", "source": ["x = 1\n", "y = 2"], "outputs": [], "execution_count": None}
OLD = {"cell_type": "code", "input": "x = 1\ny = 2", "outputs": [], "language": "python"}
EDITIONS = {
    "4.4": {"nbformat": 4, "nbformat_minor": 4, "cells": [{**BARE, "metadata": {}}]},
    "4.5 without ids": {"nbformat": 4, "nbformat_minor": 5, "cells": [{**BARE, "metadata": {}}]},
    "3": {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": [OLD]}]},
}


@pytest.mark.parametrize("metadata", [{}, {"metadata": {}}, {"metadata": {"kernelspec": None}}])
@pytest.mark.parametrize("edition", EDITIONS.values(), ids=EDITIONS.keys())
def test_notebooks_of_other_editions_are_read_and_stamped(tmp_path, edition, metadata):
    path = tmp_path / "x.ipynb"
    path.write_text("\ufeff" + json.dumps(edition | metadata), encoding="utf-8")
    assert notebooks.code(path) == ["x = 1\ny = 2"]
    stamped = fingerprints.stamped(json.dumps(edition | metadata), "abc")
    assert json.loads(stamped)["metadata"]["kernelspec"]["genbook"] == "abc"
    notebooks.write(path, notebooks.clean(notebooks.read(path)))
    assert notebooks.code(path) == ["x = 1\ny = 2"]


@pytest.mark.parametrize("content", ["{}", "[1]", "1", '{"nbformat": 9, "cells": []}'])
def test_json_that_is_no_notebook_is_named(tmp_path, content):
    (tmp_path / "x.ipynb").write_text(content)
    for read in (notebooks.read, fingerprints.fingerprint):
        with pytest.raises(ValueError, match=r"expected a notebook at .*x\.ipynb"):
            read(tmp_path / "x.ipynb")


def test_a_raw_cell_keeps_its_language():
    raw = new_raw_cell("$x$", metadata={"raw_mimetype": "text/latex", "other": 1})
    assert notebooks.clean(notebook(raw)).cells[0].metadata == {"raw_mimetype": "text/latex"}
