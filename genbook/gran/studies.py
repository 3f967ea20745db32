"""The recorded tournament of the GRAN chapter, and its tables as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from genbook.gran.players import PLAYERS, Arena, Table, tournament
from genbook.kit import data
from genbook.kit.device import pick
from genbook.kit.studies import Row, Study, Value


def table_rows(dataset: str, kind: str, found: Table, seeds: Sequence[int]) -> Iterator[Row]:
    r"""A table as flat rows for a study.

    Args:
        dataset: name of the images.
        kind: ``"judge"`` or ``"critic"``.
        found: the rates.
        seeds: of its slices.

    Yields:
        One row a seed and discriminator: its rate on the test set and on each generator, by place.
    """
    for place, seed in enumerate(seeds):
        for i, name in enumerate(found.names):
            row: dict[str, Value] = {
                "dataset": dataset,
                "by": kind,
                "seed": seed,
                "player": name,
                "test": float(found.test[place, i]),
            }
            for j, rate in enumerate(found.cross[place, i].tolist()):
                row[f"on_{j}"] = rate
            yield row


def from_rows(found: Sequence[Row], dataset: str, kind: str) -> Table:
    r"""The table that :func:`table_rows` wrote down.

    Args:
        found: rows of a study.
        dataset: name of the images.
        kind: ``"judge"`` or ``"critic"``.

    Returns:
        The rates, seeds in order.

    Raises:
        ValueError: if there are none.
    """
    kept = [row for row in found if row["dataset"] == dataset and row["by"] == kind]
    if not kept:
        raise ValueError(f"expected rows of {dataset!r} by {kind!r}, got none")
    names = tuple(dict.fromkeys(str(row["player"]) for row in kept))
    count = len(names)
    test = torch.tensor([float(row["test"]) for row in kept], dtype=torch.float64)
    fakes = [[float(row[f"on_{j}"]) for j in range(count)] for row in kept]
    cross = torch.tensor(fakes, dtype=torch.float64)
    return Table(names, test.reshape(-1, count), cross.reshape(-1, count, count))


SEEDS = tuple(range(5))
MNIST_GROUPS = ((0, 1, 2), (3,), (4,))
"""Seeds that were trained as one computation. Rounding depends on the grouping, and 1,500 steps of
a game make another run of it, so the groups are part of the record."""


def record_battles(slice: bool) -> Iterator[Row]:
    r"""The study ``gran_battles``: six players on both data sets.

    Args:
        slice: the digits for a few steps, one seed.

    Yields:
        Rows of :func:`table_rows`.
    """
    device = pick()
    groups = {"digits": (SEEDS,), "mnist": MNIST_GROUPS}
    for name in ("digits",) if slice else ("digits", "mnist"):
        load = data.digits if name == "digits" else data.mnist
        sets = load("train", device=device), load("test", device=device)
        arena = Arena(5, 5, 100, 100) if slice else Arena()
        for seeds in [SEEDS[:1]] if slice else groups[name]:
            _, by_judges, by_critics = tournament(PLAYERS, *sets, seeds, arena)
            for kind, found in (("judge", by_judges), ("critic", by_critics)):
                yield from table_rows(sets[0].name, kind, found, seeds)


STUDIES = (
    Study(
        name="gran_battles",
        topic="gran",
        run=record_battles,
        seeds=SEEDS,
        config={
            "generators": "GRAN: z, code 64, decoder 128-128-d, encoder d-64; others 64-128-128-d",
            "discriminators": "d-128-1, leaky ReLU 0.2, for games and judges alike",
            "games": "1500 generator steps, one critic step each, batch 64, Adam 1e-3, betas 0.5 "
            "and 0.999, falling to 0 over the second half",
            "judges": "500 steps, GAN loss, Adam 1e-3 falling to 0, batch 64",
            "rates": "2000 samples; 2000 test images, or all 8x8 ones",
            "seeds in one computation": "digits 0 to 4; mnist 0 to 2, then 3, then 4",
        },
    ),
)
