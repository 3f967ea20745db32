"""Laws of `genbook.wgan.empirical`."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from genbook.kit.seeds import Streams
from genbook.wgan import empirical, transport
from tests.wgan.given import FEW, any_seed, double


@FEW
@given(any_seed, st.integers(1, 9))
def test_the_distance_to_the_uniform_is_that_to_a_fine_grid(seed, n):
    x = double(seed).uniform(n)[0]
    fine = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    found = empirical.to_uniform(x)
    assert found.item() == pytest.approx(wasserstein_distance(x, fine), abs=1e-4)
    assert found >= empirical.floor(n, 1) - 1e-12


def test_one_point_has_the_mean_of_its_distances():
    x = torch.tensor([[0.0], [0.5], [0.25]], dtype=torch.float64)
    expected = torch.tensor([0.5, 0.25, (0.0625 + 0.5625) / 2], dtype=torch.float64)
    torch.testing.assert_close(empirical.to_uniform(x), expected)


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_the_exact_mean_is_the_mean(n):
    values = empirical.to_uniform(double(*range(4)).uniform(5_000, n)).flatten()
    error = values.std().item() / math.sqrt(len(values))
    assert empirical.expected_to_uniform(n) == pytest.approx(values.mean().item(), abs=5 * error)


def test_the_exact_mean_tends_to_the_bridge():
    scaled = [math.sqrt(n) * empirical.expected_to_uniform(n) for n in (10, 100, 1_000, 10_000)]
    away = [value - math.sqrt(2 * math.pi) / 8 for value in scaled]
    for more, less in pairwise(away):
        assert 0 < less < 0.2 * more


@FEW
@given(any_seed, st.integers(1, 5), st.integers(1, 3))
def test_a_match_is_the_best_of_all_permutations(seed, n, dimension):
    x, y = double(seed, seed + 1).normal(n, dimension)
    lengths = torch.cdist(x, y)
    best = min(
        float(lengths[torch.arange(n), list(order)].mean()) for order in permutations(range(n))
    )
    found = empirical.match(x, y)
    assert found.cost == pytest.approx(best, abs=1e-12)
    assert found.cost == pytest.approx((x - y[found.partner]).norm(dim=1).mean().item(), abs=1e-12)
    even = torch.full((n,), 1 / n, dtype=torch.float64)
    assert found.cost == pytest.approx(transport.solve(even, even, lengths).cost, abs=1e-9)


def test_on_the_line_a_match_is_in_order():
    x, y = double(1, 2).normal(50)
    assert empirical.match(x[:, None], y[:, None]).cost == pytest.approx(
        transport.of_samples(x, y).item(), abs=1e-12
    )


@pytest.mark.parametrize("dimension", [1, 2, 3, 6])
def test_the_floor_is_below_the_mean_distance_to_the_nearest_of_any_points(dimension):
    for seed in range(5):
        x = double(seed).uniform(8, dimension)[0]
        points = double(seed + 50).uniform(20_000, dimension)[0]
        nearest = torch.cdist(points, x).amin(1).mean().item()
        assert empirical.floor(8, dimension) < nearest + 0.01
    assert empirical.floor(8, dimension, 2.0**dimension) == pytest.approx(
        empirical.floor(8, dimension) / 2
    )


def test_the_floor_in_the_plane_by_hand():
    assert empirical.floor(1, 2, 1 / math.pi) == pytest.approx(2 / 3)  # a disk and its centre


def test_samples_of_the_cube_nest():
    costs = empirical.in_cube(3, [4, 9], Streams([7], dtype=torch.float64))
    x, y = Streams([7], dtype=torch.float64).uniform(2, 9, 3)[0]
    assert costs[0, 0].item() == pytest.approx(empirical.match(x[:4], y[:4]).cost)
    assert costs[0, 1].item() == pytest.approx(empirical.match(x, y).cost)


def test_the_slope_of_a_power_law_is_its_power():
    sizes = [3, 10, 50]
    values = torch.tensor([[2 * n**-0.3 for n in sizes], [n**0.7 for n in sizes]])
    torch.testing.assert_close(empirical.slope(sizes, values), torch.tensor([-0.3, 0.7]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: empirical.to_uniform(torch.tensor([1.2])), r"\[0, 1\]"),
        (lambda: empirical.to_uniform(torch.zeros(0)), r"\[0, 1\]"),
        (lambda: empirical.expected_to_uniform(0), "n ≥ 1"),
        (lambda: empirical.floor(0, 1), "n ≥ 1"),
        (lambda: empirical.floor(1, 1, 0.0), "density > 0"),
        (lambda: empirical.match(torch.zeros(2, 1), torch.zeros(3, 1)), "one shape"),
        (lambda: empirical.in_cube(0, [4], Streams([0])), "d ≥ 1"),
        (lambda: empirical.in_cube(1, [], Streams([0])), "sizes ≥ 1"),
        (lambda: empirical.slope([4, 4], torch.ones(2)), "two different"),
        (lambda: empirical.slope([4, 5], torch.ones(3)), "two different"),
    ],
)
def test_what_does_not_fit_is_said(call, words):
    with pytest.raises(ValueError, match=words):
        call()
