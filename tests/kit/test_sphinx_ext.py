"""The build runs what changed and only that, stops on the first failure, and gathers receipts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from genbook.kit.sphinx_ext import fingerprints, pages
from genbook.kit.sphinx_ext.verified import Verified, receipts_in

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "genbook"


def write_notebook(path: Path, *sources: str, title: str = "Page") -> Path:
    cells = [new_markdown_cell(f"# {title}\n\n$$ 1 = 1 $$ (eq-{path.stem})")]
    cells += [new_code_cell(source) for source in sources]
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    path.write_text(nbformat.writes(notebook))
    return path


# Fingerprints


@pytest.fixture
def notebook(tmp_path):
    return write_notebook(tmp_path / "x.ipynb", "from genbook import divergences")


def test_a_fingerprint_is_repeatable(notebook):
    assert fingerprints.fingerprint(notebook) == fingerprints.fingerprint(notebook)


def test_it_follows_imports_through_the_package(notebook):
    found = fingerprints.modules_of(notebook)
    assert PACKAGE / "divergences" / "measures.py" in found
    assert PACKAGE / "lstm" / "cells.py" not in found
    write_notebook(notebook, "from genbook.divergences import figures")
    found = fingerprints.modules_of(notebook)
    assert {PACKAGE / "divergences" / "figures.py", PACKAGE / "kit" / "plotting.py"} <= found


def test_code_that_is_imported_changes_it(notebook, monkeypatch, tmp_path):
    before = fingerprints.fingerprint(notebook)
    edited = tmp_path / "measures.py"
    edited.write_text((PACKAGE / "divergences/measures.py").read_text() + "\n# changed\n")
    real = fingerprints.modules_of(notebook)
    swapped = {edited if path.name == "measures.py" else path for path in real}
    monkeypatch.setattr(fingerprints, "modules_of", lambda _: swapped)
    assert fingerprints.fingerprint(notebook) != before


def test_data_and_settings_change_it(notebook, monkeypatch, tmp_path):
    monkeypatch.setenv("GENBOOK_DATA", "none")
    seen = {fingerprints.fingerprint(notebook)}
    monkeypatch.setenv("GENBOOK_PROFILE", "fast")
    seen.add(fingerprints.fingerprint(notebook))
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    seen.add(fingerprints.fingerprint(notebook))
    (folder / "train").write_bytes(b"123")
    seen.add(fingerprints.fingerprint(notebook))
    assert len(seen) == 4


def test_a_recorded_study_of_the_chapter_changes_it(notebook):
    before = fingerprints.fingerprint(notebook)
    studies = notebook.parent / "studies"
    for topic in ("other", "x"):
        (studies / topic).mkdir(parents=True)
    (studies / "other" / "study.json").write_text("{}")
    assert fingerprints.fingerprint(notebook) == before
    (studies / "x" / "study.json").write_text("{}")
    assert fingerprints.fingerprint(notebook) != before


def test_stamping_leaves_the_cells_alone():
    text = json.dumps({"cells": [1, 2], "metadata": {"kernelspec": {"name": "python3"}}})
    stamped = json.loads(fingerprints.stamped(text, "abc"))
    assert stamped["cells"] == [1, 2]
    assert stamped["metadata"]["kernelspec"] == {"name": "python3", "genbook": "abc"}


def test_receipts_are_read_back_from_the_page():
    html = (
        '<p class="gb-receipt" data-claim="a &lt; b" data-law="" data-measured="1 &lt; 2" '
        'data-label="eq-a" data-test="test_a">✓</p>'
    )
    assert receipts_in(html + "<p class='other'>x</p>", "book/x") == [
        Verified("book/x", "a < b", "1 < 2", "", "eq-a", "test_a", False)
    ]


# A small book, built as a reader builds it

CONFIG = """
title: Small
only_build_toc_files: true
execute: {execute_notebooks: cache, timeout: 60, raise_on_error: true}
latex: {use_jupyterbook_latex: false}
parse: {myst_enable_extensions: [dollarmath]}
sphinx:
  config:
    extensions: [myst_nb, jupyter_book, sphinx_external_toc, sphinx_book_theme,
                 sphinx.ext.mathjax, sphinx-mathjax-offline, genbook.kit.sphinx_ext]
    nb_execution_show_tb: true
    use_multitoc_numbering: false
"""
COUNT = "from pathlib import Path\nPath('{log}').open('a').write('{name} ')\n"
RECEIPT = (
    "from genbook.kit.page import equal, receipt\n"
    "receipt('one is one', equal(1, 1), label='eq-a', test='test_one')"
)


class Book:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "runs.log"
        self.log.touch()
        (folder / "_config.yml").write_text(CONFIG)
        (folder / "_toc.yml").write_text(
            "format: jb-book\nroot: index\nchapters:\n- file: a\n- file: b\n"
        )
        (folder / "index.md").write_text("# Verified\n\n```{verified}\n```\n")
        self.write("a", RECEIPT)
        self.write("b", "print(2)")

    def write(self, stem: str, source: str) -> None:
        count = COUNT.format(log=self.log.as_posix(), name=stem)
        write_notebook(self.folder / f"{stem}.ipynb", count, source, title=f"Chapter {stem}")

    def build(self) -> subprocess.CompletedProcess[str]:
        program = "from jupyter_book.cli.main import main; main()"
        command = [sys.executable, "-c", program, "build", ".", "-n", "-W", "--keep-going"]
        environment = {**os.environ, "GENBOOK_DATA": "none", "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def page(self, stem: str) -> str:
        return (self.folder / "_build" / "html" / f"{stem}.html").read_text()

    def runs(self) -> list[str]:
        return sorted(self.log.read_text().split())


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Book:
    book = Book(tmp_path_factory.mktemp("book"))
    result = book.build()
    assert result.returncode == 0, result.stdout + result.stderr
    return book


def test_only_a_changed_notebook_runs_again(built, tmp_path):
    assert built.runs() == ["a", "b"]
    book = Book.__new__(Book)
    book.folder, book.log = built.folder, built.log
    assert book.build().returncode == 0
    assert book.runs() == ["a", "b"]
    book.write("b", "print(3)")
    assert book.build().returncode == 0
    assert book.runs() == ["a", "b", "b"]


def test_the_page_of_receipts_links_to_the_equation(built):
    page = built.page("index")
    assert "one is one" in page
    assert 'href="a.html#equation-eq-a"' in page
    assert 'id="equation-eq-a"' in built.page("a")
    assert "tests/a/test_receipts.py" in page


def test_a_page_loads_no_script_from_elsewhere_and_declares_nothing_twice(built):
    page = built.page("a")
    assert 'src="http' not in page
    assert "THEBE" not in page
    assert "require.min.js" not in page


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("1 / 0  # the culprit", ["b.ipynb", "# the culprit", "ZeroDivisionError"]),
        (
            "from genbook.kit.page import equal, receipt\n"
            "receipt('two is one', equal(2, 1), label='eq-a', test='test_one')",
            ["b.ipynb", "ReceiptError", "two is one"],
        ),
    ],
    ids=["error", "receipt"],
)
def test_a_cell_that_fails_stops_the_build_and_is_named(tmp_path, source, said):
    book = Book(tmp_path)
    book.write("b", source)
    result = book.build()
    output = result.stdout + result.stderr
    assert result.returncode != 0
    for word in said:
        assert word in output


def test_a_sphinx_warning_fails_the_build(built, tmp_path):
    shutil.copytree(built.folder, tmp_path / "copy")
    book = Book.__new__(Book)
    book.folder, book.log = tmp_path / "copy", tmp_path / "copy" / "runs.log"
    (book.folder / "index.md").write_text("# Verified\n\n[](nowhere.md)\n\n```{verified}\n```\n")
    result = book.build()
    assert result.returncode != 0
    assert "nowhere" in result.stdout + result.stderr


def test_mending_a_page_twice_changes_nothing(built):
    page = built.page("a")
    assert pages.mended(page) == page
    assert 'id="pst-primary-sidebar" role="navigation"' in page
