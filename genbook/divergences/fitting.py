r"""The model that a divergence prefers: one Gaussian or two, fitted on a grid or to samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import MixtureSameFamily

from genbook.divergences.densities import gaussian_log_density, mixture
from genbook.divergences.measures import Divergence, on_grid


@dataclass(frozen=True)
class Fit:
    r"""The Gaussian that a divergence prefers.

    Args:
        mu: mean.
        sigma: standard deviation.
        value: the divergence at the optimum.
    """

    mu: float
    sigma: float
    value: float


SETTLED = 1e-6
"""The largest slope at which a fit counts as settled, per unit of μ and of log σ."""

HUGE = 1e100
"""A start of a larger divergence is refused: squares of its slope would overflow."""

PUBLISHED_FITS = {
    "KL": Fit(mu=1.0100, sigma=1.8308, value=0.2831),
    "reverse KL": Fit(mu=1.5782, sigma=1.6319, value=0.2480),
    "Jensen–Shannon": Fit(mu=1.3070, sigma=1.7542, value=0.1280),
    "Jeffrey": Fit(mu=1.3218, sigma=1.7034, value=0.5705),
    "Pearson χ²": Fit(mu=0.5737, sigma=1.9274, value=0.6457),
}
"""Optima printed in the f-GAN paper, section 2.5; its JS is twice ours (see the chapter)."""


def fit_gaussian(
    divergence: Divergence, log_p: Tensor, x: Tensor, *, start: tuple[float, float]
) -> Fit:
    r"""The Gaussian q that minimises a divergence from p, found from one start.

    .. math:: \min_{\mu,\,\sigma>0} D(p\,\|\,\mathcal N(\mu,\sigma^2))

    The objective need not be convex: reverse KL has one local minimum for each well separated
    mode, so the answer can depend on the start. :func:`best_gaussian` tries several.

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[n]``, float64.
        x: increasing grid, shape ``[n]``, float64.
        start: first guess of (μ, σ).

    Returns:
        Mean, standard deviation and the divergence there.

    Raises:
        ValueError: if the start is not finite with σ > 0, or the divergence is not finite there.
        RuntimeError: if the search does not settle.

    Example:
        >>> from torch.distributions import Normal
        >>> from genbook.divergences.measures import KL
        >>> x = torch.linspace(-12, 12, 1201, dtype=torch.float64)
        >>> fit = fit_gaussian(KL, Normal(1.0, 2.0).log_prob(x), x, start=(0.0, 1.0))
        >>> round(fit.mu, 3), round(fit.sigma, 3)
        (1.0, 2.0)
    """
    mu, sigma = start
    log_p, x = log_p.cpu(), x.cpu()  # SciPy searches on the CPU
    if not (math.isfinite(mu) and math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"expected a finite start (μ, σ) with σ > 0, got {start}")

    def objective(theta: Tensor) -> Tensor:
        return on_grid(divergence, log_p, gaussian_log_density(x, theta[0], theta[1].exp()), x)

    theta, value = _minimise(objective, [mu, math.log(sigma)], divergence, start)
    return Fit(mu=float(theta[0]), sigma=math.exp(theta[1]), value=value)


def _minimise(
    objective: Callable[[Tensor], Tensor],
    first: list[float],
    divergence: Divergence,
    start: object,
) -> tuple[np.ndarray, float]:
    """Newton steps of bounded length, in double precision; a longer one may land on a plateau."""

    def value_and_slope(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        theta = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        height = objective(theta)
        (gradient,) = torch.autograd.grad(height, theta)
        return height.item(), gradient.numpy()

    def curvature(parameters: np.ndarray) -> np.ndarray:
        theta = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(objective(theta), theta, create_graph=True)
        rows = [torch.autograd.grad(one, theta, retain_graph=True)[0] for one in gradient]
        return torch.stack(rows).numpy()

    begin = np.array(first, dtype=np.float64)
    height, gradient = value_and_slope(begin)
    if not (height <= HUGE and np.isfinite(gradient).all()):
        raise ValueError(
            f"expected a finite {divergence.name} of at most {HUGE:g} at the start {start}; "
            "choose a wider σ"
        )
    options = {"gtol": 1e-9, "initial_trust_radius": 0.25, "max_trust_radius": 0.5, "maxiter": 500}
    found = minimize(
        value_and_slope, begin, jac=True, hess=curvature, method="trust-exact", options=options
    )
    steepness = float(np.abs(found.jac).max())
    if not steepness <= SETTLED:
        raise RuntimeError(
            f"expected to settle at a minimum of {divergence.name}; from the start {start} the "
            f"search ended where the slope is {steepness:.1e} ({found.message}); choose another"
        )
    return found.x, float(found.fun)


@dataclass(frozen=True)
class MixtureFit:
    r"""The mixture of two Gaussians that a divergence prefers.

    Args:
        weight: share of the first component.
        means: of the two components.
        sigmas: their standard deviations.
        value: the divergence at the optimum.
    """

    weight: float
    means: tuple[float, float]
    sigmas: tuple[float, float]
    value: float


def fit_two_gaussians(
    divergence: Divergence,
    log_p: Tensor,
    x: Tensor,
    *,
    means: tuple[float, float],
    sigma: float,
) -> MixtureFit:
    r"""The mixture of two Gaussians that minimises a divergence from p, from one start.

    .. math::
        \min_{w,\mu,\sigma} D\big(p\,\|\,w\,\mathcal N(\mu_1,\sigma_1^2)
        + (1-w)\,\mathcal N(\mu_2,\sigma_2^2)\big)

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[n]``, float64.
        x: increasing grid, shape ``[n]``, float64.
        means: first guess of the two means; they must differ, or the two never part.
        sigma: first guess of both widths, > 0.

    Returns:
        The mixture and the divergence there.

    Raises:
        ValueError: if the guess is no proper start, or the divergence is not finite there.
        RuntimeError: if the search does not settle.

    Example:
        >>> from genbook.divergences.measures import REVERSE_KL
        >>> x = torch.linspace(-9, 9, 901, dtype=torch.float64)
        >>> two = mixture(torch.tensor([0.3, 0.7]), torch.tensor([-3.0, 3.0]), torch.ones(2) / 2)
        >>> fit = fit_two_gaussians(REVERSE_KL, two.log_prob(x), x, means=(-1.0, 1.0), sigma=1.0)
        >>> round(fit.weight, 3), round(fit.means[0], 3)
        (0.3, -3.0)
    """
    if means[0] == means[1] or not sigma > 0:
        raise ValueError(f"expected two different means and σ > 0, got {means} and {sigma}")

    log_p, x = log_p.cpu(), x.cpu()

    def objective(theta: Tensor) -> Tensor:
        shares = torch.stack([theta[0], -theta[0]]).div(2).log_softmax(0)
        parts = gaussian_log_density(x[:, None], theta[1:3], theta[3:5].exp())
        return on_grid(divergence, log_p, torch.logsumexp(parts + shares, -1), x)

    first = [0.0, *means, math.log(sigma), math.log(sigma)]
    theta, value = _minimise(objective, first, divergence, (means, sigma))
    return MixtureFit(
        weight=1 / (1 + math.exp(-theta[0])),
        means=(float(theta[1]), float(theta[2])),
        sigmas=(math.exp(theta[3]), math.exp(theta[4])),
        value=value,
    )


def best_gaussian(
    divergence: Divergence, log_p: Tensor, x: Tensor, *, starts: tuple[tuple[float, float], ...]
) -> Fit:
    r"""The best of the Gaussian fits from several starts.

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[n]``, float64.
        x: increasing grid, shape ``[n]``, float64.
        starts: guesses of (μ, σ), at least one.

    Returns:
        The fit of least divergence.

    Raises:
        ValueError: if there is no start, or as :func:`fit_gaussian`.
        RuntimeError: if the search does not settle from one of them.

    Example:
        >>> from genbook.divergences.measures import REVERSE_KL
        >>> x = torch.linspace(-9, 9, 901, dtype=torch.float64)
        >>> two = mixture(torch.tensor([0.3, 0.7]), torch.tensor([-3.0, 3.0]), torch.ones(2) / 2)
        >>> fit = best_gaussian(REVERSE_KL, two.log_prob(x), x, starts=((-3.0, 0.5), (3.0, 0.5)))
        >>> round(fit.mu, 2)
        3.0
    """
    if not starts:
        raise ValueError("expected at least one start (μ, σ), got none")
    fits = [fit_gaussian(divergence, log_p, x, start=start) for start in starts]
    return min(fits, key=lambda fit: fit.value)


def fit_mixture(samples: Tensor, *, components: int, seed: int) -> MixtureSameFamily:
    r"""Maximum likelihood for a univariate Gaussian mixture (scikit-learn's EM).

    .. math:: \max_{w,\mu,\sigma} \frac1N\sum_n \log\sum_k w_k\,\mathcal N(x_n;\mu_k,\sigma_k^2)

    Args:
        samples: shape ``[N]``.
        components: number of Gaussians, between 1 and N.
        seed: of the first guess.

    Returns:
        The mixture, float64, components in order of their means.

    Raises:
        ValueError: if the count of components does not fit the samples.

    Source:
        Dempster, Laird, Rubin, *Maximum likelihood from incomplete data via the EM algorithm*,
        1977.

    Example:
        >>> data = torch.tensor([-1.1, -0.9, 0.9, 1.1])
        >>> fitted = fit_mixture(data, components=2, seed=0)
        >>> [round(mean, 3) for mean in fitted.component_distribution.loc.tolist()]
        [-1.0, 1.0]
    """
    if samples.ndim != 1 or not 1 <= components <= samples.numel():
        raise ValueError(
            f"expected samples of shape [N] and 1 ≤ components ≤ N, got {list(samples.shape)} and "
            f"{components} components"
        )
    fitted = GaussianMixture(components, random_state=seed).fit(
        samples.double()[:, None].cpu().numpy()
    )
    order = fitted.means_[:, 0].argsort()
    return mixture(
        torch.from_numpy(fitted.weights_[order]),
        torch.from_numpy(fitted.means_[order, 0]),
        torch.from_numpy(fitted.covariances_[order, 0, 0]).sqrt(),
    )
