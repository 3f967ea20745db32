"""Laws of `genbook.gran.arena`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran import arena as gran_arena
from genbook.kit import data


def test_a_fight_with_swapped_players_is_swapped(small):
    trained, *_ = small
    test = data.digits("test", device="cpu").flat[:50]
    one = gran_arena.fight(trained[0], trained[1], test, samples=60)
    two = gran_arena.fight(trained[1], trained[0], test, samples=60)
    assert (one.battle.rates.test_1, one.battle.rates.test_2) == (
        two.battle.rates.test_2,
        two.battle.rates.test_1,
    )
    assert one.confidence.first + one.confidence.second + one.confidence.tie == pytest.approx(1)


def test_a_checkerboard_is_rougher_than_its_blur_and_grey_is_smooth():
    board = (torch.arange(8)[:, None] + torch.arange(8)) % 2.0
    half = 0.5 + (board - 0.5) / 2
    assert gran_arena.roughness(board[None]) == pytest.approx(2.0)
    assert gran_arena.roughness(half[None]) == pytest.approx(1.0)
    assert gran_arena.roughness(torch.ones(1, 8, 8)) == 0
    with pytest.raises(ValueError, match="some ink"):
        gran_arena.roughness(torch.zeros(1, 8, 8))
