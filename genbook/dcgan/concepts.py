r"""Concepts in codes: which codes draw a digit that leans, and what adding a lean does to another.

A concept is a mean of codes whose images show it. Slanted sevens minus upright sevens plus upright
threes should be slanted threes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from genbook.dcgan.latent import arithmetic, slant

SHARE = 0.25
"""The most and the least leaning quarter of a digit's images show the two concepts."""


@dataclass(frozen=True)
class Bank:
    r"""Codes and what they draw.

    Args:
        codes: **[N, d]**.
        images: **[N, A, A]** in [0, 1].
        digits: what a classifier reads, **[N]**.
        slants: of the images, **[N]**.
    """

    codes: Tensor
    images: Tensor
    digits: Tensor
    slants: Tensor

    def showing(self, digit: int, *, leaning: bool) -> Tensor:
        r"""Places of the codes that draw a digit leaning most, or least.

        Args:
            digit: which.
            leaning: the quarter that leans most to the right, else the one that leans least.

        Returns:
            Places **[m]** in the bank.

        Raises:
            ValueError: if there are fewer than four images of the digit.
        """
        own = (self.digits == digit).nonzero()[:, 0]
        if len(own) < 4:
            raise ValueError(f"expected at least four images read as {digit}, got {len(own)}")
        order = own[self.slants[own].argsort(descending=leaning)]
        return order[: max(1, round(SHARE * len(order)))]


Reader = Callable[[Tensor], Tensor]
"""Maps flat images **[N, P]** in [0, 1] to logits **[N, 10]**."""


def drawn(generator: nn.Module, z: Tensor) -> Tensor:
    r"""The images of codes in [0, 1].

    Args:
        generator: settled; its images are in (−1, 1).
        z: **[N, d]**.

    Returns:
        **[N, A, A]**; **[N, C, A, A]** in colour.

    Example:
        >>> drawn(nn.Unflatten(1, (1, 1, 2)), torch.tensor([[0.0, 1.0]])).flatten().tolist()
        [0.5, 1.0]
    """
    with torch.no_grad():
        return (generator(z).squeeze(1) + 1) / 2


def collect(generator: nn.Module, reader: Reader, z: Tensor) -> Bank:
    r"""Draw images and read them.

    Args:
        generator: settled.
        reader: a classifier of digits.
        z: codes, **[N, d]**.

    Returns:
        The bank.
    """
    images = drawn(generator, z)
    with torch.no_grad():
        digits = reader(images.flatten(1)).argmax(1)
    return Bank(z, images, digits, slant(images))


@dataclass(frozen=True)
class Sums:
    r"""Sums of concepts: leaning minus upright of one digit, plus upright of another.

    Args:
        codes: the sums, **[T, d]**.
        blended: the same sums of pixels, clamped to [0, 1], **[T, A, A]**.
        wanted: the digits that should come out, **[T]**.
        leans: the mean slants of the exemplars of A, B and C, **[T, 3]**.
        members: places in the bank of the exemplars, **[T, 3, k]**.
    """

    codes: Tensor
    blended: Tensor
    wanted: Tensor
    leans: Tensor
    members: Tensor

    def right(self, images: Tensor, reader: Reader) -> Tensor:
        r"""Whether the digit stayed and took at least half of the lean.

        .. math:: \frac{s-\bar s_C}{\bar s_A-\bar s_B}\ge\tfrac12

        Args:
            images: what came out, **[T, A, A]** in [0, 1].
            reader: a classifier of digits.

        Returns:
            **[T]**, bool.
        """
        with torch.no_grad():
            read = reader(images.flatten(1)).argmax(1)
        a, b, c = self.leans.unbind(1)
        return (read == self.wanted) & ((slant(images) - c) / (a - b) >= 0.5)


def sums(bank: Bank, *, exemplars: int, trials: int, source: torch.Generator) -> Sums:
    r"""Draw two digits and exemplars of three concepts, and add.

    Args:
        bank: of a generator's codes.
        exemplars: k, of each concept.
        trials: T, how many sums.
        source: draws digits and exemplars.

    Returns:
        The sums.

    Raises:
        ValueError: if no two digits have 4k images.
    """
    counts = torch.bincount(bank.digits, minlength=10)
    digits = (counts >= 4 * exemplars).nonzero()[:, 0].tolist()
    if len(digits) < 2 or exemplars < 1:
        raise ValueError(
            f"expected two digits with {4 * exemplars} ≥ 4 images, got {counts.tolist()}"
        )
    showing = {(d, way): bank.showing(d, leaning=way) for d in digits for way in (True, False)}
    wanted, members = [], []
    for _ in range(trials):
        one, other = (digits[k] for k in _some(len(digits), 2, source))
        places = (showing[one, True], showing[one, False], showing[other, False])
        members.append(torch.stack([p[_some(len(p), exemplars, source)] for p in places]))
        wanted.append(other)
    chosen = torch.stack(members)
    height, width = bank.images.shape[1:]
    blended = arithmetic(*bank.images.flatten(1)[chosen].unbind(1)).clamp(0, 1)
    return Sums(
        arithmetic(*bank.codes[chosen].unbind(1)),
        blended.unflatten(1, (height, width)),
        torch.tensor(wanted, device=chosen.device),
        bank.slants[chosen].mean(2),
        chosen,
    )


def _some(many: int, few: int, source: torch.Generator) -> Tensor:
    return torch.randperm(many, generator=source, device=source.device)[:few]


def way(bank: Bank, trait: Tensor, *, pairs: int, source: torch.Generator) -> tuple[Tensor, Tensor]:
    r"""The direction of a trait: what images with much of it have over others of the same digit.

    .. math:: \frac1k\sum_{i=1}^k\bigl(z_i^{\text{much}}-z_i^{\text{little}}\bigr)

    Args:
        bank: of a generator's codes.
        trait: a number an image, **[N]**.
        pairs: k; each pair is of one digit, from its outer quarters.
        source: draws digits and images.

    Returns:
        The direction among codes **[d]**, and among pixels **[A, A]**.

    Raises:
        ValueError: if there is no pair, or fewer than four images of every digit.

    Example:
        >>> codes = torch.arange(8.0)[:, None]
        >>> bank = Bank(codes, codes[:, :, None], torch.zeros(8), codes[:, 0])
        >>> move, _ = way(bank, codes[:, 0], pairs=9, source=torch.Generator().manual_seed(0))
        >>> 5 <= move.item() <= 7
        True
    """
    counts = torch.bincount(bank.digits.long(), minlength=10)
    digits = (counts >= 4).nonzero()[:, 0].tolist()
    if pairs < 1 or not digits:
        raise ValueError(f"expected a pair and four images of a digit, got {pairs} and {counts}")
    much, little = [], []
    for _ in range(pairs):
        own = (bank.digits == digits[int(_some(len(digits), 1, source))]).nonzero()[:, 0]
        order = own[trait[own].argsort()]
        few = max(1, round(SHARE * len(order)))
        little.append(order[_some(few, 1, source)])
        much.append(order[len(order) - few + _some(few, 1, source)])
    up, low = torch.cat(much), torch.cat(little)
    return (
        (bank.codes[up] - bank.codes[low]).mean(0),
        (bank.images[up] - bank.images[low]).mean(0),
    )
