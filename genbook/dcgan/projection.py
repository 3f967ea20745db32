r"""The discriminator that projects on classes, and when no other form is needed.

.. math:: f(x,y)=y^\top V\phi(x)+\psi(\phi(x))
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Classes:
    r"""Classes of Gaussians: a class is drawn, then a point around its mean.

    Args:
        weights: chances of the classes, **[K]**, positive, summing to 1.
        means: **[K, d]**.
        variances: of every coordinate in each class, **[K]**, positive.

    Raises:
        ValueError: if the shapes do not fit or a number is out of range.
    """

    weights: Tensor
    means: Tensor
    variances: Tensor

    def __post_init__(self) -> None:
        """Check the shapes and the numbers."""
        k = len(self.weights)
        if self.means.ndim != 2 or len(self.means) != k or self.variances.shape != (k,):
            raise ValueError(
                f"expected weights [K], means [K, d] and variances [K], got K = {k}, "
                f"{list(self.means.shape)} and {list(self.variances.shape)}"
            )
        low = min(float(self.weights.min()), float(self.variances.min()))
        if low <= 0 or abs(float(self.weights.sum()) - 1) > 1e-6:
            raise ValueError("expected positive variances and weights that sum to 1")

    def log_joint(self, x: Tensor) -> Tensor:
        r"""The log-density of each point with each class.

        Args:
            x: **[N, d]**.

        Returns:
            **[N, K]**, nats.
        """
        away = (x[:, None] - self.means).square().sum(-1) / self.variances
        scale = x.shape[1] * torch.log(2 * math.pi * self.variances)
        return self.weights.log() - 0.5 * (away + scale)


def optimal_logit(data: Classes, drawn: Classes, x: Tensor) -> Tensor:
    r"""What the best discriminator of pairs says.

    .. math:: f^*(x,y)=\log\frac{p(x,y)}{q(x,y)}

    Args:
        data: p.
        drawn: q, of as many classes.
        x: **[N, d]**.

    Returns:
        **[N, K]**, one number a class.

    Example:
        >>> same = Classes(torch.full((2,), 0.5), torch.zeros(2, 1), torch.ones(2))
        >>> optimal_logit(same, same, torch.ones(3, 1)).abs().max().item()
        0.0
    """
    return data.log_joint(x) - drawn.log_joint(x)


def linear_parts(data: Classes, drawn: Classes) -> tuple[Tensor, Tensor]:
    r"""The rows and numbers of the optimal logit, for classes that all have variance 1.

    .. math:: f^*(x,y)=v_y^\top x+b_y,\quad v_y=\mu_y-\nu_y,\quad
        b_y=\log\frac{\pi_y}{\rho_y}-\tfrac12(\|\mu_y\|^2-\|\nu_y\|^2)

    Args:
        data: p, with weights π and means μ.
        drawn: q, with weights ρ and means ν.

    Returns:
        V **[K, d]** and b **[K]**: with φ(x) = (x, 1) a projection and ψ = 0.

    Raises:
        ValueError: if a variance is not 1.

    Example:
        >>> p = Classes(torch.ones(1), torch.tensor([[2.0]]), torch.ones(1))
        >>> q = Classes(torch.ones(1), torch.tensor([[0.0]]), torch.ones(1))
        >>> [part.flatten().tolist() for part in linear_parts(p, q)]
        [[2.0], [-2.0]]
    """
    if bool((torch.cat([data.variances, drawn.variances]) != 1).any()):
        raise ValueError("expected variances of 1; others need squares of x in φ")
    rows = data.means - drawn.means
    squares = data.means.square().sum(1) - drawn.means.square().sum(1)
    return rows, (data.weights / drawn.weights).log() - 0.5 * squares


def off_projection(logits: Tensor, features: Tensor) -> Tensor:
    r"""What is left of logits when the best projection on classes is taken off.

    Logits that project are, up to a function of x alone, linear in φ with a row a class; so their
    differences between classes are linear in φ. Least squares finds the best such rows.

    Args:
        logits: **[N, K]** at N points.
        features: φ of the points, **[N, m]** with N > m; a column of ones is wanted for a bias.

    Returns:
        The root mean square that is left, a scalar; 0 if and only if the logits project there.

    Example:
        >>> x = torch.linspace(-1, 1, 9).double()[:, None]
        >>> phi = torch.cat([x, torch.ones_like(x)], 1)
        >>> off_projection(torch.cat([2 * x, x + 1], 1), phi).item() < 1e-12
        True
        >>> off_projection(torch.cat([2 * x, x**2], 1), phi).item() > 0.1
        True
    """
    centred = logits - logits.mean(1, keepdim=True)
    rows = torch.linalg.lstsq(features, centred).solution
    return (centred - features @ rows).square().mean().sqrt()
