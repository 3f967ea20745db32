r"""A fight between two trained pairs, by the paper's raw rule or by a calibrated referee.

Discriminators judge without noise and generators are functions of z, so the same call gives the
same rates; both players draw from the same codes, and test images, codes and validation images are
resampled for both together, so that a fight with oneself is a tie and a fight seen from the other
side is the mirror image.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from genbook.gran.battle import BAND, Battle, Rates, mistakes
from genbook.gran.training import Pair, Record
from genbook.kit.device import seeded
from genbook.kit.substreams import Substream

FIGHTING = Substream("codes and resampled images of a fight", 30_000)

CHUNK = 1_000
"""Images that are drawn or judged at once; memory, not numbers, depends on it."""

LATE = 4
"""Discriminators of so many late snapshots judge together."""

MISS = 0.3
"""The share of validation images that a calibrated discriminator calls fake."""

Net = Callable[[Tensor], Tensor]


def drawn(generator: Net, z: Tensor) -> Tensor:
    r"""The images of many codes, some at a time.

    Args:
        generator: from **[B, latent]** to **[B, 1, A, A]**.
        z: **[N, latent]**.

    Returns:
        **[N, 1, A, A]**.
    """
    with torch.no_grad():
        return torch.cat([generator(part) for part in z.split(CHUNK)])


def scored(critics: Sequence[Net], images: Tensor) -> Tensor:
    r"""The logits of several discriminators on the same images, in double precision.

    Args:
        critics: K of them, from images to logits **[B]**.
        images: **[N, 1, A, A]**.

    Returns:
        **[K, N]**.
    """
    with torch.no_grad():
        found = [torch.cat([critic(part) for part in images.split(CHUNK)]) for critic in critics]
    return torch.stack(found).double()


@dataclass(frozen=True)
class Contestant:
    r"""A generator with the discriminators that fight for it.

    Args:
        name: its name in the tables.
        generator: a function of z, from **[B, latent]** to **[B, 1, A, A]**.
        critics: one or more, from images to logits **[B]**; rates are averaged over them.
        latent: size of z.
    """

    name: str
    generator: Net
    critics: tuple[Net, ...]
    latent: int

    @classmethod
    def of(cls, name: str, pair: Pair, *critics: Net) -> Contestant:
        r"""A contestant of a trained pair.

        Args:
            name: its name.
            pair: settled, so that the generator is a function of z.
            *critics: what fights for it; the pair's own discriminator by default.

        Returns:
            The contestant.
        """
        return cls(name, pair.generator, critics or (pair.critic,), pair.generator.latent)


def contestants(record: Record) -> dict[str, Contestant]:
    r"""Three ways to send the outcome of one run into a fight.

    Args:
        record: of the run.

    Returns:
        ``"last"``: the weights after the last update, as the paper does; ``"snapshots"``: the
        averaged generator with the discriminators of the last four snapshots; ``"average"``: both
        nets with averaged weights.
    """
    name = f"T = {record.recipe.steps}"
    late = [pair.critic for pair in record.snapshots[-LATE:]]
    return {
        "last": Contestant.of(name, record.last),
        "snapshots": Contestant.of(name, record.average, *late),
        "average": Contestant.of(name, record.average),
    }


@dataclass(frozen=True)
class Evidence:
    r"""All logits that a fight rests on; place 0 is player 1's discriminators, place 1 player 2's.

    Args:
        validation: on validation images, **[K, V]** each.
        test: on test images, **[K, N]** each.
        crossed: on the *other* player's samples, **[K, M]** each.
    """

    validation: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    crossed: tuple[Tensor, Tensor]

    def swapped(self) -> Evidence:
        """The same fight with the players' numbers exchanged."""
        return Evidence(
            (self.validation[1], self.validation[0]),
            (self.test[1], self.test[0]),
            (self.crossed[1], self.crossed[0]),
        )


def gather(
    first: Contestant,
    second: Contestant,
    validation: Tensor,
    test: Tensor,
    *,
    samples: int = 10_000,
    seed: int = 0,
) -> Evidence:
    r"""Let the discriminators of two players look at what a fight needs.

    Args:
        first: player 1.
        second: player 2.
        validation: images that thresholds are set on, **[V, 1, A, A]**.
        test: images that rates are measured on, **[N, 1, A, A]**.
        samples: drawn from each generator, from the same codes.
        seed: of the codes.

    Returns:
        The logits.

    Raises:
        ValueError: if the players' codes differ in size, or there is no sample.
    """
    if first.latent != second.latent or samples < 1:
        raise ValueError(
            f"expected codes of one size and samples ≥ 1, got {first.latent}, {second.latent} and "
            f"{samples}"
        )
    codes = seeded(FIGHTING.seed(seed), device=test.device)
    z = torch.randn(samples, first.latent, generator=codes, device=test.device)
    fakes = drawn(second.generator, z), drawn(first.generator, z)
    one, two = (
        [scored(player.critics, images) for images in (validation, test, fake)]
        for player, fake in zip((first, second), fakes, strict=True)
    )
    return Evidence((one[0], two[0]), (one[1], two[1]), (one[2], two[2]))


def threshold(logits: Tensor, miss: float | None) -> Tensor:
    r"""The logit above which a discriminator says "data".

    Args:
        logits: on validation images, **[K, V]**.
        miss: the share of them that it shall call fake, in (0, 1); ``None`` for the paper's rule,
            :math:`D>\tfrac12`.

    Returns:
        **[K, 1]**.

    Raises:
        ValueError: if the share is out of range.

    Example:
        >>> threshold(torch.tensor([[4.0, 1.0, 3.0, 2.0, 5.0]]), 0.4).item()
        2.0
    """
    if miss is None:
        return torch.zeros_like(logits[:, :1])
    if not 0 < miss < 1:
        raise ValueError(f"expected a share in (0, 1) or None, got {miss}")
    rank = max(1, round(miss * logits.shape[1]))
    return logits.kthvalue(rank, dim=1, keepdim=True).values


def rates(evidence: Evidence, miss: float | None) -> Rates:
    r"""The four error rates at thresholds, each averaged over a player's discriminators.

    Args:
        evidence: the logits.
        miss: as in :func:`threshold`.

    Returns:
        The rates.

    Example:
        >>> logits = torch.tensor([[-1.0, 1.0, 2.0, 3.0]])
        >>> rates(Evidence(*[(logits, logits)] * 3), None)
        Rates(test_1=0.25, test_2=0.25, sample_1=0.75, sample_2=0.75)
    """
    edges = [threshold(logits, miss) for logits in evidence.validation]
    found = [
        float(mistakes(logits - edge, real=real).double().mean())
        for pair, real in ((evidence.test, True), (evidence.crossed, False))
        for logits, edge in zip(pair, edges, strict=True)
    ]
    return Rates(*found)


@dataclass(frozen=True)
class Fight:
    r"""A battle with its certainty.

    Args:
        battle: the result by the paper's rule.
        low: of the 95 % bootstrap interval of :math:`\log r_{sample}`.
        high: the other end.
    """

    battle: Battle
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0, that is r_sample = 1."""
        return self.low > 0 or self.high < 0

    @property
    def winner(self) -> int:
        """1 or 2; 0 for a tie: r_test out of the band, or an interval that holds 0."""
        return self.battle.winner if self.sure else 0

    @property
    def verdict(self) -> str:
        """The winner in words."""
        return ("tie", "player 1", "player 2")[self.winner]


def _log_ratio(above: float, below: float) -> float:
    if above == below:
        return 0.0
    logs = [math.log(rate) if rate > 0 else -math.inf for rate in (above, below)]
    return logs[0] - logs[1]


def _take(pair: tuple[Tensor, Tensor], which: Tensor) -> tuple[Tensor, Tensor]:
    return pair[0][:, which], pair[1][:, which]


def judge(
    evidence: Evidence,
    *,
    miss: float | None = MISS,
    band: float = BAND,
    repeats: int = 200,
    seed: int = 0,
) -> Fight:
    r"""The verdict on what was gathered, and how sure it is.

    With ``miss`` each discriminator says "data" above a threshold of its own, at which it misses
    that share of *validation* images; so both are equal referees before the test images come. The
    bootstrap draws test images, codes and validation images again, thresholds included.

    Args:
        evidence: the logits.
        miss: as in :func:`threshold`.
        band: of the rule.
        repeats: bootstrap battles, at least 40.
        seed: of the resampling.

    Returns:
        The fight.

    Raises:
        ValueError: if there are too few repeats or a number is out of range.

    Example:
        >>> logits = torch.linspace(-1, 1, 100)[None]
        >>> same = Evidence(*[(logits, logits)] * 3)
        >>> judge(same).verdict
        'tie'
    """
    if repeats < 40:
        raise ValueError(f"expected at least 40 repeats for a 95 % interval, got {repeats}")
    source = seeded(FIGHTING.seed(seed), device=evidence.test[0].device)

    def again(count: int) -> Tensor:
        return torch.randint(count, (count,), generator=source, device=source.device)

    logs = []
    for _ in range(repeats):
        counts = [pair[0].shape[1] for pair in vars(evidence).values()]
        parts = zip(vars(evidence).values(), map(again, counts), strict=True)
        found = rates(Evidence(*(_take(pair, which) for pair, which in parts)), miss)
        logs.append(_log_ratio(found.sample_1, found.sample_2))
    logs.sort()
    cut = round(0.025 * repeats)
    return Fight(Battle(rates(evidence, miss), band), logs[cut], logs[-1 - cut])


def fight(
    first: Contestant,
    second: Contestant,
    validation: Tensor,
    test: Tensor,
    *,
    samples: int = 10_000,
    miss: float | None = MISS,
    band: float = BAND,
    seed: int = 0,
) -> Fight:
    r"""Swap the discriminators of two players and say who wins.

    Args:
        first: player 1.
        second: player 2.
        validation: images that thresholds are set on, **[V, 1, A, A]**.
        test: images that rates are measured on, **[N, 1, A, A]**.
        samples: drawn from each generator.
        miss: as in :func:`threshold`; ``None`` for the paper's rule.
        band: of the rule.
        seed: of codes and resampling.

    Returns:
        The fight.
    """
    evidence = gather(first, second, validation, test, samples=samples, seed=seed)
    return judge(evidence, miss=miss, band=band, seed=seed)


def curve(evidence: Evidence, misses: Sequence[float]) -> list[Rates]:
    r"""The rates at other thresholds: does the verdict hang on the one that was chosen?

    Args:
        evidence: the logits.
        misses: shares of validation images that both shall call fake.

    Returns:
        The rates at each.
    """
    return [rates(evidence, miss) for miss in misses]
