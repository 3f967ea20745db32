r"""What carries a symbol over a long lag: the forget gates, or the ways through the hidden state?

A reader is trained with its forget gates' weights held where they started, beside one that is free,
and the direct path is measured beside all ways back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.lstm import cells, paths
from genbook.lstm.lag import SEQUENCES, arm_named, lag_accuracy, lag_steps
from genbook.lstm.readers import Reader, orders

LENGTH, FIRST_MARK = 50, 8
"""Symbols of a sequence, and a step within the first mark's range (from 0)."""


def hold_forget_gates(reader: Reader) -> None:
    r"""Make training leave every weight and bias of the forget gates where it is.

    .. math:: \frac{\partial L}{\partial W_{xf}},\ \frac{\partial L}{\partial W_{hf}},\
        \frac{\partial L}{\partial b_f} \leftarrow 0

    Args:
        reader: of kind ``lstm``; each backward pass through it is changed from now on.

    Raises:
        ValueError: if the reader is no LSTM.

    Example:
        >>> reader = arm_named("LSTM, bias 1").reader(20, seeded(0))
        >>> hold_forget_gates(reader)
        >>> reader(torch.randn(20, 3, 8))[0].sum().backward()
        >>> reader.recurrent.weight_hh_l0.grad.chunk(4)[1].abs().max().item()
        0.0
    """
    layer = reader.recurrent
    if not isinstance(layer, nn.LSTM):
        raise ValueError(f"expected a reader with an LSTM, got {layer}")
    for weights in layer.parameters():
        weights.register_hook(_without_forget)


def _without_forget(gradient: Tensor) -> Tensor:
    """The gradient of stacked blocks i, f, g, o with nothing in the second."""
    i, f, g, o = gradient.chunk(4)
    return torch.cat([i, torch.zeros_like(f), g, o])


@dataclass(frozen=True)
class Carried:
    r"""What reaches the last cell from the cell at the first mark.

    Attributes:
        direct: the largest factor of the direct path, mean over sequences.
        total: the spectral norm of all ways back, median over sequences.
    """

    direct: float
    total: float


@torch.no_grad()
def carried(reader: Reader, length: int, step: int, *, sequences: int = 20) -> Carried:
    r"""How much of a change of the cell at a step is left in the last cell.

    .. math:: \max_j\prod_{s>t}f_{sj}\quad\text{and}\quad
        \Big\|\frac{\mathrm dc_T}{\mathrm dc_t}\Big\|

    Args:
        reader: an LSTM without embedding.
        length: T.
        step: t, from 0.
        sequences: fresh ones to measure on.

    Returns:
        Both measures.

    Raises:
        ValueError: if t is out of range.

    Example:
        >>> reader = arm_named("LSTM, bias 1").reader(20, seeded(0))
        >>> carried(reader, 20, 19).direct
        1.0
    """
    if not 0 <= step < length:
        raise ValueError(f"expected a step from 0 to {length - 1}, got {step}")
    x, _ = next(orders(length, sequences, seeded(10**6)))
    cell = cells.from_torch(reader.recurrent)  # type: ignore[arg-type]
    gates = cells.unroll(cell, x.to(next(reader.parameters()).device))
    direct = paths.direct_path(gates.forget)[step].amax(-1).mean()
    total = paths.norms(paths.total_path(cell, gates)[step]).median()
    return Carried(float(direct), float(total))


def held_run(seed: int, *, hold: bool, total: int = 3_000) -> Row:
    r"""Train an LSTM of forget bias 1 at lag 50, with its forget gates held or free.

    Args:
        seed: of weights and sequences.
        hold: whether the forget gates keep their weights.
        total: the largest number of updates.

    Returns:
        Updates, accuracy, and what is carried before and after.

    Example:
        >>> held_run(0, hold=True, total=1)["updates"]
        1
    """
    reader = arm_named("LSTM, bias 1").reader(LENGTH, seeded(seed))
    if hold:
        hold_forget_gates(reader)
    before = carried(reader, LENGTH, FIRST_MARK)
    updates = sum(1 for _ in lag_steps(reader, LENGTH, seeded(SEQUENCES.seed(seed)), total=total))
    after = carried(reader, LENGTH, FIRST_MARK)
    return {
        "seed": seed,
        "held": hold,
        "updates": updates,
        "accuracy": round(lag_accuracy(reader, LENGTH, sequences=2_000), 4),
        "direct_before": before.direct,
        "total_before": before.total,
        "direct_after": after.direct,
        "total_after": after.total,
    }


def record_held(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study of what carries: one seed, forget gates free and held.

    Args:
        slice: run a part that takes seconds.
        seed: of weights and sequences.

    Yields:
        The rows of :func:`held_run`.
    """
    for hold in (False, True):
        yield held_run(seed, hold=hold, total=20 if slice else 3_000)


STUDIES = (
    Study(
        name="lstm_held",
        topic="lstm",
        run=record_held,
        seeds=(0, 1, 2, 3, 4),
        config={
            "task": "temporal order at length 50, as in the study of long lags",
            "network": "LSTM, 50 units, forget biases start at 1, the rest of the biases at 0",
            "held": "no update of the forget gates' weights and biases",
            "training": "Adam at 0.003, batches of 20, norm clipped at 1, at most 3000 updates",
            "carried": "from the cell at step 8 to the last: largest product of forget gates, "
            "mean of 20 sequences; spectral norm of all ways, median of 20",
            "accuracy": "on 2000 fresh sequences",
        },
    ),
)
