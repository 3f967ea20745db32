"""Laws of `genbook.invertible.traces`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from invertible.given import normal, seeded

from genbook.invertible import traces

FEW = settings(max_examples=25, deadline=None)


def of_length(c, d, seed):
    j = normal(d, d, seed=seed)
    return c * j / torch.linalg.matrix_norm(j, 2)


@FEW
@given(st.integers(1, 5), st.integers(0, 99))
def test_the_log_determinant_is_the_determinants(d, seed):
    j = normal(4, d, d, seed=seed)
    eye = torch.eye(d, dtype=torch.float64)
    torch.testing.assert_close(traces.log_det(j), torch.linalg.det(eye + j).abs().log())


@FEW
@given(st.floats(0.1, 0.9), st.integers(1, 6), st.integers(1, 25), st.integers(0, 99))
def test_the_series_is_within_its_bound(c, d, terms, seed):
    j = of_length(c, d, seed)
    found = traces.log_det_series(lambda v: v @ j, traces.every(d, j), terms)
    gap = (found - traces.log_det(j)).abs()
    assert gap <= traces.truncation_bound(c, d, terms) + 1e-12


def test_the_bound_is_attained_by_a_fold_in_all_directions():
    j = -0.5 * torch.eye(3, dtype=torch.float64)
    for terms in (1, 2, 7):
        found = traces.log_det_series(lambda v: v @ j, traces.every(3, j), terms)
        gap = (found - traces.log_det(j)).item()
        assert gap == pytest.approx(traces.truncation_bound(0.5, 3, terms))
    assert traces.truncation_bound(0.5, 3, 0) == pytest.approx(3 * math.log(2))


def test_probes_are_averaged_and_points_kept_apart():
    j = of_length(0.5, 3, 0)
    probes = normal(5, 2, 3, seed=1)
    both = traces.log_det_series(lambda v: v @ j, probes, 4)
    assert both.shape == (5,)
    single = [
        traces.log_det_series(lambda v: v @ j, probes[2, i : i + 1], 4).item() for i in range(2)
    ]
    assert both[2].item() == pytest.approx(sum(single) / 2)


@pytest.mark.parametrize("gaussian", [False, True])
def test_estimates_spread_as_much_as_their_variance_says(gaussian):
    a, count = normal(5, 5), 200_000
    drawn = torch.randn(count, 5, generator=seeded(1), dtype=torch.float64)
    probes = drawn if gaussian else drawn.sign()
    found = ((probes @ a) * probes).sum(1)
    expected = traces.estimate_variance(a, gaussian)
    assert found.var().item() == pytest.approx(expected.item(), rel=0.03)
    far = 5 * math.sqrt(expected.item() / count)
    assert found.mean().item() == pytest.approx(a.trace().item(), abs=far)


def test_signs_see_a_diagonal_exactly_and_never_spread_more():
    assert traces.estimate_variance(torch.diag(torch.ones(4)), gaussian=False).item() == 0
    many = normal(20, 4, 4)
    signs, bells = (traces.estimate_variance(many, gaussian=kind) for kind in (False, True))
    assert (signs < bells).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: traces.log_det(torch.ones(2, 3)), "square"),
        (lambda: traces.log_det_series(lambda v: v, torch.ones(1, 1), 0), "at least one term"),
        (lambda: traces.truncation_bound(1.0, 2, 3), "0 < c < 1"),
        (lambda: traces.truncation_bound(0.5, 0, 3), "d ≥ 1"),
        (lambda: traces.truncation_bound(0.5, 1, -1), "terms ≥ 0"),
        (lambda: traces.estimate_variance(torch.ones(3), True), "square"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
