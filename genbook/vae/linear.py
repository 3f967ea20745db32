r"""The linear VAE: which units collapse, known in closed form.

The decoder is a matrix with Gaussian noise, the encoder a matrix with a diagonal covariance. The
data enter through their covariance only, whose eigenvalues decide everything.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbook.vae.exact import LinearGaussian
from genbook.vae.models import LOG_2PI, Gaussian


def covariance(x: Tensor) -> Tensor:
    r"""The covariance of data, divided by N as maximum likelihood wants it.

    .. math:: S = \frac1N \sum_n (x_n - \bar x)(x_n - \bar x)^\top

    Args:
        x: shape ``[N, P]``.

    Returns:
        Shape ``[P, P]``.

    Example:
        >>> covariance(torch.tensor([[0.0, 0.0], [2.0, 4.0]])).tolist()
        [[1.0, 2.0], [2.0, 4.0]]
    """
    centred = x - x.mean(0)
    return centred.T @ centred / len(x)


def best_linear(x: Tensor, latent: int, noise: float) -> LinearGaussian:
    r"""The linear VAE with the highest mean ELBO for a given noise.

    .. math:: W = U\,\mathrm{diag}\sqrt{(\lambda_j - \sigma^2)_+}, \qquad b = \bar x

    with the eigenvectors U of the D largest eigenvalues of the covariance. A unit whose eigenvalue
    is at most :math:`\sigma^2` has collapsed: its column is 0, its guess the prior.

    Args:
        x: data, shape ``[N, P]``.
        latent: D ≤ P.
        noise: σ, a standard deviation.

    Returns:
        The model; its own ``encode`` is the best encoder.

    Raises:
        ValueError: if there are more units than pixels, or the noise is not positive.

    Source:
        Tipping and Bishop, *Probabilistic principal component analysis*, 1999; Lucas, Tucker,
        Grosse and Norouzi, *Don't blame the ELBO!*, 2019.

    Example:
        >>> x = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 0.5], [0.0, -0.5]])
        >>> best_linear(x, 2, 1.0).weight.abs().round(decimals=3).tolist()
        [[1.0, 0.0], [0.0, 0.0]]
    """
    if not 1 <= latent <= x.shape[1]:
        raise ValueError(f"expected 1 to {x.shape[1]} units, got {latent}")
    values, vectors = torch.linalg.eigh(covariance(x))
    values, vectors = values.flip(0)[:latent], vectors.flip(1)[:, :latent]
    return LinearGaussian(vectors * (values - noise**2).clamp_min(0).sqrt(), x.mean(0), noise)


def best_log_prob(eigenvalues: Tensor, latent: int, noise: float) -> float:
    r"""The highest mean log-likelihood, from eigenvalues alone.

    .. math:: -\tfrac12\Big[P \log 2\pi + \sum_{j\ \text{live}} (\log \lambda_j + 1)
        + \sum_{j\ \text{else}} \Big(\log \sigma^2 + \frac{\lambda_j}{\sigma^2}\Big)\Big]

    Live are the eigenvalues above :math:`\sigma^2` among the D largest.

    Args:
        eigenvalues: of the covariance, shape ``[P]``.
        latent: D.
        noise: σ.

    Returns:
        Nats an observation.

    Raises:
        ValueError: if the noise is not positive.

    Example:
        >>> round(best_log_prob(torch.tensor([1.0]), 1, 1.0) + 0.5 * math.log(2 * math.pi), 6)
        -0.5
    """
    if not noise > 0:
        raise ValueError(f"expected a positive standard deviation, got noise={noise}")
    ordered = eigenvalues.sort(descending=True).values
    live = (ordered > noise**2) & (torch.arange(len(ordered), device=ordered.device) < latent)
    rest = 2 * math.log(noise) + ordered / noise**2
    costs = torch.where(live, ordered.clamp_min(noise**2).log() + 1, rest)
    return -0.5 * (len(ordered) * LOG_2PI + costs.sum().item())


def mean_bound(weight: Tensor, noise: float, covariance: Tensor) -> Tensor:
    r"""The mean ELBO of a decoder whose encoder is the best diagonal one.

    .. math:: -\tfrac12\big[P \log 2\pi + \log|C| + \mathrm{tr}\,C^{-1}S\big]
        - \tfrac12\Big[\sum_j \log M_{jj} - \log|M|\Big],
        \quad C = WW^\top + \sigma^2 I,\; M = I + W^\top W/\sigma^2

    The second bracket is the gap: zero if and only if the columns of W are orthogonal.

    Args:
        weight: W, shape ``[P, D]``.
        noise: σ.
        covariance: S of the data, whose mean is the bias, shape ``[P, P]``.

    Returns:
        Nats an observation, differentiable in W.

    Example:
        >>> one = torch.ones(1, 1).double()
        >>> round(mean_bound(0 * one, 1.0, one).item() - best_log_prob(one[0], 1, 1.0), 9)
        0.0
    """
    pixels, latent = weight.shape
    ours = weight @ weight.T + noise**2 * torch.eye(pixels).to(weight)
    precision = torch.eye(latent).to(weight) + weight.T @ weight / noise**2
    fit = pixels * LOG_2PI + ours.logdet() + torch.linalg.solve(ours, covariance).trace()
    gap = precision.diagonal().log().sum() - precision.logdet()
    return -0.5 * (fit + gap)


def climb(
    x: Tensor, latent: int, noise: float, generator: torch.Generator, *, steps: int = 200
) -> Tensor:
    r"""Train a linear VAE by gradients from small random weights (L-BFGS).

    Args:
        x: data, shape ``[N, P]``, in double precision.
        latent: D.
        noise: σ, held fixed.
        generator: draws the first weights.
        steps: at most so many.

    Returns:
        W, shape ``[P, D]``.

    Example:
        >>> x = torch.tensor([[2.0], [-2.0]], dtype=torch.float64)
        >>> weight = climb(x, 1, 1.0, torch.Generator().manual_seed(0))
        >>> round(weight.square().item(), 6)
        3.0
    """
    first = torch.randn(
        x.shape[1], latent, generator=generator, dtype=x.dtype, device=generator.device
    )
    weight, data = (0.1 * first).requires_grad_(), covariance(x)
    optimiser = torch.optim.LBFGS(
        [weight],
        max_iter=steps,
        tolerance_grad=1e-9,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = -mean_bound(weight, noise, data)
        loss.backward()
        return loss

    optimiser.step(closure)
    return weight.detach()


def measured_curvature(model: LinearGaussian, x: Tensor, direction: Tensor) -> Tensor:
    r"""Second derivatives of the mean ELBO at a unit that is added and has collapsed.

    Args:
        model: the other units, whose columns are orthogonal to the direction.
        x: data, shape ``[N, P]``.
        direction: u of the new unit's column :math:`a\,u` and its encoder's mean
            :math:`b\,u^\top(x-\bar x)`, length 1, shape ``[P]``.

    Returns:
        In the two factors (a, b) of :func:`collapse_curvature`, shape ``[2, 2]``.

    Example:
        >>> x = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).double()
        >>> model = best_linear(x, 1, 1.0)
        >>> measured_curvature(model, x, x[2]).round(decimals=6).tolist()
        [[-1.0, 0.5], [0.5, -0.5]]
    """
    others, place = model.encode(x), (x - x.mean(0)) @ direction

    def bound(at: Tensor) -> Tensor:
        weight = torch.cat([model.weight, at[0] * direction[:, None]], 1)
        mean = torch.cat([others.mean, at[1] * place[:, None]], 1)
        log_var = torch.cat([others.log_var, 0 * place[:, None]], 1)
        whole = LinearGaussian(weight, model.bias, model.noise)
        return whole.elbo(x, Gaussian(mean, log_var)).mean()

    curvature: Tensor = torch.autograd.functional.hessian(bound, x.new_zeros(2))
    return curvature


def collapse_curvature(eigenvalue: float, noise: float) -> Tensor:
    r"""The Hessian of the mean ELBO at a collapsed unit, along one eigenvector of the covariance.

    The unit's column of the decoder is :math:`a\,u`, its encoder's mean
    :math:`b\,u^\top(x-\bar x)`, u the eigenvector.

    .. math:: \begin{pmatrix} -1/\sigma^2 & \lambda/\sigma^2 \\
        \lambda/\sigma^2 & -\lambda \end{pmatrix}, \qquad
        \det = \frac{\lambda}{\sigma^2}\Big(1 - \frac{\lambda}{\sigma^2}\Big)

    A saddle if :math:`\lambda > \sigma^2`, a maximum in this plane if :math:`\lambda < \sigma^2`.

    Args:
        eigenvalue: λ > 0 of a direction that no other unit uses.
        noise: σ.

    Returns:
        Second derivatives in (a, b), shape ``[2, 2]``.

    Raises:
        ValueError: if a number is not positive.

    Example:
        >>> collapse_curvature(2.0, 1.0).det().item()
        -2.0
    """
    if not (eigenvalue > 0 and noise > 0):
        raise ValueError(f"expected positive numbers, got {eigenvalue} and {noise}")
    ratio = eigenvalue / noise**2
    return torch.tensor([[-1 / noise**2, ratio], [ratio, -eigenvalue]], dtype=torch.float64)
