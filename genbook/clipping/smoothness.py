r"""Why clipping helps: a valley whose walls grow as steep as they are curved, f(x) = cosh x.

.. math:: f''(x)=\cosh x\le 1+|\sinh x|=1+|f'(x)|

It is (L₀, L₁)-smooth with both constants 1, and L-smooth for no L.
"""

from __future__ import annotations

import math

__all__ = ["arrival", "fewest_steps", "largest_rate"]


def largest_rate(start: float) -> float:
    r"""The rate above which plain descent from a start is thrown ever farther out.

    .. math:: \eta=\frac{2x_0}{\sinh x_0}

    Args:
        start: x₀ > 0.

    Returns:
        η.

    Raises:
        ValueError: If the start is not positive.

    Example:
        >>> round(largest_rate(8.0), 4)
        0.0107
    """
    if not start > 0:
        raise ValueError(f"expected a start > 0, got {start}; the valley is even: use |x₀|.")
    return 2 * start / math.sinh(start)


STEEPNESS = 1.18
"""At least sinh(x)/x for |x| ≤ 1."""


def fewest_steps(rate: float, within: float = 1e-6) -> float:
    r"""Descent at a fixed rate needs at least so many steps from :math:`|x|=1`.

    .. math:: \ln\frac1\delta\Big/{-\ln(1-1.18\,\eta)}

    Part (b) of the chapter's theorem on f = cosh. No walk from farther out is bound by it: one
    step may lead it close to 0.

    Args:
        rate: η, below 0.8.
        within: δ, how near is near.

    Returns:
        The bound on the number of steps.

    Raises:
        ValueError: if the rate is not between 0 and 0.8 or the distance not between 0 and 1.

    Example:
        >>> round(fewest_steps(0.01)), arrival(1.0, 0.01)
        (1164, 1367)
    """
    if not (0 < rate < 0.8 and 0 < within <= 1):
        raise ValueError(f"expected 0 < rate < 0.8 and 0 < δ ≤ 1, got {rate} and {within}.")
    return math.log(1 / within) / -math.log1p(-STEEPNESS * rate)


def arrival(
    start: float,
    rate: float,
    *,
    threshold: float = math.inf,
    within: float = 1e-6,
    most: int = 1_000_000,
) -> int | None:
    r"""Steps until descent on cosh is near the bottom.

    .. math:: x\leftarrow x-\eta\,\min\Big(1,\frac c{|f'(x)|}\Big)f'(x)

    Args:
        start: x₀.
        rate: η.
        threshold: c, the longest gradient; by default none is clipped.
        within: how near is near.
        most: steps after which it has not arrived.

    Returns:
        The number of steps, or nothing if it has not arrived or has gone beyond ±700.

    Raises:
        ValueError: If rate, threshold or distance is not positive.

    Source:
        Zhang, He, Sra and Jadbabaie (2020), definition 1, for the class of functions.

    Example:
        >>> arrival(8.0, 0.5, threshold=1.0), arrival(8.0, 0.5)
        (34, None)
    """
    if not (rate > 0 and threshold > 0 and within > 0):
        raise ValueError(
            f"expected rate, threshold and distance > 0, got {rate}, {threshold} and {within}."
        )
    x = start
    for step in range(most):
        if abs(x) <= within:
            return step
        if abs(x) > 700:  # cosh overflows
            return None
        slope = math.sinh(x)
        x -= rate * slope * min(1.0, threshold / abs(slope))
    return None
