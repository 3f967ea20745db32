r"""The smallest model of black and white images: a pixel given the eight drawn just before it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

NEIGHBOURS = ((0, -1), (0, -2), (-1, -2), (-1, -1), (-1, 0), (-1, 1), (-1, 2), (-2, 0))
"""Rows down and columns right of the pixel; all of them come before it."""

REACH = 2


def binary(images: Tensor) -> Tensor:
    r"""Black and white: 1 where a grey value is above ½.

    Args:
        images: in [0, 1].

    Returns:
        The same shape, 0 or 1, of the same dtype.

    Example:
        >>> binary(torch.tensor([0.2, 0.5, 0.9])).tolist()
        [0.0, 0.0, 1.0]
    """
    return (images > 0.5).to(images.dtype)


def contexts(images: Tensor) -> Tensor:
    r"""Which of the 256 patterns lies before each pixel; outside the page is white.

    Args:
        images: 0 or 1, **[…, H, W]**.

    Returns:
        Whole numbers from 0 to 255, **[…, H, W]**.

    Raises:
        ValueError: if a pixel is neither 0 nor 1.

    Example:
        >>> contexts(torch.tensor([[1.0, 0.0, 0.0]])).tolist()
        [[0, 1, 2]]
    """
    if not bool(((images == 0) | (images == 1)).all()):
        raise ValueError("expected pixels 0 or 1; binary(images) makes them")
    return numbered(images).long()


def numbered(images: Tensor) -> Tensor:
    r"""The numbers of :func:`contexts`, as floats and unchecked.

    Args:
        images: 0 or 1, **[…, H, W]**.

    Returns:
        **[…, H, W]**.
    """
    height, width = images.shape[-2:]
    page = pad(images, (REACH, REACH, REACH, 0))
    number = torch.zeros_like(images)
    for place, (down, right) in enumerate(NEIGHBOURS):
        rows = slice(REACH + down, REACH + down + height)
        columns = slice(REACH + right, REACH + right + width)
        number = number + 2**place * page[..., rows, columns]
    return number


@dataclass(frozen=True)
class Table:
    r"""A chance of ink for each of 256 patterns.

    .. math:: p(x)=\prod_i \theta_{c_i}^{x_i}(1-\theta_{c_i})^{1-x_i},\qquad
        c_i = \text{the pattern of the eight pixels before } i

    Args:
        ink: θ, **[256]**.
    """

    ink: Tensor

    def costs(self, images: Tensor) -> Tensor:
        r"""What each pixel costs, nats.

        Args:
            images: 0 or 1, **[…, H, W]**.

        Returns:
            **[…, H, W]**.

        Raises:
            ValueError: if a pixel is neither 0 nor 1.
        """
        chance = self.ink[contexts(images)]
        return -torch.where(images > 0.5, chance, 1 - chance).log()

    def nats(self, images: Tensor) -> Tensor:
        r"""Minus the log-probability of images, nats.

        Args:
            images: 0 or 1, **[…, H, W]**.

        Returns:
            **[…]**.
        """
        return self.costs(images).flatten(-2).sum(-1)

    def draw(self, count: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
        r"""Images drawn pixel by pixel.

        Args:
            count: how many.
            size: height and width.
            generator: of the coins.

        Returns:
            0 or 1, **[count, H, W]**.

        Example:
            >>> ink = Table(torch.full((256,), 1.0))
            >>> ink.draw(1, (1, 3), torch.Generator()).tolist()
            [[[1.0, 1.0, 1.0]]]
        """
        height, width = size
        page = torch.zeros(count, height + REACH, width + 2 * REACH, device=self.ink.device)
        coins = torch.rand(count, height, width, generator=generator, device=self.ink.device)
        for row in range(height):
            for column in range(width):
                at = (row + REACH, column + REACH)
                number = sum(
                    2**place * page[:, at[0] + down, at[1] + right]
                    for place, (down, right) in enumerate(NEIGHBOURS)
                )
                assert isinstance(number, Tensor)
                chance = self.ink[number.long()].to(page)
                page[:, at[0], at[1]] = (coins[:, row, column] < chance).to(page)
        return page[:, REACH:, REACH:-REACH]


def fit(images: Tensor, *, before: float = 0.5) -> Table:
    r"""Count how often each pattern is followed by ink.

    .. math:: \theta_c=\frac{\#\{i: c_i=c,\,x_i=1\}+b}{\#\{i: c_i=c\}+2b}

    Args:
        images: 0 or 1, **[N, H, W]**.
        before: b > 0, pixels of each colour seen in advance, so that nothing is impossible.

    Returns:
        The table, double precision. Up to b it is the likeliest of all tables.

    Raises:
        ValueError: if there is no image, a pixel is neither 0 nor 1, or b is not positive.

    Example:
        >>> float(fit(torch.zeros(1, 2, 2)).ink[0])
        0.1
    """
    if images.ndim != 3 or not len(images) or not before > 0:
        raise ValueError(
            f"expected images [N, H, W] and before > 0, got {list(images.shape)} and {before}"
        )
    where = contexts(images).flatten()
    seen = torch.bincount(where, minlength=256).double()
    inked = torch.bincount(where, weights=images.flatten().double(), minlength=256)
    return Table((inked + before) / (seen + 2 * before))


def cheapest(table: Table, size: tuple[int, int]) -> float:
    r"""The cost of the likeliest of all pages, exactly.

    The first ink of a page stands behind white pixels only and costs :math:`-\log\theta_0`. Where
    that is more than the blank page, the blank page is the cheapest. Else the least cost is found
    row by row over all pages, which agree in their last two rows of pixels.

    Args:
        table: the model.
        size: height and width.

    Returns:
        Nats.

    Raises:
        ValueError: if the page is wider than 10 pixels and the first argument does not decide.

    Example:
        >>> round(cheapest(Table(torch.full((256,), 0.5, dtype=torch.float64)), (2, 3)), 4)
        4.1589
    """
    height, width = size
    blank = float(table.nats(torch.zeros(1, height, width, device=table.ink.device)))
    if blank <= float(-table.ink[0].log()):
        return blank
    if width > 10:
        raise ValueError(f"expected at most 10 pixels a row, got {width}")
    states = torch.arange(1 << (2 * width), device=table.ink.device)  # bit b: the pixel b + 1 back
    least = torch.full(states.shape, torch.inf, dtype=torch.float64, device=states.device)
    least[0] = 0
    before = torch.stack([states >> 1, (states >> 1) | (len(states) >> 1)])
    for row in range(height):
        for column in range(width):
            number = torch.zeros_like(before)
            for place, (down, right) in enumerate(NEIGHBOURS):
                if row + down >= 0 and 0 <= column + right < width:
                    number += ((before >> (-down * width - right - 1)) & 1) << place
            ink = table.ink[number]
            price = -torch.where((states & 1).bool(), ink, 1 - ink).log()
            least = (least[before] + price).amin(0)
    return float(least.amin())
