"""Exercises of the chapter on f-GANs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbook.games import duality
from genbook.kit.answers import agree, call, differs, numbers, same
from genbook.kit.exercises import Exercise

Pointwise = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], Tensor]
Rivals = Sequence[tuple[Callable[..., Tensor], str]]

SLOPES = torch.linspace(-2.5, 0.9, 18, dtype=torch.float64)
FEWER = torch.tensor([-2.9, -1.0, 0.0, 0.99], dtype=torch.float64)
ROUNDED = 1e-6  # a smooth approach to an end makes steps below this before it rounds to the end
SHORT = 0.02  # of an end, at v = ±80


def _pair(*rows: Sequence[float]) -> tuple[Tensor, Tensor]:
    p, q = torch.tensor(rows, dtype=torch.float64)
    return p, q


SAME = _pair([0.5, 0.3, 0.2], [0.5, 0.3, 0.2])
PAIRS = (
    _pair([0.5, 0.3, 0.2], [0.2, 0.5, 0.3]),
    _pair([0.1, 0.2, 0.3, 0.4], [0.15, 0.35, 0.45, 0.05]),
    _pair([0.9, 0.1], [0.2, 0.8]),
)


def _described(p: Tensor, q: Tensor) -> str:
    sides = ("[" + ", ".join(f"{v:g}" for v in side.tolist()) + "]" for side in (p, q))
    return "for p = {} and q = {}".format(*sides)


def _known(
    answer: Callable[..., Tensor], cases: Sequence[tuple[Tensor, ...]], rivals: Rivals
) -> str | None:
    """The words for the mistake that gives the answer's values in all cases."""
    for rival, words in rivals:
        if all(same(call(answer, *case), numbers(rival(*case))) for case in cases):
            return words
    return None


# --- A new row --------------------------------------------------------------------------------


def triangular_conjugate(t: Tensor) -> Tensor:
    """The conjugate of f(u) = (u − 1)²/(u + 1), for −3 < t < 1."""
    return 4 - t - 4 * torch.sqrt(1 - t)


def _where_it_touches(t: Tensor) -> Tensor:
    return 2 / torch.sqrt(1 - t) - 1


def _check_triangular(answer: Pointwise) -> str | None:
    cases = ((SLOPES,), (FEWER,))
    rivals: Rivals = (
        (
            lambda t: -triangular_conjugate(t),
            "the sign: f* is ut − f(u), and the line meets the axis at −f*.",
        ),
        (
            _where_it_touches,
            "that is the u at which the line touches; insert it into ut − f(u).",
        ),
        (lambda t: t * _where_it_touches(t), "that is ut alone; subtract f(u)."),
        (
            lambda t: 4 - t + 4 * torch.sqrt(1 - t),
            "that is the other root of f′(u) = t, where u < 0: no density ratio lies there.",
        ),
    )
    if not bool(numbers(call(answer, SLOPES), SLOPES.shape).isfinite().all()):
        return "not finite somewhere on −3 < t < 1: the root is of 1 − t."
    if (words := _known(answer, cases, rivals)) is not None:
        return words
    singles = [(t[None],) for t in FEWER]
    hint = agree(answer, triangular_conjugate, singles, lambda t: f"for t = {float(t):g}")
    return hint or agree(answer, triangular_conjugate, cases)


triangular = Exercise(name="triangular", check=_check_triangular, reference=triangular_conjugate)


def below_one(v: Tensor) -> Tensor:
    """An increasing map from all reals onto t < 1."""
    return 1 - torch.exp(-v)


def _check_activation(answer: Pointwise) -> str | None:
    v = torch.linspace(-12, 12, 49, dtype=torch.float64)
    t = numbers(call(answer, v), v.shape)
    if bool(t.isnan().any()):
        return f"not a number at v = {float(v[t.isnan()][0]):g}."
    if bool((t > 1).any()):
        at = float(v[t > 1][0])
        return (
            f"at v = {at:g} you return {float(t[t > 1][0]):g}, where f* is infinite: "
            "the domain is t ≤ 1."
        )
    rise = t.diff()
    if bool((rise <= 0).all() and (rise < 0).any()):
        return "it falls: then a larger output means *less* like the data. Flip the sign of v."
    stuck = _not_rising(rise)
    if bool(stuck.any()):
        at = float(v[1:][stuck][0])
        return f"it must rise with v everywhere: at v = {at:g} it does not, and no gradient passes."
    return _check_range(answer)


def _not_rising(rise: Tensor) -> Tensor:
    """Steps without a rise, but for those at the ends that floating point rounds to none."""
    stuck = rise <= 0
    moving = (~stuck).nonzero().flatten()
    if len(moving) == 0:
        return stuck
    first, last = int(moving[0]), int(moving[-1])
    if float(rise[first]) < ROUNDED:
        stuck[:first] = rise[:first] < 0
    if float(rise[last]) < ROUNDED:
        stuck[last + 1 :] = rise[last + 1 :] < 0
    return stuck


def _check_range(answer: Pointwise) -> str | None:
    """Whether an increasing map leaves out nothing of −3 < t < 1, where T* lies."""
    low, high = numbers(
        call(answer, torch.tensor([-80.0, 80.0], dtype=torch.float64)), [2]
    ).tolist()
    if not low < -3 + SHORT:
        return (
            f"it should come down to f′(0) = −3, where T* is if p ≪ q; at v = −80 it is {low:.4g}."
        )
    if not 1 - SHORT < high <= 1:
        return f"it should come close to 1 for large v; at v = 80 it is {high:.4g}."
    # between round numbers, so that a jump at one is on no grid point, whatever the CPU
    fine = torch.arange(-4801, 4801, 2, dtype=torch.float64) / 400
    parts = numbers(call(answer, fine), fine.shape).diff().reshape(48, 100)
    risen = parts.sum(1)
    jump = (parts.max(1).values > 0.5 * risen) & (risen > ROUNDED)
    if bool(jump.any()):
        at = -12 + 0.5 * int(jump.nonzero()[0])
        return f"it jumps between v = {at:g} and {at + 0.5:g}: the values in between are left out."
    return None


activation = Exercise(name="activation", check=_check_activation, reference=below_one)


# --- Misprints --------------------------------------------------------------------------------


def printed_js(p: Tensor, q: Tensor) -> Tensor:
    """Meant to be the f-divergence of f(u) = u log u − (u + 1) log((1 + u)/2); it is not."""
    m = (p + q) / 2
    return 0.5 * (p * (p / m).log() + q * (q / m).log()).sum()


def mended_js(p: Tensor, q: Tensor) -> Tensor:
    """The f-divergence Σ q f(p/q) of f(u) = u log u − (u + 1) log((1 + u)/2)."""
    m = (p + q) / 2
    return (p * (p / m).log() + q * (q / m).log()).sum()


def _js_of_p_alone(p: Tensor, q: Tensor) -> Tensor:
    return (p * (2 * p / (p + q)).log()).sum()


def _check_js(answer: Pair) -> str | None:
    rivals: Rivals = (
        (
            printed_js,
            "still the integral as printed: insert u = p/q into Σ q f(u) and count the halves.",
        ),
        (
            lambda p, q: printed_js(p, q) / 2,
            "the wrong way: the printed ½ was one too many already.",
        ),
        (
            _js_of_p_alone,
            "half the sum: −(u + 1) log((1 + u)/2) also gives q log(2q/(p + q)).",
        ),
        (
            lambda p, q: mended_js(p, q) / math.log(2),
            "that is in bits; f has the natural logarithm.",
        ),
        (
            lambda p, q: (p * (p / q).log() + q * (q / p).log()).sum(),
            "that is Jeffrey's divergence: compare p and q with (p + q)/2, not with each other.",
        ),
    )
    if (words := _known(answer, PAIRS, rivals)) is not None:
        return words
    return agree(answer, _exact_js, (*PAIRS, SAME), _described)


def _exact_js(p: Tensor, q: Tensor) -> Tensor:
    return duality.divergence(duality.JENSEN_SHANNON, p, q)


js = Exercise(name="js", check=_check_js, reference=mended_js)


def printed_gan(p: Tensor, q: Tensor) -> Tensor:
    """The row GAN taken at its word: Σ q f(p/q) with f(u) = u log u − (u + 1) log(u + 1)."""
    u = p / q
    return (q * (u * u.log() - (u + 1) * u.log1p())).sum()


def mended_gan(p: Tensor, q: Tensor) -> Tensor:
    """The same, with f moved up so that f(1) = 0."""
    return printed_gan(p, q) + math.log(4)


def _check_gan(answer: Pair) -> str | None:
    if all(same(call(answer, *case), 0.0) for case in (*PAIRS, SAME)):
        return "zero everywhere: clamping hides the offset and the divergence with it."
    rivals: Rivals = (
        (
            printed_gan,
            f"two equal distributions are at distance {-math.log(4):.4f}: what is f(1)?",
        ),
        (
            lambda p, q: printed_gan(p, q) + math.log(2),
            "closer: f(1) = −2 log 2, and you have added log 2 once.",
        ),
        (
            lambda p, q: printed_gan(p, q) - math.log(4),
            "the wrong way: f(1) = −log 4, and it has to be taken away.",
        ),
        (
            lambda p, q: mended_gan(p, q) / 2,
            "that is JS; moving f up by a constant does not halve it.",
        ),
    )
    if (words := _known(answer, (*PAIRS, SAME), rivals)) is not None:
        return words
    if (hint := differs(call(answer, *SAME), 0.0, "for p = q")) is not None:
        return hint
    return agree(answer, _exact_js, PAIRS, _described)


gan = Exercise(name="gan", check=_check_gan, reference=mended_gan)

EXERCISES = (triangular, activation, js, gan)
