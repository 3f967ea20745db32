r"""What may be done to a gradient between the backward pass and the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

Edit = Callable[[Tensor], Tensor]
Optimiser = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]

# Clipping


def norm(gradients: Sequence[Tensor]) -> Tensor:
    r"""Euclidean norm of all gradients together, as if they were one long vector.

    Args:
        gradients: any shapes, at least one.

    Returns:
        Shape ``[]``.

    Raises:
        ValueError: if there is none.

    Example:
        >>> norm([torch.tensor([3.0]), torch.tensor([[4.0]])]).item()
        5.0
    """
    if not gradients:
        raise ValueError("expected at least one gradient, got none; run backward() first")
    return torch.stack([gradient.square().sum() for gradient in gradients]).sum().sqrt()


def by_norm(gradients: Sequence[Tensor], threshold: float) -> list[Tensor]:
    r"""Shorten the gradient to ``threshold`` if it is longer; its direction stays.

    .. math:: \hat g \leftarrow \frac{\text{threshold}}{\|\hat g\|}\,\hat g
        \quad\text{if}\quad \|\hat g\| \ge \text{threshold}

    Source:
        Pascanu, Mikolov & Bengio (2013), algorithm 1. :func:`torch.nn.utils.clip_grad_norm_`
        divides by :math:`\|\hat g\| + 10^{-6}` and so ends a little below the threshold.

    Args:
        gradients: any shapes; the norm runs over all of them.
        threshold: the largest norm allowed.

    Returns:
        New tensors of the same shapes.

    Raises:
        ValueError: if the threshold is not positive.

    Example:
        >>> by_norm([torch.tensor([6.0, 8.0])], 5.0)
        [tensor([3., 4.])]
    """
    _positive("threshold", threshold)
    length = norm(gradients)
    scale = torch.where(length >= threshold, threshold / length, torch.ones_like(length))
    return [gradient * scale for gradient in gradients]


def by_value(gradients: Sequence[Tensor], limit: float) -> list[Tensor]:
    r"""Cut each component to [-limit, limit]; the direction may turn.

    Args:
        gradients: any shapes.
        limit: the largest component allowed.

    Returns:
        New tensors of the same shapes.

    Raises:
        ValueError: if the limit is not positive.

    Example:
        >>> by_value([torch.tensor([6.0, 0.5])], 1.0)
        [tensor([1.0000, 0.5000])]
    """
    _positive("limit", limit)
    return [gradient.clamp(-limit, limit) for gradient in gradients]


def turned(first: Sequence[Tensor], second: Sequence[Tensor]) -> Tensor:
    r"""Angle between two gradients, in degrees.

    .. math:: 2\arctan\frac{\|u - v\|}{\|u + v\|},\qquad u = g/\|g\|,\; v = g'/\|g'\|

    which, unlike the arc cosine, is exact near 0.

    Args:
        first: any shapes.
        second: the same shapes.

    Returns:
        Shape ``[]``, in [0, 180].

    Raises:
        ValueError: if one of them is zero.

    Example:
        >>> turned([torch.tensor([1.0, 0.0])], [torch.tensor([5.0, 5.0])]).item()
        45.0
    """
    lengths = norm(first), norm(second)
    if not all(length > 0 for length in lengths):
        raise ValueError("expected two gradients that are not zero; the angle to zero is undefined")
    pairs = [(f / lengths[0], s / lengths[1]) for f, s in zip(first, second, strict=True)]
    apart, together = norm([f - s for f, s in pairs]), norm([f + s for f, s in pairs])
    return torch.rad2deg(2 * torch.atan2(apart, together))


def largest_turn(count: int) -> float:
    r"""No clipping by value turns a gradient of n components further than this, in degrees.

    .. math:: \cos\angle(g, \operatorname{clip}(g)) \ge \frac1{\sqrt n}

    Args:
        count: n.

    Returns:
        :math:`\arccos(1/\sqrt n)`; approached, never reached.

    Raises:
        ValueError: if there is no component.

    Example:
        >>> round(largest_turn(2), 6)
        45.0
    """
    if count < 1:
        raise ValueError(f"expected at least one component, got {count}")
    return math.degrees(math.acos(1 / math.sqrt(count)))


def threshold_rule(norms: Tensor, factor: float = 1.0) -> float:
    r"""A threshold from the average norm seen over many updates.

    Source:
        Pascanu, Mikolov & Bengio (2013), section 3.2: from half to ten times that average still
        converged.

    Args:
        norms: of the gradient at each update, ``[N]``.
        factor: how many averages.

    Returns:
        The threshold.

    Raises:
        ValueError: if there is no norm, one is not finite, or the factor is not positive.

    Example:
        >>> threshold_rule(torch.tensor([1.0, 3.0]), factor=5)
        10.0
    """
    _positive("factor", factor)
    if norms.numel() == 0 or not bool(norms.isfinite().all()):
        raise ValueError(
            f"expected the finite norms of some updates, got {norms.numel()} of which "
            f"{int(norms.isfinite().sum())} are finite; measure them at a smaller learning rate"
        )
    return factor * norms.mean().item()


def _positive(name: str, value: float) -> None:
    if not value > 0 or math.isnan(value):
        raise ValueError(f"expected a positive {name}, got {value}")


# Free edits


def clipped(limit: float) -> Edit:
    r"""The edit that shortens one tensor's gradient to norm ``limit``.

    Args:
        limit: the largest norm of each tensor's gradient.

    Raises:
        ValueError: if the limit is not positive.

    Example:
        >>> clipped(1.0)(torch.tensor([0.0, 4.0]))
        tensor([0., 1.])
    """
    _positive("limit", limit)
    return lambda gradient: by_norm([gradient], limit)[0]


def normalised(gradient: Tensor) -> Tensor:
    r"""The gradient at length 1; zero stays zero.

    Args:
        gradient: any shape.

    Example:
        >>> normalised(torch.tensor([0.0, 4.0]))
        tensor([0., 1.])
    """
    length = gradient.norm()
    return gradient / torch.where(length > 0, length, torch.ones_like(length))


def centralised(gradient: Tensor) -> Tensor:
    r"""The gradient without its mean over what enters each unit.

    .. math:: g_{ij} \leftarrow g_{ij} - \frac1n \sum_{j'} g_{ij'}

    A projection: the weights into a unit keep their sum. Vectors (biases) are left alone.

    Source:
        Yong, Huang, Hua & Zhang (2020), gradient centralization.

    Args:
        gradient: a weight's gradient, ``[out, in, ...]``.

    Example:
        >>> centralised(torch.tensor([[1.0, 3.0]]))
        tensor([[-1.,  1.]])
    """
    if gradient.ndim < 2:
        return gradient
    return gradient - gradient.mean(dim=tuple(range(1, gradient.ndim)), keepdim=True)


@contextmanager
def edited(parameters: Iterable[nn.Parameter], edit: Edit) -> Iterator[None]:
    r"""While this lasts, ``backward()`` stores ``edit(gradient)`` and not the gradient.

    The hook sees one parameter at a time, and one backward pass at a time: gradients accumulated
    over several passes are a sum of edited parts, not an edited sum.

    Args:
        parameters: whose gradients are edited.
        edit: gradient → gradient of the same shape.

    Example:
        >>> weight = nn.Parameter(torch.tensor([3.0]))
        >>> with edited([weight], clipped(1.0)):
        ...     (weight**2).sum().backward()
        >>> weight.grad
        tensor([1.])
    """
    hooks = [parameter.register_hook(edit) for parameter in parameters]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


# A learning rate for each layer


class Scaled(nn.Module):
    r"""The reparameterisation :math:`\theta = \lambda\phi`; the optimiser sees φ.

    Args:
        factor: λ.

    Raises:
        ValueError: if λ is not positive.

    Example:
        >>> Scaled(4.0)(Scaled(4.0).right_inverse(torch.tensor([2.0])))
        tensor([2.])
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        _positive("factor", factor)
        self.factor = factor

    def forward(self, phi: Tensor) -> Tensor:
        r"""θ from φ."""
        return self.factor * phi

    def right_inverse(self, theta: Tensor) -> Tensor:
        r"""φ from θ."""
        return theta / self.factor


def layer_rate(module: nn.Module, rate_factor: float, *, adaptive: bool) -> nn.Module:
    r"""Give one layer a learning rate of its own, whatever the optimiser, by θ = λφ.

    SGD multiplies the layer's rate by :math:`\lambda^2`, an adaptive optimiser by λ; so λ is
    :math:`\sqrt{\text{factor}}` for the first and the factor itself for the second. What the layer
    computes does not change.

    Source:
        Su Jianlin (2019), kexue.fm/archives/6418.

    Args:
        module: all parameters it owns directly are reparameterised, in place.
        rate_factor: by how much to multiply the learning rate.
        adaptive: whether the optimiser ignores the gradient's scale (Adam, RMSprop, Adagrad).

    Returns:
        The module.

    Raises:
        ValueError: if the factor is not positive.

    Example:
        >>> layer = layer_rate(nn.Linear(2, 3), 9.0, adaptive=False)
        >>> torch.equal(3 * layer.parametrizations.weight.original, layer.weight)
        True
    """
    _positive("rate_factor", rate_factor)
    scale = rate_factor if adaptive else math.sqrt(rate_factor)
    for name in [name for name, _ in module.named_parameters(recurse=False)]:
        parametrize.register_parametrization(module, name, Scaled(scale))
    return module


def path(
    optimiser: Optimiser,
    loss: Callable[[Tensor], Tensor],
    start: Tensor,
    *,
    steps: int,
    scale: float = 1.0,
) -> Tensor:
    r"""Where a real optimiser takes θ = λφ.

    Args:
        optimiser: makes a torch optimiser for a list of parameters.
        loss: θ → number.
        start: θ to begin with, any shape.
        steps: how many.
        scale: λ.

    Returns:
        θ before each step and after the last, ``[steps + 1, ...]``.

    Raises:
        ValueError: if ``steps`` is negative or λ not positive.

    Example:
        >>> sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.1)
        >>> path(sgd, lambda x: x.square().sum() / 2, torch.ones(1), steps=1, scale=2.0)[:, 0]
        tensor([1.0000, 0.6000])
    """
    _positive("scale", scale)
    if steps < 0:
        raise ValueError(f"expected steps ≥ 0, got {steps}")
    phi = nn.Parameter(start.detach().clone() / scale)
    stepper = optimiser([phi])
    seen = [scale * phi.detach().clone()]
    for _ in range(steps):
        stepper.zero_grad()
        loss(scale * phi).backward()
        stepper.step()
        seen.append(scale * phi.detach().clone())
    return torch.stack(seen)


def effective_rate(
    optimiser: Optimiser, loss: Callable[[Tensor], Tensor], start: Tensor, scale: float
) -> float:
    r"""By how much θ = λφ moves further than θ in the first step of a real optimiser.

    Args:
        optimiser: makes a torch optimiser for a list of parameters.
        loss: θ → number.
        start: θ.
        scale: λ.

    Returns:
        The ratio of the two steps' lengths: :math:`\lambda^2` for SGD, λ for Adam.

    Example:
        >>> adam = lambda parameters: torch.optim.Adam(parameters, lr=0.1)
        >>> start = torch.ones(2, dtype=torch.float64)
        >>> round(effective_rate(adam, lambda x: x.square().sum(), start, 3.0), 5)
        3.0
    """
    plain, scaled = (path(optimiser, loss, start, steps=1, scale=s) for s in (1.0, scale))
    return float((scaled[1] - scaled[0]).norm() / (plain[1] - plain[0]).norm())
