r"""The paths a gradient takes back through an LSTM or a plain recurrent net, and their bounds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genbook.lstm.cells import Gates, LSTMCell, RNNCell, State, _check_sequence, unroll
from genbook.lstm.lag import STUDIES as STUDIES


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
        >>> from genbook.lstm.cells import unroll_rnn
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
