"""Laws of `genbook.invertible.levels`."""

from __future__ import annotations

import math

import pytest
import torch
from invertible.given import seeded

from genbook.invertible import levels


def test_noise_stays_within_its_level():
    grey = torch.arange(17.0) / 16
    noisy = levels.dequantise(grey.repeat(200, 1), 17, seeded())
    assert torch.equal((noisy * 17).floor(), torch.arange(17.0).expand(200, 17))
    assert noisy.mean().item() == pytest.approx(0.5, abs=0.01)


def test_bits_of_the_true_histogram_are_its_entropy():
    """A density that is flat on each level costs what the levels' distribution costs."""
    p = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    draws = torch.multinomial(p, 60_000, True, generator=seeded())
    noisy = levels.dequantise(draws.double() / 2, 3, seeded(1))
    density = 3 * p[(3 * noisy).floor().long()]
    assert levels.bits(density.log(), 3, 1) == pytest.approx(1.5, abs=0.01)
    assert levels.bits(torch.zeros(4), 256, 9) == 8


def test_the_scales_volume_is_the_slope_of_the_scales():
    x = torch.rand(40, 3, generator=seeded(), dtype=torch.float64)
    scales = levels.Scales.of(x)
    y, volume = scales(x)
    assert y.mean(0).abs().max() < 1e-12
    torch.testing.assert_close(y.std(0), torch.ones(3).double())
    slopes = torch.stack(
        [
            torch.autograd.functional.jacobian(lambda row: scales(row[None])[0][0], row)
            for row in x[:5]
        ]
    )
    torch.testing.assert_close(volume[:5], torch.linalg.slogdet(slopes).logabsdet)


def test_the_logit_keeps_a_twentieth_from_either_end():
    flat = levels.Scales(torch.zeros(1), torch.ones(1))
    ends = flat(torch.tensor([[0.0], [1.0]]))[0].flatten().tolist()
    assert ends == pytest.approx([-math.log(19), math.log(19)], rel=1e-5)


def test_a_table_of_pixels_costs_the_entropy_of_each():
    images = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    assert levels.pixel_table(images, images, 2, extra=1e-9) == pytest.approx(0.5)
    fewer = torch.tensor([[0.0], [0.5], [0.5]])  # of three levels, the last never seen
    unseen = levels.pixel_table(fewer, torch.tensor([[1.0]]), 3, extra=0.5)
    assert unseen == pytest.approx(-math.log2(0.5 / (3 + 3 * 0.5)))
    surprise = levels.pixel_table(images, 1 - images, 2, extra=0.1)
    assert surprise == pytest.approx((1 - math.log2(0.1 / 2.2)) / 2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: levels.dequantise(torch.zeros(2), 1, seeded()), "two levels, got 1"),
        (lambda: levels.bits(torch.zeros(2), 1, 3), "two levels"),
        (lambda: levels.bits(torch.zeros(2), 2, 0), "one dimension"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
