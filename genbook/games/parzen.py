r"""Parzen windows: the log-likelihood of test points under kernels around a generator's samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor


def parzen(samples: Tensor, test: Tensor, sigmas: Sequence[float]) -> Tensor:
    r"""Log-density of test points under Gaussian windows around samples.

    .. math:: \log\hat p_\sigma(x) = \log\frac1N\sum_{n=1}^N \mathcal N(x;\, s_n,\, \sigma^2 I)

    One matrix of distances serves all widths, which is why it is not scikit-learn's
    ``KernelDensity``; the two agree.

    Args:
        samples: **[N, d]**.
        test: **[M, d]**.
        sigmas: widths, > 0.

    Returns:
        Nats, shape **[len(sigmas), M]**.

    Raises:
        ValueError: if the shapes do not fit or a width is not positive.

    Source:
        Goodfellow et al. (2014), section 5; Breuleux, Bengio and Vincent (2011).

    Example:
        >>> zero = torch.zeros(1, 1)
        >>> round(parzen(zero, zero, [1.0]).item(), 4)
        -0.9189
    """
    if samples.ndim != 2 or test.ndim != 2 or samples.shape[1] != test.shape[1]:
        raise ValueError(
            f"expected samples [N, d] and test [M, d], got {list(samples.shape)} and "
            f"{list(test.shape)}; flatten(1) makes rows of images"
        )
    if not len(sigmas) or min(sigmas) <= 0:
        raise ValueError(f"expected at least one width, all > 0, got {list(sigmas)}")
    squared = torch.cdist(test, samples).square()
    count, size = samples.shape
    return torch.stack(
        [
            torch.logsumexp(squared / (-2 * sigma**2), 1)
            - math.log(count)
            - size * math.log(sigma * math.sqrt(2 * math.pi))
            for sigma in sigmas
        ]
    )


@dataclass(frozen=True)
class ParzenScore:
    r"""A Parzen window estimate.

    Args:
        sigma: the width that the validation set chose.
        mean: mean log-density of the test set, nats.
        standard_error: of that mean, over test points.
    """

    sigma: float
    mean: float
    standard_error: float


WIDTHS = (0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.25, 0.28, 0.32)


def parzen_score(
    samples: Tensor, validation: Tensor, test: Tensor, widths: Sequence[float] = WIDTHS
) -> ParzenScore:
    r"""The protocol of the 2014 paper: the validation set chooses σ, the test set is scored.

    Args:
        samples: **[N, d]**.
        validation: **[V, d]**.
        test: **[M, d]**, M ≥ 2.
        widths: candidates for σ.

    Returns:
        The score.

    Raises:
        ValueError: as :func:`parzen`.

    Source:
        Goodfellow et al. (2014), section 5.

    Example:
        >>> points = torch.tensor([[0.0], [1.0]])
        >>> parzen_score(points, points, points, [0.5, 100.0]).sigma
        0.5
    """
    best = int(parzen(samples, validation, widths).mean(1).argmax())
    density = parzen(samples, test, [widths[best]])[0]
    error = density.std() / math.sqrt(len(density))
    return ParzenScore(widths[best], density.mean().item(), error.item())


def cluster_centres(
    table: Tensor, count: int, seed: int = 0, *, batch: int = 2048, rounds: int = 10
) -> Tensor:
    r"""The centres of a k-means clustering, as if a generator returned them.

    Args:
        table: rows, **[N, d]**.
        count: centres.
        seed: of the clustering.
        batch: rows in a step.
        rounds: at most so many passes over the table.

    Returns:
        **[count, d]**.

    Raises:
        ValueError: if there are more centres than rows.

    Source:
        Theis, van den Oord and Bethge (2016), section 3.2, for the idea.

    Example:
        >>> cluster_centres(torch.tensor([[0.0], [1.0], [1.0]]), 1).shape
        torch.Size([1, 1])
    """
    if not 1 <= count <= len(table):
        raise ValueError(f"expected 1 to {len(table)} centres, as many as rows, got {count}")
    found = MiniBatchKMeans(
        count, random_state=seed, batch_size=batch, n_init=1, max_iter=rounds
    ).fit(table.cpu().numpy())
    return torch.from_numpy(found.cluster_centers_).to(table)
