r"""What the generator descends: three costs, their pushes and the divergences behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbook.divergences import densities, measures
from genbook.games.duality import GAN, Pointwise
from genbook.games.play import Objective, from_convex
from genbook.gan.optimum import LogDensity, _check_targets


@dataclass(frozen=True)
class Cost:
    r"""What a generator minimises, as a function of the logit at its sample.

    Args:
        name: its name in the book.
        symbol: in plain text, for figures.
        loss: pointwise in v; the generator's cost is its mean.
        descends: divergence → weight: the sum whose gradient the cost has at D*.
    """

    name: str
    symbol: str
    loss: Pointwise
    descends: Mapping[measures.Divergence, float]


SATURATING = Cost(
    "saturating",
    "log(1 − D)",
    lambda v: -GAN.composed(v),
    {measures.JENSEN_SHANNON: 2.0},
)
NON_SATURATING = Cost(
    "non-saturating",
    "−log D",
    lambda v: -GAN.activation(v),
    {measures.REVERSE_KL: 1.0, measures.JENSEN_SHANNON: -2.0},
)
LIKELIHOOD = Cost("maximum likelihood", "−D/(1 − D)", lambda v: -torch.exp(v), {measures.KL: 1.0})
COSTS = (SATURATING, NON_SATURATING, LIKELIHOOD)


def objective(cost: Cost) -> Objective:
    r"""The discriminator's loss of 2014 with one of the generator's costs.

    Args:
        cost: the generator's.

    Returns:
        Losses for :func:`genbook.games.play.play`.

    Source:
        Goodfellow et al. (2014), algorithm 1; Goodfellow (2016), section 3.2.

    Example:
        >>> round(objective(SATURATING).generator_loss(torch.zeros(1, 3)).item(), 4)
        -0.6931
    """
    critic = from_convex(GAN).critic_loss
    return Objective(cost.name, critic, lambda v: cost.loss(v).mean(-1))


def smoothed(cost: Cost, *, alpha: float, beta: float = 0.0) -> Objective:
    r"""The same game with softer targets for the discriminator.

    .. math:: -\mathbb E_{p_{data}}[(1-\alpha)\log D+\alpha\log(1-D)]
              -\mathbb E_{p_g}[\beta\log D+(1-\beta)\log(1-D)]

    Args:
        cost: the generator's.
        alpha: what is taken from the data's target 1.
        beta: the fakes' target.

    Returns:
        Losses for :func:`genbook.games.play.play`.

    Raises:
        ValueError: if a target is no probability.

    Source:
        Salimans et al. (2016), section 3.4.

    Example:
        >>> zero = torch.zeros(1, 2)
        >>> round(smoothed(SATURATING, alpha=0.1).critic_loss(zero, zero).item(), 4)
        1.3863
    """
    _check_targets(alpha, beta)

    def critic(v_real: Tensor, v_fake: Tensor) -> Tensor:
        real = (1 - alpha) * softplus(-v_real) + alpha * softplus(v_real)
        fake = beta * softplus(-v_fake) + (1 - beta) * softplus(v_fake)
        return real.mean(-1) + fake.mean(-1)

    return Objective(f"{cost.name}, smoothed", critic, objective(cost).generator_loss)


def pushes(cost: Cost, logit: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""Where one step of the generator would move a sample: −∇ₓ of its cost at fixed D.

    .. math:: -\nabla_x\,\ell\big(v(x)\big)

    Args:
        cost: the generator's, ℓ.
        logit: the discriminator's v, from ``[..., d]`` (or ``[...]`` on the line) to ``[...]``.
        x: samples.

    Returns:
        The shape of ``x``.

    Example:
        >>> pushes(NON_SATURATING, lambda x: 2 * x, torch.zeros(1)).tolist()
        [1.0]
    """
    places = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(cost.loss(logit(places)).sum(), places)
    return -slope


def generator_gradient(
    cost: Cost, log_density: LogDensity, mu: float, sigma: float, *, nodes: int = 4001
) -> Tensor:
    r"""The gradient that a Gaussian generator gets from its optimal discriminator.

    .. math:: \mathbb E_z\big[\nabla_\theta\,\ell\big(v^*(g_\theta(z))\big)\big],
              \qquad g_\theta(z) = \mu + \sigma z

    with :math:`v^*` built at θ and then *held*: the generator differentiates through its sample
    only, as in training.

    Args:
        cost: ℓ.
        log_density: of the data, differentiable.
        mu: mean of the generator.
        sigma: its standard deviation, > 0.
        nodes: points of the quadrature over z in [−12, 12].

    Returns:
        The derivative by (μ, σ), shape ``[2]``.

    Raises:
        ValueError: if σ is not positive.

    Example:
        >>> from torch.distributions import Normal
        >>> generator_gradient(SATURATING, Normal(0.0, 1.0).log_prob, 0.0, 1.0).abs().max().item()
        0.0
    """
    theta = _parameters(mu, sigma)
    z = torch.linspace(-12, 12, nodes, dtype=torch.float64)
    x = theta[0] + theta[1] * z
    held = theta.detach()
    logit = log_density(x) - densities.gaussian_log_density(x, held[0], held[1])
    weights = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    (gradient,) = torch.autograd.grad(torch.trapezoid(weights * cost.loss(logit), z), theta)
    return gradient


def divergence_gradient(
    weights: Mapping[measures.Divergence, float],
    log_density: LogDensity,
    mu: float,
    sigma: float,
    x: Tensor,
) -> Tensor:
    r"""The gradient of a weighted sum of divergences from the data to a Gaussian.

    .. math:: \nabla_{\mu,\sigma} \sum_k w_k\, D_k\big(p_{data}\,\|\,\mathcal N(\mu,\sigma^2)\big)

    Args:
        weights: divergence → weight.
        log_density: of the data.
        mu: mean of the Gaussian.
        sigma: its standard deviation, > 0.
        x: increasing grid, shape ``[n]``, float64.

    Returns:
        The derivative by (μ, σ), shape ``[2]``.

    Raises:
        ValueError: if σ is not positive or the grid does not increase.

    Example:
        >>> from torch.distributions import Normal
        >>> x = torch.linspace(-12, 12, 2001, dtype=torch.float64)
        >>> log_p = Normal(0.0, 1.0).log_prob
        >>> gradient = divergence_gradient({measures.KL: 1.0}, log_p, 1.0, 1.0, x)
        >>> round(gradient[0].item(), 6)
        1.0
    """
    theta = _parameters(mu, sigma)
    log_p, log_g = log_density(x), densities.gaussian_log_density(x, theta[0], theta[1])
    terms = [w * measures.on_grid(divergence, log_p, log_g, x) for divergence, w in weights.items()]
    (gradient,) = torch.autograd.grad(torch.stack(terms).sum(), theta)
    return gradient


def _parameters(mu: float, sigma: float) -> Tensor:
    if not sigma > 0:
        raise ValueError(f"expected σ > 0, got {sigma}")
    return torch.tensor([mu, sigma], dtype=torch.float64, requires_grad=True)


def saturation_bound(epsilon: float, jacobian: float) -> float:
    r"""How large the saturating gradient can be when D is within ε of a perfect one.

    .. math:: \big\|\nabla_\theta\,\mathbb E_z\log(1-D(g_\theta(z)))\big\| \le
              \frac{M\,\epsilon}{1-\epsilon}

    Args:
        epsilon: bound on D and on the norm of its slope at the generator's samples, in [0, 1).
        jacobian: M, with :math:`\mathbb E_z\|J_\theta g_\theta(z)\|^2\le M^2`.

    Returns:
        The bound.

    Raises:
        ValueError: if ε is not in [0, 1) or M is negative.

    Source:
        Arjovsky and Bottou (2017), theorem 2.4.

    Example:
        >>> saturation_bound(0.5, 3.0)
        3.0
    """
    if not (0 <= epsilon < 1 and jacobian >= 0):
        raise ValueError(f"expected ε in [0, 1) and M ≥ 0, got {epsilon} and {jacobian}")
    return jacobian * epsilon / (1 - epsilon)
