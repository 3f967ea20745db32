r"""Why Parzen windows mislead: models that learn nothing, and a case with a closed form.

The estimate itself is the GAN chapter's, :func:`genbook.games.parzen.parzen_score`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from genbook.games.parzen import cluster_centres, parzen
from genbook.gan.images import Split


def rivals(images: Split, *, centres: int) -> dict[str, Tensor]:
    r"""Samples of models that learned nothing, and of the data themselves.

    Args:
        images: the rows; the training images are what the models may look at.
        centres: how many k-means centres.

    Returns:
        Points by name: training images, which are true samples; as many of them as there are
        centres; the k-means centres; the one average image.

    Example:
        >>> table = torch.rand(40, 4)
        >>> len(rivals(Split(table, table, table), centres=5)["k-means centres"])
        5
    """
    train = images.train
    return {
        "training images": train,
        "as many training images": train[:centres],
        "k-means centres": cluster_centres(train, centres),
        "the mean image": train.mean(0, keepdim=True),
    }


def drowned(log_p: Tensor, log_q: Tensor, share: float = 0.99) -> Tensor:
    r"""Log-density of a model that returns noise most of the time.

    .. math:: \log\big((1-s)\,p(x)+s\,q(x)\big)\ge\log p(x)+\log(1-s)

    Args:
        log_p: of the good model, any shape.
        log_q: of the noise, same shape.
        share: s, in [0, 1).

    Returns:
        Nats; with s = 0.99 at most log 100 = 4.61 below the good model.

    Raises:
        ValueError: if the share is out of range.

    Source:
        Theis, van den Oord and Bethge (2016), section 3.3.

    Example:
        >>> round(drowned(torch.zeros(1), torch.full((1,), -1e9)).item(), 2)
        -4.61
    """
    if not 0 <= share < 1:
        raise ValueError(f"expected a share in [0, 1), got {share}")
    noise = log_q + math.log(share) if share else torch.full_like(log_q, -math.inf)
    return torch.logaddexp(log_p + math.log1p(-share), noise)


def one_point(dimension: int, sigma: float = 1.0) -> float:
    r"""The score of a generator that always returns 0, for data from N(0, I), exactly.

    .. math:: \mathbb E_{x\sim\mathcal N(0,I)}\log\mathcal N(x;0,\sigma^2I)
        =-\tfrac d2\big(\log 2\pi\sigma^2+\sigma^{-2}\big)

    Args:
        dimension: d.
        sigma: width of the window.

    Returns:
        Nats. Largest at σ = 1, where it is minus the entropy of the data.

    Raises:
        ValueError: if a number is not positive.

    Example:
        >>> round(one_point(1), 4)
        -1.4189
    """
    if dimension < 1 or sigma <= 0:
        raise ValueError(f"expected d ≥ 1 and σ > 0, got {dimension} and {sigma}")
    return -dimension / 2 * (math.log(2 * math.pi * sigma**2) + sigma**-2)


def true_samples(
    dimension: int, samples: int, *, generator: torch.Generator, test: int = 500
) -> float:
    r"""The Parzen score of a perfect generator of N(0, I), with the best of twelve widths.

    Args:
        dimension: d.
        samples: windows.
        generator: draws windows and test points.
        test: test points. Since log p is known, log p̂ − log p is averaged and −entropy added,
            which takes most of the noise out.

    Returns:
        Nats.

    Example:
        >>> true_samples(1, 2000, generator=torch.Generator().manual_seed(0)) < one_point(1)
        True
    """
    points, x = (
        torch.randn(
            count, dimension, generator=generator, device=generator.device, dtype=torch.float64
        )
        for count in (samples, test)
    )
    log_p = -0.5 * (x.square().sum(1) + dimension * math.log(2 * math.pi))
    gaps = (parzen(points, x, widths()) - log_p).mean(1)
    return float(gaps.max()) + one_point(dimension)


def widths() -> Sequence[float]:
    """The twelve widths of the window that are tried in units of the data's deviation."""
    return [0.05 * 1.35**step for step in range(12)]
