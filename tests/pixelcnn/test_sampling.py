"""Laws of `genbook.pixelcnn.sampling`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.pixelcnn import (
    sampling,
)
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from tests.pixelcnn.given import any_net_of


def test_the_largest_noisy_logit_is_a_draw_from_the_softmax():
    share = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    uniform = torch.rand(30_000, 3, generator=seeded(0), dtype=torch.float64)
    levels = sampling.pick_level(share.log().expand(30_000, 3), -torch.log(-torch.log(uniform)))
    counts = torch.bincount(levels, minlength=3)
    chi2 = ((counts - 30_000 * share) ** 2 / (30_000 * share)).sum()
    assert chi2 < 13.8  # the 0.1 % point with 2 degrees of freedom


def test_a_constant_added_to_the_logits_changes_no_draw():
    logits, noise = torch.randn(50, 4, generator=seeded(0)), torch.randn(50, 4)
    assert torch.equal(sampling.pick_level(logits, noise), sampling.pick_level(logits + 2.0, noise))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: sampling.sample(any_net_of(PixelCNN), 0, (3, 3), seeded(0)), "count"),
        (
            lambda: sampling.sample(
                any_net_of(PixelCNN), 1, (3, 3), seeded(0), known=torch.ones(3, 3).bool()
            ),
            "together",
        ),
        (
            lambda: sampling.sample(
                any_net_of(PixelCNN),
                1,
                (3, 3),
                seeded(0),
                start=torch.ones(1, 1, 3, 3),
                known=torch.ones(2, 3).bool(),
            ),
            "expected start",
        ),
        (
            lambda: sampling.sample(any_net_of(GatedPixelCNN, classes=2), 1, (3, 3), seeded(0)),
            "labels",
        ),
    ],
)
def test_bad_input_is_refused_with_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
