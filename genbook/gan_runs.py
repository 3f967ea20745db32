r"""Runs of the chapter on GANs: a scrubbed 2-D game, small players for images, a recorded study."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from sklearn.cluster import MiniBatchKMeans
from torch import Tensor, nn

from genbook.adversarial import (
    Adam,
    Game,
    Objective,
    Streams,
    critic_step,
    generate,
    generator_step,
    mlp,
    play,
    rows,
    scores,
)
from genbook.gan import NON_SATURATING, Cost, objective, pushes
from genbook.gan_training import parzen_score
from genbook.kit import data
from genbook.kit.data import ImageSet
from genbook.kit.device import budget, pick
from genbook.kit.studies import Study
from genbook.seeds import Sampler

LATENT = 64
MODES = ("both", "discriminator only", "generator only")


@dataclass(frozen=True)
class Scene:
    r"""A moment of a game in the plane.

    Args:
        iteration: how many rounds were played.
        field: D on a square grid, rows from low to high y, shape ``[r, r]``.
        points: samples of the generator, ``[n, 2]``.
        arrows: −∇ₓ of the generator's cost at the samples, ``[n, 2]``.
    """

    iteration: int
    field: Tensor
    points: Tensor
    arrows: Tensor


def lattice(reach: float, resolution: int) -> Tensor:
    r"""Points of a square grid over [−reach, reach]², row by row.

    Args:
        reach: half its width.
        resolution: r, points along an edge.

    Returns:
        Shape ``[r², 2]``, x fastest.

    Example:
        >>> lattice(1.0, 2).tolist()
        [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    ticks = torch.linspace(-reach, reach, resolution)
    return torch.cartesian_prod(ticks, ticks).flip(1)


def scene(
    generator: nn.Module, critic: nn.Module, cost: Cost, noise: Tensor, places: Tensor, index: int
) -> Scene:
    r"""Look at a game of one seed.

    Args:
        generator: maps **[1, n, latent]** to **[1, n, 2]**.
        critic: maps **[1, n, 2]** to logits.
        cost: the generator's.
        noise: **[1, n, latent]**; the same for every scene, so that points can be followed.
        places: a :func:`lattice`.
        index: the iteration.

    Returns:
        The scene.
    """

    def logit(x: Tensor) -> Tensor:
        return scores(critic, x)

    with torch.no_grad():
        points = generator(noise)
        field = torch.sigmoid(logit(places[None]))[0]
    side = round(len(places) ** 0.5)
    arrows = pushes(cost, logit, points)[0]
    return Scene(index, field.reshape(side, side), points[0], arrows)


@dataclass
class _Table:
    """Two players with their optimisers; a copy plays on from the same moment."""

    generator: nn.Module
    critic: nn.Module
    generator_optimiser: torch.optim.Optimizer
    critic_optimiser: torch.optim.Optimizer

    def turn(self, mode: str, game: Objective, sample: Sampler, streams: Streams) -> None:
        if mode != "generator only":
            fake = generate(self.generator, streams, 256, 2)
            critic_step(
                self.critic, self.critic_optimiser, game, sample(streams, 256), fake, streams
            )
        if mode != "discriminator only":
            fake = self.generator(streams.normal(256, 2))
            generator_step(self.generator, self.generator_optimiser, game, self.critic, fake)


def forked_run(
    sample: Sampler,
    *,
    seed: int,
    rounds: int,
    fork: int,
    every: int,
    cost: Cost = NON_SATURATING,
    width: int = 64,
    lr: float = 1e-3,
    reach: float = 3.5,
    resolution: int = 24,
    shown: int = 36,
) -> dict[str, list[Scene]]:
    r"""A game in the plane that splits in three: both play on, or only one of them moves.

    Args:
        sample: draws the data, **[1, n, 2]**.
        seed: of everything random.
        rounds: iterations in all.
        fork: where the three runs part.
        every: iterations from scene to scene.
        cost: the generator's.
        width: of the two hidden layers of both players.
        lr: Adam's learning rate.
        reach: half the width of the field.
        resolution: of the field.
        shown: samples in a scene.

    Returns:
        Each of :data:`MODES` → its scenes, at iterations 0, every, 2 · every, …, rounds.

    Raises:
        ValueError: unless 0 ≤ fork ≤ rounds and both are multiples of ``every``.

    Example:
        >>> run = forked_run(lambda s, n: s.normal(n, 2), seed=0, rounds=4, fork=2, every=2)
        >>> [moment.iteration for moment in run["both"]]
        [0, 2, 4]
    """
    if not 0 <= fork <= rounds or rounds % every or fork % every:
        raise ValueError(
            f"expected 0 ≤ fork ≤ rounds, both multiples of {every}, got {fork} and {rounds}"
        )
    streams, game = Streams([seed]), objective(cost)
    generator, critic = (mlp([2, width, width, out], streams) for out in (2, 1))
    start = _Table(
        generator,
        critic,
        Adam(lr=lr).over(generator.parameters()),
        Adam(lr=lr).over(critic.parameters()),
    )
    noise, places = Streams([seed + 1]).normal(shown, 2), lattice(reach, resolution)

    def onward(table: _Table, mode: str, first: int, last: int) -> list[Scene]:
        seen = []
        for index in range(first, last):
            table.turn(mode, game, sample, streams)
            if (index + 1) % every == 0:
                seen.append(scene(table.generator, table.critic, cost, noise, places, index + 1))
        return seen

    shared = [scene(generator, critic, cost, noise, places, 0), *onward(start, "both", 0, fork)]
    return {mode: shared + onward(copy.deepcopy(start), mode, fork, rounds) for mode in MODES}


def near(samples: Tensor, centres: Tensor, distance: float) -> tuple[Tensor, Tensor]:
    r"""How many samples lie near a mode, and how many modes have a sample near.

    Args:
        samples: **[S, n, d]**.
        centres: **[K, d]**.
        distance: what counts as near.

    Returns:
        The share of samples, **[S]**, and the number of modes, **[S]**.

    Example:
        >>> near(torch.zeros(1, 4, 2), torch.tensor([[0.0, 0.0], [9.0, 9.0]]), 1.0)
        (tensor([1.]), tensor([1]))
    """
    gaps = torch.cdist(samples, centres.expand(len(samples), -1, -1))
    close = gaps < distance
    return close.any(-1).float().mean(-1), close.any(1).sum(-1)


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
) -> Iterator[dict[str, str | int | float]]:
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


def _row(
    name: str, model: str, seed: int, iterations: int, images: Split, points: Tensor
) -> dict[str, str | int | float]:
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


def yardsticks(
    name: str, images: Split, samples: int, centres: int
) -> Iterator[dict[str, str | int | float]]:
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
    clusters = MiniBatchKMeans(centres, random_state=0, batch_size=4096, n_init=1, max_iter=20)
    found = clusters.fit(images.train.cpu().numpy()).cluster_centers_
    means = torch.from_numpy(found).to(images.train)
    yield _row(name, "k-means centres", 0, 0, images, means)


def record_parzen(slice: bool) -> Iterator[dict[str, str | int | float]]:
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
