r"""A small GAN for images, and what Parzen windows make of it: the recorded study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from genbook.games.parzen import cluster_centres, parzen_score
from genbook.games.play import Adam, Game, Streams, generate, mlp, play, rows
from genbook.gan.costs import NON_SATURATING, objective
from genbook.kit import data
from genbook.kit.data import ImageSet
from genbook.kit.device import budget, pick
from genbook.kit.studies import Row, Study

LATENT = 64


def image_players(
    pixels: int, streams: Streams, *, hidden: int = 256
) -> tuple[nn.Module, nn.Module]:
    r"""A generator with pixels in (0, 1) and a discriminator, one hidden layer each.

    Args:
        pixels: d.
        streams: draw the weights.
        hidden: width of the hidden layers.

    Returns:
        Maps **[S, B, 64]** → **[S, B, d]** and **[S, B, d]** → **[S, B, 1]**.

    Example:
        >>> import torch
        >>> generator, critic = image_players(64, Streams([0]))
        >>> critic(generator(torch.zeros(1, 3, LATENT))).shape
        torch.Size([1, 3, 1])
    """

    def leaky() -> nn.Module:
        return nn.LeakyReLU(0.2, inplace=True)

    generator = mlp([LATENT, hidden, pixels], streams, output=nn.Sigmoid)
    return generator, mlp([pixels, hidden, 1], streams, leaky)


GAME = Game(
    iterations=2_000,
    batch=64,
    latent=LATENT,
    critic_optimiser=Adam(lr=2e-4),
    generator_optimiser=Adam(lr=2e-4),
)
"""The game on images that the page plays; the study goes on to :data:`LONG`."""

LONG = 12_000
SAMPLES = 10_000
HELD_OUT = 1_000


@dataclass(frozen=True)
class Split:
    r"""Rows of images for a Parzen estimate.

    Args:
        train: **[N, d]**, what the game sees.
        validation: **[V, d]**, which chooses σ.
        test: **[M, d]**, which is scored.
    """

    train: Tensor
    validation: Tensor
    test: Tensor


def split(train: ImageSet, test: ImageSet) -> Split:
    r"""Keep the last of the training images for validation, and at most 2,000 test images.

    Args:
        train: the training set.
        test: the test set.

    Returns:
        The rows; 1,000 for validation, or an eighth of a small set.
    """
    kept = min(HELD_OUT, len(train) // 8)
    return Split(train.flat[:-kept], train.flat[-kept:], test.flat[: 2 * HELD_OUT])


def trained_on(
    table: Tensor, seeds: Sequence[int], milestones: Sequence[int]
) -> Iterator[tuple[int, nn.Module, Streams]]:
    r"""Play the non-saturating game on rows of images.

    Args:
        table: **[N, d]**.
        seeds: trained as one computation.
        milestones: iterations at which to hand out the generator, increasing.

    Yields:
        The iteration, the generator, which the game then trains on, and its random numbers.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.
    """
    streams = Streams(seeds, device=table.device)
    players = image_players(table.shape[1], streams)
    game = replace(GAME, iterations=milestones[-1])
    for step in play(*players, objective(NON_SATURATING), rows(table), game, streams):
        if step.index + 1 in milestones:
            yield step.index + 1, players[0], streams


def parzen_rows(
    name: str, images: Split, seeds: Sequence[int], milestones: Sequence[int], samples: int
) -> Iterator[Row]:
    r"""Train, and score each milestone with Parzen windows.

    Args:
        name: of the data set.
        images: its rows.
        seeds: of the runs.
        milestones: iterations to score.
        samples: drawn from each generator.

    Yields:
        One row a seed and milestone.
    """
    for iteration, generator, streams in trained_on(images.train, seeds, milestones):
        drawn = generate(generator, streams, samples, LATENT)
        for seed, points in zip(seeds, drawn, strict=True):
            yield _row(name, "GAN", seed, iteration, images, points)


def _row(name: str, model: str, seed: int, iterations: int, images: Split, points: Tensor) -> Row:
    score = parzen_score(points, images.validation, images.test)
    return {
        "dataset": name,
        "model": model,
        "seed": seed,
        "iterations": iterations,
        "samples": len(points),
        "sigma": score.sigma,
        "parzen": score.mean,
        "standard_error": score.standard_error,
    }


def yardsticks(name: str, images: Split, samples: int, centres: int) -> Iterator[Row]:
    r"""The same score for "models" that learn nothing: training images, and cluster centres.

    Args:
        name: of the data set.
        images: its rows.
        samples: training images to use.
        centres: clusters.

    Yields:
        Two rows.

    Source:
        Theis, van den Oord and Bethge (2016), section 3.2, for the idea.
    """
    yield _row(name, "training images", 0, 0, images, images.train[:samples])
    means = cluster_centres(images.train, centres, batch=4096, rounds=20)
    yield _row(name, "k-means centres", 0, 0, images, means)


def record_parzen(slice: bool) -> Iterator[Row]:
    r"""The study ``gan_parzen``: both data sets that there are, three seeds at once.

    Args:
        slice: only the 8×8 digits, a few iterations.

    Yields:
        Rows of :func:`parzen_rows` and :func:`yardsticks`.
    """
    device = pick()
    sets = [data.digits("train", device=device), data.mnist("train", device=device)]
    tests = [data.digits("test", device=device), data.mnist("test", device=device)]
    for train, test in list(zip(sets, tests, strict=True))[: 1 if slice else 2]:
        images = split(train, test)
        milestones = (20,) if slice else (GAME.iterations, budget(cpu=LONG, gpu=10 * LONG))
        samples = 500 if slice else SAMPLES
        yield from parzen_rows(train.name, images, SEEDS, milestones, samples)
        centres = min(1_000, len(images.train) // 4)
        yield from yardsticks(train.name, images, samples, 20 if slice else centres)


SEEDS = (0, 1, 2)
STUDIES = (
    Study(
        name="gan_parzen",
        topic="gan",
        run=record_parzen,
        seeds=SEEDS,
        config={
            "players": "generator 64-256-d, ReLU, sigmoid; discriminator d-256-1, leaky ReLU 0.2",
            "training": "non-saturating, Adam 2e-4, betas 0.5 and 0.999, batch 64, one step each",
            "parzen": "10000 samples, sigma by validation images, at most 2000 test images",
            "kmeans": "MiniBatchKMeans, 1000 centres or a quarter of the training images",
        },
    ),
)
