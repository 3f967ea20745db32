r"""A judge of fake images: the Fréchet distance in the features of a small classifier.

It has seen labelled images and no fakes, so that games with different losses can be compared by a
measure that none of them trains on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from genbook.games.classifier import fit_classifier
from genbook.games.play import Adam
from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.seeds import Streams, mlp

FEATURES = 32
"""How many features the judge compares."""


@dataclass(frozen=True)
class Moments:
    r"""Mean and covariance of a cloud of features.

    Args:
        mean: **[..., d]**.
        covariance: **[..., d, d]**.
    """

    mean: Tensor
    covariance: Tensor


def moments(features: Tensor) -> Moments:
    r"""Mean and covariance of samples.

    Args:
        features: **[..., n, d]** with n ≥ 2.

    Returns:
        In double precision.

    Raises:
        ValueError: if there are fewer than two samples.

    Example:
        >>> moments(torch.tensor([[0.0], [2.0]])).covariance.item()
        2.0
    """
    if features.ndim < 2 or features.shape[-2] < 2:
        raise ValueError(f"expected features [..., n, d], n ≥ 2, got {list(features.shape)}")
    points = features.double()
    mean = points.mean(-2)
    centred = points - mean.unsqueeze(-2)
    return Moments(mean, centred.mT @ centred / (points.shape[-2] - 1))


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt().unsqueeze(-2)) @ vectors.mT


def frechet(a: Moments, b: Moments) -> Tensor:
    r"""The squared 2-Wasserstein distance of two Gaussians.

    .. math:: \|m_a-m_b\|^2+\mathrm{tr}\big(C_a+C_b-2(C_a^{1/2}C_bC_a^{1/2})^{1/2}\big)

    Args:
        a: shape ``[...]``.
        b: broadcast against it.

    Returns:
        Shape ``[...]``, never negative.

    Source:
        Dowson and Landau (1982); of classifier features: Heusel et al. (2017).

    Example:
        >>> a, b = moments(torch.tensor([[0.0], [2.0]])), moments(torch.tensor([[3.0], [5.0]]))
        >>> frechet(a, b).item()
        9.0
    """
    root = _root(a.covariance)
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp_min(0).sqrt().sum(-1)
    spread = (a.covariance + b.covariance).diagonal(dim1=-2, dim2=-1).sum(-1) - 2 * cross
    return ((a.mean - b.mean).square().sum(-1) + spread).clamp_min(0)


@dataclass(frozen=True)
class Judge:
    r"""A classifier whose features tell how far fakes are from test images.

    Args:
        features: from images **[..., d]** to features.
        reference: moments of the test images.
        floor: distance of one half of the test images from the other.
        accuracy: of the classifier on the test images.
    """

    features: Callable[[Tensor], Tensor]
    reference: Moments
    floor: float
    accuracy: float

    def distance(self, fakes: Tensor) -> Tensor:
        r"""The Fréchet distance of fakes **[..., n, d]** from the test images, ``[...]``."""
        with torch.no_grad():
            return frechet(moments(self.features(fakes)), self.reference)


def train_judge(
    train: data.ImageSet, test: data.ImageSet, *, steps: int = 2_000, seed: int = 0
) -> Judge:
    r"""Train the judge on labelled images.

    Args:
        train: images and labels to learn from.
        test: images and labels to judge by.
        steps: of Adam, 128 images each.
        seed: of weights and batches.

    Returns:
        The judge.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> images = data.digits("train")
        >>> 0 <= train_judge(images, images, steps=1).accuracy <= 1
        True
    """
    if steps < 1:
        raise ValueError(f"expected at least one step, got {steps}; 2000 suffice for MNIST")
    streams = Streams([seed], device=train.images.device)
    trunk = mlp([train.flat.shape[1], 128, FEATURES], streams, output=nn.ReLU)
    head = mlp([FEATURES, 10], streams)
    both = nn.Sequential(trunk, head)
    optimiser = Adam(1e-3, betas=(0.9, 0.999)).over(both.parameters())
    chosen = (streams.integers(len(train), 128)[0] for _ in range(steps))
    minibatches = ((train.flat[which], train.labels[which]) for which in chosen)
    fit_classifier(lambda x: both(x[None])[0], minibatches, optimiser)
    both.requires_grad_(False)

    def features(x: Tensor) -> Tensor:
        return trunk(x.reshape(1, -1, x.shape[-1])).reshape(*x.shape[:-1], FEATURES)

    order = torch.randperm(len(test), generator=seeded(seed)).to(test.images.device)
    shuffled = features(test.flat)[order]
    halves = [moments(half) for half in shuffled.chunk(2)]
    right = both(test.flat[None])[0].argmax(-1) == test.labels
    return Judge(features, moments(shuffled), float(frechet(*halves)), float(right.float().mean()))


def rank_correlation(a: Tensor, b: Tensor) -> Tensor:
    r"""Spearman's correlation along the last axis: does b rise whenever a does?

    Args:
        a: **[..., n]** with n ≥ 2.
        b: **[..., n]**.

    Returns:
        Shape ``[...]``, in [−1, 1]; NaN for a constant.

    Raises:
        ValueError: if the shapes differ or n < 2.

    Example:
        >>> rank_correlation(torch.tensor([1.0, 2.0, 9.0]), torch.tensor([5.0, 6.0, 7.0])).item()
        1.0
    """
    if a.shape != b.shape or a.shape[-1:] < (2,):
        raise ValueError(
            f"expected two series [..., n] with n ≥ 2, got {list(a.shape)} and {list(b.shape)}"
        )
    pairs = zip(a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1]), strict=True)
    found = [spearmanr(x.cpu().numpy(), y.cpu().numpy()).statistic for x, y in pairs]
    return torch.tensor(found, dtype=torch.float64, device=a.device).reshape(a.shape[:-1])
