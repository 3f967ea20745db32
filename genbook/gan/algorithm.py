r"""The discriminator alone, Algorithm 1, and the runs of the chapter on GANs.

Everything carries the leading seed axis of :mod:`genbook.games.play`; a "seed" may also be another
problem (a generator of its own, a cost of its own), as long as the shapes agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.play import Adam, Objective, Streams, critic_step, descend, scores
from genbook.gan.costs import SATURATING, Cost, objective
from genbook.kit.seeds import Sampler
from genbook.kit.training import Step, finite


@dataclass(frozen=True)
class Momentum:
    r"""Gradient descent with momentum: the rule of 2014, which does not rescale a gradient.

    Args:
        lr: learning rate.
        momentum: share of the last step that is kept.
    """

    lr: float = 0.1
    momentum: float = 0.5

    def over(self, parameters: Sequence[nn.Parameter]) -> torch.optim.Optimizer:
        """The optimiser for these parameters."""
        return torch.optim.SGD(parameters, lr=self.lr, momentum=self.momentum)


def algorithm_1(
    generator: nn.Module,
    critic: nn.Module,
    game: Objective,
    sample: Sampler,
    optimisers: tuple[torch.optim.Optimizer, torch.optim.Optimizer],
    streams: Streams,
    *,
    iterations: int,
    batch: int,
    latent: int,
    critic_steps: int = 1,
) -> Iterator[Step]:
    r"""Minibatch training of a GAN, line by line.

    With the optimisers of a :class:`genbook.games.play.Game` it takes the same steps as
    :func:`genbook.games.play.play`, bit for bit.

    Args:
        generator: maps noise **[S, m, latent]** to **[S, m, d]**; changed in place.
        critic: maps **[S, m, d]** to the logit of D, **[S, m, 1]**; changed in place.
        game: the two losses, from :func:`genbook.gan.costs.objective`.
        sample: draws the data, **[S, m, d]**.
        optimisers: over the critic's and over the generator's parameters.
        streams: random numbers, one stream a seed.
        iterations: rounds.
        batch: m.
        latent: size of the noise.
        critic_steps: k.

    Yields:
        The losses of each round, as means over the seeds.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.

    Source:
        Goodfellow et al. (2014), algorithm 1.

    Example:
        >>> from genbook.games.play import mlp
        >>> streams = Streams([0])
        >>> g, d = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
        >>> both = Adam().over(d.parameters()), Adam().over(g.parameters())
        >>> draw = lambda streams, m: streams.normal(m, 2)
        >>> steps = algorithm_1(g, d, objective(SATURATING), draw, both, streams,
        ...                     iterations=3, batch=4, latent=2)
        >>> len(list(steps))
        3
    """
    table = _Table(
        data=lambda: sample(streams, batch),
        fakes=lambda: generator(streams.normal(batch, latent)),
        judge=lambda x: scores(critic, x),
        game=game,
        critic_optimiser=optimisers[0],
        generator_optimiser=optimisers[1],
    )
    for index in range(iterations):
        critic_loss, generator_loss = _round(table, critic_steps)
        terms = finite(index, critic=critic_loss.mean(), generator=generator_loss.mean())
        yield Step(index, iterations, terms)


@dataclass(frozen=True)
class _Table:
    """What lies on the table: fresh data and fakes, the judge, the losses, both optimisers."""

    data: Callable[[], Tensor]
    fakes: Callable[[], Tensor]
    judge: Callable[[Tensor], Tensor]
    game: Objective
    critic_optimiser: torch.optim.Optimizer
    generator_optimiser: torch.optim.Optimizer


def _round(table: _Table, critic_steps: int) -> tuple[Tensor, Tensor]:
    game, judge = table.game, table.judge
    for _ in range(critic_steps):
        real, fake = table.data(), table.fakes().detach()
        critic_loss = game.critic_loss(judge(real), judge(fake))
        descend(table.critic_optimiser, critic_loss)
    generator_loss = game.generator_loss(judge(table.fakes()))
    descend(table.generator_optimiser, generator_loss)
    return critic_loss, generator_loss


def side_by_side(costs: Sequence[Cost]) -> Objective:
    r"""A game in which seed s has cost s: the runs differ in the generator's loss alone.

    Args:
        costs: one a seed.

    Returns:
        Losses on **[S, B]** with S = len(costs).

    Raises:
        ValueError: when called with another number of seeds.

    Example:
        >>> from genbook.gan.costs import NON_SATURATING
        >>> both = side_by_side((SATURATING, NON_SATURATING)).generator_loss(torch.zeros(2, 3))
        >>> [round(value, 4) for value in both.tolist()]
        [-0.6931, 0.6931]
    """

    def generator(v: Tensor) -> Tensor:
        if len(v) != len(costs):
            raise ValueError(f"expected {len(costs)} seeds, one a cost, got {len(v)}")
        return torch.stack([cost.loss(row).mean() for cost, row in zip(costs, v, strict=True)])

    names = " | ".join(cost.name for cost in costs)
    return Objective(names, objective(SATURATING).critic_loss, generator)


def fit_discriminator(
    critic: nn.Module,
    game: Objective,
    real: Sampler,
    fake: Sampler,
    streams: Streams,
    *,
    iterations: int,
    batch: int = 512,
    lr: float = 4e-3,
) -> Iterator[Step]:
    r"""Train the discriminator alone, with a learning rate that falls linearly to 0.

    Args:
        critic: maps **[S, B, d]** to its logits, **[S, B, 1]**; changed in place.
        game: its loss.
        real: draws the data, **[S, B, d]**.
        fake: draws the fakes, **[S, B, d]**.
        streams: random numbers.
        iterations: steps.
        batch: samples a step, from each side.
        lr: Adam's learning rate at the beginning.

    Yields:
        The loss of each step, as the mean over the seeds.

    Raises:
        NonFiniteLoss: if the loss is infinite or NaN.

    Example:
        >>> from genbook.games.play import mlp
        >>> streams = Streams([0])
        >>> draw = lambda streams, m: streams.normal(m, 1)
        >>> steps = fit_discriminator(mlp([1, 8, 1], streams), objective(SATURATING), draw, draw,
        ...                           streams, iterations=2)
        >>> len(list(steps))
        2
    """
    optimiser = Adam(lr=lr).over(critic.parameters())
    for index in range(iterations):
        for group in optimiser.param_groups:
            group["lr"] = lr * (1 - index / iterations)
        pair = real(streams, batch), fake(streams, batch)
        loss = critic_step(critic, optimiser, game, *pair, streams)
        yield Step(index, iterations, finite(index, critic=loss.mean()))


def gradient_norms(generator: nn.Module, critic: nn.Module, cost: Cost, noise: Tensor) -> Tensor:
    r"""How long the generator's gradient is, each seed's own.

    .. math:: \Big\|\nabla_\theta\,\tfrac1B\sum_b \ell\big(v(g_\theta(z_b))\big)\Big\|_2

    Args:
        generator: maps **[S, B, latent]** to **[S, B, d]**.
        critic: maps **[S, B, d]** to logits.
        cost: ℓ.
        noise: z, **[S, B, latent]**.

    Returns:
        Shape **[S]**.

    Example:
        >>> from genbook.games.play import mlp
        >>> streams = Streams([0, 1])
        >>> g, d = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
        >>> gradient_norms(g, d, SATURATING, streams.normal(5, 2)).shape
        torch.Size([2])
    """
    parameters = list(generator.parameters())
    loss = cost.loss(scores(critic, generator(noise))).mean(-1).sum()
    slopes = torch.autograd.grad(loss, parameters)
    return torch.stack([slope.flatten(1).square().sum(1) for slope in slopes]).sum(0).sqrt()
