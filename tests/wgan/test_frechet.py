"""Laws of `genbook.wgan.frechet`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from scipy.linalg import sqrtm

from genbook.kit import data
from genbook.wgan import frechet
from tests.wgan.given import FEW, any_seed, double


@FEW
@given(seed=any_seed)
def test_frechet_agrees_with_the_matrix_root(seed):
    a, b = (frechet.moments(x) for x in double(seed, seed + 1).normal(30, 4) * 2)
    root = sqrtm((a.covariance @ b.covariance).numpy()).real
    trace = (a.covariance + b.covariance).trace() - 2 * root.trace()
    exact = (a.mean - b.mean).square().sum() + trace
    assert frechet.frechet(a, b).item() == pytest.approx(exact.item(), rel=1e-6)
    assert frechet.frechet(a, a).item() == pytest.approx(0, abs=1e-9)


def test_frechet_of_shifted_and_scaled_clouds():
    x = double(0).normal(50, 3)[0]
    one = frechet.moments(x)
    assert frechet.frechet(one, frechet.moments(x + 2)).item() == pytest.approx(12)
    trace = one.covariance.trace().item()
    scaled = frechet.moments(3 * (x - x.mean(0)) + x.mean(0))
    assert frechet.frechet(one, scaled).item() == pytest.approx(4 * trace)


@FEW
@given(seed=any_seed)
def test_rank_correlation_is_spearmans(seed):
    a, b = double(seed, seed + 1).normal(12)
    gaps = (a.argsort().argsort() - b.argsort().argsort()).square().sum().item()
    exact = 1 - 6 * gaps / (12 * (12**2 - 1))
    assert frechet.rank_correlation(a, b).item() == pytest.approx(exact, abs=1e-12)


def test_the_judge_reads_digits_and_prefers_them_to_noise():
    train, test = data.digits("train"), data.digits("test")
    judge = frechet.train_judge(train, test, steps=300)
    assert judge.accuracy > 0.85
    noise = torch.rand(2, 500, 64, generator=torch.Generator().manual_seed(0))
    assert judge.distance(train.flat) * 10 < judge.distance(noise).min()
