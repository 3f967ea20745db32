r"""Conjugates by three roads, and the variational bound on a grid.

Names: ``convex`` is a row of the table in :mod:`genbook.games.duality`; u = p/q ≥ 0 is a density
ratio, t a critic's value, v what a network puts out before the activation :math:`t = g_f(v)`.
Divergences and bounds of the logarithmic rows are in nats. The row Jensen–Shannon is *twice* the
Jensen–Shannon divergence, and the row GAN has :math:`f(1)=-\log4`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from scipy.optimize import brentq, minimize_scalar
from torch import Tensor

from genbook.divergences import measures
from genbook.games.duality import TABLE, ConvexFunction

REACH = 40.0
"""Numeric searches look at ratios from e^−40 to e^40."""

# --- Conjugates -------------------------------------------------------------------------------


def row(name: str) -> ConvexFunction:
    r"""A row of the table by its name.

    Args:
        name: as ``"reverse KL"``.

    Returns:
        The convex function with its conjugate.

    Raises:
        ValueError: if there is no such row; the error lists them.

    Example:
        >>> row("KL").threshold
        1.0
    """
    rows = {convex.name: convex for convex in TABLE}
    if name not in rows:
        raise ValueError(f"expected one of {', '.join(rows)}, got {name!r}")
    return rows[name]


def _scalar(function: Callable[[Tensor], Tensor]) -> Callable[[float], float]:
    return lambda value: float(function(torch.tensor(value, dtype=torch.float64)))


def _each(function: Callable[[float], float], values: Tensor) -> Tensor:
    found = [function(value) for value in values.detach().double().flatten().tolist()]
    return torch.tensor(found, dtype=torch.float64).reshape(values.shape)


def _peak(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one maximum on [low, high] has it."""
    found = minimize_scalar(
        lambda at: -function(at), bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x)


def numeric_conjugate(convex: ConvexFunction, t: Tensor) -> Tensor:
    r"""The conjugate from its definition: SciPy looks for the supremum, and knows nothing but f.

    .. math:: f^*(t) = \sup_{u>0}\; ut - f(u)

    The search runs over :math:`\log u`, in which :math:`ut-f(u)` still has one maximum.

    Args:
        convex: gives f.
        t: slopes, shape ``[...]``.

    Returns:
        Shape ``[...]``, float64; ∞ where the maximum runs off to u → ∞, that is outside
        :math:`\mathrm{dom}\,f^*`.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, eq. 3.

    Example:
        >>> numeric_conjugate(row("KL"), torch.tensor([1.0])).item()  # exp(t − 1)
        1.0
        >>> numeric_conjugate(row("reverse KL"), torch.tensor([0.5])).item()
        inf
    """
    f = _scalar(convex.f)

    def sup(slope: float) -> float:
        def line(y: float) -> float:
            return slope * math.exp(y) - f(math.exp(y))

        if line(REACH) > line(REACH - 1) > line(REACH - 2):
            return math.inf
        return line(_peak(line, -REACH, REACH))

    return _each(sup, t)


def autograd_conjugate(convex: ConvexFunction, t: Tensor) -> Tensor:
    r"""The conjugate by autograd: solve :math:`f'(u)=t` for u, then :math:`f^*(t)=ut-f(u)`.

    :math:`f'` is autograd's derivative of f, not the table's. Where f has a kink, the slope jumps
    over t; the root is then the kink, and the formula still holds.

    Args:
        convex: gives f.
        t: slopes strictly between those of f, ``convex.slopes``; shape ``[...]``.

    Returns:
        Shape ``[...]``, float64.

    Raises:
        ValueError: if f has no tangent of that slope.

    Example:
        >>> round(autograd_conjugate(row("Pearson χ²"), torch.tensor([2.0])).item(), 6)
        3.0
    """
    low, high = convex.slopes
    if not bool(((t > low) & (t < high)).all()):
        raise ValueError(
            f"expected slopes between those of f, {low:g} and {high:g}, for {convex.name}, got "
            f"{t.min().item():g} to {t.max().item():g}: no other line touches f"
        )

    def excess(y: float, slope: float) -> float:
        u = torch.tensor(math.exp(y), dtype=torch.float64, requires_grad=True)
        return float(torch.autograd.grad(convex.f(u), u)[0]) - slope

    def touch(slope: float) -> float:
        u = math.exp(brentq(excess, -REACH, REACH, args=(slope,), xtol=1e-13))
        return u * slope - _scalar(convex.f)(u)

    return _each(touch, t)


def biconjugate(convex: ConvexFunction, u: Tensor) -> Tensor:
    r"""The conjugate of the table's conjugate, numerically.

    .. math:: f^{**}(u) = \sup_{t\in\mathrm{dom} f^*}\; ut - f^*(t)

    It is f again, since f is convex and closed. The search runs over v, with :math:`t=g_f(v)`.

    Args:
        convex: gives :math:`f^*` and its domain.
        u: ratios > 0, from about 0.03 to 30, so that the slope there is within the search.

    Returns:
        Shape ``[...]``, float64.

    Raises:
        ValueError: if a ratio is not positive.

    Example:
        >>> round(biconjugate(row("KL"), torch.tensor([1.0])).item(), 6)
        0.0
    """
    check_ratio(u)
    conjugate, activation = _scalar(convex.conjugate), _scalar(convex.activation)
    reach = 25.0 if math.isfinite(convex.domain[1]) else 60.0

    def sup(ratio: float) -> float:
        def line(v: float) -> float:
            return ratio * activation(v) - conjugate(activation(v))

        return line(_peak(line, -reach, reach))

    return _each(sup, u)


def check_ratio(u: Tensor) -> None:
    r"""Refuse density ratios that are not positive.

    Args:
        u: any shape.

    Raises:
        ValueError: if one is zero, negative or NaN.

    Example:
        >>> check_ratio(torch.ones(2))
    """
    if not bool((u > 0).all()):
        raise ValueError(f"expected density ratios u > 0, got a minimum of {u.min().item():g}")


def check_domain(convex: ConvexFunction, t: Tensor) -> None:
    r"""Refuse critic values outside :math:`\mathrm{dom}\,f^*`, where the bound is −∞.

    Args:
        convex: gives the domain.
        t: a critic's values, any shape.

    Raises:
        ValueError: if a value is outside or NaN; it names the domain and the remedy.

    Example:
        >>> check_domain(row("reverse KL"), torch.tensor([-1.0]))
    """
    if not bool(torch.isfinite(convex.conjugate(t)).all()):
        low, high = convex.domain
        raise ValueError(
            f"expected critic values in dom f* = ({low:g}, {high:g}) of {convex.name}, got "
            f"{t.min().item():g} to {t.max().item():g}; put the network's output v through "
            "convex.activation(v)"
        )


def fenchel_young(convex: ConvexFunction, u: Tensor, t: Tensor) -> Tensor:
    r"""The Fenchel–Young gap: how far the line of slope t that supports f lies below f at u.

    .. math:: f(u) + f^*(t) - ut \;\ge\; 0, \qquad = 0 \iff t\in\partial f(u)

    Args:
        convex: f.
        u: ratios > 0, shape ``[...]``.
        t: slopes in :math:`\mathrm{dom}\,f^*`, broadcastable to ``[...]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if a ratio is not positive or a slope is outside the domain.

    Example:
        >>> fenchel_young(row("Pearson χ²"), torch.tensor(3.0), torch.tensor(0.0)).item()
        4.0
    """
    check_ratio(u)
    check_domain(convex, t)
    return convex.f(u) + convex.conjugate(t) - u * t


# --- The bound on a grid ----------------------------------------------------------------------


def raw_critic(convex: ConvexFunction, log_ratio: Tensor) -> Tensor:
    r"""What the network has to put out for the best critic, :math:`g_f(V^*) = f'(p/q)`.

    Args:
        convex: a row of the table.
        log_ratio: :math:`\ell = \log p - \log q`, shape ``[...]``.

    Returns:
        :math:`V^*`, shape ``[...]``. For total variation it is ±∞; we return ±20, where tanh is 1.

    Raises:
        ValueError: if the row is not of the table.

    Example:
        >>> raw_critic(row("GAN"), torch.tensor(0.7)).item() == torch.tensor(0.7).item()
        True
    """
    ell = log_ratio
    raw = {
        "KL": lambda: 1 + ell,
        "reverse KL": lambda: ell,
        "Pearson χ²": lambda: 2 * torch.expm1(ell),
        "Neyman χ²": lambda: 2 * ell,
        "squared Hellinger": lambda: ell / 2,
        "Jeffrey": lambda: 1 + ell - torch.exp(-ell),
        "Jensen–Shannon": lambda: ell,
        "GAN": lambda: ell,
        "total variation": lambda: 20 * ell.sign(),
    }
    return raw[row(convex.name).name]()


def best_critic(convex: ConvexFunction, log_ratio: Tensor) -> Tensor:
    r"""The critic at which the bound is tight, :math:`T^*=f'(p/q)`.

    Args:
        convex: a row of the table.
        log_ratio: :math:`\log p - \log q`, shape ``[...]``; differentiable.

    Returns:
        Shape ``[...]``. For total variation any value in [−½, ½] will do where p = q; this one
        is 0 there.

    Example:
        >>> round(best_critic(row("GAN"), torch.zeros(())).item(), 4)  # −log 2
        -0.6931
    """
    return convex.activation(raw_critic(convex, log_ratio))


def divergence_on_grid(convex: ConvexFunction, log_p: Tensor, log_q: Tensor, x: Tensor) -> Tensor:
    r"""The f-divergence of two densities, by the trapezoid rule.

    .. math:: D_f(p\|q) = \int_{q>0} q\,f(p/q)\,dx + f'(\infty)\,p\{q=0\}

    Args:
        convex: f.
        log_p: log-density of p at ``x``, shape ``[..., n]``.
        log_q: log-density of q, likewise.
        x: increasing grid, shape ``[n]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if the shapes do not fit or the grid does not increase.

    Example:
        >>> x = torch.linspace(-12, 12, 2001, dtype=torch.float64)
        >>> normal = torch.distributions.Normal
        >>> log_p, log_q = normal(0.0, 1.0).log_prob(x), normal(1.0, 1.0).log_prob(x)
        >>> round(divergence_on_grid(row("KL"), log_p, log_q, x).item(), 6)
        0.5
    """
    return measures.on_grid(as_divergence(convex), log_p, log_q, x) + convex.at_one


def as_divergence(convex: ConvexFunction) -> measures.Divergence:
    r"""A row of the table as a divergence that the tools of the KL chapter can fit and integrate.

    .. math:: \pi = q\,\big[f(u)-f(1)-f'(1)(u-1)\big] \ge 0,\qquad
        \pi = p\,\big[f'(\infty)-f'(1)\big]\ \text{where}\ q=0

    The second form is the limit of the first as q shrinks: :math:`q\,f(p/q)\to p\,f'(\infty)`,
    and :math:`f'(\infty)` is the upper end of :math:`\mathrm{dom}\,f^*`.

    Args:
        convex: f.

    Returns:
        :math:`D_f - f(1)`, which differs from :math:`D_f` only in the row GAN.

    Source:
        Csiszár (1967), for the term where q vanishes.

    Example:
        >>> half = torch.tensor([0.5, 0.5])
        >>> round(measures.on_atoms(as_divergence(row("GAN")), half, half).item(), 6)
        0.0
        >>> apart = torch.eye(2)
        >>> measures.on_atoms(as_divergence(row("total variation")), *apart).item()
        1.0
    """
    steepest = convex.domain[1] - convex.threshold

    def penalty(log_p: Tensor, log_q: Tensor) -> Tensor:
        in_p, in_q = log_p > -math.inf, log_q > -math.inf
        log_u = torch.where(in_p & in_q, log_p, 0.0) - torch.where(in_p & in_q, log_q, 0.0)
        u = torch.where(in_p | ~in_q, log_u.clamp(-300, 300).exp(), 0.0)
        tilted = convex.f(u) - convex.at_one - convex.threshold * (u - 1)
        if math.isinf(steepest):
            stray = torch.zeros_like(tilted).masked_fill(in_p & ~in_q, math.inf)
        else:
            stray = log_p.exp() * steepest
        return torch.where(in_q, log_q.exp() * tilted, stray)

    return measures.Divergence(convex.name, convex.symbol, penalty)


def bound_on_grid(
    convex: ConvexFunction, t: Tensor, log_p: Tensor, log_q: Tensor, x: Tensor
) -> Tensor:
    r"""The variational bound for any critic.

    .. math:: F(T) = \int p\,T\,dx - \int q\,f^*(T)\,dx \;\le\; D_f(p\|q)

    Args:
        convex: f.
        t: the critic's values T(x), shape ``[..., n]``.
        log_p: log-density of p at ``x``, shape ``[..., n]``.
        log_q: log-density of q, likewise.
        x: increasing grid, shape ``[n]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if a value of T is outside :math:`\mathrm{dom}\,f^*`.

    Source:
        Nguyen, Wainwright, Jordan, 2010; Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, eq. 4.

    Example:
        >>> x = torch.linspace(-9, 9, 901, dtype=torch.float64)
        >>> log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
        >>> round(bound_on_grid(row("KL"), torch.ones_like(x), log_p, log_p, x).item(), 6)
        0.0
    """
    check_domain(convex, t)
    gain = log_p.exp() * t - log_q.exp() * convex.conjugate(t)
    return torch.trapezoid(gain, x, dim=-1)


def sag_on_grid(
    convex: ConvexFunction, t: Tensor, log_p: Tensor, log_q: Tensor, x: Tensor
) -> Tensor:
    r"""How far the bound hangs below the divergence: the Fenchel–Young gap, averaged over q.

    .. math:: D_f(p\|q) - F(T) = \int_{q>0} q\,\big[f(u)+f^*(T)-uT\big]\,dx
        + \int_{q=0} p\,\big[f'(\infty)-T\big]\,dx,\qquad u = p/q

    Args:
        convex: f.
        t: the critic's values T(x), shape ``[..., n]``.
        log_p: log-density of p at ``x``, shape ``[..., n]``.
        log_q: log-density of q, likewise.
        x: increasing grid, shape ``[n]``.

    Returns:
        Shape ``[...]``, ≥ 0.

    Raises:
        ValueError: if a value of T is outside :math:`\mathrm{dom}\,f^*`.

    Example:
        >>> x = torch.linspace(-9, 9, 901, dtype=torch.float64)
        >>> log_p = torch.distributions.Normal(0.0, 1.0).log_prob(x)
        >>> round(sag_on_grid(row("Pearson χ²"), torch.ones_like(x), log_p, log_p, x).item(), 6)
        0.25
    """
    check_domain(convex, t)
    in_p, in_q = log_p > -math.inf, log_q > -math.inf
    log_u = torch.where(in_p & in_q, log_p, 0.0) - torch.where(in_p & in_q, log_q, 0.0)
    u = torch.where(in_p | ~in_q, log_u.clamp(-300, 300).exp(), 0.0)
    gap = torch.where(in_q, log_q.exp() * (convex.f(u) + convex.conjugate(t) - u * t), 0.0)
    stray = torch.where(in_p & ~in_q, log_p.exp() * (convex.domain[1] - t), 0.0)
    return torch.trapezoid(gap + stray, x, dim=-1)
