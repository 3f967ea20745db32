r"""LSTM cells that name their gates, a plain recurrent net, and the paths a gradient takes back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from genbook.lstm_training import STUDIES as STUDIES

State = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Gates:
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

    def map(self, function: Callable[[Tensor], Tensor]) -> Gates:
        r"""The same record with ``function`` applied to each of its tensors."""
        return Gates(*(function(getattr(self, field.name)) for field in fields(self)))

    def __getitem__(self, step: int | slice) -> Gates:
        """One step, or a stretch of steps, of an unrolled record."""
        return self.map(lambda values: values[step])


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
        ValueError: if the module has more layers or directions, or a projection.

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


def memory(forget_bias: Tensor | float) -> Tensor:
    r"""Steps after which a cell held at :math:`f=\sigma(b)` has kept 1/e of its content.

    .. math:: \tau(b) = \frac{-1}{\log \sigma(b)} = \frac{1}{\log(1+e^{-b})},
        \qquad e^{b} < \tau(b) < e^{b} + \tfrac12

    Args:
        forget_bias: :math:`b`, any shape.

    Returns:
        :math:`\tau`, the same shape, in steps.

    Example:
        >>> memory(torch.tensor([0.0, 1.0, 4.0])).round(decimals=1)
        tensor([ 1.4000,  3.2000, 55.1000])
    """
    bias = torch.as_tensor(forget_bias)
    if not bias.is_floating_point():
        bias = bias.to(torch.get_default_dtype())
    return 1 / nn.functional.softplus(-bias)


def direct_path(forget: Tensor) -> Tensor:
    r"""The direct path from the last cell back to each earlier one.

    .. math:: \left.\frac{\partial c_T}{\partial c_t}\right|_{\text{direct}}
        = \operatorname{diag}\Big(\prod_{s=t+1}^{T} f_s\Big)

    Args:
        forget: forget gates :math:`f_1, \dots, f_T`, shape ``[T, ..., H]``.

    Returns:
        The diagonals for :math:`t = 1, \dots, T`, shape ``[T, ..., H]``; the last is 1.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> direct_path(torch.tensor([[0.9], [0.5], [0.5]])).flatten()
        tensor([0.2500, 0.5000, 1.0000])
    """
    _check_sequence(forget)
    later = torch.cat([forget[1:], torch.ones_like(forget[:1])])
    return later.flip(0).cumprod(0).flip(0)


def jacobians(cell: LSTMCell, gates: Gates, start: State | None = None) -> Tensor:
    r"""Each step's Jacobian of the whole state, cell and hidden together.

    .. math::
        J_t = \frac{\partial(c_t,h_t)}{\partial(c_{t-1},h_{t-1})}
            = \begin{pmatrix} F & A \\ S F & S A + B \end{pmatrix},\quad
        F = \operatorname{diag} f_t,\; S = \operatorname{diag}\big(o_t(1-\tanh^2 c_t)\big)

    with :math:`A = \partial c_t/\partial h_{t-1}` through f, i and g, and B through o.

    Args:
        cell: the cell that made the gates.
        gates: from :func:`unroll`, each ``[T, ..., H]``.
        start: the state before the first step; zeros by default.

    Returns:
        Shape ``[T, ..., 2H, 2H]``, the cell's rows and columns first.

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> jacobians(cell, unroll(cell, torch.zeros(7, 3))).shape
        torch.Size([7, 10, 10])
    """
    before = torch.zeros_like(gates.cell[0]) if start is None else start[1]
    old = torch.cat([before[None], gates.cell[:-1]])
    wi, wf, wg, wo = cell.weight_h.chunk(4)
    i, f, o, g = gates.input, gates.forget, gates.output, gates.candidate
    a = _rows(g * i * (1 - i), wi) + _rows(i * (1 - g**2), wg)
    if cell.forget_gate:
        a = a + _rows(old * f * (1 - f), wf)
    squashed = torch.tanh(gates.cell)
    slope = o * (1 - squashed**2)
    top = torch.cat([torch.diag_embed(f), a], -1)
    bottom_right = _rows(slope, a) + _rows(squashed * o * (1 - o), wo)
    bottom = torch.cat([torch.diag_embed(slope * f), bottom_right], -1)
    return torch.cat([top, bottom], -2)


def _rows(scale: Tensor, matrix: Tensor) -> Tensor:
    """``diag(scale) @ matrix``."""
    return scale[..., None] * matrix


def total_path(cell: LSTMCell, gates: Gates, start: State | None = None) -> Tensor:
    r"""All ways back from the last cell to each earlier one, those through h included.

    .. math:: \frac{\mathrm d c_T}{\mathrm d c_t} =
        \begin{pmatrix} I & 0 \end{pmatrix} J_T \cdots J_{t+1}
        \begin{pmatrix} I \\ \operatorname{diag}\big(o_t(1-\tanh^2 c_t)\big) \end{pmatrix}

    Args:
        cell: the cell that made the gates.
        gates: from :func:`unroll`, each ``[T, ..., H]``.
        start: the state before the first step; zeros by default.

    Returns:
        Shape ``[T, ..., H, H]`` for t = 1, …, T; the last is the identity.

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> total_path(cell, unroll(cell, torch.zeros(7, 3)))[-1].trace().item()
        5.0
    """
    size = cell.hidden
    steps = jacobians(cell, gates, start)
    slope = gates.output * (1 - torch.tanh(gates.cell) ** 2)
    eye = torch.eye(size, device=steps.device, dtype=steps.dtype)
    row = torch.cat([eye, torch.zeros_like(eye)], -1).expand(*steps.shape[1:-2], size, 2 * size)
    back = [eye.expand(*steps.shape[1:-2], size, size)]
    for t in range(len(steps) - 1, 0, -1):
        row = row @ steps[t]
        back.append(row[..., :size] + row[..., size:] * slope[t - 1][..., None, :])
    return torch.stack(back[::-1])


def path_by_autograd(
    cell: LSTMCell, xs: Tensor, step: int, *, through_hidden: bool = True
) -> Tensor:
    r""":math:`\mathrm d c_T / \mathrm d c_t` by automatic differentiation: the second opinion.

    Args:
        cell: the cell.
        xs: one sequence, shape ``[T, D]``.
        step: t, from 1 to T.
        through_hidden: ``False`` keeps the direct path only.

    Returns:
        Shape ``[H, H]``.

    Raises:
        ValueError: if t is out of range or there is more than one sequence.

    Example:
        >>> path_by_autograd(LSTMCell(3, 2), torch.zeros(4, 3), 4)
        tensor([[1., 0.],
                [0., 1.]])
    """
    if xs.ndim != 2 or not 1 <= step <= len(xs):
        raise ValueError(
            f"expected one sequence of shape [T, D] and 1 ≤ step ≤ T, got {list(xs.shape)} "
            f"and step={step}"
        )
    with torch.no_grad():
        at = unroll(cell, xs)[step - 1]
    drives = cell.drive(xs)[step:]

    def last(c: Tensor) -> Tensor:
        state = at.output * torch.tanh(c), c
        for drive in drives:
            hidden = state[0] if through_hidden else state[0].detach()
            state = cell.step(drive, (hidden, state[1])).state
        return state[1]

    jacobian: Tensor = torch.func.jacrev(last)(at.cell)
    return jacobian


def step_gap_bound(cell: LSTMCell, gates: Gates) -> Tensor:
    r"""How far one step's total path can stray from the direct one.

    .. math:: \Big\|\frac{\mathrm d c_t}{\mathrm d c_{t-1}} - \operatorname{diag} f_t\Big\| \le
        \tfrac14 \|c_{t-1}\|_\infty \|W_{hf}\| + \tfrac14 \|W_{hi}\| + \|W_{hg}\|

    Args:
        cell: the cell that made the gates.
        gates: from :func:`unroll`, each ``[T, ..., H]``.

    Returns:
        The right-hand side for t = 2, …, T, shape ``[T - 1, ...]`` (spectral norms).

    Example:
        >>> cell = LSTMCell(3, 5)
        >>> step_gap_bound(cell, unroll(cell, torch.zeros(7, 3))).shape
        torch.Size([6])
    """
    wi, wf, wg, _ = (torch.linalg.matrix_norm(block, 2) for block in cell.weight_h.chunk(4))
    if not cell.forget_gate:
        wf = torch.zeros_like(wf)
    bound: Tensor = gates.cell[:-1].abs().amax(-1) / 4 * wf + wi / 4 + wg
    return bound


def rnn_path(cell: RNNCell, hidden: Tensor) -> Tensor:
    r"""From the last hidden state of a plain recurrent net back to each earlier one.

    .. math:: \frac{\partial h_T}{\partial h_t} = \prod_{s=T}^{t+1} \operatorname{diag}(1-h_s^2) W_h

    Args:
        cell: the net.
        hidden: its states, from :func:`unroll_rnn`, shape ``[T, ..., H]``.

    Returns:
        Shape ``[T, ..., H, H]`` for t = 1, …, T; the last is the identity.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> cell = RNNCell(3, 5)
        >>> rnn_path(cell, unroll_rnn(cell, torch.zeros(7, 3)))[-1].trace().item()
        5.0
    """
    _check_sequence(hidden)
    row = torch.eye(cell.hidden, device=hidden.device, dtype=hidden.dtype)
    row = row.expand(*hidden.shape[1:], cell.hidden)
    back = [row]
    for h in hidden[1:].flip(0):
        row = row @ _rows(1 - h**2, cell.weight_h)
        back.append(row)
    return torch.stack(back[::-1])


def rnn_bound(weight: Tensor, steps: int, *, gamma: float = 1.0) -> Tensor:
    r"""Pascanu, Mikolov & Bengio's bound on a plain recurrent net's path, equations (6)–(7).

    .. math:: \Big\|\frac{\partial h_{t+k}}{\partial h_t}\Big\| \le (\gamma \lambda_1)^k

    :math:`\lambda_1` is the largest **singular value** of the recurrent weights, γ the largest
    slope of the squashing function: 1 for tanh, 1/4 for the sigmoid. :math:`\lambda_1 < 1/\gamma`
    is sufficient for the gradient to vanish; :math:`\lambda_1 > 1/\gamma` is only necessary for it
    to explode.

    Args:
        weight: recurrent weights, shape ``[H, H]``.
        steps: the largest k.
        gamma: the largest slope.

    Returns:
        The bound for k = 0, …, steps, shape ``[steps + 1]``.

    Raises:
        ValueError: if the matrix is not square, ``steps`` is negative or ``gamma`` not positive.

    Example:
        >>> rnn_bound(torch.eye(2) / 2, 2)
        tensor([1.0000, 0.5000, 0.2500])
    """
    if weight.ndim != 2 or weight.shape[0] != weight.shape[1]:
        raise ValueError(f"expected recurrent weights of shape [H, H], got {list(weight.shape)}")
    if steps < 0 or gamma <= 0:
        raise ValueError(f"expected steps ≥ 0 and gamma > 0, got {steps} and {gamma}")
    rate = gamma * torch.linalg.matrix_norm(weight, 2)
    bound: Tensor = rate ** torch.arange(steps + 1, device=weight.device, dtype=weight.dtype)
    return bound


def saturating_pair(steps: int) -> tuple[RNNCell, Tensor, Tensor]:
    r"""A plain net of spectral radius 0 whose gradient doubles at every step.

    .. math:: W_h = \begin{pmatrix} 2 & -2 \\ 2 & -2 \end{pmatrix},\qquad W_h^2 = 0

    The inputs hold unit 1 at 0, where tanh has slope 1, and unit 2 where its slope is almost 0, so
    that each step multiplies by the first row only. Then :math:`\|\partial h_{t+k}/\partial h_t\|
    = 2^k\sqrt2` for k ≥ 1, up to the slope left in unit 2.

    Args:
        steps: T.

    Returns:
        The net, its inputs ``[T, 2]`` and the hidden state to start from ``[2]``; double precision.

    Example:
        >>> net, xs, start = saturating_pair(4)
        >>> norms(rnn_path(net, unroll_rnn(net, xs, start)))[0].item() / math.sqrt(2)
        8.0...
    """
    net = RNNCell(2, 2, dtype=torch.float64)
    with torch.no_grad():
        net.weight_h.copy_(torch.tensor([[2.0, -2.0], [2.0, -2.0]]))
        net.weight_x.copy_(torch.eye(2))
        net.bias.zero_()
    xs = torch.tensor([2.0, 22.0], dtype=torch.float64).expand(steps, 2)
    return net, xs, torch.tensor([0.0, 1.0], dtype=torch.float64)


def spectral_radius(weight: Tensor) -> Tensor:
    r"""The largest modulus of an eigenvalue, :math:`\rho(W) \le \lambda_1(W)`.

    Args:
        weight: shape ``[H, H]``.

    Returns:
        Shape ``[]``.

    Example:
        >>> spectral_radius(torch.tensor([[0.0, 3.0], [0.0, 0.0]])).item()
        0.0
    """
    radius: Tensor = torch.linalg.eigvals(weight).abs().max()
    return radius


def norms(path: Tensor) -> Tensor:
    r"""Spectral norm of each matrix of a path, shape ``[T, ..., H, H]`` → ``[T, ...]``.

    Example:
        >>> norms(torch.eye(3).expand(2, 3, 3))
        tensor([1., 1.])
    """
    values: Tensor = torch.linalg.matrix_norm(path, 2)
    return values
