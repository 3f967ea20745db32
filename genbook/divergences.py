"""Divergences between distributions: exact, on grids, from samples, and the fits they prefer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.mixture import GaussianMixture
from torch import Tensor
from torch.distributions import Categorical, Distribution, MixtureSameFamily, Normal


@dataclass(frozen=True)
class Divergence:
    r"""A divergence :math:`D(p\|q)=\int \pi(p(x), q(x))\,dx` with a pointwise penalty π ≥ 0.

    The penalty is :math:`q\,[f(u)-f'(1)(u-1)]` with :math:`u=p/q` for the divergence's convex
    generator f. The tilt integrates to zero for normalised p and q, so the divergence is
    unchanged, and what is left is non-negative at every x: it shows *where* the cost arises.

    Args:
        name: its name in the book.
        symbol: a short label for figures.
        penalty: maps ``log_p`` and ``log_q`` of one shape ``[...]`` to the penalty, ``[...]``.
        bound: the largest value it can take, in nats for the logarithmic ones; may be infinite.
    """

    name: str
    symbol: str
    penalty: Callable[[Tensor, Tensor], Tensor]
    bound: float = math.inf


def _times_log_ratio(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``p log(p/q)`` with 0 log 0 = 0."""
    return torch.where(log_p > -math.inf, log_p.exp() * (log_p - log_q), 0.0)


def _squared_over(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``(p - q)² / q``: zero where both vanish, infinite where only q does."""
    both_vanish = (log_p == -math.inf) & (log_q == -math.inf)
    ratio_form = torch.exp(2 * log_p - log_q) - 2 * log_p.exp() + log_q.exp()
    return torch.where(both_vanish, 0.0, ratio_form.clamp_min(0))


def _kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return (_times_log_ratio(log_p, log_q) - log_p.exp() + log_q.exp()).clamp_min(0)


def _reverse_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _kl(log_q, log_p)


def _jeffrey(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _kl(log_p, log_q) + _kl(log_q, log_p)


def _jensen_shannon(log_p: Tensor, log_q: Tensor) -> Tensor:
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return 0.5 * (_kl(log_p, log_m) + _kl(log_q, log_m))


def _pearson(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _squared_over(log_p, log_q)


def _neyman(log_p: Tensor, log_q: Tensor) -> Tensor:
    return _squared_over(log_q, log_p)


def _squared_hellinger(log_p: Tensor, log_q: Tensor) -> Tensor:
    return torch.square(torch.exp(log_p / 2) - torch.exp(log_q / 2))


def _total_variation(log_p: Tensor, log_q: Tensor) -> Tensor:
    return 0.5 * (log_p.exp() - log_q.exp()).abs()


KL = Divergence("KL", "KL(p‖q)", _kl)
REVERSE_KL = Divergence("reverse KL", "KL(q‖p)", _reverse_kl)
JEFFREY = Divergence("Jeffrey", "Jeffrey", _jeffrey)
JENSEN_SHANNON = Divergence("Jensen–Shannon", "JS", _jensen_shannon, math.log(2))
PEARSON = Divergence("Pearson χ²", "χ²(p‖q)", _pearson)
NEYMAN = Divergence("Neyman χ²", "χ²(q‖p)", _neyman)
SQUARED_HELLINGER = Divergence("squared Hellinger", "H²", _squared_hellinger, 2.0)
TOTAL_VARIATION = Divergence("total variation", "TV", _total_variation, 1.0)
DIVERGENCES = (
    KL,
    REVERSE_KL,
    JEFFREY,
    JENSEN_SHANNON,
    PEARSON,
    NEYMAN,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
)


def on_grid(divergence: Divergence, log_p: Tensor, log_q: Tensor, x: Tensor) -> Tensor:
    r"""A divergence of two densities, integrated by the trapezoid rule.

    .. math:: D(p\|q) \approx \sum_i \tfrac12(\pi_i+\pi_{i+1})(x_{i+1}-x_i)

    Args:
        divergence: which one.
        log_p: log-density of p at ``x``, shape ``[..., n]``.
        log_q: log-density of q at ``x``, shape ``[..., n]``.
        x: increasing grid that holds all mass that matters, shape ``[n]``.

    Returns:
        Shape ``[...]``; nats for the logarithmic divergences.

    Raises:
        ValueError: if the shapes do not fit, or the grid does not increase.

    Example:
        >>> x = torch.linspace(-12, 12, 2001, dtype=torch.float64)
        >>> log_p, log_q = Normal(0.0, 1.0).log_prob(x), Normal(1.0, 1.0).log_prob(x)
        >>> round(on_grid(KL, log_p, log_q, x).item(), 6)
        0.5
    """
    _check_grid(x)
    for name, values in (("log_p", log_p), ("log_q", log_q)):
        if values.shape[-1:] != x.shape:
            raise ValueError(
                f"expected {name} of shape [..., {len(x)}] to match the grid, "
                f"got {list(values.shape)}; evaluate it at x"
            )
    return torch.trapezoid(divergence.penalty(log_p, log_q), x, dim=-1)


def _check_grid(x: Tensor) -> None:
    if x.ndim != 1 or len(x) < 2 or not bool((x.diff() > 0).all()):
        raise ValueError(
            f"expected an increasing grid of shape [n] with n ≥ 2, got shape {list(x.shape)}; "
            "torch.linspace(low, high, n) makes one"
        )


def on_atoms(divergence: Divergence, p: Tensor, q: Tensor) -> Tensor:
    r"""A divergence of two probability vectors.

    .. math:: D(p\|q) = \sum_i \pi(p_i, q_i)

    Args:
        divergence: which one.
        p: probabilities, shape ``[..., k]``; each row sums to 1.
        q: probabilities, shape ``[..., k]``; each row sums to 1.

    Returns:
        Shape ``[...]``; infinite where the definition says so, never NaN.

    Raises:
        ValueError: if the last dimensions differ, or a row is not a probability vector.

    Example:
        >>> on_atoms(TOTAL_VARIATION, torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).item()
        1.0
        >>> on_atoms(KL, torch.tensor([0.5, 0.5]), torch.tensor([1.0, 0.0])).item()
        inf
    """
    if p.shape[-1:] != q.shape[-1:]:
        raise ValueError(
            f"expected p and q over the same atoms, got {list(p.shape)} and {list(q.shape)}"
        )
    for name, values in (("p", p), ("q", q)):
        _check_probabilities(name, values)
    return divergence.penalty(p.log(), q.log()).sum(-1)


def _check_probabilities(name: str, values: Tensor) -> None:
    if not values.is_floating_point():
        raise ValueError(f"expected floating-point {name}, got {values.dtype}; use .double()")
    off = (values.sum(-1) - 1).abs().max().item()
    low = values.min().item()
    if not (off <= 1e-4 and low >= 0):
        raise ValueError(
            f"expected probabilities in {name}: each row ≥ 0 with sum 1, got a smallest entry of "
            f"{low:g} and a sum that is off by {off:g}; divide by the row's sum"
        )


def entropy(p: Tensor) -> Tensor:
    r"""Shannon entropy of probability vectors.

    .. math:: H(p) = -\sum_i p_i \log p_i

    Args:
        p: probabilities, shape ``[..., k]``.

    Returns:
        Shape ``[...]``, nats.

    Raises:
        ValueError: if a row is not a probability vector.

    Example:
        >>> round(entropy(torch.tensor([0.5, 0.5])).item(), 4)
        0.6931
    """
    _check_probabilities("p", p)
    return torch.special.entr(p).sum(-1)


@dataclass(frozen=True)
class Estimate:
    r"""A Monte Carlo mean with its standard error.

    Args:
        value: the mean.
        standard_error: its standard error; same unit.
    """

    value: float
    standard_error: float


def from_samples(
    divergence: Divergence,
    p: Distribution,
    q: Distribution,
    count: int,
    generator: torch.Generator,
) -> Estimate:
    r"""A divergence estimated from samples of the mixture m = (p + q)/2.

    .. math:: D(p\|q) = \mathbb E_{x\sim m}\left[\frac{\pi(p(x),q(x))}{m(x)}\right]

    Sampling from m visits every place where either density has mass, so the weight never divides
    by a density that was not sampled.

    Args:
        divergence: which one.
        p: has ``sample`` and ``log_prob``.
        q: has ``sample`` and ``log_prob``, over the same space.
        count: number of samples, ≥ 2; half from each.
        generator: source of randomness.

    Returns:
        The mean and its standard error.

    Raises:
        ValueError: if fewer than two samples are asked for.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> estimate = from_samples(KL, Normal(0.0, 1.0), Normal(0.0, 1.0), 10, generator)
        >>> estimate.value
        0.0
    """
    if count < 2:
        raise ValueError(f"expected at least 2 samples for a standard error, got {count}")
    half = (count + 1) // 2
    x = torch.cat([draw(p, half, generator), draw(q, half, generator)])
    log_p, log_q = p.log_prob(x), q.log_prob(x)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    weighted = (divergence.penalty(log_p, log_q) / log_m.exp()).double()
    return Estimate(weighted.mean().item(), (weighted.std() / math.sqrt(len(x))).item())


def draw(distribution: Distribution, count: int, generator: torch.Generator) -> Tensor:
    r"""Sample a :class:`torch.distributions.Distribution` from a generator of one's own.

    Args:
        distribution: any distribution of batch shape ``[*b]`` and event shape ``[*e]``.
        count: number of samples.
        generator: source of randomness; it advances by one draw.

    Returns:
        Shape ``[count, *b, *e]``.

    Raises:
        ValueError: if the count is negative.

    Example:
        >>> draw(Normal(0.0, 1.0), 3, torch.Generator().manual_seed(1)).shape
        torch.Size([3])
    """
    if count < 0:
        raise ValueError(f"expected a count ≥ 0, got {count}")
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return distribution.sample(torch.Size([count]))


def gaussian_kl(mu_1: Tensor, sigma_1: Tensor, mu_2: Tensor, sigma_2: Tensor) -> Tensor:
    r"""KL of two univariate Gaussians, in closed form.

    .. math::
        \mathrm{KL}(\mathcal N_1\|\mathcal N_2)
        = \log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2+(\mu_1-\mu_2)^2}{2\sigma_2^2}-\frac12

    Args:
        mu_1: mean of the first, shape ``[...]``.
        sigma_1: standard deviation of the first, > 0.
        mu_2: mean of the second.
        sigma_2: standard deviation of the second, > 0.

    Returns:
        Shape ``[...]``, nats.

    Raises:
        ValueError: if a standard deviation is not positive.

    Example:
        >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
        >>> gaussian_kl(zero, one, one, one).item()
        0.5
    """
    for name, sigma in (("sigma_1", sigma_1), ("sigma_2", sigma_2)):
        if not bool((sigma > 0).all()):
            raise ValueError(f"expected {name} > 0, got a minimum of {sigma.min().item():g}")
    ratio = (sigma_1 / sigma_2) ** 2
    return 0.5 * (ratio - 1 - ratio.log() + ((mu_1 - mu_2) / sigma_2) ** 2)


def mixture(weights: Tensor, means: Tensor, sigmas: Tensor) -> MixtureSameFamily:
    r"""A univariate mixture of Gaussians.

    .. math:: p(x) = \sum_k w_k\,\mathcal N(x;\mu_k,\sigma_k^2)

    Args:
        weights: shape ``[k]``, positive; normalised here.
        means: shape ``[k]``.
        sigmas: shape ``[k]``, positive.

    Returns:
        The distribution.

    Raises:
        ValueError: if the shapes differ or a weight or a width is not positive.

    Example:
        >>> mixture(torch.ones(2), torch.tensor([-1.0, 1.0]), torch.ones(2)).mean.item()
        0.0
    """
    if not (weights.shape == means.shape == sigmas.shape and weights.ndim == 1):
        raise ValueError(
            "expected weights, means and sigmas of one shape [k], got "
            f"{list(weights.shape)}, {list(means.shape)}, {list(sigmas.shape)}"
        )
    if not bool((weights > 0).all() and (sigmas > 0).all()):
        raise ValueError(f"expected positive weights and sigmas, got {weights} and {sigmas}")
    return MixtureSameFamily(Categorical(probs=weights), Normal(means, sigmas))


def fgan_mixture(dtype: torch.dtype = torch.float64) -> MixtureSameFamily:
    r"""The mixture of the f-GAN paper's univariate experiment, reconstructed from its table.

    .. math:: p = 0.33\,\mathcal N(-1, 0.255^2) + 0.67\,\mathcal N(2, 1.415^2)

    The paper plots p but does not print it. Its five parameters were found by least squares on
    the 15 published optima; :func:`fit_gaussian` reproduces them all within 5e-4.

    Args:
        dtype: type of the parameters.

    Returns:
        The distribution.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, section 2.5 (reconstructed).

    Example:
        >>> round(fgan_mixture().mean.item(), 4)
        1.01
    """
    return mixture(
        torch.tensor([0.33, 0.67], dtype=dtype),
        torch.tensor([-1.0, 2.0], dtype=dtype),
        torch.tensor([0.255, 1.415], dtype=dtype),
    )


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


PUBLISHED_FITS = {
    "KL": Fit(mu=1.0100, sigma=1.8308, value=0.2831),
    "reverse KL": Fit(mu=1.5782, sigma=1.6319, value=0.2480),
    "Jensen–Shannon": Fit(mu=1.3070, sigma=1.7542, value=0.1280),
    "Jeffrey": Fit(mu=1.3218, sigma=1.7034, value=0.5705),
    "Pearson χ²": Fit(mu=0.5737, sigma=1.9274, value=0.6457),
}
"""Optima printed in the f-GAN paper, section 2.5; its JS is twice ours (see the chapter)."""


def moments(log_p: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Mean and standard deviation of a density on a grid.

    .. math:: \mu=\int x\,p, \qquad \sigma^2 = \int (x-\mu)^2 p

    Args:
        log_p: log-density at ``x``, shape ``[..., n]``.
        x: increasing grid, shape ``[n]``.

    Returns:
        Two tensors of shape ``[...]``.

    Raises:
        ValueError: if the grid does not increase.

    Example:
        >>> x = torch.linspace(-10, 10, 1001, dtype=torch.float64)
        >>> mu, sigma = moments(Normal(1.0, 2.0).log_prob(x), x)
        >>> round(mu.item(), 2), round(sigma.item(), 2)
        (1.0, 2.0)
    """
    _check_grid(x)
    density = log_p.exp()
    density = density / torch.trapezoid(density, x, dim=-1)[..., None]
    mu = torch.trapezoid(density * x, x, dim=-1)
    variance = torch.trapezoid(density * (x - mu[..., None]) ** 2, x, dim=-1)
    return mu, variance.sqrt()


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

    Example:
        >>> x = torch.linspace(-12, 12, 1201, dtype=torch.float64)
        >>> fit = fit_gaussian(KL, Normal(1.0, 2.0).log_prob(x), x, start=(0.0, 1.0))
        >>> round(fit.mu, 3), round(fit.sigma, 3)
        (1.0, 2.0)
    """
    mu, sigma = start
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
    """BFGS with autograd's gradient, in double precision."""

    def value_and_gradient(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        theta = torch.tensor(parameters, dtype=torch.float64, requires_grad=True)
        value = objective(theta)
        (gradient,) = torch.autograd.grad(value, theta)
        return value.item(), gradient.numpy()

    if not math.isfinite(value_and_gradient(np.array(first))[0]):
        raise ValueError(
            f"expected a finite {divergence.name} at the start {start}; choose a wider σ"
        )
    found = minimize(
        value_and_gradient, np.array(first), jac=True, method="BFGS", options={"gtol": 1e-9}
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

    Example:
        >>> x = torch.linspace(-9, 9, 901, dtype=torch.float64)
        >>> two = mixture(torch.tensor([0.3, 0.7]), torch.tensor([-3.0, 3.0]), torch.ones(2) / 2)
        >>> fit = fit_two_gaussians(REVERSE_KL, two.log_prob(x), x, means=(-1.0, 1.0), sigma=1.0)
        >>> round(fit.weight, 3), round(fit.means[0], 3)
        (0.3, -3.0)
    """
    if means[0] == means[1] or not sigma > 0:
        raise ValueError(f"expected two different means and σ > 0, got {means} and {sigma}")

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


def gaussian_log_density(x: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
    r"""Log-density of a Gaussian.

    .. math:: \log q(x) = -\tfrac12\left(\frac{x-\mu}{\sigma}\right)^2-\log\sigma-\tfrac12\log2\pi

    Args:
        x: points, shape ``[...]``.
        mu: mean, broadcastable to ``[...]``.
        sigma: standard deviation, > 0, broadcastable to ``[...]``.

    Returns:
        Shape ``[...]``.

    Raises:
        ValueError: if a standard deviation is not positive.

    Example:
        >>> zero, one = torch.tensor(0.0), torch.tensor(1.0)
        >>> round(gaussian_log_density(zero, zero, one).item(), 4)
        -0.9189
    """
    if not bool((sigma > 0).all()):
        raise ValueError(f"expected sigma > 0, got a minimum of {sigma.min().item():g}")
    return -0.5 * ((x - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)


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

    Example:
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


def nll(log_q: Tensor) -> Tensor:
    r"""Mean negative log-likelihood of samples.

    .. math:: -\frac1N\sum_{n=1}^N \log q(x_n)

    Args:
        log_q: log-density or log-probability of each sample, shape ``[N]``.

    Returns:
        Shape ``[]``, nats a sample.

    Raises:
        ValueError: if there are no samples, or one is impossible under q.

    Example:
        >>> round(nll(Normal(0.0, 1.0).log_prob(torch.zeros(3))).item(), 4)
        0.9189
    """
    if log_q.numel() == 0:
        raise ValueError("expected at least one sample, got none")
    if not bool(torch.isfinite(log_q).all()):
        raise ValueError(
            "expected every sample to be possible under q, got a log-density that is not finite: "
            "the likelihood is zero; give q full support"
        )
    return -log_q.mean()


def empirical(values: Tensor, size: int) -> Tensor:
    r"""The empirical distribution of integer observations.

    .. math:: \hat p_k = \frac1N\,\#\{n: x_n=k\}

    Args:
        values: observations in 0, …, size − 1, shape ``[N]``, int64.
        size: number of atoms.

    Returns:
        Shape ``[size]``, float64; sums to 1.

    Raises:
        ValueError: if there are no observations or one is out of range.

    Example:
        >>> empirical(torch.tensor([0, 0, 2, 2]), 3).tolist()
        [0.5, 0.0, 0.5]
    """
    if values.numel() == 0:
        raise ValueError("expected at least one observation, got none")
    if not bool(((values >= 0) & (values < size)).all()):
        raise ValueError(
            f"expected observations in 0, …, {size - 1}, got {values.min()} to {values.max()}"
        )
    counts = torch.bincount(values, minlength=size).double()
    return counts / counts.sum()


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
    fitted = GaussianMixture(components, random_state=seed).fit(samples.double()[:, None].numpy())
    order = fitted.means_[:, 0].argsort()
    return mixture(
        torch.from_numpy(fitted.weights_[order]),
        torch.from_numpy(fitted.means_[order, 0]),
        torch.from_numpy(fitted.covariances_[order, 0, 0]).sqrt(),
    )
