r"""Runs in the plane and on anything else: a game to scrub through, a race of two costs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.play import (
    Adam,
    Objective,
    Streams,
    critic_step,
    generate,
    generator_step,
    mlp,
    scores,
)
from genbook.gan.algorithm import Momentum, algorithm_1, gradient_norms, side_by_side
from genbook.gan.costs import NON_SATURATING, SATURATING, Cost, objective, pushes
from genbook.kit import data
from genbook.kit.seeds import Sampler, around
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream

WATCHED = Substream("noise whose samples are watched", 1)

MODES = ("both", "discriminator only", "generator only")


@dataclass(frozen=True)
class Scene:
    r"""A moment of a game in the plane.

    Args:
        iteration: how many rounds were played.
        field: D on a square grid, rows from low to high y, shape ``[r, r]``.
        points: samples of the generator, ``[n, 2]``.
        arrows: −∇ₓ of the generator's cost at the samples, ``[n, 2]``.
    """

    iteration: int
    field: Tensor
    points: Tensor
    arrows: Tensor


def lattice(reach: float, resolution: int) -> Tensor:
    r"""Points of a square grid over [−reach, reach]², row by row.

    Args:
        reach: half its width.
        resolution: r, points along an edge.

    Returns:
        Shape ``[r², 2]``, x fastest.

    Example:
        >>> lattice(1.0, 2).tolist()
        [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    ticks = torch.linspace(-reach, reach, resolution)
    return torch.cartesian_prod(ticks, ticks).flip(1)


def scene(
    generator: nn.Module, critic: nn.Module, cost: Cost, noise: Tensor, places: Tensor, index: int
) -> Scene:
    r"""Look at a game of one seed.

    Args:
        generator: maps **[1, n, latent]** to **[1, n, 2]**.
        critic: maps **[1, n, 2]** to logits.
        cost: the generator's.
        noise: **[1, n, latent]**; the same for every scene, so that points can be followed.
        places: a :func:`lattice`.
        index: the iteration.

    Returns:
        The scene.
    """

    def logit(x: Tensor) -> Tensor:
        return scores(critic, x)

    with torch.no_grad():
        points = generator(noise)
        field = torch.sigmoid(logit(places[None]))[0]
    side = round(len(places) ** 0.5)
    arrows = pushes(cost, logit, points)[0]
    return Scene(index, field.reshape(side, side), points[0], arrows)


@dataclass
class _Table:
    """Two players with their optimisers; a copy plays on from the same moment."""

    generator: nn.Module
    critic: nn.Module
    generator_optimiser: torch.optim.Optimizer
    critic_optimiser: torch.optim.Optimizer

    def turn(self, mode: str, game: Objective, sample: Sampler, streams: Streams) -> None:
        if mode != "generator only":
            fake = generate(self.generator, streams, 256, 2)
            critic_step(
                self.critic, self.critic_optimiser, game, sample(streams, 256), fake, streams
            )
        if mode != "discriminator only":
            fake = self.generator(streams.normal(256, 2))
            generator_step(self.generator, self.generator_optimiser, game, self.critic, fake)


def forked_run(
    sample: Sampler,
    *,
    seed: int,
    rounds: int,
    fork: int,
    every: int,
    cost: Cost = NON_SATURATING,
    width: int = 64,
    lr: float = 1e-3,
    reach: float = 3.5,
    resolution: int = 24,
    shown: int = 36,
) -> dict[str, list[Scene]]:
    r"""A game in the plane that splits in three: both play on, or only one of them moves.

    Args:
        sample: draws the data, **[1, n, 2]**.
        seed: of everything random.
        rounds: iterations in all.
        fork: where the three runs part.
        every: iterations from scene to scene.
        cost: the generator's.
        width: of the two hidden layers of both players.
        lr: Adam's learning rate.
        reach: half the width of the field.
        resolution: of the field.
        shown: samples in a scene.

    Returns:
        Each of :data:`MODES` → its scenes, at iterations 0, every, 2 · every, …, rounds.

    Raises:
        ValueError: unless 0 ≤ fork ≤ rounds and both are multiples of ``every``.

    Example:
        >>> run = forked_run(lambda s, n: s.normal(n, 2), seed=0, rounds=4, fork=2, every=2)
        >>> [moment.iteration for moment in run["both"]]
        [0, 2, 4]
    """
    if not 0 <= fork <= rounds or rounds % every or fork % every:
        raise ValueError(
            f"expected 0 ≤ fork ≤ rounds, both multiples of {every}, got {fork} and {rounds}"
        )
    streams, game = Streams([seed]), objective(cost)
    generator, critic = (mlp([2, width, width, out], streams) for out in (2, 1))
    start = _Table(
        generator,
        critic,
        Adam(lr=lr).over(generator.parameters()),
        Adam(lr=lr).over(critic.parameters()),
    )
    noise, places = Streams([WATCHED.seed(seed)]).normal(shown, 2), lattice(reach, resolution)

    def onward(table: _Table, mode: str, first: int, last: int) -> list[Scene]:
        seen = []
        for index in range(first, last):
            table.turn(mode, game, sample, streams)
            if (index + 1) % every == 0:
                seen.append(scene(table.generator, table.critic, cost, noise, places, index + 1))
        return seen

    shared = [scene(generator, critic, cost, noise, places, 0), *onward(start, "both", 0, fork)]
    return {mode: shared + onward(copy.deepcopy(start), mode, fork, rounds) for mode in MODES}


@dataclass(frozen=True)
class Race:
    r"""Games that differ in the generator's cost, after a head start for the discriminator.

    Args:
        steps: of the discriminator alone, k of them.
        norms: cost's symbol → norm of the generator's gradient at each of these steps, **[k, S]**.
        before: samples at the start of the game, **[S, n, d]**.
        after: samples at its end from the same noise, **[S, n, d]**.
    """

    steps: list[int]
    norms: dict[str, Tensor]
    before: Tensor
    after: Tensor

    @property
    def moved(self) -> Tensor:
        r"""How far the samples have come, the mean Euclidean distance, **[S]**."""
        return (self.after - self.before).norm(dim=-1).mean(-1)


def race(
    players: tuple[nn.Module, nn.Module],
    costs: Sequence[Cost],
    sample: Sampler,
    rule: Momentum | Adam,
    streams: Streams,
    *,
    latent: int,
    ahead: int,
    rounds: int,
    batch: int = 64,
    every: int = 20,
) -> Race:
    r"""Train the discriminator alone, then play; seed s has cost s.

    Args:
        players: generator and discriminator; changed in place.
        costs: one a seed.
        sample: draws the data.
        rule: of both players.
        streams: random numbers; give two costs the same seed to compare them.
        latent: size of the noise.
        ahead: steps of the discriminator alone.
        rounds: of the game.
        batch: samples a step.
        every: steps between two looks at the gradient.

    Returns:
        What was seen.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.
        ValueError: if there is not one cost a seed.

    Example:
        >>> streams = Streams([0, 0])
        >>> pair = mlp([2, 8, 2], streams), mlp([2, 8, 1], streams)
        >>> seen = race(pair, [SATURATING, NON_SATURATING], lambda s, n: s.normal(n, 2), Adam(),
        ...             streams, latent=2, ahead=1, rounds=1)
        >>> seen.moved.shape
        torch.Size([2])
    """
    generator, critic = players
    game = side_by_side(costs)
    optimisers = rule.over(list(critic.parameters())), rule.over(list(generator.parameters()))
    noise = streams.normal(256, latent)
    norms: dict[str, list[Tensor]] = {cost.symbol: [] for cost in (SATURATING, NON_SATURATING)}
    for index in range(ahead + 1):
        if index % every == 0:
            for cost in (SATURATING, NON_SATURATING):
                norms[cost.symbol].append(gradient_norms(generator, critic, cost, noise))
        if index < ahead:
            fake = generate(generator, streams, batch, latent)
            critic_step(critic, optimisers[0], game, sample(streams, batch), fake, streams)
    with torch.no_grad():
        before = generator(noise)
    settings = {"iterations": rounds, "batch": batch, "latent": latent}
    for _ in algorithm_1(generator, critic, game, sample, optimisers, streams, **settings):
        pass
    with torch.no_grad():
        after = generator(noise)
    seen = {symbol: torch.stack(values) for symbol, values in norms.items()}
    return Race(list(range(0, ahead + 1, every)), seen, before, after)


def near(samples: Tensor, centres: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    r"""How many samples lie near a mode, and how many modes have a sample near.

    Args:
        samples: **[S, n, d]**.
        centres: **[K, d]**.
        distance: what counts as near.

    Returns:
        The share of samples, **[S]**, and the number of modes, **[S]**.

    Example:
        >>> near(torch.zeros(1, 4, 2), torch.tensor([[0.0, 0.0], [9.0, 9.0]]), 1.0)
        (tensor([1.]), tensor([1]))
    """
    gaps = torch.cdist(samples, centres.expand(len(samples), -1, -1))
    close = gaps < distance
    return close.any(-1).float().mean(-1), close.any(1).sum(-1)


# --- The study --------------------------------------------------------------------------------

CENTRES, DEVIATION = data.ring_centres(6, 2.2), 0.25
COLLAPSED = 0.5
"""A median distance between two samples below this is a collapse; on the ring it is 3."""


def record_alone(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``gan_alone``, one seed: what becomes of samples when only one player moves.

    Args:
        slice: a few rounds only.
        seed: one of the study's.

    Yields:
        A row a mode: median distance of two samples and the share near a mode (within three
        deviations), at the fork and at the end, and the mean length of a push at the end.
    """
    rounds, fork, every = (8, 4, 4) if slice else (1_500, 400, 50)
    sample = around(CENTRES, DEVIATION)
    runs = forked_run(sample, seed=seed, rounds=rounds, fork=fork, every=every, shown=400)
    for mode, moments in runs.items():
        before, end = moments[fork // every].points, moments[-1].points
        yield {
            "seed": seed,
            "mode": mode,
            "apart_fork": _apart(before),
            "near_fork": _close(before),
            "apart_end": _apart(end),
            "near_end": _close(end),
            "push_end": round(moments[-1].arrows.norm(dim=1).mean().item(), 4),
        }


def _apart(points: Tensor) -> float:
    """The median distance of two points."""
    return round(torch.pdist(points).median().item(), 3)


def _close(points: Tensor) -> float:
    """The share of points within three deviations of a mode."""
    return round(near(points[None], CENTRES, 3 * DEVIATION)[0].item(), 3)


def fate(run: Row) -> str:
    r"""What became of the samples of a recorded run.

    Args:
        run: a row of ``gan_alone``.

    Returns:
        ``"one point"`` if the median distance of two samples fell below a half, ``"off the data"``
        if fewer than one in a hundred is near a mode, else ``"on the ring"``.

    Example:
        >>> fate({"apart_end": 0.06, "near_end": 1.0}), fate({"apart_end": 3.4, "near_end": 0.0})
        ('one point', 'off the data')
    """
    if float(run["apart_end"]) < COLLAPSED:
        return "one point"
    return "off the data" if float(run["near_end"]) < 0.01 else "on the ring"


STUDIES = (
    Study(
        name="gan_alone",
        topic="gan",
        run=record_alone,
        seeds=tuple(range(20)),
        config={
            "data": "6 Gaussians of deviation 0.25 on a circle of radius 2.2",
            "players": "2-64-64-2 and 2-64-64-1, ReLU; non-saturating; Adam 1e-3, betas 0.5 0.999",
            "training": "batch 256; 400 rounds of both, then 1,100 of both or of one alone",
            "samples": "400, from noise that stays the same",
        },
    ),
)
