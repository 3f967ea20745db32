r"""f-GANs in the plane and on images: which row survives with which generator step.

All nine rows of the table play the same game from the same networks. What is recorded is what a
reader can check by eye: whether the losses stay finite, how many modes of a ring the samples reach,
how many fakes are still the grey that an untrained network draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.duality import TABLE, ConvexFunction
from genbook.games.modes import score
from genbook.games.play import Adam, Game, Round, from_convex, generate, play, rows
from genbook.kit import data
from genbook.kit.seeds import Sampler, Streams, around, mlp
from genbook.kit.studies import Row, Study, Value

CENTRES = data.ring_centres(8, 2.0)
DEVIATION = 0.1


@dataclass(frozen=True)
class Outcome:
    r"""What a game of several seeds led to.

    Args:
        samples: drawn from the generators at the end, **[S, n, d]**; NaN where a seed died.
        bounds: the bound on each step's batches, **[iterations, S]**; NaN after a seed's death.
        died: the step at which a loss was first not finite, None if it never was; one a seed.
    """

    samples: Tensor
    bounds: Tensor
    died: tuple[int | None, ...]


def _watch(steps: Iterator[Round]) -> tuple[Tensor, tuple[int | None, ...]]:
    """The bounds and the step of each seed's death; the generator is trained on the way."""
    losses = torch.stack([torch.stack([s.critic_loss, s.generator_loss]) for s in steps])
    dead = ~torch.isfinite(losses).all(1)
    first = [int(column.nonzero()[0]) if bool(column.any()) else None for column in dead.T]
    return -losses[:, 0], tuple(first)


def contest(
    convex: ConvexFunction,
    generator: nn.Module,
    critic: nn.Module,
    sample: Sampler,
    game: Game,
    streams: Streams,
    *,
    practical: bool,
    draws: int,
    keep_going: bool = True,
) -> Outcome:
    r"""Play one game to its end, by default whatever happens to its seeds.

    Args:
        convex: a row of the table.
        generator: changed in place.
        critic: changed in place.
        sample: draws the data.
        game: the settings.
        streams: one a seed.
        practical: the generator's step.
        draws: samples to draw at the end.
        keep_going: go on with the others when a seed's loss is infinite or NaN.

    Returns:
        Samples, bounds and deaths.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN and ``keep_going`` is not set.
        ValueError: if no sample is to be drawn.

    Example:
        >>> streams = Streams([0])
        >>> players = mlp([2, 4, 2], streams), mlp([2, 4, 1], streams)
        >>> settings = Game(iterations=2, batch=4)
        >>> outcome = contest(TABLE[0], *players, around(CENTRES, 0.1), settings, streams,
        ...                   practical=True, draws=3)
        >>> outcome.samples.shape, outcome.died
        (torch.Size([1, 3, 2]), (None,))
    """
    if draws < 1:
        raise ValueError(f"expected at least one sample to draw, got {draws}")
    objective = from_convex(convex, practical=practical)
    steps = play(generator, critic, objective, sample, game, streams, keep_going=keep_going)
    bounds, died = _watch(steps)
    return Outcome(generate(generator, streams, draws, game.latent), bounds, died)


def on_ring(
    convex: ConvexFunction,
    seeds: tuple[int, ...],
    *,
    practical: bool,
    iterations: int,
    rate: float = 1e-3,
    keep_going: bool = True,
) -> Outcome:
    r"""A game on eight Gaussians on a ring of radius 2.

    Args:
        convex: a row of the table.
        seeds: trained as one computation.
        practical: the generator's step.
        iterations: of one step each.
        rate: Adam's learning rate, of both players.
        keep_going: as in :func:`contest`.

    Returns:
        500 samples a seed, bounds, deaths.

    Raises:
        NonFiniteLoss: as :func:`contest`.
    """
    streams = Streams(seeds)
    generator, critic = mlp([2, 64, 64, 2], streams), mlp([2, 64, 64, 1], streams)
    adam = Adam(rate)
    game = Game(iterations, batch=256, critic_optimiser=adam, generator_optimiser=adam)
    return contest(
        convex,
        generator,
        critic,
        around(CENTRES, DEVIATION),
        game,
        streams,
        practical=practical,
        draws=500,
        keep_going=keep_going,
    )


def on_images(
    convex: ConvexFunction,
    images: Tensor,
    seeds: tuple[int, ...],
    *,
    practical: bool,
    iterations: int,
    draws: int = 100,
) -> Outcome:
    r"""A game on images as flat rows.

    Args:
        convex: a row of the table.
        images: values in [0, 1], **[N, P]**.
        seeds: trained as one computation.
        practical: the generator's step.
        iterations: of one step each.
        draws: samples a seed to draw at the end.

    Returns:
        Samples, bounds, deaths.
    """
    streams = Streams(seeds, device=images.device)
    pixels = images.shape[1]
    generator = mlp([32, 128, 128, pixels], streams, batch_norm=True, output=nn.Sigmoid)
    critic = mlp([pixels, 128, 128, 1], streams, lambda: nn.LeakyReLU(0.2))
    adam = Adam(2e-4)
    game = Game(iterations, batch=64, latent=32, critic_optimiser=adam, generator_optimiser=adam)
    return contest(
        convex, generator, critic, rows(images), game, streams, practical=practical, draws=draws
    )


def grey_share(samples: Tensor) -> list[float]:
    r"""The share of images that are still grey: mean distance of a pixel from ½ below 0.25.

    Args:
        samples: values in [0, 1], **[S, n, P]**.

    Returns:
        One share a seed; an image of NaN counts as grey.

    Example:
        >>> grey_share(torch.tensor([[[0.5, 0.5], [0.0, 1.0]]]))
        [0.5]
    """
    away = (torch.nan_to_num(samples, nan=0.5) - 0.5).abs().mean(-1)
    return (away < 0.25).float().mean(-1).tolist()


# --- Studies ----------------------------------------------------------------------------------

SEEDS = (0, 1, 2, 3, 4)
RUNAWAY = 1_000.0
"""A mean bound beyond ± this ran away; in the record nothing lies between 224 and 10⁹."""

RING_ITERATIONS = 1_500
IMAGE_ITERATIONS = 1_500
TWO = ("KL", "Pearson χ²")


def lost(run: Row) -> bool:
    r"""Whether a recorded game broke: a loss became infinite, or its last bounds ran away.

    .. math:: \text{died} \quad\text{or}\quad |\bar F| > 1000

    Args:
        run: a row of ``fgan_ring``.

    Returns:
        True if it did either.

    Example:
        >>> lost({"died": 940}), lost({"bound": 5e20}), lost({"bound": 0.3})
        (True, True, False)
    """
    return "died" in run or abs(float(run["bound"])) > RUNAWAY


def record_ring(slice: bool) -> Iterator[Row]:
    r"""The study ``fgan_ring``: nine rows, two generator steps, five seeds.

    Args:
        slice: only the first 20 iterations.

    Yields:
        A row a seed: the step of its death if it died, modes if it did not, mean of the last 100
        finite bounds.
    """
    for convex in TABLE:
        for practical in (False, True):
            outcome = on_ring(
                convex, SEEDS, practical=practical, iterations=20 if slice else RING_ITERATIONS
            )
            found = score(outcome.samples, CENTRES, DEVIATION)
            for place, count in enumerate(found.modes.tolist()):
                yield {
                    "row": convex.name,
                    "practical": practical,
                    "seed": SEEDS[place],
                    **_end(outcome.died[place], modes=count),
                    **_late(outcome.bounds[:, place]),
                }


def _end(died: int | None, **alive: Value) -> Row:
    """The step of a death, or what is known of a seed that lives."""
    return alive if died is None else {"died": died}


def _late(bounds: Tensor) -> Row:
    """The mean of the last 100 finite bounds, if there are any."""
    tail = bounds[torch.isfinite(bounds)][-100:]
    return {"bound": round(tail.mean().item(), 4)} if len(tail) else {}


def record_images(slice: bool) -> Iterator[Row]:
    r"""The study ``fgan_images``: two rows, two generator steps, five seeds, digits and MNIST.

    Args:
        slice: only the bundled digits and 10 iterations.

    Yields:
        A row a seed: the share of grey fakes, the step of its death if it died, mean of the last
        100 bounds.
    """
    sets = [data.digits("train"), *([] if slice else [data.mnist("train")])]
    for images in sets:
        for convex in (convex for convex in TABLE if convex.name in TWO):
            for practical in (False, True):
                outcome = on_images(
                    convex,
                    images.flat,
                    SEEDS,
                    practical=practical,
                    iterations=10 if slice else IMAGE_ITERATIONS,
                )
                for place, share in enumerate(grey_share(outcome.samples)):
                    yield {
                        "images": images.name,
                        "row": convex.name,
                        "practical": practical,
                        "seed": SEEDS[place],
                        **_end(outcome.died[place]),
                        "grey": round(share, 3),
                        **_late(outcome.bounds[:, place]),
                    }


STUDIES = (
    Study(
        name="fgan_ring",
        topic="fgan",
        run=record_ring,
        seeds=SEEDS,
        config={
            "data": "8 Gaussians of deviation 0.1 on a circle of radius 2",
            "networks": "2-64-64-2 and 2-64-64-1, ReLU",
            "training": "1500 iterations of one step each, batch 256, Adam 1e-3, betas 0.5 0.999",
            "modes": "with at least one of 500 samples within 3 deviations",
        },
    ),
    Study(
        name="fgan_images",
        topic="fgan",
        run=record_images,
        seeds=SEEDS,
        config={
            "networks": "32-128-128-P with batch norm and sigmoid; P-128-128-1, leaky ReLU 0.2",
            "training": "1500 iterations of one step each, batch 64, Adam 2e-4, betas 0.5 0.999",
            "grey": "mean distance of a pixel from 1/2 below 0.25, of 100 fakes",
        },
    ),
)
