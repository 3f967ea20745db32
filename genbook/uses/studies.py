r"""The chapter's study: what a classifier learns from drawn images, and from features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from genbook.games.classifier import learn_to_read
from genbook.kit.data import ImageSet, digits, mnist
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.ogan.training import Players
from genbook.uses.labels import by_class
from genbook.uses.probes import codes, featured, few_labels, hidden, read_linearly
from genbook.uses.samplers import Sampler, cheating, drawn, of_codes, of_pixels, of_tables, taught
from genbook.uses.tables import binary
from genbook.vae.models import VAE

STEPS, READING, JUDGED = 2_000, 1_500, 2_000
LABELS = (10, 100, 1_000)
SPREADS = (0.25, 0.5, 1.0, 1.5)
DRAWN = Substream("drawn images", 42_000)
TOLD = Substream("which labels are told", 43_000)


def samplers(images: ImageSet, nets: Mapping[str, Players | VAE]) -> dict[str, Sampler]:
    r"""The samplers that are compared.

    Args:
        images: with labels.
        nets: of :func:`genbook.uses.probes.featured`.

    Returns:
        By name.
    """
    tables = by_class(binary(images.images[:, 0]), images.labels)
    own, copier = nets["discriminator"], nets["autoencoder"]
    assert isinstance(own, Players)
    assert isinstance(copier, Players)
    return {
        "Gaussian of pixels": of_pixels(images),
        "table of patterns": of_tables(tables, images.size[1:]),
        "autoencoder's codes": of_codes(copier, images),
        "O-GAN's codes": of_codes(own, images),
        "the cheat, half true": cheating(images, 0.5),
    }


def schooled(
    images: ImageSet, test: ImageSet, nets: Mapping[str, Players | VAE], seed: int, steps: int
) -> Iterator[Row]:
    r"""Classifiers taught by real images and by each sampler.

    Args:
        images: real ones.
        test: to judge on.
        nets: of :func:`genbook.uses.probes.featured`.
        seed: of what is drawn, of weights and order.
        steps: of each classifier.

    Yields:
        Rows with ``sampler``, ``spread``, ``taught`` (the accuracy on real images of the
        classifier that the samples taught) and ``read`` (the share of samples that a classifier of
        real images reads as their label).
    """
    reader = learn_to_read(images, test, steps=steps, seed=seed)
    yield {"sampler": "real images", "spread": 1.0, "taught": round(reader.accuracy, 4)}
    count = min(1_000, len(images) // 10)
    own = nets["discriminator"]
    assert isinstance(own, Players)
    tried = [(name, 1.0, sampler) for name, sampler in samplers(images, nets).items()]
    for spread in SPREADS:
        if spread != 1.0:
            tried.append(("O-GAN's codes", spread, of_codes(own, images, spread)))
            tried.append(("Gaussian of pixels", spread, of_pixels(images, spread)))
    for name, spread, sampler in tried:
        source = seeded(DRAWN.seed(seed), images.images.device)
        made = drawn(sampler, count, images, source)
        with torch.no_grad():
            read = (reader.logits(made.flat).argmax(1) == made.labels).double().mean()
        accuracy = taught(made, test, steps=steps, seed=seed)
        yield {
            "sampler": name,
            "spread": spread,
            "taught": round(accuracy, 4),
            "read": round(float(read), 4),
        }


def probed(
    images: ImageSet, test: ImageSet, nets: Mapping[str, Players | VAE], seed: int
) -> Iterator[Row]:
    r"""Linear readers of features, taught by few labels.

    Args:
        images: real ones.
        test: to judge on; the first 2,000 count.
        nets: of :func:`genbook.uses.probes.featured`.
        seed: of which labels are told.

    Yields:
        Rows with ``features``, ``labels`` and ``accuracy``.
    """
    few = test.take(min(JUDGED, len(test)))
    for count in LABELS:
        places = few_labels(images.labels, count, seeded(TOLD.seed(seed), images.images.device))
        x, y = images.flat[places], images.labels[places]
        shown = {"pixels": (x, few.flat)}
        for name, net in nets.items():
            shown[f"{name}, code"] = (codes(net, x), codes(net, few.flat))
            if isinstance(net, Players):
                with torch.no_grad():
                    both = hidden(net, x), hidden(net, few.flat)
                shown[f"{name}, hidden layer"] = both
        for name, (known, judged) in shown.items():
            accuracy = read_linearly(known, y, judged, few.labels)
            yield {"features": name, "labels": count, "accuracy": round(accuracy, 4)}


def record(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed, on both sets of digits.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        The rows of :func:`schooled` and :func:`probed` with ``dataset`` and ``seed``.
    """
    for load in (digits,) if slice else (digits, mnist):
        images, test = load("train"), load("test")
        nets = featured(images, seed, 10 if slice else STEPS)
        where: Row = {"dataset": images.name, "seed": seed}
        for row in schooled(images, test, nets, seed, 10 if slice else READING):
            yield {**where, "kind": "taught", **row}
        for row in probed(images, test, nets, seed):
            yield {**where, "kind": "probe", **row}


STUDIES = (
    Study(
        name="uses_digits",
        topic="uses",
        run=record,
        seeds=(0, 1, 2),
        config={
            "networks": "O-GAN (correlation, weight 0.5), its two networks as an autoencoder, "
            "a VAE of two layers of 256, 16 codes each; 2000 steps of 64",
            "samplers": "a Gaussian a class of pixels or of codes, a table of 256 patterns a "
            "class; 1000 images a class of MNIST, 143 of the 8x8 digits",
            "cheat": "a training image or, as often, any image with inverted ink",
            "classifier": "one hidden layer of 128, 1500 steps of 128, Adam at 0.002",
            "probe": "logistic regression on standardised features, C = 0.1; 2000 test images of "
            "MNIST, all 360 of the 8x8 digits",
        },
    ),
)
