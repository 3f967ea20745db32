r"""Judge a model of images by what it does with them."""

from __future__ import annotations

import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor


def auc(inliers: Tensor, outliers: Tensor) -> float:
    r"""Probability that a random inlier scores above a random outlier; ties count half.

    .. math:: \Pr(s_{in} > s_{out}) + \tfrac12 \Pr(s_{in} = s_{out})

    1 separates perfectly, 0.5 is a coin, below 0.5 the score prefers the outliers.

    Args:
        inliers: scores, shape ``[N]``.
        outliers: scores, shape ``[M]``.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if either is empty, not a vector, or holds NaN.

    Example:
        >>> auc(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0]))
        0.875
    """
    for name, scores in (("inliers", inliers), ("outliers", outliers)):
        if scores.ndim != 1 or len(scores) == 0 or bool(scores.isnan().any()):
            raise ValueError(f"expected {name} as a vector of numbers, got {scores!r}")
    inside = [1] * len(inliers) + [0] * len(outliers)
    return float(roc_auc_score(inside, torch.cat([inliers, outliers]).cpu().numpy()))


def neighbour_accuracy(
    codes: Tensor, labels: Tensor, test_codes: Tensor, test_labels: Tensor
) -> float:
    r"""Share of test codes whose nearest training code carries the same label.

    Args:
        codes: shape ``[N, D]``.
        labels: shape ``[N]``.
        test_codes: shape ``[M, D]``.
        test_labels: shape ``[M]``.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: if codes and labels differ in number.

    Example:
        >>> codes = torch.tensor([[0.0], [1.0]])
        >>> labels = torch.tensor([3, 7])
        >>> neighbour_accuracy(codes, labels, torch.tensor([[0.9]]), torch.tensor([7]))
        1.0
    """
    if len(codes) != len(labels) or len(test_codes) != len(test_labels):
        raise ValueError(
            "expected one label a code, got "
            f"{len(codes)} / {len(labels)} and {len(test_codes)} / {len(test_labels)}"
        )
    nearest = torch.cdist(test_codes, codes).argmin(-1)
    return float((labels[nearest] == test_labels).double().mean())


def impostors(images: Tensor, photos: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    r"""Images that are not digits, or not as digits should be.

    Args:
        images: digits, shape ``[N, 1, H, W]``, grey values in [0, 1].
        photos: patches of photographs of the same size, shape ``[M, 1, H, W]``.
        generator: source of the noise and of the permutations.

    Returns:
        By name, each of shape ``[·, H W]``: ``noise`` (the digits' pixels, shuffled anew for each
        image), ``photographs``, ``negatives``, ``upside down``, ``half and half`` (top of one
        digit, bottom of another) and ``blank``.

    Raises:
        ValueError: if the sizes differ.

    Example:
        >>> from genbook.kit.device import seeded
        >>> sorted(impostors(torch.rand(4, 1, 8, 8), torch.rand(2, 1, 8, 8), seeded(0)))
        ['blank', 'half and half', 'negatives', 'noise', 'photographs', 'upside down']
    """
    if images.ndim != 4 or images.shape[1:] != photos.shape[1:]:
        raise ValueError(
            "expected digits and photographs of one size [·, 1, H, W], got "
            f"{list(images.shape)} and {list(photos.shape)}"
        )
    flat, half = images.flatten(1), images.shape[2] // 2
    keys = torch.rand(flat.shape, generator=generator, device=generator.device)
    other = images[torch.randperm(len(images), generator=generator, device=generator.device)]
    mixed = torch.cat([images[:, :, :half], other[:, :, half:]], dim=2)
    return {
        "noise": flat.gather(1, keys.argsort(1).to(flat.device)),
        "photographs": photos.flatten(1),
        "negatives": 1 - flat,
        "upside down": images.flip(2, 3).flatten(1),
        "half and half": mixed.flatten(1),
        "blank": torch.zeros_like(flat),
    }
