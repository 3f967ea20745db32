"""The build runs what changed and only that, stops on the first failure, and gathers receipts."""

from __future__ import annotations

import gzip
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import nbformat
import pytest
import yaml
from docutils import nodes
from jupyter_cache.executors.utils import single_nb_execution
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sphinx.errors import ExtensionError

from genbook.kit import notebooks, sphinx_ext
from genbook.kit.data import mnist_files
from genbook.kit.data.idx import unpack
from genbook.kit.explore import static
from genbook.kit.explore.controls import Grid
from genbook.kit.sphinx_ext import environment, fingerprints, folding, pages, prerun
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


def test_settings_change_it(notebook, monkeypatch):
    before = fingerprints.fingerprint(notebook)
    for name in fingerprints.SETTINGS:
        monkeypatch.setenv(name, "fast")
        assert fingerprints.fingerprint(notebook) != before
        monkeypatch.delenv(name)
    assert fingerprints.fingerprint(notebook) == before


@pytest.fixture
def small_mnist(monkeypatch, tmp_path):
    """Four files that pass for MNIST, an empty cache, no network; two makers of copies."""
    names = [name for both in mnist_files.FILES.values() for name in both]
    editions = [{name: raw(name, edition) for name in names} for edition in (0, 1)]

    def check(name, stored, called):
        if unpack(stored, called) not in [edition[name] for edition in editions]:
            raise ValueError(f"{called}: not the one")

    monkeypatch.setattr(mnist_files, "_verified", check)
    monkeypatch.setenv("GENBOOK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GENBOOK_DOWNLOAD", "0")
    monkeypatch.delenv("GENBOOK_DATA", raising=False)

    def copy(folder, edition=0, packed=False):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in editions[edition].items():
            path = folder / (f"{name}.gz" if packed else name)
            path.write_bytes(gzip.compress(content, mtime=0) if packed else content)
        return folder

    return copy


def raw(name, edition):
    shape = (2, 28, 28) if "images" in name else (2,)
    header = bytes([0, 0, 8, len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return header + bytes([edition]) * math.prod(shape)


def test_data_that_arrives_in_the_cache_changes_it(notebook, small_mnist, tmp_path):
    before = fingerprints.fingerprint(notebook)
    small_mnist(tmp_path / "cache" / "mnist", packed=True)
    assert fingerprints.fingerprint(notebook) != before


def test_other_bytes_of_the_same_size_and_age_change_it(
    notebook, small_mnist, tmp_path, monkeypatch
):
    folder = small_mnist(tmp_path / "data")
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    first = fingerprints.fingerprint(notebook)
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    small_mnist(folder, edition=1)
    for path, stamp in times.items():
        os.utime(path, ns=(stamp, stamp))
    assert fingerprints.fingerprint(notebook) != first
    small_mnist(folder, edition=0)
    assert fingerprints.fingerprint(notebook) == first


def test_it_is_the_same_wherever_the_same_files_lie(notebook, small_mnist, tmp_path, monkeypatch):
    seen = set()
    for inside in ("a", "b/mnist", "c/MNIST/raw"):
        small_mnist(tmp_path / inside)
        monkeypatch.setenv("GENBOOK_DATA", str(tmp_path / inside.split("/")[0]))
        seen.add(fingerprints.fingerprint(notebook))
    assert len(seen) == 1


def test_it_switches_back_and_forth_with_the_data(notebook, small_mnist, tmp_path, monkeypatch):
    small_mnist(tmp_path / "data")
    seen = []
    for asked in ("none", str(tmp_path / "data"), "none", str(tmp_path / "data")):
        monkeypatch.setenv("GENBOOK_DATA", asked)
        seen.append(fingerprints.fingerprint(notebook))
    assert seen[:2] == seen[2:]
    assert seen[0] != seen[1]


def test_files_that_no_notebook_would_read_are_not_looked_at(
    notebook, small_mnist, tmp_path, monkeypatch
):
    folder = small_mnist(tmp_path / "data")
    monkeypatch.setenv("GENBOOK_DATA", str(folder))
    before = fingerprints.fingerprint(notebook)
    for number in range(50):
        (folder / f"other-{number}").write_bytes(b"x")
    (folder / "deep").mkdir()
    (folder / "deep" / "mnist").write_bytes(b"x")
    opened = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: opened.append(self) or real(self, *a, **k)
    )
    assert fingerprints.fingerprint(notebook) == before
    assert not [path for path in opened if path.name.startswith("other")]


def test_magics_do_not_stop_it_and_hide_no_import(notebook):
    write_notebook(notebook, "%matplotlib inline\n%time from genbook import lstm\nx?", "y = = 2")
    assert PACKAGE / "lstm" / "cells.py" in fingerprints.modules_of(notebook)


# Running them


def test_the_time_left_supposes_that_the_others_take_as_long():
    told = prerun.Progress(total=4, workers=2, start=100.0)
    assert told.line("a.ipynb", 30.0, 1, 130.0) == (
        "ran a.ipynb in 30 s (1 of 4 notebooks, about 1.5 min left)"
    )
    assert told.line("b.ipynb", 30.0, 3, 160.0).endswith("(3 of 4 notebooks, about 20 s left)")
    assert told.line("c.ipynb", 30.0, 4, 190.0).endswith("(4 of 4 notebooks)")


def test_a_notebook_is_run_and_its_kernel_writes_nothing_on_the_terminal(tmp_path, capfd):
    path = write_notebook(tmp_path / "x.ipynb", "print(6 * 7)")
    app = SimpleNamespace(config=SimpleNamespace(nb_execution_timeout=60))
    ran, seconds = prerun._run(app, path, nbformat.read(path, as_version=4))
    assert ran.cells[-1].outputs[0].text == "42\n"
    assert seconds > 0
    assert capfd.readouterr() == ("", "")


def test_a_failure_names_notebook_cell_line_and_error(tmp_path):
    path = write_notebook(tmp_path / "x.ipynb", "x = 1", "%matplotlib inline\ny = 2\nz = x / 0")
    notebook = nbformat.read(path, as_version=4)
    single_nb_execution(notebook, cwd=str(tmp_path), allow_errors=False, timeout=60)
    assert notebooks.failure(path.name, notebook) == (
        "x.ipynb, cell 2, line 3: ZeroDivisionError: division by zero\n    z = x / 0"
    )


def test_a_cell_that_is_no_python_is_named_too(tmp_path):
    path = write_notebook(tmp_path / "x.ipynb", "x = 1\ny = = 2")
    notebook = nbformat.read(path, as_version=4)
    single_nb_execution(notebook, cwd=str(tmp_path), allow_errors=False, timeout=60)
    assert notebooks.failure(path.name, notebook).startswith(
        "x.ipynb, cell 1, line 2: SyntaxError: invalid syntax"
    )


def left(*cells) -> nbformat.NotebookNode:
    """A notebook as it is left when a cell's tags, source and line of an error are these."""
    notebook = new_notebook()
    for number, (tags, source, line) in enumerate(cells, start=1):
        cell = new_code_cell(source, metadata={"tags": tags}, execution_count=number)
        if line:
            trace = [f"Cell In[{number}], line {line}"]
            cell.outputs = [new_output("error", ename="E", evalue="", traceback=trace)]
        notebook.cells.append(cell)
    return notebook


def test_an_error_that_a_cell_is_tagged_for_is_no_failure():
    expected = (["raises-exception"], "1 / 0", 1)
    assert notebooks.failure("x", left(expected)) == ""
    assert notebooks.failure("x", left(expected, ([], "1 / 1", 1))).startswith("x, cell 1, line 1")


@pytest.mark.parametrize("above", ["\n\n", "\n \n"])
def test_a_failure_names_the_line_as_the_author_counts(above):
    found = notebooks.failure("x", left(([], f"{above}a = '\f'\n1 / 0", 2)))
    assert found.startswith("x, cell 0, line 4: ")
    assert found.endswith("1 / 0")


def test_an_error_inside_a_captured_cell_stops_the_build(tmp_path):
    path = write_notebook(tmp_path / "x.ipynb", "%%capture out\n1 / 0")
    app = SimpleNamespace(config=SimpleNamespace(nb_execution_timeout=60))
    with pytest.raises(ExtensionError, match=r"x\.ipynb, cell 1.*ZeroDivisionError"):
        prerun._run(app, path, nbformat.read(path, as_version=4))


def test_a_notebook_without_errors_has_no_failure(notebook):
    assert notebooks.failure("x.ipynb", nbformat.read(notebook, as_version=4)) == ""


def test_a_build_downloads_only_if_it_is_told_to_and_all_kernels_share_one_cache(
    tmp_path, monkeypatch
):
    app = SimpleNamespace(outdir=tmp_path / "html", confdir=tmp_path)
    for name in ("GENBOOK_EXPLORE_RECORD", "PYTHONHASHSEED", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("GENBOOK_DATA", "none")
    monkeypatch.setenv("GENBOOK_CACHE", "cache")
    monkeypatch.chdir(tmp_path)
    for given, kept in (("", "0"), (" ", "0"), ("1", "1")):
        monkeypatch.setenv("GENBOOK_DOWNLOAD", given)
        environment.prepare(app, None)
        assert os.environ["GENBOOK_DOWNLOAD"] == kept
    assert os.environ["GENBOOK_CACHE"] == str(tmp_path / "cache")


def test_a_style_or_script_of_the_page_alone_does_not_change_it():
    read = {path.name for path in fingerprints._resources()}
    assert {"explore.css", "explore.js", "book.mplstyle"} <= read
    assert not read & {"genbook.css", "print.js", "reading.js", "predict.js", "equations.js"}


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


def test_other_code_that_writes_pages_writes_them_all_again(monkeypatch):
    app, before = MagicMock(), sphinx_ext.written_by()
    sphinx_ext.setup(app)
    app.add_config_value.assert_any_call("genbook_writer", before, "html")
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"other")
    assert sphinx_ext.written_by() != before


# Folding


def code_cell(code: str, *outputs: str, tags: tuple[str, ...] = ()) -> nodes.container:
    cell = nodes.container(classes=["cell", *tags], nb_element="cell_code", hide_mode="input")
    cell += nodes.container(
        "", nodes.literal_block(code, code), nb_element="cell_code_source", classes=["cell_input"]
    )
    if outputs:
        cell += nodes.container(
            "",
            *(nodes.raw(text, text, format="html") for text in outputs),
            nb_element="cell_code_output",
        )
    return cell


RECEIPTED = (
    '<p class="gb-receipt" data-claim="{0}" data-law="" data-measured="" data-label="l" '
    'data-test="t">✓ {0}</p>'
)


def test_plumbing_is_folded_and_what_it_printed_stands():
    cell = code_cell("import torch", "<p>out</p>")
    folding.fold(cell)
    fold, output = cell.children
    assert fold["kind"] == "gb-fold"
    assert fold.astext() == "import torch"
    assert output.astext() == "<p>out</p>"
    assert "hide_mode" not in cell.attributes  # folded once, not twice


def test_the_idea_stays_open():
    cell = code_cell("loss.backward()", tags=("tag_idea",))
    folding.fold(cell)
    assert cell.children[0]["nb_element"] == "cell_code_source"


def test_an_exercise_shows_the_signature_that_it_asks_for():
    cell = code_cell("def answer(x):\n    ...  # your code")
    folding.fold(cell)
    assert cell.children[0]["nb_element"] == "cell_code_source"


def test_receipts_become_one_line_that_opens_to_them_and_their_code():
    shown = RECEIPTED.format("a &lt; b"), "<table></table>", RECEIPTED.format("c")
    cell = code_cell("receipt(...)", *shown)
    folding.fold(cell)
    proof, output = cell.children
    assert proof["kind"] == "gb-proof"
    assert proof["line"] == folding.summary(["a < b", "c"])
    assert [child.astext() for child in proof.children] == [shown[0], shown[2], "receipt(...)"]
    assert output.astext() == "<table></table>"


def test_a_solution_is_folded_with_what_it_shows():
    cell = code_cell("show(exercises.bias.reference)", "<p>def bias</p>", tags=("tag_hide-cell",))
    folding.fold(cell)
    (solution,) = cell.children
    assert (solution["kind"], solution["line"]) == ("gb-solution", "Solution")
    assert [child.astext() for child in solution.children] == [
        "show(exercises.bias.reference)",
        "<p>def bias</p>",
    ]


def test_an_aside_is_folded_whole_behind_the_names_of_its_sources():
    cell = code_cell("show(rules.a, rules.b, rules.C)", "<p>def a</p>", tags=("tag_aside",))
    folding.fold(cell)
    (aside,) = cell.children
    assert (aside["kind"], aside["line"]) == ("gb-aside", "The code of a, b and C")
    assert [child.astext() for child in aside.children] == [
        "show(rules.a, rules.b, rules.C)",
        "<p>def a</p>",
    ]


def test_an_aside_is_folded_whole_behind_its_tables_caption():
    shown = (
        "<table><caption>Share of 200 starts &lt; <b>wall</b>. Too small: late.</caption></table>"
    )
    cell = code_cell("table(...)", shown, tags=("tag_aside", "tag_hide-input"))
    folding.fold(cell)
    assert cell.children[0]["line"] == "Table: Share of 200 starts &lt; wall"


@pytest.mark.parametrize(
    "code",
    ["%matplotlib inline\nshow(rules.a)", "%%time\npage.show(rules.a)", "%time show(rules.a)"],
)
def test_the_sources_of_an_aside_are_seen_through_magics(code):
    assert folding.what_it_holds(code) == "The code of a"


def test_an_aside_that_says_nothing_of_what_it_holds_stops_the_build():
    with pytest.raises(ValueError, match="sources or a table with a caption, got 'x = 1'"):
        folding.fold(code_cell("x = 1", tags=("tag_aside",)))


def test_receipts_stand_in_their_line_even_in_an_aside():
    cell = code_cell("receipt(...)", RECEIPTED.format("a"), tags=("tag_aside",))
    folding.fold(cell)
    assert cell.children[0]["kind"] == "gb-proof"


def test_a_magic_is_folded_too():
    cell = code_cell("%matplotlib inline")
    folding.fold(cell)
    assert cell.children[0]["kind"] == "gb-fold"


def test_a_page_holds_the_figures_script_once():
    bootstrap = static.page(
        name="gb-a",
        edition="e",
        drawing="<svg></svg>",
        stage="<div>",
        stacked="",
        caption="",
        grid=Grid(()),
        spec={},
    )
    page = f"<body>{bootstrap}{bootstrap.replace('gb-a', 'gb-b')}</body>"
    assert page.count(static.script()) == 2
    mended = pages.mended(page)
    assert mended.count(static.script()) == 1
    assert mended.count(".mount(") == 2
    assert mended.index(static.script()) < mended.index("gb-b")
    assert pages.mended(mended) == mended


# The settings


def theme_options(config: str) -> dict[str, object]:
    return dict(yaml.safe_load(config)["sphinx"]["config"]["html_theme_options"])


def test_one_line_of_the_settings_turns_launch_buttons_on():
    config = (ROOT / "_config.yml").read_text()
    off = theme_options(config)
    assert not {"repository_url", "launch_buttons"} & set(off)
    marked = [line for line in config.splitlines() if line.strip().startswith("# <<: {")]
    assert len(marked) == 1
    on = theme_options(config.replace("# <<: {", "<<: {"))
    assert set(on) - set(off) == {"repository_url", "repository_branch", "launch_buttons"}
    assert {**on, **off} == on


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
                 sphinx.ext.mathjax, sphinx-mathjax-offline, sphinx_exercise,
                 genbook.kit.sphinx_ext]
    nb_execution_show_tb: true
    use_multitoc_numbering: false
"""
COUNT = "from pathlib import Path\nPath('{log}').open('a').write('{name} ')\n"
RECEIPT = (
    "from genbook.kit.page import equal, receipt\n"
    "receipt('one is one', equal(1, 1), label='eq-a', test='test_one')"
)


INDEX = """# Verified

```{verified}
```

```{eval-rst}
.. note:: A page in another markup, *nested*.
```
"""
EXERCISE = "Chapter a\n\n```{exercise}\n:label: ex-a\nCount.\n```"


class Book:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "runs.log"
        self.log.touch()
        (folder / "_config.yml").write_text(CONFIG)
        (folder / "_toc.yml").write_text(
            "format: jb-book\nroot: index\nchapters:\n- file: a\n- file: b\n"
        )
        (folder / "index.md").write_text(INDEX)
        self.write("a", RECEIPT, EXERCISE)
        self.write("b", "print(2)")

    def write(self, stem: str, source: str, title: str = "Chapter b") -> None:
        count = COUNT.format(log=self.log.as_posix(), name=stem)
        write_notebook(self.folder / f"{stem}.ipynb", count, source, title=title)

    def build(self, *options: str) -> subprocess.CompletedProcess[str]:
        program = "from jupyter_book.cli.main import main; main()"
        command = [sys.executable, "-c", program, "build", ".", "-n", "-W", "--keep-going"]
        command += options
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


def test_latex_gets_an_image_of_every_figure_with_its_caption(tmp_path):
    book = Book(tmp_path)
    shown = (
        "from genbook.kit import plotting\n"
        "from genbook.kit.page import explore, picture\n"
        "def draw(a):\n"
        "    figure, axes = plotting.subplots(width=3, height=2)\n"
        "    axes.plot([0, 1], [0, a])\n"
        "    axes.set(xlim=(0, 1), ylim=(0, 2))\n"
        "    return figure\n"
        "picture(draw(1), caption='A picture.', alt='A line.')\n"
        "explore(draw, a=(0, 2, 1), caption='An explorable.', alt='A line.')"
    )
    book.write("b", shown)
    result = book.build("--builder", "latex")
    assert result.returncode == 0, result.stdout + result.stderr
    (tex,) = (tmp_path / "_build" / "latex").glob("*.tex")
    text = tex.read_text()
    assert text.count("includegraphics") == 2
    assert "<Explorable" not in text
    assert "Explorable: " not in text


def test_only_a_changed_notebook_runs_again(built, tmp_path):
    assert built.runs() == ["a", "b"]
    book = Book.__new__(Book)
    book.folder, book.log = built.folder, built.log
    assert book.build().returncode == 0
    assert book.runs() == ["a", "b"]
    book.write("b", "print(3)")
    assert book.build().returncode == 0
    assert book.runs() == ["a", "b", "b"]


def test_a_stored_page_holds_no_other_page_and_not_the_whole_book(built):
    stored = built.folder / "_build" / ".doctrees"
    assert b".write('a ')" in (stored / "a.doctree").read_bytes()
    for name in ("environment.pickle", "index.doctree", "b.doctree"):
        assert b".write('a ')" not in (stored / name).read_bytes(), name
    assert b"sphinx_exercise_registry" in (stored / "environment.pickle").read_bytes()
    assert b"sphinx_exercise_registry" not in (stored / "index.doctree").read_bytes()
    assert "Count." in built.page("a")


def test_the_page_of_receipts_links_to_the_equation(built):
    page = built.page("index")
    assert "one is one" in page
    assert 'href="a.html#equation-eq-a"' in page
    assert 'id="equation-eq-a"' in built.page("a")
    assert "tests/a/test_receipts.py" in page


def test_a_page_folds_its_code_and_keeps_every_receipt(built):
    page = built.page("a")
    code, receipt = page.index('<details class="gb-fold">'), page.index("gb-proof")
    assert code < page.index("Path") < receipt
    line = page[receipt : page.index("</summary>", receipt)]
    assert "one is one" in line
    assert receipt < page.index('class="gb-receipt"') < page.index("label", receipt)


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
