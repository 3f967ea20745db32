r"""Relations between computed values: what a receipt claims, with both sides to show.

A relation looks at every element of what it is given and broadcasts as torch does. A NaN anywhere
makes it fail, and so does an infinity, unless :func:`equal` finds it on both sides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Numbers = Any
"""A number, a list of numbers, a NumPy array or a tensor."""


@dataclass(frozen=True)
class Relation:
    r"""A relation that was looked at.

    Args:
        holds: whether every element keeps it.
        law: the limit or the count that does not depend on the machine; empty if there is none.
        measured: both sides as measured, at the element that comes closest to breaking it.
        used: the share of the tolerance that was used, where there is one.
    """

    holds: bool
    law: str
    measured: str
    used: float | None = None


def close(ours: Numbers, theirs: Numbers, *, tol: float, relative: bool = False) -> Relation:
    r"""Whether two results agree within a tolerance, everywhere.

    .. math:: |a_i - b_i| \le \text{tol}
        \qquad\text{or}\qquad |a_i - b_i| \le \text{tol}\,\max(1, |b_i|)

    Args:
        ours: numbers of any shape.
        theirs: numbers of a shape that broadcasts with it.
        tol: > 0; for exact agreement use :func:`equal`.
        relative: measure the difference in units of :math:`\max(1, |b|)`.

    Returns:
        The relation; its law is the tolerance.

    Raises:
        ValueError: if the shapes do not broadcast, one is empty, or the tolerance is not positive.

    Example:
        >>> close([1.0, 2.0], [1.0, 2.5], tol=1.0).measured
        '0.5 ≤ 1'
        >>> close(float("nan"), 0.0, tol=1.0).holds
        False
    """
    if not (math.isfinite(tol) and tol > 0):
        raise ValueError(f"expected a tolerance > 0, got {tol!r}; use equal(…) for exact agreement")
    a, b = _pair(ours, theirs)
    law = f"{'relative error' if relative else 'error'} ≤ {tol:g}"
    if (trouble := _not_finite(a, b)) is not None:
        return Relation(False, law, trouble)
    error = (a - b).abs() / (b.abs().clamp_min(1) if relative else 1)
    worst = float(error.max())
    return Relation(worst <= tol, law, f"{_short(worst)} ≤ {tol:g}", worst / tol)


def equal(ours: Any, theirs: Any) -> Relation:
    r"""Whether two results are the same, exactly.

    Args:
        ours: numbers of any shape, or anything with ``==`` such as words and tuples of words.
        theirs: the same. Infinities of one sign are equal; NaN is equal to nothing.

    Returns:
        The relation; its law is ``exact``.

    Raises:
        ValueError: if the shapes do not broadcast or one is empty.

    Example:
        >>> equal([1, math.inf], [1, math.inf]).holds, equal("ab", "ab").measured
        (True, "'ab' = 'ab'")
    """
    if not (_is_numeric(ours) and _is_numeric(theirs)):
        same = type(ours) is type(theirs) and bool(ours == theirs)
        return Relation(same, "exact", f"{_words(ours)} {'=' if same else '≠'} {_words(theirs)}")
    a, b = _pair(ours, theirs)
    if (trouble := _nan(a, b)) is not None:
        return Relation(False, "exact", trouble)
    wrong = (a != b).flatten()
    place = int(wrong.long().argmax())
    sign = "≠" if bool(wrong.any()) else "="
    left, right = (_short(float(x.flatten()[place])) for x in (a, b))
    if a.numel() > 1:
        return Relation(
            not bool(wrong.any()), "exact", f"{int((~wrong).sum()):,} of {a.numel():,} equal"
        )
    return Relation(not bool(wrong.any()), "exact", f"{left} {sign} {right}")


def at_most(a: Numbers, b: Numbers) -> Relation:
    r"""Whether :math:`a_i \le b_i` everywhere.

    Args:
        a: numbers of any shape.
        b: numbers of a shape that broadcasts with it.

    Returns:
        The relation; its sides are those of the element with the least room.

    Raises:
        ValueError: if the shapes do not broadcast or one is empty.

    Example:
        >>> at_most([1.0, 2.0], 2.0).measured
        '2 ≤ 2'
    """
    return _ordered(a, b, "≤", torch.le, lambda a, b: b - a)


def below(a: Numbers, b: Numbers) -> Relation:
    r"""Whether :math:`a_i < b_i` everywhere; see :func:`at_most`.

    Example:
        >>> below(2.0, 2.0).holds
        False
    """
    return _ordered(a, b, "<", torch.lt, lambda a, b: b - a)


def at_least(a: Numbers, b: Numbers) -> Relation:
    r"""Whether :math:`a_i \ge b_i` everywhere; see :func:`at_most`.

    Example:
        >>> at_least(2.0, 2.0).holds
        True
    """
    return _ordered(a, b, "≥", torch.ge, lambda a, b: a - b)


def above(a: Numbers, b: Numbers) -> Relation:
    r"""Whether :math:`a_i > b_i` everywhere; see :func:`at_most`.

    Example:
        >>> above(0.81, 0.62).measured
        '0.81 > 0.62'
    """
    return _ordered(a, b, ">", torch.gt, lambda a, b: a - b)


def between(value: Numbers, low: Numbers, high: Numbers) -> Relation:
    r"""Whether :math:`l_i \le v_i \le h_i` everywhere.

    Args:
        value: numbers of any shape.
        low: lower limits of a shape that broadcasts with it.
        high: upper limits.

    Returns:
        The relation; its sides are those of the element with the least room.

    Raises:
        ValueError: if the shapes do not broadcast or one is empty.

    Example:
        >>> between(0.5, 0, 1).measured
        '0.5 in [0, 1]'
    """
    v, lo, hi = _together(value, low, high)
    if (trouble := _not_finite(v, lo, hi)) is not None:
        return Relation(False, "", trouble)
    room = torch.minimum(v - lo, hi - v).flatten()
    place = int(room.argmin())
    at, left, right = (_short(float(x.flatten()[place])) for x in (v, lo, hi))
    holds = bool(room[place] >= 0)
    return Relation(holds, "", f"{at} {'in' if holds else 'not in'} [{left}, {right}]")


def never(mask: Any) -> Relation:
    r"""Whether no element of a mask is true.

    Args:
        mask: truth values, at least one.

    Returns:
        The relation; its law is ``0 of N``.

    Raises:
        ValueError: if it is empty or holds something else than truth values.

    Example:
        >>> never([False, False]).law, never([False, True]).measured
        ('0 of 2', '1 of 2')
    """
    count, total = _counted(mask)
    return Relation(count == 0, f"0 of {total:,}", f"{count:,} of {total:,}")


def always(mask: Any) -> Relation:
    r"""Whether every element of a mask is true.

    Args:
        mask: truth values, at least one.

    Returns:
        The relation; its law is ``N of N``.

    Raises:
        ValueError: if it is empty or holds something else than truth values.

    Example:
        >>> always([True, True]).law
        '2 of 2'
    """
    count, total = _counted(mask)
    return Relation(count == total, f"{total:,} of {total:,}", f"{count:,} of {total:,}")


Compare = Callable[[Tensor, Tensor], Tensor]


def _ordered(a: Numbers, b: Numbers, sign: str, compare: Compare, room: Compare) -> Relation:
    left, right = _pair(a, b)
    if (trouble := _not_finite(left, right)) is not None:
        return Relation(False, "", trouble)
    place = int(room(left, right).flatten().argmin())
    sides = [_short(float(x.flatten()[place])) for x in (left, right)]
    return Relation(bool(compare(left, right).all()), "", f"{sides[0]} {sign} {sides[1]}")


def _counted(mask: Any) -> tuple[int, int]:
    values = mask if isinstance(mask, Tensor) else torch.as_tensor(_plain(mask))
    if values.numel() == 0:
        raise ValueError("expected at least one truth value, got none; what was to be counted?")
    if values.dtype is not torch.bool:
        raise ValueError(f"expected truth values, got {values.dtype}; compare first, as in x > 0")
    return int(values.sum()), values.numel()


def _plain(values: Any) -> Any:
    if isinstance(values, (Sequence, set)) or hasattr(values, "__next__"):
        return [bool(v) if _is_truth(v) else v for v in values]
    return values


def _is_truth(value: Any) -> bool:
    return getattr(value, "dtype", None) in (torch.bool,) and value.numel() == 1


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    try:
        torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        return isinstance(value, Sequence) and bool(value) and all(map(_is_numeric, value))
    return True


def _as_tensor(value: Any) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().cpu().double()
    if isinstance(value, Sequence) and any(isinstance(v, Tensor) for v in value):
        return torch.stack([_as_tensor(v) for v in value])
    return torch.as_tensor(value, dtype=torch.float64)


def _together(*values: Numbers) -> list[Tensor]:
    tensors = [_as_tensor(value) for value in values]
    shapes = " and ".join(str(list(t.shape)) for t in tensors)
    if any(t.numel() == 0 for t in tensors):
        raise ValueError(f"expected at least one number on each side, got shapes {shapes}")
    try:
        return list(torch.broadcast_tensors(*tensors))
    except RuntimeError as error:
        raise ValueError(f"expected shapes that broadcast, got {shapes}") from error


def _pair(a: Numbers, b: Numbers) -> tuple[Tensor, Tensor]:
    left, right = _together(a, b)
    return left, right


def _nan(*sides: Tensor) -> str | None:
    for side in sides:
        if bool(side.isnan().any()):
            return f"NaN{_where(side.isnan())}"
    return None


def _not_finite(*sides: Tensor) -> str | None:
    for side in sides:
        if bool((bad := ~torch.isfinite(side)).any()):
            return f"{'NaN' if bool(side.isnan().any()) else 'infinite'}{_where(bad)}"
    return None


def _where(bad: Tensor) -> str:
    return f" at {bad.nonzero()[0].tolist()}" if bad.ndim else ""


def _short(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"


def _words(thing: Any) -> str:
    text = repr(thing)
    return text if len(text) <= 40 else text[:37] + "…"
