r"""What one long gradient does to Adam, and what clipping it spares."""

from __future__ import annotations

import math

__all__ = ["pace", "stall"]


def pace(
    after: int,
    spike: float,
    *,
    before: int = 10_000,
    betas: tuple[float, float] = (0.9, 0.999),
) -> float:
    r"""The length of one of Adam's steps, in units of its rate, after one gradient of another size.

    All gradients are 1 but one, which is M. With :math:`t` steps in all, the last of them
    :math:`n` after the spike, and :math:`\epsilon=0`,

    .. math::
        \frac{1+(1-\beta_1)\beta_1^n\,(M-1)/(1-\beta_1^t)}
             {\sqrt{1+(1-\beta_2)\beta_2^n\,(M^2-1)/(1-\beta_2^t)}}

    Args:
        after: n, steps since the spike; 0 is the spike's own.
        spike: M.
        before: steps before the spike.
        betas: β₁ and β₂.

    Returns:
        The length; 1 without a spike.

    Raises:
        ValueError: If a count is negative or a β is not in [0, 1).

    Example:
        >>> pace(5, 1.0), round(pace(0, 1e9), 2)
        (1.0, 3.16)
    """
    if after < 0 or before < 0 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(
            f"expected steps ≥ 0 and β in [0, 1), got {after} after, {before} before, {betas}."
        )
    first, second = betas
    total = before + after + 1
    mean = 1 + (1 - first) * first**after * (spike - 1) / (1 - first**total)
    square = 1 + (1 - second) * second**after * (spike**2 - 1) / (1 - second**total)
    return mean / math.sqrt(square)


def stall(spike: float, *, share: float = 0.5, betas: tuple[float, float] = (0.9, 0.999)) -> int:
    r"""How many steps after a spike Adam's steps are shorter than a share of the usual.

    Args:
        spike: M.
        share: in (0, 1).
        betas: β₁ and β₂.

    Returns:
        The last such step's number after the spike; 0 if there is none.

    Raises:
        ValueError: If the share is not in (0, 1).

    Example:
        >>> stall(1.0), stall(100.0) > 1000
        (0, True)
    """
    if not 0 < share < 1:
        raise ValueError(f"expected a share in (0, 1), got {share}.")
    slow = [n for n in range(200) if pace(n, spike, betas=betas) < share]
    if not slow:
        return 0
    low, high = slow[-1], 2 * slow[-1] + 1
    while pace(high, spike, betas=betas) < share:  # from here on the pace only rises
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if pace(middle, spike, betas=betas) < share:
            low = middle
        else:
            high = middle
    return low
