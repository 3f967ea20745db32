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
    exact = "donot_use_mm_for_euclid_dist"
    found = [
        torch.cdist(part, others).kthvalue(place, dim=1).values
        if place > 1
        else torch.cdist(part, others).argmin(1)
        for part in points.split(CHUNK)
    ]
    if place > 1:
        return torch.cat(found)
    closest = torch.cat(found)
    return torch.cdist(points[:, None], others[closest][:, None], compute_mode=exact)[:, 0, 0]


def copied(samples: Tensor, train: Tensor, test: Tensor, share: float = 0.01) -> float:
    r"""How many samples lie nearer to a training image than nearly all real new images do.

    The yardstick is the distance within which only a ``share`` of *test* images have a training
    image. Honest samples of the data pass it as often as test images, a copier always.

    Args:
        samples: **[N, d]**.
        train: images that were learned from, **[M, d]**.
        test: images that were not, **[K, d]**.
        share: of test images that count as near.

    Returns:
        A share of the samples.

    Raises:
        ValueError: if the share is not in (0, 1).

    Example:
        >>> train, test = torch.zeros(1, 1), torch.arange(1.0, 101)[:, None]
        >>> copied(torch.tensor([[0.0], [50.0]]), train, test)
        0.5
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share in (0, 1), got {share}")
    edge = torch.quantile(nearest(test, train), share)
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
    r"""Precision and recall: a point is among a cloud if it is as near to one of its points as that
    point's k-th neighbour is.

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
