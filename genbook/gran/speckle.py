r"""Why more strokes lose, and a broader brush: speckle seen by judges with and without spectacles.

A perceptron may set each pixel of a stroke apart. With a brush every stroke is smoothed before it
goes on the canvas, as the last convolution of the paper's decoder would tie neighbours together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import Tensor

from genbook.gran.arena import Tally, count, rough, roughness
from genbook.gran.players import (
    GRAN1,
    GRAN3,
    GRAN5,
    Arena,
    Player,
    Trained,
    cross_table,
    train,
    train_judge,
)
from genbook.gran.studies import from_rows, table_rows
from genbook.kit import data
from genbook.kit.data import ImageSet
from genbook.kit.device import pick
from genbook.kit.studies import Row, Study, StudyResult, spread

BRUSH = 3
"""Width of the brush and of the spectacles, in pixels."""

KINDS = ("judge", "spectacled judge", "critic")
"""Who looks: a fresh judge, one that sees images smoothed, the player's own discriminator."""

PLAIN = (GRAN1, GRAN3, GRAN5)


def with_brush(player: Player, width: int = BRUSH) -> Player:
    r"""The same player with a brush.

    Args:
        player: a GRAN.
        width: of the brush.

    Returns:
        The player.

    Raises:
        ValueError: if the player has no canvas.

    Example:
        >>> with_brush(GRAN5).name
        'GRAN, T = 5, brush 3'
    """
    if not player.steps:
        raise ValueError(f"expected a GRAN, which has a canvas, got {player.name}")
    return replace(player, name=f"{player.name}, brush {width}", brush=width)


PLAYERS = (*PLAIN, *(with_brush(player) for player in PLAIN))


def compare(
    trained: Sequence[Trained], table: Tensor, test: Tensor, seed: int, arena: Arena
) -> Iterator[tuple[str, Row]]:
    r"""Judge trained players with sharp eyes, with spectacles, and by their own discriminators.

    Args:
        trained: the players, one seed each.
        table: training images, **[N, d]**.
        test: test images, **[M, d]**.
        seed: theirs.
        arena: the budgets.

    Yields:
        The kind of discriminator, and rows of :func:`genbook.gran.studies.table_rows`.
    """
    for kind, blur in zip(KINDS, (1, BRUSH, 0), strict=True):
        judges = [
            train_judge(one.draw, table, [seed], arena.judging, blur=blur) if blur else one.critic
            for one in trained
        ]
        found = cross_table(trained, judges, test, [seed], arena.samples)
        for row in table_rows("", kind, found, [seed]):
            yield kind, row


def record_brush(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``gran_brush``: T = 1, 3, 5 on MNIST with and without a brush.

    Args:
        slice: the digits for a few steps.
        seed: of games and judges.

    Yields:
        Rows of :func:`genbook.gran.studies.table_rows` with the roughness of the player's samples
        and of the data.
    """
    device = pick()
    load = data.digits if slice else data.mnist
    sets: tuple[ImageSet, ImageSet] = load("train", device=device), load("test", device=device)
    arena = Arena(5, 5, 100, 100) if slice else Arena()
    table, test = sets[0].flat, sets[1].flat[: arena.test]
    trained = [train(player, table, [seed], arena.iterations) for player in PLAYERS]
    texture = {one.player.name: rough(one) for one in trained}
    real = roughness(sets[1].images[:500, 0])
    for _, row in compare(trained, table, test, seed, arena):
        name = str(row["player"])
        yield {**row, "dataset": sets[0].name, "rough": texture[name], "rough_data": real}


def eyes(found: StudyResult) -> list[list[str | float]]:
    r"""What sharp judges and judges with spectacles make of each player, means over seeds.

    Args:
        found: the study ``gran_brush``.

    Returns:
        Rows of name, roughness, both errors of its judge added, the same for its judge with
        spectacles, and the error of its own discriminator on test images.
    """
    tables = [from_rows(found.rows, "mnist", kind) for kind in KINDS]
    judged, spectacled, own = tables
    sums = [one.test + one.cross.diagonal(dim1=-2, dim2=-1) for one in (judged, spectacled)]
    columns = [*(part.mean(0).tolist() for part in sums), own.test.mean(0).tolist()]
    texture = [spread(found.rows, "rough", player=name).mean for name in judged.names]
    return [list(row) for row in zip(judged.names, texture, *columns, strict=True)]


PAIRS = ((3, 1), (5, 1), (5, 3))
"""Battles of more steps against fewer, by T."""


def tallies(found: StudyResult, kind: str, width: int) -> list[Tally]:
    r"""Battles of more steps against fewer, in the order of :data:`PAIRS`.

    Args:
        found: the study ``gran_brush``.
        kind: of discriminator, one of :data:`KINDS`.
        width: of both players' brush; 1 is none.

    Returns:
        The counts over seeds; the first player is the one with more steps.
    """
    table = from_rows(found.rows, "mnist", kind)
    suffix = f", brush {width}" if width > 1 else ""
    return [
        count(table, f"GRAN, T = {one}{suffix}", f"GRAN, T = {two}{suffix}") for one, two in PAIRS
    ]


def outcomes(found: StudyResult) -> list[list[str]]:
    r"""The same battles with and without a brush.

    Args:
        found: the study ``gran_brush``.

    Returns:
        Rows of the battle, then wins, losses and ties as "1 : 0 : 2" for own discriminators and
        for judges.
    """
    rows: list[list[str]] = []
    for width, suffix in ((1, ""), (BRUSH, f", brush {BRUSH}")):
        both = zip(*(tallies(found, kind, width) for kind in ("critic", "judge")), strict=True)
        for (one, two), scores in zip(PAIRS, both, strict=True):
            cells = [f"{score.first} : {score.second} : {score.tie}" for score in scores]
            rows.append([f"T = {one} against {two}{suffix}", *cells])
    return rows


STUDIES = (
    Study(
        name="gran_brush",
        topic="gran",
        run=record_brush,
        seeds=(0, 1, 3, 4),
        config={
            "generators": "GRAN: z, code 64, decoder 128-128-d, encoder d-64; brush: each stroke "
            "averaged over 3x3 pixels",
            "discriminators": "d-128-1, leaky ReLU 0.2; with spectacles: images averaged over 3x3",
            "games": "as in gran_battles, each seed by itself; seed 2 was not run",
            "judges": "500 steps, GAN loss, Adam 1e-3 falling to 0, batch 64",
            "rates": "2000 samples, 2000 test images",
        },
    ),
)
