"""The kernels that run the notebooks say nothing of their own."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from genbook.kit import kernels


def one_cell(config: Config) -> str:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")])
    NotebookClient(notebook, kernel_name="python3", timeout=120, config=config).execute()
    return str(notebook.cells[0].outputs[0].text)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_kernel_of_the_build_runs_its_cell_and_writes_nothing_on_the_terminal(capfd):
    assert one_cell(kernels.settings()) == "42\n"
    assert capfd.readouterr() == ("", "")


def test_an_older_jupyter_is_asked_for_nothing(monkeypatch):
    monkeypatch.setattr(kernels, "POLICY", "no such trait")
    assert kernels.settings() == Config()
