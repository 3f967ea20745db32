"""Laws of `genbook.games.plane`."""

from __future__ import annotations

import pytest
import torch

from genbook.games import duality, plane
from genbook.games.functional import opening, with_weights
from genbook.games.play import from_convex, scores

GAN = from_convex(duality.GAN, practical=True)


def test_a_batch_is_drawn_from_the_given_points_alone():
    points = torch.tensor([[1.0, 1.0], [2.0, 2.0], [9.0, 9.0]])
    drawn = plane.batch(points, torch.tensor(2.0), torch.rand(500), torch.zeros(500, 2))
    assert set(drawn[0, :, 0].tolist()) == {1.0, 2.0}


def test_presets_stay_in_the_frame_and_are_fewer_than_the_most():
    for points in plane.presets().values():
        assert points.abs().max() < plane.REACH
        assert 2 <= len(points) <= plane.MOST


def test_distances_are_those_to_data_alone():
    points = torch.randn(6, 2)
    gaps = plane.distances(torch.randn(4, 2), points, torch.tensor(4.0))
    assert gaps[:, :4].max() < 1e3
    assert gaps[:, 4:].min() > 1e5


def test_a_pack_of_copies_is_what_the_field_of_a_packed_critic_shows():
    contests = {"alone": plane.Contest(GAN), "pack": plane.Contest(GAN, packed=4)}
    judges = plane.critics(contests, 8)
    maker = plane.generator(8)
    assert list(judges) == [1, 4]
    look = plane.looked_at(GAN.generator_loss, maker, judges[4], packed=4)
    weights = list(judges[4].parameters())
    found = look(
        list(maker.parameters()), weights, torch.randn(8, 2), torch.zeros(3, 2), torch.tensor(3.0)
    )
    corner = torch.tensor([-plane.REACH, -plane.REACH]).expand(1, 4, 2)
    wanted = torch.sigmoid(scores(lambda x: with_weights(judges[4], weights, x), corner))
    torch.testing.assert_close(found[1][0], wanted[0, 0])
    assert found[1].shape == (plane.SIDE**2,)
    assert found[2].shape == (8, 2)


def test_players_that_do_not_play_stay():
    contests = {"alone": plane.Contest(GAN), "pack": plane.Contest(GAN, packed=4)}
    (critic, _), _ = plane.rounds(contests, 8, most=5)
    judges = plane.critics(contests, 8)
    players = opening(plane.generator(8)), [opening(judge) for judge in judges.values()]
    rest = (
        torch.randn(5, 2), torch.tensor(5.0), torch.rand(plane.BATCH),
        torch.randn(plane.BATCH, 2), torch.randn(plane.BATCH, 2), torch.rand(plane.BATCH),
        torch.tensor(1e-2),
    )  # fmt: skip
    for word, plays in (("alone", 0), ("pack", 1)):
        after, _ = critic.programs[word].run(*players, *rest)
        for place, (before, now) in enumerate(zip(players[1], after, strict=True)):
            same = all(torch.equal(a, b) for a, b in zip(before[0], now[0], strict=True))
            assert same == (place != plays)


@pytest.mark.parametrize("clip", [0.01, 0.1])
def test_clipped_weights_stay_within_their_limit(clip):
    contests = {"clipped": plane.Contest(from_convex(duality.TRANSPORT), clip=clip)}
    (critic, _), _ = plane.rounds(contests, 8, most=5)
    players = opening(plane.generator(8)), [opening(plane.critics(contests, 8)[1])]
    rest = (
        torch.randn(5, 2), torch.tensor(5.0), torch.rand(plane.BATCH),
        torch.randn(plane.BATCH, 2), torch.randn(plane.BATCH, 2), torch.rand(plane.BATCH),
        torch.tensor(1e-2),
    )  # fmt: skip
    (after,), _ = critic.programs["clipped"].run(*players, *rest)
    assert max(weight.abs().max().item() for weight in after[0]) <= clip * (1 + 1e-6)
