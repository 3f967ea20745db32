"""A notebook that nbconvert turns into another format: every figure is there, with its caption."""

from __future__ import annotations

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter, LatexExporter, MarkdownExporter, ScriptExporter

CELLS = (
    "from genbook.kit import plotting\n"
    "from genbook.kit.page import explore, picture\n"
    "def draw(a=1.0):\n"
    "    figure, axes = plotting.subplots(width=3, height=2)\n"
    "    axes.plot([0, 1], [0, a])\n"
    "    axes.set(xlim=(0, 1), ylim=(0, 2))\n"
    "    return figure",
    "picture(draw(), caption='A still line.', alt='A line.')",
    "explore(draw, a=(0, 2, 1), caption='A line to move.', alt='A line.')",
)


@pytest.fixture(scope="module")
def executed():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    return nbclient.NotebookClient(notebook, kernel_name="python3").execute()


def converted(exporter, notebook):
    return exporter(exclude_input=True).from_notebook_node(notebook)


def test_html_shows_a_picture_with_its_caption_and_an_image_of_an_explorable(executed):
    body, _ = converted(HTMLExporter, executed)
    assert "A still line." in body
    assert body.count("<figcaption>") == 1
    assert body.count("data:image/png;base64,") == 1  # its caption is drawn in it


@pytest.mark.parametrize("exporter", [LatexExporter, MarkdownExporter])
def test_latex_and_markdown_bring_an_image_for_each_figure(exporter, executed):
    body, resources = converted(exporter, executed)
    images = [data for name, data in resources["outputs"].items() if name.endswith(".png")]
    assert len(images) == 2
    assert all(data.startswith(b"\x89PNG") for data in images)
    if exporter is LatexExporter:
        assert body.count("includegraphics") == 2
    assert "<Explorable" not in body
    assert "Explorable: " not in body


def test_a_script_is_the_code_alone(executed):
    body, _ = ScriptExporter().from_notebook_node(executed)
    compile(body, "converted.py", "exec")
