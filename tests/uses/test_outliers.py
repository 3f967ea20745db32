"""Likelihood and outliers: the identity, the order of costs, and what strangers are."""

from __future__ import annotations

import math
import zlib

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipys

from genbook.kit.device import seeded
from genbook.uses import outliers


def two(seed: int, size: int) -> torch.Tensor:
    p = torch.rand(2, size, generator=seeded(seed), dtype=torch.float64) + 0.01
    return p / p.sum(1, keepdim=True)


@given(st.integers(0, 200), st.integers(2, 9))
def test_the_mean_score_is_minus_entropy_minus_divergence(seed, size):
    p, q = two(seed, size)
    parts = -outliers.entropy(p) - outliers.divergence(p, q)
    assert outliers.mean_score(p, q).item() == pytest.approx(parts.item(), abs=1e-12)
    assert outliers.entropy(p).item() == pytest.approx(scipys(p.numpy()))
    assert outliers.divergence(p, q).item() == pytest.approx(scipys(p.numpy(), q.numpy()))


def test_what_a_model_lacks_costs_infinitely_much():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
    assert outliers.divergence(p, q) == math.inf
    assert outliers.mean_score(p, q) == -math.inf


def test_detected_counts_pairs_in_the_right_order():
    inside, outside = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([2.0, 3.0, 0.0])
    pairs = [(b > a) + 0.5 * (b == a) for a in inside for b in outside]
    assert outliers.detected(inside, outside) == pytest.approx(float(sum(pairs)) / 9)


def test_a_length_is_zlibs_and_bits_lie_row_after_row():
    page = torch.zeros(1, 2, 8)
    page[0, 0, 0] = 1
    wanted = 8 * math.log(2) * len(zlib.compress(bytes([128, 0]), 9))
    assert outliers.compressed(page).tolist() == [pytest.approx(wanted)]


def test_strangers_are_what_their_names_say():
    images = torch.bernoulli(torch.full((6, 8, 8), 0.4), generator=seeded(0))
    found = outliers.strangers(images, seeded(1))
    assert found["one dot"].sum((1, 2)).tolist() == [1] * 6
    assert torch.equal(found["mirrored"][..., 0], images[..., 7])
    assert torch.equal(found["inverted"] + images, torch.ones(6, 8, 8))
    assert not found["half size"][:, :2].any()
    assert not found["half size"][:, :, 6:].any()
    block = images[0, :2, :2].mean() > 0.49
    assert found["half size"][0, 2, 2] == float(block)
    assert abs(found["noise"].mean() - images.mean()) < 0.12


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="even"):
        outliers.strangers(torch.zeros(1, 7, 8), seeded(0))
    with pytest.raises(ValueError, match=r"\[N, H, W\]"):
        outliers.compressed(torch.zeros(2, 2))


def test_half_a_block_of_ink_is_ink_and_a_quarter_is_none():
    image = torch.zeros(1, 4, 4)
    image[0, 0, :2] = 1
    image[0, 3, 3] = 1
    assert outliers.strangers(image, seeded(0))["half size"].nonzero().tolist() == [[0, 1, 1]]


def test_noise_has_each_images_own_share_of_ink():
    images = torch.stack([torch.zeros(20, 20), torch.ones(20, 20), torch.zeros(20, 20)])
    images[2, :10] = 1
    noise = outliers.strangers(images, seeded(0))["noise"]
    assert noise.mean((1, 2))[:2].tolist() == [0, 1]
    assert abs(noise[2].mean() - 0.5) < 0.13
    assert abs(noise[2, :10].mean() - 0.5) < 0.18
