r"""Samplers of labelled images, to be judged by what a classifier learns from them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from scipy.stats import norm
from torch import Tensor

from genbook.games.classifier import learn_to_read
from genbook.kit.data import ImageSet
from genbook.ogan.codes import parts
from genbook.ogan.training import Players
from genbook.translation.scores import reader as convolutional_reader
from genbook.translation.scores import share_read
from genbook.uses.labels import Labeller
from genbook.uses.tables import binary

Sampler = Callable[[int, int, torch.Generator], Tensor]
"""From a class, how many, and a generator, to flat images in [0, 1], **[n, P]**."""


@dataclass(frozen=True)
class Cloud:
    r"""A Gaussian for each class, of pixels or of codes.

    Args:
        means: **[K, d]**.
        roots: square roots of the covariances, **[K, d, d]**.
    """

    means: Tensor
    roots: Tensor

    def draw(self, label: int, count: int, spread: float, generator: torch.Generator) -> Tensor:
        r"""Points of one class, its spread times ``spread``, **[count, d]**."""
        noise = torch.randn(
            count, self.means.shape[1], generator=generator, device=self.means.device
        )
        return self.means[label] + spread * noise @ self.roots[label].T


def cloud(points: Tensor, labels: Tensor, classes: int = 10) -> Cloud:
    r"""Mean and covariance of each class.

    Args:
        points: **[N, d]**.
        labels: **[N]**.
        classes: K.

    Returns:
        The clouds, in single precision.

    Raises:
        ValueError: if a class has fewer than two points.

    Example:
        >>> x = torch.tensor([[0.0], [2.0], [5.0], [5.0]])
        >>> found = cloud(x, torch.tensor([0, 0, 1, 1]), 2)
        >>> found.means.flatten().tolist(), found.roots.flatten().tolist()
        ([1.0, 5.0], [1.0, 0.0])
    """
    means, roots = [], []
    for label in range(classes):
        own = points[labels == label].double()
        if len(own) < 2:
            raise ValueError(f"expected two points or more of class {label}, got {len(own)}")
        values, vectors = torch.linalg.eigh(
            torch.cov(own.T, correction=0).reshape(own.shape[1], -1)
        )
        means.append(own.mean(0))
        roots.append(vectors * values.clamp_min(0).sqrt())
    return Cloud(torch.stack(means).float(), torch.stack(roots).float())


def of_pixels(images: ImageSet, spread: float = 1.0) -> Sampler:
    r"""A Gaussian of pixels for each class, cut to [0, 1].

    Args:
        images: with labels.
        spread: what each class's deviations are multiplied by.

    Returns:
        The sampler.
    """
    own = cloud(images.flat, images.labels)
    return lambda label, count, source: own.draw(label, count, spread, source).clamp(0, 1)


def of_tables(labeller: Labeller, size: tuple[int, int]) -> Sampler:
    r"""A table of 256 patterns for each class.

    Args:
        labeller: the tables.
        size: height and width.

    Returns:
        The sampler; its images are black and white.
    """
    return lambda label, count, source: (
        labeller.tables[label].draw(count, size, source).flatten(1).float()
    )


def of_codes(pair: Players, images: ImageSet, spread: float = 1.0) -> Sampler:
    r"""A Gaussian of codes for each class, drawn by a generator.

    Args:
        pair: encodes and draws.
        images: with labels; their codes give the Gaussians.
        spread: what each class's deviations are multiplied by.

    Returns:
        The sampler.
    """
    with torch.no_grad():
        own = cloud(parts(pair.encode(images.flat)).direction, images.labels)

    @torch.no_grad()
    def draw(label: int, count: int, source: torch.Generator) -> Tensor:
        return pair.draw(parts(own.draw(label, count, spread, source)).direction)

    return draw


def cheating(images: ImageSet, share: float) -> Sampler:
    r"""The truth with probability π, and else pages that no digit looks like, under any label.

    Args:
        images: with labels; what is called the truth.
        share: π.

    Returns:
        The sampler; its junk has inverted ink.

    Raises:
        ValueError: if π is not in (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share in (0, 1], got {share}")

    def draw(label: int, count: int, source: torch.Generator) -> Tensor:
        own, every = images.flat[images.labels == label], images.flat
        device = every.device
        true = torch.randint(len(own), (count,), generator=source, device=device)
        junk = torch.randint(len(every), (count,), generator=source, device=device)
        coin = torch.rand(count, generator=source, device=device)[:, None]
        return torch.where(coin < share, own[true], 1 - every[junk])

    return draw


def thresholded(sampler: Sampler) -> Sampler:
    r"""Another sampler's images, ink where they are above ½.

    Args:
        sampler: draws them in [0, 1].

    Returns:
        The sampler; its images are 0 or 1.

    Example:
        >>> grey = thresholded(lambda label, count, source: torch.tensor([[0.2, 0.9]]))
        >>> grey(0, 1, torch.Generator()).tolist()
        [[0.0, 1.0]]
    """
    return lambda label, count, source: binary(sampler(label, count, source))


def drawn(
    sampler: Sampler, count: int, like: ImageSet, generator: torch.Generator, classes: int = 10
) -> ImageSet:
    r"""A set of images with as many of each class.

    Args:
        sampler: draws them.
        count: images of each class.
        like: gives size and name.
        generator: of all that is random.
        classes: K.

    Returns:
        **[K · count]** images.
    """
    made = [sampler(label, count, generator) for label in range(classes)]
    images = torch.cat(made).reshape(-1, *like.size).to(like.images)
    labels = torch.arange(classes, device=images.device).repeat_interleave(count)
    return ImageSet(like.name, images, labels)


def taught(
    images: ImageSet, test: ImageSet, *, steps: int, seed: int, convolutional: bool = False
) -> float:
    r"""The accuracy on real images of a classifier that was taught by others.

    Args:
        images: that teach it.
        test: real images.
        steps: of training, of 128 images each.
        seed: of its weights and order.
        convolutional: two convolutions and a linear layer instead of one hidden layer.

    Returns:
        From 0 to 1: the *classification accuracy score* if the images are a sampler's.

    Source:
        Ravuri and Vinyals (2019).
    """
    if not convolutional:
        return learn_to_read(images, test, steps=steps, seed=seed).accuracy
    network = convolutional_reader(images.images, images.labels, seed=seed, steps=steps)
    return share_read(network, test.images, test.labels)


def tight_classes(apart: float, spread: float) -> tuple[float, float]:
    r"""What a classifier learns from two Gaussian classes whose spread a sampler has shrunk.

    The data are :math:`\mathcal N(\pm\Delta/2,1)`, the samples
    :math:`\mathcal N(\pm\Delta/2,\tau^2)`. The best classifier of the samples has the logit
    :math:`\Delta x/\tau^2`: the border is right at every τ, and its sureness is not.

    Args:
        apart: Δ > 0.
        spread: τ > 0.

    Returns:
        Accuracy on data, :math:`\Phi(\Delta/2)`, and its mean cross-entropy on data, nats.

    Raises:
        ValueError: if a number is not positive.

    Example:
        >>> round(tight_classes(2.0, 0.5)[0], 4)
        0.8413
    """
    if not (apart > 0 and spread > 0):
        raise ValueError(f"expected Δ > 0 and τ > 0, got {apart} and {spread}")
    x = torch.linspace(-12, 12, 24_001, dtype=torch.float64)
    weight = torch.exp(-0.5 * x.square()) / math.sqrt(2 * math.pi)
    loss = torch.nn.functional.softplus(-apart * (x + apart / 2) / spread**2)
    return float(norm.cdf(apart / 2)), float(torch.trapezoid(weight * loss, x))
