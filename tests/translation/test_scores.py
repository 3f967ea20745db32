"""Laws of `genbook.translation.scores`."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from genbook.kit import data
from genbook.translation import pairs as translation_pairs
from genbook.translation import (
    scores,
)
from genbook.translation.pairs import Domains, Pairs
from tests.translation.given import digits, pairs_of, pictures, source


def test_a_reader_learns_to_read_and_reads_nothing_in_noise():
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu")
    net = scores.reader(train.images, train.labels, steps=100)
    assert scores.share_read(net, test.images, test.labels) > 0.8
    shuffled = test.labels[torch.randperm(len(test), generator=source())]
    assert scores.share_read(net, test.images, shuffled) < 0.25


def test_averaging_neighbours_lowers_the_sharpness_and_ink_has_no_midtones():
    real = (torch.rand(4, 1, 8, 8, generator=source()) > 0.5).float()
    assert scores.sharpness(real, real) == 1
    assert scores.sharpness(translation_pairs.coarse(real, 2), real) < 0.5
    assert scores.midtones(real) == 0
    assert scores.midtones(0.5 * torch.ones(3)) == 1


class Constant(nn.Module):
    """Ignores its input."""

    def forward(self, x):
        return 0.3 * torch.ones_like(x)


class Same(nn.Module):
    def forward(self, x):
        return x


def test_a_translator_that_ignores_its_input_follows_nothing():
    score = scores.score_pairs(Constant(), pairs_of())
    assert (score.follows, score.noise) == (0, 0)


def test_a_perfect_translator_follows_its_answers():
    pairs = pairs_of()
    score = scores.score_pairs(Same(), Pairs("same", pairs.y, pairs.y, pairs.labels))
    assert (score.l1, score.follows, score.sharpness) == (0, 1, 1)


def heaps_of():
    images = digits(32)
    x, y = images.take(slice(0, 16)), images.take(slice(16, 32))
    small = translation_pairs.coarse(x.images, 2)
    return Domains("small", 2, small, y.images, x.labels, y.labels)


class Trip:
    """Both ways at once: the identity there, the projection back, or the reverse."""

    def __init__(self, g, f):
        self.g, self.f = g, f


def test_a_cycle_of_identities_smuggles_all_that_blocks_take_away():
    heaps, trip = heaps_of(), Trip(Same(), Same())
    readers = (nn.Flatten(), nn.Flatten())
    score = scores.score_cycle(trip, heaps, readers, nn.Flatten())
    assert score.cycle_x == score.cycle_y == 0
    rest = heaps.y - translation_pairs.coarse(heaps.y, 2)
    assert score.smuggled == pytest.approx((rest.norm() / heaps.y.norm()).item(), abs=1e-6)
    assert score.blocked == pytest.approx(rest.abs().mean().item(), abs=1e-6)


def test_a_trip_by_way_of_grey_errs_by_the_distance_from_grey_on_each_side():
    heaps = heaps_of()
    readers = (nn.Flatten(), nn.Flatten())
    score = scores.score_cycle(Trip(Constant(), Same()), heaps, readers, nn.Flatten())
    assert score.cycle_x == pytest.approx((heaps.x - 0.3).abs().mean().item(), abs=1e-6)
    assert score.cycle_y == pytest.approx((heaps.y - 0.3).abs().mean().item(), abs=1e-6)
    assert score.cycle_x != pytest.approx(score.cycle_y, abs=1e-3)


def test_a_step_counts_once_in_its_own_direction():
    across = torch.tensor([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])[None, None]
    assert scores.steepness(across).item() == pytest.approx(1 / 2)
    assert scores.steepness(across.mT).item() == pytest.approx(1 / 2)
    corner = torch.tensor([[0.0, 1.0], [0.0, 0.0]])[None, None]
    assert scores.steepness(corner).item() == pytest.approx(1 / 2 + 1 / 2)


class Coin(nn.Module):
    """Ignores its input and alternates between dark and light."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return torch.full_like(x, 0.2 if self.calls % 2 else 0.7)


def test_noise_is_what_two_translations_of_one_input_differ_by():
    pairs = pairs_of()
    turned = (pairs.y - pairs.y.roll(1, 0)).abs().mean().item()
    score = scores.score_pairs(Coin(), pairs)
    assert score.noise == pytest.approx(0.5 / turned, rel=1e-5)
    assert score.follows == 0


def test_noise_in_the_middle_of_identities_costs_its_mean_size():
    y = torch.zeros(20, 1, 16, 16)
    errors = scores.perturbed(Trip(Same(), Same()), y, (0.0, 0.1))
    expected = [0, 0.1 * math.sqrt(2 / math.pi)]
    torch.testing.assert_close(errors, torch.tensor(expected), rtol=0.05, atol=0)


def test_scores_of_a_wrong_kind_are_refused():
    with pytest.raises(ValueError, match="label an image"):
        scores.reader(torch.zeros(3, 1, 8, 8), torch.zeros(2).long())
    with pytest.raises(ValueError, match="even"):
        scores.sharpness(torch.rand(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))


def test_a_judge_of_two_heaps_learns_to_tell_them_apart():
    dark, light = 0.4 * pictures(1).float(), 1 - 0.4 * pictures(2).float()
    labels = torch.zeros(4).long()
    heaps = Domains("dark ↔ light", 1, dark, light, labels, labels)
    judge = scores.domain_judge(heaps, steps=30)
    assert scores.judged_right(judge, heaps) == 1
