r"""Tasks whose answer lies far back in a sequence.

Every function draws on the generator's device and returns inputs **[N, T, d]** with targets.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from genbook.kit.data._checks import random_source, whole


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
