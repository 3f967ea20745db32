r"""The chapter's studies: guidelines kept and broken, self-modulation, classes, arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import torch
from torch import Tensor
from torch.nn import functional

from genbook.dcgan.concepts import collect, drawn, sums
from genbook.dcgan.networks import SLOPE, Design, Generator
from genbook.dcgan.strides import checkerboard
from genbook.dcgan.training import Players, Recipe, codes, players, settled, train
from genbook.games.classifier import Reader, learn_to_read
from genbook.kit.data import ImageSet, digits
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream
from genbook.kit.training import NonFiniteLoss
from genbook.wgan.frechet import Judge, train_judge

STEPS, EVERY = 1_200, 300
JUDGED_ON = 2_000
"""How many images a generator is judged by."""

EXEMPLARS = (1, 3, 10, 30)
TRIALS = 300
LOOKING = Substream("codes to be judged on", 5_000)
ADDING = Substream("exemplars to be added", 6_000)
PAIRED = ("guidelines", "self-modulation")

RECIPES: dict[str, Recipe] = {
    "guidelines": Recipe(),
    "self-modulation": Recipe(Design(norm="self")),
    "batch norm at G's output": Recipe(Design(norm_output=True)),
    "batch norm at D's input": Recipe(Design(norm_input=True)),
    "no batch norm in G": Recipe(Design(norm="none")),
    "no batch norm in D": Recipe(Design(critic="none")),
    "none in G, wider start": Recipe(Design(norm="none", spread=None)),
    "none in D, wider start": Recipe(Design(critic="none", spread=None)),
    "spectral norm in D": Recipe(Design(critic="spectral")),
    "β₁ = 0.9": Recipe(beta=0.9),
    "rate 0.001": Recipe(rate=1e-3),
    "rate 0.1": Recipe(rate=0.1),
    "kernels of 5": Recipe(Design(kernel=5)),
}
"""Every setting differs from the guidelines in one thing, or in one and the start."""

ARCHITECTURE: dict[str, Recipe] = {
    "guidelines": Recipe(),
    "pooling in D, no strides": Recipe(Design(pool=True)),
    "repeated pixels in G, no stamps": Recipe(Design(repeat=True)),
    "a full hidden layer in both": Recipe(Design(full=True)),
    "leaky ReLU in G": Recipe(Design(slope_g=SLOPE)),
    "ReLU in D": Recipe(Design(slope_d=0.0)),
    "no tanh in G": Recipe(Design(squash=False)),
}
"""Guidelines about the layers, each broken by itself."""

CONDITIONAL: dict[str, Recipe] = {
    "D projects on the class": Recipe(Design(norm="class", classes=10)),
    "D does not see the class": Recipe(Design(norm="class", classes=10, project=False)),
}


@dataclass(frozen=True)
class Scene:
    r"""What every run of the studies shares.

    Args:
        images: to learn from, **[N, C, A, A]** in [−1, 1].
        labels: of the images.
        judge: whose features the Fréchet distance is taken in.
        reader: tells their classes.
    """

    images: Tensor
    labels: Tensor
    judge: Judge
    reader: Reader


def scene(learn: ImageSet, test: ImageSet, *, steps: int = 1_000) -> Scene:
    r"""Train the judge and the reader, always the same ones.

    Args:
        learn: images to learn from.
        test: unseen ones.
        steps: minibatches of the judge; the reader has 600 or as many.

    Returns:
        The scene.
    """
    judge = train_judge(learn, test, steps=steps)
    reader = learn_to_read(learn, test, steps=min(steps, 600))
    return Scene(2 * learn.images - 1, learn.labels, judge, reader)


def looked_at(generator: Generator, seed: int, n: int = JUDGED_ON) -> tuple[Tensor, Tensor]:
    r"""Images of fresh codes, classes in turn if the generator has any.

    Args:
        generator: settled.
        seed: of the run.
        n: how many.

    Returns:
        The images **[n, A, A]** in [0, 1], in colour **[n, C, A, A]**, and the classes asked for
        **[n]**. What lies beyond black and white is cut off, as on a screen.
    """
    weight = next(generator.parameters())
    z = codes(n, generator.design.latent, seeded(LOOKING.seed(seed), weight.device))
    asked = torch.arange(n, device=weight.device) % max(generator.design.classes, 1)
    if not generator.design.classes:
        return drawn(generator, z).clamp(0, 1), asked
    one_hot = functional.one_hot(asked, generator.design.classes).to(z)
    with torch.no_grad():
        return ((generator(z, one_hot).squeeze(1) + 1) / 2).clamp(0, 1), asked


def board(images: Tensor) -> float:
    r"""The mean share of an image's variance in a pattern of period two; of each channel by itself.

    Args:
        images: **[n, A, A]** or **[n, C, A, A]**, with even A.

    Returns:
        In [0, 1]; see :func:`~genbook.dcgan.strides.checkerboard`.

    Example:
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(1, 2, 4, 2)
        >>> stripes[:, 1] = 0
        >>> board(stripes)
        0.5
    """
    return float(checkerboard(images.flatten(0, -3)).mean())


def game(
    given: Scene, recipe: Recipe, seed: int, *, steps: int = STEPS, every: int = EVERY
) -> Iterator[tuple[Players, Row]]:
    r"""Train, and judge now and then: before the first step, and after every so many.

    Args:
        given: the scene.
        recipe: of the run.
        seed: of the run.
        steps: minibatches.
        every: steps between two looks.

    Yields:
        The players, as they are, with a row of ``step``, ``distance``, ``board`` (the share of the
        images' variance in a pattern of period two) and, for classes, ``asked`` (the share read as
        what was asked for). A run whose loss is no longer finite ends.
    """
    pair = players(recipe.design, seed, device=given.images.device)
    yield pair, _look(given, pair, seed, 0)
    try:
        for step in train(pair, recipe, given.images, given.labels, steps=steps, seed=seed):
            if (step.index + 1) % every == 0:
                yield pair, _look(given, pair, seed, step.index + 1)
                pair.generator.train()
    except NonFiniteLoss:
        return


def _look(given: Scene, pair: Players, seed: int, step: int) -> Row:
    generator = settled(pair, seed)
    images, asked = looked_at(generator, seed)
    row: dict[str, float | int] = {
        "step": step,
        "distance": round(float(given.judge.distance(images.flatten(1))), 3),
        "board": round(board(images), 5),
    }
    if generator.design.classes:
        with torch.no_grad():
            read = given.reader.logits(images.flatten(1)).argmax(1)
        row["asked"] = round(float((read == asked).double().mean()), 4)
    if step == 0:
        generator.train()
    return row


def added(given: Scene, generator: Generator, seed: int, *, trials: int = TRIALS) -> Iterator[Row]:
    r"""Sums of concepts, of codes and of pixels, with few and many exemplars.

    Args:
        given: the scene.
        generator: settled.
        seed: of the run.
        trials: sums for each number of exemplars.

    Yields:
        Rows with ``exemplars``, ``right`` (share of sums of codes whose digit stayed and leaned),
        ``pixels`` (the same of sums of pixels) and ``variance`` (of the sums' codes, in variances
        of one code).
    """
    device = next(generator.parameters()).device
    z = codes(2 * JUDGED_ON, generator.design.latent, seeded(LOOKING.seed(seed), device))
    bank = collect(generator, given.reader.logits, z)
    for k in EXEMPLARS:
        source = seeded(ADDING.seed(seed), device)
        found = sums(bank, exemplars=k, trials=trials, source=source)
        mine = found.right(drawn(generator, found.codes), given.reader.logits)
        pixels = found.right(found.blended, given.reader.logits)
        yield {
            "exemplars": k,
            "right": round(float(mine.double().mean()), 4),
            "pixels": round(float(pixels.double().mean()), 4),
            "variance": round(float(found.codes.var(0).mean()) * 3, 4),
        }


def sign_test(wins: int, games: int) -> float:
    r"""How likely so many wins, or more, are if both sides are equally good.

    .. math:: 2^{-n}\sum_{k\ge w}\binom nk

    Args:
        wins: w.
        games: n, without ties.

    Returns:
        A probability.

    Raises:
        ValueError: if there are more wins than games.

    Example:
        >>> sign_test(10, 10) == 2**-10, sign_test(0, 5)
        (True, 1.0)
    """
    if not 0 <= wins <= games:
        raise ValueError(f"expected 0 ≤ wins ≤ games, got {wins} of {games}")
    return sum(comb(games, k) for k in range(wins, games + 1)) / 2**games


def paired_wins(own: Sequence[float], other: Sequence[float]) -> int:
    r"""In how many pairs the first distance is the smaller one.

    Args:
        own: distances, a seed each.
        other: of the same seeds.

    Returns:
        The count.

    Raises:
        ValueError: if the numbers of seeds differ.

    Example:
        >>> paired_wins([1.0, 3.0], [2.0, 2.0])
        1
    """
    if len(own) != len(other):
        raise ValueError(f"expected as many distances, got {len(own)} and {len(other)}")
    return sum(a < b for a, b in zip(own, other, strict=True))


def each(
    recipes: Mapping[str, Recipe],
    given: Scene,
    seed: int,
    *,
    steps: int = STEPS,
    every: int = EVERY,
    then: Callable[[str, Players], Iterable[Row]] = lambda name, pair: (),
) -> Iterator[Row]:
    r"""A game of each recipe, one after the other.

    Args:
        recipes: by the name of their setting.
        given: the scene.
        seed: of all runs.
        steps: minibatches, a multiple of ``every``.
        every: steps between two looks.
        then: rows about the players of a setting whose run got to its end, G settled.

    Yields:
        The rows of :func:`game` and of ``then``, with ``setting`` and ``seed``.
    """
    for name, recipe in recipes.items():
        told: Row = {"setting": name, "seed": seed}
        for pair, row in game(given, recipe, seed, steps=steps, every=every):
            yield {**told, **row}
            if row["step"] == steps:
                pair.generator.eval()
                yield from ({**told, **more} for more in then(name, pair))


def record(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of all settings; of the paired ones only from the sixth on.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, codes and order.

    Yields:
        The rows of :func:`game` and :func:`added`, with ``setting`` and ``seed``.
    """
    given = scene(digits("train"), digits("test"), steps=50 if slice else 1_000)
    chosen = {name: r for name, r in RECIPES.items() if seed < 5 or name in PAIRED}

    def then(name: str, pair: Players) -> Iterator[Row]:
        if name == "guidelines" and not slice:
            yield from added(given, pair.generator, seed)

    steps, every = (8, 2) if slice else (STEPS, EVERY)
    yield from each(chosen, given, seed, steps=steps, every=every, then=then)


def _on_digits(recipes: Mapping[str, Recipe], slice: bool, seed: int) -> Iterator[Row]:
    given = scene(digits("train"), digits("test"), steps=50 if slice else 1_000)
    steps, every = (8, 2) if slice else (STEPS, EVERY)
    yield from each(recipes, given, seed, steps=steps, every=every)


def record_architecture(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of the guidelines about layers, kept and broken.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, codes and order.

    Yields:
        The rows of :func:`game`, with ``setting`` and ``seed``.
    """
    yield from _on_digits(ARCHITECTURE, slice, seed)


def record_classes(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of the generators that are asked for a class.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, codes and order.

    Yields:
        The rows of :func:`game`, with ``setting`` and ``seed``.
    """
    yield from _on_digits(CONDITIONAL, slice, seed)


_CONFIG = {
    "images": "8x8 digits of scikit-learn, the first 1437 to train, 360 to judge by, in [-1, 1]",
    "players": "16 uniform codes; 32 maps of 2x2, 16 of 4x4, one image; kernels of 4, stride 2; "
    "weights N(0, 0.02^2), a wider start is N(0, 1/fan-in); leaky slope 0.2",
    "training": "non-saturating loss, Adam 0.0002, beta 0.5 and 0.999, 1200 minibatches of 64, "
    "one step of each player",
    "judge": "Frechet distance of 2000 images in 32 features of a classifier (1000 steps); batch "
    "statistics of G fixed on 2000 codes",
}
STUDIES = (
    Study(
        name="dcgan_guidelines",
        topic="dcgan",
        run=record,
        seeds=tuple(range(10)),
        config={
            **_CONFIG,
            "seeds": "0 to 4 all settings, 5 to 9 the guidelines and self-modulation only",
            "arithmetic": "4000 codes of the trained G; 300 sums for each number of exemplars; "
            "leaning and upright: the outer quarters of a digit's images by slant",
        },
    ),
    Study(
        name="dcgan_architecture",
        topic="dcgan",
        run=record_architecture,
        seeds=(0, 1, 2, 3, 4),
        config={
            **_CONFIG,
            "pooling": "convolutions of 4, stride 1, side kept, then the largest of each 2x2",
            "repeated pixels": "each number on 2x2 places, then convolutions of 4, stride 1",
            "full hidden layer": "128 numbers in each player, normalised as the other layers",
            "slopes": "leaky 0.2; ReLU 0",
            "no tanh": "the last layer's numbers, cut to [-1, 1] to be judged, not to train",
        },
    ),
    Study(
        name="dcgan_classes",
        topic="dcgan",
        run=record_classes,
        seeds=(0, 1, 2),
        config={**_CONFIG, "norm": "conditional batch norm in G, batch norm in D"},
    ),
)
