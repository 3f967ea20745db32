r"""Walking through codes, adding and subtracting them, and how far that leads from the codes known.

.. math:: z_t=(1-t)z_0+tz_1,\qquad z=\bar z_A-\bar z_B+\bar z_C
"""

from __future__ import annotations

import torch
from torch import Tensor


def line(start: Tensor, end: Tensor, t: Tensor | float) -> Tensor:
    r"""The straight way from one code to another.

    .. math:: z_t=(1-t)\,z_0+t\,z_1

    Args:
        start: :math:`z_0`, **[..., d]**.
        end: :math:`z_1`, **[..., d]**.
        t: in [0, 1]; a tensor broadcasts against the codes.

    Returns:
        **[..., d]**.

    Example:
        >>> line(torch.zeros(1), torch.ones(1), 0.25).item()
        0.25
    """
    return (1 - t) * start + t * end


def arc(start: Tensor, end: Tensor, t: float) -> Tensor:
    r"""The way along the great circle of two codes, which keeps a common length.

    .. math:: z_t=\frac{\sin((1-t)\theta)}{\sin\theta}z_0+\frac{\sin(t\theta)}{\sin\theta}z_1,
        \qquad \cos\theta=\frac{\langle z_0,z_1\rangle}{\|z_0\|\|z_1\|}

    Args:
        start: :math:`z_0`, **[..., d]**, not zero.
        end: :math:`z_1`, **[..., d]**, not zero and not opposite.
        t: in [0, 1].

    Returns:
        **[..., d]**; the straight way where the two have one direction.

    Source:
        Shoemake (1985); for latent codes White (2016).

    Example:
        >>> a, b = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 1.0]).double()
        >>> round(arc(a, b, 0.5).norm().item(), 9)
        1.0
    """
    cosine = torch.nn.functional.cosine_similarity(start, end, -1).clamp(-1, 1)[..., None]
    angle = cosine.acos()
    flat = angle.sin() < 1e-6
    sine = angle.sin().where(~flat, torch.ones_like(angle))
    curved = (((1 - t) * angle).sin() * start + (t * angle).sin() * end) / sine
    return torch.where(flat, line(start, end, t), curved)


def arithmetic(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    r"""Subtract one concept, add another; each is the mean of its exemplars.

    .. math:: z=\bar z_A-\bar z_B+\bar z_C

    Args:
        a: exemplars of the first concept, **[..., k, d]**.
        b: of the one that is subtracted.
        c: of the one that is added.

    Returns:
        **[..., d]**.

    Source:
        Radford, Metz and Chintala (2016), with k = 3.

    Example:
        >>> one = torch.ones(3, 2)
        >>> arithmetic(3 * one, 2 * one, 5 * one).tolist()
        [6.0, 6.0]
    """
    return a.mean(-2) - b.mean(-2) + c.mean(-2)


def spread_of_sum(exemplars: int) -> float:
    r"""The variance of :func:`arithmetic`'s code, in variances of one code.

    .. math:: \operatorname{Var}(\bar z_A-\bar z_B+\bar z_C)=\tfrac3k\operatorname{Var}(z)

    for independent exemplars of one distribution.

    Args:
        exemplars: k, of each concept.

    Returns:
        3/k.

    Raises:
        ValueError: if there are none.

    Example:
        >>> spread_of_sum(1), spread_of_sum(3)
        (3.0, 1.0)
    """
    if exemplars < 1:
        raise ValueError(f"expected at least one exemplar, got {exemplars}")
    return 3 / exemplars


def ink(images: Tensor) -> Tensor:
    r"""The mean of the pixels.

    Args:
        images: **[N, H, W]** in [0, 1].

    Returns:
        **[N]**.

    Example:
        >>> ink(torch.ones(1, 2, 2)).item()
        1.0
    """
    return images.mean((1, 2))


def slant(images: Tensor) -> Tensor:
    r"""How many columns a digit leans to the right for each row upwards.

    .. math:: -\frac{\operatorname{cov}(\text{column},\text{row})}{\operatorname{var}(\text{row})}

    with every pixel weighed by its ink.

    Args:
        images: **[N, H, W]**, at least 0, none of them blank or of one row.

    Returns:
        **[N]**.

    Example:
        >>> falling = torch.eye(4)[None]
        >>> round(slant(falling).item(), 6), round(slant(falling.flip(1)).item(), 6)
        (-1.0, 1.0)
    """
    height, width = images.shape[1:]
    rows = torch.arange(height, dtype=images.dtype, device=images.device)[:, None]
    columns = torch.arange(width, dtype=images.dtype, device=images.device)
    weight = images / images.sum((1, 2), keepdim=True)
    row = (weight * rows).sum((1, 2), keepdim=True)
    column = (weight * columns).sum((1, 2), keepdim=True)
    both = (weight * (rows - row) * (columns - column)).sum((1, 2))
    return -both / (weight * (rows - row).square()).sum((1, 2))
