r"""Generators that look further ahead, on rings that may differ from slice to slice.

Small networks on plain coordinates and the non-saturating game; a run is a slice of the seed axis.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from genbook.collapse.remedies import LATENT, LOOKING, PLAIN, moments
from genbook.games.modes import score
from genbook.games.play import Game, mlp, play
from genbook.kit import data
from genbook.kit.packing import pack_points
from genbook.kit.seeds import Sampler, Streams, around
from genbook.kit.studies import Row, Study

LOOKS, POINTS = 10, 60


def own_rings(radii: Tensor, stds: Tensor) -> tuple[Tensor, Sampler]:
    r"""A ring for each slice of the seed axis.

    Args:
        radii: **[S]**.
        stds: **[S]**.

    Returns:
        Centres **[S, 8, 2]** and a sampler of **[S, n, 2]**.

    Raises:
        ValueError: if the two are not lists of one length, or a number is not positive.

    Example:
        >>> _, draw = own_rings(torch.tensor([1.0, 4.0]), torch.tensor([0.01, 0.01]))
        >>> [round(row.norm(dim=-1).mean().item()) for row in draw(Streams([0, 1]), 50)]
        [1, 4]
    """
    if (
        radii.ndim != 1
        or radii.shape != stds.shape
        or not bool((radii > 0).all() & (stds > 0).all())
    ):
        raise ValueError(f"expected as many radii > 0 as deviations > 0, got {radii} and {stds}")
    centres = radii[:, None, None] * data.ring_centres().to(radii)
    still = around(centres, 0.0)

    def draw(streams: Streams, n: int) -> Tensor:
        noise = streams.normal(n, 2)
        return still(streams, n) + stds[:, None, None].to(noise) * noise

    return centres, draw


def small_players(streams: Streams, width: int = 64) -> tuple[nn.Module, nn.Module]:
    r"""Two hidden layers each, on plain coordinates.

    Args:
        streams: draw the weights.
        width: of the hidden layers.

    Returns:
        Generator and critic.

    Example:
        >>> generator, critic = small_players(Streams([0]), width=4)
        >>> critic(generator(torch.zeros(1, 3, 2))).shape
        torch.Size([1, 3, 1])
    """
    return mlp([LATENT, width, width, 2], streams), mlp([2, width, width, 1], streams)


def small_game(iterations: int, unroll: int = 0) -> Game:
    r"""Adam at 1e-3 for both, batch 128.

    Args:
        iterations: how many.
        unroll: steps that the generator looks ahead, each of size 0.3.

    Returns:
        The settings.

    Example:
        >>> small_game(5).batch
        128
    """
    return Game(iterations, 128, LATENT, unroll=unroll, unroll_rate=0.3)


def looked_at(
    radii: Tensor, stds: Tensor, seeds: Sequence[int], iterations: int, unroll: int = 0
) -> Iterator[tuple[int, Tensor, Tensor, Tensor]]:
    r"""Train a ring in each slice, and look now and then.

    Args:
        radii: **[S]**.
        stds: **[S]**.
        seeds: S of them.
        iterations: how many.
        unroll: steps that the generator looks ahead.

    Yields:
        The iteration, samples **[S, 2500, 2]**, modes **[S]** and good shares **[S]**.
    """
    streams = Streams(seeds, device=radii.device)
    noise = Streams(LOOKING.seeds(seeds), device=radii.device).normal(2500, LATENT)
    centres, draw = own_rings(radii, stds)
    when = moments(iterations, LOOKS)
    game = small_game(iterations, unroll)
    for step in play(*small_players(streams), PLAIN, draw, game, streams, keep_going=True):
        if step.index + 1 in when:
            with torch.no_grad():
                drawn = step.generator(noise)
            # measured in units of each ring's own deviation
            found = [
                score(x[None], c, float(s)) for x, c, s in zip(drawn, centres, stds, strict=True)
            ]
            yield (
                step.index + 1,
                drawn,
                torch.cat([each.modes for each in found]),
                torch.cat([each.high_quality for each in found]),
            )


UNROLL_ITERATIONS, UNROLL_SEEDS = 500, (0, 1, 2, 3, 4)
DEPTHS = (0, 1, 2, 5)


def record_unroll(slice: bool) -> Iterator[Row]:
    r"""The study ``collapse_unroll``: how far the generator looks ahead.

    Args:
        slice: only 4 iterations, and no more than 2 steps ahead.

    Yields:
        K, seed, iteration, modes, good share; samples of each seed's end.
    """
    ones = torch.ones(len(UNROLL_SEEDS))
    iterations = 4 if slice else UNROLL_ITERATIONS
    for depth in DEPTHS[:3] if slice else DEPTHS:
        looks = looked_at(ones, 0.01 * ones, UNROLL_SEEDS, iterations, depth)
        for at, drawn, modes, good in looks:
            for place, seed in enumerate(UNROLL_SEEDS):
                yield {
                    "unroll": depth,
                    "seed": seed,
                    "iteration": at,
                    "modes": int(modes[place]),
                    "good": round(float(good[place]), 4),
                    "points": pack_points(drawn[place, :POINTS]) if at == iterations else "",
                }


NETWORKS = "2-64-64-2 and 2-64-64-1, ReLU, plain coordinates"

STUDIES = (
    Study(
        name="collapse_unroll",
        topic="collapse",
        run=record_unroll,
        seeds=UNROLL_SEEDS,
        config={
            "networks": NETWORKS,
            "game": "non-saturating, batch 128, Adam 1e-3, betas 0.5 0.999",
            "iterations": UNROLL_ITERATIONS,
            "unrolled": "0, 1, 2, 5 plain gradient steps of 0.3, differentiated through",
            "ring": "8 Gaussians of deviation 0.01 on a circle of radius 1",
        },
    ),
)
