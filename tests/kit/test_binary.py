"""Laws of `genbook.kit.data.binary`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit import data
from genbook.kit.device import seeded


def test_binarised_pixels_are_coins_with_the_grey_value_as_bias():
    grey = torch.tensor([0.0, 0.25, 1.0])
    coins = data.binarise(grey.expand(40_000, 3), "stochastic", seeded(0))
    assert set(coins.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(coins.mean(0), grey, atol=0.01, rtol=0)


def test_fixed_binarisation_is_one_draw_and_threshold_none():
    grey = torch.rand(50, generator=seeded(0))
    assert torch.equal(data.binarise(grey, "fixed"), data.binarise(grey, "fixed"))
    assert torch.equal(data.binarise(grey, "threshold"), (grey > 0.5).float())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.binarise(torch.ones(2), "half"), "kind out of"),
        (lambda: data.binarise(2 * torch.ones(2), "threshold"), r"in \[0, 1\]"),
        (lambda: data.binarise(torch.tensor([2.0]), "stochastic", seeded(0)), "divide bytes"),
        (lambda: data.binarise(torch.ones(2), "stochastic"), "generator"),
    ],
)
def test_bad_input_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
