r"""Angles between filters, read from the signs of their outputs, and penalties that open them.

.. math:: \mathbb E\,\mathrm{sgn}(x^\top w_i)\,\mathrm{sgn}(x^\top w_j)=1-\frac{2\theta_{ij}}\pi
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

GAMMA = 10.0
"""How steep the smooth sign is."""

SUM, SQUARES = 100.0, 1.0
"""Weights of the penalty's two parts."""


def agreement(outputs: Tensor) -> Tensor:
    r"""How often two filters' outputs agree in sign, minus how often they do not.

    Args:
        outputs: y = xᵀw, **[N, filters]**, no number 0.

    Returns:
        **[filters, filters]**, in [−1, 1].

    Example:
        >>> agreement(torch.tensor([[1.0, 2.0], [-1.0, 3.0]])).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    signs = outputs.sign()
    return signs.mT @ signs / len(outputs)


def from_angles(filters: Tensor) -> Tensor:
    r"""What :func:`agreement` is on average, if the inputs have no preferred direction.

    .. math:: 1-\frac2\pi\arccos\frac{w_i^\top w_j}{\|w_i\|\|w_j\|}

    Args:
        filters: columns w, **[d, filters]**, none zero.

    Returns:
        **[filters, filters]**.

    Source:
        Zhang, Ma, Wu and Wang (2020); Goemans and Williamson (1995).

    Example:
        >>> from_angles(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))[0].tolist()
        [1.0, 0.0]
    """
    unit = nn.functional.normalize(filters, dim=0)
    return 1 - torch.arccos((unit.mT @ unit).clamp(-1, 1)) * (2 / math.pi)


def smooth_agreement(outputs: Tensor, gamma: float = GAMMA) -> Tensor:
    r"""The same with a sign that has a slope: tanh, and columns of length 1.

    For long filters it is the sign's; for short ones the cosine of the angle. Both are 0 at right
    angles.

    .. math:: \vartheta=\hat Y^\top\hat Y,\qquad \hat Y=\text{columns of }\tanh(\gamma Y)/\|\cdot\|

    Args:
        outputs: Y, **[N, filters]**.
        gamma: γ > 0.

    Returns:
        **[filters, filters]**.

    Raises:
        ValueError: if γ is not positive.

    Source:
        Zhang, Ma, Wu and Wang (2020).

    Example:
        >>> y = torch.tensor([[1.0, 2.0], [-1.0, 3.0]])
        >>> bool((smooth_agreement(y, 100.0) - agreement(y)).abs().max() < 1e-6)
        True
    """
    if not gamma > 0:
        raise ValueError(f"expected γ > 0, got {gamma}")
    columns = nn.functional.normalize(torch.tanh(gamma * outputs), dim=0)
    return columns.mT @ columns


def self_orthogonality(outputs: Tensor, gamma: float = GAMMA) -> Tensor:
    r"""The penalty on a layer's outputs: 0 on average where all filters stand at right angles.

    .. math:: R=100\Big(\sum_{i\neq j}\vartheta_{ij}\Big)^2+\sum_{i\neq j}\vartheta_{ij}^2

    Args:
        outputs: Y, **[N, filters]**.
        gamma: see :func:`smooth_agreement`.

    Returns:
        A scalar.

    Source:
        Zhang, Ma, Wu and Wang (2020).

    Example:
        >>> bool(self_orthogonality(torch.tensor([[1.0, 1.0], [1.0, -1.0]])) < 1e-9)
        True
    """
    found = smooth_agreement(outputs, gamma)
    off = found - torch.diag(found.diagonal())
    return SUM * off.sum().square() + SQUARES * off.square().sum()


def opened(filters: Tensor, inputs: Tensor, steps: int, rate: float) -> Tensor:
    r"""Filters after gradient steps on :func:`self_orthogonality` alone.

    Args:
        filters: **[d, filters]**.
        inputs: **[N, d]**.
        steps: of Adam.
        rate: its step size.

    Returns:
        **[d, filters]**.

    Example:
        >>> x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
        >>> opened(torch.eye(3)[:, :2], x, steps=1, rate=0.01).shape
        torch.Size([3, 2])
    """
    weight = filters.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([weight], rate)
    for _ in range(steps):
        loss = self_orthogonality(inputs @ weight)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weight.detach()
