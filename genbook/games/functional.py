r"""One step of a game as a function of its state: weights and Adam's averages in, the next out.

:func:`genbook.games.play.play` changes networks in place. A page has no networks, only numbers,
so the same step is written here without a change in place: the losses are those of
:class:`~genbook.games.play.Objective`, the networks are the same modules, with given weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from genbook.games.play import Adam, Critic, Objective, critic_total, scores, unrolled

__all__ = [
    "Ahead",
    "Player",
    "adam",
    "clipped",
    "critic_update",
    "generator_update",
    "opening",
    "with_weights",
]

Player = tuple[list[Tensor], list[Tensor], list[Tensor], Tensor]
"""Weights, Adam's averages of slopes and of their squares, and the count of steps, a scalar."""


@dataclass(frozen=True)
class _Drawn:
    """Stands in for streams where the one random number that is asked for is given."""

    share: Tensor
    count: int = 1

    def uniform(self, *shape: int) -> Tensor:
        return self.share.reshape(self.count, *shape)


@dataclass(frozen=True)
class Ahead:
    r"""How far a generator looks into the critic's future.

    Args:
        real: data that the imagined critic learns from, **[1, B, …]**.
        steps: how many; 0: not at all.
        rate: of the imagined steps.
    """

    real: Tensor
    steps: int
    rate: float


def opening(network: nn.Module) -> Player:
    r"""A player that has not moved yet.

    Args:
        network: its weights are taken as they are.

    Returns:
        Weights, zeros, zeros, 0.

    Example:
        >>> from genbook.games.play import Streams, mlp
        >>> [len(part) for part in opening(mlp([2, 8, 1], Streams([0])))[:3]]
        [4, 4, 4]
    """
    weights = [parameter.detach() for parameter in network.parameters()]
    zeros = [torch.zeros_like(weight) for weight in weights]
    return weights, zeros, list(zeros), torch.zeros((), device=weights[0].device)


def with_weights(network: nn.Module, weights: Sequence[Tensor], x: Tensor) -> Tensor:
    r"""What a network answers with other weights than its own.

    Args:
        network: says how the weights are used.
        weights: in the order of its parameters.
        x: its input.

    Returns:
        Its output.
    """
    names = (name for name, _ in network.named_parameters())
    return functional_call(network, dict(zip(names, weights, strict=True)), (x,))


def adam(player: Player, slopes: Sequence[Tensor], rate: Tensor, settings: Adam) -> Player:
    r"""One step of Adam.

    .. math:: m\leftarrow\beta_1m+(1-\beta_1)g,\quad v\leftarrow\beta_2v+(1-\beta_2)g^2,\quad
              \theta\leftarrow\theta-\eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)}+\epsilon}

    Args:
        player: before.
        slopes: of its loss, one a weight.
        rate: η, a scalar.
        settings: β and ε; its own rate is not used.

    Returns:
        The player afterwards.

    Source:
        Kingma and Ba (2015), algorithm 1.

    Example:
        >>> before = ([torch.zeros(1)], [torch.zeros(1)], [torch.zeros(1)], torch.tensor(0.0))
        >>> after = adam(before, [torch.tensor([5.0])], torch.tensor(0.1), Adam())
        >>> round(after[0][0].item(), 4)
        -0.1
    """
    weights, means, squares, count = player
    first, second = settings.betas
    count = count + 1
    means = [m + (1 - first) * (g - m) for m, g in zip(means, slopes, strict=True)]
    squares = [second * v + (1 - second) * g * g for v, g in zip(squares, slopes, strict=True)]
    scale, root = rate / (1 - first**count), torch.sqrt(1 - second**count)
    weights = [
        w - scale * m / (v.sqrt() / root + settings.eps)
        for w, m, v in zip(weights, means, squares, strict=True)
    ]
    return weights, means, squares, count


def critic_update(
    network: nn.Module,
    player: Player,
    objective: Objective,
    real: Tensor,
    fake: Tensor,
    rate: Tensor,
    *,
    share: Tensor | None = None,
    settings: Adam | None = None,
) -> tuple[Player, Tensor]:
    r"""One step of the critic, as :func:`genbook.games.play.critic_step` makes it.

    Args:
        network: the critic's form.
        player: its state.
        objective: the losses.
        real: **[1, B, …]**.
        fake: **[1, B, …]**.
        rate: a scalar.
        share: uniform numbers for a penalty between data and fakes, **[1, B]**.
        settings: Adam's.

    Returns:
        The critic afterwards and its loss before.
    """
    weights = [weight.detach().requires_grad_() for weight in player[0]]
    drawn = _Drawn(real.new_zeros(1, 1) if share is None else share)
    loss = critic_total(
        objective,
        lambda x: with_weights(network, weights, x),
        real,
        fake.detach(),
        drawn,  # type: ignore[arg-type]
    ).sum()
    slopes = torch.autograd.grad(loss, weights)
    return adam((weights, *player[1:]), slopes, rate, settings or Adam()), loss


def generator_update(
    network: nn.Module,
    player: Player,
    critic: nn.Module,
    opponent: Sequence[Tensor],
    objective: Objective,
    noise: Tensor,
    rate: Tensor,
    *,
    settings: Adam | None = None,
    ahead: Ahead | None = None,
) -> tuple[Player, Tensor]:
    r"""One step of the generator against a critic that stands still, or as it is imagined.

    Args:
        network: the generator's form.
        player: its state.
        critic: the critic's form.
        opponent: the critic's weights.
        objective: the losses.
        noise: **[1, B, latent]**.
        rate: a scalar.
        settings: Adam's.
        ahead: let the critic take imagined steps first, see :func:`genbook.games.play.unrolled`.

    Returns:
        The generator afterwards and its loss before.
    """
    weights = [weight.detach().requires_grad_() for weight in player[0]]
    fake = with_weights(network, weights, noise)
    judge = _judge(critic, opponent, objective, fake, ahead)
    loss = objective.generator_loss(scores(judge, fake)).sum()
    slopes = torch.autograd.grad(loss, weights)
    return adam((weights, *player[1:]), slopes, rate, settings or Adam()), loss


def _judge(
    critic: nn.Module,
    weights: Sequence[Tensor],
    objective: Objective,
    fake: Tensor,
    ahead: Ahead | None,
) -> Critic:
    if ahead is None or ahead.steps == 0:
        return lambda x: with_weights(critic, weights, x)
    drawn = _Drawn(ahead.real.new_zeros(1, 1))
    return unrolled(
        critic,
        objective,
        ahead.real,
        fake,
        drawn,  # type: ignore[arg-type]
        steps=ahead.steps,
        rate=ahead.rate,
        weights=weights,
    )


def clipped(player: Player, limit: float) -> Player:
    r"""A player whose weights are clamped.

    Args:
        player: before.
        limit: no weight is larger than this in size.

    Returns:
        The player afterwards; Adam's averages stay.

    Source:
        Arjovsky, Chintala and Bottou (2017), algorithm 1.

    Example:
        >>> before = ([torch.tensor([2.0, -0.001])], [], [], torch.tensor(1.0))
        >>> clipped(before, 0.01)[0][0].tolist() == torch.tensor([0.01, -0.001]).tolist()
        True
    """
    weights, means, squares, count = player
    return [weight.clamp(-limit, limit) for weight in weights], means, squares, count
