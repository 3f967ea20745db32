r"""Remedies side by side: one pair of networks, one budget, one benchmark at a time.

A :class:`Method` says what it changes: the losses, what the critic sees, or how far the generator
looks ahead. Everything else is the same for all of them, and all seeds of a method are trained as
one computation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.collapse.critics import MinibatchStd, Packed, PlacedWaves, SpectralMLP
from genbook.games import duality
from genbook.games.modes import Score, score
from genbook.games.play import Adam, Duel, Game, Objective, from_convex, mlp, play
from genbook.kit import data
from genbook.kit.seeds import SeedLinear, Streams, around
from genbook.kit.substreams import Substream
from genbook.wgan.losses import gan_qp, slopes, wgan_gp

LOOKING = Substream("samples looked at during a game", 1_000)

LATENT = 2
"""Both papers' generators start from a normal in the plane."""


@dataclass(frozen=True)
class Benchmark:
    r"""Gaussians of equal weight in the plane.

    Args:
        name: in the book.
        centres: **[K, 2]**.
        std: deviation of each coordinate.
        reach: drawings show [−reach, reach]².
    """

    name: str
    centres: Tensor
    std: float
    reach: float

    @property
    def unit(self) -> float:
        r"""The length that the networks call 1: twenty deviations."""
        return 20 * self.std

    @property
    def spacing(self) -> float:
        r"""The distance between neighbouring centres."""
        gaps = torch.cdist(self.centres, self.centres)
        return float(gaps[gaps > 0].min())

    def features(self, waves: int) -> PlacedWaves:
        r"""What a critic sees of a point that is given in units of :attr:`unit`.

        Args:
            waves: how many; their mean square pitch is 4/7 of a cycle between neighbours.

        Returns:
            Maps **[S, B, 2]** to **[S, B, 2·waves + 2]**.
        """
        reach = float(self.centres.abs().max()) / self.unit
        return PlacedWaves(waves, 4 / 7 * self.unit / self.spacing, reach)


RING = Benchmark("ring", data.ring_centres(8, 1.0), 0.01, 1.5)
"""Eight means (cos 2πi/8, sin 2πi/8), σ = 0.01. Lin et al. (2018), section 4.1."""

GRID = Benchmark("grid", data.grid_centres(5, 2.0), 0.05, 5.2)
"""25 means {−4, −2, 0, 2, 4}², σ = 0.05. Lin et al. (2018), section 4.1."""


@dataclass(frozen=True)
class Method:
    r"""What a remedy changes.

    Args:
        name: in the book.
        objective: both losses and the penalty.
        packed: samples that the critic judges together.
        spread: tell the critic the spread of its batch.
        spectral: a critic whose matrices have norm 1, times this.
        unroll: critic steps that the generator looks ahead.
    """

    name: str
    objective: Objective
    packed: int = 1
    spread: bool = False
    spectral: float = 0.0
    unroll: int = 0


def flat_slopes(weight: float) -> Objective:
    r"""The non-saturating game whose critic pays for slopes on data and on fakes.

    .. math:: L_D = -\mathbb E_p\log D-\mathbb E_q\log(1-D)
        + \gamma\,\big(\mathbb E_p\|\nabla T\|^2+\mathbb E_q\|\nabla T\|^2\big)

    Args:
        weight: γ.

    Returns:
        The losses; T is the critic before the sigmoid.

    Raises:
        ValueError: if γ is not positive.

    Source:
        Mescheder, Geiger and Nowozin (2018), section 4.1: R₁ + R₂.

    Example:
        >>> flat_slopes(0.1).penalty is not None
        True
    """
    if not weight > 0:
        raise ValueError(f"expected a weight γ > 0, got {weight}")

    def penalty(duel: Duel) -> Tensor:
        both = torch.cat([duel.real, duel.fake], 1)
        return 2 * weight * slopes(duel.critic, both, create_graph=True).square().mean(-1)

    return from_convex(duality.GAN, practical=True, penalty=penalty)


PLAIN = from_convex(duality.GAN, practical=True)
"""The non-saturating game of 2014."""

METHODS = (
    Method("GAN", PLAIN),
    Method("PacGAN2", PLAIN, packed=2),
    Method("PacGAN4", PLAIN, packed=4),
    Method("minibatch std", PLAIN, spread=True),
    Method("unrolled, 5 steps", PLAIN, unroll=5),
    Method("spectral norm", PLAIN, spectral=4.0),
    Method("flat slopes (R1 + R2)", flat_slopes(0.05)),
    Method("PacGAN4 + flat slopes", flat_slopes(0.05), packed=4),
    Method("WGAN-GP", wgan_gp(0.2)),
    Method("GAN-QP", gan_qp()),
    Method("f-GAN, KL", from_convex(duality.KL)),
    Method("f-GAN, reverse KL", from_convex(duality.REVERSE_KL)),
    Method("f-GAN, Pearson, practical", from_convex(duality.PEARSON, practical=True)),
)


def method(name: str) -> Method:
    r"""A method by its name.

    Args:
        name: one of :data:`METHODS`.

    Returns:
        The method.

    Raises:
        ValueError: if there is none of that name.

    Example:
        >>> method("PacGAN4").packed
        4
    """
    found = [each for each in METHODS if each.name == name]
    if not found:
        raise ValueError(
            f"expected a method of {', '.join(each.name for each in METHODS)}; got {name!r}"
        )
    return found[0]


# --- Players ----------------------------------------------------------------------------------

WIDTH, WAVES = 64, 32


def widened(network: nn.Sequential) -> nn.Sequential:
    r"""Weights from ±1/√n to He's deviation √(2/n), so that signals keep their size.

    Args:
        network: changed in place.

    Returns:
        The same network.

    Source:
        He et al. (2015), section 2.2.
    """
    with torch.no_grad():
        for layer in network:
            if isinstance(layer, SeedLinear):
                layer.weight.mul_(math.sqrt(6))
    return network


def players(
    chosen: Method, benchmark: Benchmark, streams: Streams, *, width: int = WIDTH
) -> tuple[nn.Module, nn.Module]:
    r"""The networks: alike for all methods but for what the method changes.

    Args:
        chosen: the method.
        benchmark: sets the critic's features.
        streams: draw the weights.
        width: of the three hidden layers of each.

    Returns:
        Generator **[S, B, 2]** → **[S, B, 2]**; critic **[S, B, 2]** →
        **[S, B/m, 1]**. Both count in the benchmark's unit.

    Example:
        >>> streams = Streams([0, 1])
        >>> generator, critic = players(method("PacGAN4"), GRID, streams, width=8)
        >>> critic(generator(streams.normal(12, LATENT))).shape
        torch.Size([2, 3, 1])
    """
    generator = widened(mlp([LATENT, width, width, width, 2], streams))
    inputs = (2 * WAVES + 2) * chosen.packed + int(chosen.spread)
    sizes = [inputs, width, width, width, 1]
    critic: nn.Module
    if chosen.spectral:
        critic = SpectralMLP(sizes, streams, scale=chosen.spectral)
    else:
        critic = widened(mlp(sizes, streams, lambda: nn.LeakyReLU(0.2, inplace=True)))
    if chosen.packed > 1:
        critic = Packed(critic, chosen.packed)
    if chosen.spread:
        critic = MinibatchStd(critic)
    return generator, nn.Sequential(benchmark.features(WAVES), critic).to(streams.device)


@dataclass(frozen=True)
class Budget:
    r"""What every method may spend.

    Args:
        iterations: of one critic step and one generator step.
        batch: samples of data and as many fakes in a step.
        critic_rate: the critic's learning rate; Adam with β = (0.5, 0.999).
        generator_rate: the generator's.
        decay: over this last share of the iterations both rates fall linearly to 0.
    """

    iterations: int = 3_000
    batch: int = 256
    critic_rate: float = 2e-3
    generator_rate: float = 1e-3
    decay: float = 0.7

    def game(self, unroll: int = 0) -> Game:
        """The settings of :func:`genbook.games.play.play`."""
        return Game(
            self.iterations,
            self.batch,
            LATENT,
            critic_optimiser=Adam(self.critic_rate),
            generator_optimiser=Adam(self.generator_rate),
            unroll=unroll,
            unroll_rate=UNROLL_RATE,
            decay=self.decay,
        )


UNROLL_RATE = 0.02
"""Size of the imagined critic steps."""

GRID_BUDGET, RING_BUDGET = Budget(), Budget(iterations=2_000)


@dataclass(frozen=True)
class Moment:
    r"""A game at one moment.

    Args:
        iteration: how many are done.
        samples: drawn from the generators, **[S, n, 2]**.
        score: what they show of the modes.
        seconds: processor time since the start, all seeds together.
    """

    iteration: int
    samples: Tensor
    score: Score
    seconds: float


def moments(iterations: int, count: int) -> tuple[int, ...]:
    r"""When to look: often at the start, the end included.

    Args:
        iterations: how many there are.
        count: how often to look.

    Returns:
        Increasing iterations, the last is the end; fewer than ``count`` in a short run.

    Raises:
        ValueError: if there is no iteration or nothing to look at.

    Example:
        >>> moments(800, 4)
        (50, 200, 450, 800)
    """
    if iterations < 1 or count < 1:
        raise ValueError(f"expected iterations ≥ 1 and count ≥ 1, got {iterations} and {count}")
    return tuple(
        sorted({max(1, round(iterations * (k / count) ** 2)) for k in range(1, count + 1)})
    )


def watch(
    chosen: Method,
    benchmark: Benchmark,
    seeds: Sequence[int],
    budget: Budget,
    *,
    looks: int = 8,
    samples: int = 2500,
    width: int = WIDTH,
) -> Iterator[Moment]:
    r"""Train a method and look at it now and then.

    The noise for looking is drawn once, from streams of its own: a point that moves from one moment
    to the next comes from the same z, and looking more often changes nothing.

    Args:
        chosen: the method.
        benchmark: the data.
        seeds: trained as one computation.
        budget: iterations, batch, rate.
        looks: how many moments.
        samples: drawn at each.
        width: of the networks.

    Yields:
        The moments; a seed whose loss became infinite or NaN goes on with what it has.

    Example:
        >>> short = Budget(iterations=2, batch=4)
        >>> last = list(watch(METHODS[0], RING, [0, 1], short, samples=10, width=4))[-1]
        >>> last.iteration, last.samples.shape
        (2, torch.Size([2, 10, 2]))
    """
    streams = Streams(seeds)
    noise = Streams(LOOKING.seeds(seeds)).normal(samples, LATENT)
    generator, critic = players(chosen, benchmark, streams, width=width)
    unit = benchmark.unit
    source = around(benchmark.centres / unit, benchmark.std / unit)
    when, start = moments(budget.iterations, looks), time.process_time()
    game = budget.game(chosen.unroll)
    for step in play(generator, critic, chosen.objective, source, game, streams, keep_going=True):
        if step.index + 1 in when:
            with torch.no_grad():
                drawn = unit * step.generator(noise)
            found = score(drawn, benchmark.centres, benchmark.std)
            yield Moment(step.index + 1, drawn, found, time.process_time() - start)
