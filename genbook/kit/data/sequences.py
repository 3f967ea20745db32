r"""Tasks whose answer lies far back in a sequence.

Every function draws on the generator's device and returns inputs **[N, T, d]** with targets.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genbook.kit.data._checks import random_source, whole


def first_symbol(
    n: int,
    length: int,
    generator: torch.Generator,
    *,
    classes: int = 2,
    distractors: int = 4,
    dtype: torch.dtype = torch.float32,
) -> tuple[Tensor, Tensor]:
    r"""The first symbol decides the answer; all that follows is distraction.

    The classes and the distractors are different symbols, so the only difficulty is the distance.
    A guess is right with probability 1 / ``classes``.

    Args:
        n: Number of sequences.
        length: :math:`T`; the answer is asked for :math:`T - 1` steps after the symbol.
        generator: Draws the symbols.
        classes: Number of first symbols, at least 2.
        distractors: Number of other symbols, at least 1.
        dtype: Floating dtype of the inputs.

    Returns:
        One-hot inputs **[n, length, classes + distractors]** and targets **[n]**, int64.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> x, y = first_symbol(3, 20, seeded(0))
        >>> bool((x[:, 0].argmax(-1) == y).all())
        True
    """
    whole("n", n, 1)
    whole("length", length, 1)
    whole("classes", classes, 2)
    whole("distractors", distractors, 1)
    device = random_source(generator).device
    target = torch.randint(classes, (n,), generator=generator, device=device)
    rest = torch.randint(distractors, (n, length - 1), generator=generator, device=device)
    symbols = torch.cat([target[:, None], classes + rest], dim=1)
    return one_hot(symbols, classes + distractors).to(dtype), target


def temporal_order(
    n: int, length: int, generator: torch.Generator, *, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    r"""Two marks, X or Y, hide among distractors; their order is the class: XX, XY, YX or YY.

    The symbols are X, Y, four distractors, a start and an end sign. The marks stand at
    :math:`t_1 \in [T/10, T/5]` and :math:`t_2 \in [T/2, 3T/5]`. A guess is right one time in four.

    Source:
        Hochreiter and Schmidhuber (1997), section 5.6, task 6a, where :math:`T` is 100 to 110,
        :math:`t_1` 10 to 20 and :math:`t_2` 50 to 60.

    Args:
        n: Number of sequences.
        length: :math:`T`, at least 10.
        generator: Draws symbols and places.
        dtype: Floating dtype of the inputs.

    Returns:
        One-hot inputs **[n, length, 8]** and targets **[n]**, int64:
        2·[first is Y] + [second is Y].

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> x, y = temporal_order(3, 100, seeded(0))
        >>> x.shape, bool((x[..., :2].sum((1, 2)) == 2).all())
        (torch.Size([3, 100, 8]), True)
    """
    whole("n", n, 1)
    whole("length", length, 10)
    device = random_source(generator).device
    symbols = 2 + torch.randint(4, (n, length), generator=generator, device=device)
    symbols[:, 0], symbols[:, -1] = 6, 7
    marks = torch.randint(2, (n, 2), generator=generator, device=device)
    rows = torch.arange(n, device=device)
    for column, (low, high) in enumerate(
        [(length // 10, length // 5), (length // 2, length * 3 // 5)]
    ):
        place = torch.randint(low, high + 1, (n,), generator=generator, device=device)
        symbols[rows, place] = marks[:, column]
    return one_hot(symbols, 8).to(dtype), 2 * marks[:, 0] + marks[:, 1]


def adding_problem(
    n: int, length: int, generator: torch.Generator, *, dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor]:
    r"""Add the two marked numbers of a long list.

    Each step holds a number :math:`u_t \sim U(0, 1)` and a mark, which is 1 once in the first half
    and once in the second, else 0. The best constant answer, 1, has mean squared error
    :math:`2 \cdot \tfrac1{12} = \tfrac16`.

    Source:
        The adding problem of Hochreiter and Schmidhuber (1997), section 5.4, with numbers in
        :math:`[0, 1]` and the plain sum as target.

    Args:
        n: Number of sequences.
        length: :math:`T`, at least 2.
        generator: Draws numbers and places.
        dtype: Floating dtype.

    Returns:
        Inputs **[n, length, 2]** (number, mark) and targets **[n]** in [0, 2].

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from genbook.kit.device import seeded
        >>> x, y = adding_problem(3, 50, seeded(0))
        >>> torch.allclose(x.prod(-1).sum(-1), y)
        True
    """
    whole("n", n, 1)
    whole("length", length, 2)
    device = random_source(generator).device
    numbers = torch.rand(n, length, generator=generator, dtype=dtype, device=device)
    marks = torch.zeros_like(numbers)
    rows, half = torch.arange(n, device=device), length // 2
    for low, high in [(0, half), (half, length)]:
        marks[rows, torch.randint(low, high, (n,), generator=generator, device=device)] = 1
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(dim=1)
