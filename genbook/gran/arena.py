r"""The reader's arena: two trained pairs swap discriminators and read the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.games.play import Streams, scores
from genbook.gran import battle
from genbook.gran.battle import Battle, Confidence
from genbook.gran.players import Table, Trained
from genbook.gran.recurrent import Recurrent
from genbook.kit.substreams import Substream

FIGHTING = Substream("samples of a fight", 30_000)


@dataclass(frozen=True)
class Fight:
    r"""A battle with its certainty.

    Args:
        battle: the result.
        confidence: shares of the verdicts over resampled images.
    """

    battle: Battle
    confidence: Confidence


def fight(
    first: Trained,
    second: Trained,
    test: Tensor,
    *,
    seed: int = 0,
    samples: int = 1_000,
    band: float = battle.BAND,
    judges: tuple[nn.Module, nn.Module] | None = None,
) -> Fight:
    r"""Swap the discriminators of two players, each the first of its seeds.

    Args:
        first: player 1.
        second: player 2.
        test: rows of test images, **[M, d]**.
        seed: of the samples and of the bootstrap.
        samples: drawn from each generator.
        band: of the rule.
        judges: discriminators; the players' own by default.

    Returns:
        The fight.

    Raises:
        ValueError: if the two have different numbers of seeds.
    """
    if first.streams.count != second.streams.count:
        raise ValueError(
            f"expected players with as many seeds, got {first.streams.count} and "
            f"{second.streams.count}"
        )
    one, two = judges or (first.critic, second.critic)
    count = first.streams.count
    fakes = [
        player.draw(Streams([FIGHTING.seed(seed)] * count, device=test.device), samples)
        for player in (first, second)
    ]
    images = test.expand(count, -1, -1)

    def missed(judge: nn.Module, x: Tensor, real: bool) -> Tensor:
        with torch.no_grad():
            return battle.mistakes(scores(judge, x), real=real)[0].cpu()

    on_test = torch.stack([missed(judge, images, True) for judge in (one, two)])
    crossed = missed(one, fakes[1], False), missed(two, fakes[0], False)
    rates = battle.Rates(*(float(part.double().mean()) for part in (*on_test, *crossed)))
    generator = torch.Generator().manual_seed(seed)
    sure = battle.bootstrap(on_test, *crossed, generator=generator, band=band)
    return Fight(Battle(rates, band), sure)


def strokes(player: Trained, count: int, *, seed: int = 0) -> Tensor:
    r"""Increments of a player's canvas, for the first of its seeds.

    Args:
        player: a trained player; without a canvas it draws everything in one stroke.
        count: drawings.
        seed: of z.

    Returns:
        Log-odds, **[T, count, d]**.
    """
    streams = Streams([seed] * player.streams.count, device=player.streams.device)
    net = player.generator
    with torch.no_grad():
        if isinstance(net, Recurrent):
            made = net.increments(streams.normal(64, net.latent))
        else:
            made = player.draw(streams, 64).logit(eps=1e-6)[None]
    return made[:, 0, :count].cpu()


def roughness(images: Tensor) -> float:
    r"""How speckled images are: the mean step between neighbouring pixels over the mean grey.

    Args:
        images: in [0, 1], **[N, A, A]**, not all black.

    Returns:
        The ratio, averaged over both directions; 0 for a flat grey.

    Raises:
        ValueError: if the shape is another or all pixels are black.

    Example:
        >>> roughness(torch.eye(2)[None])
        2.0
    """
    if images.ndim != 3 or not bool((images > 0).any()):
        raise ValueError(f"expected images [N, A, A] with some ink, got {list(images.shape)}")
    sizes = [images.diff(dim=dim).abs().mean() for dim in (1, 2)]
    return float((sizes[0] + sizes[1]) / 2 / images.mean())


def rough(player: Trained, place: int = 0, count: int = 500) -> float:
    r"""Roughness of a player's samples, which are square images.

    Args:
        player: a trained player.
        place: which of its seeds.
        count: samples.

    Returns:
        As :func:`roughness`.
    """
    streams = Streams([3] * player.streams.count, device=player.streams.device)
    drawn = player.draw(streams, count)[place]
    side = math.isqrt(drawn.shape[-1])
    return roughness(drawn.unflatten(-1, (side, side)))


def score_card(outcome: Fight, first: Trained, second: Trained) -> list[list[str | float]]:
    r"""A fight as the rows of a table, the band and ties last.

    Args:
        outcome: the fight.
        first: player 1.
        second: player 2.

    Returns:
        Rows of name, error on test images, error on the other's samples, share of 500 battles on
        resampled images, roughness.
    """
    rates, sure = outcome.battle.rates, outcome.confidence
    return [
        [first.player.name, rates.test_1, rates.sample_1, sure.first, rough(first)],
        [second.player.name, rates.test_2, rates.sample_2, sure.second, rough(second)],
        ["ratio; ties", outcome.battle.r_test, outcome.battle.r_sample, sure.tie, ""],
    ]


@dataclass(frozen=True)
class Tally:
    r"""How often one player beats another over seeds.

    Args:
        first: its wins.
        second: wins of the other.
        tie: neither.
        ahead: seeds in which the sample ratio alone favours the first.
    """

    first: int
    second: int
    tie: int
    ahead: int


def count(found: Table, first: str, second: str, band: float = battle.BAND) -> Tally:
    r"""Count the verdicts of a pair over the seeds of a table.

    Args:
        found: the rates.
        first: player 1.
        second: player 2.
        band: of the rule.

    Returns:
        The counts.
    """
    fights = [found.battle(place, first, second, band) for place in range(len(found.test))]
    wins = [one.winner for one in fights]
    ahead = sum(one.ahead == 1 for one in fights)
    return Tally(wins.count(1), wins.count(2), wins.count(0), ahead)


def collection_rows(found: Table, *, own: bool = False) -> list[Sequence[str | float]]:
    r"""GAM-II as rows: average and worst case, the mean over seeds and the range.

    Args:
        found: the rates.
        own: count each generator's own discriminator too.

    Returns:
        Rows of name, mean of the average, its least and greatest, mean of the worst case.
    """
    both = battle.gam_2(found.cross, own=own)
    spans = both.average.amin(0), both.average.amax(0)
    columns = (both.average.mean(0), *spans, both.worst.mean(0))
    numbers = torch.stack(columns, -1).tolist()
    return [[name, *row] for name, row in zip(found.names, numbers, strict=True)]
