r"""The chapter's studies: ways to hand over a picture, pictures in the wrong order, tied digits."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from genbook.captions import digit_pages
from genbook.captions.blindness import blinded, swap_gap
from genbook.captions.captioner import WAYS, Captioner, Pairs, pairs, train
from genbook.captions.language import LENGTH, decoded, meant, wordings
from genbook.captions.scenes import HELD_OUT, SEEN
from genbook.captions.scores import among
from genbook.captions.search import beam
from genbook.kit import data as sets
from genbook.kit.data import ImageSet
from genbook.kit.device import seeded
from genbook.kit.studies import Row, Study
from genbook.kit.substreams import Substream

STEPS = 800
UNSEEN = Substream("pictures to be judged on", 2_000)
NEW = Substream("pictures of held-out combinations", 3_000)
MIXED = Substream("the order of shuffled pictures", 4_000)
TIED = Substream("pages of tied digits to be judged on", 5_000)
FREE = Substream("pages of free digits to be judged on", 6_000)
PAGES, PAGE_STEPS, PAGE_STATE = 8_000, 1_500, 96
SHARES = (0.0, 0.5, 1.0)
"""Shares of pages whose second digit is any."""


def right(net: Captioner, data: Pairs) -> float:
    r"""The share of greedy captions that mean the scene shown, in either template.

    Args:
        net: writes them.
        data: pictures, with captions that tell what they show.

    Returns:
        From 0 to 1.
    """
    hits = 0
    for picture, caption in zip(data.pictures, data.captions.tolist(), strict=True):
        said = meant(decoded(beam(net, picture, 1, LENGTH).words))
        hits += said == meant(decoded(caption))
    return hits / len(data.pictures)


def beside_people(net: Captioner, data: Pairs) -> float:
    r"""BLEU-4 of greedy captions against what a person would say of each picture.

    Args:
        net: writes them.
        data: pictures, with captions that tell what they show.

    Returns:
        The mean, from 0 to 1.

    Raises:
        ValueError: if a caption is not of the language.
    """
    total = 0.0
    for picture, caption in zip(data.pictures, data.captions.tolist(), strict=True):
        scene = meant(decoded(caption))
        if scene is None:
            raise ValueError(f"expected captions of the language, got {decoded(caption)!r}")
        said = decoded(beam(net, picture, 1, LENGTH).words)
        total += among({said: 1.0}, wordings(scene))
    return total / len(data.pictures)


def trained(way: str, seed: int, *, shuffled: bool = False, steps: int = STEPS) -> Captioner:
    r"""A captioner trained on 1,000 pictures of the 20 seen combinations.

    Args:
        way: how it gets the picture.
        seed: of weights, pictures and order.
        shuffled: whether the pictures stand in another order than the captions.
        steps: minibatches.

    Returns:
        The network.
    """
    data = pairs(SEEN, 1_000, seeded(seed))
    if shuffled:
        data = blinded(data, seeded(MIXED.seed(seed)))
    net = Captioner(way, seed)
    for _ in train(net, data, steps=steps, seed=seed):
        pass
    return net


@torch.no_grad()
def judged(net: Captioner, seed: int, *, count: int = 200) -> Row:
    r"""Loss, swap gap and right captions of a captioner, on new pictures.

    Args:
        net: to be judged.
        seed: of the pictures.
        count: of pictures of seen combinations, and of held-out ones.

    Returns:
        ``loss`` and ``gap`` in nats a caption, ``right`` and ``right_new`` (held-out).
    """
    home = next(net.parameters()).device
    test = pairs(SEEN, count, seeded(UNSEEN.seed(seed), home))
    new = pairs(HELD_OUT, count, seeded(NEW.seed(seed), home))
    return {
        "loss": round(-float(net.score(test.pictures, test.captions).mean()), 4),
        "gap": round(float(swap_gap(net, test).mean()), 4),
        "right": right(net, test),
        "right_new": right(net, new),
    }


def record(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed: the three ways, and one with shuffled pictures.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        Rows of :func:`judged` with ``way``, ``pictures`` and ``seed``.
    """
    steps, count = (20, 20) if slice else (STEPS, 200)
    for way, shuffled in (*((way, False) for way in WAYS), ("every", True)):
        net = trained(way, seed, shuffled=shuffled, steps=150 if shuffled else steps)
        kind = "shuffled" if shuffled else "own"
        yield {"seed": seed, "way": way, "pictures": kind, **judged(net, seed, count=count)}


def reader(
    digits: ImageSet, seed: int, *, free: float, steps: int = PAGE_STEPS, count: int = PAGES
) -> Captioner:
    r"""A captioner of pages with two digits.

    Args:
        digits: to draw the pages from.
        seed: of weights, pages and order.
        free: share of pages whose second digit is any; on the others it is the first plus one.
        steps: minibatches.
        count: of pages.

    Returns:
        The network, where the digits are.
    """
    home = digits.images.device
    pages = digit_pages.pairs(digits, count, seeded(seed, home), free=free)
    net = Captioner("every", seed, words=len(digit_pages.WORDS), hidden=PAGE_STATE).to(home)
    for _ in train(net, pages, steps=steps, seed=seed):
        pass
    return net


@torch.no_grad()
def page_row(net: Captioner, digits: ImageSet, seed: int, *, count: int = 200) -> Row:
    r"""What a captioner reads on new pages of tied digits and on as many of free ones.

    Args:
        net: to be judged.
        digits: that it was not trained on.
        seed: of the pages.
        count: of pages of a kind.

    Returns:
        ``tied`` (both digits and the relation), ``first``, ``second`` and ``both`` on free pages,
        shares; ``gap``, the swap gap on tied pages, nats.
    """
    home = digits.images.device
    tied = digit_pages.pairs(digits, count, seeded(TIED.seed(seed), home), free=0.0)
    free = digit_pages.pairs(digits, count, seeded(FREE.seed(seed), home), free=1.0)
    found = digit_pages.read(net, free)
    return {
        "tied": round(digit_pages.read(net, tied).both, 3),
        "first": round(found.first, 3),
        "second": round(found.second, 3),
        "both": round(found.both, 3),
        "gap": round(float(swap_gap(net, tied).mean()), 2),
    }


def record_pages(slice: bool, seed: int) -> Iterator[Row]:
    r"""One seed: captioners of tied, half free and free digits, on both sets.

    Args:
        slice: run a part that takes seconds.
        seed: of everything.

    Yields:
        Rows of :func:`page_row` with ``digits``, ``free`` and ``seed``.
    """
    steps, pages, count = (20, 400, 20) if slice else (PAGE_STEPS, PAGES, 200)
    for load in (sets.digits, sets.mnist):
        shown, test = load("train"), load("test")
        for free in SHARES:
            net = reader(shown, seed, free=free, steps=steps, count=pages)
            row = page_row(net, test, seed, count=count)
            yield {"seed": seed, "digits": shown.name, "free": free, **row}


STUDIES = (
    Study(
        name="captions_ways",
        topic="captions",
        run=record,
        seeds=(0, 1, 2, 3, 4),
        config={
            "net": "8 filters of 5x5 with stride 2, 48 ReLUs, a tanh network of 48",
            "training": "Adam at 0.003, 800 minibatches of 100 of 1000 pictures; 150 where the "
            "pictures are shuffled",
            "judged": "200 new pictures of the 20 seen combinations, 200 of the 4 held out",
        },
    ),
    Study(
        name="captions_digits",
        topic="captions",
        run=record_pages,
        seeds=(0, 1, 2, 3, 4),
        config={
            "net": "8 filters of 5x5 with stride 2, 96 ReLUs, a tanh network of 96 that is told at "
            "every step",
            "training": "Adam at 0.003, 1,500 minibatches of 100 of 8,000 pages",
            "judged": "200 new pages of tied digits, 200 of free ones, of the test images",
        },
    ),
)
