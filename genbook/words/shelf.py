r"""Books on a shelf: what it costs to fetch one and then another, and the cheapest order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def cost(joint: Tensor, places: Tensor) -> Tensor:
    r"""How far a reader walks on average: from the door to book i, then on to book j.

    .. math:: S=\sum_{i,j}p(i,j)\bigl[|v_i|+|v_i-v_j|\bigr]

    Args:
        joint: p(i, j), who is fetched first and then, **[n, n]**.
        places: v, distances from the door, at least 0, **[…, n]**.

    Returns:
        **[…]**, in steps.

    Raises:
        ValueError: if the shapes do not fit.

    Source:
        Su (2018).

    Example:
        >>> joint = torch.tensor([[0.5, 0.5], [0.0, 0.0]])  # always the first, then either
        >>> cost(joint, torch.tensor([[1.0, 2.0], [2.0, 1.0]])).tolist()
        [1.5, 2.5]
    """
    _check(joint, places)
    first = (joint.sum(1) * places.abs()).sum(-1)
    apart = (places[..., :, None] - places[..., None, :]).abs()
    return first + (joint * apart).sum((-2, -1))


def gaps(joint: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
    r"""The walk over each gap between neighbours: on the way in, and on the way to the second book.

    .. math:: S=\sum_{m=0}^{n-1}\Bigl[P(v_i>m)+P\bigl(\text{gap } m\text{ lies between } i
        \text{ and } j\bigr)\Bigr]

    Args:
        joint: p(i, j), **[n, n]**.
        places: 1 to n, each once, **[…, n]**; gap m lies between the places m and m + 1.

    Returns:
        Two shares a gap, **[…, n]** each.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> joint = torch.tensor([[0.5, 0.5], [0.0, 0.0]])
        >>> [part.tolist() for part in gaps(joint, torch.tensor([2.0, 1.0]))]
        [[1.0, 1.0], [0.0, 0.5]]
    """
    _check(joint, places)
    gap = torch.arange(len(joint), device=places.device)
    beyond = (places[..., None, :] > gap[:, None]).to(joint)
    parted = (beyond[..., :, None] - beyond[..., None, :]).abs()
    return beyond @ joint.sum(1), (joint * parted).sum((-2, -1))


def orders(n: int, like: Tensor) -> Tensor:
    r"""All orders of n books: book k goes into each of the k + 1 slots that the earlier ones leave.

    Args:
        n: number of books, 1 to 8.
        like: gives device and dtype.

    Returns:
        Places 1 to n of every book, **[n!, n]**.

    Raises:
        ValueError: if n is out of range: 9 books have 362,880 orders.

    Example:
        >>> orders(3, torch.zeros(1)).unique(dim=0).shape
        torch.Size([6, 3])
    """
    if not 1 <= n <= 8:
        raise ValueError(f"expected 1 to 8 books, got {n}; there are n! orders")
    number = torch.arange(math.factorial(n), device=like.device).to(like.dtype)
    places: list[Tensor] = []
    for book in range(n):
        whole = torch.floor((number + 0.5) / (book + 1))
        slot = number - whole * (book + 1)
        places = [place + (place >= slot) for place in places] + [slot]
        number = whole
    return torch.stack(places, 1) + 1


def popular_first(joint: Tensor) -> Tensor:
    r"""Places by popularity: the book that is fetched first most often stands nearest to the door.

    Args:
        joint: p(i, j), **[n, n]**.

    Returns:
        Places 1 to n, **[n]**; of two equally popular books the earlier one stands first.

    Raises:
        ValueError: if it is no square.

    Example:
        >>> popular_first(torch.diag(torch.tensor([0.2, 0.5, 0.3]))).tolist()
        [3.0, 1.0, 2.0]
    """
    _check(joint, joint.sum(1))
    return ranks(-joint.sum(1))


def ranks(heights: Tensor) -> Tensor:
    r"""The place of each number in increasing order, from 1; of two equal ones the earlier first.

    .. math:: r_i=1+\#\{j:h_j<h_i\}+\#\{j<i:h_j=h_i\}

    Args:
        heights: **[n]**.

    Returns:
        **[n]**.

    Example:
        >>> ranks(torch.tensor([0.3, 0.1, 0.3])).tolist()
        [2.0, 1.0, 3.0]
    """
    n = len(heights)
    place = torch.arange(n, device=heights.device)
    earlier = place[None, :] < place[:, None]
    lower = heights[None, :] < heights[:, None]
    same = heights[None, :] == heights[:, None]
    return 1 + (lower | (same & earlier)).to(heights).sum(1)


@dataclass(frozen=True)
class Best:
    r"""The shelf that costs least.

    Args:
        places: of every book, **[n]**.
        cost: in steps, a scalar.
    """

    places: Tensor
    cost: Tensor


def best(joint: Tensor) -> Best:
    r"""The least cost over all orders, by brute force.

    Args:
        joint: p(i, j), **[n, n]** with n ≤ 8.

    Returns:
        The first order that has it.

    Raises:
        ValueError: if it is no square, or there are too many books.

    Example:
        >>> best(torch.diag(torch.tensor([0.2, 0.5, 0.3]))).places.tolist()
        [3.0, 1.0, 2.0]
    """
    _check(joint, joint.sum(1))
    all_orders = orders(len(joint), joint)
    costs = cost(joint, all_orders)
    place = costs.argmin()[None]  # an index of one axis, which a machine can trace
    return Best(all_orders[place][0], costs[place][0])


def independent(popularity: Tensor) -> Tensor:
    r"""Readers whose second book has nothing to do with the first: :math:`p(i,j)=p(i)\,p(j)`.

    Args:
        popularity: positive, of any scale, **[n]**.

    Returns:
        **[n, n]**, of sum 1.

    Example:
        >>> independent(torch.tensor([3.0, 1.0]))[0].tolist()
        [0.5625, 0.1875]
    """
    share = popularity / popularity.sum()
    return share[:, None] * share


def with_friends(popularity: Tensor, friends: Tensor, loyalty: Tensor | float) -> Tensor:
    r"""Readers who go on to the first book's friend, or else to any book.

    .. math:: p(i,j)=p(i)\bigl[(1-\lambda)\,p(j)+\lambda\,F_{ij}\bigr]

    Args:
        popularity: positive, of any scale, **[n]**.
        friends: F, rows of sum 1, **[n, n]**.
        loyalty: λ in [0, 1].

    Returns:
        **[n, n]**, of sum 1.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> swapped = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> with_friends(torch.tensor([3.0, 1.0]), swapped, 1.0).tolist()
        [[0.0, 0.75], [0.25, 0.0]]
    """
    _check(friends, popularity)
    share = popularity / popularity.sum()
    return share[:, None] * ((1 - loyalty) * share + loyalty * friends)


def swaps(places: Tensor) -> Tensor:
    r"""The shelf as it is, and with each pair of books swapped.

    Args:
        places: **[n]**.

    Returns:
        **[1 + n(n − 1)/2, n]**, the unchanged one first.

    Example:
        >>> swaps(torch.tensor([1.0, 2.0, 3.0])).shape
        torch.Size([4, 3])
    """
    n = len(places)
    eye = torch.eye(n, device=places.device, dtype=places.dtype)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    changes = [(places[j] - places[i]) * (eye[i] - eye[j]) for i, j in pairs]
    return places + torch.stack([torch.zeros_like(places), *changes])


def better(joint: Tensor, places: Tensor) -> Tensor:
    r"""The shelf after the swap of two books that saves most; the same if none saves.

    Args:
        joint: p(i, j), **[n, n]**.
        places: **[n]**.

    Returns:
        Places, **[n]**.

    Raises:
        ValueError: if the shapes do not fit.

    Example:
        >>> better(torch.diag(torch.tensor([0.2, 0.8])), torch.tensor([1.0, 2.0])).tolist()
        [2.0, 1.0]
    """
    tried = swaps(places)
    return tried[cost(joint, tried).argmin()[None]][0]


POPULARITY = {
    "steep": (0.38, 0.19, 0.13, 0.10, 0.08, 0.07, 0.05),
    "mild": (0.20, 0.18, 0.16, 0.14, 0.12, 0.11, 0.09),
}
"""Seven books, A to G: how often each is fetched first."""
FRIENDS = (4, 5, 6, 3, 0, 1, 2)
"""The friend of each book: A and E, B and F, C and G; D has only itself."""


def seven(kind: str, loyalty: float) -> Tensor:
    r"""The chapter's readers of seven books.

    Args:
        kind: how popularity falls, a key of :data:`POPULARITY`.
        loyalty: λ of :func:`with_friends`.

    Returns:
        p(i, j), **[7, 7]**, double precision.

    Raises:
        ValueError: if the kind is unknown.

    Example:
        >>> round(seven("mild", 0.5).sum().item(), 6)
        1.0
    """
    if kind not in POPULARITY:
        raise ValueError(f"expected one of {list(POPULARITY)}, got {kind!r}")
    popularity = torch.tensor(POPULARITY[kind], dtype=torch.float64)
    friends = torch.eye(7, dtype=torch.float64)[list(FRIENDS)]
    return with_friends(popularity, friends, loyalty)


def _check(joint: Tensor, places: Tensor) -> None:
    if joint.ndim != 2 or joint.shape[0] != joint.shape[1] or places.shape[-1:] != joint.shape[:1]:
        raise ValueError(
            f"expected p(i, j) [n, n] and one number for each book, got {list(joint.shape)} and "
            f"{list(places.shape)}"
        )
