r"""Why clipping helps: a valley whose walls grow as steep as they are curved, f(x) = cosh x.

.. math:: f''(x)=\cosh x\le 1+|\sinh x|=1+|f'(x)|

It is (L₀, L₁)-smooth with both constants 1, and L-smooth for no L.
"""

from __future__ import annotations

import math

__all__ = ["arrival", "largest_rate"]


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
