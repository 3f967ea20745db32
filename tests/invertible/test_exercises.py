"""Right and wrong answers to the exercises of the chapter `invertible`."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.linalg import svdvals

from genbook.invertible import exercises, norms
from genbook.invertible.inverses import way_back


def back_by_recursion(g, y, steps):
    return y if steps == 0 else y - g(back_by_recursion(g, y, steps - 1))


def back_by_the_books_own(g, y, steps):
    return way_back(g, torch.tensor([y], dtype=torch.float64), steps)[-1]


def back_in_numpy(g, y, steps):
    x = np.float64(y)
    for _ in range(steps):
        x = np.float64(y - float(g(float(x))))
    return np.array([x])


def back_in_an_array(g, y, steps):
    x = np.array([y])
    for _ in range(steps):
        x = np.array([y]) - g(x)
    return x


def back_in_single_precision(g, y, steps):
    sent = torch.tensor(y, dtype=torch.float32)
    return [reduce(lambda x, _: sent - g(x), range(steps), sent)]


def back_in_half_steps(g, y, steps):
    return reduce(lambda x, _: (x + y - g(x)) / 2, range(steps), y)


def back_by_folding(g, y, steps):
    return reduce(lambda x, _: y - g(x), range(steps), y)


def back_added(g, y, steps):
    x = y
    for _ in range(steps):
        x = y + g(x)
    return x


def back_without_y(g, y, steps):
    x = y
    for _ in range(steps):
        x = x - g(x)
    return x


def back_from_zero(g, y, steps):
    x = 0.0
    for _ in range(steps):
        x = y - g(x)
    return x


def variance_by_all_signs(matrix):
    d = len(matrix)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=matrix.dtype)] * d)
    return ((signs @ matrix) * signs).sum(1).var(correction=0)


def variance_in_numpy(matrix):
    even = (matrix.numpy() + matrix.numpy().T) / 2
    return 4 * np.sum(np.triu(even, 1) ** 2)


def variance_in_a_list(matrix):
    a = matrix.tolist()
    pairs = [(i, j) for i in range(len(a)) for j in range(i)]
    return [sum((a[i][j] + a[j][i]) ** 2 for i, j in pairs)]


def variance_by_two_products(matrix):
    """2 Σ s_ij² = Σ a_ij² + a_ij a_ji, over i ≠ j."""
    both = matrix * matrix + matrix * matrix.T
    return (both.sum() - both.trace(),)


def variance_in_single_precision(matrix):
    off = ((matrix + matrix.T) / 2).float().triu(1)
    return 4 * off.square().sum()


def variance_of_the_draws(matrix):
    d = len(matrix)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=matrix.dtype)] * d)
    return ((signs @ matrix) * signs).sum(1).var()


def once_by_svd(weight):
    return weight / torch.linalg.svdvals(weight)[0]


def once_in_scipy(weight):
    return (weight.numpy() / svdvals(weight.numpy())[0]).tolist()


def once_in_single_precision(weight):
    short = weight.float()
    return short / torch.linalg.matrix_norm(short, 2)


def once_by_the_gram_matrix(weight):
    return weight / torch.linalg.eigvalsh(weight.T @ weight)[-1].sqrt()


def once_in_place(weight):
    return weight.div_(torch.linalg.matrix_norm(weight, 2))


def once_from_a_random_start(weight):
    return in_steps(weight, torch.randn(weight.shape[1], dtype=weight.dtype), 2_000)


def once_in_five_steps(weight):
    return in_steps(weight, torch.ones(weight.shape[1], dtype=weight.dtype), 5)


def in_steps(weight, u, steps):
    for _ in range(steps):
        v = torch.nn.functional.normalize(weight @ u, dim=0)
        u = torch.nn.functional.normalize(weight.T @ v, dim=0)
    return weight / (v @ weight @ u)


def waves_by_the_matrix(kernel, side):
    return torch.linalg.svdvals(norms.as_matrix(kernel, side, side))[0]


def waves_in_numpy(kernel, side):
    found = np.fft.fft2(kernel.numpy(), (side, side), axes=(2, 3)).transpose(2, 3, 0, 1)
    return np.linalg.norm(found, 2, axis=(2, 3)).max()


def waves_one_by_one(kernel, side):
    found = torch.fft.fft2(kernel, s=(side, side))
    return [
        max(
            torch.linalg.matrix_norm(found[:, :, i, j], 2).item()
            for i in range(side)
            for j in range(side)
        )
    ]


def waves_with_zeros_beyond(kernel, side):
    units = torch.eye(kernel.shape[1] * side * side, dtype=kernel.dtype)
    images = units.reshape(len(units), -1, side, side)
    edges = (kernel.shape[2] // 2, kernel.shape[3] // 2)
    sent = torch.nn.functional.conv2d(images, kernel, padding=edges)
    return torch.linalg.matrix_norm(sent.flatten(1), 2)


def waves_by_half_of_them(kernel, side):
    found = torch.fft.rfft2(kernel.float(), s=(side, side)).permute(2, 3, 0, 1)
    return torch.linalg.svdvals(found).max()


def waves_by_the_gram_matrix(kernel, side):
    written = norms.as_matrix(kernel, side, side)
    return np.float32(torch.linalg.eigvalsh(written.T @ written)[-1].sqrt())


ANSWERS = {
    "back": Answers(
        right=(
            back_by_recursion,
            back_by_the_books_own,
            back_in_numpy,
            back_in_an_array,
            back_in_single_precision,
            back_by_folding,
        ),
        wrong=(
            (back_added, "look at the sign"),
            (back_without_y, "keep y"),
            (back_from_zero, "begin at x₀ = y"),
            (lambda g, y, n: back_by_folding(g, y, n + 1), "too many"),
            (lambda g, y, n: back_by_folding(g, y, max(n - 1, 0)), "too few"),
            (lambda g, y, n: y, "expected"),
            (lambda g, y, n: y - g(y), "expected"),
            (back_in_half_steps, "expected"),
            (lambda g, y, n: [y] * (n + 1), "one number"),
            (lambda g, y, n: g.nonsense, "your code raised"),
        ),
    ),
    "variance": Answers(
        right=(
            variance_by_all_signs,
            variance_in_numpy,
            variance_in_a_list,
            variance_by_two_products,
            variance_in_single_precision,
        ),
        wrong=(
            (lambda a: 2 * ((a + a.T) / 2).square().sum(), "Gaussian"),
            (lambda a: 2 * (a.square().sum() - a.diagonal().square().sum()), "even part"),
            (lambda a: variance_by_all_signs(a) / 2, "half"),
            (lambda a: 2 * variance_by_all_signs(a), "counts each pair twice"),
            (lambda a: variance_by_all_signs(a + a.T), "half of A + Aᵀ"),
            (variance_of_the_draws, "expected"),
            (lambda a: variance_by_all_signs((a - a.T) / 2 + a.T @ a), "expected"),
            (lambda a: variance_by_all_signs(a).sqrt(), "standard deviation"),
            (lambda a: a.trace(), "expected"),
        ),
    ),
    "once": Answers(
        right=(
            once_by_svd,
            once_in_scipy,
            once_in_single_precision,
            once_by_the_gram_matrix,
            once_in_place,
            once_from_a_random_start,
        ),
        wrong=(
            (exercises.hasty, "by an estimate, it was too small"),
            (lambda w: exercises.hasty(w, seed=1), "until it stands still"),
            (once_in_five_steps, "by an estimate, it was too small"),
            (lambda w: w, "20 × 12 it came back as it was"),
            (lambda w: w * math.nan, "no finite number"),
            (lambda w: w.tolist(), "divide by the norm, whether"),
            (lambda w: w / w.abs().max(), "divided by less than the norm"),
            (lambda w: w / torch.linalg.matrix_norm(w, -2), "divided by less than the norm"),
            (lambda w: w / torch.linalg.matrix_norm(w), "sum of squares"),
            (lambda w: torch.nn.functional.normalize(w, dim=1), "direction changed"),
            (lambda w: 0.5 * once_by_svd(w), "below 1"),
            (lambda w: w / torch.linalg.matrix_norm(w, 1), "more than the norm"),
            (
                lambda w: norms.shortened(w, torch.linalg.matrix_norm(w, 2)),
                "9 × 14 it came back as it was",
            ),
            (lambda w: -once_by_svd(w), "direction changed"),
            (lambda w: w / torch.linalg.svdvals(w).mean(), "less than the norm"),
            (lambda w: w.sum(), "expected shape"),
        ),
    ),
    "waves": Answers(
        right=(
            waves_by_the_matrix,
            waves_in_numpy,
            waves_one_by_one,
            waves_by_half_of_them,
            waves_by_the_gram_matrix,
        ),
        wrong=(
            (exercises.flattened, "reshaped kernel"),
            (
                lambda k, n: (k.shape[-2] * k.shape[-1]) ** 0.5 * exercises.flattened(k, n),
                "upper bound",
            ),
            (waves_with_zeros_beyond, "expected"),
            (lambda k, n: exercises.by_waves(k, 2 * n), "larger images"),
            (lambda k, n: exercises.by_waves(k, n + 1), "expected"),
            (lambda k, n: torch.linalg.matrix_norm(k.sum((2, 3)), 2), "expected"),
            (lambda k, n: exercises.by_waves(k.abs(), n), "expected"),
            (lambda k, n: torch.fft.fft2(k, s=(n, n)).abs().max(), "each frequency has a matrix"),
            (lambda k, n: exercises.by_waves(k, k.shape[-1]), "filled up with zeros"),
            (
                lambda k, n: torch.linalg.matrix_norm(
                    torch.fft.fft2(k, s=(n, n)).permute(2, 3, 0, 1)
                ).max(),
                "Frobenius",
            ),
            (lambda k, n: k.abs().sum(), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
