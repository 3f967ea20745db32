"""Laws of `genbook.gran.rivals`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal

from genbook.gan.images import Split
from genbook.gran import (
    rivals,
)
from tests.gran.given import FEW, number


@FEW
@given(st.integers(1, 40), st.floats(0.2, 5))
def test_one_point_scores_best_at_the_width_of_the_data(dimension, sigma):
    assert rivals.one_point(dimension, sigma) <= rivals.one_point(dimension) + 1e-9
    entropy = dimension * Normal(0.0, 1.0).entropy().item()
    assert rivals.one_point(dimension) == pytest.approx(-entropy, rel=1e-5)


def test_true_samples_score_below_one_point_and_the_more_so_the_higher_the_dimension():
    gaps = []
    for dimension in (2, 20):
        generator = torch.Generator().manual_seed(0)
        found = rivals.true_samples(dimension, 500, generator=generator)
        gaps.append(found - rivals.one_point(dimension))
    assert gaps[1] < gaps[0] < 0


def test_rivals_learn_nothing():
    table = torch.rand(300, 4)
    found = rivals.rivals(Split(table, table, table), centres=7)
    assert len(found["k-means centres"]) == len(found["as many training images"]) == 7
    assert torch.equal(found["the mean image"][0], table.mean(0))
    with pytest.raises(ValueError, match="σ > 0"):
        rivals.one_point(2, 0.0)


@FEW
@given(st.floats(-500, 500), st.floats(-500, 500), st.floats(0, 0.999))
def test_noise_costs_no_more_than_the_logarithm_of_what_is_left(p, q, share):
    mixed = rivals.drowned(number(p), number(q), share).item()
    exact = max(p + math.log1p(-share), q + math.log(share) if share else -math.inf)
    assert exact - 1e-9 <= mixed <= exact + math.log(2) + 1e-9
    assert mixed >= p + math.log1p(-share) - 1e-9
    with pytest.raises(ValueError, match="share"):
        rivals.drowned(number(p), number(q), 1.0)
