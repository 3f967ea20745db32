"""Laws of `genbook.gran.neighbours`."""

from __future__ import annotations

import pytest
import torch

from genbook.gran.neighbours import Repeater, copied, coverage, nearest, yardstick


def cloud(count, shift=0.0, seed=0, size=5):
    return shift + torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("place", [1, 2, 4])
def test_neighbours_are_those_of_all_distances_sorted(place):
    one, two = cloud(1_100), cloud(40, seed=1)
    every = (one[:, None] - two[None]).square().sum(-1).sqrt().sort(1).values
    torch.testing.assert_close(nearest(one, two, place), every[:, place - 1])


def test_a_point_is_its_own_nearest_to_the_last_bit():
    same = cloud(50)
    assert not nearest(same, same).any()


def test_a_copier_is_caught_and_new_data_are_not():
    train, test, new = cloud(400), cloud(300, seed=1), cloud(300, seed=2)
    edge = yardstick(test, train)
    assert copied(train[:100], train, edge) == 1.0
    assert copied(new, train, edge) < 0.05
    half = torch.cat([train[:50], new[:50]])
    assert copied(half, train, edge) == pytest.approx(0.5, abs=0.05)


def test_coverage_of_the_same_cloud_is_whole_and_of_a_distant_one_nothing():
    real = cloud(200)
    whole, none = coverage(real, real), coverage(real, cloud(200, shift=99.0))
    assert (whole.precision, whole.recall) == (1.0, 1.0)
    assert (none.precision, none.recall) == (0.0, 0.0)


def test_a_dropped_mode_costs_recall_and_junk_costs_precision():
    both = torch.cat([cloud(150), cloud(150, shift=50.0, seed=1)])
    dropped = coverage(both, cloud(300, seed=2))
    assert dropped.precision > 0.8
    assert dropped.recall < 0.6
    junk = coverage(cloud(300, seed=3), both)
    assert junk.precision < 0.6
    assert junk.recall > 0.8


def test_a_repeater_uses_all_its_images_equally_often():
    images = torch.arange(4.0).reshape(4, 1, 1, 1).expand(-1, 1, 4, 4)
    z = torch.randn(4_000, 8, generator=torch.Generator().manual_seed(0))
    z[0, 0] = 40.0
    made = Repeater(images, 8)(z)
    counts = made[:, 0, 0, 0].long().bincount(minlength=4) / 4_000
    assert counts.tolist() == pytest.approx([0.25] * 4, abs=0.03)
    assert made[0, 0, 0, 0] == 3


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="rows of images"):
        nearest(torch.zeros(3, 1, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match="from 1 to 3"):
        nearest(torch.zeros(3, 2), torch.zeros(3, 2), 4)
    with pytest.raises(ValueError, match="share"):
        yardstick(cloud(3), cloud(3), share=0.0)
