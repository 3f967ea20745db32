r"""How far back a gradient is sent, and what is missing from it when it is stopped early."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.lstm.lag import SEQUENCES, arm_named
from genbook.lstm.readers import Batch, Reader, State, loss_and_accuracy, orders, train

LENGTH, WINDOWS = 50, (19, 30, 50)
"""Symbols of a sequence, and how many steps a gradient goes back."""


def leaky(
    x: Tensor, decay: Tensor | float, weight: Tensor | float, *, start: Tensor | float = 0.0
) -> Tensor:
    r"""The cells of the smallest net that remembers.

    .. math:: c_t = \lambda c_{t-1} + w x_t

    Args:
        x: inputs, shape ``[T]`` with T ≥ 1.
        decay: :math:`\lambda`, shape ``[]``.
        weight: w, shape ``[]``.
        start: :math:`c_0`.

    Returns:
        Shape ``[T]``.

    Raises:
        ValueError: if there is no step or more than one sequence.

    Example:
        >>> leaky(torch.tensor([1.0, 0.0, 0.0]), torch.tensor(0.5), torch.tensor(2.0))
        tensor([2.0000, 1.0000, 0.5000])
    """
    if x.ndim != 1 or len(x) == 0:
        raise ValueError(f"expected inputs of shape [T], T ≥ 1, got {list(x.shape)}")
    now, record = torch.as_tensor(start, dtype=x.dtype, device=x.device), []
    for value in x:
        now = decay * now + weight * value
        record.append(now)
    return torch.stack(record)


def truncated_gradient(
    x: Tensor, decay: Tensor | float, weight: Tensor | float, window: int, *, start: float = 0.0
) -> Tensor:
    r"""What truncated backpropagation through time finds for the last cell of :func:`leaky`.

    .. math:: \sum_{j<k} \lambda^{j} c_{T-j-1} \quad\text{and}\quad
        \sum_{j<k} \lambda^{j} x_{T-j}

    Autograd finds it: the cell that enters the window is a constant to it.

    Args:
        x: inputs, shape ``[T]``.
        decay: :math:`\lambda`.
        weight: w.
        window: k, how many steps the gradient goes back, from 1 to T; T gives the full one.
        start: :math:`c_0`.

    Returns:
        The derivatives of :math:`c_T` with respect to λ and w, shape ``[2]``.

    Raises:
        ValueError: if k is out of range.

    Example:
        >>> impulse = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0])
        >>> [truncated_gradient(impulse, 1.0, 1.0, k).tolist() for k in (1, 2, 5)]
        [[1.0, 0.0], [2.0, 0.0], [4.0, 1.0]]
    """
    _check_window(window, len(x))
    learned = [
        torch.as_tensor(value, dtype=x.dtype, device=x.device).detach().clone().requires_grad_()
        for value in (decay, weight)
    ]
    entering = torch.as_tensor(start, dtype=x.dtype, device=x.device)
    if window < len(x):
        entering = leaky(x[:-window], *learned, start=start)[-1].detach()
    last = leaky(x[-window:], *learned, start=entering)[-1]
    return torch.stack(torch.autograd.grad(last, learned))


def bias_bound(states: Tensor, decay: float, window: int) -> Tensor:
    r"""How far the truncated derivative with respect to λ can be from the full one.

    .. math:: \Big|\sum_{j\ge k} \lambda^j c_{T-j-1}\Big|
        \le \max_t |c_t|\,\frac{|\lambda|^k}{1-|\lambda|}

    Args:
        states: every cell that a step started from, shape ``[T]``.
        decay: :math:`\lambda` in (-1, 1).
        window: k.

    Returns:
        Shape ``[]``.

    Raises:
        ValueError: if the cell does not forget, :math:`|\lambda| \ge 1`.

    Example:
        >>> bias_bound(torch.tensor([0.0, -2.0, 1.0]), 0.5, 3).item()
        0.5
    """
    if not abs(decay) < 1:
        raise ValueError(f"expected a decay between -1 and 1, got {decay}; at 1 nothing bounds it")
    return states.abs().max() * abs(decay) ** window / (1 - abs(decay))


def _check_window(window: int, length: int) -> None:
    if not 1 <= window <= length:
        raise ValueError(f"expected a window from 1 to {length} steps, got {window}")


class Truncated(nn.Module):
    r"""A reader whose gradient goes back a number of steps and no further.

    It computes what the reader computes; only the gradient differs.

    Args:
        reader: whose parameters are learned.
        window: k ≥ 1; at T or more the gradient is the full one.

    Raises:
        ValueError: if k is not positive.

    Example:
        >>> reader = arm_named("LSTM, bias 1").reader(20, seeded(0))
        >>> x = torch.randn(20, 3, 8)
        >>> bool(torch.allclose(Truncated(reader, 5)(x)[0][-1], reader(x)[0][-1], atol=1e-6))
        True
    """

    def __init__(self, reader: Reader, window: int) -> None:
        super().__init__()
        if window < 1:
            raise ValueError(f"expected a window of at least 1 step, got {window}")
        self.reader, self.window = reader, window

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores of the window's steps, ``[min(k, T), B, K]``, and the state after them."""
        before, within = x[: -self.window], x[-self.window :]
        if len(before) > 0:
            with torch.no_grad():
                _, state = self.reader(before, state)
        scores, state = self.reader(within, state)
        return scores, state


def recurrent_gradient(reader: Reader, x: Tensor, y: Tensor, window: int) -> Tensor:
    r"""The truncated gradient of a reader's loss, all recurrent layers' weights in one row.

    Args:
        reader: not changed.
        x: inputs ``[T, B, D]``.
        y: answers ``[B]``.
        window: k, from 1 to T.

    Returns:
        Shape ``[P]``.

    Raises:
        ValueError: if k is out of range.

    Example:
        >>> reader = arm_named("RNN").reader(20, seeded(0))
        >>> x, y = next(orders(20, 3, seeded(1)))
        >>> recurrent_gradient(reader, x, y, 20).shape
        torch.Size([3000])
    """
    _check_window(window, len(x))
    loss, _ = loss_and_accuracy(Truncated(reader, window)(x)[0], y)
    learned = list(reader.recurrent.parameters())
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, learned)])


def apart(batches: Iterable[Batch]) -> Iterator[Batch]:
    r"""The temporal-order task with symbols of its own for the first mark.

    Args:
        batches: inputs ``[T, B, 8]``, the marks in the first two places, and answers.

    Yields:
        Inputs ``[T, B, 10]``, the first mark moved to the last two places, and the answers.

    Example:
        >>> x, _ = next(apart(orders(20, 3, seeded(0))))
        >>> x.shape, x[..., :2].sum().item(), x[..., 8:].sum().item()
        (torch.Size([20, 3, 10]), 3.0, 3.0)
    """
    for x, y in batches:
        marks = x[..., :2]
        first = marks * (marks.sum(-1, keepdim=True).cumsum(0) == 1)
        yield torch.cat([marks - first, x[..., 2:], first], -1), y


def own_reader(arm: str, generator: torch.Generator) -> Reader:
    r"""A contender of the study with two more inputs, for :func:`apart`.

    Args:
        arm: the contender's name.
        generator: draws the weights.

    Returns:
        A fresh reader.

    Example:
        >>> own_reader("LSTM, bias 1", seeded(0)).recurrent.input_size
        10
    """
    model = arm_named(arm).reader(LENGTH, generator)
    bias = model.recurrent.get_parameter("bias_ih_l0").detach()
    reader = Reader("lstm", 10, 4, hidden=50, generator=generator)
    with torch.no_grad():
        reader.recurrent.get_parameter("bias_ih_l0").copy_(bias)
    return reader


def window_run(arm: str, window: int, seed: int, *, own: bool = False, total: int = 3_000) -> Row:
    r"""Train one contender at lag 50 with the gradient stopped after so many steps.

    Args:
        arm: the contender's name.
        window: k.
        seed: of weights and sequences.
        own: whether the first mark has symbols of its own.
        total: the largest number of updates.

    Returns:
        Updates and accuracy on 2,000 fresh sequences.

    Example:
        >>> window_run("LSTM, bias 1", 10, 0, total=1)["updates"]
        1
    """
    generator = seeded(seed)
    reader = own_reader(arm, generator) if own else arm_named(arm).reader(LENGTH, generator)

    def sequences(size: int, source: torch.Generator) -> Iterator[Batch]:
        drawn = orders(LENGTH, size, source)
        return apart(drawn) if own else drawn

    updates = right = 0
    batches = sequences(20, seeded(SEQUENCES.seed(seed)))
    for step in train(Truncated(reader, window), batches, total=total, rate=3e-3):
        updates, right = updates + 1, right + 1 if step.terms["accuracy"] == 1 else 0
        if right == 50:
            break
    with torch.no_grad():
        x, y = next(sequences(2_000, seeded(10**6)))
        accuracy = round(float(loss_and_accuracy(reader(x)[0], y)[1]), 4)
    return {
        "arm": arm,
        "own": own,
        "window": window,
        "seed": seed,
        "updates": updates,
        "accuracy": accuracy,
    }


def record_windows(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study of windows: one seed, two contenders, both kinds of mark, every window.

    Args:
        slice: run a part that takes seconds.
        seed: of weights and sequences.

    Yields:
        The rows of :func:`window_run`.
    """
    for arm in ("LSTM, bias 1", "LSTM, keep and shut"):
        for own in (False, True):
            for window in WINDOWS:
                yield window_run(arm, window, seed, own=own, total=2 if slice else 3_000)


STUDIES = (
    Study(
        name="lstm_windows",
        topic="lstm",
        run=record_windows,
        seeds=(0, 1, 2),
        config={
            "task": "temporal order at length 50, as in the study of long lags",
            "own": "the first mark is written in two symbols that stand for nothing else",
            "network": "LSTM, 50 units, both starts of the study of long lags",
            "stop": "1000 training sequences in a row without a mistake",
            "window": "the gradient goes back 19, 30 or 50 steps; the state enters as a number",
            "training": "Adam at 0.003, batches of 20, norm clipped at 1, at most 3000 updates",
            "accuracy": "on 2000 fresh sequences",
        },
    ),
)
