"""The recorded study of the GRAN chapter: T = 1, 3, 5 on digits, and every referee's verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from genbook.gran.convolutional import GRAN, STEPS
from genbook.gran.judges import fresh_judge
from genbook.gran.neighbours import Repeater, copied, coverage, yardstick
from genbook.gran.referee import (
    FIGHTING,
    MISS,
    Contestant,
    Evidence,
    contestants,
    curve,
    drawn,
    gather,
    judge,
    rates,
)
from genbook.gran.training import Recipe, Record, fit
from genbook.kit import data
from genbook.kit.data import ImageSet
from genbook.kit.device import pick, seeded
from genbook.kit.environment import cache_folder
from genbook.kit.packing import pack_surface, unpack_surface
from genbook.kit.studies import Row, Study, StudyResult, Value
from genbook.wgan.frechet import Judge, train_judge

SEEDS = tuple(range(5))

REPEATER = "repeater"
SLOW = "T = 5, slow"
"""The generator of five strokes whose learning rate is divided by five."""

SLOW_SEEDS = (0,)
"""Seeds that have one."""

FIGHTS = (
    ("T = 3", "T = 1"),
    ("T = 5", "T = 1"),
    ("T = 5", "T = 3"),
    (SLOW, "T = 1"),
    (SLOW, "T = 5"),
)
"""Who fights whom with their own discriminators."""

JUDGED = (*FIGHTS, (REPEATER, "T = 1"), (REPEATER, "T = 3"), (REPEATER, "T = 5"))
"""Who fights whom with fresh judges."""

SHOWN = 3
"""A picture of strokes shows 3 × 3 drawings."""

FAR = 12.0
"""Log-odds beyond ±12 are drawn as ±12."""

GRID = tuple(round(0.05 * place, 2) for place in range(1, 20))
"""Shares of validation images that both discriminators are made to miss."""


@dataclass(frozen=True)
class Setting:
    r"""What a contest costs.

    Args:
        iterations: updates of each pair.
        batch: images an update.
        channels: maps of side A/4 in both nets; half as many of side A/2.
        lr: of the generator.
        critic_lr: of the discriminator.
        memory: of the running average of the weights.
        held_out: training images kept back for thresholds.
        thresholds: how many of them set thresholds.
        samples: of each generator in a fight.
        few: samples and images where the count matters less.
        copies: samples whose nearest training image is looked for; and twice as many test images.
        reading: steps of the digit reader.
        judging: steps of a fresh judge.
        repeated: training images that the repeater knows.
    """

    iterations: int = 6_000
    batch: int = 64
    channels: int = 32
    lr: float = 1e-3
    critic_lr: float = 5e-4
    memory: float = 0.998
    held_out: int = 10_000
    thresholds: int = 5_000
    samples: int = 5_000
    few: int = 2_000
    copies: int = 500
    reading: int = 2_000
    judging: int = 200
    repeated: int = 1_000


MNIST = Setting()
DIGITS = Setting(
    iterations=300,
    batch=32,
    channels=16,
    lr=4e-4,
    critic_lr=4e-4,
    memory=0.98,
    held_out=337,
    thresholds=337,
    samples=2_000,
    few=337,
    copies=150,
    reading=800,
    judging=200,
    repeated=200,
)
TINY = Setting(
    iterations=2,
    batch=32,
    channels=16,
    held_out=50,
    thresholds=50,
    samples=50,
    few=50,
    copies=30,
    reading=2,
    judging=2,
    repeated=20,
)
LIVE = 3
"""The number of steps that is trained on the small digits, there for a live run to compare."""


@dataclass(frozen=True)
class Hall:
    r"""The images of a contest, and who reads them.

    Args:
        train: to learn from.
        validation: to set thresholds on.
        test: to measure on.
        reader: a classifier of digits whose features tell clouds of images apart.
        edge: the distance from a training image below which a sample counts as a copy.
        setting: the budgets.
    """

    train: ImageSet
    validation: ImageSet
    test: ImageSet
    reader: Judge
    edge: float
    setting: Setting


def hall(train: ImageSet, test: ImageSet, setting: Setting) -> Hall:
    r"""Hold validation images back and train the reader.

    Args:
        train: all training images; the last ``setting.held_out`` are kept back, and
            the first of those set thresholds.
        test: the test images.
        setting: the budgets.

    Returns:
        The hall.
    """
    first = len(train) - setting.held_out
    learned, kept = train.take(first), train.take(slice(first, first + setting.thresholds))
    reader = train_judge(learned, test, steps=setting.reading)
    edge = yardstick(test.flat[: 2 * setting.copies], learned.flat)
    return Hall(learned, kept, test, reader, edge, setting)


def recipes(setting: Setting, steps: Sequence[int], *, slow: bool = False) -> dict[str, Recipe]:
    r"""The recipes of a contest by name.

    Args:
        setting: the budgets and rates.
        steps: the T.
        slow: add T = 5 with a fifth of the generator's rate.

    Returns:
        Recipes that differ in T, and the slow one.

    Example:
        >>> list(recipes(DIGITS, [1, 3]))
        ['T = 1', 'T = 3']
    """
    first = Recipe(
        1,
        setting.iterations,
        batch=setting.batch,
        channels=setting.channels,
        lr=setting.lr,
        critic_lr=setting.critic_lr,
        memory=setting.memory,
    )
    plain = {f"T = {count}": replace(first, steps=count) for count in steps}
    if not slow:
        return plain
    return {**plain, SLOW: replace(first, steps=5, lr=setting.lr / 5)}


def train_all(
    place: Hall,
    seed: int,
    steps: Sequence[int] = STEPS,
    folder: Path | None = None,
    *,
    slow: bool = False,
) -> dict[str, Record]:
    r"""Train the pairs of a seed, or load what was trained before.

    Args:
        place: the images and the budget.
        seed: of all pairs; those of one seed begin with the same weights.
        steps: the T.
        folder: where runs keep their weights; nowhere by default.
        slow: as in :func:`recipes`.

    Returns:
        The runs by name.
    """
    found = {}
    for name, recipe in recipes(place.setting, steps, slow=slow).items():
        kept = f"{place.train.name}-{recipe.steps}-{seed}-{_digest(recipe)}"
        found[name] = fit(recipe, place.train, seed, folder / kept if folder else None)
    return found


def _digest(recipe: Recipe) -> str:
    told = f"{sorted(asdict(recipe).items())} {torch.__version__}"
    return hashlib.blake2b(told.encode(), digest_size=4).hexdigest()


def _fight_rows(pair: Row, rule: str, evidence: Evidence, miss: float | None) -> Row:
    found = judge(evidence, miss=miss)
    return {
        "kind": "fight",
        **pair,
        "rule": rule,
        **vars(found.battle.rates),
        "low": found.low,
        "high": found.high,
        "winner": found.winner,
    }


def _finite(row: Row) -> Row:
    """Infinite ends of an interval as ±99, which no ratio of counted images reaches."""
    return {
        key: min(max(value, -99.0), 99.0) if isinstance(value, float) else value
        for key, value in row.items()
    }


def fight_rows(place: Hall, runs: dict[str, Record], mark: Row) -> Iterator[Row]:
    r"""Every pair of players under every referee.

    Args:
        place: the images.
        runs: of one seed.
        mark: columns that all rows begin with.

    Yields:
        Rows of kind ``"fight"`` and, for the calibrated referee, ``"curve"``.
    """
    sent = {name: contestants(run) for name, run in runs.items()}
    for more, less in _met(FIGHTS, runs):
        pair = {**mark, "first": more, "second": less}
        for way in ("last", "snapshots", "average"):
            seen = _gathered(place, sent[more][way], sent[less][way])
            yield _finite(_fight_rows(pair, f"{way}, half", seen, None))
            yield _finite(_fight_rows(pair, f"{way}, equal", seen, MISS))
            if way == "average":
                for miss, found in zip(GRID, curve(seen, GRID), strict=True):
                    yield {"kind": "curve", **pair, "miss": miss, **vars(found)}


def _met(pairs: Sequence[tuple[str, str]], players: Container[str]) -> Iterator[tuple[str, str]]:
    return ((one, two) for one, two in pairs if one in players and two in players)


def _gathered(place: Hall, first: Contestant, second: Contestant) -> Evidence:
    images = place.validation.images, place.test.images
    return gather(first, second, *images, samples=place.setting.samples)


def moment_rows(
    place: Hall, runs: dict[str, Record], more: str, less: str, mark: Row
) -> Iterator[Row]:
    r"""The fight of two players at each snapshot, by the raw and the even rule.

    Args:
        place: the images.
        runs: of one seed.
        more: player 1.
        less: player 2.
        mark: columns that all rows begin with.

    Yields:
        Rows of kind ``"moment"``.
    """
    few = place.setting.few
    for which, step in enumerate(runs[more].recipe.marks):
        pairs = [Contestant.of(name, runs[name].snapshots[which]) for name in (more, less)]
        images = place.validation.take(few).images, place.test.take(few).images
        seen = gather(pairs[0], pairs[1], *images, samples=few)
        for rule, miss in (("half", None), ("equal", MISS)):
            yield {
                "kind": "moment",
                **mark,
                "first": more,
                "second": less,
                "step": step,
                "rule": rule,
                **vars(rates(seen, miss)),
            }


def player_rows(place: Hall, runs: dict[str, Record], seed: int, mark: Row) -> Iterator[Row]:
    r"""Each player, and a repeater of training images, by measures without a battle; fresh judges.

    Args:
        place: the images.
        runs: of one seed.
        seed: of the judges.
        mark: columns that all rows begin with.

    Yields:
        Rows of kind ``"player"``, then rows of kind ``"fight"`` under ``"fresh judges, equal"``.
    """
    cost = place.setting
    nets: dict[str, GRAN | Repeater] = {name: run.average.generator for name, run in runs.items()}
    nets[REPEATER] = Repeater(place.train.images[: cost.repeated])
    seconds = {name: run.seconds for name, run in runs.items()}
    sent: dict[str, Contestant] = {}
    for name, net in nets.items():
        trained = fresh_judge(net, net.latent, place.train.images, seed, iterations=cost.judging)
        sent[name] = Contestant(name, net, (trained,), net.latent)
        spent: dict[str, Value] = {"seconds": seconds[name]} if name in seconds else {}
        yield {"kind": "player", **mark, "player": name, **spent, **_measured(place, sent[name])}
    for one, two in _met(JUDGED, nets):
        pair = {**mark, "first": one, "second": two}
        seen = _gathered(place, sent[one], sent[two])
        yield _finite(_fight_rows(pair, "fresh judges, equal", seen, MISS))


def _measured(place: Hall, who: Contestant) -> dict[str, Value]:
    cost = place.setting
    codes = seeded(FIGHTING.seed(1), device=place.test.images.device)
    z = torch.randn(cost.samples, who.latent, generator=codes, device=codes.device)
    fakes = drawn(who.generator, z)
    flat = fakes.flatten(1)
    own = gather(who, who, place.validation.images, place.test.images, samples=cost.samples)
    raw = rates(own, None)
    few = min(cost.few, len(place.test))
    real = place.test.flat[:few]
    both = coverage(place.reader.features(real), place.reader.features(flat[:few]))
    return {
        "frechet": float(place.reader.distance(flat)),
        "precision": both.precision,
        "recall": both.recall,
        "copied": copied(flat[: cost.copies], place.train.flat, place.edge),
        "judge_test": raw.test_1,
        "judge_fake": raw.sample_1,
    }


def stroke_rows(runs: dict[str, Record], mark: Row) -> Iterator[Row]:
    r"""The first nine drawings of each player, stroke by stroke.

    Args:
        runs: of one seed.
        mark: columns that all rows begin with.

    Yields:
        Rows of kind ``"strokes"``: the lowest and the highest log-odds, and a page of 3 × 3
        increments as text.
    """
    for name, run in runs.items():
        net = run.average.generator
        codes = seeded(FIGHTING.seed(2), device=next(net.parameters()).device)
        z = torch.randn(SHOWN**2, net.latent, generator=codes, device=codes.device)
        with torch.no_grad():
            made = net.increments(z)[:, :, 0].clamp(-FAR, FAR)
        for step, stroke in enumerate(made):
            page = stroke.unflatten(0, (SHOWN, SHOWN)).transpose(1, 2).flatten(2).flatten(0, 1)
            yield {
                "kind": "strokes",
                **mark,
                "player": name,
                "step": step,
                "low": float(page.min()),
                "high": float(page.max()),
                "page": pack_surface(page),
            }


def recorded_strokes(found: StudyResult, player: str, dataset: str = "mnist") -> Tensor:
    r"""Undo :func:`stroke_rows`, up to 256 levels.

    Args:
        found: the study ``gran_battles``.
        player: such as ``"T = 5"``.
        dataset: name of the images.

    Returns:
        Increments in log-odds, **[T, 9, A, A]**.
    """
    pages = []
    for row in found.where(kind="strokes", player=player, dataset=dataset):
        text, low, high = str(row["page"]), float(row["low"]), float(row["high"])
        side = round((len(text) / 2) ** 0.5)
        page = low + (high - low) * unpack_surface(text, side)
        edge = side // SHOWN
        tiles = page.reshape(SHOWN, edge, SHOWN, edge).transpose(1, 2)
        pages.append(tiles.reshape(SHOWN**2, edge, edge))
    return torch.stack(pages)


def contest_rows(
    place: Hall,
    seed: int,
    folder: Path | None = None,
    *,
    steps: Sequence[int] = STEPS,
    slow: bool = False,
    pictures: bool = False,
) -> Iterator[Row]:
    r"""All rows of one seed on one data set.

    Args:
        place: the images and the budgets.
        seed: of the pairs.
        folder: where runs keep their weights.
        steps: the T, the smallest first.
        slow: as in :func:`recipes`.
        pictures: whether to record strokes.

    Yields:
        The rows of the functions above.
    """
    mark: Row = {"dataset": place.train.name, "seed": seed}
    runs = train_all(place, seed, steps, folder, slow=slow)
    yield from player_rows(place, runs, seed, mark)
    yield from fight_rows(place, runs, mark)
    yield from moment_rows(place, runs, f"T = {steps[-1]}", f"T = {steps[0]}", mark)
    if pictures:
        yield from stroke_rows(runs, mark)


def record_battles(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``gran_battles``.

    The weights of each run stay in the cache, so that a stopped run goes on and another referee
    needs no new training.

    Args:
        slice: the digits for two updates.
        seed: of the pairs.

    Yields:
        Rows of :func:`contest_rows`.
    """
    where = pick()
    small = data.digits("train", device=where), data.digits("test", device=where)
    if slice:
        yield from contest_rows(hall(*small, TINY), seed, steps=(1, LIVE), pictures=True)
        return
    large = data.mnist("train", device=where), data.mnist("test", device=where)
    folder = cache_folder() / "gran"
    page = hall(*small, DIGITS)
    runs = train_all(page, seed, (LIVE,), folder)
    yield from player_rows(page, runs, seed, {"dataset": "digits", "seed": seed})
    place = hall(*large, MNIST)
    slow = seed in SLOW_SEEDS
    yield from contest_rows(place, seed, folder, slow=slow, pictures=seed == 0)


STUDIES = (
    Study(
        name="gran_battles",
        topic="gran",
        run=record_battles,
        seeds=SEEDS,
        config={
            "generator": "z 64; code tanh 64; decoder 128-(channels maps of A/4)-(half as many of "
            "A/2)-A, batch norm; encoder its mirror; one z, zero first code, sum before the "
            "sigmoid",
            "discriminator": "A-(channels/2 maps of A/2)-(channels of A/4)-64 tanh-1, leaky ReLU "
            "0.2; no noise",
            "game": "Adam, betas 0.5 and 0.999, rates lr for G and critic_lr for D, falling to 0 "
            "over the second half; running averages of weights; 16 snapshots over the last four "
            "fifths",
            "mnist": asdict(MNIST),
            "digits": asdict(DIGITS),
            "miss": MISS,
            "slow": f"{SLOW}: G's rate 2e-4; seeds {', '.join(map(str, SLOW_SEEDS))}",
        },
    ),
)
