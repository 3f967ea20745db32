r"""The chapter's studies: what classifiers learn from drawn images and from features; controls."""

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
from genbook.uses.outliers import compressed, detected, strangers
from genbook.uses.probes import codes, featured, few_labels, hidden, read_linearly
from genbook.uses.samplers import Sampler, cheating, drawn, of_codes, of_pixels, of_tables, taught
from genbook.uses.tables import binary, fit
from genbook.vae.models import VAE

STEPS, READING, JUDGED = 2_000, 1_500, 2_000
LABELS = (10, 100, 1_000)
SPREADS = (0.25, 0.5, 1.0, 1.5)
DRAWN = Substream("drawn images", 42_000)
TOLD = Substream("which labels are told", 43_000)
STRANGE = Substream("strangers that digits are told from", 44_000)


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
        accuracy = taught(made, test, steps=steps, seed=seed)
        yield {
            "sampler": name,
            "spread": spread,
            "taught": round(accuracy, 4),
            "read": round(reader.share_right(made), 4),
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


def by_two_readers(
    images: ImageSet, test: ImageSet, nets: Mapping[str, Players | VAE], seed: int, steps: int
) -> Iterator[Row]:
    r"""What two kinds of classifiers learn from real images, from as many of them, from samples.

    Args:
        images: real ones.
        test: to judge on.
        nets: of :func:`genbook.uses.probes.featured`.
        seed: of what is drawn, of weights and order.
        steps: of each classifier.

    Yields:
        Rows with ``sampler``, ``classifier`` and ``taught``.
    """
    count = min(1_000, len(images) // 10)
    drawn_by = {"real images, as many": cheating(images, 1.0), **samplers(images, nets)}
    sets = {"real images": images}
    for name, sampler in drawn_by.items():
        sets[name] = drawn(sampler, count, images, seeded(DRAWN.seed(seed), images.images.device))
    yield from by_classifier(sets, test, seed, steps)


def by_classifier(
    sets: Mapping[str, ImageSet], test: ImageSet, seed: int, steps: int
) -> Iterator[Row]:
    r"""What two kinds of classifiers learn from sets of images.

    Args:
        sets: that teach, by name.
        test: to judge on.
        seed: of weights and order.
        steps: of each classifier.

    Yields:
        Rows with ``sampler``, ``classifier`` and ``taught``.
    """
    for name, made in sets.items():
        for classifier in ("perceptron", "CNN"):
            accuracy = taught(made, test, steps=steps, seed=seed, convolutional=classifier == "CNN")
            yield {"sampler": name, "classifier": classifier, "taught": round(accuracy, 4)}


def untrained(images: ImageSet, test: ImageSet, seed: int) -> Iterator[Row]:
    r"""Linear readers of a hidden layer that was never trained, as a control.

    Args:
        images: real ones.
        test: to judge on; the first 2,000 count.
        seed: of the layer and of which labels are told.

    Yields:
        Rows as :func:`probed` gives them.
    """
    few = test.take(min(JUDGED, len(test)))
    pair = Players(images.flat.shape[1], seed, device=images.images.device)
    for count in LABELS:
        places = few_labels(images.labels, count, seeded(TOLD.seed(seed), images.images.device))
        with torch.no_grad():
            known, judged = hidden(pair, images.flat[places]), hidden(pair, few.flat)
        accuracy = read_linearly(known, images.labels[places], judged, few.labels)
        yield {"features": "untrained", "labels": count, "accuracy": round(accuracy, 4)}


def told_apart(images: ImageSet, test: ImageSet, seed: int) -> Iterator[Row]:
    r"""How often strangers are told from digits, by the table's cost and by the corrected one.

    Args:
        images: to count the table from.
        test: whose first 1,000 are the digits, and what strangers are made of.
        seed: of noise and places.

    Yields:
        Rows with ``strangers``, ``cost`` and ``corrected``.
    """
    table = fit(binary(images.images[:, 0]))
    seen = binary(test.take(min(1_000, len(test))).images[:, 0])
    source = seeded(STRANGE.seed(seed), seen.device)
    own = table.nats(seen).cpu()
    for name, made in strangers(seen, source).items():
        costs, lengths = table.nats(made).cpu(), compressed(made)
        yield {
            "strangers": name,
            "cost": round(detected(own, costs), 4),
            "corrected": round(detected(own - compressed(seen), costs - lengths), 4),
        }


def record_controls(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of the controls, on both sets of digits.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        The rows of :func:`by_two_readers`, :func:`untrained` and :func:`told_apart` with
        ``dataset``, ``seed`` and ``kind``.
    """
    for load in (digits,) if slice else (digits, mnist):
        images, test = load("train"), load("test")
        nets = featured(images, seed, 10 if slice else STEPS)
        where: Row = {"dataset": images.name, "seed": seed}
        for row in by_two_readers(images, test, nets, seed, 10 if slice else READING):
            yield {**where, "kind": "taught", **row}
        for row in untrained(images, test, seed):
            yield {**where, "kind": "probe", **row}
        for row in told_apart(images, test, seed):
            yield {**where, "kind": "strangers", **row}


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
    Study(
        name="uses_controls",
        topic="uses",
        run=record_controls,
        seeds=(0, 1, 2),
        config={
            "networks and samplers": "as in uses_digits; 'as many' are training images, drawn "
            "with replacement, 1000 a class of MNIST, 143 of the 8x8 digits",
            "perceptron": "one hidden layer of 128, 1500 steps of 128, Adam at 0.002",
            "CNN": "convolutions of 16 (5x5, stride 2; 3x3, stride 1 on 8x8) and 32 (3x3, stride "
            "2) maps and a linear layer, 1500 steps of 128, Adam at 0.002",
            "untrained": "256 hidden units of an O-GAN's encoder at its first step",
            "strangers": "made of the first 1000 test images of MNIST, all 360 of the 8x8 digits; "
            "zlib at level 9",
        },
    ),
)
