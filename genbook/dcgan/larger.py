r"""The same games on larger images: MNIST at 16×16, and patches of photographs in colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from genbook.dcgan.probe import LABELS, probe
from genbook.dcgan.studies import (
    EVERY,
    JUDGED_ON,
    RECIPES,
    STEPS,
    Scene,
    board,
    each,
    looked_at,
    scene,
)
from genbook.dcgan.training import Players, Recipe
from genbook.kit.data import ImageSet, mnist, photos
from genbook.kit.device import seeded
from genbook.kit.packing import pack_images
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream

SIDE = 16
SHOWN = 8
"""How many images of a run are kept."""

PATCHES, OTHERS = 6_000, 2_000
"""Patches to learn from, and others to judge by."""

PLACES = Substream("places of the patches", 7_000)

SETTINGS = (
    "guidelines",
    "batch norm at G's output",
    "no batch norm in D",
    "β₁ = 0.9",
    "rate 0.001",
    "kernels of 5",
)
"""Of the settings of :data:`~genbook.dcgan.studies.RECIPES`, those that are run here."""


def halved(images: ImageSet) -> ImageSet:
    r"""28×28 images with a margin of two all around, averaged over blocks of 2×2.

    Args:
        images: **[N, C, 28, 28]**.

    Returns:
        **[N, C, 16, 16]**.

    Raises:
        ValueError: if the images are of another size.

    Example:
        >>> small = halved(ImageSet("x", torch.ones(1, 1, 28, 28), torch.zeros(1).long()))
        >>> small.images.shape, small.images.sum().item()
        (torch.Size([1, 1, 16, 16]), 196.0)
    """
    if images.size[1:] != (28, 28):
        raise ValueError(f"expected images of 28×28, got {list(images.images.shape)}")
    return replace(images, images=functional.avg_pool2d(functional.pad(images.images, (2,) * 4), 2))


def numbers() -> tuple[ImageSet, ImageSet]:
    r"""MNIST at 16×16, to learn from and to judge by; the 8×8 digits where it can't be had."""
    learn, test = mnist("train"), mnist("test")
    return (halved(learn), halved(test)) if learn.name == "mnist" else (learn, test)


def patches(learn: int = PATCHES, test: int = OTHERS) -> tuple[ImageSet, ImageSet]:
    r"""Patches of 16×16 in colour, from the photographs that the book carries, at half their size.

    Args:
        learn: how many to learn from.
        test: how many others, of other places in the same photographs; some share pixels.

    Returns:
        Both; a label is the photograph's place among the seven.
    """
    both = (
        photos(SIDE, "all", count=count, generator=seeded(PLACES.seed(part)), shrink=2)
        for part, count in enumerate((learn, test))
    )
    return next(both), next(both)


def enlarged(recipe: Recipe, images: Tensor) -> Recipe:
    r"""The recipe with players for images of this size, and minibatches of half the size.

    Args:
        recipe: of smaller images.
        images: **[N, C, A, A]**.

    Returns:
        All else as it was.

    Example:
        >>> enlarged(Recipe(beta=0.9), torch.zeros(1, 3, 16, 16)).design.channels
        3
    """
    channels, _, side = images.shape[1:]
    design = replace(recipe.design, side=side, channels=channels)
    return replace(recipe, design=design, batch=recipe.batch // 2)


def about(given: Scene, learn: ImageSet) -> Row:
    r"""What there is to compare with: the judge, and the images themselves.

    Args:
        given: the scene.
        learn: the images that the players learn from.

    Returns:
        A row of ``floor`` (one half of the images judged by from the other), ``accuracy`` (of the
        judge, on them), ``distance`` and ``board`` of 2,000 images that are learned from, and
        eight of them.
    """
    source = seeded(0, learn.images.device)
    order = torch.randperm(len(learn), generator=source, device=source.device)
    seen = learn.images[order[:JUDGED_ON]]
    return {
        "floor": round(given.judge.floor, 3),
        "accuracy": round(given.judge.accuracy, 4),
        "distance": round(float(given.judge.distance(seen.flatten(1))), 3),
        "board": round(board(seen), 5),
        **packed(seen),
    }


def packed(images: Tensor) -> Row:
    r"""The first eight images as text.

    Args:
        images: **[n, C, A, A]** or **[n, A, A]** in [0, 1].

    Returns:
        ``side``, ``channels`` and ``pictures``.

    Example:
        >>> packed(torch.ones(9, 3, 1, 1))["pictures"] == 8 * 3 * "f"
        True
    """
    channels = images.shape[1] if images.ndim == 4 else 1
    return {
        "side": images.shape[-1],
        "channels": channels,
        "pictures": pack_images(images[:SHOWN]),
    }


@lru_cache(maxsize=1)
def _given(kind: str, *, slice: bool) -> tuple[ImageSet, ImageSet, Scene]:
    """The images and their judge, which all seeds share."""
    if kind == "photos":
        learn, test = patches(400, 100) if slice else patches()
    else:
        learn, test = numbers()
    return learn, test, scene(learn, test, steps=50 if slice else 1_000)


def _games(kind: str, seed: int, *, slice: bool) -> Iterator[Row]:
    learn, test, given = _given(kind, slice=slice)
    if seed == 0:
        yield {"setting": "data", "seed": -1, **about(given, learn)}
    recipes = {name: enlarged(RECIPES[name], given.images) for name in SETTINGS}

    def then(name: str, pair: Players) -> Iterator[Row]:
        if seed == 0:
            yield packed(looked_at(pair.generator, seed, SHOWN)[0])
        if name == "guidelines" and kind == "mnist":
            sizes = LABELS[:1] if slice else LABELS
            yield from probe(pair.discriminator, learn, test, seed, sizes=sizes)

    steps, every = (4, 2) if slice else (STEPS, EVERY)
    yield from each(recipes, given, seed, steps=steps, every=every, then=then)


def record_numbers(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of the settings on MNIST, and what its D has learned.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, codes and order.

    Yields:
        The rows of :func:`~genbook.dcgan.studies.each`, and, of the guidelines, those of
        :func:`~genbook.dcgan.probe.probe`; with the first seed :func:`about` (setting ``data``)
        and pictures, too.
    """
    yield from _games("mnist", seed, slice=slice)


def record_photos(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed of the settings on patches of photographs.

    Args:
        slice: run a part that takes seconds.
        seed: of weights, codes and order.

    Yields:
        The rows of :func:`~genbook.dcgan.studies.each`; with the first seed :func:`about` and
        pictures, too.
    """
    yield from _games("photos", seed, slice=slice)


_CONFIG = {
    "players": "16 uniform codes; 32 maps of 4x4, 16 of 8x8, one image of 16x16; kernels of 4, "
    "stride 2; weights N(0, 0.02^2), a wider start is N(0, 1/fan-in); leaky slope 0.2",
    "training": "non-saturating loss, Adam 0.0002, beta 0.5 and 0.999, 1200 minibatches of 32, "
    "one step of each player",
    "pictures": "8 images of seed 0, 16 levels",
}
STUDIES = (
    Study(
        name="dcgan_mnist",
        topic="dcgan",
        run=record_numbers,
        seeds=(0, 1, 2),
        config={
            **_CONFIG,
            "images": "MNIST with a margin of 2, averaged over blocks of 2x2, in [-1, 1]; 60000 to "
            "train, 10000 to judge by",
            "judge": "Frechet distance of 2000 images in 32 features of a classifier of digits "
            "(1000 steps); batch statistics of G fixed on 2000 codes",
            "probe": "maps of both layers of D, maxima on a 4x4 grid (768 numbers), scaled by 2000 "
            "unlabelled images; linear L2 machine, cost (0.0001 to 0.01) chosen on 1000 images",
        },
    ),
    Study(
        name="dcgan_photos",
        topic="dcgan",
        run=record_photos,
        seeds=(0, 1, 2),
        config={
            **_CONFIG,
            "images": "16x16 patches in colour of seven photographs at half size, in [-1, 1]; 6000 "
            "to train, 2000 at other places to judge by",
            "judge": "Frechet distance of 2000 images in 32 features of a classifier that tells "
            "the photograph (1000 steps); batch statistics of G fixed on 2000 codes",
        },
    ),
)
