"""Laws of `genbook.gran.players`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran import (
    arena,
    players,
)
from genbook.kit import data
from genbook.kit.seeds import Streams


def test_spectacles_hide_a_checkerboard():
    board = ((torch.arange(64) // 8 + torch.arange(64) % 8) % 2.0)[None, None]
    net = torch.nn.Identity()
    found = players.Spectacles(net, 3)(board).reshape(8, 8)[1:-1, 1:-1]
    assert (found - 0.5).abs().max() < 0.06
    assert torch.equal(players.Spectacles(net, 1)(board), board)


def test_a_player_without_a_canvas_draws_in_one_stroke():
    images = data.digits("test", device="cpu").flat
    player = players.train(players.PLAYERS[3], images, [0], 1)
    made = arena.strokes(player, 4)
    assert made.shape == (1, 4, 64)
    recurrent = players.train(players.GRAN3, images, [0], 1)
    assert arena.strokes(recurrent, 4).shape == (3, 4, 64)
    shown = player.draw(Streams([0]), 64)[0, :4]
    torch.testing.assert_close(made[0].sigmoid(), shown, rtol=0, atol=1e-5)


def test_a_score_card_names_both_players_and_its_shares_sum_to_one():
    images = data.digits("test", device="cpu").flat
    one, two = (players.train(player, images, [0], 1) for player in (players.GRAN1, players.GRAN3))
    outcome = arena.fight(one, two, images[:50], samples=60)
    rows = arena.score_card(outcome, one, two)
    assert [row[0] for row in rows[:2]] == ["GRAN, T = 1", "GRAN, T = 3"]
    assert sum(row[3] for row in rows) == pytest.approx(1)
    assert rows[2][1] == outcome.battle.r_test
