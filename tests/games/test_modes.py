"""Laws of `genbook.games.modes`."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from genbook.games import modes as games_modes
from genbook.kit import data
from tests.collapse.given import FEW, GRID, RING


def test_the_centres_are_those_of_the_papers():
    angles = 2 * np.pi * np.arange(1, 9) / 8
    ring = {(round(math.cos(a), 6), round(math.sin(a), 6)) for a in angles}
    assert {tuple(round(v + 0.0, 6) for v in row) for row in RING.double().tolist()} == ring
    assert {tuple(row) for row in GRID.tolist()} == set(
        itertools.product((-4.0, -2.0, 0.0, 2.0, 4.0), repeat=2)
    )


def test_samples_on_the_centres_capture_every_mode_once():
    found = games_modes.score(GRID[None], GRID, std=0.05)
    assert found.counts.tolist() == [[1] * 25]
    assert found.modes.tolist() == [25]
    assert found.high_quality.tolist() == [1.0]
    assert found.reverse_kl.item() == 0.0


@FEW
@given(kept=st.integers(1, 25), each_count=st.integers(1, 40))
def test_k_equal_modes_of_25_are_log_25_over_k_away(kept, each_count):
    counts = torch.zeros(25, dtype=torch.int64)
    counts[:kept] = each_count
    assert games_modes.histogram_kl(counts).item() == pytest.approx(math.log(25 / kept))


@FEW
@given(counts=st.lists(st.integers(0, 50), min_size=2, max_size=12).filter(any))
def test_the_histogram_divergence_is_scipys_and_log_k_less_the_entropy(counts):
    n = np.array(counts)
    found = games_modes.histogram_kl(torch.tensor(counts)).item()
    assert found == pytest.approx(entropy(n / n.sum(), np.full(len(n), 1 / len(n))), abs=1e-12)
    assert found == pytest.approx(math.log(len(n)) - entropy(n / n.sum()), abs=1e-12)


def test_weights_of_the_data_move_the_zero_of_the_histogram_divergence():
    counts = torch.tensor([10, 30, 60])
    assert games_modes.histogram_kl(counts, torch.tensor([1.0, 3.0, 6.0])).item() == pytest.approx(
        0
    )
    assert games_modes.histogram_kl(counts).item() > 0.1


def test_no_good_sample_is_infinitely_far():
    assert games_modes.histogram_kl(torch.zeros(2, 3)).tolist() == [math.inf] * 2


def test_three_deviations_are_a_circle_not_a_box():
    at = torch.tensor([[[0.29, 0.0], [0.25, 0.25], [0.31, 0.0]]])
    assert games_modes.score(at, torch.zeros(1, 2), std=0.1).counts.tolist() == [[1]]


def test_a_sample_that_is_not_finite_is_not_good():
    lost = torch.tensor([[[math.nan, 0.0], [math.inf, 0.0], [0.0, 0.0]]])
    found = games_modes.score(lost, torch.zeros(1, 2), std=1.0)
    assert found.counts.tolist() == [[1]]
    assert found.high_quality.item() == pytest.approx(1 / 3)


@FEW
@given(n=st.integers(2, 40))
def test_linspace_with_both_ends_repeats_the_first_mode(n):
    angles = torch.linspace(0, 2 * math.pi, n, dtype=torch.float64)
    closed = torch.stack([angles.cos(), angles.sin()], 1)
    assert games_modes.distinct(closed) == n - 1
    assert games_modes.distinct(data.ring_centres(n)) == n
