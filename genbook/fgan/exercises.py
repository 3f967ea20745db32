"""Exercises of the chapter on f-GANs."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from genbook.games import duality
from genbook.kit.exercises import Exercise, Wrong, call

Pointwise = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], Tensor]

SLOPES = torch.linspace(-2.5, 0.9, 18, dtype=torch.float64)
P = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
Q = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)


def _agree(value: object, target: Tensor) -> bool:
    return (
        isinstance(value, Tensor)
        and value.shape == target.shape
        and torch.allclose(value.double(), target, rtol=1e-6, atol=1e-9)
    )


def _equal(value: float, target: float) -> bool:
    return math.isclose(value, target, rel_tol=1e-6, abs_tol=1e-9)


# --- A new row --------------------------------------------------------------------------------


def triangular_conjugate(t: Tensor) -> Tensor:
    """The conjugate of f(u) = (u − 1)²/(u + 1), for −3 < t < 1."""
    return 4 - t - 4 * torch.sqrt(1 - t)


def _where_it_touches(t: Tensor) -> Tensor:
    return 2 / torch.sqrt(1 - t) - 1


def _negative_conjugate(t: Tensor) -> Tensor:
    return -triangular_conjugate(t)


def _without_f(t: Tensor) -> Tensor:
    return t * _where_it_touches(t)


def _check_triangular(answer: Pointwise) -> str | None:
    value = call(answer, SLOPES)
    target = triangular_conjugate(SLOPES)
    if _agree(value, -target):
        return "the sign: f* is ut − f(u), and the line meets the axis at −f*."
    if _agree(value, _where_it_touches(SLOPES)):
        return "that is the u at which the line touches; insert it into ut − f(u)."
    if _agree(value, _without_f(SLOPES)):
        return "that is ut alone; subtract f(u)."
    if isinstance(value, Tensor) and not bool(torch.isfinite(value).all()):
        return "not finite somewhere on −3 < t < 1: the root is of 1 − t."
    return None if _agree(value, target) else f"at t = −2.5 expected {float(target[0]):.4f}."


triangular = Exercise(
    name="triangular",
    check=_check_triangular,
    reference=triangular_conjugate,
    wrong=(
        Wrong(_negative_conjugate, "sign"),
        Wrong(_where_it_touches, "insert it"),
        Wrong(_without_f, "subtract f(u)"),
    ),
)


def below_one(v: Tensor) -> Tensor:
    """An increasing map from all reals onto t < 1."""
    return 1 - torch.exp(-v)


def _falling(v: Tensor) -> Tensor:
    return 1 - torch.exp(v)


def _too_narrow(v: Tensor) -> Tensor:
    return torch.tanh(v)


def _identity(v: Tensor) -> Tensor:
    return v


def _check_activation(answer: Pointwise) -> str | None:
    v = torch.linspace(-12, 12, 481, dtype=torch.float64)
    value = call(answer, v)
    if not isinstance(value, Tensor) or value.shape != v.shape:
        return "expected one value for each v, of the same shape."
    if not bool((value < 1).all()):
        return "some values are 1 or more, where f* is infinite: the domain is t < 1."
    if bool((value.diff() < 0).all()):
        return (
            "the range is right, but it falls: then a larger output means *less* like the data. "
            "Flip the sign of v."
        )
    if not bool((value.diff() >= 0).all()):
        return "it should never fall as v grows."
    if float(value[0]) > -5:
        return "it never goes far below 0: T* = f′(p/q) could not be reached where p ≪ q."
    return None if float(value[-1]) > 0.9 else "it should come close to 1 for large v."


activation = Exercise(
    name="activation",
    check=_check_activation,
    reference=below_one,
    wrong=(
        Wrong(_falling, "falls"),
        Wrong(_too_narrow, "far below 0"),
        Wrong(_identity, "f* is infinite"),
    ),
)


# --- Misprints --------------------------------------------------------------------------------


def printed_js(p: Tensor, q: Tensor) -> Tensor:
    """Meant to be the f-divergence of f(u) = u log u − (u + 1) log((1 + u)/2); it is not."""
    m = (p + q) / 2
    return 0.5 * (p * (p / m).log() + q * (q / m).log()).sum()


def mended_js(p: Tensor, q: Tensor) -> Tensor:
    """The f-divergence Σ q f(p/q) of f(u) = u log u − (u + 1) log((1 + u)/2)."""
    m = (p + q) / 2
    return (p * (p / m).log() + q * (q / m).log()).sum()


def _quarter_js(p: Tensor, q: Tensor) -> Tensor:
    return printed_js(p, q) / 2


def _js_of_p_alone(p: Tensor, q: Tensor) -> Tensor:
    return (p * (2 * p / (p + q)).log()).sum()


def _check_js(answer: Pair) -> str | None:
    value = float(call(answer, P, Q))
    target = float(duality.divergence(duality.JENSEN_SHANNON, P, Q))
    if _equal(value, target / 2):
        return "still the integral as printed: insert u = p/q into Σ q f(u) and count the halves."
    if _equal(value, target / 4):
        return "the wrong way: the printed ½ was one too many already."
    if _equal(value, float(_js_of_p_alone(P, Q))):
        return "half the sum: −(u + 1) log((1 + u)/2) also gives q log(2q/(p + q))."
    return None if _equal(value, target) else f"expected {target:.6f}, got {value:.6f}."


js = Exercise(
    name="js",
    check=_check_js,
    reference=mended_js,
    wrong=(
        Wrong(printed_js, "as printed"),
        Wrong(_quarter_js, "wrong way"),
        Wrong(_js_of_p_alone, "half the sum"),
    ),
)


def printed_gan(p: Tensor, q: Tensor) -> Tensor:
    """The row GAN taken at its word: Σ q f(p/q) with f(u) = u log u − (u + 1) log(u + 1)."""
    u = p / q
    return (q * (u * u.log() - (u + 1) * u.log1p())).sum()


def mended_gan(p: Tensor, q: Tensor) -> Tensor:
    """The same, with f moved up so that f(1) = 0."""
    return printed_gan(p, q) + math.log(4)


def _gan_plus_log_2(p: Tensor, q: Tensor) -> Tensor:
    return printed_gan(p, q) + math.log(2)


def _gan_clamped(p: Tensor, q: Tensor) -> Tensor:
    return printed_gan(p, q).clamp_min(0)


def _check_gan(answer: Pair) -> str | None:
    same = float(call(answer, P, P))
    value = float(call(answer, P, Q))
    if same == 0 and value == 0:
        return "zero everywhere: clamping hides the offset and the divergence with it."
    if _equal(same, -math.log(4)):
        return f"two equal distributions are at distance {same:.4f}: what is f(1)?"
    if _equal(same, -math.log(2)):
        return "closer: f(1) = −2 log 2, and you have added log 2 once."
    target = float(mended_gan(P, Q))
    return None if _equal(value, target) else f"expected {target:.6f}, got {value:.6f}."


gan = Exercise(
    name="gan",
    check=_check_gan,
    reference=mended_gan,
    wrong=(
        Wrong(printed_gan, "what is f(1)"),
        Wrong(_gan_plus_log_2, "log 2 once"),
        Wrong(_gan_clamped, "clamping"),
    ),
)

EXERCISES = (triangular, activation, js, gan)
