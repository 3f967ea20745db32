r"""Models whose log p(x) is known: linear Gaussians, all binary images, quadrature."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genbook.vae.bounds import log_weights
from genbook.vae.checks import check_last_axis
from genbook.vae.models import LOG_2PI, Gaussian, InferenceModel, LatentModel, gaussian_kl


@dataclass(frozen=True)
class LinearGaussian:
    r"""A latent-variable model in which every quantity of this chapter has a closed form.

    .. math:: z \sim \mathcal N(0, I), \qquad x \mid z \sim \mathcal N(W z + b,\ s^2 I)

    Args:
        weight: :math:`W`, shape ``[P, D]``.
        bias: :math:`b`, shape ``[P]``.
        noise: :math:`s`, standard deviation of a pixel.

    Raises:
        ValueError: if the shapes do not fit or the noise is not positive.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 1.0)
        >>> posterior = model.posterior(torch.tensor([[2.0]]))
        >>> posterior.mean.item(), round(posterior.variance.item(), 6)
        (1.0, 0.5)
    """

    weight: Tensor
    bias: Tensor
    noise: float

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ValueError(
                "expected weight [P, D] and bias [P], got "
                f"{list(self.weight.shape)} and {list(self.bias.shape)}"
            )
        if not (math.isfinite(self.noise) and self.noise > 0):
            raise ValueError(f"expected a positive standard deviation, got noise={self.noise}")

    @property
    def latent(self) -> int:
        """``D``."""
        return int(self.weight.shape[1])

    @property
    def precision(self) -> Tensor:
        r"""Precision of the posterior, :math:`I + W^\top W / s^2`, shape ``[D, D]``."""
        eye = torch.eye(self.latent, dtype=self.weight.dtype, device=self.weight.device)
        return eye + self.weight.T @ self.weight / self.noise**2

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        """Log p(x | z), shape ``[..., N]``, for x ``[N, P]`` and z ``[..., N, D]``."""
        check_last_axis("x", x, len(self.bias))
        square = ((x - z @ self.weight.T - self.bias) ** 2).sum(-1) / self.noise**2
        return -0.5 * square - len(self.bias) * (0.5 * LOG_2PI + math.log(self.noise))

    def log_prob(self, x: Tensor) -> Tensor:
        r"""Exact :math:`\log p(x)`, with :math:`x \sim \mathcal N(b, W W^\top + s^2 I)`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Shape ``[N]``, nats.
        """
        check_last_axis("x", x, len(self.bias))
        eye = torch.eye(len(self.bias), dtype=x.dtype, device=x.device)
        covariance = self.weight @ self.weight.T + self.noise**2 * eye
        marginal = torch.distributions.MultivariateNormal(self.bias, covariance)
        log_prob: Tensor = marginal.log_prob(x)
        return log_prob

    def posterior(self, x: Tensor) -> torch.distributions.MultivariateNormal:
        r"""Exact posterior, a Gaussian with mean :math:`\Lambda^{-1} W^\top (x - b) / s^2`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Batch of N; every member has covariance :math:`\Lambda^{-1}`.
        """
        check_last_axis("x", x, len(self.bias))
        projected = (x - self.bias) @ self.weight / self.noise**2
        mean = torch.linalg.solve(self.precision, projected.T).T
        return torch.distributions.MultivariateNormal(mean, precision_matrix=self.precision)

    def encode(self, x: Tensor) -> Gaussian:
        r"""The best diagonal guess: the posterior's mean, variances :math:`1/\Lambda_{jj}`.

        Args:
            x: shape ``[N, P]``.

        Returns:
            Mean and log-variance of shape ``[N, D]``.
        """
        mean = self.posterior(x).mean
        return Gaussian(mean, -self.precision.diagonal().log().expand_as(mean))

    def elbo(self, x: Tensor, q: Gaussian) -> Tensor:
        r"""Exact bound for any diagonal q: the expected reconstruction has a closed form.

        .. math:: \mathbb E_q \log p(x \mid z) = \log p(x \mid \mu)
            - \frac{1}{2 s^2} \sum_j \sigma_j^2 \lVert W_{:j} \rVert^2

        Args:
            x: shape ``[N, P]``.
            q: mean ``[N, D]``.

        Returns:
            Shape ``[N]``, nats.
        """
        wobble = (q.std**2 * (self.weight**2).sum(0)).sum(-1) / (2 * self.noise**2)
        return self.log_likelihood(x, q.mean) - wobble - gaussian_kl(q).sum(-1)

    def gap(self, x: Tensor, q: Gaussian) -> Tensor:
        r"""Exact :math:`\mathrm{KL}(q \,\|\, p(z \mid x))`, from the two covariances.

        Args:
            x: shape ``[N, P]``.
            q: mean ``[N, D]``.

        Returns:
            Shape ``[N]``, nats, ≥ 0.
        """
        guess = torch.distributions.MultivariateNormal(q.mean, torch.diag_embed(q.std**2))
        divergence: Tensor = torch.distributions.kl_divergence(guess, self.posterior(x))
        return divergence


def all_binary(
    pixels: int,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Tensor:
    r"""Every image of a few binary pixels.

    Args:
        pixels: ``P`` ≤ 16.
        dtype: floating dtype of the result.
        device: where the result lives.

    Returns:
        Shape ``[2**P, P]``.

    Raises:
        ValueError: if ``pixels`` is not between 1 and 16.

    Example:
        >>> all_binary(2).tolist()
        [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    """
    if not 1 <= pixels <= 16:
        raise ValueError(f"expected 1 to 16 pixels (2**P images), got {pixels}")
    codes = torch.arange(2**pixels, device=device)[:, None]
    return (codes >> torch.arange(pixels - 1, -1, -1, device=device) & 1).to(dtype)


@torch.no_grad()
def quadrature_log_prob(model: LatentModel, x: Tensor, *, nodes: int = 64) -> Tensor:
    r"""Log p(x) by Gauss-Hermite quadrature, for a model with one or two latent units.

    .. math:: p(x) = \int \mathcal N(z; 0, I)\, p(x \mid z)\, dz \approx \sum_m v_m\, p(x \mid z_m)

    Args:
        model: gives p(x | z).
        x: images, shape ``[N, P]``.
        nodes: nodes an axis.

    Returns:
        Shape ``[N]``, nats.

    Raises:
        ValueError: if the model has more than two latent units.

    Example:
        >>> model = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 1.0)
        >>> x = torch.tensor([[2.0]])
        >>> bool((quadrature_log_prob(model, x) - model.log_prob(x)).abs() < 1e-5)
        True
    """
    if model.latent not in (1, 2):
        raise ValueError(
            f"expected a model with 1 or 2 latent units, got {model.latent}; "
            "use importance_log_prob"
        )
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    z, log_v = x.new_tensor(points)[:, None], x.new_tensor(np.log(weights) - 0.5 * LOG_2PI)
    if model.latent == 2:
        z = torch.cartesian_prod(z[:, 0], z[:, 0])
        log_v = (log_v[:, None] + log_v[None, :]).flatten()
    terms = model.log_likelihood(x, z[:, None, :].expand(-1, len(x), -1))
    return torch.logsumexp(log_v[:, None] + terms, dim=0)


@torch.no_grad()
def elbo_forms(model: InferenceModel, x: Tensor, *, nodes: int = 64) -> tuple[Tensor, Tensor]:
    r"""The ELBO as it is defined and as it is trained, without sampling.

    .. math:: \mathbb E_q\bigl[\log p(x, z) - \log q(z \mid x)\bigr]
        = \mathbb E_q \log p(x \mid z) - \mathrm{KL}(q \,\|\, p(z))

    Args:
        model: with one latent unit.
        x: images, shape ``[N, P]``.
        nodes: of the Gauss-Hermite quadrature under q.

    Returns:
        Both sides, each of shape ``[N]``, nats.

    Raises:
        ValueError: if the model has more than one latent unit.

    Example:
        >>> from genbook.kit.device import seeded
        >>> from genbook.vae.models import VAE
        >>> model = VAE(3, 1, hidden=(4,), generator=seeded(0)).double()
        >>> left, right = elbo_forms(model, all_binary(3))
        >>> bool((left - right).abs().max() < 1e-12)
        True
    """
    if model.latent != 1:
        raise ValueError(f"expected a model with one latent unit, got {model.latent}")
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    share = x.new_tensor(weights / weights.sum())[:, None]
    q = model.encode(x)
    noise = x.new_tensor(points)[:, None, None].expand(-1, *q.mean.shape)
    joint = (share * log_weights(model, q, x, noise)).sum(0)
    reconstruction = (share * model.log_likelihood(x, q.place(noise))).sum(0)
    return joint, reconstruction - gaussian_kl(q).sum(-1)
