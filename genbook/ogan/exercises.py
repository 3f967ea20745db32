"""Exercises of the chapter on O-GAN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from scipy.stats import beta, norm
from torch import Tensor

from genbook.kit.answers import agree, differentiates, known
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise
from genbook.ogan.codes import correlation, parts

Case = tuple[Any, ...]


def slope_by_hand(z: Tensor, e: Tensor) -> Tensor:
    """∇ρ by e: what N(z) adds to N(e) across it, over n times the deviation of e."""
    one, other = parts(z), parts(e)
    rho = (one.direction * other.direction).mean()
    return (one.direction - rho * other.direction) / (len(e) * other.deviation)


def _codes() -> list[Case]:
    source = seeded(0)
    cases: list[Case] = []
    for n in (3, 4, 7):
        z = torch.randn(n, generator=source, dtype=torch.float64)
        e = 2 * torch.randn(n, generator=source, dtype=torch.float64) + 1
        cases.append((z, e))
    return cases


def _slope_with_n_minus_1(z: Tensor, e: Tensor) -> Tensor:
    one, other = ((v - v.mean()) / v.std() for v in (z, e))
    return (one - (one * other).mean() * other) / (len(e) * e.std())


def _check_slope(answer: Callable[..., Any]) -> str | None:
    cases = _codes()
    hint = agree(answer, slope_by_hand, cases, lambda z, e: f"for n = {len(e)}")
    if hint is None:
        return None
    n = len
    rivals = (
        (
            lambda z, e: parts(z).direction / (n(e) * parts(e).deviation),
            "that is not orthogonal to e − avg(e): as e grows along N(e), ρ must not change.",
        ),
        (lambda z, e: n(e) * slope_by_hand(z, e), "ρ is a mean over n numbers: 1/n is missing."),
        (
            lambda z, e: parts(e).deviation * slope_by_hand(z, e),
            "twice as long a code has half the slope: 1/std(e) is missing.",
        ),
        (
            lambda z, e: slope_by_hand(z, e) * ((n(e) - 1) / n(e)) ** 0.5,
            "std divides by n here, not by n − 1.",
        ),
        (_slope_with_n_minus_1, "std divides by n here, not by n − 1."),
        (lambda z, e: -slope_by_hand(z, e), "the sign: the step must raise ρ."),
        (lambda z, e: slope_by_hand(e, z), "that is the slope by z."),
    )
    return known(answer, rivals, cases) or hint


slope = Exercise(name="slope", check=_check_slope, reference=slope_by_hand)


def luck_by_hand(n: int, share: float) -> float:
    """The correlation that unrelated codes of n numbers stay below with this probability."""
    return float(2 * beta.ppf(share, n / 2 - 1, n / 2 - 1) - 1)


def _check_luck(answer: Callable[..., Any]) -> str | None:
    cases: list[Case] = [(4, 0.75), (3, 0.9), (16, 0.99), (64, 0.999), (5, 0.05)]
    hint = agree(answer, luck_by_hand, cases, lambda n, share: f"for n = {n}, {share:g}")
    if hint is None:
        return None
    rivals = (
        (
            lambda n, share: float(norm.ppf(share)) / (n - 1) ** 0.5,
            "the normal curve with variance 1/(n − 1) is near for many numbers only.",
        ),
        (
            lambda n, share: float(beta.ppf(share, n / 2 - 1, n / 2 - 1)),
            "that is ½(1 + ρ); the Beta law lives on [0, 1].",
        ),
        (
            lambda n, share: luck_by_hand(n + 1, share),
            "one number too many: centring takes away a dimension.",
        ),
        (
            lambda n, share: luck_by_hand(n, (1 + share) / 2),
            "that bounds |ρ|; asked is ρ itself.",
        ),
    )
    return known(answer, rivals, cases) or hint


luck = Exercise(name="luck", check=_check_luck, reference=luck_by_hand)


def printed_link(z: Tensor, codes: Tensor) -> Tensor:
    """Meant to be the mean correlation of noise and code, each [B, n]; it is another one."""
    z, codes = z - z.mean(0), codes - codes.mean(0)
    return (z * codes).sum(0).div(z.norm(dim=0) * codes.norm(dim=0)).mean()


def mended_link(z: Tensor, codes: Tensor) -> Tensor:
    """The correlation within each image's own code, then the mean over the batch."""
    return correlation(z, codes).mean()


HELD = (
    "the value is right, but its slope by the codes is not: something was detached, so the encoder "
    "would learn another loss."
)


def _teaches(answer: Callable[..., Any], z: Tensor, codes: Tensor) -> bool:
    """Whether an answer with a graph has ρ's slope by the codes; the noise needs none."""
    noise = z.clone().requires_grad_()
    return differentiates(
        lambda c: answer(noise, c), lambda c: mended_link(z, c), [codes], leaves=(0,)
    )


def _check_link(answer: Callable[..., Any]) -> str | None:
    source = seeded(1)
    cases: list[Case] = []
    for batch, n in ((5, 4), (2, 6), (4, 3)):
        z = torch.randn(batch, n, generator=source, dtype=torch.float64)
        noise = torch.randn(batch, n, generator=source, dtype=torch.float64)
        cases.append((z, z + 0.7 * noise + 3))
    hint = agree(answer, mended_link, cases, lambda z, c: f"for z of shape {list(z.shape)}")
    if hint is None:
        return None if _teaches(answer, *cases[0]) else HELD
    rivals = (
        (
            printed_link,
            "as printed: each number is compared over the batch, so a code's correlation hangs "
            "on its neighbours.",
        ),
        (
            lambda z, c: correlation(z.flatten(), c.flatten()),
            "one correlation of everything: codes of other images set the average and deviation.",
        ),
        (
            lambda z, c: torch.cosine_similarity(z, c, dim=1).mean(),
            "the averages are not taken away: D's freedom is gone again.",
        ),
    )
    return known(answer, rivals, cases) or hint


link = Exercise(name="link", check=_check_link, reference=mended_link)

EXERCISES = (slope, luck, link)
