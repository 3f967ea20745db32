r"""Battles among trained generators: players, judges, the cross table.

The critics of WGAN-GP and GAN-QP are scores, not classifiers: no threshold of theirs means "data".
So every generator, whatever trained it, is frozen and gets a *judge*: a fresh discriminator trained
against it with the loss of the original GAN, the same net and the same number of steps for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.play import Adam, Game, Objective, generate, mlp, play, rows, scores
from genbook.gan.algorithm import fit_discriminator
from genbook.gan.costs import NON_SATURATING, objective
from genbook.gran import battle
from genbook.gran.recurrent import Recurrent, smooth
from genbook.kit.data import ImageSet
from genbook.kit.seeds import Sampler, Streams
from genbook.kit.substreams import Substream
from genbook.wgan import losses

JUDGES = Substream("fresh judges", 10_000)
MEASURING = Substream("samples that rates are measured on", 20_000)

LATENT = 64
WIDTH = 128
BATCH = 64
FOG = 0.3


@dataclass(frozen=True)
class Player:
    r"""A recipe for a generator.

    Args:
        name: its name in the tables.
        steps: T; 0 for a plain perceptron.
        objective: makes the losses.
        brush: of a GRAN.
    """

    name: str
    steps: int
    objective: Callable[[], Objective]
    brush: int = 1

    def build(self, pixels: int, streams: Streams) -> nn.Module:
        """Its generator, **[S, B, 64]** → **[S, B, pixels]**."""
        if self.steps:
            return Recurrent(
                pixels, streams, steps=self.steps, latent=LATENT, hidden=WIDTH, brush=self.brush
            )
        return mlp([LATENT, WIDTH, WIDTH, pixels], streams, batch_norm=True, output=nn.Sigmoid)


def _gan() -> Objective:
    return objective(NON_SATURATING)


GRAN1 = Player("GRAN, T = 1", 1, _gan)
GRAN3 = Player("GRAN, T = 3", 3, _gan)
GRAN5 = Player("GRAN, T = 5", 5, _gan)
PLAYERS = (
    GRAN1,
    GRAN3,
    GRAN5,
    Player("GAN", 0, _gan),
    Player("WGAN-GP", 0, losses.wgan_gp),
    Player("GAN-QP", 0, losses.gan_qp),
)


class Fogged(nn.Module):
    r"""A discriminator that sees every image through Gaussian noise.

    Args:
        net: what looks.
        noise: standard deviation, in grey values.
        streams: draw the noise.
    """

    def __init__(self, net: nn.Module, noise: float, streams: Streams) -> None:
        super().__init__()
        self.net, self.noise, self.streams = net, noise, streams

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B, 1]**."""
        return self.net(x + self.noise * self.streams.normal(*x.shape[1:]))


class Spectacles(nn.Module):
    r"""A discriminator that sees every image smoothed.

    Args:
        net: what looks.
        width: as in :func:`genbook.gran.recurrent.smooth`.
    """

    def __init__(self, net: nn.Module, width: int) -> None:
        super().__init__()
        self.net, self.width = net, width

    def forward(self, x: Tensor) -> Tensor:
        """Map **[S, B, d]** to **[S, B, 1]**."""
        return self.net(smooth(x, self.width))


def judge_net(pixels: int, streams: Streams) -> nn.Module:
    r"""The discriminator that all players and all judges share: one hidden layer, leaky ReLU.

    Args:
        pixels: d.
        streams: draw the weights.

    Returns:
        **[S, B, d]** → **[S, B, 1]**.

    Example:
        >>> judge_net(64, Streams([0]))(torch.zeros(1, 3, 64)).shape
        torch.Size([1, 3, 1])
    """
    net = mlp([pixels, WIDTH, 1], streams, lambda: nn.LeakyReLU(0.2, inplace=True))
    return Fogged(net, FOG, streams)


@dataclass(frozen=True)
class Trained:
    r"""A player after its game.

    Args:
        player: the recipe.
        generator: frozen, all seeds.
        critic: what it was trained against.
        streams: random numbers, where the game left them.
    """

    player: Player
    generator: nn.Module
    critic: nn.Module
    streams: Streams

    def draw(self, streams: Streams, n: int) -> Tensor:
        """Samples **[S, n, d]**: a sampler of fakes."""
        return generate(self.generator, streams, n, LATENT)


def train(
    player: Player,
    table: Tensor,
    seeds: Sequence[int],
    iterations: int,
    *,
    lr: float = 1e-3,
    batch: int = BATCH,
) -> Trained:
    r"""Play a player's game: one critic step a generator step, for every player alike.

    Args:
        player: the recipe.
        table: rows of images, **[N, d]**.
        seeds: trained as one computation.
        iterations: generator steps.
        lr: Adam's learning rate of both, β = (0.5, 0.999), falling to 0 over the second half.
        batch: images a step.

    Returns:
        The trained player, all seeds.

    Raises:
        NonFiniteLoss: if a loss is infinite or NaN.

    Example:
        >>> train(GRAN3, torch.rand(20, 64), [0, 1], 2).draw(Streams([0, 1]), 5).shape
        torch.Size([2, 5, 64])
    """
    streams = Streams(seeds, device=table.device)
    generator = player.build(table.shape[1], streams)
    critic = judge_net(table.shape[1], streams)
    settings = Game(
        iterations=iterations,
        batch=batch,
        latent=LATENT,
        critic_optimiser=Adam(lr=lr),
        generator_optimiser=Adam(lr=lr),
        decay=0.5,
    )
    for _ in play(generator, critic, player.objective(), rows(table), settings, streams):
        pass
    for part in (generator, critic):
        part.requires_grad_(False)
    return Trained(player, generator, critic, streams)


def train_judge(
    fakes: Sampler,
    table: Tensor,
    seeds: Sequence[int],
    iterations: int,
    *,
    lr: float = 1e-3,
    batch: int = BATCH,
    blur: int = 1,
) -> nn.Module:
    r"""A fresh discriminator against a frozen generator, with the GAN's loss.

    Args:
        fakes: draws **[S, n, d]**.
        table: rows of training images, **[N, d]**.
        seeds: one judge each; they begin alike for every generator.
        iterations: steps.
        lr: Adam's learning rate, falling to 0.
        batch: images a step, from each side.
        blur: the judge sees images smoothed over squares of this width.

    Returns:
        The judge.

    Example:
        >>> table = torch.rand(20, 64)
        >>> train_judge(rows(table), table, [0], 2)(table[None]).shape
        torch.Size([1, 20, 1])
    """
    streams = Streams(JUDGES.seeds(seeds), device=table.device)
    judge = Spectacles(judge_net(table.shape[1], streams), blur)
    steps = fit_discriminator(
        judge, _gan(), rows(table), fakes, streams, iterations=iterations, batch=batch, lr=lr
    )
    for _ in steps:
        pass
    return judge.requires_grad_(False)


@dataclass(frozen=True)
class Table:
    r"""All error rates of a tournament.

    Args:
        names: P players.
        test: ε on the test set, **[S, P]**.
        cross: ``cross[s, i, j]``, ε of judge i on generator j, **[S, P, P]**.
    """

    names: tuple[str, ...]
    test: Tensor
    cross: Tensor

    def battle(
        self, seed: int, first: str, second: str, band: float = battle.BAND
    ) -> battle.Battle:
        r"""One battle as a result object.

        Args:
            seed: which slice.
            first: player 1.
            second: player 2.
            band: width of the band.

        Returns:
            The battle.

        Raises:
            ValueError: if a player is unknown.
        """
        if unknown := {first, second} - set(self.names):
            raise ValueError(f"expected players of {', '.join(self.names)}, got {unknown}")
        i, j = self.names.index(first), self.names.index(second)
        test, cross = self.test[seed], self.cross[seed]
        values = (test[i], test[j], cross[i, j], cross[j, i])
        return battle.Battle(battle.Rates(*(float(value) for value in values)), band)


def cross_table(
    players: Sequence[Trained],
    judges: Sequence[nn.Module],
    test: Tensor,
    seeds: Sequence[int],
    samples: int = 1_000,
) -> Table:
    r"""Show every judge the test set and every generator's samples.

    Args:
        players: P trained players.
        judges: their discriminators, in the same order.
        test: rows of test images, **[M, d]**.
        seeds: as in training.
        samples: drawn from each generator, the same for all judges.

    Returns:
        The rates.
    """
    streams = Streams(MEASURING.seeds(seeds), device=test.device)
    drawn = [player.draw(streams, samples) for player in players]
    images = test.expand(len(seeds), -1, -1)

    def rate(judge: nn.Module, inputs: Tensor, real: bool) -> Tensor:
        return battle.mistakes(scores(judge, inputs), real=real).double().mean(-1)

    on_test = [rate(judge, images, real=True) for judge in judges]
    on_fakes = [torch.stack([rate(judge, x, real=False) for x in drawn], -1) for judge in judges]
    names = tuple(player.player.name for player in players)
    return Table(names, torch.stack(on_test, -1), torch.stack(on_fakes, -2))


@dataclass(frozen=True)
class Arena:
    r"""What a tournament costs.

    Args:
        iterations: generator steps of each game.
        judging: steps of each judge.
        test: test images.
        samples: samples of each generator.
    """

    iterations: int = 1_500
    judging: int = 500
    test: int = 2_000
    samples: int = 2_000


def tournament(
    players: Sequence[Player],
    train_set: ImageSet,
    test_set: ImageSet,
    seeds: Sequence[int],
    arena: Arena | None = None,
) -> tuple[list[Trained], Table, Table]:
    r"""Train the players, then judge all against all.

    Args:
        players: the recipes.
        train_set: images to learn from.
        test_set: images that only judging sees.
        seeds: trained as one computation.
        arena: the budgets.

    Returns:
        The trained players, the table of the judges, and the table of the critics that the
        players were trained against (which means something for the GAN loss only).

    Example:
        >>> from genbook.kit import data
        >>> images = data.digits("test", device="cpu")
        >>> tournament([GRAN1], images, images, [0], Arena(1, 1, 10, 10))[1].test.shape
        torch.Size([1, 1])
    """
    arena = arena or Arena()
    table, test = train_set.flat, test_set.flat[: arena.test]
    trained = [train(player, table, seeds, arena.iterations) for player in players]
    judges = [train_judge(one.draw, table, seeds, arena.judging) for one in trained]
    own = [one.critic for one in trained]
    by_judges = cross_table(trained, judges, test, seeds, arena.samples)
    return trained, by_judges, cross_table(trained, own, test, seeds, arena.samples)
