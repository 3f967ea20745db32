r"""Twenty-five modes *and* good samples: one remedy with more time and a better-placed critic.

The table of :mod:`genbook.collapse_methods` gives every method the same small budget. Here one of
them gets ten times as many iterations, coarser waves, and coordinates beside the waves, so that
its critic knows where in the plane it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from genbook.adversarial import mlp, play
from genbook.collapse import score
from genbook.collapse_critics import Waves
from genbook.collapse_methods import (
    GRID,
    LATENT,
    POINTS,
    SEEDS,
    Benchmark,
    Budget,
    Method,
    Moment,
    Row,
    as_rows,
    flat_slopes,
    moments,
    widened,
)
from genbook.kit.studies import Study
from genbook.seeds import Streams, around


class PlacedWaves(nn.Module):
    r"""Waves, and the position itself.

    .. math:: x\mapsto(\sin 2\pi Bx,\;\cos 2\pi Bx,\;x/r)

    Waves look alike everywhere; a sample that leaves the data is told so by x/r alone.

    Args:
        waves: rows of B.
        pitch: cycles per unit of length, as in :class:`~genbook.collapse_critics.Waves`.
        reach: r, the size of the field.

    Raises:
        ValueError: if the reach is not positive.

    Example:
        >>> PlacedWaves(16, 0.3, 4.0)(torch.zeros(1, 5, 2)).shape
        torch.Size([1, 5, 34])
    """

    def __init__(self, waves: int, pitch: float, reach: float) -> None:
        super().__init__()
        if not reach > 0:
            raise ValueError(f"expected a reach > 0, got {reach}")
        self.waves = Waves(2, waves, pitch)
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, 2]** to **[S, B, 2·waves + 2]**."""
        return torch.cat([self.waves(x), x / self.reach], -1)


LONG = Budget(iterations=40_000)


@dataclass(frozen=True)
class Patience:
    r"""What the patient run spends.

    Args:
        budget: iterations, batch and rates.
        weight: γ of R₁ + R₂.
        pitch: of the waves, as a share of the benchmark's.
        waves: how many.
        width: of the three hidden layers of each network.
        looks: moments of the record.
        samples: drawn at each.
    """

    budget: Budget = LONG
    weight: float = 0.05
    pitch: float = 0.6
    waves: int = 32
    width: int = 64
    looks: int = 6
    samples: int = 2500

    @property
    def method(self) -> Method:
        """The remedy, under the name that the record gives it."""
        return Method("flat slopes, given time", flat_slopes(self.weight))


SLICE = Patience(replace(Budget(), iterations=4, batch=16), width=8, looks=2, samples=50)


def placed_players(
    patience: Patience, benchmark: Benchmark, streams: Streams
) -> tuple[nn.Module, nn.Module]:
    r"""A generator as in the table, and a critic that sees waves and position.

    Args:
        patience: sizes and pitch.
        benchmark: sets the pitch of the waves and the size of the field.
        streams: draw the weights.

    Returns:
        Generator **[S, B, 2]** → **[S, B, 2]**; critic **[S, B, 2]** → **[S, B, 1]**.

    Example:
        >>> generator, critic = placed_players(SLICE, GRID, Streams([0, 1]))
        >>> critic(generator(torch.zeros(2, 3, 2))).shape
        torch.Size([2, 3, 1])
    """
    hidden = [patience.width] * 3
    generator = widened(mlp([LATENT, *hidden, 2], streams))
    inputs = PlacedWaves(
        patience.waves,
        patience.pitch * benchmark.pitch,
        benchmark.centres.abs().max().item(),
    )
    critic = mlp(
        [2 * patience.waves + 2, *hidden, 1], streams, lambda: nn.LeakyReLU(0.2, inplace=True)
    )
    return generator, nn.Sequential(inputs, widened(critic)).to(streams.device)


def wait(patience: Patience, benchmark: Benchmark, seeds: Sequence[int]) -> Iterator[Moment]:
    r"""Train and look now and then.

    Args:
        patience: what may be spent.
        benchmark: the data.
        seeds: trained as one computation.

    Yields:
        The moments.

    Example:
        >>> [moment.iteration for moment in wait(SLICE, GRID, [0])]
        [1, 4]
    """
    streams = Streams(seeds)
    noise = Streams([1000 + seed for seed in seeds]).normal(patience.samples, LATENT)
    generator, critic = placed_players(patience, benchmark, streams)
    source = around(benchmark.centres, benchmark.std)
    when = moments(patience.budget.iterations, patience.looks)
    game, start = patience.budget.game(), time.process_time()
    for step in play(
        generator, critic, patience.method.objective, source, game, streams, keep_going=True
    ):
        if step.index + 1 in when:
            with torch.no_grad():
                drawn = step.generator(noise)
            found = score(drawn, benchmark.centres, benchmark.std)
            yield Moment(step.index + 1, drawn, found, time.process_time() - start)


def record_patience(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_patience``: five seeds of the grid.

    Args:
        slice: two seeds, four iterations and narrow networks.

    Yields:
        Rows of :func:`~genbook.collapse_methods.as_rows`.
    """
    patience, seeds = (SLICE, SEEDS[:2]) if slice else (Patience(), SEEDS)
    for moment in wait(patience, GRID, seeds):
        yield from as_rows(patience.method, GRID, seeds, moment, POINTS)


STUDIES = (
    Study(
        name="collapse_patience",
        topic="collapse",
        run=record_patience,
        seeds=SEEDS,
        config={
            "data": "25 Gaussians of deviation 0.05 at {-4, -2, 0, 2, 4} squared",
            "generator": "2-64-64-64-2, ReLU",
            "critic": "32 waves and the position, then 64-64-64-1, leaky ReLU 0.2",
            "penalty": "R1 + R2, weight 0.05",
            "training": "one step each, batch 256, Adam 2e-3 and 1e-3, decay over 70 %",
            "iterations": Patience().budget.iterations,
            "measured on": "2500 samples, good within 3 deviations",
        },
    ),
)
