r"""Train a convolutional GRAN against its discriminator, and keep what a referee needs.

What a battle reads off a discriminator depends on where its last few updates left it. So the run
keeps, beside the last weights, averages of both nets over the last updates, and snapshots on the
way.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genbook.gran.convolutional import GRAN, Discriminator
from genbook.kit.checkpoints import load_checkpoint, save_checkpoint
from genbook.kit.data import ImageSet
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream
from genbook.kit.training import Step, finite, linear_decay

SETTLING = Substream("codes that batch statistics are fixed on", 60_000)
SETTLED_ON = 1_024


@dataclass(frozen=True)
class Recipe:
    r"""How a pair is trained.

    Args:
        steps: T.
        iterations: updates of each net.
        batch: images a step.
        channels: of the generator and of the discriminator at side A/4.
        lr: Adam's rate of the generator, β = (0.5, 0.999), falling to 0 over the second half.
        critic_lr: the same of the discriminator.
        memory: of the running average of the weights.
        snapshots: how many are kept over the last four fifths of the run.

    Raises:
        ValueError: if a number is out of range.

    Example:
        >>> Recipe(steps=3, iterations=300, snapshots=5).marks
        (108, 156, 204, 252, 300)
    """

    steps: int
    iterations: int = 3_000
    batch: int = 32
    channels: int = 16
    lr: float = 1e-3
    critic_lr: float = 5e-4
    memory: float = 0.998
    snapshots: int = 16

    def __post_init__(self) -> None:
        """Check the numbers."""
        least = (self.steps, self.iterations, self.batch, self.channels, self.snapshots)
        if min(least) < 1 or min(self.lr, self.critic_lr) <= 0 or not 0 <= self.memory < 1:
            raise ValueError(f"expected numbers ≥ 1, rates > 0 and a memory in [0, 1), got {self}")

    @property
    def marks(self) -> tuple[int, ...]:
        """After how many updates a snapshot is taken; the last is the end."""
        fifth = self.iterations / 5
        return tuple(
            max(1, round(fifth + 4 * fifth * (place + 1) / self.snapshots))
            for place in range(self.snapshots)
        )


@dataclass(frozen=True)
class Pair:
    r"""A generator and the discriminator it was trained against.

    Args:
        generator: from codes **[B, latent]** to images **[B, 1, A, A]**.
        critic: from images to logits **[B]**.
    """

    generator: GRAN
    critic: Discriminator

    def settled(self, seed: int) -> Pair:
        r"""A frozen copy whose generator is a function of z.

        Args:
            seed: of the run; draws the codes that the statistics are fixed on.

        Returns:
            The copy.
        """
        pair = copy.deepcopy(self)
        where = next(pair.generator.parameters()).device
        codes = seeded(SETTLING.seed(seed), device=where)
        z = torch.randn(SETTLED_ON, pair.generator.latent, generator=codes, device=where)
        pair.generator.settle(z).requires_grad_(False)
        pair.critic.eval().requires_grad_(False)
        return pair


def new_pair(recipe: Recipe, side: int, generator: torch.Generator) -> Pair:
    r"""The nets of a recipe before their first update.

    Args:
        recipe: the sizes.
        side: A of the images.
        generator: draws the weights; the discriminator's first, so that they are the same for
            every T.

    Returns:
        The pair.

    Example:
        >>> pair = new_pair(Recipe(steps=3, channels=4), 8, torch.Generator().manual_seed(0))
        >>> pair.critic(pair.generator(torch.zeros(2, 64))).shape
        torch.Size([2])
    """
    critic = Discriminator(side, generator, channels=recipe.channels)
    return Pair(GRAN(side, generator, steps=recipe.steps, channels=recipe.channels), critic)


def follow(average: nn.Module, net: nn.Module, memory: float) -> None:
    r"""Move a running average of weights towards the net's.

    .. math:: \bar w\leftarrow m\bar w+(1-m)w

    Args:
        average: changed in place.
        net: the same architecture.
        memory: m, in [0, 1).

    Example:
        >>> mean, net = nn.Linear(1, 1), nn.Linear(1, 1)
        >>> follow(mean, net, 0.0)
        >>> bool(mean.weight == net.weight)
        True
    """
    with torch.no_grad():
        for kept, new in zip(average.parameters(), net.parameters(), strict=True):
            kept.lerp_(new, 1 - memory)


class Run:
    r"""A game between a GRAN and its discriminator that can be stopped and taken up again.

    Both costs are those of the original game, the generator's the non-saturating one:

    .. math:: L_D=\mathbb E\,\zeta(-v(x))+\mathbb E\,\zeta(v(G(z))),\qquad
        L_G=\mathbb E\,\zeta(-v(G(z))),\qquad \zeta(v)=\log(1+e^v)

    One batch of fakes serves both updates, the discriminator's first. It sees no added noise.

    Args:
        recipe: the settings.
        images: what to learn from.
        seed: of weights, codes and batches.

    Example:
        >>> from genbook.kit import data
        >>> run = Run(Recipe(steps=3, iterations=2, batch=4), data.digits("train"), seed=0)
        >>> [step.index for step in run]
        [0, 1]
    """

    def __init__(self, recipe: Recipe, images: ImageSet, seed: int) -> None:
        self.recipe, self.images, self.seed = recipe, images.images, seed
        self.rng = seeded(seed, device=images.images.device)
        self.pair = new_pair(recipe, images.images.shape[-1], self.rng)
        self.average = copy.deepcopy(self.pair)
        betas = (0.5, 0.999)
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=lr, betas=betas, fused=True)
            for net, lr in (
                (self.pair.generator, recipe.lr),
                (self.pair.critic, recipe.critic_lr),
            )
        ]
        self.done = 0

    def _update(self) -> tuple[Tensor, Tensor]:
        generator, critic = self.pair.generator, self.pair.critic
        batch, images = self.recipe.batch, self.images
        rng = self.rng
        z = torch.randn(batch, generator.latent, generator=rng, device=rng.device)
        real = images[torch.randint(len(images), (batch,), generator=rng, device=rng.device)]
        fake = generator(z)
        cost = softplus(-critic(real)).mean() + softplus(critic(fake.detach())).mean()
        self.optimisers[1].zero_grad(set_to_none=True)
        cost.backward()
        self.optimisers[1].step()
        critic.requires_grad_(False)
        fooling = softplus(-critic(fake)).mean()
        self.optimisers[0].zero_grad(set_to_none=True)
        fooling.backward()
        self.optimisers[0].step()
        critic.requires_grad_(True)
        return cost, fooling

    def __iter__(self) -> Iterator[Step]:
        """Go on to the end, one update of both nets a step."""
        recipe = self.recipe
        while self.done < recipe.iterations:
            fall = linear_decay(self.done, recipe.iterations, 0.5)
            for optimiser, lr in zip(self.optimisers, (recipe.lr, recipe.critic_lr), strict=True):
                optimiser.param_groups[0]["lr"] = lr * fall
            cost, fooling = self._update()
            memory = min(recipe.memory, (1 + self.done) / (10 + self.done))
            follow(self.average.generator, self.pair.generator, memory)
            follow(self.average.critic, self.pair.critic, memory)
            self.done += 1
            terms = finite(self.done - 1, critic=cost.detach(), generator=fooling.detach())
            yield Step(self.done - 1, recipe.iterations, terms)

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer | torch.Generator]:
        """What a checkpoint of the run holds."""
        return {
            "generator": self.pair.generator,
            "critic": self.pair.critic,
            "average_generator": self.average.generator,
            "average_critic": self.average.critic,
            "generator_optimiser": self.optimisers[0],
            "critic_optimiser": self.optimisers[1],
            "rng": self.rng,
        }


@dataclass(frozen=True)
class Record:
    r"""What a run leaves behind.

    Args:
        recipe: its settings.
        seed: of the run.
        last: the nets with their last weights.
        average: the nets with averaged weights.
        snapshots: the nets after each of the recipe's ``marks``.
        seconds: the run took, all sittings together.
    """

    recipe: Recipe
    seed: int
    last: Pair
    average: Pair
    snapshots: tuple[Pair, ...]
    seconds: float


def fit(
    recipe: Recipe,
    images: ImageSet,
    seed: int,
    folder: str | os.PathLike[str] | None = None,
    *,
    every: int = 200,
) -> Record:
    r"""Train a pair, or take up a run where it was stopped.

    Args:
        recipe: the settings.
        images: what to learn from.
        seed: of weights, codes and batches.
        folder: where the run keeps its checkpoint and its snapshots; nowhere by default.
        every: updates between two checkpoints.

    Returns:
        All its nets, frozen, each generator a function of z.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.

    Example:
        >>> from genbook.kit import data
        >>> recipe = Recipe(steps=1, iterations=3, batch=4, snapshots=2)
        >>> len(fit(recipe, data.digits("train"), seed=0).snapshots)
        2
    """
    run, work = Run(recipe, images, seed), Path(folder) if folder else None
    before = 0.0
    if work:
        work.mkdir(parents=True, exist_ok=True)
        if (work / "run.safetensors").is_file():
            kept = load_checkpoint(work / "run.safetensors", **run.parts())
            run.done, before = kept.step, kept.notes["seconds"]
    start = time.perf_counter()
    taken: dict[int, Pair] = {}
    for step in run:
        done = step.index + 1
        if done in recipe.marks:
            taken[done] = copy.deepcopy(run.pair)
            if work:
                _keep_pair(work / f"{done}.safetensors", done, run.pair)
        if work and (done % every == 0 or done == recipe.iterations):
            notes = {"seconds": before + time.perf_counter() - start}
            save_checkpoint(work / "run.safetensors", step=done, notes=notes, **run.parts())
    for mark in recipe.marks:
        if mark not in taken and work:
            taken[mark] = copy.deepcopy(run.pair)
            pair = taken[mark]
            load_checkpoint(
                work / f"{mark}.safetensors", generator=pair.generator, critic=pair.critic
            )
    return Record(
        recipe,
        seed,
        run.pair.settled(seed),
        run.average.settled(seed),
        tuple(taken[mark].settled(seed) for mark in recipe.marks),
        before + time.perf_counter() - start,
    )


def _keep_pair(path: Path, step: int, pair: Pair) -> None:
    save_checkpoint(path, step=step, generator=pair.generator, critic=pair.critic)
