r"""What the optimal discriminator knows: D*, the game's value, and what its gradients descend.

Densities are given by their logarithms on a grid; a discriminator by its logit v, D = σ(v). The
losses are the bound of the row :data:`genbook.games.duality.GAN`; nothing here is a second formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.games.duality import GAN

LogDensity = Callable[[Tensor], Tensor]


def optimal_logit(log_p: Tensor, log_g: Tensor) -> Tensor:
    r"""The logit of the best discriminator, the log density ratio.

    .. math:: v^*(x) = \log p_{data}(x) - \log p_g(x)

    Args:
        log_p: log-density of the data, shape ``[...]``.
        log_g: log-density of the generator, the same shape.

    Returns:
        Shape ``[...]``; ±∞ where one density vanishes, 0 where both do (no sample ever falls
        there, so any value would be optimal).

    Example:
        >>> optimal_logit(torch.tensor([0.0, -math.inf]), torch.tensor([0.0, 0.0])).tolist()
        [0.0, -inf]
    """
    ratio = log_p - log_g
    return torch.where(ratio.isnan(), 0.0, ratio)


def optimal_discriminator(log_p: Tensor, log_g: Tensor) -> Tensor:
    r"""The probability that a sample at x came from the data, if both sources are equally likely.

    .. math:: D^*(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}

    Args:
        log_p: log-density of the data, shape ``[...]``.
        log_g: log-density of the generator, the same shape.

    Returns:
        Shape ``[...]``, in [0, 1]; never NaN, also where both densities underflow.

    Source:
        Goodfellow et al. (2014), proposition 1.

    Example:
        >>> optimal_discriminator(torch.tensor(-1000.0), torch.tensor(-1000.0)).item()
        0.5
    """
    return torch.sigmoid(optimal_logit(log_p, log_g))


def smoothed_discriminator(
    log_p: Tensor, log_g: Tensor, *, alpha: float, beta: float = 0.0
) -> Tensor:
    r"""The best discriminator when the targets are 1 − α for data and β for fakes.

    .. math:: D^*(x) = \frac{(1-\alpha)\,p_{data}(x)+\beta\,p_g(x)}{p_{data}(x)+p_g(x)}

    Args:
        log_p: log-density of the data, shape ``[...]``.
        log_g: log-density of the generator, the same shape.
        alpha: what is taken from the data's target; one-sided smoothing has 0.1.
        beta: the fakes' target.

    Returns:
        Shape ``[...]``, between β and 1 − α.

    Raises:
        ValueError: if a target is no probability.

    Source:
        Salimans et al. (2016), section 3.4; Goodfellow (2016), section 4.2.

    Example:
        >>> zero = torch.zeros(())
        >>> round(smoothed_discriminator(zero, zero, alpha=0.1).item(), 4)
        0.45
    """
    _check_targets(alpha, beta)
    plain = optimal_discriminator(log_p, log_g)
    return (1 - alpha) * plain + beta * (1 - plain)


def _check_targets(alpha: float, beta: float) -> None:
    if not (0 <= alpha <= 1 and 0 <= beta <= 1):
        raise ValueError(
            f"expected the targets 1 − α and β in [0, 1], got α = {alpha} and β = {beta}; "
            "one-sided smoothing is alpha=0.1, beta=0"
        )


def _weighted(log_density: Tensor, values: Tensor) -> Tensor:
    """Density times values, with 0 · ∞ = 0."""
    return torch.where(log_density > -math.inf, log_density.exp() * values, 0.0)


def value(logit: Tensor, log_p: Tensor, log_g: Tensor, x: Tensor) -> Tensor:
    r"""The value of the game for any discriminator, integrated by the trapezoid rule.

    .. math:: V(D, G) = \mathbb E_{p_{data}}\log D + \mathbb E_{p_g}\log(1-D)
              = \mathbb E_{p_{data}}[T] - \mathbb E_{p_g}[f^*(T)]

    Args:
        logit: v with D = σ(v), at ``x``, shape ``[..., n]``.
        log_p: log-density of the data at ``x``, shape ``[..., n]``.
        log_g: log-density of the generator at ``x``, shape ``[..., n]``.
        x: increasing grid that holds all mass that matters, shape ``[n]``.

    Returns:
        Shape ``[...]``, nats; −∞ if D is certain and wrong.

    Raises:
        ValueError: if the last axes differ from the grid, or the grid does not increase.

    Source:
        Goodfellow et al. (2014), eq. 1.

    Example:
        >>> x = torch.linspace(0, 1, 101, dtype=torch.float64)
        >>> flat = torch.zeros_like(x)
        >>> round(value(flat, flat, flat, x).item() / math.log(2), 6)
        -2.0
    """
    if x.ndim != 1 or len(x) < 2 or not bool((x.diff() > 0).all()):
        raise ValueError(f"expected an increasing grid [n] with n ≥ 2, got shape {list(x.shape)}")
    for name, values in (("logit", logit), ("log_p", log_p), ("log_g", log_g)):
        if values.shape[-1:] != x.shape:
            raise ValueError(
                f"expected {name} of shape [..., {len(x)}] to match the grid, got "
                f"{list(values.shape)}; evaluate it at x"
            )
    gain = _weighted(log_p, GAN.activation(logit)) - _weighted(log_g, GAN.composed(logit))
    return torch.trapezoid(gain, x, dim=-1)


def criterion(log_p: Tensor, log_g: Tensor, x: Tensor) -> Tensor:
    r"""The value of the game at the best discriminator: what the generator really minimises.

    .. math:: C(G) = \max_D V(D, G) = V(D^*, G)

    Args:
        log_p: log-density of the data at ``x``, shape ``[..., n]``.
        log_g: log-density of the generator at ``x``, shape ``[..., n]``.
        x: increasing grid, shape ``[n]``.

    Returns:
        Shape ``[...]``, nats, between −log 4 and 0.

    Raises:
        ValueError: as :func:`value`.

    Source:
        Goodfellow et al. (2014), eq. 4.

    Example:
        >>> x = torch.linspace(0, 1, 101, dtype=torch.float64)
        >>> flat = torch.zeros_like(x)
        >>> round(criterion(flat, flat, x).item(), 4)
        -1.3863
    """
    return value(optimal_logit(log_p, log_g), log_p, log_g, x)


def disjoint_intervals(theta: float, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Log-densities of the uniform distributions on [0, 1] and [θ, θ + 1].

    For :math:`|θ|` ≥ 1 the supports are disjoint, apart from a point.

    Args:
        theta: where the second begins.
        x: points, shape ``[n]``.

    Returns:
        Two tensors of shape ``[n]``: 0 inside, −∞ outside.

    Example:
        >>> [v.tolist() for v in disjoint_intervals(1.0, torch.tensor([0.5, 1.5]))]
        [[0.0, -inf], [-inf, 0.0]]
    """

    def inside(start: float) -> Tensor:
        return torch.where((x >= start) & (x < start + 1), 0.0, -math.inf).to(x.dtype)

    return inside(0.0), inside(theta)
