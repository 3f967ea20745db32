"""Laws of `genbook.vae.checks`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.vae import checks
from tests.vae.given import quick


@quick
@given(st.integers(0, 200), st.integers(1, 50))
def test_portions_are_as_few_as_can_be_and_add_up(total, largest):
    parts = checks.portions(total, largest)
    assert sum(parts) == total
    assert len(parts) == -(-total // largest)
    assert all(0 < part <= largest for part in parts)


def test_noise_has_the_type_of_its_model_and_comes_from_its_generator():
    like = torch.zeros(1, dtype=torch.float64)
    first, again, other = (checks.noise_of((3, 2), seeded(seed), like=like) for seed in (0, 0, 1))
    assert first.shape == (3, 2)
    assert first.dtype == torch.float64
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: checks.check_grey(torch.tensor([1.5])),
        lambda: checks.check_grey(torch.tensor([-0.1])),
        lambda: checks.check_grey(torch.tensor([torch.nan])),
        lambda: checks.check_grey(torch.zeros(0)),
        lambda: checks.check_last_axis("z", torch.zeros(2, 3), 2),
        lambda: checks.check_last_axis("z", torch.tensor(1.0), 1),
        lambda: checks.check_matrix("x", torch.zeros(2, 1, 3)),
    ],
)
def test_bad_input_is_explained(wrong):
    with pytest.raises(ValueError, match="expected"):
        wrong()


def test_good_input_passes():
    checks.check_grey(torch.tensor([0.0, 1.0]))
    checks.check_last_axis("z", torch.zeros(2, 3), 3)
    checks.check_matrix("x", torch.zeros(2, 3))
