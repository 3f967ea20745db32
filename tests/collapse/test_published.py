"""Laws of `genbook.collapse.published`."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import sem

from genbook.collapse import published
from tests.collapse.given import FEW


@pytest.mark.parametrize("line", published.PUBLISHED, ids=lambda x: f"{x.protocol.name} {x.method}")
def test_a_printed_divergence_is_no_less_than_its_captured_modes_allow(line):
    """KL(q‖uniform on K) ≥ log K/m if q lives on m modes; the mean over trials too, by Jensen."""
    for (modes, good, kl), every in ((line.ring, 8), (line.grid, 25)):
        assert 0 < modes <= every
        assert 0 <= good <= 100
        assert (kl is not None) == (len(line.protocol.measures) == 3)
        assert kl is None or kl >= math.log(every / (modes + 0.05)) - 0.005


@FEW
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=10))
def test_the_error_is_that_of_the_mean(values):
    mean, error = published.mean_and_error(values)
    assert mean == pytest.approx(sum(values) / len(values), abs=1e-9)
    assert error == pytest.approx(sem(values), abs=1e-9)


def test_one_seed_has_no_error():
    with pytest.raises(ValueError, match="two seeds"):
        published.mean_and_error([1.0])
