r"""Likelihood as a detector of outliers: why it fails, and a correction by compression."""

from __future__ import annotations

import math
import zlib

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor


def entropy(p: Tensor) -> Tensor:
    r"""The entropy of a distribution, nats.

    .. math:: H(p)=-\sum_x p(x)\log p(x),\qquad 0\log0=0

    Args:
        p: probabilities, **[K]**.

    Returns:
        A scalar.

    Example:
        >>> round(entropy(torch.tensor([0.5, 0.5, 0.0])).item(), 6)
        0.693147
    """
    return -torch.special.xlogy(p, p).sum()


def divergence(p: Tensor, q: Tensor) -> Tensor:
    r"""The Kullback–Leibler divergence, nats.

    .. math:: \mathrm{KL}(p\|q)=\sum_x p(x)\log\frac{p(x)}{q(x)}

    Args:
        p: probabilities, **[K]**.
        q: probabilities, **[K]**.

    Returns:
        A scalar; infinite where q lacks what p has.

    Example:
        >>> divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.75])).exp().item()
        4.0
    """
    kept = p > 0
    return (p[kept] * (p[kept] / q[kept]).log()).sum()


def mean_score(p: Tensor, q: Tensor) -> Tensor:
    r"""What a model gives to the points of another distribution, on average, nats.

    .. math:: \mathbb E_{p}\log q=-H(p)-\mathrm{KL}(p\|q)

    Args:
        p: where the points come from, **[K]**.
        q: the model, **[K]**.

    Returns:
        A scalar.

    Source:
        Caterini and Loaiza-Ganem (2021).

    Example:
        >>> mean_score(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0])).item()
        0.0
    """
    return torch.special.xlogy(p, q).sum()


def compressed(images: Tensor) -> Tensor:
    r"""The length of each image as zlib writes it, in nats.

    The bits of an image are packed to bytes, row after row, before they are compressed.

    Args:
        images: 0 or 1, **[N, H, W]**.

    Returns:
        **[N]**, double precision: bytes times :math:`8\log 2`.

    Raises:
        ValueError: if the shape is another.

    Source:
        Serrà et al. (2020) subtract such a length from a model's.

    Example:
        >>> noise = torch.rand(2, 28, 28, generator=torch.Generator().manual_seed(0)).round()
        >>> noise[0] = 0
        >>> blank, busy = compressed(noise).tolist()
        >>> blank < busy
        True
    """
    if images.ndim != 3:
        raise ValueError(f"expected images [N, H, W], got {list(images.shape)}")
    rows = np.packbits(images.cpu().numpy().astype(bool).reshape(len(images), -1), axis=1)
    lengths = [len(zlib.compress(row.tobytes(), 9)) for row in rows]
    return torch.tensor(lengths, dtype=torch.float64) * 8 * math.log(2)


def detected(inside: Tensor, outside: Tensor) -> float:
    r"""How often an outlier costs more than an image of the data (the area under the ROC).

    Args:
        inside: costs of data, **[N]**.
        outside: costs of outliers, **[M]**.

    Returns:
        From 0 to 1; ½ for a blind detector, 0 for one that takes every outlier for the better
        datum. Ties count half.

    Example:
        >>> detected(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 1.5]))
        0.75
    """
    costs = torch.cat([inside, outside]).cpu().numpy()
    truth = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    return float(roc_auc_score(truth, costs))


def strangers(images: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    r"""Images that are no digits, or not these, made of digits; black and white.

    Args:
        images: 0 or 1, **[N, H, W]**, H and W even.
        generator: of noise and places.

    Returns:
        By name: blank pages with one dot, digits at half size, mirrored, with inverted ink, noise
        of the digits' own share of ink; **[N, H, W]** each.

    Raises:
        ValueError: if a side is odd.
    """
    count, height, width = images.shape
    if height % 2 or width % 2:
        raise ValueError(f"expected even sides, got {height} × {width}")
    dots = torch.zeros_like(images)
    source = generator.device
    place = torch.randint(height * width, (count,), generator=generator, device=source)
    dots.view(count, -1)[torch.arange(count, device=images.device), place.to(images.device)] = 1
    small = torch.zeros_like(images)
    top, left = height // 4, width // 4
    halves = images.reshape(count, height // 2, 2, width // 2, 2).mean((2, 4))
    small[:, top : top + height // 2, left : left + width // 2] = (halves > 0.49).to(images)
    share = torch.rand(images.shape, generator=generator, device=source).to(images.device)
    return {
        "one dot": dots,
        "half size": small,
        "mirrored": images.flip(-1),
        "inverted": 1 - images,
        "noise": (share < images.mean((1, 2), keepdim=True)).to(images),
    }
