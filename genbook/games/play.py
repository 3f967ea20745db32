r"""Two players, many seeds: one loop that trains every GAN of this book.

The losses come from :mod:`genbook.games.duality`, the networks and random numbers from
:mod:`genbook.kit.seeds`. Everything carries a leading seed axis **[S, …]**; the losses are summed
over it, so that each seed gets its own gradient and its own run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genbook.games.duality import (
    ConvexFunction,
    critic_loss,
    generator_loss,
    practical_generator_loss,
)
from genbook.kit.seeds import Sampler, Streams, around, mlp, rows
from genbook.kit.training import Step, finite, linear_decay

__all__ = [
    "Adam",
    "Duel",
    "Game",
    "Objective",
    "RMSProp",
    "Round",
    "Streams",
    "around",
    "critic_total",
    "from_convex",
    "generate",
    "mlp",
    "play",
    "rows",
    "scores",
]

Critic = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Duel:
    r"""What a penalty may look at.

    Args:
        critic: maps **[S, B, …]** to its outputs **[S, B]**.
        real: samples of the data, **[S, B, …]**.
        fake: samples of the generator, **[S, B, …]**.
        t_real: the critic on ``real``, **[S, B]**.
        t_fake: the critic on ``fake``, **[S, B]**.
        streams: random numbers, one stream a seed.
    """

    critic: Critic
    real: Tensor
    fake: Tensor
    t_real: Tensor
    t_fake: Tensor
    streams: Streams


@dataclass(frozen=True)
class Objective:
    r"""The losses of the two players; both minimise.

    Args:
        name: its name in the book.
        critic_loss: from the critic's outputs on data and on fakes, both **[S, B]**, to **[S]**.
        generator_loss: from the critic's outputs on fakes, **[S, B]**, to **[S]**.
        penalty: what is added to the critic's loss, **[S]**.
    """

    name: str
    critic_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]
    penalty: Callable[[Duel], Tensor] | None = None


def from_convex(
    convex: ConvexFunction,
    *,
    practical: bool = False,
    penalty: Callable[[Duel], Tensor] | None = None,
) -> Objective:
    r"""The game of a convex function: both losses are its variational bound.

    .. math:: \min_G\max_V\; \mathbb E_p[g_f(V)] - \mathbb E_q[f^*(g_f(V))]

    Args:
        convex: f.
        practical: let the generator maximise :math:`\mathbb E_q[g_f(V)]` instead.
        penalty: see :class:`Objective`.

    Returns:
        The losses.

    Source:
        Nowozin, Cseke and Tomioka (2016), eq. 6 and section 3.2.

    Example:
        >>> from genbook.games.duality import GAN
        >>> round(from_convex(GAN, practical=True).generator_loss(torch.zeros(1, 3)).item(), 4)
        0.6931
    """
    generator = practical_generator_loss if practical else generator_loss
    return Objective(convex.name, critic_loss(convex), generator(convex), penalty)


@dataclass(frozen=True)
class Adam:
    r"""Adam's settings.

    Args:
        lr: learning rate.
        betas: decay of the two averages.
        eps: added to the root.
    """

    lr: float = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    eps: float = 1e-8

    def over(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """A fused Adam for these parameters."""
        return torch.optim.Adam(
            list(parameters), lr=self.lr, betas=self.betas, eps=self.eps, fused=True
        )


@dataclass(frozen=True)
class RMSProp:
    r"""RMSProp's settings.

    Args:
        lr: learning rate.
        alpha: decay of the average square.
    """

    lr: float = 5e-5
    alpha: float = 0.99

    def over(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """An RMSProp for these parameters."""
        return torch.optim.RMSprop(list(parameters), lr=self.lr, alpha=self.alpha)


@dataclass(frozen=True)
class Game:
    r"""The settings of a game.

    Args:
        iterations: generator steps.
        batch: samples a step.
        latent: size of the generator's input, a standard normal.
        critic_steps: critic steps before each generator step.
        critic_optimiser: its settings.
        generator_optimiser: its settings.
        unroll: K, how many critic steps the generator looks ahead and differentiates through.
        unroll_rate: step size of these imagined steps.
        clip_weights: after each critic step, clamp every weight to ± this.
        decay: over this share of the iterations, the last ones, both rates fall linearly to 0.
        average: coefficient of a running average of the generator's weights, which is then what
            :attr:`Round.generator` gives; ``None`` gives the trained generator itself.

    Raises:
        ValueError: if a number is out of range.
    """

    iterations: int
    batch: int = 512
    latent: int = 2
    critic_steps: int = 1
    critic_optimiser: Adam | RMSProp = field(default_factory=Adam)
    generator_optimiser: Adam | RMSProp = field(default_factory=Adam)
    unroll: int = 0
    unroll_rate: float = 1.0
    clip_weights: float | None = None
    decay: float = 0.0
    average: float | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        for name in ("iterations", "batch", "latent", "critic_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"Game: expected {name} ≥ 1, got {getattr(self, name)}")
        if self.unroll < 0 or not 0 <= self.decay <= 1:
            raise ValueError(
                f"Game: expected unroll ≥ 0 and decay in [0, 1], got {self.unroll}, {self.decay}"
            )
        if self.clip_weights is not None and self.clip_weights <= 0:
            raise ValueError(f"Game: expected clip_weights > 0, got {self.clip_weights}")
        if self.average is not None and not 0 <= self.average < 1:
            raise ValueError(f"Game: expected average in [0, 1), got {self.average}")

    def rate(self, index: int) -> float:
        r"""The factor on both learning rates at an iteration, 1 until the decay begins."""
        return linear_decay(index, self.iterations, self.decay)


@dataclass(frozen=True)
class Round(Step):
    r"""One iteration of a game.

    Args:
        critic_loss: of each seed, penalty included, **[S]**, detached.
        generator_loss: of each seed, **[S]**, detached.
        generator: what is to be judged: the trained generator or its running average. It is the
            live module, which the next iteration changes; draw from it now or copy it.
    """

    critic_loss: Tensor
    generator_loss: Tensor
    generator: nn.Module


def scores(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    r"""The critic's outputs without a last axis of one.

    Args:
        critic: maps **[S, B, …]** to **[S, B]** or **[S, B, 1]**.
        x: its input.

    Returns:
        **[S, B]**.

    Raises:
        ValueError: if the critic returns another shape.
    """
    out = critic(x)
    if out.ndim == 3 and out.shape[-1] == 1:
        out = out.squeeze(-1)
    if out.ndim != 2:
        raise ValueError(f"expected a critic that returns [S, B] or [S, B, 1], got {out.shape}")
    return out


def generate(generator: nn.Module, streams: Streams, n: int, latent: int) -> Tensor:
    r"""Draw from the generator without recording gradients.

    Args:
        generator: maps **[S, n, latent]** to **[S, n, …]**.
        streams: draw the noise.
        n: samples a seed.
        latent: size of the noise.

    Returns:
        **[S, n, …]**.
    """
    with torch.no_grad():
        return generator(streams.normal(n, latent))


def critic_total(
    objective: Objective, critic: Critic, real: Tensor, fake: Tensor, streams: Streams
) -> Tensor:
    r"""The critic's loss with its penalty.

    Args:
        objective: the losses.
        critic: maps **[S, B, …]** to **[S, B]** or **[S, B, 1]**.
        real: **[S, B, …]**.
        fake: **[S, B, …]**.
        streams: random numbers for the penalty.

    Returns:
        **[S]**.
    """
    t_real, t_fake = scores(critic, real), scores(critic, fake)
    loss = objective.critic_loss(t_real, t_fake)
    if objective.penalty is not None:
        duel = Duel(lambda x: scores(critic, x), real, fake, t_real, t_fake, streams)
        loss = loss + objective.penalty(duel)
    return loss


def critic_step(
    critic: nn.Module,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    real: Tensor,
    fake: Tensor,
    streams: Streams,
    clip_weights: float | None = None,
) -> Tensor:
    r"""One step of the critic on detached fakes; weights are clipped after the step.

    Args:
        critic: the player.
        optimiser: over its parameters.
        objective: the losses.
        real: **[S, B, …]**.
        fake: **[S, B, …]**, without a graph.
        streams: random numbers for the penalty.
        clip_weights: clamp each parameter to ± this after the step.

    Returns:
        The loss of each seed before the step, **[S]**.
    """
    loss = critic_total(objective, critic, real, fake, streams)
    descend(optimiser, loss)
    if clip_weights is not None:
        _clip(critic, clip_weights)
    return loss.detach()


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    r"""One step of an optimiser down the sum of the seeds' losses.

    Args:
        optimiser: over the parameters that step.
        loss: one a seed, **[S]**; a seed's parameters are in its own loss alone.

    Example:
        >>> place = torch.ones(2, requires_grad=True)
        >>> descend(torch.optim.SGD([place], lr=0.5), place**2)
        >>> place.tolist()
        [0.0, 0.0]
    """
    optimiser.zero_grad(set_to_none=True)
    loss.sum().backward()
    optimiser.step()


@torch.no_grad()
def _clip(critic: nn.Module, limit: float) -> None:
    for parameter in critic.parameters():
        parameter.clamp_(-limit, limit)


def unrolled(
    critic: nn.Module,
    objective: Objective,
    real: Tensor,
    fake: Tensor,
    streams: Streams,
    *,
    steps: int,
    rate: float,
    weights: Sequence[Tensor] | None = None,
) -> Critic:
    r"""The critic after imagined gradient steps, still a function of the fakes.

    .. math:: \theta^{k+1} = \theta^k - \eta\,\nabla_\theta L(\theta^k)

    Args:
        critic: where the steps begin; it is not changed.
        objective: its loss is L.
        real: **[S, B, …]**.
        fake: **[S, B, …]**, with the generator's graph: the gradient goes through the steps.
        streams: random numbers for the penalty.
        steps: K.
        rate: η.
        weights: begin with these instead of the critic's own, in the order of its parameters.

    Returns:
        The imagined critic, **[S, B, …]** to **[S, B]**.

    Source:
        Metz, Poole, Pfau and Sohl-Dickstein (2017), eqs. 7 to 9.
    """
    first = list(critic.parameters()) if weights is None else weights
    names = [name for name, _ in critic.named_parameters()]
    held = {n: w.detach().requires_grad_() for n, w in zip(names, first, strict=True)}
    for _ in range(steps):
        loss = critic_total(objective, _with(critic, held), real, fake, streams).sum()
        held = _one_step_ahead(held, loss, rate)
    return lambda x: scores(_with(critic, held), x)


def _with(critic: nn.Module, weights: dict[str, Tensor]) -> Critic:
    return lambda x: functional_call(critic, weights, (x,))


def _one_step_ahead(
    weights: dict[str, Tensor],
    loss: Tensor,
    rate: float,
) -> dict[str, Tensor]:
    slopes = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
    moved = zip(weights.items(), slopes, strict=True)
    return {name: w - rate * slope for (name, w), slope in moved}


def generator_step(
    generator: nn.Module,
    optimiser: torch.optim.Optimizer,
    objective: Objective,
    critic: Critic,
    fake: Tensor,
) -> Tensor:
    r"""One step of the generator against a critic that stands still.

    Args:
        generator: the player.
        optimiser: over its parameters.
        objective: the losses.
        critic: as it is, or as :func:`unrolled` imagines it.
        fake: **[S, B, …]**, with the generator's graph.

    Returns:
        The loss of each seed before the step, **[S]**.
    """
    loss = objective.generator_loss(scores(critic, fake))
    descend(optimiser, loss)
    return loss.detach()


def _set_rates(optimiser: torch.optim.Optimizer, lr: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = lr


def _follow(average: nn.Module, generator: nn.Module, coefficient: float) -> None:
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - coefficient)


def play(
    generator: nn.Module,
    critic: nn.Module,
    objective: Objective,
    sample: Sampler,
    game: Game,
    streams: Streams,
    *,
    keep_going: bool = False,
) -> Iterator[Round]:
    r"""Train generator and critic by turns, all seeds at once.

    Args:
        generator: maps noise **[S, B, latent]** to **[S, B, …]**; changed in place.
        critic: maps **[S, B, …]** to **[S, B]** or **[S, B, 1]**; changed in place.
        objective: the losses.
        sample: draws the data, **[S, B, …]**.
        game: the settings.
        streams: random numbers, one stream a seed.
        keep_going: go on when a seed's loss is no longer finite (the others do not notice);
            otherwise stop.

    Yields:
        One round an iteration; ``terms`` are the means over the seeds that are still finite.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN and ``keep_going`` is not set.

    Source:
        Goodfellow et al. (2014), algorithm 1; with ``clip_weights``, Arjovsky, Chintala and
        Bottou (2017), algorithm 1.

    Example:
        >>> from genbook.games.duality import GAN
        >>> streams = Streams([0, 1])
        >>> g, d = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
        >>> data = around(torch.zeros(1, 2), std=1.0)
        >>> rounds = play(g, d, from_convex(GAN), data, Game(iterations=3, batch=4), streams)
        >>> [tuple(step.critic_loss.shape) for step in rounds]
        [(2,), (2,), (2,)]
    """
    critic_optimiser = game.critic_optimiser.over(critic.parameters())
    generator_optimiser = game.generator_optimiser.over(generator.parameters())
    judged = generator if game.average is None else copy.deepcopy(generator)
    parameters = list(critic.parameters())
    for index in range(game.iterations):
        if game.decay > 0:
            _set_rates(critic_optimiser, game.critic_optimiser.lr * game.rate(index))
            _set_rates(generator_optimiser, game.generator_optimiser.lr * game.rate(index))
        for _ in range(game.critic_steps):
            real = sample(streams, game.batch)
            fake = generate(generator, streams, game.batch, game.latent)
            critic_value = critic_step(
                critic, critic_optimiser, objective, real, fake, streams, game.clip_weights
            )
        fake = generator(streams.normal(game.batch, game.latent))
        opponent: Critic = critic
        if game.unroll:
            real = sample(streams, game.batch)
            opponent = unrolled(
                critic, objective, real, fake, streams, steps=game.unroll, rate=game.unroll_rate
            )
        for parameter in parameters:
            parameter.requires_grad_(False)
        generator_value = generator_step(generator, generator_optimiser, objective, opponent, fake)
        for parameter in parameters:
            parameter.requires_grad_(True)
        if game.average is not None:
            _follow(judged, generator, game.average)
        terms = _terms(index, critic_value, generator_value, keep_going)
        yield Round(index, game.iterations, terms, critic_value, generator_value, judged)


def _terms(index: int, critic: Tensor, generator: Tensor, keep_going: bool) -> dict[str, float]:
    """Means over the seeds, or over those that are still finite."""
    values = torch.stack([critic, generator])
    if keep_going:
        alive = torch.isfinite(values).all(0)
        values = values[:, alive] if bool(alive.any()) else values.new_zeros(2, 1)
    means = values.mean(1)
    return finite(index, critic=means[0], generator=means[1])
