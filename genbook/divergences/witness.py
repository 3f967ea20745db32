r"""Total variation as an integral metric: the best bounded critic, the closest pair.

Both are linear programs over outcomes, which know nothing of half the L₁ distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linprog
from torch import Tensor

from genbook.divergences.measures import _check_probabilities


@dataclass(frozen=True)
class Found:
    r"""The optimum of a linear program.

    Args:
        value: of its objective.
        at: where it is attained: a critic **[k]**, or a joint distribution **[k, k]**.
    """

    value: float
    at: Tensor


def _pair(p: Tensor, q: Tensor) -> tuple[np.ndarray, np.ndarray]:
    if p.ndim != 1 or p.shape != q.shape:
        raise ValueError(
            f"expected p and q [k] over the same outcomes, got {list(p.shape)} and {list(q.shape)}"
        )
    for name, values in (("p", p), ("q", q)):
        _check_probabilities(name, values)
    exact = (values.detach().cpu().double().numpy() for values in (p, q))
    first, second = (values / values.sum() for values in exact)
    return first, second


def best_bounded(p: Tensor, q: Tensor) -> Found:
    r"""The critic between −½ and ½ that tells p from q best.

    .. math:: \max_{|h|\le\frac12}\ \mathbb E_p[h]-\mathbb E_q[h]

    Args:
        p: probabilities **[k]**.
        q: probabilities **[k]**.

    Returns:
        The difference of means and the critic, float64.

    Raises:
        ValueError: if p or q is no probability vector, or their lengths differ.

    Source:
        Müller (1997), the total variation as an integral metric; solved by HiGHS through SciPy.

    Example:
        >>> best_bounded(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).value
        1.0
    """
    first, second = _pair(p, q)
    result = linprog(second - first, bounds=(-0.5, 0.5), method="highs")
    return Found(-float(result.fun), torch.from_numpy(np.asarray(result.x)))


def closest_pair(p: Tensor, q: Tensor) -> Found:
    r"""The joint distribution of X ∼ p and Y ∼ q that differ as rarely as they can.

    .. math:: \min_\gamma\ P_\gamma(X\ne Y)

    Args:
        p: probabilities **[k]**, of X.
        q: probabilities **[k]**, of Y.

    Returns:
        The probability that they differ, and the joint distribution, float64.

    Raises:
        ValueError: if p or q is no probability vector, or their lengths differ.

    Source:
        The coupling inequality; solved by HiGHS through SciPy.

    Example:
        >>> closest_pair(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).value
        1.0
    """
    first, second = _pair(p, q)
    k = len(first)
    rows = np.kron(np.eye(k), np.ones((1, k)))
    columns = np.kron(np.ones((1, k)), np.eye(k))
    result = linprog(
        1 - np.eye(k).ravel(),
        A_eq=np.vstack([rows, columns]),
        b_eq=np.concatenate([first, second]),
        bounds=(0, None),
        method="highs",
    )
    return Found(float(result.fun), torch.from_numpy(np.asarray(result.x).reshape(k, k)))
