r"""Photographs: drawings turned into colour, textures into textures, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import combinations

import torch
from torch import Tensor, nn

from genbook.kit.device import budget
from genbook.kit.packing import pack_images
from genbook.kit.studies import Row, Study
from genbook.translation.cyclegan import CycleNets, CycleRecipe, train_cycle
from genbook.translation.networks import silenced
from genbook.translation.pairs import TEXTURES, Domains, Pairs, edges, grey, photographs, textures
from genbook.translation.pix2pix import ABLATION
from genbook.translation.scores import (
    domain_judge,
    judged_right,
    score_pairs,
    share_read,
    sharpness,
)
from genbook.translation.studies import SHOWN, moment, run_pairs


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


def directions(images: Tensor, bins: int = 8) -> Tensor:
    r"""Where slopes point: the share of all steepness in each direction, from 0 to 180 degrees.

    Args:
        images: **[N, 1, H, W]**.
        bins: how many directions; the first and the one in the middle lie around the axes.

    Returns:
        Shares **[bins]** that sum to one.

    Raises:
        ValueError: if every image is even, or there are other than one channel.

    Example:
        >>> stripes = torch.tensor([0.0, 1.0]).repeat(4)[:, None].expand(1, 1, 8, 8)
        >>> directions(stripes, 4).tolist()
        [0.0, 0.0, 1.0, 0.0]
    """
    if images.ndim != 4 or images.shape[1] != 1 or bins < 1:
        raise ValueError(f"expected images [N, 1, H, W] and bins, got {list(images.shape)}, {bins}")
    across, down = _slopes(images)
    steep = across.hypot(down)
    if not steep.any():
        raise ValueError("expected images that are not even everywhere")
    place = (torch.atan2(down, across) / torch.pi * bins).round().long() % bins
    shares = images.new_zeros(bins).index_add(0, place.flatten(), steep.flatten())
    return shares / shares.sum()


def _slopes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Differences across and down, where both exist."""
    corner = images[..., :-1, :-1]
    return images[..., :-1, 1:] - corner, images[..., 1:, :-1] - corner


def tones(images: Tensor, bins: int = 16) -> Tensor:
    r"""The share of pixels of each grey.

    Args:
        images: in [0, 1], any shape.
        bins: how many greys.

    Returns:
        Shares **[bins]** that sum to one.
    """
    place = (images.clamp(0, 1) * bins).long().clamp(max=bins - 1).flatten()
    return torch.bincount(place, minlength=bins) / place.numel()


def left_to_go(made: Tensor, start: Tensor, goal: Tensor) -> float:
    r"""How much of the way between two histograms is left.

    .. math:: \frac{\lVert h_{\text{made}} - h_{\text{goal}}\rVert_1}
        {\lVert h_{\text{start}} - h_{\text{goal}}\rVert_1}

    Args:
        made: shares of the translations, **[bins]**.
        start: of the inputs.
        goal: of real pictures of the target.

    Returns:
        1 if nothing has moved, 0 if the goal is reached; above 1 if it moved away.

    Raises:
        ValueError: if the start is at the goal.

    Example:
        >>> h = torch.eye(2)
        >>> left_to_go(h.mean(0), h[0], h[1])
        0.5
    """
    way = float((start - goal).abs().sum())
    if way == 0:
        raise ValueError("expected histograms of start and goal that differ")
    return float((made - goal).abs().sum()) / way


def same_edges(one: Tensor, other: Tensor) -> float:
    r"""Whether two pictures are steep in the same places: the correlation of their steepness.

    Args:
        one: **[N, 1, H, W]**.
        other: likewise; compared picture by picture.

    Returns:
        The mean over pictures, between −1 and 1; a picture with itself gives 1, and an even one 0.

    Example:
        >>> image = torch.eye(6)[None, None]
        >>> round(same_edges(image, 1 - image), 5)
        1.0
    """
    steep = []
    for images in (one, other):
        slopes = torch.hypot(*_slopes(images)).flatten(1)
        steep.append(slopes - slopes.mean(1, keepdim=True))
    return float(nn.functional.cosine_similarity(steep[0], steep[1]).mean())


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


def record_textures(slice: bool) -> Iterator[Row]:
    r"""The study ``translation_textures``: CycleGANs between photographs of three textures.

    Args:
        slice: a few patches, a few steps.

    Yields:
        A row a pair of textures, with pictures to look at.
    """
    iterations, count = (2, 40) if slice else (budget(cpu=400, gpu=8_000), 3_000)
    for x, y in combinations(TEXTURES, 2):
        train = textures(x, y, "train", count=count)
        held = textures(x, y, "test", count=40 if slice else 300)
        judge = domain_judge(train, steps=10 if slice else 300)
        recipe = CycleRecipe(start="copy")
        *_, step = train_cycle(train, recipe, seed=0, iterations=iterations)
        yield {
            **moment(step.index, step.nets, held),
            "task": f"{x} ↔ {y}",
            **_texture_score(step.nets, held, judge),
        }


def _texture_score(nets: CycleNets | None, held: Domains, judge: nn.Module) -> Row:
    """What a judge of textures says of both translations, and how far tones and slopes moved."""
    assert nets is not None
    found: Row = {"judged": judged_right(judge, held)}
    with torch.no_grad():
        ways = (("y", held.x, nets.g(held.x), held.y), ("x", held.y, nets.f(held.y), held.x))
    for number, (goal, start, made, real) in enumerate(ways):
        taken = share_read(judge, made, torch.full((len(made),), 1 - number, device=made.device))
        found = {**found, f"as_{goal}": taken}
        for key, shares in (("tones", tones), ("slopes", directions)):
            left = left_to_go(shares(made), shares(start), shares(real))
            found = {**found, f"{key}_{goal}": left}
        found = {**found, f"edges_{goal}": same_edges(start, made)}
    return found


STUDIES = (
    Study(
        "translation_photos",
        "translation",
        record_photos,
        seeds=(0, 1, 2),
        config={"iterations": 600, "batch": 32, "patches": 3000, "shrink": 2, "lambda": 100},
    ),
    Study(
        "translation_textures",
        "translation",
        record_textures,
        config={"iterations": 400, "batch": 16, "patches": 3000, "shrink": 2, "lambda": 10},
    ),
)
