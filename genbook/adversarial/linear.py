r"""Linear classifiers, whose worst change is known exactly: of two classes, and of more."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional

from genbook.kit.data import ImageSet


@dataclass(frozen=True)
class Linear:
    r"""A logistic regression: class +1 where :math:`w^\top x + b > 0`.

    Args:
        weight: w, **[d]**.
        bias: b, a scalar.

    Raises:
        ValueError: if the shapes are others.
    """

    weight: Tensor
    bias: Tensor

    def __post_init__(self) -> None:
        if self.weight.ndim != 1 or self.bias.ndim != 0:
            raise ValueError(
                f"expected weight [d] and bias [], got {list(self.weight.shape)} and "
                f"{list(self.bias.shape)}"
            )

    def logit(self, x: Tensor) -> Tensor:
        r""":math:`w^\top x + b` of inputs **[…, d]**, shape **[…]**."""
        return x @ self.weight + self.bias

    def margin(self, x: Tensor, side: Tensor) -> Tensor:
        r"""How far on the right side: positive if and only if the input is read right.

        .. math:: m = y\,(w^\top x + b)

        Args:
            x: inputs, **[N, d]**.
            side: y, plus or minus one, **[N]**.

        Returns:
            **[N]**.
        """
        return side * self.logit(x)

    def loss(self, x: Tensor, side: Tensor) -> Tensor:
        r"""The logistic loss :math:`\log(1 + e^{-m})` of each input.

        Args:
            x: inputs, **[N, d]**.
            side: plus or minus one, **[N]**.

        Returns:
            **[N]**, nats.

        Example:
            >>> judge = Linear(torch.tensor([1.0, 0.0]), torch.tensor(0.0))
            >>> round(judge.loss(torch.tensor([[0.0, 3.0]]), torch.ones(1)).item(), 4)
            0.6931
        """
        return functional.softplus(-self.margin(x, side))


def of_digits(images: ImageSet, minus: int, plus: int) -> tuple[Tensor, Tensor]:
    r"""The images of two digits as rows, and a side for each.

    Args:
        images: digits with their labels.
        minus: the digit on the side −1.
        plus: the digit on the side +1.

    Returns:
        Images **[N, d]** and sides **[N]**, in double precision.

    Raises:
        ValueError: if one of the digits does not occur.

    Example:
        >>> from genbook.kit import data
        >>> x, side = of_digits(data.digits("test", device="cpu"), 3, 7)
        >>> x.shape[1], side.unique().tolist()
        (64, [-1.0, 1.0])
    """
    counts = [int((images.labels == digit).sum()) for digit in (minus, plus)]
    if min(counts) == 0:
        raise ValueError(f"expected images of {minus} and of {plus}, got {counts} of them")
    both = (images.labels == minus) | (images.labels == plus)
    side = torch.where(images.labels[both] == plus, 1.0, -1.0)
    return images.flat[both].double(), side.double()


def fitted(x: Tensor, side: Tensor, *, decay: float) -> Linear:
    r"""Fit a logistic regression.

    .. math:: \min_{w, b} \frac1N \sum_n \log(1 + e^{-m_n}) + \tfrac\lambda2 \|w\|^2

    Args:
        x: inputs, **[N, d]**.
        side: plus or minus one, both of them, **[N]**.
        decay: :math:`\lambda > 0`.

    Returns:
        The fit, in double precision, where ``x`` is.

    Raises:
        ValueError: if ``decay`` is not positive or the sides are not the two signs.

    Example:
        >>> x, side = torch.tensor([[-1.0], [1.0]]), torch.tensor([-1.0, 1.0])
        >>> fitted(x, side, decay=0.1).margin(x.double(), side) > 1
        tensor([True, True])
    """
    if not decay > 0 or side.unique().tolist() != [-1, 1]:
        raise ValueError(f"expected decay > 0 and sides ±1, got {decay} and {side.unique()}")
    model = LogisticRegression(C=1 / (decay * len(x)), solver="newton-cholesky", tol=1e-10)
    model.fit(x.double().cpu().numpy(), side.cpu().numpy())
    weight, bias = torch.from_numpy(model.coef_[0]), torch.from_numpy(model.intercept_)[0]
    return Linear(weight.to(x.device), bias.to(x.device))


def error_after(margin: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    r"""The share that is read wrong after the worst change of at most ε in every number.

    .. math:: P\bigl(m \le \epsilon \|w\|_1\bigr)

    Args:
        margin: of the clean inputs, **[N]**.
        weight: w, **[d]**.
        epsilon: half-width of the box.

    Returns:
        A scalar; an input on the border counts as wrong.

    Raises:
        ValueError: if ε is negative.

    Example:
        >>> error_after(torch.tensor([0.5, 3.0]), torch.tensor([1.0, -1.0]), 1.0).item()
        0.5
    """
    if not epsilon >= 0:
        raise ValueError(f"expected ε ≥ 0, got {epsilon}")
    return (margin <= epsilon * weight.abs().sum()).double().mean()


def least_lead(weight: Tensor, bias: Tensor, x: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    r"""By how much the true class leads its nearest rival after the worst change of at most ε.

    .. math:: \min_{k \ne y} \bigl((w_y - w_k)^\top x + b_y - b_k
        - \epsilon \|w_y - w_k\|_1\bigr)

    The worst change is a signed step along the slope of its negative, which is that of one rival.

    Args:
        weight: a row a class, **[K, d]**, K ≥ 2.
        bias: **[K]**.
        x: inputs, **[N, d]**.
        labels: y, the true classes, **[N]**.
        epsilon: half-width of the box.

    Returns:
        **[N]**; a change in the box brings to the border or past it where it is ≤ 0.

    Raises:
        ValueError: if there is one class only, or ε is negative.

    Example:
        >>> least_lead(torch.eye(2), torch.zeros(2), torch.eye(2), torch.tensor([0, 1]), 0.25)
        tensor([0.5000, 0.5000])
    """
    if len(weight) < 2 or not epsilon >= 0:
        raise ValueError(f"expected 2 classes or more and ε ≥ 0, got {len(weight)} and {epsilon}")
    logits, own = x @ weight.T + bias, labels[:, None]
    reach = torch.cdist(weight, weight, p=1)[labels]
    leads = logits.gather(1, own) - logits - epsilon * reach
    return leads.scatter(1, own, torch.inf).amin(1)
