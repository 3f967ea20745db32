r"""The Wasserstein-1 distance, exactly: transport plans, dual potentials, and the line.

Everything here is small enough to be exact: linear programs for discrete distributions, areas
between distribution functions on the line, and the parallel lines of Arjovsky, Chintala and Bottou
in closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, eye_array, kron, vstack
from torch import Tensor

Array = NDArray[np.float64]

EXACT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
"""HiGHS stops at 1e-7 by default, where a plan next to the best one may pass for the best."""


@dataclass(frozen=True)
class Transport:
    r"""An optimal plan with the potentials that prove it optimal.

    Args:
        cost: cost of the plan, :math:`\sum_{ij}\gamma_{ij}c_{ij}`.
        plan: γ, **[n, m]**; row sums p, column sums q.
        potential_p: φ, **[n]**.
        potential_q: ψ, **[m]**; :math:`\phi_i+\psi_j\le c_{ij}`.
        dual: :math:`\sum_i p_i\phi_i+\sum_j q_j\psi_j`.
    """

    cost: float
    plan: Tensor
    potential_p: Tensor
    potential_q: Tensor
    dual: float

    @property
    def gap(self) -> float:
        """Primal value minus dual value; 0 at the optimum."""
        return self.cost - self.dual


def _probabilities(name: str, values: Tensor) -> Array:
    ok = values.ndim == 1 and len(values) > 0 and bool((values >= 0).all())
    if not ok or not math.isclose(float(values.sum()), 1.0, abs_tol=1e-6):
        raise ValueError(
            f"expected probabilities in {name}: shape [n], each ≥ 0, sum 1; got shape "
            f"{list(values.shape)} with sum {float(values.sum()):g}; divide by the sum"
        )
    exact = values.detach().cpu().double().numpy()
    return exact / exact.sum()


def _costs(cost: Tensor, n: int, m: int) -> Array:
    if cost.shape != (n, m) or not bool(torch.isfinite(cost).all()):
        raise ValueError(
            f"expected a finite cost of shape [{n}, {m}], got {list(cost.shape)}; "
            "torch.cdist(x[:, None], y[:, None]) makes one"
        )
    return cost.detach().cpu().double().numpy()


def _solve(objective: Array, **constraints: object) -> Array:
    result = linprog(objective, method="highs", options=EXACT, **constraints)
    if not result.success:
        raise ValueError(f"expected a solvable linear program, got: {result.message}")
    return np.asarray(result.x, dtype=np.float64)


def _marginals(n: int, m: int) -> csr_array:
    """The matrix that maps a flat plan [n·m] to its row sums and column sums [n + m]."""
    rows = kron(eye_array(n), np.ones((1, m)))
    columns = kron(np.ones((1, n)), eye_array(m))
    return csr_array(vstack([rows, columns]))


def solve(p: Tensor, q: Tensor, cost: Tensor) -> Transport:
    r"""An optimal transport plan and its potentials, from two linear programs.

    .. math::
        \min_{\gamma\ge0}\Big\{\sum_{ij}\gamma_{ij}c_{ij}:\ \sum_j\gamma_{ij}=p_i,\
        \sum_i\gamma_{ij}=q_j\Big\}
        = \max\Big\{\sum_i p_i\phi_i+\sum_j q_j\psi_j:\ \phi_i+\psi_j\le c_{ij}\Big\}

    The two are solved apart, so that their agreement is a check and no tautology.

    Args:
        p: probabilities **[n]**.
        q: probabilities **[m]**.
        cost: c, **[n, m]**.

    Returns:
        Plan and potentials, float64; φ is shifted so that its first entry is 0.

    Raises:
        ValueError: if a marginal is no probability vector or the cost does not fit.

    Source:
        Kantorovich (1942); the linear programs are solved by HiGHS through SciPy.

    Example:
        >>> half, cost = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> solve(half, torch.tensor([1.0, 0.0]), cost).cost
        0.5
    """
    p_array, q_array = _probabilities("p", p), _probabilities("q", q)
    n, m = len(p_array), len(q_array)
    costs, matrix = _costs(cost, n, m), _marginals(n, m)
    both = np.concatenate([p_array, q_array])
    plan = _solve(costs.ravel(), A_eq=matrix, b_eq=both, bounds=(0, None))
    potentials = _solve(-both, A_ub=matrix.T, b_ub=costs.ravel(), bounds=(None, None))
    shift = potentials[0]
    phi, psi = potentials[:n] - shift, potentials[n:] + shift
    return Transport(
        cost=float(plan @ costs.ravel()),
        plan=torch.from_numpy(plan.reshape(n, m)),
        potential_p=torch.from_numpy(phi),
        potential_q=torch.from_numpy(psi),
        dual=float(p_array @ phi + q_array @ psi),
    )


@dataclass(frozen=True)
class Potential:
    r"""A Kantorovich–Rubinstein potential: the best 1-Lipschitz critic on common points.

    Args:
        value: :math:`\sum_i f_i(p_i-q_i)`.
        f: **[n]**; :math:`|f_i-f_j|\le d_{ij}`; its first entry is 0.
    """

    value: float
    f: Tensor


def potential(p: Tensor, q: Tensor, distances: Tensor) -> Potential:
    r"""The Kantorovich–Rubinstein dual on n common points, from one linear program.

    .. math:: W_1(p,q) = \max_f\Big\{\sum_i f_i(p_i-q_i):\ f_i-f_j\le d_{ij}\Big\}

    Args:
        p: probabilities **[n]**.
        q: probabilities **[n]** on the same points.
        distances: a metric d, **[n, n]**; symmetric, zero on the diagonal.

    Returns:
        The value and the critic.

    Raises:
        ValueError: if the shapes do not fit, or d is not symmetric with a zero diagonal.

    Source:
        Kantorovich and Rubinstein (1958); Arjovsky, Chintala and Bottou (2017), eq. 2.

    Example:
        >>> p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
        >>> potential(p, q, torch.tensor([[0.0, 3.0], [3.0, 0.0]])).value
        3.0
    """
    weights = _probabilities("p", p) - _probabilities("q", q)
    n = len(weights)
    metric = _costs(distances, n, n)
    if not (np.allclose(metric, metric.T) and np.allclose(np.diag(metric), 0)):
        raise ValueError("expected symmetric distances with a zero diagonal, got others")
    i, j = np.nonzero(~np.eye(n, dtype=bool))
    pair = np.arange(len(i))
    ones = np.ones(len(i))
    values = (np.concatenate([ones, -ones]), (np.tile(pair, 2), np.concatenate([i, j])))
    differences = coo_array(values, shape=(len(i), n)).tocsr()
    f = _solve(-weights, A_ub=differences, b_ub=metric[i, j], bounds=(None, None))
    return Potential(float(weights @ f), torch.from_numpy(f - f[0]))


def extended(phi: Tensor, x: Tensor, y: Tensor) -> Tensor:
    r"""A potential known on points, as a 1-Lipschitz critic on the whole space.

    .. math:: f(y) = \max_i\{\phi_i-\|y-x_i\|\}

    With the optimal φ of :func:`solve` it is a best critic of the Kantorovich–Rubinstein dual.

    Args:
        phi: φ, **[n]**.
        x: the points of p, **[n, d]**.
        y: where, **[..., d]**.

    Returns:
        Shape ``[...]``, differentiable in y almost everywhere.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        McShane (1934); the c-transform of φ, Villani (2009), chapter 5.

    Example:
        >>> phi, x = torch.tensor([0.0, 0.0]), torch.tensor([[0.0], [4.0]])
        >>> extended(phi, x, torch.tensor([[1.0], [2.0]])).tolist()
        [-1.0, -2.0]
    """
    if x.ndim != 2 or phi.shape != x.shape[:1] or y.shape[-1:] != x.shape[-1:]:
        raise ValueError(
            f"expected φ [n], x [n, d] and y [..., d], got {list(phi.shape)}, {list(x.shape)} "
            f"and {list(y.shape)}"
        )
    away = torch.linalg.vector_norm(y.unsqueeze(-2) - x, dim=-1)
    return (phi - away).amax(-1)


def lipschitz(f: Tensor, distances: Tensor) -> float:
    r"""The Lipschitz constant of values on points, :math:`\max_{i\ne j}|f_i-f_j|/d_{ij}`.

    Args:
        f: **[n]**.
        distances: **[n, n]**, positive off the diagonal.

    Returns:
        The constant; 0 for a single point.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> lipschitz(torch.tensor([0.0, 1.0]), torch.tensor([[0.0, 2.0], [2.0, 0.0]]))
        0.5
    """
    if distances.shape != (len(f), len(f)):
        raise ValueError(f"expected distances [{len(f)}, {len(f)}], got {list(distances.shape)}")
    apart = distances > 0
    ratios = (f[:, None] - f[None, :]).abs()[apart] / distances[apart]
    return float(ratios.max()) if len(ratios) else 0.0


def on_line(x: Tensor, p: Tensor, y: Tensor, q: Tensor) -> Tensor:
    r"""W₁ of two distributions on the line: the area between their distribution functions.

    .. math:: W_1(p,q)=\int_{-\infty}^{\infty}|F_p(t)-F_q(t)|\,dt

    Args:
        x: points of p, **[n]**, in any order.
        p: their probabilities, **[..., n]**.
        y: points of q, **[m]**.
        q: their probabilities, **[..., m]**.

    Returns:
        Shape ``[...]``, in the unit of the points; differentiable in points and probabilities.

    Raises:
        ValueError: if points and probabilities do not fit.

    Source:
        Vallender (1974).

    Example:
        >>> x, p = torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5])
        >>> on_line(x, p, x + 3, p).item()
        3.0
    """
    for points, masses in ((x, p), (y, q)):
        if points.ndim != 1 or masses.shape[-1:] != points.shape:
            raise ValueError(
                "expected points [n] with probabilities [..., n], got "
                f"{list(points.shape)} and {list(masses.shape)}"
            )
    points, order = torch.cat([x, y]).sort()
    signed = torch.cat([p, -q], dim=-1)[..., order]
    return (signed.cumsum(-1)[..., :-1].abs() * points.diff()).sum(-1)


def of_samples(x: Tensor, y: Tensor) -> Tensor:
    r"""W₁ of two samples of one size on the line: match them in order.

    .. math:: W_1 = \frac1n\sum_i |x_{(i)}-y_{(i)}|

    Args:
        x: **[..., n]**.
        y: **[..., n]**.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> of_samples(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 3.0])).item()
        1.0
    """
    if x.shape != y.shape or x.ndim == 0:
        raise ValueError(
            f"expected two samples of one shape [..., n], got {list(x.shape)} and {list(y.shape)}"
        )
    return (x.sort(-1).values - y.sort(-1).values).abs().mean(-1)


@dataclass(frozen=True)
class Reading:
    r"""A divergence at one θ.

    Args:
        value: may be infinite.
        slope: its derivative in θ; NaN where there is none.
    """

    value: float
    slope: float


NAMES = ("W₁", "JS", "TV", "KL(p‖q)", "KL(q‖p)")
"""The divergences of :func:`parallel_lines`."""


def parallel_lines(theta: float, noise: float = 0.0) -> dict[str, Reading]:
    r"""Every divergence of the parallel lines :math:`(0, Z)` and :math:`(\theta, Z)`, exactly.

    .. math:: W_1=|\theta|,\qquad \mathrm{JS}=\log2,\quad \mathrm{KL}=\infty,\quad \mathrm{TV}=1
        \quad(\theta\ne0)

    At θ = 0 all are 0. There W₁ has a kink and the others jump, so no derivative exists; for θ ≠ 0
    the slope of a constant is 0 and an infinite value has none. With Gaussian noise of deviation σ
    on both first coordinates the lines overlap,

    .. math:: \mathrm{KL}=\frac{\theta^2}{2\sigma^2},\qquad
        \mathrm{TV}=\mathrm{erf}\frac{|\theta|}{2\sqrt2\,\sigma},

    JS is an integral, and W₁ is what it was.

    Args:
        theta: distance of the lines, with its sign.
        noise: σ ≥ 0.

    Returns:
        Name → value and slope; KL and JS in nats.

    Raises:
        ValueError: if θ is not finite or σ is negative.

    Source:
        Arjovsky, Chintala and Bottou (2017), example 1; noise: Arjovsky and Bottou (2017).

    Example:
        >>> parallel_lines(-0.5)["W₁"]
        Reading(value=0.5, slope=-1.0)
    """
    if not (math.isfinite(theta) and noise >= 0):
        raise ValueError(f"expected a finite θ and a noise σ ≥ 0, got {theta} and {noise}")
    if noise > 0:
        return _noisy_lines(theta, noise)
    if theta == 0:
        return dict.fromkeys(NAMES, Reading(0.0, math.nan))
    flat, infinite = 0.0, Reading(math.inf, math.nan)
    readings = (
        Reading(abs(theta), math.copysign(1.0, theta)),
        Reading(math.log(2), flat),
        Reading(1.0, flat),
        infinite,
        infinite,
    )
    return dict(zip(NAMES, readings, strict=True))


def line_atoms(theta: float, n: int) -> tuple[Tensor, Tensor, Tensor]:
    r"""The two parallel lines with n atoms each, on the union of their atoms.

    Args:
        theta: distance of the lines, with its sign.
        n: atoms of a line, at equal distances on [0, 1].

    Returns:
        Probabilities p and q, **[m]**, and the m points, **[m, 2]**, float64; m = 2n, or n where
        the lines coincide.

    Raises:
        ValueError: if θ is not finite or there are fewer than two atoms.

    Source:
        Arjovsky, Chintala and Bottou (2017), example 1.

    Example:
        >>> p, q, points = line_atoms(0.5, 3)
        >>> points.shape, round((p * q).sum().item(), 6)
        (torch.Size([6, 2]), 0.0)
    """
    if not math.isfinite(theta) or n < 2:
        raise ValueError(f"expected a finite θ and n ≥ 2 atoms, got {theta} and {n}")
    height = torch.linspace(0, 1, n, dtype=torch.float64)
    both = [torch.stack([torch.full_like(height, at), height], dim=1) for at in (0.0, theta)]
    points, place = torch.cat(both).unique(dim=0, return_inverse=True)
    nothing, share = points.new_zeros(len(points)), height.new_full((n,), 1 / n)
    p, q = (nothing.index_add(0, where, share) for where in place.split(n))
    return p, q, points


def _noisy_lines(theta: float, noise: float) -> dict[str, Reading]:
    a, sign = theta / noise, math.copysign(1.0, theta) if theta else math.nan
    density = math.exp(-(a**2) / 8) / (noise * math.sqrt(2 * math.pi))
    kl = Reading(a**2 / 2, a / noise)
    readings = (
        Reading(abs(theta), sign),
        _noisy_js(a, noise),
        Reading(math.erf(abs(a) / math.sqrt(8)), sign * density),
        kl,
        kl,
    )
    return dict(zip(NAMES, readings, strict=True))


def _noisy_js(a: float, noise: float) -> Reading:
    """JS of two unit Gaussians a apart, as an average over the first; p and q mirror each other."""
    u = torch.linspace(-10, 10, 2001, dtype=torch.float64)
    weight = torch.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    ratio = a * u - a**2 / 2
    value = math.log(2) - torch.trapezoid(weight * torch.nn.functional.softplus(ratio), u)
    slope = -torch.trapezoid(weight * torch.sigmoid(ratio) * (u - a), u) / noise
    return Reading(float(value), float(slope))
