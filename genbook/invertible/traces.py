r"""The logarithm of a determinant without the determinant: a series of traces, and their estimates.

A residual block's Jacobian is :math:`I+J`. With :math:`\|J\|_2<1` the logarithm of its determinant
is a series of traces of powers, and a trace needs only products with random vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Push = Callable[[Tensor], Tensor]


def log_det(jacobian: Tensor) -> Tensor:
    r"""The logarithm of the determinant of I + J, exactly.

    .. math:: \ln|\det(I+J)|

    Args:
        jacobian: J, **[..., d, d]**; for d = 2 the determinant is written out.

    Returns:
        **[...]**, in nats.

    Raises:
        ValueError: if the matrices are not square.

    Example:
        >>> round(log_det(torch.diag(torch.tensor([1.0, 3.0]))).item(), 4)  # ln 2 + ln 4
        2.0794
    """
    _check_square(jacobian)
    if jacobian.shape[-1] == 2:
        first, second = jacobian.unbind(-2)
        across, back = first[..., 1], second[..., 0]
        return ((1 + first[..., 0]) * (1 + second[..., 1]) - across * back).abs().log()
    eye = torch.eye(jacobian.shape[-1], dtype=jacobian.dtype, device=jacobian.device)
    found: Tensor = torch.linalg.slogdet(eye + jacobian).logabsdet
    return found


def log_det_series(push: Push, probes: Tensor, terms: int) -> Tensor:
    r"""The first terms of the series of ln det(I + J), each trace estimated by random vectors.

    .. math:: \sum_{k=1}^n\frac{(-1)^{k-1}}k\,\mathrm{tr}\,J^k\;\approx\;
        \sum_{k=1}^n\frac{(-1)^{k-1}}k\,\frac1m\sum_{i=1}^m u_i^\top J^ku_i

    The n products of one probe reuse each other: :math:`u^\top J^k` is :math:`u^\top J^{k-1}`,
    pushed once more. With the probes of :func:`every` the traces are exact.

    Args:
        push: maps **[..., m, d]** to its product with J from the right.
        probes: u, **[..., m, d]**, with :math:`\mathbb E\,uu^\top=I`.
        terms: n ≥ 1.

    Returns:
        **[...]**, in nats.

    Raises:
        ValueError: if there is no term.

    Source:
        Behrmann, Grathwohl, Chen, Duvenaud and Jacobsen (2019).

    Example:
        >>> half = torch.tensor([[0.5]])
        >>> found = log_det_series(lambda v: v @ half, torch.ones(1, 1), terms=40)
        >>> round(found.item(), 4), round(math.log(1.5), 4)
        (0.4055, 0.4055)
    """
    if terms < 1:
        raise ValueError(f"expected at least one term of the series, got {terms}")
    pushed, total = probes, torch.zeros_like(probes[..., 0, 0])
    for k in range(1, terms + 1):
        pushed = push(pushed)
        trace = (pushed * probes).sum(-1).mean(-1)
        total = total + trace * ((-1) ** (k - 1) / k)
    return total


def every(d: int, like: Tensor) -> Tensor:
    r"""Probes that make a trace exact: the d unit vectors, each :math:`\sqrt d` long.

    .. math:: \frac1d\sum_i(\sqrt d\,e_i)^\top A(\sqrt d\,e_i)=\mathrm{tr}\,A

    Args:
        d: how many numbers a vector has.
        like: gives the dtype and the device.

    Returns:
        **[d, d]**.

    Example:
        >>> every(4, torch.zeros(1)).diagonal().tolist()
        [2.0, 2.0, 2.0, 2.0]
    """
    return math.sqrt(d) * torch.eye(d, dtype=like.dtype, device=like.device)


def truncation_bound(c: float, d: int, terms: int) -> float:
    r"""How far the series of n terms can be from ln det(I + J) when J is no longer than c.

    .. math:: \Big|\sum_{k=1}^n\tfrac{(-1)^{k-1}}k\mathrm{tr}J^k-\ln\det(I+J)\Big|
        \le d\sum_{k>n}\frac{c^k}k=-d\Big(\ln(1-c)+\sum_{k=1}^n\frac{c^k}k\Big)

    Args:
        c: :math:`\|J\|_2\le c`, in (0, 1).
        d: the dimension.
        terms: n ≥ 0.

    Returns:
        In nats.

    Raises:
        ValueError: if c is not in (0, 1): from 1 on there is no bound.

    Source:
        Behrmann et al. (2019).

    Example:
        >>> round(truncation_bound(0.9, 8, 5), 2)
        3.78
    """
    if not 0 < c < 1 or d < 1 or terms < 0:
        raise ValueError(
            f"expected 0 < c < 1, d ≥ 1 and terms ≥ 0, got {c}, {d} and {terms}; for c ≥ 1 the "
            "series need not converge"
        )
    return -d * (math.log1p(-c) + sum(c**k / k for k in range(1, terms + 1)))


def estimate_variance(matrix: Tensor, gaussian: bool) -> Tensor:
    r"""The variance of Hutchinson's estimate :math:`u^\top Au` of a trace from one probe.

    .. math:: \mathrm{Var}=2\sum_{i\neq j}s_{ij}^2\ \text{(signs)},\qquad
        \mathrm{Var}=2\|S\|_F^2\ \text{(Gaussian)},\qquad S=\tfrac12(A+A^\top)

    Args:
        matrix: A, **[..., d, d]**.
        gaussian: whether the probe is standard normal; otherwise its entries are fair signs.

    Returns:
        **[...]**.

    Raises:
        ValueError: if the matrix is not square.

    Source:
        The estimate: Hutchinson (1990); the variances are derived in the chapter.

    Example:
        >>> a = torch.tensor([[3.0, 1.0], [1.0, 5.0]])
        >>> estimate_variance(a, gaussian=False).item(), estimate_variance(a, gaussian=True).item()
        (4.0, 72.0)
    """
    _check_square(matrix)
    even = (matrix + matrix.mT) / 2
    whole = even.square().sum((-2, -1))
    if gaussian:
        return 2 * whole
    return 2 * (whole - even.diagonal(dim1=-2, dim2=-1).square().sum(-1))


def _check_square(matrix: Tensor) -> None:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"expected square matrices [..., d, d], got {list(matrix.shape)}")
