r"""Two written digits on a page, and a language that says how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from genbook.captions.captioner import Captioner, Pairs
from genbook.captions.search import beam
from genbook.kit.data import ImageSet

NUMERALS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
)  # fmt: skip
RELATIONS = ("left", "above")
INVERSE = {"left": "right", "above": "below"}
WORDS = ("END", *NUMERALS, *RELATIONS, *INVERSE.values())
LENGTH = 4
"""Words of a caption, its end included."""

CELL = 8
"""Side of a digit; a page is two by two of them."""


@dataclass(frozen=True)
class Fact:
    r"""What a page shows: ``first`` is left of ``second``, or above it.

    Args:
        first: a digit.
        relation: one of :data:`RELATIONS`.
        second: a digit.
    """

    first: int
    relation: str
    second: int


def sentence(fact: Fact, *, inverse: bool = False) -> str:
    r"""A fact in words, from the first digit or from the second.

    Args:
        fact: what is said.
        inverse: whether it is said from the second.

    Returns:
        Three words.

    Example:
        >>> sentence(Fact(7, "left", 3)), sentence(Fact(7, "left", 3), inverse=True)
        ('seven left three', 'three right seven')
    """
    first, second = NUMERALS[fact.first], NUMERALS[fact.second]
    if inverse:
        return f"{second} {INVERSE[fact.relation]} {first}"
    return f"{first} {fact.relation} {second}"


def meant(words: Sequence[int]) -> Fact | None:
    r"""The fact that a caption states; None for a string outside the language.

    Args:
        words: numbers, up to the first 0 that closes them.

    Example:
        >>> meant([4, 12, 8, 0]), meant([4, 4, 8, 0]) is None
        (Fact(first=3, relation='above', second=7), True)
    """
    closed = list(words)
    if closed.count(0) != 1 or closed[-1] != 0 or len(closed) != LENGTH:
        return None
    one, how, other = (WORDS[number] for number in closed[:3])
    if one not in NUMERALS or other not in NUMERALS or how in NUMERALS:
        return None
    digits = NUMERALS.index(one), NUMERALS.index(other)
    if how in RELATIONS:
        return Fact(digits[0], how, digits[1])
    (direct,) = (direct for direct, back in INVERSE.items() if back == how)
    return Fact(digits[1], direct, digits[0])


def shrunk(images: Tensor) -> Tensor:
    r"""Images of 28×28 or 8×8 pixels as cells of 8×8, by averages of 4×4.

    Args:
        images: **[N, 1, 28, 28]** or **[N, 1, 8, 8]**.

    Returns:
        **[N, 8, 8]**.

    Raises:
        ValueError: for another side.

    Example:
        >>> shrunk(torch.ones(2, 1, 28, 28)).sum().item()  # 2 · 28² / 4²
        98.0
    """
    side = images.shape[-1]
    if images.ndim != 4 or side not in (28, CELL):
        raise ValueError(
            f"expected images [N, 1, 28, 28] or [N, 1, 8, 8], got {list(images.shape)}; "
            "take the digits of genbook.kit.data"
        )
    if side == CELL:
        return images[:, 0]
    return functional.avg_pool2d(functional.pad(images, (2, 2, 2, 2)), 4)[:, 0]


def page(first: Tensor, second: Tensor, relation: str, lane: int) -> Tensor:
    r"""A page with two digits in a row or in a column.

    Args:
        first: the left or upper one, **[8, 8]**.
        second: the other, **[8, 8]**.
        relation: one of :data:`RELATIONS`.
        lane: which row or column, 0 or 1.

    Returns:
        **[16, 16]**.

    Raises:
        ValueError: for another relation.

    Example:
        >>> one, two = torch.ones(8, 8), 2 * torch.ones(8, 8)
        >>> page(one, two, "left", 1)[8:, 7:9].unique().tolist()
        [1.0, 2.0]
    """
    if relation not in RELATIONS:
        raise ValueError(f"expected a relation of {RELATIONS}, got {relation!r}; use one of them")
    sheet = first.new_zeros(2 * CELL, 2 * CELL)
    lanes = sheet if relation == "left" else sheet.T  # a view: a column is a row of it
    row = slice(CELL * lane, CELL * (lane + 1))
    turned = [cell if relation == "left" else cell.T for cell in (first, second)]
    lanes[row] = torch.cat(turned, 1)
    return sheet


def pairs(digits: ImageSet, count: int, generator: torch.Generator, *, free: float) -> Pairs:
    r"""Pages of two digits; where they are not free, the second is the first plus one.

    After nine comes zero. Half of the captions are said from the second digit.

    Args:
        digits: to draw from.
        count: of pages.
        generator: of digits, places and sentences.
        free: share of pages whose second digit is any, from 0 to 1.

    Returns:
        Pages **[N, 16, 16]** with captions **[N, 4]**.

    Raises:
        ValueError: if the share is none, or a digit is missing.

    Example:
        >>> ten = ImageSet("digits", torch.ones(10, 1, 8, 8), torch.arange(10))
        >>> made = pairs(ten, 3, torch.Generator().manual_seed(0), free=0.0)
        >>> made.pictures.shape, made.captions.shape
        (torch.Size([3, 16, 16]), torch.Size([3, 4]))
    """
    if not 0 <= free <= 1:
        raise ValueError(f"expected a share from 0 to 1, got {free}; 1 frees all pages")
    home = generator.device
    cells, labels = shrunk(digits.images.to(home)), digits.labels.to(home)
    of = [(labels == digit).nonzero()[:, 0] for digit in range(10)]
    if not all(len(rows) for rows in of):
        raise ValueError("expected images of all ten digits, got some missing; take more of them")

    def cell(digit: int) -> Tensor:
        row = torch.randint(len(of[digit]), (), generator=generator, device=home)
        return cells[of[digit][row]]

    chances = torch.rand(count, 6, generator=generator, device=home).tolist()
    pages, captions = [], []
    for loose, one, other, how, where, said in chances:
        first = int(10 * one)
        second = int(10 * other) if loose < free else (first + 1) % 10
        fact = Fact(first, RELATIONS[int(2 * how)], second)
        pages.append(page(cell(first), cell(second), fact.relation, int(2 * where)))
        words = sentence(fact, inverse=said < 0.5).split()
        captions.append([*(WORDS.index(word) for word in words), 0])
    return Pairs(torch.stack(pages), torch.tensor(captions, device=home))


@dataclass(frozen=True)
class Reading:
    r"""Shares of captions that are right about a page.

    Args:
        first: that name the left or upper digit.
        second: that name the other.
        both: that are right in all three words.
    """

    first: float
    second: float
    both: float


def read(net: Captioner, data: Pairs) -> Reading:
    r"""What a captioner's greedy captions get right.

    Args:
        net: writes them, with :data:`WORDS`.
        data: pages **[N, 16, 16]** and captions **[N, 4]** that tell what they show.

    Returns:
        The shares.

    Example:
        >>> ten = ImageSet("digits", torch.ones(10, 1, 8, 8), torch.arange(10))
        >>> shown = pairs(ten, 3, torch.Generator().manual_seed(0), free=0.0)
        >>> net = Captioner("every", 0, words=len(WORDS))
        >>> 0 <= read(net, shown).both <= 1
        True
    """
    hits = torch.zeros(3)
    for picture, caption in zip(data.pictures, data.captions.tolist(), strict=True):
        said, shown = meant(beam(net, picture, 1, LENGTH).words), meant(caption)
        if said and shown:
            hits += torch.tensor(
                [said.first == shown.first, said.second == shown.second, said == shown]
            )
    return Reading(*(hits / len(data.pictures)).tolist())
