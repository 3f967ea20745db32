r"""The gap of the ELBO, split: what a Gaussian cannot say, and what the encoder misses.

For two latent units every integral is a sum over a grid, so that nothing here is sampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from genbook.vae.models import VAE, Gaussian


@dataclass(frozen=True)
class Plane:
    r"""What a model with two latent units says of images, at every place of a grid.

    The prior and each guess live on the grid's places, with weights that sum to 1, so that the
    identities of the ELBO hold on the grid itself, to rounding.

    Args:
        axis: places along an axis, evenly spaced, shape ``[G]``.
        table: log p(x | z), shape ``[N, G, G]``.
    """

    axis: Tensor
    table: Tensor

    @property
    def log_prior(self) -> Tensor:
        """Logarithms of the prior's weights along an axis, shape ``[G]``."""
        return (-0.5 * self.axis**2).log_softmax(0)

    def log_guess(self, q: Gaussian) -> Tensor:
        r"""Logarithms of a guess's weights along both axes.

        Args:
            q: mean ``[N, 2]``.

        Returns:
            Shape ``[N, 2, G]``.
        """
        square = (self.axis - q.mean[..., None]) ** 2 * torch.exp(-q.log_var)[..., None]
        return (-0.5 * square).log_softmax(-1)

    def log_prob(self) -> Tensor:
        r"""Log p(x), a sum over the grid.

        Returns:
            Shape ``[N]``, nats.
        """
        joint = self.table + self.log_prior[:, None] + self.log_prior
        return joint.flatten(1).logsumexp(1)

    def elbo(self, q: Gaussian) -> Tensor:
        r"""The bound of a guess, summed and not sampled.

        .. math:: \mathcal L(q) = \sum_z q(z)\,\big[\log p(x\mid z) + \log p(z) - \log q(z)\big]

        Args:
            q: mean ``[N, 2]``.

        Returns:
            Shape ``[N]``, nats.
        """
        log_q = self.log_guess(q)
        weights = log_q.exp()
        divergence = (weights * (log_q - self.log_prior)).sum((1, 2))
        left, right = weights.unbind(1)
        return torch.einsum("ni,nij,nj->n", left, self.table, right) - divergence

    def gap(self, q: Gaussian) -> Tensor:
        r"""The divergence of a guess from the posterior, another way round.

        .. math:: \mathrm{KL}(q\,\|\,p(z\mid x)) = \sum_z q(z) \log\frac{q(z)}{p(z\mid x)}

        Args:
            q: mean ``[N, 2]``.

        Returns:
            Shape ``[N]``, nats.
        """
        posterior = self.table + self.log_prior[:, None] + self.log_prior
        posterior = posterior.flatten(1).log_softmax(1).view_as(self.table)
        left, right = self.log_guess(q).unbind(1)
        log_q = left[:, :, None] + right[:, None]
        return (log_q.exp() * (log_q - posterior)).sum((1, 2))

    def matched(self) -> Gaussian:
        r"""A diagonal Gaussian with the posterior's means and variances.

        Returns:
            Mean and log-variance of shape ``[N, 2]``.
        """
        posterior = self.table + self.log_prior[:, None] + self.log_prior
        weights = posterior.flatten(1).softmax(1).view_as(self.table)
        sides = torch.stack([weights.sum(2), weights.sum(1)], 1)
        mean = (sides * self.axis).sum(-1)
        variance = (sides * (self.axis - mean[..., None]) ** 2).sum(-1)
        return Gaussian(mean, variance.clamp_min(1e-6).log())


@torch.no_grad()
def plane_of(
    model: VAE, x: Tensor, *, reach: float = 4.8, step: float = 0.08, batch: int = 4_000
) -> Plane:
    r"""Ask a decoder about images at every place of a grid.

    .. math:: \log p(x\mid z) = x^\top d(z) - \sum_i \log\big(1 + e^{d(z)_i}\big)

    Args:
        model: with two latent units, and no view of the pixels.
        x: binary images, shape ``[N, P]``.
        reach: the grid ends here on all sides.
        step: between places. No posterior should be much narrower.
        batch: places at a time.

    Returns:
        The table, in double precision.

    Raises:
        ValueError: if the model has not two latent units, its decoder sees pixels, or the grid has
            no places.

    Example:
        >>> from genbook.kit.device import seeded
        >>> from genbook.vae.exact import all_binary, quadrature_log_prob
        >>> model, x = VAE(4, 2, hidden=(8,), generator=seeded(0)).double(), all_binary(4)
        >>> found = plane_of(model, x).log_prob() - quadrature_log_prob(model, x)
        >>> bool(found.abs().max() < 1e-4)
        True
    """
    if model.latent != 2 or type(model) is not VAE:
        raise ValueError(f"expected a VAE with two latent units, got {model.latent}")
    if not 0 < step < reach:
        raise ValueError(f"expected 0 < step < reach, got step {step} and reach {reach}")
    axis = torch.arange(-reach, reach + step / 2, step, dtype=torch.float64, device=x.device)
    rows = []
    for part in torch.cartesian_prod(axis, axis).to(x.dtype).split(batch):
        logits = model.decode(part)
        rows.append(logits @ x.T - softplus(logits).sum(1, keepdim=True))
    table = torch.cat(rows).double().T.reshape(len(x), len(axis), len(axis))
    return Plane(axis, table)


def best_guess(plane: Plane, start: Gaussian, *, steps: int = 200, lr: float = 0.2) -> Gaussian:
    r"""The best diagonal Gaussian for each image by itself: no encoder, four numbers an image.

    Adam climbs the exact bound from two starts, the one given and the posterior's own moments; the
    best point met on either way is kept, so that no image ends below its start.

    Args:
        plane: the images.
        start: mean ``[N, 2]``, such as the encoder's answer.
        steps: of each climb.
        lr: step size, which falls to 0.

    Returns:
        Mean and log-variance of shape ``[N, 2]``.

    Raises:
        ValueError: if there is no step.

    Example:
        >>> plane = Plane(torch.linspace(-4, 4, 41).double(), torch.zeros(1, 41, 41).double())
        >>> best = best_guess(plane, Gaussian(torch.ones(1, 2), torch.zeros(1, 2)))
        >>> bool(plane.gap(best) < 1e-3)
        True
    """
    if steps < 1 or lr <= 0:
        raise ValueError(f"expected steps ≥ 1 and lr > 0, got {steps} and {lr}")
    top = torch.full((len(plane.table),), -math.inf, dtype=torch.float64, device=plane.axis.device)
    kept = torch.stack([start.mean, start.log_var]).double()
    for begin in (start, plane.matched()):
        point = torch.stack([begin.mean, begin.log_var]).detach().double().requires_grad_()
        optimiser = torch.optim.Adam([point], lr=lr)
        falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda k: 1 - k / (steps + 1))
        for _ in range(steps + 1):
            bound = plane.elbo(Gaussian(*point))
            better = bound.detach() > top
            top = torch.where(better, bound.detach(), top)
            kept = torch.where(better[:, None], point.detach(), kept)
            optimiser.zero_grad()
            (-bound.sum()).backward()
            optimiser.step()
            falling.step()
    return Gaussian(*kept)


@dataclass(frozen=True)
class Split:
    r"""The gap of each image, in two parts.

    .. math:: \log p(x) - \mathcal L(q_\phi) =
        \underbrace{\log p(x) - \mathcal L(q^*)}_{\text{approximation}} +
        \underbrace{\mathcal L(q^*) - \mathcal L(q_\phi)}_{\text{amortisation}}

    Args:
        approximation: what no diagonal Gaussian can say, shape ``[N]``, nats.
        amortisation: what the encoder misses of the best one, shape ``[N]``, nats.
    """

    approximation: Tensor
    amortisation: Tensor


def split_gap(plane: Plane, guess: Gaussian, *, steps: int = 200) -> Split:
    r"""How much of the gap is the family's fault, and how much the encoder's.

    Args:
        plane: the images.
        guess: the encoder's answers, mean ``[N, 2]``.
        steps: of the search for the best guess.

    Returns:
        Both parts.

    Source:
        Cremer, Li and Duvenaud, *Inference suboptimality in variational autoencoders*, 2018.

    Example:
        >>> plane = Plane(torch.linspace(-4, 4, 41).double(), torch.zeros(1, 41, 41).double())
        >>> split = split_gap(plane, Gaussian(torch.ones(1, 2), torch.zeros(1, 2)))
        >>> bool(split.approximation < 1e-3), bool(split.amortisation > 0.9)
        (True, True)
    """
    with torch.no_grad():
        given = Gaussian(guess.mean.double(), guess.log_var.double())
    best = plane.elbo(best_guess(plane, given, steps=steps))
    return Split(plane.log_prob() - best, best - plane.elbo(given))
