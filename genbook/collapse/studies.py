r"""The recorded runs: every method on one small budget, and one remedy given ten times as much.

A table at equal budgets ranks methods by how fast they are. The long run asks how far one of them
gets; nothing but the number of iterations is changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from genbook.collapse.remedies import (
    GRID,
    GRID_BUDGET,
    METHODS,
    RING,
    RING_BUDGET,
    UNROLL_RATE,
    WIDTH,
    Benchmark,
    Budget,
    Method,
    Moment,
    method,
    watch,
)
from genbook.kit.packing import pack_points
from genbook.kit.studies import Row, Study

SEEDS = (0, 1, 2, 3, 4)
POINTS = 100


def as_rows(
    chosen: Method, benchmark: Benchmark, seeds: Sequence[int], moment: Moment, points: int
) -> Iterator[Row]:
    r"""A moment as rows of a study, one a seed.

    Args:
        chosen: the method.
        benchmark: the data.
        seeds: of the runs.
        moment: what was seen.
        points: how many samples to keep.

    Yields:
        Method, seed, iteration, modes, good share, reverse KL if there is a good sample, processor
        seconds of all seeds, samples.
    """
    kl = moment.score.reverse_kl
    for place, seed in enumerate(seeds):
        finite = math.isfinite(float(kl[place]))
        yield {
            "benchmark": benchmark.name,
            "method": chosen.name,
            "seed": seed,
            "iteration": moment.iteration,
            "modes": int(moment.score.modes[place]),
            "good": round(float(moment.score.high_quality[place]), 4),
            **({"reverse_kl": round(float(kl[place]), 4)} if finite else {}),
            "seconds": round(moment.seconds, 1),
            "points": pack_points(moment.samples[place, :points]),
        }


def record(benchmark: Benchmark, budget: Budget, slice: bool) -> Iterator[Row]:
    r"""All methods on a benchmark, five seeds each.

    Args:
        benchmark: the data.
        budget: the same for all methods.
        slice: only 4 iterations, two seeds and narrow networks.

    Yields:
        Rows of :func:`as_rows` at eight moments; of the ring, samples of the last alone.
    """
    seeds = SEEDS[:2] if slice else SEEDS
    spend = replace(budget, iterations=4) if slice else budget
    for chosen in METHODS:
        for moment in watch(chosen, benchmark, seeds, spend, width=8 if slice else WIDTH):
            kept = benchmark is GRID or moment.iteration == spend.iterations
            yield from as_rows(chosen, benchmark, seeds, moment, POINTS if kept else 0)


def record_grid(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_grid``.

    Args:
        slice: as in :func:`record`.

    Yields:
        Its rows.
    """
    yield from record(GRID, GRID_BUDGET, slice)


def record_ring(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_ring``.

    Args:
        slice: as in :func:`record`.

    Yields:
        Its rows.
    """
    yield from record(RING, RING_BUDGET, slice)


LONG_BUDGET, LOOKS = Budget(iterations=40_000), 6
PATIENT = replace(method("flat slopes (R1 + R2)"), name="flat slopes, given time")


def record_patience(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_patience``: one row of the grid's table with a longer budget.

    Args:
        slice: two seeds, four iterations and narrow networks.

    Yields:
        Rows of :func:`as_rows`.
    """
    seeds = SEEDS[:2] if slice else SEEDS
    spend = replace(LONG_BUDGET, iterations=4) if slice else LONG_BUDGET
    for moment in watch(PATIENT, GRID, seeds, spend, looks=LOOKS, width=8 if slice else WIDTH):
        yield from as_rows(PATIENT, GRID, seeds, moment, POINTS)


SETTINGS = {
    "generator": "2-64-64-64-2, ReLU",
    "critic": "32 waves and the position, then 64-64-64-1, leaky ReLU 0.2",
    "unit of length": "20 deviations",
    "waves": "4/7 of a cycle between neighbouring modes",
    "weights": "R1 + R2 0.05, WGAN-GP 0.2",
    "unrolled": f"5 plain gradient steps of {UNROLL_RATE:g}, differentiated through",
    "training": "one step each, batch 256, Adam 2e-3 and 1e-3, betas 0.5 0.999, decay over 70 %",
    "measured on": "2500 samples, good within 3 deviations",
}

STUDIES = (
    Study(
        name="collapse_grid",
        topic="collapse",
        run=record_grid,
        seeds=SEEDS,
        config={
            **SETTINGS,
            "data": "25 Gaussians of deviation 0.05 at {-4, -2, 0, 2, 4} squared",
            "iterations": GRID_BUDGET.iterations,
        },
    ),
    Study(
        name="collapse_ring",
        topic="collapse",
        run=record_ring,
        seeds=SEEDS,
        config={
            **SETTINGS,
            "data": "8 Gaussians of deviation 0.01 on a circle of radius 1",
            "iterations": RING_BUDGET.iterations,
        },
    ),
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
            "iterations": LONG_BUDGET.iterations,
            "measured on": "2500 samples, good within 3 deviations",
        },
    ),
)
