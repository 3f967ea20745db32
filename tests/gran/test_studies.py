"""Laws of `genbook.gran.studies`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran import (
    battle,
)
from genbook.gran import studies as gran_studies


def test_a_table_survives_being_written_down(small):
    _, found, _ = small
    again = gran_studies.from_rows(
        list(gran_studies.table_rows("digits", "judge", found, [0, 1])), "digits", "judge"
    )
    assert again.names == found.names
    torch.testing.assert_close(again.cross, found.cross)
    torch.testing.assert_close(again.test, found.test)


def test_a_tables_battle_is_the_verdict_of_its_rates(small):
    _, found, _ = small
    first, second = found.names[1], found.names[4]
    outcome = battle.verdicts(found.test, found.cross)[1, 1, 4].item()
    assert found.battle(1, first, second).winner == {0: 0, 1: 1, -1: 2}[outcome]
    with pytest.raises(ValueError, match="players of"):
        found.battle(0, first, "nobody")
    with pytest.raises(ValueError, match="got none"):
        gran_studies.from_rows([], "digits", "judge")
