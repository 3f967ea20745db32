"""Laws of `genbook.gran.speckle`."""

from __future__ import annotations

import pytest

from genbook.gran import (
    players,
    speckle,
)
from genbook.gran import studies as gran_studies
from genbook.kit import studies
from genbook.kit.seeds import Streams


def test_only_a_player_with_a_canvas_takes_a_brush():
    found = speckle.with_brush(players.GRAN3, 5)
    assert (found.brush, found.steps) == (5, 3)
    assert found.build(64, Streams([0])).brush == 5
    with pytest.raises(ValueError, match="has a canvas"):
        speckle.with_brush(players.PLAYERS[3])


@pytest.fixture(scope="module")
def recorded():
    rows = list(speckle.record_brush(True, 3))
    like_mnist = [{**row, "dataset": "mnist"} for row in rows]
    known = studies.load("gran_battles")
    return studies.StudyResult(
        **{**vars(known), "name": "gran_brush", "rows": tuple(like_mnist), "seeds": (3,)}
    )


def test_the_slice_holds_every_player_under_every_pair_of_eyes(recorded):
    for kind in speckle.KINDS:
        found = gran_studies.from_rows(recorded.rows, "mnist", kind)
        assert found.names == tuple(player.name for player in speckle.PLAYERS)


def test_rows_of_eyes_and_outcomes_follow_the_record(recorded):
    rows = speckle.eyes(recorded)
    judged = gran_studies.from_rows(recorded.rows, "mnist", "judge")
    assert rows[2][2] == pytest.approx(float(judged.test[0, 2] + judged.cross[0, 2, 2]))
    found = speckle.outcomes(recorded)
    assert [row[0] for row in found][::3] == ["T = 3 against 1", "T = 3 against 1, brush 3"]
    assert all(sum(map(int, cell.split(" : "))) == 1 for row in found for cell in row[1:])
