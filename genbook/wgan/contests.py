r"""Four games on handwritten digits with equal budgets: does the loss say how good the fakes are?

What each critic believes is kept beside the distance that :mod:`genbook.wgan.frechet` measures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.duality import GAN
from genbook.games.play import Adam, Game, Objective, RMSProp, from_convex, generate, play, rows
from genbook.kit import data
from genbook.kit.packing import pack_images
from genbook.kit.seeds import Streams, mlp
from genbook.kit.studies import Row, Study
from genbook.wgan import losses as wgan
from genbook.wgan.critics import JUDGING
from genbook.wgan.frechet import Judge, train_judge

WIDTH, LATENT, BATCH, CRITIC_STEPS = 128, 64, 64, 5
"""Hidden units, noise, samples and critic steps of each game."""


@dataclass(frozen=True)
class Contest:
    r"""A game with the settings of its paper.

    Args:
        objective: its losses.
        optimiser: of both players.
        clip: threshold of the critic's weights, if they are clipped.
    """

    objective: Objective
    optimiser: Adam | RMSProp
    clip: float | None = None

    def believed(self, critic_loss: Tensor) -> Tensor:
        r"""What the critic says of the distance: JS for the GAN (nats), else minus its loss."""
        if self.objective.name == "GAN":
            return math.log(2) - critic_loss / 2
        return -critic_loss


def contests(rate: float = 1e-3) -> dict[str, Contest]:
    r"""The four games, by the name they have in the chapter.

    Args:
        rate: step size of Adam; RMSProp takes half of it.

    Returns:
        Name → contest.

    Example:
        >>> list(contests())
        ['GAN', 'WGAN, clipped', 'WGAN-GP', 'GAN-QP']
    """
    return {
        "GAN": Contest(from_convex(GAN, practical=True), Adam(rate)),
        "WGAN, clipped": Contest(wgan.wgan(), RMSProp(rate / 2), clip=0.01),
        "WGAN-GP": Contest(wgan.wgan_gp(), Adam(rate, betas=(0.0, 0.9))),
        "GAN-QP": Contest(wgan.gan_qp(), Adam(rate)),
    }


@dataclass(frozen=True)
class Mark:
    r"""Where a game stands.

    Args:
        iteration: generator steps so far.
        believed: see :meth:`Contest.believed`, mean since the last mark, **[S]**.
        distance: what the judge says of 2000 fakes, **[S]**.
        fakes: **[S, 2000, d]**.
    """

    iteration: int
    believed: Tensor
    distance: Tensor
    fakes: Tensor


def compete(
    contest: Contest,
    table: Tensor,
    judge: Judge,
    seeds: Sequence[int],
    *,
    iterations: int,
    every: int,
    critic_steps: int = CRITIC_STEPS,
) -> Iterator[Mark]:
    r"""Play one game and have it judged on the way, all seeds at once.

    Args:
        contest: which game.
        table: images, **[N, d]**.
        judge: says how far the fakes are.
        seeds: of the runs.
        iterations: generator steps.
        every: steps between two marks.
        critic_steps: for each generator step.

    Yields:
        A mark every ``every`` steps.

    Raises:
        ValueError: if ``every`` is not positive.
        NonFiniteLoss: if a loss is infinite or NaN.
    """
    if every < 1:
        raise ValueError(f"expected every ≥ 1, got {every}")
    streams, pixels = Streams(seeds, device=table.device), table.shape[1]
    sizes = [LATENT, WIDTH, WIDTH, pixels]
    generator = mlp(sizes, streams, batch_norm=True, output=nn.Sigmoid)
    critic = mlp([pixels, WIDTH, WIDTH, 1], streams, lambda: nn.LeakyReLU(0.2))
    game = Game(
        iterations,
        batch=BATCH,
        latent=LATENT,
        critic_steps=critic_steps,
        critic_optimiser=contest.optimiser,
        generator_optimiser=contest.optimiser,
        clip_weights=contest.clip,
    )
    eyes, losses = Streams(JUDGING.seeds(seeds), device=table.device), []
    for step in play(generator, critic, contest.objective, rows(table), game, streams):
        losses.append(step.critic_loss)
        if len(losses) == every:
            fakes = generate(generator, eyes, 2_000, LATENT)
            believed = contest.believed(torch.stack(losses)).mean(0)
            yield Mark(step.index + 1, believed, judge.distance(fakes), fakes)
            losses = []


# --- The study --------------------------------------------------------------------------------

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Budget:
    r"""How long a game may take.

    Args:
        rate: see :func:`contests`.
        critic_steps: for each generator step.
        iterations: generator steps; with the critic's, all budgets have 4800 steps.
    """

    rate: float
    critic_steps: int
    iterations: int


BUDGETS = (Budget(2e-4, 5, 800), Budget(1e-3, 5, 800), Budget(1e-3, 1, 2_400))
MARKS, KEPT = 16, 8
"""Marks a game, fakes of the first seed that are kept."""


def _rows(
    train: data.ImageSet, judge: Judge, budget: Budget, iterations: int, every: int
) -> Iterator[Row]:
    for name, contest in contests(budget.rate).items():
        for mark in compete(
            contest,
            train.flat,
            judge,
            SEEDS,
            iterations=iterations,
            every=every,
            critic_steps=budget.critic_steps,
        ):
            last = mark.iteration == budget.iterations
            whole = budget is BUDGETS[1] and mark.iteration % (2 * every) == 0
            for place, seed in enumerate(SEEDS):
                keep = place == 0 and train.name == "mnist" and (last or whole)
                yield {
                    "images": train.name,
                    "game": name,
                    "rate": budget.rate,
                    "critic_steps": budget.critic_steps,
                    "seed": seed,
                    "iteration": mark.iteration,
                    "believed": round(float(mark.believed[place]), 5),
                    "distance": round(float(mark.distance[place]), 3),
                    "floor": round(judge.floor, 3),
                    "accuracy": round(judge.accuracy, 4),
                    "fakes": pack_images(mark.fakes[place, :KEPT]) if keep else "",
                }


def record_mnist(slice: bool) -> Iterator[Row]:
    r"""The study of the loss and the quality: four games, three budgets, and a start on digits.

    Args:
        slice: only the bundled digits and some steps.

    Yields:
        One row a mark and seed. ``fakes`` holds eight images of the first seed, on MNIST.
    """
    train, test = data.digits("train"), data.digits("test")
    judge = train_judge(train, test, steps=20 if slice else 2_000)
    yield from _rows(train, judge, BUDGETS[1], 4 if slice else 100, 2 if slice else 50)
    if not slice:
        train, test = data.mnist(split="train"), data.mnist(split="test")
        judge = train_judge(train, test)
        for budget in BUDGETS:
            every = budget.iterations // MARKS
            yield from _rows(train, judge, budget, budget.iterations, every)


STUDIES = (
    Study(
        name="wgan_mnist",
        topic="wgan",
        run=record_mnist,
        seeds=SEEDS,
        config={
            "generator": "64-128-128-P, batch norm, ReLU, sigmoid",
            "critic": "P-128-128-1, leaky ReLU 0.2, no normalisation",
            "budgets": "4800 steps in all, batch 64: 800 x (5 + 1) or 2400 x (1 + 1)",
            "GAN": "practical loss, Adam, beta 0.5 and 0.999",
            "WGAN, clipped": "c 0.01, RMSProp at half the rate",
            "WGAN-GP": "two-sided, weight 10, Adam, beta 0 and 0.9",
            "GAN-QP": "l2, scale 10, Adam, beta 0.5 and 0.999",
            "believed": "minus the critic's loss, mean since last mark; GAN: log 2 - half of it",
            "distance": "Frechet, 32 features of a classifier, 2000 fakes against all test images",
        },
    ),
)
