r"""The recorded studies of the PixelCNN chapter: nats under three binarisations, and costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from genbook.kit import data
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.pixelcnn.likelihood import (
    PixelTraining,
    nll,
    pixel_nll,
    train,
)
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from genbook.pixelcnn.row_lstm import RowLSTM
from genbook.pixelcnn.sampling import sample

SHORT = Substream("minibatches and coins of a short run", 1_000)
LONG = Substream("minibatches and coins of a long run", 1)

T = TypeVar("T")

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
        few: test images for the probes; four times as many for the other runs.
        datasets: of the probes; the last one is that of the long runs.
    """

    steps: int = 3000
    others: int = 600
    probe: int = 150
    judged: int = 10_000
    few: int = 500
    datasets: tuple[str, ...] = ("digits", "mnist")


SLICE = NllConfig(steps=4, others=2, probe=2, judged=20, few=10, datasets=("digits",))
"""A piece of the study that takes seconds, on the bundled digits."""

LOAD = {"digits": data.digits, "mnist": data.mnist}


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
    net = network(family, seeded(seed)).to(train_set.images.device)
    how = PixelTraining(config.probe, 16, 5e-3, every=config.probe)
    for _ in train(net, train_set.images, how, seeded(SHORT.seed(seed))):
        pass
    x = data.binarise(test_set.images[: config.few], "stochastic", seeded(0))
    nats = nll(net, x).mean().item()  # type: ignore[arg-type]
    return {"part": "probe", "images": train_set.name, "family": family, "seed": seed, "nats": nats}


def long_run(net: nn.Module, taught: str, train_set: data.ImageSet, steps: int, seed: int) -> Row:
    r"""Train for long, with a step size that falls from the first minibatch on.

    Args:
        net: the network, changed in place.
        taught: the binarisation, one of :data:`~genbook.kit.data.BINARISATIONS`.
        train_set: grey images.
        steps: minibatches of 16.
        seed: of minibatches and coins.

    Returns:
        What every row about this run says, with the processor's seconds.
    """
    begin = time.process_time()
    how = PixelTraining(steps, 16, 8e-3, taught, every=steps, falling=1.0, low=0.01)
    for _ in train(net, train_set.images, how, seeded(LONG.seed(seed))):
        pass
    seconds = round(time.process_time() - begin, 1)
    return {
        "images": train_set.name,
        "taught": taught,
        "steps": steps,
        "seed": seed,
        "cpu_seconds": seconds,
    }


def judge(net: nn.Module, kind: str, test_set: data.ImageSet, count: int) -> Row:
    r"""Nats of test images.

    Args:
        net: the network.
        kind: one of :data:`~genbook.kit.data.BINARISATIONS`.
        test_set: grey images.
        count: how many of them.

    Returns:
        Mean, standard error and what was judged.
    """
    x = data.binarise(test_set.images[:count], kind, seeded(2))
    costs = nll(net, x)  # type: ignore[arg-type]
    error = (costs.std() / len(x) ** 0.5).item()
    return {"judged": kind, "count": len(x), "nats": costs.mean().item(), "error": error}


def large(seed: int) -> GatedPixelCNN:
    r"""The network of the long runs.

    Args:
        seed: of the weights.

    Returns:
        16 features, a 7×7 layer and four of 5×5.

    Example:
        >>> len(large(0).layers)
        5
    """
    return GatedPixelCNN(16, 4, kernel=5, generator=seeded(seed))


def record_nll(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``pixelcnn_nll``: three long runs; the first seed compares binarisations too.

    Args:
        slice: only :data:`SLICE`.
        seed: of everything.

    Yields:
        Rows of :func:`probe` (part ``probe``) and of :func:`judge` (part ``binarisation``).
    """
    config = SLICE if slice else NllConfig()
    for name in config.datasets:
        sets = LOAD[name]("train"), LOAD[name]("test")
        for family in FAMILIES:
            yield probe(family, *sets, seed, config)
    for taught in data.BINARISATIONS if seed == 0 else data.BINARISATIONS[:1]:
        main = taught == "stochastic"
        net = large(seed)
        told = long_run(net, taught, sets[0], config.steps if main else config.others, seed)
        count = config.judged if main else min(config.judged, 4 * config.few)
        for kind in data.BINARISATIONS if seed == 0 else data.BINARISATIONS[:1]:
            yield {"part": "binarisation", **told, **judge(net, kind, sets[1], count)}


def record_equal(slice: bool) -> Iterator[Row]:
    r"""The study ``pixelcnn_equal``: a Row LSTM trained for as long as the gated network.

    Args:
        slice: a few minibatches on the bundled digits.

    Yields:
        One row of :func:`judge`.
    """
    load, steps, count = (data.digits, 4, 20) if slice else (data.mnist, 3700, 10_000)
    net = network("Row LSTM", seeded(0))
    told = long_run(net, "stochastic", load("train"), steps, 0)
    yield {"family": "Row LSTM", **told, **judge(net, "stochastic", load("test"), count)}


def record_longer(slice: bool) -> Iterator[Row]:
    r"""The study ``pixelcnn_longer``: the network of the long runs, trained four times as long.

    Args:
        slice: a few minibatches on the bundled digits.

    Yields:
        One row of :func:`judge`.
    """
    load, steps, count = (data.digits, 2, 20) if slice else (data.mnist, 12_000, 10_000)
    net = large(0)
    told = long_run(net, "stochastic", load("train"), steps, 0)
    yield {"family": "gated PixelCNN", **told, **judge(net, "stochastic", load("test"), count)}


def costs(family: str, side: int, rounds: int = 3) -> Row:
    r"""Processor time of a training step, and of a sample drawn both ways.

    Args:
        family: one of :data:`FAMILIES`.
        side: of the images.
        rounds: the shortest of so many counts; the naive sample is drawn once.

    Returns:
        Milliseconds of a step with 8 images; milliseconds of one image, naive and cached, in
        doubles; and whether the two images are the same.
    """
    net = network(family, seeded(0))
    x = torch.rand(8, 1, side, side, generator=seeded(1)).round()
    step = min(_seconds(lambda: pixel_nll(net, x).sum().backward())[0] for _ in range(rounds))  # type: ignore[arg-type]
    net.double()

    def draw(cached: bool) -> tuple[float, Tensor]:
        return _seconds(lambda: sample(net, 1, (side, side), seeded(2), cached=cached))  # type: ignore[arg-type]

    slow, image = draw(False)
    drawn = [draw(True) for _ in range(rounds)]
    return {
        "family": family,
        "side": side,
        "step": round(1e3 * step, 2),
        "naive": round(1e3 * slow, 2),
        "cached": round(1e3 * min(seconds for seconds, _ in drawn), 2),
        "same": all(torch.equal(image, other) for _, other in drawn),
    }


def _seconds(work: Callable[[], T]) -> tuple[float, T]:
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


def record_costs(slice: bool) -> Iterator[Row]:
    r"""The study ``pixelcnn_costs``.

    Args:
        slice: small images only.

    Yields:
        Rows of :func:`costs`.
    """
    for side in (4, 6) if slice else (8, 12, 16, 20, 24, 28):
        for family in FAMILIES:
            yield costs(family, side)


STUDIES = (
    Study(
        name="pixelcnn_nll",
        topic="pixelcnn",
        run=record_nll,
        seeds=(0, 1, 2),
        config={
            "long run": "gated PixelCNN, 16 features, 7x7 A and four layers of 5x5 B",
            "steps": "3000 on the stochastic binarisation, 600 on the others, batch 16",
            "optimiser": "Adam 8e-3, falling to a hundredth in a straight line",
            "probes": "150 steps, Adam 5e-3, first 500 test images",
        },
    ),
    Study(
        name="pixelcnn_equal",
        topic="pixelcnn",
        run=record_equal,
        config={
            "network": "RowLSTM(16, 1)",
            "steps": "3700, batch 16: about the time of 3000 steps of the gated network",
            "optimiser": "as in pixelcnn_nll",
        },
    ),
    Study(
        name="pixelcnn_longer",
        topic="pixelcnn",
        run=record_longer,
        config={
            "network": "as the long runs of pixelcnn_nll",
            "steps": "12000, batch 16: each training image three times",
            "optimiser": "as in pixelcnn_nll",
        },
    ),
    Study(
        name="pixelcnn_costs",
        topic="pixelcnn",
        run=record_costs,
        config={
            "time": "of the processor, one thread",
            "networks": "PixelCNN(32, 3), GatedPixelCNN(16, 2), RowLSTM(16, 1)",
            "step": "8 images, single precision, best of three",
            "sample": "one image, double precision; naive once, cached best of three",
        },
    ),
)
