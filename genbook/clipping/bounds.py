r"""Gradients through many steps: when they vanish, when they explode, and their bounds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.lstm import paths


@dataclass(frozen=True)
class Squash:
    r"""A squashing function with its slope.

    Attributes:
        name: as figures call it.
        function: σ, elementwise.
        slope: σ′, elementwise.
        gamma: γ, the largest slope there is.
    """

    name: str
    function: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    gamma: float


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


TANH = Squash("tanh", torch.tanh, lambda x: torch.cosh(x).pow(-2), 1.0)
SIGMOID = Squash("sigmoid", torch.sigmoid, _sigmoid_slope, 0.25)
LINEAR = Squash("none", lambda x: x, torch.ones_like, 1.0)
SQUASHES = (TANH, SIGMOID, LINEAR)


def states(weight: Tensor, drives: Tensor, start: Tensor, squash: Squash = TANH) -> Tensor:
    r"""Run a recurrent net in the form of Pascanu et al.

    .. math:: x_t = W\,\sigma(x_{t-1}) + d_t

    Args:
        weight: W, ``[H, H]``.
        drives: what input and bias add at each step, d, ``[T, H]``.
        start: :math:`x_0`, ``[H]``.
        squash: σ.

    Returns:
        :math:`x_0, \dots, x_T`, ``[T + 1, H]``.

    Raises:
        ValueError: if the sizes do not fit.

    Source:
        Pascanu, Mikolov & Bengio (2013), equation 2.

    Example:
        >>> states(torch.eye(2), torch.ones(3, 2), torch.zeros(2), LINEAR)[:, 0]
        tensor([0., 1., 2., 3.])
    """
    _check_square(weight)
    if drives.ndim != 2 or drives.shape[1:] != start.shape or start.shape != weight.shape[:1]:
        raise ValueError(
            f"expected drives [T, {len(weight)}] and a start [{len(weight)}], "
            f"got {list(drives.shape)} and {list(start.shape)}"
        )
    seen = [start]
    for drive in drives:
        seen.append(weight @ squash.function(seen[-1]) + drive)
    return torch.stack(seen)


def _check_square(weight: Tensor) -> None:
    if weight.ndim != 2 or weight.shape[0] != weight.shape[1]:
        raise ValueError(f"expected recurrent weights of shape [H, H], got {list(weight.shape)}")


def hold_at(weight: Tensor, state: Tensor, squash: Squash = TANH) -> Tensor:
    r"""The constant drive that keeps a net in a state.

    .. math:: d = x - W\sigma(x)

    Args:
        weight: W, ``[H, H]``.
        state: x, ``[H]``.
        squash: σ.

    Returns:
        Shape ``[H]``.

    Example:
        >>> hold_at(2 * torch.eye(1), torch.ones(1), LINEAR)
        tensor([-1.])
    """
    _check_square(weight)
    return state - weight @ squash.function(state)


def products(weight: Tensor, xs: Tensor, squash: Squash = TANH) -> Tensor:
    r"""How each state depends on the first.

    .. math::
        \frac{\partial x_k}{\partial x_0} = J_k\cdots J_1,\qquad
        J_i = W\operatorname{diag}\big(\sigma'(x_{i-1})\big)

    Args:
        weight: W, ``[H, H]``.
        xs: the states, ``[K + 1, H]``.
        squash: σ.

    Returns:
        Shape ``[K + 1, H, H]``; the first is the identity.

    Raises:
        ValueError: if the sizes do not fit.

    Example:
        >>> products(2 * torch.eye(1), torch.zeros(4, 1), TANH).flatten()
        tensor([1., 2., 4., 8.])
    """
    _check_square(weight)
    if xs.ndim != 2 or xs.shape[1] != len(weight) or len(xs) == 0:
        raise ValueError(f"expected states [K + 1, {len(weight)}], got {list(xs.shape)}")
    found = [torch.eye(len(weight), dtype=weight.dtype, device=weight.device)]
    for slopes in squash.slope(xs[:-1]):
        found.append((weight * slopes) @ found[-1])
    return torch.stack(found)


def upper_bound(weight: Tensor, steps: int, gamma: float = 1.0) -> Tensor:
    r"""The largest norm that a k-step gradient can have.

    .. math:: \Big\|\frac{\partial x_k}{\partial x_0}\Big\| \le (\gamma\lambda_1)^k

    Args:
        weight: W with largest singular value :math:`\lambda_1`, ``[H, H]``.
        steps: the largest k.
        gamma: γ, the largest slope of the squashing function.

    Returns:
        For k = 0, …, steps: ``[steps + 1]``.

    Source:
        Pascanu, Mikolov & Bengio (2013), equations 6 and 7.

    Example:
        >>> upper_bound(torch.eye(2), 2, 0.25)
        tensor([1.0000, 0.2500, 0.0625])
    """
    return paths.rnn_bound(weight, steps, gamma=gamma)


def lower_bound(weight: Tensor, xs: Tensor, squash: Squash = TANH) -> Tensor:
    r"""The least norm that a k-step gradient can have, from determinants.

    .. math::
        \Big\|\frac{\partial x_k}{\partial x_0}\Big\| \ge
        \Big|\det\frac{\partial x_k}{\partial x_0}\Big|^{1/H}
        = |\det W|^{k/H}\prod_{i<k}\Big(\prod_j\sigma'(x_{ij})\Big)^{1/H}

    A determinant is the product of the singular values, and the largest of them is at least their
    geometric mean.

    Args:
        weight: W, ``[H, H]``.
        xs: the states, ``[K + 1, H]``.
        squash: σ.

    Returns:
        For k = 0, …, K: ``[K + 1]``; 0 for a singular W.

    Example:
        >>> lower_bound(2 * torch.eye(3), torch.zeros(3, 3), SIGMOID)
        tensor([1.0000, 0.5000, 0.2500])
    """
    _check_square(weight)
    each = torch.linalg.slogdet(weight).logabsdet / len(weight)
    steps = each + squash.slope(xs[:-1]).log().mean(-1)
    return torch.cat([steps.new_zeros(1), steps.cumsum(0)]).exp()


KINDS = ("random", "rotation", "one-way")


def with_largest(kind: str, size: int, largest: float, generator: torch.Generator) -> Tensor:
    r"""Recurrent weights of a kind, scaled to a given largest singular value.

    Args:
        kind: ``random`` (Gaussian entries), ``rotation`` (orthogonal: all singular values equal),
            or ``one-way`` (each unit feeds only units after it, so every eigenvalue is 0).
        size: H.
        largest: :math:`\lambda_1`.
        generator: source of randomness.

    Returns:
        Shape ``[H, H]``, float64.

    Raises:
        ValueError: if the kind is unknown or ``largest`` not positive.

    Example:
        >>> weight = with_largest("rotation", 4, 2.0, torch.Generator().manual_seed(0))
        >>> torch.allclose(weight.T @ weight, 4 * torch.eye(4).double())
        True
    """
    if kind not in KINDS or not largest > 0:
        raise ValueError(
            f"expected a kind out of {', '.join(KINDS)} and largest > 0, got {kind!r}, {largest}"
        )
    drawn = torch.randn(
        size, size, generator=generator, device=generator.device, dtype=torch.float64
    )
    if kind == "rotation":
        drawn = torch.linalg.qr(drawn).Q
    if kind == "one-way":
        drawn = drawn.tril(-1)
    return drawn * (largest / torch.linalg.matrix_norm(drawn, 2))


# Two units, by hand


def tilted(largest: float, degrees: float) -> Tensor:
    r"""Two units whose weights have rank one; the angle sets the eigenvalue and nothing else.

    .. math:: W = \lambda_1\, u v^\top,\qquad \lambda_1(W) = \lambda_1,\quad
        \rho(W) = \lambda_1|\cos\varphi|

    with unit vectors u = (1, 1)/√2 and v at an angle φ to it.

    Args:
        largest: :math:`\lambda_1`.
        degrees: φ.

    Returns:
        Shape ``[2, 2]``, float64.

    Raises:
        ValueError: if ``largest`` is not positive.

    Example:
        >>> (tilted(4.0, 90.0) @ tilted(4.0, 90.0)).abs().max().item() < 1e-14
        True
    """
    if not largest > 0:
        raise ValueError(f"expected a largest singular value > 0, got {largest}")
    turn = math.radians(45 - degrees)
    u = torch.tensor([1.0, 1.0], dtype=torch.float64) / math.sqrt(2)
    v = torch.tensor([math.cos(turn), math.sin(turn)], dtype=torch.float64)
    return largest * torch.outer(u, v)


def held_norms(weight: Tensor, slopes: Tensor, steps: int) -> Tensor:
    r"""Norm of the k-step gradient while the slopes of all units are held.

    .. math:: \big\|(W D)^k\big\|,\qquad D = \operatorname{diag}(\text{slopes})

    Args:
        weight: W, ``[H, H]``.
        slopes: σ′ of each unit, ``[H]``.
        steps: the largest k.

    Returns:
        For k = 0, …, steps: ``[steps + 1]``.

    Example:
        >>> held_norms(2 * torch.eye(2), torch.ones(2), 2)
        tensor([1., 2., 4.])
    """
    _check_square(weight)
    step = weight * slopes
    powers = [torch.eye(len(weight), dtype=weight.dtype, device=weight.device)]
    for _ in range(steps):
        powers.append(step @ powers[-1])
    return paths.norms(torch.stack(powers))
