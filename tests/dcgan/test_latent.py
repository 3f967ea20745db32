"""Walks and sums of codes, against exact variances and geometry."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.dcgan import latent
from genbook.kit.device import seeded


def pairs():
    return torch.randn(2, 20, 5, generator=seeded(0)).double()


def test_both_ways_begin_and_end_at_the_codes():
    a, b = pairs()
    for way in (latent.line, latent.arc):
        torch.testing.assert_close(way(a, b, 0.0), a)
        torch.testing.assert_close(way(a, b, 1.0), b)


def test_an_arc_keeps_the_length_and_goes_at_an_even_pace():
    a, b = (x / x.norm(dim=1, keepdim=True) for x in pairs())
    angle = (a * b).sum(1).acos()
    for t in (0.2, 0.5, 0.9):
        there = latent.arc(a, b, t)
        torch.testing.assert_close(there.norm(dim=1), torch.ones(20).double())
        torch.testing.assert_close((a * there).sum(1).acos(), t * angle)


def test_an_arc_between_codes_of_one_direction_is_the_line():
    a = torch.tensor([[1.0, 2.0]])
    torch.testing.assert_close(latent.arc(a, 3 * a, 0.5), 2 * a)


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_the_variance_of_a_sum(k):
    z = torch.randn(3, 60_000, k, generator=seeded(k))
    found = latent.arithmetic(*z[..., None]).var().item()
    assert found == pytest.approx(latent.spread_of_sum(k), rel=0.03)


def test_no_exemplars_no_sum():
    with pytest.raises(ValueError, match="at least one"):
        latent.spread_of_sum(0)


def test_slant_of_a_sheared_bar():
    rows = torch.arange(8.0)
    for lean in (-0.5, 0.0, 0.25, 0.5):
        centre = 4 - lean * (rows - 3.5)
        columns = torch.arange(9.0)
        image = (1 - (columns - centre[:, None]).abs()).clamp(min=0)[None]
        assert latent.slant(image).item() == pytest.approx(lean, abs=1e-5)
        assert latent.slant(3 * image).item() == pytest.approx(lean, abs=1e-5)
        assert latent.slant(image.flip(2)).item() == pytest.approx(-lean, abs=1e-5)


def test_ink_is_the_mean():
    assert latent.ink(torch.tensor([[[0.0, 1.0]], [[1.0, 1.0]]])).tolist() == [0.5, 1.0]
    assert math.isclose(latent.ink(torch.full((1, 3, 3), 0.25)).item(), 0.25)
