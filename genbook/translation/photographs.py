r"""Photographs: drawings turned into colour, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

import torch
from torch import Tensor, nn

from genbook.kit.device import budget
from genbook.kit.packing import pack_images
from genbook.kit.studies import Row, Study
from genbook.translation.networks import silenced
from genbook.translation.pairs import Pairs, edges, grey, photographs
from genbook.translation.pix2pix import ABLATION
from genbook.translation.scores import (
    score_pairs,
    sharpness,
)
from genbook.translation.studies import SHOWN, run_pairs


def colour(images: Tensor) -> Tensor:
    r"""How far the channels lie from their luma: the mean absolute difference, 0 for grey.

    Args:
        images: **[N, 3, H, W]**.

    Returns:
        One number.

    Raises:
        ValueError: if there are no three channels.

    Example:
        >>> colour(torch.full((1, 3, 2, 2), 0.5)).round(decimals=6).abs()
        tensor(0.)
    """
    return (images - grey(images)).abs().mean()


class OneColour(nn.Module):
    r"""Paints every picture in one colour: what to beat.

    Args:
        answers: **[N, C, H, W]**; their median colour is the one with the least L1.
    """

    def __init__(self, answers: Tensor) -> None:
        super().__init__()
        self.colour = answers.transpose(0, 1).flatten(1).median(1).values

    def forward(self, x: Tensor) -> Tensor:
        """**[B, C, H, W]** in the one colour."""
        return self.colour[:, None, None].expand(len(x), -1, *x.shape[2:])


class StillGrey(nn.Module):
    """Hands a grey picture on in three channels."""

    def forward(self, x: Tensor) -> Tensor:
        """**[B, 1, H, W]** → **[B, 3, H, W]**."""
        return x.expand(-1, 3, -1, -1)


PHOTO_LOSSES = {name: ABLATION[name] for name in ("L1", "L1+cGAN")}
COPIERS = {
    f"{name}, from a copy": replace(recipe, copies=True) for name, recipe in PHOTO_LOSSES.items()
}


def record_photos(slice: bool, seed: int) -> Iterator[Row]:
    r"""The study ``translation_photos``: edges → photo and grey → colour.

    Args:
        slice: a few patches, a few steps.
        seed: of the runs.

    Yields:
        A row a task and loss; with the first seed also pictures, and rows (seed −1) for the
        photographs and for what one colour or no colour is worth.
    """
    iterations, count = (2, 40) if slice else (budget(cpu=600, gpu=8_000), 3_000)
    for make, name in ((edges, "edges → photo"), (grey, "grey → colour")):
        train = photographs(make, name, "train", count=count)
        held = photographs(make, name, "test", count=40 if slice else 300)
        if seed == 0:
            yield from _to_beat(name, train, held)
        recipes = {**PHOTO_LOSSES, **(COPIERS if make is grey else {})}
        for loss, recipe in recipes.items():
            step = run_pairs(train, recipe, seed, iterations)
            assert step.generator is not None
            score = _photo_score(step.generator, held, pictures=seed == 0)
            yield {"task": name, "loss": loss, "seed": seed, **score}


def _to_beat(task: str, train: Pairs, held: Pairs) -> Iterator[Row]:
    """The photographs, and translators that have learned nothing or next to nothing."""
    row: Row = {"task": task, "seed": -1}
    shown = {"input": pack_images(held.x[:SHOWN]), "pictures": pack_images(held.y[:SHOWN])}
    yield {**row, "loss": "photo", "side": held.side, **shown}
    idle: dict[str, nn.Module] = {"one colour": OneColour(train.y)}
    if task.startswith("grey"):
        idle["still grey"] = StillGrey()
    for loss, net in idle.items():
        yield {**row, "loss": loss, **_photo_score(net, held, pictures=True)}


def _photo_score(generator: nn.Module, held: Pairs, *, pictures: bool) -> Row:
    """Scores, with the sharpness of what it paints when its noise is switched off, and pictures."""
    with torch.no_grad():
        made, calm = generator(held.x), silenced(generator)(held.x)
    score = asdict(score_pairs(generator, held))
    return {
        **{key: score[key] for key in ("l1", "sharpness", "follows", "noise")},
        "calm": sharpness(calm, held.y),
        "colour": float(colour(made) / colour(held.y)),
        **({"pictures": pack_images(made[:SHOWN])} if pictures else {}),
    }


STUDIES = (
    Study(
        "translation_photos",
        "translation",
        record_photos,
        seeds=(0, 1, 2),
        config={"iterations": 600, "batch": 32, "patches": 3000, "shrink": 2, "lambda": 100},
    ),
)
