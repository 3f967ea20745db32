"""Right and wrong answers to the exercises of the chapter `dcgan`."""

from __future__ import annotations

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from torch.nn import functional

from genbook.dcgan import exercises


def by_convolution(inputs, kernel, stride, padding):
    ones = torch.ones(1, 1, inputs), torch.ones(1, 1, kernel)
    return functional.conv_transpose1d(*ones, stride=stride, padding=padding)[0, 0]


def in_numpy(inputs, kernel, stride, padding):
    spread = np.zeros((inputs - 1) * stride + 1)
    spread[::stride] = 1
    whole = np.convolve(spread, np.ones(kernel))
    return whole[padding : len(whole) - padding]


def in_a_list(inputs, kernel, stride, padding):
    length = (inputs - 1) * stride + kernel - 2 * padding
    return [
        sum(0 <= j + padding - i * stride < kernel for i in range(inputs)) for j in range(length)
    ]


def by_first_and_last(inputs, kernel, stride, padding):
    found = []
    for place in range(padding, (inputs - 1) * stride + kernel - padding):
        first, last = max(0, -((kernel - 1 - place) // stride)), min(inputs - 1, place // stride)
        found.append(np.int8(last - first + 1))
    return tuple(found)


def at_most_three(*given):
    return exercises.counted(*given).clamp(max=3)


def stride_at_least_two(inputs, kernel, stride, padding):
    return exercises.counted(inputs, kernel, max(2, stride), padding)


def by_torch(x, z, u, b, gamma, beta):
    normal = functional.batch_norm(x, None, None, training=True)
    h = functional.relu(torch.addmm(b, z, u))
    scale, shift = (h @ part for part in (gamma, beta))
    return torch.einsum("bchw,bc->bchw", normal, 1 + scale) + shift[:, :, None, None]


def modulated_in_numpy(*given):
    x, z, u, b, gamma, beta = (part.numpy() for part in given)
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
    h = np.maximum(0, z @ u + b)
    out = np.empty_like(x)
    for n in range(len(x)):
        for c in range(x.shape[1]):
            normal = (x[n, c] - mean[c]) / np.sqrt(variance[c] + 1e-5)
            out[n, c] = normal * (1 + h[n] @ gamma[:, c]) + h[n] @ beta[:, c]
    return out


def in_single_precision(*given):
    return exercises.modulated(*(part.float() for part in given))


def with_moments_in_single_precision(*given):
    x, z, u, b, gamma, beta = (part.float() for part in given)
    mean = x.mean((0, 2, 3))
    variance = x.square().mean((0, 2, 3)) - mean.square()
    hidden = torch.relu(z @ u + b)
    scale = (1 + hidden @ gamma) / (variance + 1e-5).sqrt()
    shift = hidden @ beta - mean * scale
    return (x * scale[:, :, None, None] + shift[:, :, None, None]).numpy()


def forgets_shift(x, z, u, b, gamma, beta):
    return exercises.modulated(x, z, u, b, gamma, 0 * beta)


def by_rows(phi, classes, table, psi):
    return [float(f @ psi + f @ table[c]) for f, c in zip(phi, classes.tolist(), strict=True)]


def by_diagonal(phi, classes, table, psi):
    return phi @ psi + (table[classes] @ phi.T).diagonal()


def by_one_hot(phi, classes, table, psi):
    chosen = functional.one_hot(classes, len(table)).double() @ table
    return torch.einsum("nd,nd->n", chosen + psi, phi).numpy()


ANSWERS = {
    "overlap": Answers(
        right=(by_convolution, in_numpy, in_a_list, by_first_and_last),
        wrong=(
            (exercises._uncut, "before that"),
            (exercises._once_cut, "one end only"),
            (exercises._even, "count each place"),
            (exercises._swapped, "exchanged"),
            (exercises._never_none, "no stamp"),
            (at_most_three, "expected"),
            (stride_at_least_two, "shape"),
            (lambda n, k, s, p: 2 * exercises.counted(n, k, s, p), "expected"),
            (lambda n, k, s, p: n.nonsense, "your code raised"),
        ),
    ),
    "modulate": Answers(
        right=(
            by_torch,
            modulated_in_numpy,
            in_single_precision,
            with_moments_in_single_precision,
        ),
        wrong=(
            (exercises._like(dims=(2, 3)), "by itself"),
            (exercises._like(dims=(0,)), "one a channel"),
            (exercises._like(correction=1), "n − 1"),
            (exercises._like(one=0.0), "1 is missing"),
            (exercises._like(bent=False), "rectifier"),
            (exercises._like(blind=True), "own scale"),
            (exercises._like(under=0.0), "ε is missing"),
            (exercises._like(under=0.0, beside=1e-5), "under the root"),
            (exercises._like(under=1e-6), "expected"),
            (forgets_shift, "expected"),
        ),
    ),
    "projected": Answers(
        right=(by_rows, by_diagonal, by_one_hot),
        wrong=(
            (exercises.printed_logits, "as printed"),
            (lambda f, c, t, p: f @ p + (t[c] @ f.T).sum(1), "over the batch"),
            (lambda f, c, t, p: (t[c] * f).sum(1), "ψ is missing"),
            (lambda f, c, t, p: f @ p + (t[c] * f).mean(1), "not their mean"),
            (lambda f, c, t, p: f @ p + (f @ t.T).sum(1), "all classes"),
            (lambda f, c, t, p: f @ p - (t[c] * f).sum(1), "expected"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
