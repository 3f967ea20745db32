r"""What the generator of an f-GAN feels: the pull of both generator losses, exactly and in batches.

The critic is the best one, :math:`T^*=f'(p/q)`, throughout; names are those of
:mod:`genbook.fgan.conjugates`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.divergences import densities, measures
from genbook.fgan.conjugates import check_ratio, raw_critic
from genbook.games.duality import ConvexFunction


@dataclass(frozen=True)
class Signals:
    r"""The factor in front of :math:`\nabla_x\log(p/q)` in each generator's gradient at one sample.

    Args:
        minimax: :math:`u^2f''(u)`, of the loss :math:`-f^*(T^*)`.
        practical: :math:`u f''(u)`, of the loss :math:`-T^*`.
    """

    minimax: Tensor
    practical: Tensor


def signals(convex: ConvexFunction, u: Tensor) -> Signals:
    r"""How strongly a fake at density ratio u is pulled, under the best critic.

    .. math::
        -\nabla_x f^*(T^*) = -u^2f''(u)\,\nabla_x\log u, \qquad
        -\nabla_x T^* = -u f''(u)\,\nabla_x\log u

    Both follow from :math:`T^*=f'(u)` and :math:`(f^*)'(f'(u))=u`. Here they are taken by autograd.

    Args:
        convex: f.
        u: ratios > 0, shape ``[...]``.

    Returns:
        Two tensors ``[...]``; zero for total variation, which has no slope but at u = 1.

    Raises:
        ValueError: if a ratio is not positive.

    Example:
        >>> from genbook.games.duality import KL
        >>> pull = signals(KL, torch.tensor(0.01))
        >>> round(pull.minimax.item(), 4), round(pull.practical.item(), 4)
        (0.01, 1.0)
    """
    check_ratio(u)
    ell = u.detach().double().log().requires_grad_()
    raw = raw_critic(convex, ell)
    if not raw.requires_grad or convex.name == "total variation":
        return Signals(torch.zeros_like(ell).detach(), torch.zeros_like(ell).detach())
    (minimax,) = torch.autograd.grad(convex.composed(raw).sum(), ell, retain_graph=True)
    (practical,) = torch.autograd.grad(convex.activation(raw).sum(), ell)
    return Signals(minimax, practical)


def expected_gradient(
    convex: ConvexFunction, log_p: Tensor, theta: Tensor, x: Tensor, *, practical: bool
) -> Tensor:
    r"""The gradient that a Gaussian generator gets from the best critic, without sampling noise.

    .. math::
        \nabla_\theta \int q_\theta\,\ell(T^*)\,dx,\qquad \ell(T) = -f^*(T)\ \text{or}\ -T

    with :math:`T^*=f'(p/q_\theta)` held fixed, as in training.

    Args:
        convex: f.
        log_p: log-density of p at ``x``, shape ``[n]``.
        theta: (μ, log σ), shape ``[2]``.
        x: increasing grid, shape ``[n]``.
        practical: the loss −T instead of −f*(T).

    Returns:
        Shape ``[2]``.

    Raises:
        ValueError: if theta is not of that shape.

    Example:
        >>> from genbook.games.duality import KL
        >>> x = torch.linspace(-12, 12, 2401, dtype=torch.float64)
        >>> log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
        >>> theta = torch.tensor([1.0, 0.0], dtype=torch.float64)
        >>> gradient = expected_gradient(KL, log_p, theta, x, practical=False)
        >>> [round(value, 4) for value in gradient.tolist()]  # of log σ + (1 + μ²)/(2σ²)
        [1.0, -1.0]
    """
    theta = _begun(theta)
    log_q = densities.gaussian_log_density(x, theta[0], theta[1].exp())
    raw = raw_critic(convex, (log_p - log_q).detach())
    loss = -convex.activation(raw) if practical else -convex.composed(raw)
    total = torch.trapezoid(log_q.exp() * loss, x)
    return torch.autograd.grad(total, theta)[0]


def divergence_gradient(
    divergence: measures.Divergence, log_p: Tensor, theta: Tensor, x: Tensor
) -> Tensor:
    r"""The gradient of a divergence of p and a Gaussian, straight through the integral.

    .. math:: \nabla_\theta D\big(p\,\|\,\mathcal N(\mu,\sigma^2)\big),\quad \theta=(\mu,\log\sigma)

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[n]``.
        theta: (μ, log σ), shape ``[2]``.
        x: increasing grid, shape ``[n]``.

    Returns:
        Shape ``[2]``.

    Raises:
        ValueError: if theta is not of that shape.

    Example:
        >>> x = torch.linspace(-12, 12, 2401, dtype=torch.float64)
        >>> log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
        >>> theta = torch.tensor([1.0, 0.0], dtype=torch.float64)
        >>> found = divergence_gradient(measures.KL, log_p, theta, x)
        >>> [round(value, 4) for value in found.tolist()]
        [1.0, -1.0]
    """
    theta = _begun(theta)
    log_q = densities.gaussian_log_density(x, theta[0], theta[1].exp())
    return torch.autograd.grad(measures.on_grid(divergence, log_p, log_q, x), theta)[0]


def _begun(theta: Tensor) -> Tensor:
    if theta.shape != (2,):
        raise ValueError(f"expected theta = (μ, log σ) of shape [2], got {list(theta.shape)}")
    return theta.detach().clone().requires_grad_()


def batch_gradients(
    convex: ConvexFunction,
    distance: float,
    *,
    batches: int,
    size: int,
    generator: torch.Generator,
    practical: bool,
) -> Tensor:
    r"""The gradient for the mean of q = N(d, 1) against p = N(0, 1), one number a minibatch.

    .. math::
        \frac1B\sum_b \nabla_d\,\ell\big(T^*(d+z_b)\big),\qquad \log\frac pq(x) = \frac{d^2}2-dx

    Args:
        convex: f.
        distance: d.
        batches: how many minibatches.
        size: B.
        generator: source of z.
        practical: the loss −T instead of −f*(T).

    Returns:
        Shape ``[batches]``, float64.

    Raises:
        ValueError: if there is no batch or no sample.

    Example:
        >>> from genbook.games.duality import KL
        >>> pulls = batch_gradients(KL, 2.0, batches=3, size=8, practical=True,
        ...                         generator=torch.Generator().manual_seed(0))
        >>> pulls.tolist()  # −T is linear in x: no noise at all
        [2.0, 2.0, 2.0]
    """
    if batches < 1 or size < 1:
        raise ValueError(f"expected batches ≥ 1 and size ≥ 1, got {batches} and {size}")
    z = torch.randn(
        batches, size, generator=generator, device=generator.device, dtype=torch.float64
    )
    x = (distance + z).requires_grad_()
    raw = raw_critic(convex, distance**2 / 2 - distance * x)
    loss = -convex.activation(raw) if practical else -convex.composed(raw)
    return torch.autograd.grad(loss.sum(), x)[0].mean(-1)
