"""Laws of `genbook.lstm.figures`."""

from __future__ import annotations

import pytest

from genbook.lstm import figures
from tests.lstm.given import runs


def test_figures_have_what_they_promise():
    masks = {"a": runs(900, 0), "b": runs(900, 1)}
    begins = figures.telling_stretches(masks, count=3)
    assert len(set(begins)) == 3
    assert all(450 <= begin <= 830 for begin in begins)
    watched = figures.watch("RNN", 20, 0, total=5, moments=7)
    assert len(watched.snapshots) == 7
    assert [snapshot.update for snapshot in watched.snapshots][-1] == 5
    with pytest.raises(ValueError, match="LSTM"):
        figures.gates_of(watched, 20, 0)


def test_the_window_figure_marks_what_is_missing_at_its_window():
    _, missing, cosine = figures._shares("RNN")
    assert float(missing[-1]) < 1e-6 < float(missing[0])
    assert float(cosine[-1]) == pytest.approx(1, abs=1e-6)
    _, right = figures.window("RNN", 10).axes
    (place,), (height,) = right.lines[2].get_data()
    assert (place, height) == (10, pytest.approx(float(missing[figures.SENT_BACK.index(10)])))
