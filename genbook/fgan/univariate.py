r"""The f-GAN paper's univariate experiment: Algorithm 1, several games as one computation.

A game is a row of the table and a generator's loss. The games of one seed start from the same
networks and see the same samples, so that they differ in the divergence alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from genbook.divergences import densities, fitting, measures
from genbook.fgan.conjugates import as_divergence, bound_on_grid
from genbook.games.duality import (
    JEFFREY,
    JENSEN_SHANNON,
    KL,
    PEARSON,
    REVERSE_KL,
    ConvexFunction,
    bound,
    generator_loss,
    practical_generator_loss,
)
from genbook.games.play import scores
from genbook.kit.seeds import Sampler, Streams, mlp
from genbook.kit.studies import Row, Study
from genbook.kit.training import Step, finite

FIVE = (KL, REVERSE_KL, JENSEN_SHANNON, JEFFREY, PEARSON)
"""The divergences of the paper's univariate table, in its order."""


@dataclass(frozen=True)
class Learned:
    r"""A column of the paper's univariate table that came out of training.

    Args:
        bound: the learned bound :math:`F(\hat\omega,\hat\theta)`.
        mu: :math:`\hat\mu`.
        sigma: :math:`\hat\sigma`.
    """

    bound: float
    mu: float
    sigma: float


PUBLISHED_LEARNED = {
    "KL": Learned(bound=0.2801, mu=1.0335, sigma=1.8236),
    "reverse KL": Learned(bound=0.2415, mu=1.5624, sigma=1.6403),
    "Jensen–Shannon": Learned(bound=0.1226, mu=1.2854, sigma=1.7659),
    "Jeffrey": Learned(bound=0.5151, mu=1.2295, sigma=1.8087),
    "Pearson χ²": Learned(bound=0.6379, mu=0.6157, sigma=1.9031),
}
"""Trained values of the f-GAN paper, section 2.5."""

# --- Fits without a game ----------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    r"""Train with one divergence, judge with another.

    Args:
        fits: the best Gaussian under each divergence.
        scores: ``scores[a, b]`` is divergence b of the fit under a, shape ``[k, k]``.
    """

    fits: tuple[fitting.Fit, ...]
    scores: np.ndarray


def judge(
    convexes: tuple[ConvexFunction, ...],
    log_p: Tensor,
    x: Tensor,
    fits: tuple[tuple[float, float], ...] | None = None,
) -> Judged:
    r"""Score the Gaussian that each divergence prefers under every divergence.

    Args:
        convexes: k rows of the table.
        log_p: log-density of p at ``x``, shape ``[n]``, float64.
        x: increasing grid, shape ``[n]``, float64.
        fits: k pairs (μ, σ) to be judged; by default the exact optima.

    Returns:
        The fits and the k × k scores.

    Raises:
        ValueError: if there are not as many fits as rows.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, section 2.5.

    Example:
        >>> x = torch.linspace(-12, 12, 1201, dtype=torch.float64)
        >>> log_p = torch.distributions.Normal(1.0, 2.0).log_prob(x)
        >>> judged = judge((KL, REVERSE_KL), log_p, x)
        >>> bool((judged.scores < 1e-9).all())
        True
    """
    chosen = [as_divergence(convex) for convex in convexes]
    if fits is None:
        best = [fitting.fit_gaussian(each, log_p, x, start=(1.0, 2.0)) for each in chosen]
        fits = tuple((fit.mu, fit.sigma) for fit in best)
    if len(fits) != len(convexes):
        raise ValueError(f"expected a fit for each of {len(convexes)} rows, got {len(fits)}")
    log_q = [_gaussian(x, mu, sigma) for mu, sigma in fits]
    scores = [[float(measures.on_grid(b, log_p, q, x)) for b in chosen] for q in log_q]
    kept = [fitting.Fit(mu, sigma, scores[k][k]) for k, (mu, sigma) in enumerate(fits)]
    return Judged(tuple(kept), np.array(scores))


def _gaussian(x: Tensor, mu: float, sigma: float) -> Tensor:
    return densities.gaussian_log_density(x, x.new_tensor(mu), x.new_tensor(sigma))


# --- Algorithm 1 ------------------------------------------------------------------------------


class GaussianGenerator(nn.Module):
    r"""A reparameterised Gaussian a seed, :math:`x = \mu + e^{\lambda} z`.

    Args:
        streams: say how many seeds, which device and dtype.

    Example:
        >>> GaussianGenerator(Streams([0, 1]))(torch.ones(2, 3, 1)).shape
        torch.Size([2, 3, 1])
    """

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        zeros = torch.zeros(streams.count, 1, 1, device=streams.device, dtype=streams.dtype)
        self.mu = nn.Parameter(zeros)
        self.log_sigma = nn.Parameter(zeros.clone())

    def forward(self, z: Tensor) -> Tensor:
        """Map noise **[S, B, 1]** to samples **[S, B, 1]**."""
        return self.mu + self.log_sigma.exp() * z

    @property
    def theta(self) -> Tensor:
        r""":math:`(\mu, \sigma)` of each seed, **[S, 2]**, detached."""
        both = torch.cat([self.mu, self.log_sigma.exp()], -1)
        return both.detach().squeeze(1)


def mixture_sampler(streams: Streams, n: int) -> Tensor:
    r"""Draw from the reconstructed mixture of the paper's experiment.

    Args:
        streams: random numbers, one stream a seed.
        n: samples a seed.

    Returns:
        **[S, n, 1]**.

    Example:
        >>> mixture_sampler(Streams([0, 1]), 3).shape
        torch.Size([2, 3, 1])
    """
    first = streams.uniform(n, 1) < densities.FGAN_WEIGHTS[0]
    noise = streams.normal(n, 1)
    (left, right), (narrow, wide) = densities.FGAN_MEANS, densities.FGAN_SIGMAS
    return torch.where(first, left + narrow * noise, right + wide * noise)


@dataclass(frozen=True)
class Contest:
    r"""A game: a convex function and the loss its generator descends.

    Args:
        convex: a row of the table.
        practical: the generator maximises :math:`\mathbb E_q[T]` instead of playing minimax.
    """

    convex: ConvexFunction
    practical: bool = False

    @property
    def name(self) -> str:
        """The row's name, and whether the generator's step is the practical one."""
        return self.convex.name + (", practical" if self.practical else "")

    def losses(self, v_p: Tensor, v_q: Tensor) -> tuple[Tensor, Tensor]:
        r"""The bound and the generator's loss, from the network's outputs **[…, B]**."""
        value = bound(self.convex.activation(v_p), v_q, self.convex.composed)
        follow = practical_generator_loss if self.practical else generator_loss
        return value, follow(self.convex)(v_q)


FIVE_CONTESTS = tuple(Contest(convex) for convex in FIVE)


@dataclass(frozen=True)
class SingleStep(Step):
    r"""One step of Algorithm 1.

    Args:
        bounds: the bound on this batch for each game, **[S]**, detached.
        theta: (μ, σ) after the step, **[S, 2]**.
    """

    bounds: Tensor
    theta: Tensor


def single_step(
    contests: Sequence[Contest],
    generator: GaussianGenerator,
    critic: nn.Module,
    sample: Sampler,
    streams: Streams,
    *,
    iterations: int,
    batch: int = 1024,
    rate: float = 0.01,
) -> Iterator[SingleStep]:
    r"""Both players step at once, each along its own gradient at the same point.

    .. math::
        \omega \leftarrow \omega + \eta\,\nabla_\omega F(\theta,\omega),\qquad
        \theta \leftarrow \theta - \eta\,\nabla_\theta F(\theta,\omega)

    Args:
        contests: S games, one for each slice of the networks.
        generator: changed in place.
        critic: maps **[S, B, 1]** to V, **[S, B, 1]**; changed in place.
        sample: draws the data.
        streams: random numbers, S streams.
        iterations: how many steps.
        batch: B.
        rate: η, of both players.

    Yields:
        One record a step.

    Raises:
        NonFiniteLoss: if the bound of a game is no longer finite; the term names the game.
        ValueError: if there are not as many games as streams, or a number is out of range.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, Algorithm 1.

    Example:
        >>> streams = Streams([0, 0])
        >>> players = GaussianGenerator(streams), mlp([1, 8, 1], streams, nn.Tanh)
        >>> both = (Contest(KL), Contest(REVERSE_KL))
        >>> steps = single_step(both, *players, mixture_sampler, streams, iterations=3, batch=8)
        >>> [tuple(step.theta.shape) for step in steps]
        [(2, 2), (2, 2), (2, 2)]
    """
    if len(contests) != streams.count or iterations < 1 or batch < 1 or not rate > 0:
        raise ValueError(
            f"expected a game for each of {streams.count} streams, iterations ≥ 1, batch ≥ 1 and "
            f"rate > 0, got {len(contests)} games, {iterations}, {batch} and {rate}"
        )
    theta: list[Tensor] = list(generator.parameters())
    omega: list[Tensor] = list(critic.parameters())
    for index in range(iterations):
        fake = generator(streams.normal(batch, 1))
        both = torch.cat([sample(streams, batch), fake], 1)
        v_p, v_q = scores(critic, both).split(batch, 1)
        pairs = [game.losses(*v) for game, *v in zip(contests, v_p, v_q, strict=True)]
        bounds, follows = map(torch.stack, zip(*pairs, strict=True))
        _step_at_once(theta, omega, follows, bounds, rate)
        terms = {game.name: value for game, value in zip(contests, bounds, strict=True)}
        yield SingleStep(
            index, iterations, finite(index, **terms), bounds.detach(), generator.theta
        )


def _step_at_once(
    theta: list[Tensor],
    omega: list[Tensor],
    follows: Tensor,
    bounds: Tensor,
    rate: float,
) -> None:
    down = torch.autograd.grad(follows.sum(), theta, retain_graph=True)
    up = torch.autograd.grad(bounds.sum(), omega)
    with torch.no_grad():
        torch._foreach_add_(theta, down, alpha=-rate)
        torch._foreach_add_(omega, up, alpha=rate)


# --- The study --------------------------------------------------------------------------------

CONTESTS = (*FIVE_CONTESTS, Contest(KL, practical=True))
EVERY = 200


def grid() -> tuple[Tensor, Tensor]:
    r"""The reconstructed mixture on a grid that holds it and every fit.

    Returns:
        The grid and the log-density of p, both ``[2201]``, float64.

    Example:
        >>> x, log_p = grid()
        >>> round(torch.trapezoid(log_p.exp(), x).item(), 6)
        1.0
    """
    x = torch.linspace(-9, 13, 2201, dtype=torch.float64)
    return x, densities.fgan_mixture().log_prob(x)


def learned(
    contests: Sequence[Contest], theta: Tensor, critic: nn.Module
) -> Iterator[tuple[Contest, Learned, float]]:
    r"""What each game has learned: the bound, integrated, μ and σ, and the true divergence there.

    Args:
        contests: S games.
        theta: (μ, σ), **[S, 2]**.
        critic: maps **[S, B, 1]** to V.

    Yields:
        The game, its column of the table, and :math:`D_f(p\|q)`.
    """
    x, log_p = (values.to(theta.device) for values in grid())
    with torch.no_grad():
        v = scores(critic, x.float().expand(len(contests), -1)[..., None]).double()
    for game, (mu, sigma), values in zip(contests, theta.tolist(), v, strict=True):
        log_q = _gaussian(x, mu, sigma)
        value = bound_on_grid(game.convex, game.convex.activation(values), log_p, log_q, x)
        exact = measures.on_grid(as_divergence(game.convex), log_p, log_q, x)
        yield game, Learned(value.item(), mu, sigma), exact.item()


def univariate(
    seed: int, *, iterations: int, every: int = EVERY, contests: Sequence[Contest] = CONTESTS
) -> Iterator[Row]:
    r"""The univariate experiment, one seed, all games at once.

    Args:
        seed: of the weights, the data and the noise, the same for every game.
        iterations: steps of Algorithm 1.
        every: how often to report.
        contests: the games.

    Yields:
        Rows with the game, the iteration, the learned bound, the exact divergence of q, μ, σ.

    Raises:
        NonFiniteLoss: as :func:`single_step`.
    """
    streams = Streams([seed] * len(contests))
    generator, critic = GaussianGenerator(streams), mlp([1, 64, 64, 1], streams, nn.Tanh)
    steps = single_step(
        contests, generator, critic, mixture_sampler, streams, iterations=iterations
    )
    for step in steps:
        if (step.index + 1) % every == 0:
            for game, found, exact in learned(contests, step.theta, critic):
                yield {
                    "game": game.name,
                    "iteration": step.index + 1,
                    "bound": round(found.bound, 5),
                    "divergence": round(exact, 5),
                    "mu": round(found.mu, 4),
                    "sigma": round(found.sigma, 4),
                }


def record_univariate(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``fgan_univariate``, one seed of it.

    Args:
        slice: only the first 200 steps.
        seed: one of the study's.

    Yields:
        Rows of :func:`univariate`, with the seed.
    """
    for found in univariate(seed, iterations=EVERY if slice else ITERATIONS):
        yield {"seed": seed, **found}


ITERATIONS = 8_000

STUDIES = (
    Study(
        name="fgan_univariate",
        topic="fgan",
        run=record_univariate,
        seeds=(0, 1, 2, 3, 4),
        config={
            "data": "0.33 N(-1, 0.255^2) + 0.67 N(2, 1.415^2)",
            "generator": "mu + sigma z, begun at mu 0, sigma 1; log sigma is learned",
            "critic": "1-64-64-1, tanh",
            "training": "Algorithm 1, plain gradient steps of 0.01, batch 1024",
            "iterations": ITERATIONS,
            "bound": "integrated on a grid, not estimated on a batch",
        },
    ),
)
