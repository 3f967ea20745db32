"""Packed weights: what is kept of them, and what is refused."""

from __future__ import annotations

import base64

import pytest
import torch

from genbook.kit.machine import trace
from genbook.kit.machine.parts import Act, Group, Machine, Twin
from genbook.kit.machine.weights import pack, rounded, unpack

SHAPES = [(5, 7), (7,), (), (3, 2, 2, 2), (1, 1), (0, 4), (4, 0)]


def drawn():
    torch.manual_seed(0)
    return [torch.randn(shape) * 10.0 ** (place - 3) for place, shape in enumerate(SHAPES)]


def test_vectors_are_kept_and_a_rows_numbers_are_off_by_half_a_step_at_most():
    for ours, theirs in zip(rounded(drawn()), drawn(), strict=True):
        assert ours.shape == theirs.shape
        if theirs.ndim < 2:
            assert torch.equal(ours, theirs)
        elif theirs.numel():  # of nothing no row has a largest
            step = theirs.flatten(1).abs().amax(1) / 127
            assert ((ours - theirs).flatten(1).abs() <= 0.501 * step[:, None]).all()


def test_packing_what_was_packed_changes_a_number_by_rounding_only():
    once = rounded(drawn())
    for ours, theirs in zip(rounded(once), once, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)


def test_a_row_of_zeros_and_the_largest_and_smallest_of_a_row_stay():
    w = torch.tensor([[0.0, 0.0], [3.0, -3.0], [1e-30, 0.0]])
    torch.testing.assert_close(rounded([w])[0], w, rtol=1e-6, atol=0)


def test_a_weight_takes_a_byte():
    size = len(base64.b64decode(pack([torch.randn(20, 784), torch.randn(20)])))
    assert size == 20 * 784 + 4 * 20 + 4 * 20


@pytest.mark.parametrize(
    "tensor", [torch.tensor([[1.0, torch.nan]]), torch.ones(2, 2).double(), torch.arange(3)]
)
def test_what_is_no_finite_single_precision_is_refused(tensor):
    with pytest.raises(ValueError, match="expected finite numbers of float32 as tensor 0"):
        pack([tensor])


def test_text_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 12 bytes"):
        unpack(pack([torch.ones(3)])[:-4], [(3,)])


def test_a_group_begins_with_packed_weights_and_draws_none():
    tensors = [torch.randn(3, 4), torch.randn(4)]
    program = trace(lambda w, b, x: w[0] + b * x[0], *tensors, torch.zeros(1))
    machine = Machine(
        name="still",
        groups={"weights": Group.trained(tensors)},
        acts=(),
        view=Act({"": program}, ("weights", "data"), ("out",)),
        controls=(),
        data={"one": torch.ones(1)},
        most=1,
        panels=(),
        words="",
    )
    twin = Twin(machine, 1, {}, torch.ones(1))
    for held, ours in zip(twin.state["weights"], rounded(tensors), strict=True):
        assert torch.equal(held, ours)
    assert not machine.random
    twin.look()
    assert torch.equal(twin.targets["out"], rounded(tensors)[0][0] + tensors[1])
