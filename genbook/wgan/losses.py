r"""The transport dual as a game: Wasserstein losses and ways to bound the critic's slope.

One loss, :data:`genbook.games.duality.TRANSPORT` (f* is the identity), and one constraint: the
critic must be 1-Lipschitz. The three games of this module differ only in how they treat the
constraint: clip the weights after each step (:class:`genbook.games.play.Game`), penalise slopes
that differ from 1 (:func:`wgan_gp`), or drop it and let the loss itself limit the critic
(:func:`gan_qp`).
"""

from __future__ import annotations

import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn

from genbook.games.duality import TRANSPORT
from genbook.games.play import Critic, Duel, Objective, from_convex
from genbook.kit.seeds import Streams

NORMS = ("l1", "l2")
"""The distances that GAN-QP may divide by."""


def wgan() -> Objective:
    r"""The Wasserstein game without any constraint; clip the weights in the game's settings.

    .. math:: L_D = \mathbb E_q[T] - \mathbb E_p[T], \qquad L_G = -\mathbb E_q[T]

    Both are the variational bound of :data:`genbook.games.duality.TRANSPORT`, whose conjugate is
    the identity.

    Returns:
        The losses, in the unit of distance times the critic's Lipschitz constant.

    Source:
        Arjovsky, Chintala and Bottou (2017), algorithm 1.

    Example:
        >>> real, fake = torch.tensor([[3.0]]), torch.tensor([[1.0]])
        >>> wgan().critic_loss(real, fake).item(), wgan().generator_loss(fake).item()
        (-2.0, -1.0)
    """
    return from_convex(TRANSPORT)


def clip_weights(critic: nn.Module, limit: float) -> None:
    r"""Clamp every parameter to [−c, c], in place. It belongs *after* the optimiser's step.

    Args:
        critic: the module.
        limit: c > 0.

    Raises:
        ValueError: if c is not positive.

    Source:
        Arjovsky, Chintala and Bottou (2017), algorithm 1, line 7.

    Example:
        >>> layer = nn.Linear(3, 3)
        >>> clip_weights(layer, 0.01)
        >>> bool(layer.weight.abs().max() <= 0.01)
        True
    """
    if not limit > 0:
        raise ValueError(f"expected a limit c > 0, got {limit}; the paper uses 0.01")
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.clamp_(-limit, limit)


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    r"""Points on the segments that join data and fakes.

    .. math:: \hat x = \epsilon x + (1-\epsilon)\tilde x

    Args:
        real: x, **[S, B, …]**.
        fake: x̃, the same shape.
        share: ε, one number a sample, **[S, B]**.

    Returns:
        The shape of ``real``.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> between(torch.ones(1, 1, 2), torch.zeros(1, 1, 2), torch.tensor([[0.25]])).tolist()
        [[[0.25, 0.25]]]
    """
    if real.shape != fake.shape or share.shape != real.shape[:2]:
        raise ValueError(
            "expected real and fake of one shape [S, B, …] and one share a sample [S, B], got "
            f"{list(real.shape)}, {list(fake.shape)} and {list(share.shape)}"
        )
    return torch.lerp(fake, real, share.reshape(*share.shape, *[1] * (real.ndim - 2)))


def slopes(critic: Critic, x: Tensor, *, create_graph: bool = False) -> Tensor:
    r"""The norm of the critic's gradient at each sample, :math:`\|\nabla_x T(x)\|_2`.

    The critic must treat samples apart: with batch norm the gradient of a sum over the batch is
    not the gradient of one output.

    Args:
        critic: maps **[S, B, …]** to **[S, B]**.
        x: where, **[S, B, …]**.
        create_graph: keep the graph, so that the norm can be trained.

    Returns:
        **[S, B]**.

    Example:
        >>> slopes(lambda x: 3 * x[..., 0] + 4 * x[..., 1], torch.zeros(1, 2, 2)).tolist()
        [[5.0, 5.0]]
    """
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=create_graph)
    return torch.linalg.vector_norm(gradient.flatten(2), dim=-1)


def gradient_penalty(duel: Duel, *, one_sided: bool = False) -> Tensor:
    r"""How far the critic's slope is from 1 between data and fakes; a norm for each sample.

    .. math::
        \mathbb E_{\hat x}\big[(\|\nabla_{\hat x}T(\hat x)\|_2-1)^2\big],\qquad
        \hat x=\epsilon x+(1-\epsilon)\tilde x,\quad \epsilon\sim U[0,1]

    Args:
        duel: the critic with a batch of data and fakes, **[S, B, …]**.
        one_sided: punish slopes above 1 only.

    Returns:
        **[S]**, differentiable in the critic's parameters.

    Source:
        Gulrajani, Ahmed, Arjovsky, Dumoulin and Courville (2017), eq. 3 and section 4.

    Example:
        >>> from genbook.games.play import Streams
        >>> x = torch.zeros(1, 4, 2)
        >>> duel = Duel(lambda x: 3 * x[..., 0], x, x, x[..., 0], x[..., 0], Streams([0]))
        >>> gradient_penalty(duel).tolist()
        [4.0]
    """
    share = duel.streams.uniform(duel.real.shape[1])
    x = between(duel.real, duel.fake, share)
    excess = slopes(duel.critic, x, create_graph=True) - 1
    return (excess.clamp_min(0) if one_sided else excess).square().mean(-1)


def wgan_gp(weight: float = 10.0, *, one_sided: bool = False) -> Objective:
    r"""The Wasserstein game with a gradient penalty.

    .. math:: L_D = \mathbb E_q[T]-\mathbb E_p[T]+\lambda\,\mathbb E[(\|\nabla T\|_2-1)^2]

    Args:
        weight: λ.
        one_sided: see :func:`gradient_penalty`.

    Returns:
        The losses.

    Raises:
        ValueError: if λ is not positive.

    Source:
        Gulrajani et al. (2017), algorithm 1: λ = 10, five critic steps, Adam(1e-4, 0, 0.9).

    Example:
        >>> wgan_gp().name
        'WGAN-GP'
    """
    if not weight > 0:
        raise ValueError(f"expected a weight λ > 0, got {weight}; the paper uses 10")
    game = wgan()

    def penalty(duel: Duel) -> Tensor:
        return weight * gradient_penalty(duel, one_sided=one_sided)

    return Objective("WGAN-GP", game.critic_loss, game.generator_loss, penalty)


def distance(real: Tensor, fake: Tensor, norm: str = "l2") -> Tensor:
    r"""The distance that GAN-QP divides by, averaged over coordinates as in the paper's code.

    .. math::
        d_1 = \tfrac1n\sum_i|x_i-\tilde x_i|,\qquad
        d_2 = \sqrt{\tfrac1n\sum_i(x_i-\tilde x_i)^2}

    Args:
        real: x, **[S, B, …]**.
        fake: x̃, the same shape.
        norm: ``"l1"`` or ``"l2"``.

    Returns:
        **[S, B]**.

    Raises:
        ValueError: if the norm is unknown or the shapes differ.

    Source:
        Su (2018), *GAN-QP*, and its code.

    Example:
        >>> x, y = torch.zeros(1, 1, 4), torch.tensor([[[2.0, 0.0, 0.0, 0.0]]])
        >>> distance(x, y, "l1").item(), distance(x, y, "l2").item()
        (0.5, 1.0)
    """
    if norm not in NORMS or real.shape != fake.shape:
        raise ValueError(
            f"expected a norm of {', '.join(NORMS)} and two batches of one shape, got {norm!r}, "
            f"{list(real.shape)} and {list(fake.shape)}"
        )
    gap = (real - fake).flatten(2)
    if norm == "l1":
        return gap.abs().mean(-1)
    return gap.square().mean(-1).sqrt()


def quadratic_penalty(duel: Duel, *, scale: float = 10.0, norm: str = "l2") -> Tensor:
    r"""What GAN-QP charges for a difference of scores that is large for its distance.

    .. math:: \mathbb E\left[\frac{(T(x)-T(\tilde x))^2}{2\lambda\,d(x,\tilde x)}\right]

    Args:
        duel: paired data and fakes with their scores.
        scale: λ.
        norm: see :func:`distance`.

    Returns:
        **[S]**.

    Source:
        Su (2018), *GAN-QP*.

    Example:
        >>> from genbook.games.play import Streams
        >>> real, fake = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
        >>> duel = Duel(torch.sum, real, fake, 10 * real[..., 0], fake[..., 0], Streams([0]))
        >>> quadratic_penalty(duel).item()
        5.0
    """
    apart = distance(duel.real, duel.fake, norm).clamp_min(1e-12)
    return ((duel.t_real - duel.t_fake).square() / (2 * scale * apart)).mean(-1)


def gan_qp(scale: float = 10.0, norm: str = "l2") -> Objective:
    r"""GAN-QP: the transport loss with a quadratic term in the critic's loss alone.

    .. math::
        L_D = \mathbb E\Big[-\Delta+\frac{\Delta^2}{2\lambda d}\Big],\quad
        L_G = \mathbb E[\Delta] + \text{const},\quad \Delta = T(x)-T(\tilde x)

    The critic needs no Lipschitz constraint: the loss is bounded below for any pair.

    Args:
        scale: λ.
        norm: ``"l1"`` or ``"l2"``, see :func:`distance`.

    Returns:
        The losses. The generator's leaves out the data's mean score, which it does not change.

    Raises:
        ValueError: if λ is not positive or the norm unknown.

    Source:
        Su (2018), *GAN-QP: a novel GAN framework without gradient vanishing and Lipschitz
        constraint*.

    Example:
        >>> gan_qp(norm="l1").name
        'GAN-QP'
    """
    if not scale > 0 or norm not in NORMS:
        raise ValueError(
            f"expected a scale λ > 0 and a norm of {', '.join(NORMS)}, got {scale} and {norm!r}"
        )
    game = wgan()

    def penalty(duel: Duel) -> Tensor:
        return quadratic_penalty(duel, scale=scale, norm=norm)

    return Objective("GAN-QP", game.critic_loss, game.generator_loss, penalty)


def qp_at_points(apart: float, scale: float = 10.0) -> float:
    r"""GAN-QP's divergence of two point masses at distance d, in closed form.

    .. math:: \max_\Delta\; \Delta - \frac{\Delta^2}{2\lambda d} = \tfrac12\lambda d
        \quad\text{at}\quad \Delta=\lambda d

    Args:
        apart: d ≥ 0.
        scale: λ > 0.

    Returns:
        The value; it grows with the distance and never saturates.

    Raises:
        ValueError: if a number is out of range.

    Source:
        Su (2018), *GAN-QP*, the test with two δ functions.

    Example:
        >>> qp_at_points(2.0)
        10.0
    """
    if not (apart >= 0 and scale > 0):
        raise ValueError(f"expected a distance ≥ 0 and a scale > 0, got {apart} and {scale}")
    return 0.5 * scale * apart


def best_at_points(objective: Objective, apart: float, most: float = 200.0) -> float:
    r"""The best value that a critic reaches between two point masses, found by search.

    .. math:: \max_{0\le\Delta\le\Delta_{\max}} -L_D\big(T(x)=\tfrac12\Delta,\
        T(\tilde x)=-\tfrac12\Delta\big)

    Args:
        objective: the game; its penalty may look at points and scores only.
        apart: distance d > 0 of the points.
        most: the largest difference of scores that is tried.

    Returns:
        Minus the critic's loss, penalty included.

    Raises:
        ValueError: if the distance is not positive.

    Example:
        >>> round(best_at_points(gan_qp(), 2.0), 6)
        10.0
    """
    if not apart > 0:
        raise ValueError(f"expected a distance > 0, got {apart}; two equal points have value 0")
    real = torch.full((1, 1, 1), apart, dtype=torch.float64)
    fake = torch.zeros_like(real)

    def loss(delta: float) -> float:
        score = torch.full((1, 1), delta / 2, dtype=torch.float64)
        duel = Duel(lambda x: x[..., 0], real, fake, score, -score, Streams([0]))
        paid = 0.0 if objective.penalty is None else objective.penalty(duel).item()
        return objective.critic_loss(score, -score).item() + paid

    return -float(minimize_scalar(loss, bounds=(0, most), options={"xatol": 1e-9}).fun)
