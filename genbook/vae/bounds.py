r"""Bounds on log p(x), and two ways to a gradient. Shapes, units: see :mod:`genbook.vae.models`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.vae.checks import check_matrix, noise_of, portions
from genbook.vae.models import Gaussian, InferenceModel, LatentModel, gaussian_kl, prior_log_prob


@dataclass(frozen=True)
class Bound:
    r"""The two halves of an ELBO.

    .. math:: \mathcal L = \mathbb E_{q}\log p(x \mid z) - \mathrm{KL}(q(z \mid x) \,\|\, p(z))

    Args:
        reconstruction: the first term, shape ``[N]``, nats.
        kl: the second, one number a latent unit, shape ``[N, D]``, nats.
    """

    reconstruction: Tensor
    kl: Tensor

    @property
    def value(self) -> Tensor:
        """The bound, shape ``[N]``."""
        return self.reconstruction - self.kl.sum(-1)


def elbo(model: InferenceModel, x: Tensor, noise: Tensor) -> Bound:
    r"""The evidence lower bound with one sample an image and the divergence in closed form.

    .. math:: \mathcal L(x) \approx \log p(x \mid \mu + \sigma \odot \epsilon)
        - \tfrac12 \sum_j (\mu_j^2 + \sigma_j^2 - 1 - \log\sigma_j^2)

    Args:
        model: gives q(z | x) and p(x | z).
        x: binary images, shape ``[N, P]``.
        noise: :math:`\epsilon`, shape ``[N, D]``.

    Returns:
        Both terms; the first is an unbiased estimate, the second exact.

    Source: Kingma and Welling, Auto-encoding variational Bayes, equation 10 with L = 1.

    Example:
        >>> from genbook.kit.device import seeded
        >>> from genbook.vae.models import VAE
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> elbo(model, torch.ones(3, 4), torch.zeros(3, 2)).value.shape
        torch.Size([3])
    """
    q = model.encode(x)
    return Bound(model.log_likelihood(x, q.place(noise)), gaussian_kl(q))


def log_weights(model: LatentModel, q: Gaussian, x: Tensor, noise: Tensor) -> Tensor:
    r"""Logarithms of the importance weights of samples from q.

    .. math:: \log w_i = \log p(x \mid z_i) + \log p(z_i) - \log q(z_i \mid x)

    The mean of one log-weight is the ELBO; the logarithm of the mean weight is log p(x).

    Args:
        model: gives p(x | z).
        q: proposal, mean ``[N, D]``.
        x: images, shape ``[N, P]``.
        noise: shape ``[k, N, D]``.

    Returns:
        Shape ``[k, N]``, nats.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, equation 8.
    """
    z = q.place(noise)
    return model.log_likelihood(x, z) + prior_log_prob(z) - q.log_prob(z)


def iwae_bound(log_w: Tensor) -> Tensor:
    r"""The bound that k importance samples buy.

    .. math:: \mathcal L_k = \mathbb E \log \frac1k \sum_{i=1}^k w_i, \qquad
        \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p(x)

    Args:
        log_w: log-weights, shape ``[k, ...]``.

    Returns:
        One unbiased estimate of :math:`\mathcal L_k` an image, shape ``[...]``, nats.

    Raises:
        ValueError: if there is no sample.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, equation 8.

    Example:
        >>> iwae_bound(torch.tensor([0.0, 0.0, 0.0]))
        tensor(0.)
    """
    if log_w.ndim == 0 or log_w.shape[0] == 0:
        raise ValueError(
            f"expected log-weights of shape [k, ...] with k ≥ 1, got {list(log_w.shape)}"
        )
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[0])


def doubling_bounds(log_w: Tensor) -> Tensor:
    r"""Estimates of the bounds for k = 1, 2, 4, ..., K, all from the same weights.

    The weights are cut into groups of k; :math:`\mathcal L_k` is the mean over the groups. Two
    groups merge into one at every doubling, so by Jensen's inequality the estimates never fall,
    not even by chance.

    Args:
        log_w: log-weights, shape ``[K, ...]``, K a power of two.

    Returns:
        Shape ``[1 + log2 K, ...]``, nats.

    Raises:
        ValueError: if K is not a power of two.

    Example:
        >>> doubling_bounds(torch.log(torch.tensor([1.0, 3.0]))).exp()
        tensor([1.7321, 2.0000])
    """
    count = log_w.shape[0] if log_w.ndim else 0
    if count < 1 or count & (count - 1):
        raise ValueError(f"expected log-weights [K, ...] with K a power of two, got K = {count}")
    groups = [log_w.reshape(-1, 2**power, *log_w.shape[1:]) for power in range(count.bit_length())]
    return torch.stack([iwae_bound(group.transpose(0, 1)).mean(0) for group in groups])


@torch.no_grad()
def importance_log_prob(
    model: InferenceModel,
    x: Tensor,
    *,
    samples: int,
    generator: torch.Generator,
    rows: int = 2_000,
) -> Tensor:
    r"""Estimate log p(x) by importance sampling, a few thousand decoded rows at a time.

    .. math:: \log p(x) \approx \log \frac1k \sum_{i=1}^k w_i, \qquad z_i \sim q(z \mid x)

    A lower bound in expectation. The negative mean over a test set is the reported NLL.

    Args:
        model: gives q(z | x) and p(x | z).
        x: binary images, shape ``[N, P]``.
        samples: ``k``.
        generator: source of the noise, on the images' device.
        rows: latent vectors decoded at once; bounds the memory.

    Returns:
        Shape ``[N]``, nats.

    Raises:
        ValueError: if ``samples`` or ``rows`` is below 1, or x is not ``[N, P]``.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.

    Example:
        >>> from genbook.kit.device import seeded
        >>> from genbook.vae.models import VAE
        >>> model = VAE(4, 2, hidden=(8,), generator=seeded(0))
        >>> importance_log_prob(model, torch.ones(3, 4), samples=10, generator=seeded(1)).shape
        torch.Size([3])
    """
    check_matrix("x", x)
    if samples < 1 or rows < 1:
        raise ValueError(f"expected samples ≥ 1 and rows ≥ 1, got {samples} and {rows}")
    estimates = []
    for images in torch.split(x, max(1, rows // samples)):
        q = model.encode(images)
        total = images.new_full((len(images),), -math.inf)
        for count in portions(samples, max(1, rows // len(images))):
            noise = noise_of((count, *q.mean.shape), generator, like=q.mean)
            part = torch.logsumexp(log_weights(model, q, images, noise), dim=0)
            total = torch.logaddexp(total, part)
        estimates.append(total - math.log(samples))
    return torch.cat(estimates)


@torch.no_grad()
def activity(model: InferenceModel, x: Tensor) -> Tensor:
    r"""How much each latent unit moves with the image.

    .. math:: A_j = \mathrm{Var}_x\bigl(\mathbb E_{q(z \mid x)}[z_j]\bigr)

    A unit counts as active when :math:`A_j > 10^{-2}`.

    Args:
        model: gives q(z | x).
        x: images, shape ``[N, P]``, N ≥ 2.

    Returns:
        Shape ``[D]``.

    Raises:
        ValueError: if x is not ``[N, P]`` with N ≥ 2.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, section 5.

    Example:
        >>> from genbook.kit.device import seeded
        >>> from genbook.vae.models import VAE
        >>> activity(VAE(4, 2, hidden=(8,), generator=seeded(0)), torch.eye(4)).shape
        torch.Size([2])
    """
    check_matrix("x", x)
    if len(x) < 2:
        raise ValueError("expected at least two images to compare, got one")
    return model.encode(x).mean.var(dim=0)


def path_gradients(f: Callable[[Tensor], Tensor], q: Gaussian, noise: Tensor) -> Tensor:
    r"""Gradient of :math:`\mathbb E_q f(z)` through the sample, one estimate a row.

    .. math:: \nabla_\mu = f'(z), \qquad \nabla_{\log\sigma^2} = \tfrac12 f'(z) \odot \sigma
        \odot \epsilon, \qquad z = \mu + \sigma \odot \epsilon

    Args:
        f: maps ``[S, D]`` to ``[S]``, differentiable.
        q: mean and log-variance of shape ``[D]``.
        noise: shape ``[S, D]``.

    Returns:
        Shape ``[S, 2 D]``: derivatives in the mean, then in the log-variance.

    Source: Kingma and Welling, Auto-encoding variational Bayes, section 2.4.

    Example:
        >>> q = Gaussian(torch.zeros(1), torch.zeros(1))
        >>> path_gradients(lambda z: 3 * z.sum(-1), q, torch.ones(1, 1))
        tensor([[3.0000, 1.5000]])
    """
    z = q.place(noise).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return torch.cat([slope, 0.5 * slope * q.std * noise], dim=-1).detach()


def score_gradients(
    f: Callable[[Tensor], Tensor], q: Gaussian, noise: Tensor, *, baseline: float = 0.0
) -> Tensor:
    r"""Gradient of :math:`\mathbb E_q f(z)` from values of f alone, one estimate a row.

    .. math:: \nabla = \bigl(f(z) - b\bigr)\, \nabla \log q(z), \qquad
        \nabla_\mu \log q = \frac{\epsilon}{\sigma}, \quad
        \nabla_{\log\sigma^2} \log q = \tfrac12(\epsilon^2 - 1)

    Args:
        f: maps ``[S, D]`` to ``[S]``; need not be differentiable.
        q: mean and log-variance of shape ``[D]``.
        noise: shape ``[S, D]``.
        baseline: a constant b; it changes the variance and not the mean.

    Returns:
        Shape ``[S, 2 D]``: derivatives in the mean, then in the log-variance.

    Source: Kingma and Welling, Auto-encoding variational Bayes, section 2.2 (where its high
    variance is the reason for the other estimator).

    Example:
        >>> q = Gaussian(torch.zeros(1), torch.zeros(1))
        >>> score_gradients(lambda z: 3 * z.sum(-1), q, torch.ones(1, 1))
        tensor([[3., 0.]])
    """
    value = (f(q.place(noise)) - baseline)[:, None]
    return torch.cat([value * noise / q.std, 0.5 * value * (noise**2 - 1)], dim=-1).detach()
