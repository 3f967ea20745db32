r"""The recorded study of the PixelCNN chapter: nats under three binarisations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.studies import Study
from genbook.pixel_likelihood import BINARISATIONS, PixelTraining, binarise, nll, train
from genbook.pixelcnn import GatedPixelCNN, PixelCNN
from genbook.row_lstm import RowLSTM

Row = dict[str, str | int | float]

FAMILIES = ("PixelCNN", "gated PixelCNN", "Row LSTM")
"""The three networks that the chapter compares."""

PUBLISHED = {"PixelCNN": 81.30, "Row LSTM": 80.54, "Diagonal BiLSTM, 7 layers": 79.20}
"""Nats on binarised MNIST: van den Oord et al., *Pixel recurrent neural networks*, table 4."""


def network(family: str, generator: torch.Generator) -> nn.Module:
    r"""A network small enough for one core, binary and grey.

    Args:
        family: one of :data:`FAMILIES`.
        generator: draws the weights.

    Returns:
        The network.

    Raises:
        ValueError: if there is no such family.

    Example:
        >>> type(network("Row LSTM", seeded(0))).__name__
        'RowLSTM'
    """
    if family == "PixelCNN":
        return PixelCNN(32, 3, generator=generator)
    if family == "gated PixelCNN":
        return GatedPixelCNN(16, 2, generator=generator)
    if family == "Row LSTM":
        return RowLSTM(16, 1, generator=generator)
    raise ValueError(f"expected a family out of {', '.join(FAMILIES)}, got {family!r}")


@dataclass(frozen=True)
class NllConfig:
    r"""How much of the study to do.

    Args:
        steps: minibatches of the long run.
        others: minibatches of the runs that train on the other binarisations.
        probe: minibatches of the short runs that the chapter repeats.
        judged: test images.
        few: test images for the probes and the other runs.
        seeds: of the probes.
        datasets: of the probes.
    """

    steps: int = 2200
    others: int = 600
    probe: int = 150
    judged: int = 10_000
    few: int = 500
    seeds: tuple[int, ...] = (0, 1, 2)
    datasets: tuple[str, ...] = ("digits", "mnist")


SLICE = NllConfig(steps=4, others=2, probe=2, judged=20, few=10, seeds=(0,), datasets=("digits",))
"""A piece of the study that takes seconds, on the bundled digits."""


def probe(
    family: str, train_set: data.ImageSet, test_set: data.ImageSet, seed: int, config: NllConfig
) -> Row:
    r"""A short run: stochastic binarisation in training and testing.

    Args:
        family: one of :data:`FAMILIES`.
        train_set: grey images.
        test_set: grey images; the first ``few`` are judged.
        seed: of weights, minibatches and coins.
        config: how long.

    Returns:
        One row.
    """
    net = network(family, seeded(seed))
    how = PixelTraining(config.probe, 16, 5e-3, every=config.probe)
    for _ in train(net, train_set.images, how, seeded(seed + 1000)):
        pass
    x = binarise(test_set.images[: config.few], "stochastic", seeded(0))
    nats = nll(net, x).mean().item()  # type: ignore[arg-type]
    return {"part": "probe", "images": train_set.name, "family": family, "seed": seed, "nats": nats}


def judged(config: NllConfig, train_set: data.ImageSet, test_set: data.ImageSet) -> Iterator[Row]:
    r"""Train on each binarisation, judge on all three.

    Args:
        config: how long.
        train_set: grey images.
        test_set: grey images.

    Yields:
        Nine rows.
    """
    for taught in BINARISATIONS:
        main = taught == "stochastic"
        steps = config.steps if main else config.others
        net = GatedPixelCNN(16, 4, kernel=5, generator=seeded(0))
        how = PixelTraining(steps, 16, 5e-3, taught, every=steps)
        for _ in train(net, train_set.images, how, seeded(1)):
            pass
        count = config.judged if main else min(config.judged, 4 * config.few)
        for kind in BINARISATIONS:
            x = binarise(test_set.images[:count], kind, seeded(2))
            costs = nll(net, x)
            yield {
                "part": "binarisation",
                "images": train_set.name,
                "taught": taught,
                "judged": kind,
                "steps": steps,
                "count": len(x),
                "nats": costs.mean().item(),
                "error": (costs.std() / len(x) ** 0.5).item(),
            }


def record(slice: bool) -> Iterator[Row]:
    r"""The study ``pixelcnn_nll``.

    Args:
        slice: only :data:`SLICE`.

    Yields:
        Rows of :func:`probe`, then of :func:`judged`.
    """
    config = SLICE if slice else NllConfig()
    load = {"digits": data.digits, "mnist": data.mnist}
    for name in config.datasets:
        sets = load[name]("train"), load[name]("test")
        for family in FAMILIES:
            for seed in config.seeds:
                yield probe(family, *sets, seed, config)
    yield from judged(config, *sets)


STUDIES = (
    Study(
        name="pixelcnn_nll",
        topic="pixelcnn",
        run=record,
        config={
            "long run": "gated PixelCNN, 16 features, 7x7 A and four layers of 5x5 B",
            "steps": "2200 on the stochastic binarisation, 600 on the others, batch 16",
            "optimiser": "Adam 5e-3, falling to a tenth over the last third",
            "probes": "150 steps, first 500 test images, seeds 0 1 2",
        },
    ),
)
