r"""A code's average, deviation and direction; correlation and squared error, taken apart."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from scipy.stats import beta
from torch import Tensor


@dataclass(frozen=True)
class Parts:
    r"""A code in three independent pieces.

    .. math:: e = \operatorname{avg}(e)\,\mathbf 1 + \operatorname{std}(e)\,\mathcal N(e)

    Args:
        average: **[…]**.
        deviation: **[…]**, with the divisor n.
        direction: :math:`\mathcal N(e)`, **[…, n]**: average 0, deviation 1.
    """

    average: Tensor
    deviation: Tensor
    direction: Tensor

    def whole(self) -> Tensor:
        r"""The code again, **[…, n]**."""
        return self.average[..., None] + self.deviation[..., None] * self.direction


def parts(code: Tensor) -> Parts:
    r"""Take a code apart.

    .. math:: \operatorname{avg}(e)=\tfrac1n\sum_i e_i,\quad
        \operatorname{std}(e)=\sqrt{\tfrac1n\sum_i(e_i-\operatorname{avg}(e))^2},\quad
        \mathcal N(e)=\frac{e-\operatorname{avg}(e)}{\operatorname{std}(e)}

    Args:
        code: **[…, n]** with n ≥ 2.

    Returns:
        Its parts. A code of equal numbers has the direction 0.

    Raises:
        ValueError: if a code has fewer than two numbers.

    Source:
        Su (2019), *O-GAN*.

    Example:
        >>> found = parts(torch.tensor([1.0, 3.0, 1.0, 3.0]))
        >>> found.average.item(), found.deviation.item(), found.direction.tolist()
        (2.0, 1.0, [-1.0, 1.0, -1.0, 1.0])
    """
    if code.ndim < 1 or code.shape[-1] < 2:
        raise ValueError(f"expected codes of at least two numbers, got shape {list(code.shape)}")
    average = code.mean(-1)
    centred = code - average[..., None]
    deviation = centred.square().mean(-1).sqrt()
    floor = torch.finfo(code.dtype).tiny
    return Parts(average, deviation, centred / deviation.clamp_min(floor)[..., None])


def correlation(z: Tensor, code: Tensor) -> Tensor:
    r"""Pearson's correlation of two codes.

    .. math:: \rho(z,e)=\tfrac1n\sum_i\mathcal N(z)_i\,\mathcal N(e)_i

    Args:
        z: **[…, n]**.
        code: **[…, n]**.

    Returns:
        **[…]**, in [−1, 1].

    Raises:
        ValueError: if the shapes differ.

    Source:
        Su (2019), *O-GAN*.

    Example:
        >>> z = torch.tensor([1.0, 2.0, 4.0])
        >>> round(correlation(z, 5 - 3 * z).item(), 5)
        -1.0
    """
    if z.shape != code.shape:
        raise ValueError(
            f"expected two codes of one shape, got {list(z.shape)} and {list(code.shape)}"
        )
    return (parts(z).direction * parts(code).direction).mean(-1)


def squared_error(z: Tensor, code: Tensor) -> Tensor:
    r"""The mean squared difference of two codes.

    .. math:: \tfrac1n\|z-e\|^2

    Args:
        z: **[…, n]**.
        code: **[…, n]**.

    Returns:
        **[…]**.

    Example:
        >>> squared_error(torch.tensor([0.0, 0.0]), torch.tensor([3.0, 4.0])).item()
        12.5
    """
    return (z - code).square().mean(-1)


@dataclass(frozen=True)
class ErrorParts:
    r"""What a squared error asks of a code, as three demands.

    .. math:: \tfrac1n\|z-e\|^2=(\operatorname{avg}z-\operatorname{avg}e)^2
        +(\operatorname{std}z-\operatorname{std}e)^2
        +2\operatorname{std}z\operatorname{std}e\,(1-\rho)

    Args:
        average: the first term, **[…]**.
        deviation: the second.
        direction: the third, the only one that ρ sees.
    """

    average: Tensor
    deviation: Tensor
    direction: Tensor


def error_parts(z: Tensor, code: Tensor) -> ErrorParts:
    r"""The three demands of a squared error.

    Args:
        z: **[…, n]**.
        code: **[…, n]**.

    Returns:
        Three terms whose sum is :func:`squared_error`.

    Example:
        >>> found = error_parts(torch.tensor([-1.0, 1.0]), torch.tensor([2.0, 4.0]))
        >>> found.average.item(), found.deviation.item(), found.direction.item()
        (9.0, 0.0, 0.0)
    """
    one, other = parts(z), parts(code)
    return ErrorParts(
        (one.average - other.average).square(),
        (one.deviation - other.deviation).square(),
        2 * one.deviation * other.deviation * (1 - correlation(z, code)),
    )


def chance_below(rho: Tensor, n: int) -> Tensor:
    r"""How often two unrelated codes correlate by at most ρ.

    .. math:: \tfrac12(1+\rho)\sim\operatorname{Beta}\big(\tfrac n2-1,\tfrac n2-1\big)

    holds where one of two independent codes is standard normal; the mean of ρ is 0, its variance
    :math:`1/(n-1)`.

    Args:
        rho: **[…]**, in [−1, 1].
        n: numbers in a code, at least 3.

    Returns:
        Probabilities **[…]**, double precision.

    Raises:
        ValueError: if n is below 3.

    Example:
        >>> chance_below(torch.tensor([0.0, 1.0]), 5).round(decimals=6).tolist()
        [0.5, 1.0]
    """
    _enough(n)
    found = beta.cdf((1 + rho.double().cpu().numpy()) / 2, n / 2 - 1, n / 2 - 1)
    return torch.as_tensor(found)


def chance_density(rho: Tensor, n: int) -> Tensor:
    r"""The density of the correlation of two unrelated codes, see :func:`chance_below`.

    Args:
        rho: **[…]**, in (−1, 1).
        n: numbers in a code, at least 3.

    Returns:
        Densities **[…]**, double precision.

    Raises:
        ValueError: if n is below 3.

    Example:
        >>> chance_density(torch.tensor([-0.7, 0.2]), 4).round(decimals=6).tolist()
        [0.5, 0.5]
    """
    _enough(n)
    found = beta.pdf((1 + rho.double().cpu().numpy()) / 2, n / 2 - 1, n / 2 - 1) / 2
    return torch.as_tensor(found)


def _enough(n: int) -> None:
    if n < 3:
        raise ValueError(f"expected codes of at least 3 numbers, got {n}; two always have ρ = ±1")
