r"""Judge a model of images by what it does with them."""

from __future__ import annotations

import torch
from torch import Tensor


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
