r"""Eight f-GANs on images, scored with Parzen windows as the f-GAN paper scores its own.

Total variation is left out: with the best critic its generator gets no gradient.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from genbook.fgan.survival import on_images
from genbook.games.duality import TABLE, TOTAL_VARIATION, ConvexFunction
from genbook.games.parzen import parzen_score
from genbook.gan.images import Split, split
from genbook.kit import data
from genbook.kit.studies import Row, Study, Value

EIGHT = tuple(convex for convex in TABLE if convex is not TOTAL_VARIATION)
SEEDS = (0, 1, 2)
ITERATIONS = 2_000
SAMPLES = 10_000

PUBLISHED = {
    "KL": (416.0, 5.62),
    "reverse KL": (319.0, 8.36),
    "Pearson χ²": (429.0, 5.53),
    "Neyman χ²": (300.0, 8.33),
    "squared Hellinger": (-708.0, 18.1),
    "Jeffrey": (-2101.0, 29.9),
    "Jensen–Shannon": (367.0, 8.19),
    "GAN": (305.0, 8.97),
}
"""Mean and standard error in nats on MNIST, f-GAN paper, table 4."""


def scored(
    convex: ConvexFunction, images: Split, seeds: tuple[int, ...], *, iterations: int, samples: int
) -> Iterator[Row]:
    r"""Train one row of the table with the practical step; score its samples.

    Args:
        convex: the row.
        images: for training, for the choice of σ, for the score.
        seeds: trained as one computation.
        iterations: of one step each.
        samples: that the window estimate is built on.

    Yields:
        A row a seed: the score and its standard error in nats, σ, the step of its death (−1:
        none); a dead seed has no score.

    Raises:
        ValueError: if no sample is to be drawn.

    Source:
        Nowozin, Cseke, Tomioka, *f-GAN*, NIPS 2016, section 4.

    Example:
        >>> noise = torch.rand(40, 9)
        >>> images = Split(noise[:20], noise[20:30], noise[30:])
        >>> found = scored(EIGHT[0], images, (0, 1), iterations=2, samples=50)
        >>> [(row["row"], row["seed"], "died" in row) for row in found]
        [('KL', 0, False), ('KL', 1, False)]
    """
    outcome = on_images(
        convex, images.train, seeds, practical=True, iterations=iterations, draws=samples
    )
    for seed, died, drawn in zip(seeds, outcome.died, outcome.samples, strict=True):
        found: dict[str, Value] = {"row": convex.name, "seed": seed}
        if died is not None:
            found["died"] = died
        elif bool(torch.isfinite(drawn).all()):
            score = parzen_score(drawn, images.validation, images.test)
            found["parzen"] = round(score.mean, 2)
            found |= {"error": round(score.standard_error, 2), "sigma": score.sigma}
        yield found


def record(slice: bool) -> Iterator[Row]:
    r"""The study ``fgan_parzen``: MNIST, eight rows, three seeds.

    Args:
        slice: the bundled digits, 10 iterations, two rows.

    Yields:
        Rows of :func:`scored`.
    """
    load = data.digits if slice else data.mnist
    images = split(load("train"), load("test"))
    for convex in EIGHT[: 2 if slice else 8]:
        yield from scored(
            convex,
            images,
            SEEDS,
            iterations=10 if slice else ITERATIONS,
            samples=200 if slice else SAMPLES,
        )


STUDIES = (
    Study(
        name="fgan_parzen",
        topic="fgan",
        run=record,
        seeds=SEEDS,
        config={
            "data": "MNIST",
            "networks": "32-128-128-784 with batch norm and sigmoid; 784-128-128-1, leaky ReLU 0.2",
            "training": "2000 iterations of one step each, batch 64, Adam 2e-4, betas 0.5 0.999",
            "step": "practical",
            "parzen": "10000 samples, sigma by 1000 validation images, 2000 test images",
        },
    ),
)
