r"""What a battle does not see: is a sample a copy, and is every kind of digit there?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CHUNK = 500


def nearest(points: Tensor, others: Tensor, place: int = 1) -> Tensor:
    r"""The distance of each point to its nearest neighbour, or a farther one, among others.

    Args:
        points: **[N, d]**.
        others: **[M, d]**.
        place: 1 for the nearest, 2 for the next, …

    Returns:
        **[N]**; a point that is among the others is its own nearest.

    Raises:
        ValueError: if the shapes do not fit or there are fewer others than ``place``.

    Example:
        >>> nearest(torch.tensor([[0.0], [5.0]]), torch.tensor([[1.0], [3.0]])).tolist()
        [1.0, 2.0]
    """
    if points.ndim != 2 or others.ndim != 2 or points.shape[1] != others.shape[1]:
        raise ValueError(
            f"expected points [N, d] and others [M, d], got {list(points.shape)} and "
            f"{list(others.shape)}; flatten(1) makes rows of images"
        )
    if not 1 <= place <= len(others):
        raise ValueError(f"expected a place from 1 to {len(others)}, got {place}")
    which = torch.cat(
        [torch.cdist(part, others).kthvalue(place, 1).indices for part in points.split(CHUNK)]
    )
    return (points - others[which]).square().sum(1).sqrt()


def yardstick(test: Tensor, train: Tensor, share: float = 0.01) -> float:
    r"""The distance within which only a share of *test* images have a training image.

    Args:
        test: images that were not learned from, **[K, d]**.
        train: images that were, **[M, d]**.
        share: of test images that count as near.

    Returns:
        A distance.

    Raises:
        ValueError: if the share is not in (0, 1).

    Example:
        >>> yardstick(torch.arange(1.0, 102)[:, None], torch.zeros(1, 1))
        2.0
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share in (0, 1), got {share}")
    return float(torch.quantile(nearest(test, train), share))


def copied(samples: Tensor, train: Tensor, edge: float) -> float:
    r"""How many samples lie nearer to a training image than nearly all real new images do.

    Honest samples of the data pass the yardstick as often as test images, a copier always.

    Args:
        samples: **[N, d]**.
        train: images that were learned from, **[M, d]**.
        edge: of :func:`yardstick`.

    Returns:
        A share of the samples.

    Example:
        >>> copied(torch.tensor([[0.0], [50.0]]), torch.zeros(1, 1), edge=2.0)
        0.5
    """
    return float((nearest(samples, train) < edge).double().mean())


@dataclass(frozen=True)
class Coverage:
    r"""How two clouds overlap.

    Args:
        precision: share of fakes that lie among the real ones.
        recall: share of real ones that lie among the fakes.
    """

    precision: float
    recall: float


def coverage(real: Tensor, fake: Tensor, neighbours: int = 3) -> Coverage:
    r"""Precision and recall of fakes by their neighbours.

    A point counts as inside a cloud if it is as near to one of its points as that point's k-th
    neighbour in the cloud is.

    Args:
        real: features, **[N, d]**.
        fake: features, **[M, d]**.
        neighbours: k, below N and M.

    Returns:
        Both shares.

    Source:
        Kynkäänniemi et al. (2019), *Improved precision and recall metric*.

    Example:
        >>> cloud = torch.arange(10.0)[:, None]
        >>> coverage(cloud, cloud[:5], neighbours=1)
        Coverage(precision=1.0, recall=0.6)
    """

    def inside(points: Tensor, cloud: Tensor) -> float:
        reach = nearest(cloud, cloud, neighbours + 1)
        hits = [(torch.cdist(part, cloud) <= reach).any(1) for part in points.split(CHUNK)]
        return float(torch.cat(hits).double().mean())

    return Coverage(inside(fake, real), inside(real, fake))


class Repeater(nn.Module):
    r"""A generator that has learned nothing: it returns training images.

    Args:
        images: what it repeats, **[N, 1, A, A]**.
        latent: size of z, whose first coordinate picks the image.

    Example:
        >>> images = torch.rand(5, 1, 8, 8)
        >>> made = Repeater(images, 64)(torch.zeros(1, 64))
        >>> bool((made == images[2]).all())
        True
    """

    def __init__(self, images: Tensor, latent: int = 64) -> None:
        super().__init__()
        self.images, self.latent = images, latent

    def forward(self, z: Tensor) -> Tensor:
        """Map **[B, latent]** to **[B, 1, A, A]**."""
        place = (1 + torch.erf(z[:, 0] / math.sqrt(2))) / 2 * len(self.images)
        return self.images[place.long().clamp(max=len(self.images) - 1)]
