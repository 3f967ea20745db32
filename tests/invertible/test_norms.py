"""Laws of `genbook.invertible.norms`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from invertible.given import normal, seeded

from genbook.collapse.critics import spectral_norm
from genbook.invertible import norms

FEW = settings(max_examples=20, deadline=None)


@FEW
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_estimates_rise_to_the_norm_and_follow_their_formula(rows, columns, seed):
    weight, start = norms.cold_start(rows, columns, [seed])
    _, values, right = torch.linalg.svd(weight, full_matrices=False)
    seen = norms.estimates(weight, start, 30)
    parts = (right @ start[..., None])[..., 0]
    torch.testing.assert_close(
        seen, norms.expected_estimates(values, parts, 30), rtol=1e-9, atol=1e-12
    )
    assert (seen.diff(dim=0) >= -1e-12).all()
    assert (seen <= values[:, 0] + 1e-12).all()


def test_the_gap_closes_at_the_rate_of_the_second_singular_value():
    weight = torch.diag(torch.tensor([1.0, 0.5], dtype=torch.float64))[None]
    start = torch.tensor([[1.0, 3.0]], dtype=torch.float64)
    gaps = 1 - norms.estimates(weight, start, 8)[:, 0].square()
    torch.testing.assert_close(gaps[6] / gaps[5], torch.tensor(1 / 16).double(), rtol=1e-2, atol=0)
    steps = torch.arange(1, 9)
    assert (gaps <= 9 * 0.5 ** (4.0 * steps - 2)).all()  # tan²θ (σ₂/σ₁)^(4k−2)


def test_a_start_at_right_angles_never_finds_the_norm():
    weight = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))[None]
    start = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert norms.estimates(weight, start, 50)[-1].item() == 1


def test_the_vector_that_training_keeps_makes_up_for_single_steps():
    weight, start = norms.cold_start(8, 8, [0])
    u = start[..., None] / start.norm()
    for _ in range(200):
        sigma, u = spectral_norm(weight, u)
    torch.testing.assert_close(sigma[0, 0, 0], torch.linalg.matrix_norm(weight[0], 2))


@FEW
@given(st.integers(1, 3), st.integers(1, 3), st.sampled_from([1, 3, 5]), st.integers(5, 7))
def test_waves_give_the_norm_of_the_whole_matrix(outputs, inputs, width, side):
    kernel = normal(outputs, inputs, width, width, seed=side)
    true = norms.convolution_norm(kernel, side, side)
    written = torch.linalg.matrix_norm(norms.as_matrix(kernel, side, side), 2)
    torch.testing.assert_close(true, written)
    flat = norms.reshaped_norm(kernel)
    assert flat <= true + 1e-9
    assert true <= width * flat + 1e-9


@pytest.mark.parametrize("width", [3, 5, 7])
def test_ones_are_as_long_as_the_bound_allows(width):
    ones = torch.ones(1, 1, width, width, dtype=torch.float64)
    ratio = norms.convolution_norm(ones, 9, 9) / norms.reshaped_norm(ones)
    assert ratio.item() == pytest.approx(width)


def test_an_oblong_image_and_a_single_pixel():
    kernel = normal(2, 1, 3, 5)
    written = torch.linalg.matrix_norm(norms.as_matrix(kernel, 4, 6), 2)
    torch.testing.assert_close(norms.convolution_norm(kernel, 4, 6), written)
    one = normal(3, 2, 1, 1)
    torch.testing.assert_close(norms.convolution_norm(one, 4, 4), norms.reshaped_norm(one))


def test_the_whole_matrix_times_an_image_is_the_convolution():
    kernel, images = normal(2, 3, 3, 5), normal(4, 3, 4, 6, seed=1)
    whole = norms.as_matrix(kernel, 4, 6)
    assert whole.shape == (2 * 24, 3 * 24)
    by_matrix = images.flatten(1) @ whole.mT
    torch.testing.assert_close(by_matrix, norms.convolve(images, kernel).flatten(1))


def test_cold_starts_are_gaussian_and_their_own():
    weight, start = norms.cold_start(400, 50, range(3))
    assert weight.std(dim=(1, 2)).tolist() == pytest.approx([1 / 20] * 3, rel=0.05)
    assert start.std(dim=1).tolist() == pytest.approx([1] * 3, rel=0.4)
    rows = torch.cat([20 * weight, start[:, None]], 1).flatten(0, 1)
    assert rows.unique(dim=0).shape == rows.shape  # no row twice


def test_a_convolution_on_a_torus_commutes_with_a_shift():
    kernel, image = normal(1, 1, 3, 3), normal(1, 1, 6, 6, seed=1)
    moved = norms.convolve(image.roll((2, 1), (2, 3)), kernel)
    torch.testing.assert_close(moved, norms.convolve(image, kernel).roll((2, 1), (2, 3)))


def test_steepest_is_the_norm_of_the_jacobian():
    stack = norms.normed([3, 5, 4, 2], seeded())
    point = normal(1, 3, seed=3)

    def net(x):
        for weight in stack[:-1]:
            x = (x @ weight).relu()
        return x @ stack[-1]

    jacobian = torch.autograd.functional.jacobian(lambda x: net(x)[0], point)[:, 0]
    torch.testing.assert_close(
        norms.steepest(stack, point)[0], torch.linalg.matrix_norm(jacobian, 2)
    )


@FEW
@given(st.floats(0.1, 3), st.floats(0.1, 3))
def test_a_long_layer_is_shortened_and_a_short_one_is_let_be(sigma, c):
    weight = torch.tensor([[sigma]], dtype=torch.float64)
    short = norms.shortened(weight, weight[0, 0], c)
    assert short.item() == pytest.approx(min(sigma, c))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: norms.estimates(torch.ones(1, 2, 2), torch.ones(1, 3), 1), "got \\[1, 2, 2\\]"),
        (lambda: norms.estimates(torch.ones(1, 2, 2), torch.ones(1, 2), 0), "at least one step"),
        (lambda: norms.shortened(torch.ones(1, 1), torch.tensor(1.0), 0.0), "c > 0, got 0.0"),
        (lambda: norms.reshaped_norm(torch.ones(3, 3)), "expected a kernel"),
        (lambda: norms.convolution_norm(torch.ones(1, 1, 3, 3), 2, 5), "no smaller"),
        (lambda: norms.convolve(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 3)), "odd sides"),
        (lambda: norms.steepest([], torch.ones(1, 1)), "at least one layer"),
        (lambda: norms.normed([3], seeded()), "two sizes"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
