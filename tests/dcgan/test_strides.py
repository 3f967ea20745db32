"""Strided convolutions and their transposes, against matrices and against counting by hand."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.dcgan import strides
from genbook.invertible.norms import reshaped_norm
from genbook.kit.device import seeded


def drawn(seed, *shape):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


@pytest.mark.parametrize(("k", "stride", "padding"), [(4, 2, 1), (5, 2, 2), (3, 3, 0), (2, 1, 1)])
def test_the_matrix_of_stamping_is_that_of_reading_transposed(k, stride, padding):
    kernel = drawn(0, 3, 2, k, k)
    matrix = strides.as_matrix(kernel, 7, 6, stride, padding)
    x = drawn(1, 1, 2, 7, 6)
    read = strides.down(x, kernel, stride, padding)
    torch.testing.assert_close(read.flatten(), matrix @ x.flatten())
    y = drawn(2, *read.shape)
    rests = [
        n + 2 * padding - k - (m - 1) * stride for n, m in zip((7, 6), read.shape[2:], strict=True)
    ]
    stamped = torch.nn.functional.conv_transpose2d(
        y, kernel, stride=stride, padding=padding, output_padding=rests
    )
    torch.testing.assert_close(stamped.flatten(), matrix.T @ y.flatten())
    if rests[0] == rests[1]:
        torch.testing.assert_close(strides.up(y, kernel, stride, padding, rests[0]), stamped)


def test_the_example_of_the_page():
    kernel = torch.tensor([1.0, 2.0, 3.0]).view(1, 1, 1, 3)
    x = torch.tensor([1.0, 10.0, 100.0, 1000.0, 10000.0]).view(1, 1, 1, 5)
    assert strides.down(x, kernel, 2).flatten().tolist() == [321.0, 32100.0]
    y = torch.tensor([1.0, 10.0]).view(1, 1, 1, 2)
    assert strides.up(y, kernel, 2).flatten().tolist() == [1, 2, 13, 20, 30]


@pytest.mark.parametrize("n", [1, 3, 6])
@pytest.mark.parametrize(("k", "stride", "padding"), [(4, 2, 1), (5, 2, 2), (1, 3, 0), (7, 3, 2)])
def test_counts_are_what_stamping_ones_gives(n, k, stride, padding):
    if (n - 1) * stride + k - 2 * padding < 1:
        pytest.skip("nothing is left")
    ones = torch.ones(1, 1, n, n)
    stamped = strides.up(ones, torch.ones(1, 1, k, k), stride, padding)[0, 0]
    counts = strides.overlaps(n, k, stride, padding)
    assert torch.equal(torch.outer(counts, counts).float(), stamped)


@pytest.mark.parametrize(
    "bad", [(0, 3, 2, 0), (3, 0, 2, 0), (3, 3, 0, 0), (3, 3, 1, -1), (1, 2, 1, 1)]
)
def test_impossible_counts_are_refused(bad):
    with pytest.raises(ValueError, match="something left"):
        strides.overlaps(*bad)


@pytest.mark.parametrize(("k", "stride", "padding"), [(4, 2, 1), (5, 2, 2), (3, 1, 1), (5, 3, 0)])
def test_no_kernel_stretches_more_than_its_overlaps_allow(k, stride, padding):
    most = math.ceil(k / stride) ** 2
    for seed in range(5):
        kernel = drawn(seed, 4, 2, k, k)
        found = torch.linalg.matrix_norm(strides.as_matrix(kernel, 9, 9, stride, padding), 2)
        assert found <= math.sqrt(most) * reshaped_norm(kernel) * (1 + 1e-12)


def test_without_overlap_both_norms_agree():
    kernel = drawn(3, 4, 2, 2, 2)
    found = torch.linalg.matrix_norm(strides.as_matrix(kernel, 8, 8, 2), 2)
    torch.testing.assert_close(found, reshaped_norm(kernel))


def test_a_board_is_found_whatever_its_strength_and_noise_has_its_expected_share():
    board = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(1, 4, 4)
    assert strides.checkerboard(3 + 0.01 * board).item() == pytest.approx(1, abs=1e-3)
    stripes = torch.arange(8.0)[:, None].expand(8, 8)[None] % 2
    assert strides.checkerboard(stripes).item() == pytest.approx(1)
    noise = torch.randn(4_000, 8, 8, generator=seeded(0))
    assert strides.checkerboard(noise).mean().item() == pytest.approx(3 / 63, rel=0.05)
    halves = torch.zeros(1, 8, 8)
    halves[:, :4] = 1
    assert strides.checkerboard(halves).item() == 0


def test_odd_sides_have_no_board():
    with pytest.raises(ValueError, match="even sides"):
        strides.checkerboard(torch.zeros(1, 7, 8))
