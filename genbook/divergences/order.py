r"""How strong each convergence is: a share of the mass, put a distance away.

Two numbers, the share and the distance, are enough to part every divergence from the others.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

NAMES = ("W₁", "JS", "TV", "KL(p‖q)", "KL(q‖p)")
"""What :func:`misplaced` gives."""


def _check(share: float, distance: float) -> None:
    if not (0 <= share <= 1 and 0 < distance < math.inf):
        raise ValueError(
            f"expected a share in [0, 1] and a finite distance > 0, got {share} and {distance}"
        )


def _times_log(a: float, b: float) -> float:
    """``a log b`` with 0 log 0 = 0."""
    return a * math.log(b) if a > 0 else 0.0


def misplaced(share: float, distance: float) -> dict[str, float]:
    r"""Every divergence of a model at 0 from data of which a share ε lies r away, in closed form.

    .. math:: p=(1-\varepsilon)\,\delta_0+\varepsilon\,\delta_r,\qquad q=\delta_0

    .. math:: W_1=\varepsilon r,\qquad\mathrm{TV}=\varepsilon,\qquad\mathrm{KL}(p\|q)=\infty,\qquad
        \mathrm{KL}(q\|p)=-\log(1-\varepsilon),

    .. math:: \mathrm{JS}=\tfrac12\Big[\varepsilon\log2+(1-\varepsilon)\log(1-\varepsilon)
        -(2-\varepsilon)\log\big(1-\tfrac\varepsilon2\big)\Big]

    Args:
        share: ε, from 0 to 1.
        distance: r > 0.

    Returns:
        Name → value, under the names of :data:`NAMES`; KL and JS in nats.

    Raises:
        ValueError: if the share is no probability or the distance not positive.

    Source:
        Derived; compare Arjovsky, Chintala and Bottou (2017), theorem 2.

    Example:
        >>> found = misplaced(0.5, 4.0)
        >>> found["W₁"], found["TV"], found["KL(p‖q)"]
        (2.0, 0.5, inf)
    """
    _check(share, distance)
    left = 1 - share
    js = _times_log(share, 2) + _times_log(left, left) - (2 - share) * math.log1p(-share / 2)
    lost = math.inf if share == 1 else -math.log1p(-share)
    values = (share * distance, js / 2, share, math.inf if share > 0 else 0.0, lost)
    return dict(zip(NAMES, values, strict=True))


def misplaced_atoms(share: float, distance: float) -> tuple[Tensor, Tensor, Tensor]:
    r"""The same pair as probabilities on the two points 0 and r.

    Args:
        share: ε, from 0 to 1.
        distance: r > 0.

    Returns:
        p and q, **[2]**, and the points, **[2, 1]**, float64.

    Raises:
        ValueError: as :func:`misplaced`.

    Example:
        >>> p, q, points = misplaced_atoms(0.25, 4.0)
        >>> p.tolist(), q.tolist(), points[:, 0].tolist()
        ([0.75, 0.25], [1.0, 0.0], [0.0, 4.0])
    """
    _check(share, distance)
    pair = torch.tensor([[1 - share, share], [1.0, 0.0]], dtype=torch.float64)
    return pair[0], pair[1], torch.tensor([[0.0], [distance]], dtype=torch.float64)
