r"""Does the likelier model teach better? A table, VAEs and a PixelCNN, priced and made to teach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.games.classifier import learn_to_read
from genbook.kit.data import ImageSet, digits, mnist
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.pixelcnn.likelihood import PixelTraining
from genbook.uses.conditional import ClassPixels, ClassVAEs, pixelcnn_by_class, vae_by_class
from genbook.uses.labels import Labeller, by_class, mixed
from genbook.uses.samplers import Sampler, cheating, drawn, of_tables, thresholded
from genbook.uses.studies import DRAWN, READING, by_classifier
from genbook.uses.tables import binary
from genbook.vae.training import TrainConfig

Priced = Labeller | ClassVAEs | ClassPixels
"""A model that prices pages and draws them."""

EARLY = ", a tenth of the steps"
VAES = Substream("weights, minibatches and noise of a VAE a class", 45_000)
PIXELS = Substream("weights and minibatches of a PixelCNN", 46_000)
PRICES = Substream("codes by which a VAE's pages are priced", 47_000)


@dataclass(frozen=True)
class Lengths:
    r"""How much of the study to do.

    Args:
        vae: steps of each class's VAE, of 64 pages.
        pixels: steps of the PixelCNN, of 16 pages.
        reading: steps of a classifier.
        judged: test images that are priced.
        samples: codes for each page that a VAE prices.
    """

    vae: int = 300
    pixels: int = 600
    reading: int = READING
    judged: int = 500
    samples: int = 50


SLICE = Lengths(vae=10, pixels=10, reading=10, judged=20, samples=2)
"""A piece of the study that takes seconds, on the bundled digits."""


def agreement(costs: Tensor, lessons: Tensor) -> tuple[int, int]:
    r"""In how many pairs the cheaper model teaches better, and in how many it teaches worse.

    Args:
        costs: what each model asks for held-out pages, **[…, T]**.
        lessons: what a classifier learns from each, **[…, T]**.

    Returns:
        Two counts of pairs within the last axis; a tie counts in neither.

    Raises:
        ValueError: if the shapes differ or a number is not finite.

    Example:
        >>> agreement(torch.tensor([3.0, 2.0, 1.0]), torch.tensor([0.5, 0.9, 0.8]))
        (2, 1)
    """
    if costs.shape != lessons.shape or not bool((costs + lessons).isfinite().all()):
        raise ValueError(
            f"expected finite numbers of one shape, got {list(costs.shape)} and "
            f"{list(lessons.shape)}"
        )
    both = torch.sign(costs[..., None] - costs[..., None, :]) * torch.sign(
        lessons[..., None, :] - lessons[..., None]
    )
    return int((both > 0).sum()) // 2, int((both < 0).sum()) // 2


def lesson(data: Tensor, samples: Tensor) -> Tensor:
    r"""How often the best answers to samples are right on data.

    .. math:: A_p(h_q)=\sum_x p\big(x,\,\arg\max_y q(x,y)\big)

    Args:
        data: p, chances of pages and classes together, **[…, X, K]**.
        samples: q, the same.

    Returns:
        From 0 to 1, **[…]**; of equal chances the first class is answered.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> p = torch.tensor([[0.25, 0.0], [0.25, 0.5]])
        >>> lesson(p, p).item(), lesson(p, p.flip(1)).item()
        (0.75, 0.25)
    """
    if data.shape != samples.shape:
        raise ValueError(
            f"expected two tables of one shape, got {list(data.shape)} and {list(samples.shape)}"
        )
    answers = samples.argmax(-1, keepdim=True)
    return data.gather(-1, answers).sum((-2, -1))


def vaes(images: ImageSet, seed: int, steps: int) -> ClassVAEs:
    r"""The study's VAE a class.

    Args:
        images: with labels; the models see them black and white.
        seed: of weights, minibatches and noise.
        steps: of each class, of 64 pages.

    Returns:
        The models.
    """
    config = TrainConfig(steps=steps, batch=64, every=steps)
    return vae_by_class(images, config, seeded(VAES.seed(seed), images.images.device))


def pixelcnn(images: ImageSet, seed: int, steps: int) -> ClassPixels:
    r"""The study's PixelCNN.

    Args:
        images: with labels; the model sees them black and white.
        seed: of weights and minibatches.
        steps: of 16 pages.

    Returns:
        The model.
    """
    config = PixelTraining(steps, 16, 8e-3, None, every=steps, falling=1.0, low=0.01)
    return pixelcnn_by_class(images, config, seeded(PIXELS.seed(seed), images.images.device))


def models(images: ImageSet, seed: int, lengths: Lengths) -> dict[str, Priced]:
    r"""The models of pages given their class.

    Args:
        images: with labels.
        seed: of weights, minibatches and noise.
        lengths: of the training.

    Returns:
        By name; the PixelCNN again with a tenth of the steps, for a chapter to repeat.
    """
    return {
        "table of patterns": by_class(binary(images.images[:, 0]), images.labels),
        "VAE a class": vaes(images, seed, lengths.vae),
        "PixelCNN": pixelcnn(images, seed, lengths.pixels),
        f"PixelCNN{EARLY}": pixelcnn(images, seed, lengths.pixels // 10),
    }


def sampler_of(model: Priced, size: tuple[int, int]) -> Sampler:
    r"""How a model draws pages of a class.

    Args:
        model: any of :func:`models`.
        size: height and width.

    Returns:
        The sampler; its pages are black and white.
    """
    return of_tables(model, size) if isinstance(model, Labeller) else model.draw


def prices(model: Priced, pages: Tensor, samples: int, generator: torch.Generator) -> Tensor:
    r"""What a model asks for pages, under each class.

    Args:
        model: any of :func:`models`.
        pages: 0 or 1, **[N, H, W]**.
        samples: of codes, for VAEs alone, whose prices are upper bounds.
        generator: of those.

    Returns:
        Nats, **[N, K]**.
    """
    if isinstance(model, Labeller):
        return model.nats(pages)
    if isinstance(model, ClassPixels):
        return model.nats(pages.flatten(1))
    return model.nats(pages.flatten(1), samples=samples, generator=generator)


def judged(costs: Tensor, labels: Tensor) -> Row:
    r"""What prices say of a model: its likelihood, and how it labels.

    Args:
        costs: under each class, **[N, K]**.
        labels: the true ones, **[N]**.

    Returns:
        Means of :math:`-\log p(x|y)` (``nats``) and of :math:`-\log p(x)` (``mixture``), and the
        share that Bayes' rule labels right (``bayes``).

    Example:
        >>> judged(torch.tensor([[1.0, 1.0], [9.0, 9.0]]), torch.tensor([0, 0]))
        {'nats': 5.0, 'mixture': 5.0, 'bayes': 1.0}
    """
    own = costs.gather(1, labels[:, None]).double().mean()
    right = (costs.argmin(1) == labels).double().mean()
    return {
        "nats": round(float(own), 4),
        "mixture": round(float(mixed(costs).double().mean()), 4),
        "bayes": round(float(right), 4),
    }


def priced(
    found: Mapping[str, Priced], test: ImageSet, seed: int, lengths: Lengths
) -> Iterator[Row]:
    r"""What each model asks for unseen pages.

    Args:
        found: of :func:`models`.
        test: the first of them count.
        seed: of a VAE's codes.
        lengths: how many pages and codes.

    Yields:
        Rows of :func:`judged` with ``sampler``.
    """
    few = test.take(min(lengths.judged, len(test)))
    pages = binary(few.images[:, 0])
    for name, model in found.items():
        source = seeded(PRICES.seed(seed), pages.device)
        costs = prices(model, pages, lengths.samples, source)
        yield {"sampler": name, **judged(costs, few.labels)}


def lessons(
    found: Mapping[str, Priced], images: ImageSet, test: ImageSet, seed: int, steps: int
) -> Iterator[Row]:
    r"""What classifiers learn from each model's pages, and how its pages are read.

    Args:
        found: of :func:`models`; the table's lessons stand in another study, and a
            tenth of the steps is priced alone.
        images: real ones; thresholded, as many of them as of samples teach too.
        test: to judge on.
        seed: of what is drawn, of weights and order.
        steps: of each classifier.

    Yields:
        Rows of :func:`genbook.uses.studies.by_classifier`, and rows with ``sampler`` and ``read``,
        the share that a perceptron of real images reads as labelled.
    """
    _, height, width = images.size
    tried = {"real images, black and white": thresholded(cheating(images, 1.0))}
    for name, model in found.items():
        if not isinstance(model, Labeller) and EARLY not in name:
            tried[name] = sampler_of(model, (height, width))
    count, device = min(1_000, len(images) // 10), images.images.device
    sets = {
        name: drawn(sampler, count, images, seeded(DRAWN.seed(seed), device))
        for name, sampler in tried.items()
    }
    reader = learn_to_read(images, test, steps=steps, seed=seed)
    for name, made in sets.items():
        yield {"kind": "read", "sampler": name, "read": round(reader.share_right(made), 4)}
    for row in by_classifier(sets, test, seed, steps):
        yield {"kind": "taught", **row}


def record_likelihood(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed, on both sets of digits.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        The rows of :func:`priced` and :func:`lessons` with ``dataset``, ``seed`` and ``kind``.
    """
    lengths = SLICE if slice else Lengths()
    for load in (digits,) if slice else (digits, mnist):
        images, test = load("train"), load("test")
        found = models(images, seed, lengths)
        where: Row = {"dataset": images.name, "seed": seed}
        for row in priced(found, test, seed, lengths):
            yield {**where, "kind": "priced", **row}
        for row in lessons(found, images, test, seed, lengths.reading):
            yield {**where, **row}


STUDIES = (
    Study(
        name="uses_likelihood",
        topic="uses",
        run=record_likelihood,
        seeds=(0, 1, 2),
        config={
            "pages": "thresholded at one half, in training and where they are priced; the "
            "classifiers are judged on grey test images",
            "VAE a class": "10 VAEs of 16 codes, two layers of 200 tanh units; 300 steps of 64 "
            "each, Adam at 0.001",
            "PixelCNN": "gated, 16 features, 7x7 A and two layers of 3x3 B, the class in its "
            "gates; 600 steps of 16, Adam at 0.008, falling to a hundredth in a straight line",
            "table of patterns": "256 patterns a class, counted",
            "a tenth": "60 steps; priced, and not made to teach",
            "priced": "the first 500 test images of MNIST, all 360 of the 8x8 digits; a VAE by "
            "50 codes a page and class, which bounds its price from above",
            "taught": "by 1000 images a class of MNIST, 143 of the 8x8 digits; perceptron and "
            "CNN as in uses_controls",
        },
    ),
)
