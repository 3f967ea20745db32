r"""From a convex function to a game: conjugates, the variational bound, and the losses they give.

One line runs through the chapters on GANs, f-GANs and Wasserstein GANs. A convex f has a conjugate

.. math:: f^*(t) = \sup_{u \ge 0}\; ut - f(u),

the conjugate bounds the divergence of p and q from below,

.. math:: \int q\, f(p/q) \;\ge\; \mathbb E_p[T] - \mathbb E_q[f^*(T)],

and the two sides of the bound are the two players' losses. With f of the row :data:`GAN` they are
the losses of 2014; with f = 0 at 1 and ∞ elsewhere (:data:`TRANSPORT`) f* is the identity, and the
bound over 1-Lipschitz T is the Wasserstein distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from scipy.special import wrightomega
from torch import Tensor
from torch.nn.functional import softplus

Pointwise = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ConvexFunction:
    r"""A convex :math:`f` on u ≥ 0 with all that its game needs.

    Args:
        name: its divergence's name in the book.
        symbol: f(u) in plain text.
        f: the function, pointwise.
        derivative: :math:`f'`, which is also the best critic, :math:`T^*=f'(p/q)`.
        conjugate: :math:`f^*`, pointwise; ∞ outside its domain.
        domain: the ends of :math:`\mathrm{dom}\,f^*`, which may belong to it (Neyman's 1 does);
            the upper one is :math:`\lim f(u)/u`.
        activation: :math:`g_f`, increasing, from all reals into the domain.
        composed: :math:`f^*(g_f(v))` without cancellation.
        slopes: the range of :math:`f'` on u > 0; on it the sup is reached inside.
    """

    name: str
    symbol: str
    f: Pointwise
    derivative: Pointwise
    conjugate: Pointwise
    domain: tuple[float, float]
    activation: Pointwise
    composed: Pointwise
    slopes: tuple[float, float]

    @property
    def threshold(self) -> float:
        r""":math:`f'(1)`: where T says that p and q are equally likely."""
        return float(self.derivative(torch.ones((), dtype=torch.float64)))

    @property
    def at_one(self) -> float:
        r""":math:`f(1)`, the value at p = q."""
        return float(self.f(torch.ones((), dtype=torch.float64)))


class _WrightOmega(torch.autograd.Function):
    """ω(y), the solution of ω + log ω = y; ω(y) = W(e^y) without the overflow."""

    @staticmethod
    def forward(ctx: Any, y: Tensor) -> Tensor:
        ctx.save_for_backward(y)
        omega = wrightomega(y.detach().cpu().double().numpy())
        return torch.as_tensor(omega, dtype=y.dtype, device=y.device)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        omega = wright_omega(y)
        return gradients[0] * omega / (1 + omega)


def wright_omega(y: Tensor) -> Tensor:
    r"""The solution of :math:`\omega+\log\omega=y`, that is :math:`W(e^y)` for Lambert's W.

    Args:
        y: any shape.

    Returns:
        The same shape; differentiable to any order, :math:`\omega'=\omega/(1+\omega)`.

    Example:
        >>> wright_omega(torch.tensor(1.0)).item()
        1.0
    """
    return _WrightOmega.apply(y)


def _within(low: float, high: float, closed_form: Pointwise, inside: float) -> Pointwise:
    """``closed_form`` on the open interval, ∞ elsewhere; ``inside`` is any point of it."""
    return _where(lambda t: (t > low) & (t < high), closed_form, inside)


def _where(allow: Pointwise, closed_form: Pointwise, inside: float) -> Pointwise:
    """``closed_form`` where it is allowed, ∞ elsewhere; ``inside`` is any allowed point."""

    def conjugate(t: Tensor) -> Tensor:
        allowed = allow(t)
        value = closed_form(torch.where(allowed, t, inside))
        return torch.where(allowed, value, math.inf)

    return conjugate


def _jeffrey_conjugate(t: Tensor) -> Tensor:
    omega = wright_omega(1 - t)
    return omega + 1 / omega + t - 2


def _same(v: Tensor) -> Tensor:
    return v


def _x_log_x(u: Tensor) -> Tensor:
    return -torch.special.entr(u)  # as xlogy(u, u), but its slope at 0 is −∞ and not NaN


KL = ConvexFunction(
    name="KL",
    symbol="u log u",
    f=_x_log_x,
    derivative=lambda u: 1 + u.log(),
    conjugate=lambda t: torch.exp(t - 1),
    domain=(-math.inf, math.inf),
    activation=_same,
    composed=lambda v: torch.exp(v - 1),
    slopes=(-math.inf, math.inf),
)
REVERSE_KL = ConvexFunction(
    name="reverse KL",
    symbol="−log u",
    f=lambda u: -u.log(),
    derivative=lambda u: -1 / u,
    conjugate=_within(-math.inf, 0.0, lambda t: -1 - torch.log(-t), -1.0),
    domain=(-math.inf, 0.0),
    activation=lambda v: -torch.exp(-v),
    composed=lambda v: v - 1,
    slopes=(-math.inf, 0.0),
)
PEARSON = ConvexFunction(
    name="Pearson χ²",
    symbol="(u − 1)²",
    f=lambda u: (u - 1).square(),
    derivative=lambda u: 2 * (u - 1),
    conjugate=lambda t: t.square() / 4 + t,
    domain=(-math.inf, math.inf),
    activation=_same,
    composed=lambda v: v.square() / 4 + v,
    slopes=(-2.0, math.inf),
)
NEYMAN = ConvexFunction(
    name="Neyman χ²",
    symbol="(1 − u)²/u",
    f=lambda u: (1 - u).square() / u,
    derivative=lambda u: 1 - 1 / u.square(),
    conjugate=_where(lambda t: t <= 1, lambda t: 2 - 2 * torch.sqrt(1 - t), 0.0),
    domain=(-math.inf, 1.0),
    activation=lambda v: -torch.expm1(-v),
    composed=lambda v: -2 * torch.expm1(-v / 2),
    slopes=(-math.inf, 1.0),
)
SQUARED_HELLINGER = ConvexFunction(
    name="squared Hellinger",
    symbol="(√u − 1)²",
    f=lambda u: (u.sqrt() - 1).square(),
    derivative=lambda u: 1 - u.rsqrt(),
    conjugate=_within(-math.inf, 1.0, lambda t: t / (1 - t), 0.0),
    domain=(-math.inf, 1.0),
    activation=lambda v: -torch.expm1(-v),
    composed=torch.expm1,
    slopes=(-math.inf, 1.0),
)
JEFFREY = ConvexFunction(
    name="Jeffrey",
    symbol="(u − 1) log u",
    f=lambda u: (u - 1) * u.log(),
    derivative=lambda u: u.log() + 1 - 1 / u,
    conjugate=_jeffrey_conjugate,
    domain=(-math.inf, math.inf),
    activation=_same,
    composed=_jeffrey_conjugate,
    slopes=(-math.inf, math.inf),
)
JENSEN_SHANNON = ConvexFunction(
    name="Jensen–Shannon",
    symbol="u log u − (u + 1) log((1 + u)/2)",
    f=lambda u: _x_log_x(u) - (u + 1) * torch.log((1 + u) / 2),
    derivative=lambda u: torch.log(2 * u / (1 + u)),
    conjugate=_within(-math.inf, math.log(2), lambda t: -torch.log(2 - t.exp()), 0.0),
    domain=(-math.inf, math.log(2)),
    activation=lambda v: math.log(2) - softplus(-v),
    composed=lambda v: softplus(v) - math.log(2),
    slopes=(-math.inf, math.log(2)),
)
GAN = ConvexFunction(
    name="GAN",
    symbol="u log u − (u + 1) log(u + 1)",
    f=lambda u: _x_log_x(u) - (u + 1) * torch.log1p(u),
    derivative=lambda u: torch.log(u / (1 + u)),
    conjugate=_within(-math.inf, 0.0, lambda t: -torch.log(-torch.expm1(t)), -1.0),
    domain=(-math.inf, 0.0),
    activation=lambda v: -softplus(-v),
    composed=lambda v: softplus(v),
    slopes=(-math.inf, 0.0),
)
TOTAL_VARIATION = ConvexFunction(
    name="total variation",
    symbol="½ |u − 1|",
    f=lambda u: 0.5 * (u - 1).abs(),
    derivative=lambda u: 0.5 * (u - 1).sign(),
    conjugate=_where(lambda t: t.abs() <= 0.5, _same, 0.0),
    domain=(-0.5, 0.5),
    activation=lambda v: 0.5 * torch.tanh(v),
    composed=lambda v: 0.5 * torch.tanh(v),
    slopes=(-0.5, 0.5),
)
TABLE = (
    KL,
    REVERSE_KL,
    PEARSON,
    NEYMAN,
    SQUARED_HELLINGER,
    JEFFREY,
    JENSEN_SHANNON,
    GAN,
    TOTAL_VARIATION,
)


def _every_slope(u: Tensor) -> Tensor:
    raise ValueError(
        "TRANSPORT has no derivative: at u = 1 every slope is a subgradient, elsewhere f is ∞. "
        "Its best critic is a Kantorovich potential, which the density ratio does not determine."
    )


TRANSPORT = ConvexFunction(
    name="transport",
    symbol="0 at u = 1, else ∞",
    f=lambda u: torch.where(u == 1, 0.0, math.inf),
    derivative=_every_slope,
    conjugate=_same,
    domain=(-math.inf, math.inf),
    activation=_same,
    composed=_same,
    slopes=(-math.inf, math.inf),
)


def divergence(convex: ConvexFunction, p: Tensor, q: Tensor) -> Tensor:
    r"""The f-divergence of two probability vectors.

    .. math:: D_f(p\|q) = \sum_i q_i\, f(p_i/q_i),\qquad 0\, f(p/0) = p \lim_{u\to\infty} f(u)/u

    Args:
        convex: f.
        p: probabilities, shape ``[..., n]``.
        q: probabilities, the same shape.

    Returns:
        Shape ``[...]``, in nats for the logarithmic rows.

    Raises:
        ValueError: if the shapes differ or an entry is negative.

    Source:
        Csiszár (1967); Nowozin, Cseke and Tomioka (2016), eq. 2.

    Example:
        >>> p, q = torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])
        >>> round(divergence(JENSEN_SHANNON, p, q).item(), 4)
        0.4315
    """
    if p.shape != q.shape or bool((p < 0).any()) or bool((q < 0).any()):
        raise ValueError(
            f"expected two arrays of probabilities of one shape, got {list(p.shape)} and "
            f"{list(q.shape)}; clamp negative entries away and broadcast first"
        )
    ratio = torch.where(q > 0, p / torch.where(q > 0, q, 1.0), 1.0)
    stray = torch.where(q > 0, 0.0, p)  # mass of p where q has none
    limit = convex.domain[1]
    infinite = torch.zeros_like(stray).masked_fill(stray > 0, math.inf)
    beyond = infinite if math.isinf(limit) else stray * limit
    return torch.where(q > 0, q * convex.f(ratio), beyond).sum(-1)


def bound(t_p: Tensor, t_q: Tensor, conjugate: Pointwise) -> Tensor:
    r"""The variational lower bound of a divergence, from a critic's values on samples.

    .. math:: \mathbb E_p[T] - \mathbb E_q[f^*(T)] \;\le\; D_f(p\|q)

    Args:
        t_p: T at samples of p, shape ``[..., n]``.
        t_q: T at samples of q, shape ``[..., m]``.
        conjugate: :math:`f^*`.

    Returns:
        Shape ``[...]``.

    Source:
        Nguyen, Wainwright and Jordan (2010); Nowozin, Cseke and Tomioka (2016), eq. 4.

    Example:
        >>> bound(torch.zeros(3), torch.zeros(3), PEARSON.conjugate).item()
        0.0
    """
    return t_p.mean(-1) - conjugate(t_q).mean(-1)


def critic_loss(convex: ConvexFunction) -> Callable[[Tensor, Tensor], Tensor]:
    r"""What the critic minimises: the negative bound of :math:`T=g_f(V)`.

    Args:
        convex: f.

    Returns:
        A function of V on samples of p, ``[..., n]``, and of q, ``[..., m]``, with value ``[...]``.

    Source:
        Nowozin, Cseke and Tomioka (2016), eq. 6.

    Example:
        >>> zero = torch.zeros(4)
        >>> round(critic_loss(GAN)(zero, zero).item() / math.log(2), 6)
        2.0
    """

    def loss(v_p: Tensor, v_q: Tensor) -> Tensor:
        return -bound(convex.activation(v_p), v_q, convex.composed)

    return loss


def generator_loss(convex: ConvexFunction) -> Callable[[Tensor], Tensor]:
    r"""What the generator minimises in the minimax game, :math:`-\mathbb E_q[f^*(g_f(V))]`.

    Args:
        convex: f.

    Returns:
        A function of V on samples of q, ``[..., m]``; its value is ``[...]``.

    Source:
        Nowozin, Cseke and Tomioka (2016), eq. 6.

    Example:
        >>> round(generator_loss(GAN)(torch.zeros(4)).item() / math.log(2), 6)
        -1.0
    """

    def loss(v_q: Tensor) -> Tensor:
        return -convex.composed(v_q).mean(-1)

    return loss


def practical_generator_loss(convex: ConvexFunction) -> Callable[[Tensor], Tensor]:
    r"""What the generator minimises in practice, :math:`-\mathbb E_q[g_f(V)]`.

    For the row :data:`GAN` it is the non-saturating loss, :math:`-\mathbb E_q\log D`.

    Args:
        convex: f.

    Returns:
        A function of V on samples of q, ``[..., m]``; its value is ``[...]``.

    Source:
        Nowozin, Cseke and Tomioka (2016), section 3.2; Goodfellow et al. (2014), section 3.

    Example:
        >>> round(practical_generator_loss(GAN)(torch.zeros(4)).item() / math.log(2), 6)
        1.0
    """

    def loss(v_q: Tensor) -> Tensor:
        return -convex.activation(v_q).mean(-1)

    return loss
