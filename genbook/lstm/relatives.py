r"""The LSTM's relatives by the same clock: a GRU's unit, and a cell with peepholes."""

from __future__ import annotations

import torch
from torch import Tensor


def held_gru(update_bias: float, steps: int, *, hidden: float = 1.0) -> Tensor:
    r"""A GRU's unit with its update gate held and nothing to write.

    .. math:: h_t = z\,h_{t-1} + (1-z)\,n_t,\qquad z = \sigma(b_z),\ n_t = 0

    So it keeps what a cell of forget bias :math:`b_z` keeps. What it writes in a step is tied to
    that: the share :math:`1-z < 1/\tau`.

    Source:
        Cho et al. (2014); z keeps, as in PyTorch.

    Args:
        update_bias: :math:`b_z`.
        steps: how many.
        hidden: :math:`h_0`.

    Returns:
        :math:`h_1, \dots`, shape ``[steps]``, float64.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> held_gru(0.0, 3)
        tensor([0.5000, 0.2500, 0.1250], dtype=torch.float64)
    """
    return held_peephole(update_bias, 0.0, steps, cell=hidden)


def held_peephole(forget_bias: float, peep: float, steps: int, *, cell: float = 1.0) -> Tensor:
    r"""A cell whose forget gate sees the cell itself and nothing else, and writes nothing.

    .. math:: c_t = \sigma(b_f + p\,c_{t-1})\,c_{t-1}

    Its clock depends on what it holds: the share kept of each step lies between
    :math:`\sigma(b_f)` and :math:`\sigma(b_f+p\,c_0)`.

    Source:
        Gers & Schmidhuber (2000).

    Args:
        forget_bias: :math:`b_f`.
        peep: p.
        steps: how many.
        cell: :math:`c_0`.

    Returns:
        :math:`c_1, \dots`, shape ``[steps]``, float64.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> held_peephole(0.0, 0.0, 2, cell=-4.0)
        tensor([-2., -1.], dtype=torch.float64)
    """
    if steps < 1:
        raise ValueError(f"expected at least one step, got {steps}")
    now, record = torch.tensor(cell, dtype=torch.float64), []
    for _ in range(steps):
        now = torch.sigmoid(forget_bias + peep * now) * now
        record.append(now)
    return torch.stack(record)


def lifetime(states: Tensor, start: float) -> Tensor:
    r"""The steps until 1/e of the start is left, read off a decay.

    Between two steps the logarithm is taken to fall in a straight line.

    Args:
        states: what is left after steps 1, 2, …, of one sign and falling, shape ``[steps]``.
        start: before the first step.

    Returns:
        Shape ``[]``, in steps; infinity if more is left at the end.

    Raises:
        ValueError: if nothing was there at the start.

    Example:
        >>> kept = torch.exp(-torch.arange(1, 9, dtype=torch.float64) / 2.5)
        >>> lifetime(kept, 1.0).round(decimals=6)
        tensor(2.5000, dtype=torch.float64)
    """
    if start == 0:
        raise ValueError("expected something at the start, got 0")
    logs = torch.cat([states.new_zeros(1), (states / start).log()])
    below = (logs <= -1).nonzero()
    if len(below) == 0:
        return states.new_tensor(torch.inf)
    after = int(below[0])
    above = logs[after - 1]
    return after - 1 + (above + 1) / (above - logs[after])
