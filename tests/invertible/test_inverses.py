"""Laws of `genbook.invertible.inverses`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from invertible.given import normal

from genbook.invertible import inverses, norms

FEW = settings(max_examples=25, deadline=None)


@FEW
@given(st.sampled_from(inverses.KINDS), st.floats(0.05, 0.9), st.integers(0, 50))
def test_below_one_the_way_back_keeps_its_promise(kind, c, seed):
    x = 2 * normal(7, 2, seed=seed)
    stops = inverses.round_trip(inverses.bent(c, kind), x, 40)
    first = (stops[1] - stops[0]).norm(dim=1)
    bound = inverses.error_bound(c, torch.arange(41.0)[:, None].double(), first)
    assert ((stops - x).norm(dim=2) <= bound + 1e-12).all()


@FEW
@given(st.sampled_from(inverses.KINDS), st.floats(0.1, 2))
def test_a_bend_is_exactly_as_long_as_it_says(kind, c):
    jacobian = torch.autograd.functional.jacobian(
        lambda x: inverses.bend(x, c, kind), torch.zeros(2, dtype=torch.float64)
    )
    assert torch.linalg.matrix_norm(jacobian, 2).item() == pytest.approx(c)
    a, b = normal(50, 2), normal(50, 2, seed=1)
    far = (inverses.bend(a, c, kind) - inverses.bend(b, c, kind)).norm(dim=1)
    assert (far <= c * (a - b).norm(dim=1) + 1e-12).all()


@pytest.mark.parametrize("share", [1.0, 0.5, 0.3])
def test_on_a_straight_line_each_step_leaves_the_share_that_theory_says(share):
    """For g(x) = ax the error is multiplied by 1 − s(1 + a)."""
    x, slope = torch.tensor([2.0], dtype=torch.float64), 0.7
    stops = inverses.round_trip(lambda v: slope * v, x, 6, share)
    left = (1 - share * (1 + slope)) ** torch.arange(7, dtype=torch.float64)
    torch.testing.assert_close(stops[:, 0] - x, slope * x * left)


@pytest.mark.parametrize("length", [0.5, 1.5, 2.9])
def test_half_steps_find_what_a_brush_pushed_at_their_rate(length):
    """In the norm √(eᵀKe) the error shrinks by max(1, ‖K‖ − 1) / 2 at least."""
    kernel = length * inverses.soft_brush()
    g, images = inverses.on_images(kernel), 2 * normal(5, 1, 6, 6)
    errors = inverses.round_trip(g, images, 300, share=0.5) - images
    through = norms.convolve(errors.flatten(0, 1), kernel).reshape(errors.shape)
    sizes = (errors * through).flatten(2).sum(2).clamp_min(0).sqrt()
    assert (sizes[1:] <= max(1, length - 1) / 2 * sizes[:-1] + 1e-13).all()
    assert errors[-1].abs().max() < 1e-5


def test_a_brush_never_turns_against_an_image():
    written = norms.as_matrix(inverses.soft_brush(5), 7, 7)
    torch.testing.assert_close(written, written.mT)
    values = torch.linalg.eigvalsh(written)
    assert values.min() >= -1e-12
    assert values.max().item() == pytest.approx(1)


def test_a_straight_line_is_undone_as_the_geometric_series_says():
    stops = inverses.way_back(lambda x: -0.5 * x, torch.tensor([1.0]), 3)
    assert stops.flatten().tolist() == [1.0, 1.5, 1.75, 1.875]


@FEW
@given(st.floats(1.01, 3))
def test_twins_share_their_image(c):
    first, second = inverses.twins(c)
    pair = torch.tensor([first, second], dtype=torch.float64)
    image = pair + inverses.bend(pair, c, "pulls")
    assert image.abs().max() < 1e-12
    assert second > 0.1


def test_a_branch_on_images_is_as_long_as_its_kernel():
    kernel = 0.7 * inverses.soft_brush()
    zero = torch.zeros(1, 1, 6, 6, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(inverses.on_images(kernel), zero)
    length = torch.linalg.matrix_norm(jacobian.reshape(36, 36), 2)
    torch.testing.assert_close(length, norms.convolution_norm(kernel, 6, 6))
    assert length.item() == pytest.approx(0.7)


@pytest.mark.parametrize("width", [1, 3, 5])
def test_a_soft_brush_is_even_and_sums_to_one(width):
    brush = inverses.soft_brush(width)
    assert brush.shape == (1, 1, width, width)
    assert brush.sum().item() == pytest.approx(1)
    torch.testing.assert_close(brush, brush.flip(2).mT)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: inverses.way_back(lambda x: x, torch.ones(1), 0), "at least one step"),
        (lambda: inverses.way_back(lambda x: x, torch.ones(1), 1, 0.0), "in \\(0, 1\\], got 0.0"),
        (lambda: inverses.way_back(lambda x: x, torch.ones(1), 1, 1.5), "in \\(0, 1\\], got 1.5"),
        (lambda: inverses.error_bound(1.0, torch.ones(1), torch.ones(1)), "L < 1, got 1.0"),
        (lambda: inverses.bend(torch.ones(2), 0.5, "waits"), "got 'waits'"),
        (lambda: inverses.twins(1.0), "c > 1, got 1.0"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
