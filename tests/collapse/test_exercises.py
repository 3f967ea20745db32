"""Right and wrong answers to the exercises of the chapter `collapse`."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged
from scipy.stats import entropy

from genbook.collapse.exercises import EXERCISES, far_sighted, seven, short_sighted


def histogram_by_scipy(counts):
    return entropy(counts.numpy(), np.ones(len(counts)))


def histogram_by_sum(counts):
    shares = [float(c / counts.sum()) for c in counts]
    return sum(s * math.log(len(shares) * s) for s in shares if s > 0)


def histogram_in_single(counts):
    share = counts.float() / counts.float().sum()
    return math.log(len(counts)) + torch.special.xlogy(share, share).sum()


def histogram_as_a_list(counts):
    return [histogram_by_sum(counts)]


def with_nan(counts):
    share = counts / counts.sum()
    return (share * (len(counts) * share).log()).sum()


def forward(counts):
    share = counts / counts.sum()
    return -(len(counts) * share).log().mean()


def only_entropy(counts):
    share = counts / counts.sum()
    return -torch.special.xlogy(share, share).sum()


def in_bits(counts):
    return histogram_by_sum(counts) / math.log(2)


def unnormalised(counts):
    return torch.special.xlogy(counts, len(counts) * counts / counts.sum()).sum()


def four_modes(counts):
    share = counts / counts.sum()
    return torch.special.xlogy(share, 4 * share).sum()


def pack_by_chunks(x, m):
    return torch.cat(x.chunk(m), 1)


def pack_as_numpy(x, m):
    return x.numpy().reshape(-1, m * x.shape[1])


def pack_as_lists(x, m):
    rows = x.tolist()
    return [[v for row in rows[i : i + m] for v in row] for i in range(0, len(rows), m)]


def pack_by_view(x, m):
    return x.view(-1, m, x.shape[1]).flatten(1)


def mixed(x, m):
    return x.T.reshape(len(x) // m, m * x.shape[1])


def mean(x, m):
    return x.reshape(len(x) // m, m, x.shape[1]).mean(1)


def beside_itself(x, m):
    return x.repeat(1, m)


def same_twice(x, m):
    return torch.cat([x[: len(x) // m]] * m, 1)


def only_three(x, m):
    return x.reshape(-1, 3 * x.shape[1]) if len(x) % 3 == 0 else x


def ring_by_linspace(n):
    angles = torch.linspace(0, 2 * math.pi, n + 1)[:-1]
    return torch.stack([angles.cos(), angles.sin()], 1)


def ring_as_numpy(n):
    angles = 2 * np.pi * np.arange(n) / n + 0.3
    return np.stack([np.cos(angles), np.sin(angles)], 1)


def ring_as_lists(n):
    return [[math.cos(2 * math.pi * k / n), math.sin(2 * math.pi * k / n)] for k in range(n)][::-1]


def drop_last(n):
    return seven(n)[:-1]


def half_circle(n):
    angles = math.pi * torch.arange(n) / n
    return torch.stack([angles.cos(), angles.sin()], 1)


def eight_for_all(n):
    return ring_by_linspace(8)


def too_wide(n):
    return 2 * ring_by_linspace(n)


def by_formula(x, y, steps, look):
    return y + 2 * steps * look * x


def as_float(x, y, steps, look):
    return float(y) + 2 * steps * look * float(x)


def as_numpy(x, y, steps, look):
    return np.float32(y.item() + 2 * steps * look * x.item())


def uphill(x, y, steps, look):
    return far_sighted(x, y, steps, -look)


def not_ahead(x, y, steps, look):
    return y.clone()


def quadratic(x, y, steps, look):
    """At x = ½ what a critic that does not react says, and so no sign of that."""
    return y + 2 * steps * look * x * x


def one_step(x, y, steps, look):
    return y + 2 * look * x


ANSWERS = {
    "histogram": Answers(
        right=(histogram_by_scipy, histogram_by_sum, histogram_in_single, histogram_as_a_list),
        wrong=(
            (with_nan, "NaN"),
            (forward, "forward"),
            (only_entropy, "entropy"),
            (in_bits, "bits"),
            (unnormalised, "for the counts [30, 10, 0, 10] expected"),
            (four_modes, "for the counts [1, 2, 3, 4, 5] expected"),
        ),
    ),
    "packing": Answers(
        right=(pack_by_chunks, pack_as_numpy, pack_as_lists, pack_by_view),
        wrong=(
            (mixed, "mixed"),
            (mean, "hides"),
            (beside_itself, "itself"),
            (same_twice, "itself"),
            (only_three, "for m = 2 expected shape"),
        ),
    ),
    "ring": Answers(
        right=(ring_by_linspace, ring_as_numpy, ring_as_lists),
        wrong=(
            (seven, "one place"),
            (drop_last, "there are 7"),
            (half_circle, "evenly"),
            (eight_for_all, "for n = 5 there are 8"),
            (too_wide, "at distance 1"),
        ),
    ),
    "unroll": Answers(
        right=(by_formula, as_float, as_numpy),
        wrong=(
            (short_sighted, "detach"),
            (uphill, "wrong way"),
            (not_ahead, "K = 0"),
            (one_step, "y + 2Kηx"),
            (quadratic, "y + 2Kηx"),
        ),
    ),
}


@judged(EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
