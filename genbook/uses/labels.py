r"""A model a class: labels by Bayes' rule, and a score that rejects."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.uses.tables import Table, fit


@dataclass(frozen=True)
class Labeller:
    r"""One table a class, all classes equally likely.

    .. math:: p(y\mid x)=\frac{p(x\mid y)}{\sum_{y'}p(x\mid y')},\qquad
        p(x)=\tfrac1K\sum_y p(x\mid y)

    Args:
        tables: one a class.
    """

    tables: tuple[Table, ...]

    def nats(self, images: Tensor) -> Tensor:
        r"""Costs of images under each class, nats.

        Args:
            images: 0 or 1, **[N, H, W]**.

        Returns:
            **[N, K]**.
        """
        return torch.stack([table.nats(images) for table in self.tables], 1)

    def chances(self, images: Tensor) -> Tensor:
        r"""Probabilities of the classes, **[N, K]**."""
        return (-self.nats(images)).softmax(1)

    def whole(self, images: Tensor) -> Tensor:
        r"""Minus the log-probability of the mixture, nats, **[N]**."""
        return mixed(self.nats(images))


def mixed(costs: Tensor) -> Tensor:
    r"""What pages cost under all classes together, each as likely as the others.

    .. math:: -\log p(x)=\log K-\log\sum_y e^{-c_y(x)},\qquad c_y(x)=-\log p(x\mid y)

    Args:
        costs: nats under each class, **[N, K]**.

    Returns:
        Nats, **[N]**.

    Example:
        >>> mixed(torch.tensor([[2.0, 2.0]])).tolist()
        [2.0]
    """
    return math.log(costs.shape[1]) - (-costs).logsumexp(1)


def check_classes(labels: Tensor, classes: int) -> None:
    r"""Refuse labels that leave a class without an image.

    Args:
        labels: **[N]**.
        classes: K.

    Raises:
        ValueError: if a class has none.
    """
    missing = [k for k in range(classes) if not bool((labels == k).any())]
    if missing:
        raise ValueError(f"expected images of {classes} classes, got none of {missing}")


def by_class(images: Tensor, labels: Tensor, classes: int = 10) -> Labeller:
    r"""A table for each class.

    Args:
        images: 0 or 1, **[N, H, W]**.
        labels: **[N]**.
        classes: K.

    Returns:
        The labeller.

    Raises:
        ValueError: if a class has no image.

    Example:
        >>> pages = torch.stack([torch.zeros(4, 4), torch.ones(4, 4)])
        >>> by_class(pages, torch.tensor([0, 1]), 2).chances(pages).argmax(1).tolist()
        [0, 1]
    """
    check_classes(labels, classes)
    return Labeller(tuple(fit(images[labels == k]) for k in range(classes)))


def rejecting(costs: Tensor, right: Tensor, share: float) -> tuple[float, float]:
    r"""Leave out the costliest images and count how many of the rest are read right.

    Args:
        costs: what decides, **[N]**.
        right: whether each is read right, **[N]**.
        share: how many to leave out, in [0, 1).

    Returns:
        The accuracy of the rest, and the cost above which nothing is read.

    Raises:
        ValueError: if the share is out of range.

    Example:
        >>> rejecting(torch.tensor([1.0, 9.0]), torch.tensor([True, False]), 0.5)
        (1.0, 1.0)
    """
    if not 0 <= share < 1:
        raise ValueError(f"expected a share in [0, 1), got {share}")
    order = costs.argsort()
    kept = order[: len(order) - int(share * len(order))]
    return float(right[kept].double().mean()), float(costs[kept[-1]])
