"""Every notebook runs where data and networks live on another device than what is made by hand.

The loops are cut short, so what receipts say is not looked at; everything else is: training,
samples, scores, what figures, explorables and machines are drawn from, answers to exercises.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import matplotlib as mpl
import pytest
import torch
from elsewhere import second_device
from shortened import shorten, statements

from genbook.kit.receipts import ReceiptError

STEMS = sorted(path.stem for path in (Path(__file__).parents[2] / "book").glob("*.ipynb"))


def faults(code: Iterable[tuple[int, str]]) -> list[str]:
    """The cells that do not run on the second device, and why."""
    names: dict[str, object] = {"__name__": "__main__"}
    found = []
    with second_device(), redirect_stdout(StringIO()):
        for cell, statement in code:
            try:
                exec(compile(statement, f"cell {cell}", "exec"), names)
            except ReceiptError:
                continue
            except Exception as fault:
                found.append(f"cell {cell}: {type(fault).__name__}: {fault}")
    return found


@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")  # empty curves after four steps, the stand-in's own
@pytest.mark.parametrize("stem", STEMS)
def test_a_notebook_runs_on_a_second_device(
    stem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {"DATA": "none", "DOWNLOAD": "0", "CACHE": str(tmp_path)}.items():
        monkeypatch.setenv(f"GENBOOK_{name}", value)
    mpl.use("agg")
    shorten(monkeypatch)
    assert not faults(statements(stem))


def test_a_cell_that_mixes_devices_is_found() -> None:
    made = "from genbook.kit import data; ink = data.digits('train').flat"
    assert not faults([(1, made), (2, "ink.mean(0)")])
    (found,) = faults([(1, made), (2, "ink @ __import__('torch').ones(64, 1)"), (3, "ink.sum()")])
    assert found.startswith("cell 2: Mixed")
    assert torch.ones(1).device.type == "cpu"
