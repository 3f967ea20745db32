"""The brush: strokes whose pixels hang together, and judges with spectacles."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genbook import gran, gran_arena, gran_brush, gran_runs, gran_studies
from genbook.kit import data, studies
from genbook.seeds import Streams

FEW = settings(max_examples=15, deadline=None)


@FEW
@given(st.integers(1, 6), st.sampled_from([1, 3, 5]), st.floats(-5, 5))
def test_smoothing_leaves_a_flat_page_alone(side, width, grey):
    page = torch.full((2, side * side), grey, dtype=torch.float64)
    torch.testing.assert_close(gran.smooth(page, width), page)


def test_smoothing_is_the_mean_of_the_square_inside_the_page():
    page = torch.arange(16.0).reshape(1, 16)
    found = gran.smooth(page, 3).reshape(4, 4)
    square = page.reshape(4, 4)
    assert found[1, 2] == square[0:3, 1:4].mean()
    assert found[0, 0] == square[0:2, 0:2].mean()
    assert found[3, 1] == square[2:4, 0:3].mean()


def test_smoothing_refuses_even_widths_and_pages_that_are_not_square():
    for images, width in ((torch.zeros(2, 9), 2), (torch.zeros(2, 8), 3), (torch.zeros(2, 9), 0)):
        with pytest.raises(ValueError, match="odd width"):
            gran.smooth(images, width)


def test_a_brush_of_one_pixel_is_no_brush():
    z = Streams([0]).normal(6, 64)
    plain, brushed = (
        gran.Recurrent(64, Streams([0]), steps=3, brush=width).requires_grad_(False)
        for width in (1, 3)
    )
    same = gran.Recurrent(64, Streams([0]), steps=3).requires_grad_(False)
    assert torch.equal(plain(z), same(z))
    assert not torch.equal(plain(z), brushed(z))


def test_every_stroke_of_a_brush_is_smooth_and_the_canvas_is_still_their_sum():
    net = gran.Recurrent(784, Streams([0]), steps=3, brush=3).requires_grad_(False)
    z = Streams([1]).normal(8, 64)
    strokes = net.increments(z)
    torch.testing.assert_close(net(z), strokes.sum(0).sigmoid())
    raw = net.decoder(torch.cat([torch.tanh(net.embed(z)), torch.zeros(1, 8, 64)], -1))
    torch.testing.assert_close(strokes[0], gran.smooth(raw, 3))


def test_only_a_player_with_a_canvas_takes_a_brush():
    found = gran_brush.with_brush(gran_runs.GRAN3, 5)
    assert (found.brush, found.steps) == (5, 3)
    assert found.build(64, Streams([0])).brush == 5
    with pytest.raises(ValueError, match="has a canvas"):
        gran_brush.with_brush(gran_runs.PLAYERS[3])


def test_spectacles_hide_a_checkerboard():
    board = ((torch.arange(64) // 8 + torch.arange(64) % 8) % 2.0)[None, None]
    net = torch.nn.Identity()
    found = gran_runs.Spectacles(net, 3)(board).reshape(8, 8)[1:-1, 1:-1]
    assert (found - 0.5).abs().max() < 0.06
    assert torch.equal(gran_runs.Spectacles(net, 1)(board), board)


def test_a_player_without_a_canvas_draws_in_one_stroke():
    images = data.digits("test", device="cpu").flat
    player = gran_runs.train(gran_runs.PLAYERS[3], images, [0], 1)
    made = gran_arena.strokes(player, 4)
    assert made.shape == (1, 4, 64)
    recurrent = gran_runs.train(gran_runs.GRAN3, images, [0], 1)
    assert gran_arena.strokes(recurrent, 4).shape == (3, 4, 64)
    shown = player.draw(Streams([0]), 64)[0, :4]
    torch.testing.assert_close(made[0].sigmoid(), shown, rtol=0, atol=1e-5)


def test_a_score_card_names_both_players_and_its_shares_sum_to_one():
    images = data.digits("test", device="cpu").flat
    one, two = (
        gran_runs.train(player, images, [0], 1) for player in (gran_runs.GRAN1, gran_runs.GRAN3)
    )
    outcome = gran_arena.fight(one, two, images[:50], samples=60)
    rows = gran_arena.score_card(outcome, one, two)
    assert [row[0] for row in rows[:2]] == ["GRAN, T = 1", "GRAN, T = 3"]
    assert sum(row[3] for row in rows) == pytest.approx(1)
    assert rows[2][1] == outcome.battle.r_test


@pytest.fixture(scope="module")
def recorded():
    rows = list(gran_brush.record_brush(True, 3))
    like_mnist = [{**row, "dataset": "mnist"} for row in rows]
    known = studies.load("gran_battles")
    return studies.StudyResult(
        **{**vars(known), "name": "gran_brush", "rows": tuple(like_mnist), "seeds": (3,)}
    )


def test_the_slice_holds_every_player_under_every_pair_of_eyes(recorded):
    for kind in gran_brush.KINDS:
        found = gran_studies.from_rows(recorded.rows, "mnist", kind)
        assert found.names == tuple(player.name for player in gran_brush.PLAYERS)


def test_rows_of_eyes_and_outcomes_follow_the_record(recorded):
    rows = gran_brush.eyes(recorded)
    judged = gran_studies.from_rows(recorded.rows, "mnist", "judge")
    assert rows[2][2] == pytest.approx(float(judged.test[0, 2] + judged.cross[0, 2, 2]))
    found = gran_brush.outcomes(recorded)
    assert [row[0] for row in found][::3] == ["T = 3 against 1", "T = 3 against 1, brush 3"]
    assert all(sum(map(int, cell.split(" : "))) == 1 for row in found for cell in row[1:])
