r"""LSTM cells that name their gates, a plain recurrent net, and the paths a gradient takes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class _Record:
    """Tensors by name that share their leading dimensions."""

    def map(self, function: Callable[[Tensor], Tensor]) -> Self:
        r"""The same record with ``function`` applied to each of its tensors."""
        return type(self)(*(function(getattr(self, field.name)) for field in fields(self)))

    def __getitem__(self, step: int | slice) -> Self:
        """One step, or a stretch of steps, of an unrolled record."""
        return self.map(lambda values: values[step])


@dataclass(frozen=True, eq=False)
class Gates(_Record):
    r"""Everything an LSTM cell computed, by name; all of one shape ``[..., H]``.

    Attributes:
        input: :math:`i`, how much of the candidate is written, in (0, 1).
        forget: :math:`f`, how much of the old cell is kept, in (0, 1].
        output: :math:`o`, how much of the cell is shown, in (0, 1).
        candidate: :math:`g`, what may be written, in (-1, 1).
        cell: :math:`c = f \odot c_{\text{old}} + i \odot g`, the memory.
        hidden: :math:`h = o \odot \tanh c`, what the rest of the network sees.
    """

    input: Tensor
    forget: Tensor
    output: Tensor
    candidate: Tensor
    cell: Tensor
    hidden: Tensor

    @property
    def state(self) -> State:
        """``(hidden, cell)``: what the next step needs."""
        return self.hidden, self.cell


class LSTMCell(nn.Module):
    r"""One step of an LSTM, with its gates in the open.

    .. math::
        i &= \sigma(W_{xi}x + W_{hi}h + b_i) & f &= \sigma(W_{xf}x + W_{hf}h + b_f) \\
        g &= \tanh(W_{xg}x + W_{hg}h + b_g) & o &= \sigma(W_{xo}x + W_{ho}h + b_o) \\
        c' &= f \odot c + i \odot g & h' &= o \odot \tanh c'

    The four blocks are stacked in PyTorch's order i, f, g, o, so that
    :func:`from_torch` is a plain copy.

    Args:
        inputs: size D of x.
        hidden: size H of c and h.
        forget_bias: where :math:`b_f` starts.
        forget_gate: ``False`` gives the self-loop of weight 1 of Hochreiter & Schmidhuber (1997);
            the forget gate came with Gers et al. (2000).
        generator: draws the weights, uniform in :math:`\pm 1/\sqrt H`.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: if a size is below 1.

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> gates = cell(torch.zeros(2, 3))
        >>> gates.cell.shape, gates.forget.shape
        (torch.Size([2, 5]), torch.Size([2, 5]))
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        forget_bias: float = 0.0,
        forget_gate: bool = True,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.hidden, self.forget_gate = hidden, forget_gate
        shapes = ((4 * hidden, inputs), (4 * hidden, hidden))
        self.weight_x, self.weight_h = _weights(shapes, hidden, generator, device, dtype)
        self.bias = nn.Parameter(torch.zeros(4 * hidden, device=device, dtype=dtype))
        with torch.no_grad():
            self.bias[hidden : 2 * hidden] = forget_bias

    def forward(self, x: Tensor, state: State | None = None) -> Gates:
        r"""One step.

        Args:
            x: input, shape ``[..., D]``.
            state: ``(hidden, cell)``, each ``[..., H]``; zeros by default.

        Returns:
            The gates and the new state, each ``[..., H]``.

        Raises:
            ValueError: if the last dimension of x is not D, or the state's is not H.
        """
        return self.step(self.drive(x), self.start(x, state))

    def drive(self, x: Tensor) -> Tensor:
        r"""What the input alone adds to all four gates, :math:`W_x x + b`, shape ``[..., 4H]``."""
        if x.shape[-1:] != self.weight_x.shape[1:]:
            raise ValueError(
                f"expected inputs of shape [..., {self.weight_x.shape[1]}], got {list(x.shape)}"
            )
        return x @ self.weight_x.T + self.bias

    def start(self, x: Tensor, state: State | None = None) -> State:
        """The state to begin with: the given one, checked, or zeros."""
        if state is None:
            zeros = x.new_zeros(*x.shape[:-1], self.hidden)
            return zeros, zeros
        for name, values in zip(("hidden", "cell"), state, strict=True):
            if values.shape[-1:] != (self.hidden,):
                raise ValueError(
                    f"expected a {name} state of shape [..., {self.hidden}], "
                    f"got {list(values.shape)}; pass (hidden, cell)"
                )
        return state

    def step(self, drive: Tensor, state: State) -> Gates:
        """One step from the input's part of the pre-activations, ``[..., 4H]``."""
        hidden, cell = state
        i, f, g, o = (drive + hidden @ self.weight_h.T).chunk(4, -1)
        forget = torch.sigmoid(f) if self.forget_gate else torch.ones_like(f)
        return update(torch.sigmoid(i), forget, torch.sigmoid(o), torch.tanh(g), cell)


def update(i: Tensor, f: Tensor, o: Tensor, g: Tensor, cell: Tensor) -> Gates:
    r"""The new cell and hidden state for given gates.

    .. math:: c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh c'

    Args:
        i: input gate, shape ``[..., H]``.
        f: forget gate, shape ``[..., H]``.
        o: output gate, shape ``[..., H]``.
        g: candidate, shape ``[..., H]``.
        cell: old cell, shape ``[..., H]``.

    Returns:
        The record, each ``[..., H]``.

    Example:
        >>> one, zero = torch.ones(1), torch.zeros(1)
        >>> update(zero, one, one, one, torch.tensor([0.3])).cell
        tensor([0.3000])
    """
    new = f * cell + i * g
    return Gates(i, f, o, g, new, o * torch.tanh(new))


class RNNCell(nn.Module):
    r"""A plain recurrent net: :math:`h' = \tanh(W_x x + W_h h + b)`.

    Args:
        inputs: size D of x.
        hidden: size H of h.
        generator: draws the weights, uniform in :math:`\pm 1/\sqrt H`.
        device: of the parameters.
        dtype: of the parameters.

    Raises:
        ValueError: if a size is below 1.

    Example:
        >>> RNNCell(3, 5)(torch.zeros(2, 3)).shape
        torch.Size([2, 5])
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.hidden = hidden
        shapes = ((hidden, inputs), (hidden, hidden))
        self.weight_x, self.weight_h = _weights(shapes, hidden, generator, device, dtype)
        self.bias = nn.Parameter(torch.zeros(hidden, device=device, dtype=dtype))

    def forward(self, x: Tensor, hidden: Tensor | None = None) -> Tensor:
        r"""One step.

        Args:
            x: input, shape ``[..., D]``.
            hidden: shape ``[..., H]``; zeros by default.

        Returns:
            The new hidden state, shape ``[..., H]``.

        Raises:
            ValueError: if a last dimension does not fit.
        """
        if hidden is None:
            hidden = x.new_zeros(*x.shape[:-1], self.hidden)
        if x.shape[-1:] != self.weight_x.shape[1:] or hidden.shape[-1:] != (self.hidden,):
            raise ValueError(
                f"expected x of shape [..., {self.weight_x.shape[1]}] and a hidden state of shape "
                f"[..., {self.hidden}], got {list(x.shape)} and {list(hidden.shape)}"
            )
        return torch.tanh(x @ self.weight_x.T + hidden @ self.weight_h.T + self.bias)


def _weights(
    shapes: tuple[tuple[int, int], ...],
    hidden: int,
    generator: torch.Generator | None,
    device: torch.device | str | None,
    dtype: torch.dtype | None,
) -> list[nn.Parameter]:
    if min(min(shape) for shape in shapes) < 1:
        raise ValueError(f"expected sizes of at least 1, got weights of shape {list(shapes)}")
    bound = 1 / math.sqrt(hidden)
    home = generator.device if generator is not None else device
    drawn = (torch.empty(shape, device=home, dtype=dtype) for shape in shapes)
    return [
        nn.Parameter(values.uniform_(-bound, bound, generator=generator).to(device))
        for values in drawn
    ]


def unroll(
    cell: LSTMCell, xs: Tensor, state: State | None = None, *, through_hidden: bool = True
) -> Gates:
    r"""Run a cell along a sequence and keep every gate.

    Args:
        cell: the cell.
        xs: inputs, shape ``[T, ..., D]`` with T ≥ 1.
        state: ``(hidden, cell)`` before the first step, each ``[..., H]``; zeros by default.
        through_hidden: ``False`` stops gradients at :math:`h_{t-1}`, so that error flows back
            through the cell only: the truncation of Hochreiter & Schmidhuber (1997).

    Returns:
        The gates, each ``[T, ..., H]``.

    Raises:
        ValueError: if the sequence is empty or a size does not fit.

    Example:
        >>> unroll(LSTMCell(3, 5), torch.zeros(7, 2, 3)).cell.shape
        torch.Size([7, 2, 5])
    """
    _check_sequence(xs)
    drives, now = cell.drive(xs), cell.start(xs[0], state)
    record = []
    for drive in drives:
        hidden = now[0] if through_hidden else now[0].detach()
        gates = cell.step(drive, (hidden, now[1]))
        record.append(gates)
        now = gates.state
    return _stacked(record)


def _stacked(record: list[Gates]) -> Gates:
    """One record with a leading dimension of steps."""
    names = [field.name for field in fields(Gates)]
    return Gates(*(torch.stack([getattr(gates, name) for gates in record]) for name in names))


def unroll_rnn(cell: RNNCell, xs: Tensor, hidden: Tensor | None = None) -> Tensor:
    r"""Run a plain recurrent net along a sequence.

    Args:
        cell: the net.
        xs: inputs, shape ``[T, ..., D]`` with T ≥ 1.
        hidden: before the first step, shape ``[..., H]``; zeros by default.

    Returns:
        Hidden states, shape ``[T, ..., H]``.

    Raises:
        ValueError: if the sequence is empty or a size does not fit.

    Example:
        >>> unroll_rnn(RNNCell(3, 5), torch.zeros(7, 2, 3)).shape
        torch.Size([7, 2, 5])
    """
    _check_sequence(xs)
    record = []
    for x in xs:
        hidden = cell(x, hidden)
        record.append(hidden)
    return torch.stack(record)


def _check_sequence(xs: Tensor) -> None:
    if xs.ndim < 2 or len(xs) == 0:
        raise ValueError(f"expected a sequence of shape [T, ..., D], T ≥ 1, got {list(xs.shape)}")


def from_torch(module: nn.LSTM) -> LSTMCell:
    r"""Our cell with the weights of a one-layer :class:`torch.nn.LSTM`.

    PyTorch stacks the blocks as i, f, g, o and has two bias vectors whose sum is ours.

    Args:
        module: one layer, one direction, no projection.

    Returns:
        A cell that computes the same function; its parameters are copies.

    Raises:
        ValueError: if the module has more layers or directions, a projection, or reads
            ``[B, T, D]``.

    Example:
        >>> module = nn.LSTM(3, 5)
        >>> xs = torch.randn(7, 2, 3)
        >>> bool(torch.allclose(unroll(from_torch(module), xs).hidden, module(xs)[0], atol=1e-6))
        True
    """
    if module.num_layers != 1 or module.bidirectional or module.proj_size:
        raise ValueError(
            f"expected one layer, one direction and no projection, got {module}; "
            "copy each layer and direction to a cell of its own"
        )
    if module.batch_first:
        raise ValueError(
            f"expected a module that reads [T, B, D], got {module}; make it with "
            "batch_first=False and transpose its inputs"
        )
    weights = dict(module.named_parameters())
    cell = LSTMCell(module.input_size, module.hidden_size).to(weights["weight_ih_l0"])
    with torch.no_grad():
        cell.weight_x.copy_(weights["weight_ih_l0"])
        cell.weight_h.copy_(weights["weight_hh_l0"])
        if module.bias:
            cell.bias.copy_(weights["bias_ih_l0"] + weights["bias_hh_l0"])
    return cell


def hold(candidate: Tensor, *, i: float, f: float, o: float, cell: float = 0.0) -> Gates:
    r"""Drive one cell by hand: constant gates, a given candidate at each step.

    .. math:: c_t = f^t c_0 + i \sum_{s=1}^{t} f^{\,t-s} g_s

    Args:
        candidate: :math:`g_1, \dots, g_T`, shape ``[T, ...]`` with T ≥ 1.
        i: input gate in [0, 1].
        f: forget gate in [0, 1].
        o: output gate in [0, 1].
        cell: :math:`c_0`.

    Returns:
        The gates, each ``[T, ...]``.

    Raises:
        ValueError: if a gate leaves [0, 1] or there is no step.

    Example:
        >>> hold(torch.tensor([1.0, 0.0, 0.0]), i=1, f=0.5, o=1).cell
        tensor([1.0000, 0.5000, 0.2500])
    """
    for name, gate in (("i", i), ("f", f), ("o", o)):
        if not 0 <= gate <= 1:
            raise ValueError(f"expected the gate {name} in [0, 1], got {gate}")
    if candidate.ndim == 0 or len(candidate) == 0:
        raise ValueError(f"expected candidates of shape [T, ...], got {list(candidate.shape)}")
    held_i, held_f, held_o, now = (
        torch.full_like(candidate[0], value) for value in (i, f, o, cell)
    )
    record = []
    for g in candidate:
        record.append(update(held_i, held_f, held_o, g, now))
        now = record[-1].cell
    return _stacked(record)
