"""The study: its rows, and the share of right captions."""

from __future__ import annotations

from genbook.captions import captioner, scenes, studies
from genbook.kit.device import seeded


def test_a_slice_has_a_row_a_way_and_one_blind():
    rows = list(studies.record(True, 0))
    assert [row["way"] for row in rows] == [*captioner.WAYS, "every"]
    assert [row["pictures"] for row in rows] == ["own"] * 3 + ["shuffled"]


def test_a_trained_captioner_names_what_it_has_seen():
    net = studies.trained("every", 0, steps=500)
    assert studies.right(net, captioner.pairs(scenes.SEEN, 60, seeded(5))) > 0.9
