r"""The recorded studies of the translation chapter: ablations on digits, λ, patches, cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

import torch
from torch import nn

from genbook.kit import data
from genbook.kit.device import budget
from genbook.kit.packing import pack_images
from genbook.kit.studies import Row, Study
from genbook.translation.cyclegan import CYCLE_ABLATION, CycleNets, CycleRecipe, train_cycle
from genbook.translation.pairs import Domains, Pairs, domains, outlines, thumbnails
from genbook.translation.pix2pix import ABLATION, PairStep, Recipe, critic_view, train_pairs
from genbook.translation.scores import (
    domain_judge,
    judged_right,
    perturbed,
    reader,
    score_cycle,
    score_pairs,
    share_read,
)

SHOWN = 6
"""Pictures that a row keeps."""

LEVELS = (0.0, 0.02, 0.05, 0.1, 0.2)
"""Noise on the picture in the middle of a cycle."""

WITHOUT_SKIPS = {
    "L1, no skips": replace(ABLATION["L1"], skips=False),
    "L1+cGAN, no skips": replace(ABLATION["L1+cGAN"], skips=False),
}
WEIGHTS = (0.0, 1.0, 10.0, 100.0, 1000.0)
PATCH_SIDES, PATCH_WEIGHT = (1, 4, 10, 16, 34), 10.0
CYCLES = {
    **{name: replace(recipe, start="copy") for name, recipe in CYCLE_ABLATION.items()},
    "CycleGAN + identity": CycleRecipe(identity=0.5, start="copy"),
    "CycleGAN, from noise": CycleRecipe(),
    "CycleGAN + identity, from noise": CycleRecipe(identity=0.5),
}
SCRUBBED, MOMENTS, TRAVELLERS = ("CycleGAN", "CycleGAN, from noise"), 8, 4
TASKS = {"thumbnail": thumbnails, "outline": outlines}


def run_pairs(pairs: Pairs, recipe: Recipe, seed: int, iterations: int) -> PairStep:
    r"""Train to the end.

    Args:
        pairs: what to learn from.
        recipe: losses and networks.
        seed: of the run.
        iterations: of :func:`~genbook.translation.pix2pix.train_pairs`.

    Returns:
        The last step.
    """
    *_, step = train_pairs(pairs, recipe, seed=seed, iterations=iterations)
    return step


def _sets(slice: bool, task: str) -> tuple[Pairs, Pairs, nn.Module]:
    """Training pairs, 500 held-out pairs, a reader."""
    load = data.digits if slice else data.mnist
    train, test = load("train", device="cpu"), load("test", device="cpu")
    net = reader(train.images, train.labels, steps=20 if slice else 400)
    test = test.take(min(500, len(test)))
    return TASKS[task](train), TASKS[task](test), net


def _images(step: PairStep, held: Pairs) -> str:
    assert step.generator is not None
    with torch.no_grad():
        return pack_images(step.generator(held.x[:SHOWN]))


def record_ablation(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_ablation``: five losses, and two without skips; outlines with two.

    Args:
        slice: 8×8 digits, a few steps.
        seed: of the runs.

    Yields:
        One row a task and recipe.
    """
    iterations = 3 if slice else budget(cpu=300, gpu=4_000)
    for task in TASKS if seed == 0 else ("thumbnail",):
        train, held, net = _sets(slice, task)
        recipes = {**ABLATION, **WITHOUT_SKIPS}
        if task == "outline":
            recipes = {name: ABLATION[name] for name in ("L1", "L1+cGAN")}
        for name, recipe in recipes.items():
            step = run_pairs(train, recipe, seed, iterations)
            assert step.generator is not None
            score = score_pairs(step.generator, held, net)
            pictures = {"pictures": _images(step, held)} if seed == 0 else {}
            yield {"task": task, "loss": name, "seed": seed, **asdict(score), **pictures}
        if seed == 0:
            real = {"input": pack_images(held.x[:SHOWN]), "pictures": pack_images(held.y[:SHOWN])}
            yield {"task": task, "loss": "answers", "seed": -1, "side": train.side, **real}


def record_sweeps(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_sweeps``: cGAN + λL1 on thumbnails; λ first, then the patch.

    Args:
        slice: 8×8 digits, a few steps.
        seed: of the runs.

    Yields:
        One row a λ, and one a patch with λ = 10.
    """
    iterations = 3 if slice else budget(cpu=300, gpu=4_000)
    train, held, net = _sets(slice, "thumbnail")
    recipes = [("weight", Recipe(weight=weight)) for weight in WEIGHTS]
    sides = PATCH_SIDES[:3] if slice else PATCH_SIDES
    recipes += [("patch", Recipe(weight=PATCH_WEIGHT, patch=side)) for side in sides]
    for sweep, recipe in recipes:
        step = run_pairs(train, recipe, seed, iterations)
        assert step.generator is not None
        score = asdict(score_pairs(step.generator, held, net))
        row: Row = {"sweep": sweep, "weight": recipe.weight, "patch": recipe.patch, "seed": seed}
        yield {**row, **score, **_verdicts(step, held)}


def _verdicts(step: PairStep, held: Pairs) -> Row:
    """Translations, and the probability the critic gives each patch of them and of the answers."""
    assert step.generator is not None
    assert step.critic is not None
    x, y = held.x[:SHOWN], held.y[:SHOWN]
    with torch.no_grad():
        made = step.generator(x)
        fake, real = (step.critic(critic_view("xy", x, seen)).sigmoid() for seen in (made, y))
    shown = {
        "pictures": pack_images(made),
        "maps": pack_images(fake),
        "real_maps": pack_images(real),
    }
    return {"map_side": fake.shape[-1], **shown}


def record_cycles(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_cycles``: five losses and identity terms, from a copy and noise.

    Args:
        slice: a few steps on a few pictures.
        seed: of the runs.

    Yields:
        One row a loss, one of pictures that nobody translated, and for the first seed one a
        moment of two trainings.
    """
    iterations = 3 if slice else budget(cpu=600, gpu=6_000)
    train, held = domains("train"), domains("test").take(300)
    train = train.take(200) if slice else train
    steps = 10 if slice else 400
    readers = (
        reader(train.x, train.x_labels, steps=steps),
        reader(train.y, train.y_labels, steps=steps),
    )
    judge = domain_judge(train, steps=steps)
    yield {"kind": "untranslated", "seed": seed, **_untranslated(held, readers, judge)}
    for name, recipe in CYCLES.items():
        moments = max(1, iterations // MOMENTS) if name in SCRUBBED and seed == 0 else 0
        for step in train_cycle(train, recipe, seed=seed, iterations=iterations):
            if moments and (step.index % moments == 0 or step.last):
                yield {"loss": name, **moment(step.index, step.nets, held)}
        assert step.nets is not None
        score = asdict(score_cycle(step.nets, held, readers, judge))
        row: Row = {"kind": "score", "loss": name, "seed": seed}
        yield {**row, **score, **_noised(step.nets, held)}


def _noised(nets: CycleNets, held: Domains) -> Row:
    """The error of y → F → + noise → G at each level of noise."""
    errors = perturbed(nets, held.y, LEVELS).tolist()
    return {f"noise_{level:g}": error for level, error in zip(LEVELS, errors, strict=True)}


HIDING = {"GAN + backward, from noise": CycleRecipe(forward=False, patch=10)}


def record_hidden(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_hidden``: a cycle that nothing keeps from hiding its message.

    Args:
        slice: a few steps on a few pictures.
        seed: of the runs.

    Yields:
        One row a loss: what noise does to the way back, and what the blocks do.
    """
    iterations = 3 if slice else budget(cpu=300, gpu=6_000)
    train, held = domains("train"), domains("test").take(300)
    train = train.take(200) if slice else train
    blind = nn.Flatten()
    for name, recipe in HIDING.items():
        *_, step = train_cycle(train, recipe, seed=seed, iterations=iterations)
        assert step.nets is not None
        score = asdict(score_cycle(step.nets, held, (blind, blind), blind))
        kept = {key: score[key] for key in ("cycle_x", "cycle_y", "smuggled", "blocked")}
        row: Row = {"kind": "score", "loss": name, "seed": seed}
        yield {**row, **kept, **_noised(step.nets, held)}


def _untranslated(held: Domains, readers: tuple[nn.Module, nn.Module], judge: nn.Module) -> Row:
    """What readers of the other domain read untranslated, and how often the judge is right."""
    return {
        "to_y": share_read(readers[1], held.x, held.x_labels),
        "to_x": share_read(readers[0], held.y, held.y_labels),
        "judged": judged_right(judge, held),
    }


def moment(index: int, nets: CycleNets | None, held: Domains) -> Row:
    r"""Four pictures of each domain, there and back.

    Args:
        index: of the step.
        nets: as they are.
        held: held out.

    Returns:
        A row with the pictures as text.
    """
    assert nets is not None
    x, y = held.x[:TRAVELLERS], held.y[:TRAVELLERS]
    with torch.no_grad():
        there, back = nets.g(x), nets.f(y)
        trips = {"x": x, "g_x": there, "f_g_x": nets.f(there)}
        trips |= {"y": y, "f_y": back, "g_f_y": nets.g(back)}
    pictures = {name: pack_images(images) for name, images in trips.items()}
    return {"kind": "moment", "step": index, "side": x.shape[-1], **pictures}


SMALL = {name: ABLATION[name] for name in ("L1", "GAN", "L1+cGAN")}
SMALL_STEPS = 150


def small_scores(seed: int, iterations: int = SMALL_STEPS) -> Iterator[Row]:
    r"""Three losses on outlines of the 8×8 digits, which every machine has.

    Args:
        seed: of the runs.
        iterations: of each.

    Yields:
        One row a loss.
    """
    train, test = data.digits("train", device="cpu"), data.digits("test", device="cpu")
    net = reader(train.images, train.labels, steps=min(300, 20 * iterations))
    for name, recipe in SMALL.items():
        step = run_pairs(outlines(train), replace(recipe, patch=4), seed, iterations)
        assert step.generator is not None
        yield {
            "loss": name,
            "seed": seed,
            **asdict(score_pairs(step.generator, outlines(test), net)),
        }


def record_small(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_digits``: :func:`small_scores`, to hold live runs against.

    Args:
        slice: a few steps.
        seed: of the runs.

    Yields:
        One row a loss.
    """
    yield from small_scores(seed, 3 if slice else SMALL_STEPS)


STUDIES = (
    Study(
        "translation_digits",
        "translation",
        record_small,
        seeds=(0, 1, 2, 3, 4),
        config={"iterations": SMALL_STEPS, "batch": 32, "rate": 1e-3, "lambda": 100, "patch": 4},
    ),
    Study(
        "translation_ablation",
        "translation",
        record_ablation,
        seeds=(0, 1, 2),
        config={"iterations": 300, "batch": 32, "rate": 1e-3, "lambda": 100, "patch": 16},
    ),
    Study(
        "translation_cycles",
        "translation",
        record_cycles,
        seeds=(0, 1, 2),
        config={
            "iterations": 600,
            "batch": 16,
            "rate": 1e-3,
            "lambda": 10,
            "pool": 50,
            "patch": 22,
        },
    ),
    Study(
        "translation_hidden",
        "translation",
        record_hidden,
        seeds=(0, 1, 2),
        config={
            "iterations": 300,
            "batch": 16,
            "rate": 1e-3,
            "lambda": 10,
            "pool": 50,
            "patch": 10,
        },
    ),
    Study(
        "translation_sweeps",
        "translation",
        record_sweeps,
        seeds=(0, 1, 2),
        config={"iterations": 300, "batch": 32, "rate": 1e-3, "patch lambda": 10},
    ),
)
