"""Codes taken apart: exact identities, invariances, and the law of chance."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from genbook.kit.device import seeded
from genbook.ogan import codes


def pair(seed: int, n: int, count: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    z, e = torch.randn(2, count, n, generator=seeded(seed), dtype=torch.float64)
    return z, 3 * e - 1


@given(st.integers(0, 100), st.integers(2, 20))
def test_the_parts_make_the_whole_and_a_direction_is_centred_and_of_length_root_n(seed, n):
    _, e = pair(seed, n)
    found = codes.parts(e)
    assert torch.allclose(found.whole(), e, atol=1e-12)
    assert torch.allclose(found.direction.mean(-1), torch.zeros(5).double(), atol=1e-12)
    assert torch.allclose(found.direction.square().mean(-1), torch.ones(5).double(), atol=1e-9)


def test_a_code_of_equal_numbers_has_no_direction_and_no_nan():
    found = codes.parts(torch.full((2, 4), 3.0))
    assert found.direction.abs().sum() == 0
    assert found.deviation.tolist() == [0, 0]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_the_smallest_codes_have_a_direction_too(kind):
    e = torch.tensor([-1.0, 1.0, 3.0, -3.0], dtype=kind)
    wanted = codes.parts(e).direction
    assert torch.allclose(codes.parts(1e-15 * e).direction, wanted, atol=1e-5)


@given(st.integers(0, 100), st.integers(3, 20), st.floats(0.1, 9), st.floats(-9, 9))
def test_stretching_and_shifting_leave_rho_and_mirroring_turns_its_sign(seed, n, a, b):
    z, e = pair(seed, n)
    rho = codes.correlation(z, e)
    assert torch.allclose(codes.correlation(z, a * e + b), rho, atol=1e-9)
    assert torch.allclose(codes.correlation(z, b - a * e), -rho, atol=1e-9)


def test_rho_is_numpys():
    z, e = pair(0, 7)
    for one, other, rho in zip(z, e, codes.correlation(z, e), strict=True):
        assert torch.corrcoef(torch.stack([one, other]))[0, 1] == pytest.approx(rho.item())


@given(st.integers(0, 100), st.integers(3, 20))
def test_the_three_demands_are_the_squared_error_and_none_is_negative(seed, n):
    z, e = pair(seed, n)
    found = codes.error_parts(z, e)
    terms = torch.stack([found.average, found.deviation, found.direction])
    assert torch.allclose(terms.sum(0), codes.squared_error(z, e), rtol=1e-10)
    assert terms.min() > -1e-12


@pytest.mark.parametrize("n", [3, 4, 9, 30])
def test_the_density_of_chance_integrates_to_one_and_has_variance_one_over_n_minus_one(n):
    def moment(power, upto):
        def integrand(angle):
            rho = torch.tensor(math.sin(angle), dtype=torch.float64)
            return math.sin(angle) ** power * float(codes.chance_density(rho, n)) * math.cos(angle)

        return quad(integrand, -math.pi / 2, math.asin(upto))[0]

    assert moment(0, 1) == pytest.approx(1, abs=1e-6)
    assert moment(2, 1) == pytest.approx(1 / (n - 1), abs=1e-6)
    below = float(codes.chance_below(torch.tensor(0.3, dtype=torch.float64), n))
    assert moment(0, 0.3) == pytest.approx(below, abs=1e-6)


def test_with_three_numbers_it_is_the_arcsine_law():
    rho = torch.tensor([-0.8, 0.1, 0.6])
    wanted = 0.5 + rho.double().asin() / torch.pi
    assert torch.allclose(codes.chance_below(rho, 3), wanted, atol=1e-7)


def test_bad_codes_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        codes.parts(torch.zeros(3, 1))
    with pytest.raises(ValueError, match="one shape"):
        codes.correlation(torch.zeros(3), torch.zeros(4))
    for law in (codes.chance_below, codes.chance_density):
        with pytest.raises(ValueError, match="at least 3"):
            law(torch.zeros(1), 2)
