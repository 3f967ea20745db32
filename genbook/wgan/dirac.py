r"""The smallest WGAN: data at 0, one fake at θ, a critic ψx, and what each leash does to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

LEASHES = ("none", "clip", "two-sided penalty", "zero-centred penalty")
"""How the critic's slope ψ is held."""


@dataclass(frozen=True)
class Leash:
    r"""A leash on the slope ψ.

    Args:
        kind: one of :data:`LEASHES`.
        strength: c of the clip, λ of the penalty :math:`\lambda(|\psi|-1)^2`, or γ of
            :math:`\frac\gamma2\psi^2`; without a leash it does nothing.

    Raises:
        ValueError: if the kind is unknown or the strength not positive.
    """

    kind: str
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Check kind and strength."""
        if self.kind not in LEASHES or not self.strength > 0:
            raise ValueError(
                f"expected a leash of {LEASHES} with a strength > 0, got {self.kind!r} and "
                f"{self.strength}"
            )

    def pull(self, psi: Tensor) -> Tensor:
        r"""The derivative of the penalty in ψ; 0 where there is none, shape ``[...]``."""
        if self.kind == "two-sided penalty":
            return 2 * self.strength * (psi.abs() - 1) * psi.sign()
        if self.kind == "zero-centred penalty":
            return self.strength * psi
        return torch.zeros_like(psi)

    def hold(self, psi: Tensor) -> Tensor:
        """ψ after the clip, if this leash is one, shape ``[...]``."""
        return psi.clamp(-self.strength, self.strength) if self.kind == "clip" else psi


def field(leash: Leash, state: Tensor) -> Tensor:
    r"""Where both players want to go.

    .. math:: \dot\theta=\psi,\qquad\dot\psi=-\theta-R'(\psi)

    The critic ascends :math:`\mathbb E_p[\psi x]-\mathbb E_q[\psi x]-R(\psi)=-\psi\theta-R(\psi)`,
    the generator ascends the score ψθ of its fake.

    Args:
        leash: gives R.
        state: (θ, ψ), shape ``[..., 2]``.

    Returns:
        Shape ``[..., 2]``.

    Source:
        Mescheder, Geiger and Nowozin (2018), the Dirac-GAN.

    Example:
        >>> field(Leash("none"), torch.tensor([1.0, 0.5])).tolist()
        [0.5, -1.0]
    """
    theta, psi = state[..., 0], state[..., 1]
    return torch.stack([psi, -theta - leash.pull(psi)], -1)


def orbit(leash: Leash, start: Tensor, rate: float, steps: int) -> Tensor:
    r"""Simultaneous gradient steps of both players.

    Args:
        leash: on the critic.
        start: (θ, ψ), shape ``[..., 2]``.
        rate: h > 0, of both.
        steps: how many.

    Returns:
        Shape ``[steps + 1, ..., 2]``, the start first.

    Raises:
        ValueError: if the rate is not positive or the number of steps negative.

    Example:
        >>> orbit(Leash("none"), torch.tensor([1.0, 0.0]), 0.5, 1)[-1].tolist()
        [1.0, -0.5]
    """
    if not rate > 0 or steps < 0:
        raise ValueError(f"expected a rate > 0 and steps ≥ 0, got {rate} and {steps}")
    path = [start]
    for _ in range(steps):
        moved = path[-1] + rate * field(leash, path[-1])
        path.append(torch.stack([moved[..., 0], leash.hold(moved[..., 1])], -1))
    return torch.stack(path)


def eigenvalues(gamma: float) -> tuple[complex, complex]:
    r"""Of the field at the equilibrium, with the zero-centred penalty.

    .. math:: -\frac\gamma2\pm\sqrt{\frac{\gamma^2}4-1}

    Args:
        gamma: γ ≥ 0; 0 is no leash.

    Returns:
        The two; conjugate for γ < 2.

    Raises:
        ValueError: if γ is negative.

    Source:
        Mescheder, Geiger and Nowozin (2018).

    Example:
        >>> eigenvalues(0.0)[0]
        1j
    """
    if not gamma >= 0:
        raise ValueError(f"expected γ ≥ 0, got {gamma}")
    inside = gamma**2 / 4 - 1
    root = complex(math.sqrt(inside)) if inside >= 0 else complex(0, math.sqrt(-inside))
    return root - gamma / 2, -root - gamma / 2
