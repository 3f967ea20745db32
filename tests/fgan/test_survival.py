"""Laws of `genbook.fgan.survival`."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.fgan import survival, windows
from genbook.games import duality
from genbook.games.play import Game
from genbook.kit.seeds import Streams, mlp
from genbook.kit.training import NonFiniteLoss


def poisoned_game(keep_going, poison=math.inf):
    """A game of two seeds; the data of the first are infinite at the third step."""
    calls = []

    def sample(streams, n):
        calls.append(n)
        spoilt = torch.tensor([poison if len(calls) == 3 else 0.0, 0.0])
        return streams.normal(n, 2) + spoilt[:, None, None]

    streams = Streams([0, 1])
    players = mlp([2, 4, 2], streams), mlp([2, 4, 1], streams)
    game = Game(iterations=6, batch=8)
    return survival.contest(
        duality.GAN,
        *players,
        sample,
        game,
        streams,
        practical=False,
        draws=5,
        keep_going=keep_going,
    )


def test_a_dead_seed_is_dated_and_the_others_do_not_notice():
    outcome, healthy = poisoned_game(keep_going=True), poisoned_game(keep_going=True, poison=0.0)
    assert outcome.died == (2, None)
    assert healthy.died == (None, None)
    torch.testing.assert_close(outcome.bounds[:, 1], healthy.bounds[:, 1])
    torch.testing.assert_close(outcome.samples[1], healthy.samples[1])
    assert not outcome.bounds[2:, 0].isfinite().any()


def test_a_death_stops_the_game_unless_told_otherwise():
    with pytest.raises(NonFiniteLoss, match="step 2"):
        poisoned_game(keep_going=False)


def test_a_game_in_the_plane_draws_500_samples_a_seed():
    outcome = survival.on_ring(duality.TOTAL_VARIATION, (0, 4), practical=False, iterations=3)
    assert outcome.samples.shape == (2, 500, 2)
    assert outcome.bounds.abs().max() <= 1  # total variation is at most 1


def test_grey_means_near_a_half_in_the_mean_pixel():
    grey, sharp = torch.full((9,), 0.5), torch.tensor([0.0, 1, 0, 0, 1, 0, 0, 0, 1])
    edge = torch.full((9,), 0.751)
    assert survival.grey_share(torch.stack([grey, sharp, edge, edge])[None]) == [0.25]


def test_images_are_drawn_within_their_range():
    images = torch.rand(40, 16, generator=torch.Generator().manual_seed(1))
    outcome = survival.on_images(duality.PEARSON, images, (0, 1), practical=True, iterations=3)
    assert outcome.samples.shape == (2, 100, 16)
    assert outcome.samples.min() >= 0
    assert outcome.samples.max() <= 1


RECORDS = [survival.record_ring, survival.record_images, windows.record]


@pytest.mark.parametrize("record", RECORDS)
def test_a_slice_of_a_study_holds_a_row_for_each_seed(record, monkeypatch):
    for module in (survival, windows):
        monkeypatch.setattr(module, "SEEDS", (0, 1))
    found = list(record(slice=True))
    games = {(row["row"], row.get("practical")) for row in found}
    assert len(found) == 2 * len(games)
    assert {row["seed"] for row in found} == {0, 1}


def test_a_game_is_lost_when_a_loss_or_its_bound_runs_away():
    runs = [
        {"died": 0, "bound": 0.1},
        {"died": 3},
        {"bound": 1e21},
        {"bound": -1e21},
        {"bound": -224.0},
        {"bound": 12.8},
    ]
    assert [survival.lost(run) for run in runs] == [True] * 4 + [False] * 2


def test_a_dead_seed_has_neither_modes_nor_a_bound(monkeypatch):
    nowhere = survival.Outcome(
        torch.full((2, 9, 2), math.nan), torch.full((3, 2), math.nan), (0, None)
    )
    monkeypatch.setattr(survival, "SEEDS", (0, 1))
    monkeypatch.setattr(survival, "on_ring", lambda *_, **__: nowhere)
    dead, alive = list(survival.record_ring(slice=True))[:2]
    assert set(dead) == {"row", "practical", "seed", "died"}
    assert alive["modes"] == 0
