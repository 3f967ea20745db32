"""Right and wrong answers to the exercises of the chapter `ogan`."""

from __future__ import annotations

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.optimize import brentq
from scipy.stats import beta, norm, pearsonr, rdist, t

from genbook.ogan import codes, exercises


def by_autograd(z, e):
    leaf = e.clone().requires_grad_()
    return torch.autograd.grad(codes.correlation(z, leaf), leaf)[0]


def in_numpy(z, e):
    z, e = z.numpy(), e.numpy()
    z, e = z - z.mean(), e - e.mean()
    a, b = np.linalg.norm(z), np.linalg.norm(e)
    return z / (a * b) - (z @ e) * e / (a * b**3)


def by_differences(z, e):
    h, slopes = 1e-6, []
    for k in range(len(e)):
        step = torch.zeros_like(e)
        step[k] = h
        slopes.append((codes.correlation(z, e + step) - codes.correlation(z, e - step)) / (2 * h))
    return [float(s) for s in slopes]


def by_student(n, share):
    m = n - 2
    x = t.ppf(share, m)
    return x / np.sqrt(m + x * x)


def by_search(n, share):
    def gap(r):
        return beta.cdf((1 + r) / 2, n / 2 - 1, n / 2 - 1) - share

    return brentq(gap, -1, 1, xtol=1e-13)


def link_in_scipy(z, codes):
    return np.mean([pearsonr(a, b)[0] for a, b in zip(z.numpy(), codes.numpy(), strict=True)])


def link_by_loop(z, codes):
    found = []
    for a, b in zip(z, codes, strict=True):
        a, b = a - a.mean(), b - b.mean()
        found.append(a @ b / (a.norm() * b.norm()))
    return torch.stack(found).mean().item()


def link_by_corrcoef(z, codes):
    return [sum(float(torch.corrcoef(torch.stack(p))[0, 1]) for p in zip(z, codes)) / len(z)]  # noqa: B905


def slope_in_single(z, e):
    e = e.float().requires_grad_()
    z, c = z.float() - z.float().mean(), e - e.mean()
    return torch.autograd.grad((z @ c) / (z.norm() * c.norm()), e)[0]


def slope_by_projection(z, e):
    n = len(e)
    centre = torch.eye(n).double() - 1 / n
    m, c = centre @ z, centre @ e
    across = torch.eye(n).double() - torch.outer(c, c) / (c @ c)
    return tuple((across @ m / (m.norm() * c.norm())).tolist())


def slope_by_complex_step(z, e):
    z, found = z.numpy() - z.numpy().mean(), []
    for k in range(len(e)):
        c = e.numpy().astype(complex)
        c[k] += 1e-30j
        c = c - c.mean()
        found.append(((z * c).sum() / np.sqrt((z @ z) * (c * c).sum())).imag / 1e-30)
    return found


def in_torchs_std(z, e):
    one, other = (z - z.mean()) / z.std(), (e - e.mean()) / e.std()
    return (one - (one * other).mean() * other) / (len(e) * e.std())


def link_in_place(z, codes):
    z.sub_(z.mean(1, keepdim=True))
    codes.sub_(codes.mean(1, keepdim=True))
    return torch.cosine_similarity(z, codes, dim=1).mean()


def link_of_held_noise(z, codes):
    return codes_correlation(z.detach(), codes)


def codes_correlation(z, c):
    return codes.correlation(z, c).mean()


def with_a_held_deviation(z, c):
    centred = c - c.mean(1, keepdim=True)
    held = centred.square().mean(1, keepdim=True).sqrt().detach()
    return (codes.parts(z).direction * centred / held).mean()


ANSWERS = {
    "slope": Answers(
        right=(
            by_autograd,
            in_numpy,
            lambda z, e: exercises.slope_by_hand(z, e).tolist(),
            lambda z, e: exercises.slope_by_hand(z.float(), e.float()),
            slope_in_single,
            slope_by_projection,
            slope_by_complex_step,
        ),
        wrong=(
            (
                lambda z, e: (z - z.mean()) / (z.std(correction=0) * e.std(correction=0)) / len(e),
                "must not change",
            ),
            (lambda z, e: len(e) * exercises.slope_by_hand(z, e), "1/n is missing"),
            (lambda z, e: e.std(correction=0) * exercises.slope_by_hand(z, e), "1/std"),
            (lambda z, e: -exercises.slope_by_hand(z, e), "the sign"),
            (lambda z, e: exercises.slope_by_hand(e, z), "slope by z"),
            (in_torchs_std, "not by n − 1"),
            (
                lambda z, e: exercises.slope_by_hand(z, e) * np.sqrt(1 - 1 / len(e)),
                "not by n − 1",
            ),
            (lambda z, e: exercises.slope_by_hand(z, e) / (1 - 1 / len(e)), "expected"),
            (
                lambda z, e: torch.func.grad(lambda c: torch.cosine_similarity(z, c, dim=0))(e),
                "expected",
            ),
            (lambda z, e: 2 * (e - z) / len(e), "expected"),
            (lambda z, e: z.nonsense, "your code raised"),
        ),
    ),
    "luck": Answers(
        right=(
            by_student,
            by_search,
            lambda n, s: torch.tensor([exercises.luck_by_hand(n, s)]),
            lambda n, s: rdist.ppf(s, n - 2),
            lambda n, s: -beta.isf(s, n / 2 - 1, n / 2 - 1, loc=-1, scale=2),
            lambda n, s: [np.float32(exercises.luck_by_hand(n, s))],
        ),
        wrong=(
            (lambda n, s: norm.ppf(s) / np.sqrt(n - 1), "for many numbers only"),
            (lambda n, s: beta.ppf(s, n / 2 - 1, n / 2 - 1), "½(1 + ρ)"),
            (lambda n, s: 2 * beta.ppf(s, (n - 1) / 2, (n - 1) / 2) - 1, "takes away a dimension"),
            (lambda n, s: exercises.luck_by_hand(n, (1 + s) / 2), "bounds |ρ|"),
            (lambda n, s: -exercises.luck_by_hand(n, s), "expected"),
            (lambda n, s: abs(exercises.luck_by_hand(n, s)), "expected"),
            (lambda n, s: 2 * beta.ppf(s, n / 2, n / 2) - 1, "expected"),
            (lambda n, s: norm.ppf(s) / np.sqrt(n), "expected"),
            (lambda n, s: beta.cdf((1 + s) / 2, n / 2 - 1, n / 2 - 1), "expected"),
        ),
    ),
    "link": Answers(
        right=(
            link_in_scipy,
            link_by_loop,
            link_by_corrcoef,
            link_in_place,
            link_of_held_noise,
            lambda z, c: np.float32(codes_correlation(z, c)),
        ),
        wrong=(
            (exercises.printed_link, "compared over the batch"),
            (
                lambda z, c: torch.corrcoef(torch.stack([z.flatten(), c.flatten()]))[0, 1],
                "one correlation of everything",
            ),
            (lambda z, c: torch.cosine_similarity(z, c, dim=1).mean(), "averages are not taken"),
            (with_a_held_deviation, "detached"),
            (lambda z, c: codes_correlation(z, c.detach()), "detached"),
            (lambda z, c: -codes.correlation(z, c).mean(), "expected"),
            (lambda z, c: codes.correlation(z, c), "expected one number"),
            (lambda z, c: torch.cosine_similarity(codes.parts(z).direction, c).mean(), "expected"),
            (lambda z, c: codes.correlation(z, c).sum(), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


def test_the_slope_is_that_of_small_differences():
    for z, e in exercises._codes():
        wanted = torch.tensor(by_differences(z, e)).double()
        assert torch.allclose(exercises.slope_by_hand(z, e), wanted, atol=1e-8)
