r"""Transport with blur: entropic plans by Sinkhorn's iterations, and the debiased divergence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.wgan.transport import _costs, _probabilities


@dataclass(frozen=True)
class Blurred:
    r"""An entropic plan with the potentials that make it.

    .. math:: \gamma_{ij}=p_iq_j\,e^{(\phi_i+\psi_j-c_{ij})/\varepsilon}

    Args:
        plan: γ, **[n, m]**; row sums p up to the tolerance, column sums q.
        potential_p: φ, **[n]**.
        potential_q: ψ, **[m]**.
        cost: :math:`\sum_{ij}\gamma_{ij}c_{ij}`.
        information: :math:`\mathrm{KL}(\gamma\|p\otimes q)` in nats: what one end of the plan
            tells about the other.
        epsilon: ε.
    """

    plan: Tensor
    potential_p: Tensor
    potential_q: Tensor
    cost: float
    information: float
    epsilon: float

    @property
    def objective(self) -> float:
        r"""What the plan minimises, :math:`\mathrm{OT}_\varepsilon=` cost + ε · information."""
        return self.cost + self.epsilon * self.information


def _half_round(log_mass: Tensor, potential: Tensor, cost: Tensor, epsilon: float) -> Tensor:
    """The other potential: −ε log Σ_j q_j exp((ψ_j − c_ij)/ε), **[n]** from **[m]**."""
    return -epsilon * (log_mass + (potential - cost) / epsilon).logsumexp(-1)


def entropic(
    p: Tensor,
    q: Tensor,
    cost: Tensor,
    epsilon: float,
    *,
    tolerance: float = 1e-10,
    rounds: int = 100_000,
) -> Blurred:
    r"""The plan of least cost plus ε times its information, by Sinkhorn's iterations.

    .. math:: \mathrm{OT}_\varepsilon(p,q)=\min_\gamma\Big\{\sum_{ij}\gamma_{ij}c_{ij}
        +\varepsilon\,\mathrm{KL}(\gamma\|p\otimes q)\Big\}

    over the plans of p and q. In turn φ mends the row sums and ψ the column sums, all in
    logarithms, so that a small ε does not underflow. The blur starts wide and is halved down to
    ε, each width from the potentials of the last. If p = q and the cost is symmetric, so is the
    plan, φ = ψ, and the mean of the old potential and the mended one converges far sooner.

    Args:
        p: probabilities **[n]**.
        q: probabilities **[m]**.
        cost: c, **[n, m]**, finite.
        epsilon: ε > 0, in the unit of the cost.
        tolerance: largest sum over the rows of :math:`|\sum_j\gamma_{ij}-p_i|`.
        rounds: at most so many at the last ε.

    Returns:
        Plan and potentials, float64.

    Raises:
        ValueError: if a marginal is no probability vector, the cost does not fit, ε is not
            positive, or the tolerance is not reached.

    Source:
        Sinkhorn (1964); Cuturi (2013).

    Example:
        >>> half, cost = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> blurred = entropic(half, half, cost, 1.0)
        >>> round(float(blurred.plan[0, 1] / blurred.plan[0, 0]), 6)  # exp(−1)
        0.367879
    """
    if not (0 < epsilon < float("inf")):
        raise ValueError(f"expected a finite ε > 0, got {epsilon}; for ε = 0 use transport.solve")
    exact_p, exact_q = _probabilities("p", p), _probabilities("q", q)
    c = torch.from_numpy(_costs(cost, len(exact_p), len(exact_q)))
    mass_p = torch.from_numpy(exact_p)
    log_p, log_q = mass_p.log(), torch.from_numpy(exact_q).log()
    twins = torch.equal(log_p, log_q) and torch.equal(c, c.T)
    psi = c.new_zeros(len(log_q))
    width = max(epsilon, float(c.max()))
    while True:
        last = width <= epsilon
        for _ in range(rounds if last else 20):
            phi = _half_round(log_q, psi, c, width)
            psi = (phi + psi) / 2 if twins else _half_round(log_p, phi, c.T, width)
            phi = psi if twins else phi
            log_plan = log_p[:, None] + log_q + (phi[:, None] + psi - c) / width
            off = float((log_plan.exp().sum(1) - mass_p).abs().sum())
            if off <= tolerance:
                break
        if last:
            break
        width = max(epsilon, width / 2)
    if off > tolerance:
        raise ValueError(
            f"expected row sums within {tolerance:g} after {rounds} rounds, got {off:g}; "
            "take a larger ε, more rounds or a larger tolerance"
        )
    return _blurred(log_plan, phi, psi, c, epsilon)


def _blurred(log_plan: Tensor, phi: Tensor, psi: Tensor, c: Tensor, epsilon: float) -> Blurred:
    plan = log_plan.exp()
    tilt = phi[:, None] + psi - c
    return Blurred(
        plan=plan,
        potential_p=phi,
        potential_q=psi,
        cost=float((plan * c).sum()),
        information=float((plan * tilt).sum()) / epsilon,
        epsilon=epsilon,
    )


def debiased(p: Tensor, q: Tensor, cost: Tensor, epsilon: float) -> float:
    r"""The Sinkhorn divergence of two distributions on common points.

    .. math:: S_\varepsilon(p,q)=\mathrm{OT}_\varepsilon(p,q)
        -\tfrac12\mathrm{OT}_\varepsilon(p,p)-\tfrac12\mathrm{OT}_\varepsilon(q,q)

    Args:
        p: probabilities **[n]**.
        q: probabilities **[n]** on the same points.
        cost: c, **[n, n]**, symmetric.
        epsilon: ε > 0.

    Returns:
        The divergence; 0 for p = q.

    Raises:
        ValueError: as :func:`entropic`, or if the cost is not symmetric.

    Source:
        Genevay, Peyré and Cuturi (2018); Feydy et al. (2019).

    Example:
        >>> p, cost = torch.tensor([0.5, 0.5]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> debiased(p, p, cost, 1.0)
        0.0
    """
    if cost.ndim != 2 or cost.shape != cost.T.shape or not torch.allclose(cost, cost.T):
        raise ValueError(f"expected a symmetric cost [n, n], got {list(cost.shape)}")
    own = [entropic(each, each, cost, epsilon).objective for each in (p, q)]
    return entropic(p, q, cost, epsilon).objective - sum(own) / 2
