r"""The chapter's study: links and their weights, on two sets of digits, for several seeds."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from genbook.games.classifier import Reader, learn_to_read
from genbook.kit.data import ImageSet, digits, mnist
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.ogan.codes import correlation, parts, squared_error
from genbook.ogan.training import LINKS, Players, Recipe, train, train_autoencoder

WEIGHTS = (0.1, 0.5, 2.0, 8.0)
WEIGHED = 2.0
JUDGED = 1_000
OF_LINKS = ("rho", "average", "error", "still", "same", "spread")
"""What the study of the links keeps of a judgement."""

FRESH = Substream("noise to be judged on", 34_000)


def trained(images: ImageSet, recipe: Recipe, seed: int, *, autoencoder: bool = False) -> Players:
    r"""Players trained on a set of images.

    Args:
        images: to learn from.
        recipe: how.
        seed: of weights, noise and order.
        autoencoder: train the two networks as an autoencoder instead.

    Returns:
        The players.
    """
    pair = Players(images.flat.shape[1], seed, device=images.images.device)
    loop = train_autoencoder if autoencoder else train
    for _ in loop(pair, images.flat, recipe, seed):
        pass
    return pair


@torch.no_grad()
def judged(pair: Players, test: ImageSet, reader: Reader, seed: int) -> Row:
    r"""What players keep of noise and of images that they have not seen.

    Args:
        pair: the players.
        test: images; the first 1,000 count.
        reader: reads digits.
        seed: of fresh noise.

    Returns:
        ``rho``, the mean correlation of noise and code; ``average``, the correlation over the
        noise of :math:`\operatorname{avg}z` and D's score; ``error``, the mean squared error of
        redrawn images, and of the mean image, ``still``; ``same``, the share of redrawn images
        read as the digit shown; ``spread``, the mean deviation of a drawn pixel as a share of the
        data's; ``apart``, how often D scores an image above a drawn one; ``deviation``, the mean
        deviation of a drawn image's code.
    """
    few = test.take(min(JUDGED, len(test)))
    x = few.flat
    noise = seeded(FRESH.seed(seed), x.device)
    z = torch.randn(JUDGED, pair.code, generator=noise, device=x.device)
    drawn, again = pair.draw(z), pair.again(x)
    lead = pair.judge(x)[:, None] - pair.judge(drawn)
    code = pair.encode(drawn)
    asked = correlation(z.mean(-1), code.mean(-1))
    numbers = {
        "rho": correlation(z, code).mean(),
        "average": asked,
        "error": squared_error(x, again).mean(),
        "still": squared_error(x, x.mean(0).expand_as(x)).mean(),
        "same": (reader.logits(again).argmax(-1) == few.labels).float().mean(),
        "spread": drawn.std(0).mean() / x.std(0).mean(),
        "apart": (lead > 0).float().mean(),
        "deviation": parts(code).deviation.mean(),
    }
    return {name: round(float(value), 4) for name, value in numbers.items()}


def recipes(steps: int = Recipe.steps) -> dict[str, Recipe]:
    r"""What is compared, by name: every link at every weight, and no link.

    Args:
        steps: of both players.

    Returns:
        The recipes.
    """
    tied = {
        f"{link}, {weight:g}": Recipe(link, weight, steps)
        for link in LINKS[:2]
        for weight in WEIGHTS
    }
    return {**tied, LINKS[2]: Recipe(LINKS[2], 0.0, steps)}


def _sets(slice: bool) -> Iterator[tuple[ImageSet, ImageSet, Reader]]:
    """Images to learn from, others to judge by, and a reader of them: of one set or of both."""
    for load in (digits,) if slice else (digits, mnist):
        images, test = load("train"), load("test")
        yield images, test, learn_to_read(images, test, steps=20 if slice else 1_500)


def _of_links(row: Row) -> Row:
    return {name: row[name] for name in OF_LINKS}


def record(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed: all recipes and an autoencoder, on the 8×8 digits and on MNIST.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        Rows of :func:`judged` with ``dataset``, ``seed``, ``link`` and ``weight``.
    """
    steps = 10 if slice else Recipe.steps
    for images, test, reader in _sets(slice):
        for recipe in recipes(steps).values():
            pair = trained(images, recipe, seed)
            yield {
                "dataset": images.name,
                "seed": seed,
                "link": recipe.link,
                "weight": recipe.weight,
                **_of_links(judged(pair, test, reader, seed)),
            }
        plain = trained(images, Recipe(steps=steps), seed, autoencoder=True)
        yield {
            "dataset": images.name,
            "seed": seed,
            "link": "autoencoder",
            "weight": 0.0,
            **_of_links(judged(plain, test, reader, seed)),
        }


def record_demands(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed: the correlation with one demand of the squared error added, on both sets.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        Rows of :func:`judged` with ``dataset``, ``seed``, ``link`` and ``weight``.
    """
    steps = 10 if slice else Recipe.steps
    for images, test, reader in _sets(slice):
        for link in LINKS[3:]:
            pair = trained(images, Recipe(link, WEIGHED, steps), seed)
            yield {
                "dataset": images.name,
                "seed": seed,
                "link": link,
                "weight": WEIGHED,
                **judged(pair, test, reader, seed),
            }


PLAYED = {
    "players": "generator 16-256-256-pixels, ReLU, sigmoid; encoder pixels-256-256-16, ReLU; D is "
    "the encoder's average",
    "training": "GAN-QP with scale 1; Adam at 0.001, betas 0.5 and 0.999; 2000 steps of both, "
    "batch 64",
    "judged": "1000 test images of MNIST, all 360 of the 8x8 digits; 1000 codes; a reader of one "
    "hidden layer",
}

STUDIES = (
    Study(
        name="ogan_links",
        topic="ogan",
        run=record,
        seeds=(0, 1, 2, 3, 4),
        config={
            **PLAYED,
            "autoencoder": "the same networks, Adam at 0.001, betas 0.9 and 0.999, 2000 steps",
        },
    ),
    Study(
        name="ogan_demands",
        topic="ogan",
        run=record_demands,
        seeds=(0, 1, 2, 3, 4),
        config={**PLAYED, "weight": "2, of the correlation and of the demand added to it"},
    ),
)
