"""Answers to the exercises of `pixelcnn`, right in odd forms and wrong in ways that look right."""

from __future__ import annotations

import math

import numpy as np
import torch
from exercising import Answers, assert_judged, judged

from genbook.pixelcnn import exercises, masks


def mask_in_numpy(kernel, kind):
    mask = np.zeros((kernel, kernel), dtype=int)
    mask[: kernel // 2] = 1
    mask[kernel // 2, : kernel // 2 + (kind == "B")] = 1
    return mask


def mask_in_lists(kernel, kind):
    half = kernel // 2
    return [
        [
            float(row < half or (row == half and column < half + (kind == "B")))
            for column in range(kernel)
        ]
        for row in range(kernel)
    ]


def mask_of_booleans(kernel, kind):
    return exercises.mask_by_hand(kernel, kind).bool()


def mask_of_rows(kernel, kind):
    mask = torch.zeros(kernel, kernel)
    mask[: kernel // 2 + (kind == "B")] = 1
    return mask


def mask_and(change):
    return lambda kernel, kind: change(exercises.mask_by_hand(kernel, kind))


def residual_in_numpy(h, look):
    return h.numpy() + look(h).numpy()


def residual_in_place(h, look):
    h += look(h)
    return h


def residual_in_lists(h, look):
    return (look(h) + h).tolist()


def residual_in_single_precision(h, look):
    return h.float() + look(h).float()


def stacks_after_tanh(v, h, vertical, horizontal, down):
    high = vertical(v).tanh()
    return high, h + (horizontal(h) + down(high)).tanh()


def stacks_as_a_list(v, h, vertical, horizontal, down):
    return list(exercises.stacks_mended(v, h, vertical, horizontal, down))


def stacks_in_another_order(v, h, vertical, horizontal, down):
    across = horizontal(h)
    u = vertical(v)
    return torch.tanh(u), torch.tanh(across + down(u)) + h


def stacks_apart(v, h, vertical, horizontal, down):
    return torch.tanh(vertical(v)), h + torch.tanh(horizontal(h))


def stacks_that_forget(v, h, vertical, horizontal, down):
    u = vertical(v)
    return torch.tanh(u), torch.tanh(horizontal(h) + down(u))


def stacks_exchanged(v, h, vertical, horizontal, down):
    high, across = exercises.stacks_mended(v, h, vertical, horizontal, down)
    return across, high


def stacks_without_tanh(v, h, vertical, horizontal, down):
    u = vertical(v)
    return u, h + horizontal(h) + down(u)


def stacks_deaf(v, h, vertical, horizontal, down):
    u = vertical(v)
    return torch.tanh(u), h + torch.tanh(down(u))


ANSWERS = {
    "mask": Answers(
        right=(
            mask_in_numpy,
            mask_in_lists,
            mask_of_booleans,
            lambda kernel, kind: masks.causal_mask(kernel, kind=kind)[0, 0].double(),
        ),
        wrong=(
            (lambda k, kind: exercises.mask_by_hand(k, "AB"[kind == "A"]), "see itself"),
            (mask_of_rows, "centre"),
            (lambda k, kind: exercises.mask_by_hand(k, "A"), "kind B"),
            (mask_and(lambda mask: mask.T), "rows above"),
            (mask_and(lambda mask: mask.flip(0)), "rows above"),
            (mask_and(lambda mask: mask.flip(1)), "to the left"),
            (mask_and(lambda mask: mask.tril()), "rows above"),
            (mask_and(lambda mask: mask / mask.sum()), "zeros and ones"),
            (mask_and(lambda mask: mask[None, None]), "expected shape [3, 3]"),
            (lambda k, kind: exercises.mask_by_hand(5, kind), "expected shape [3, 3]"),
        ),
    ),
    "bits": Answers(
        right=(
            lambda n, h, w, c: np.log2(np.e) * n / np.prod([h, w, c]),
            lambda n, h, w, c: torch.tensor(n) / math.log(2) / h / w / c,
            lambda n, h, w, c: [n / math.log(2 ** (h * w * c))],
            lambda n, h, w, c: np.float32(n / (h * w * c * math.log(2))),
        ),
        wrong=(
            (lambda n, h, w, c: n / (h * w * c), "log 2"),
            (lambda n, h, w, c: n / (h * w * math.log(2)), "colour"),
            (lambda n, h, w, c: n * math.log(2) / (h * w * c), "divide by log 2"),
            (lambda n, h, w, c: n / math.log(2), "share them out"),
            (lambda n, h, w, c: n / (h * h * c * math.log(2)), "one of the two twice"),
            (lambda n, h, w, c: n / (h * w * 3 * math.log(2)), "expected"),
            (lambda n, h, w, c: n / (h * w * c * math.log(10)), "decimal digits"),
            (lambda n, h, w, c: exercises.bits_by_hand(5000.0, 32, 32, 3), "expected"),
        ),
    ),
    "residual": Answers(
        right=(
            residual_in_numpy,
            residual_in_place,
            residual_in_lists,
            residual_in_single_precision,
        ),
        wrong=(
            (exercises.residual_as_found, "doubles"),
            (lambda h, look: look(h), "loses h"),
            (lambda h, look: h, "look gives cos h"),
            (lambda h, look: h + look(h + look(h)), "look gives"),
            (lambda h, look: h - look(h), "look gives"),
            (lambda h, look: (h + look(h)) / 2, "look gives nothing"),
            (lambda h, look: h + 2 * look(h), "look gives"),
            (lambda h, look: (h + look(h)).sum(-1), "expected shape"),
        ),
    ),
    "kinds": Answers(
        right=(
            lambda n: "A" + "B" * (n - 1),
            lambda n: np.array(["A", *"B" * (n - 1)]),
            lambda n: ("B",) * (n - 1) + ("A",),
            lambda n: ["B" if layer else "A" for layer in range(n)],
        ),
        wrong=(
            (exercises.kinds_as_found, "left neighbour"),
            (lambda n: ["B"] * n, "own pixel"),
            (lambda n: ["A"] * min(2, n) + ["B"] * (n - 2), "one A is enough"),
            (lambda n: ["A", "B", "B"], "expected 1 letters"),
            (lambda n: ["A", "B", "C"][:n], "letters A or B"),
            (lambda n: 3, "letters A or B"),
        ),
    ),
    "stacks": Answers(
        right=(stacks_after_tanh, stacks_as_a_list, stacks_in_another_order),
        wrong=(
            (exercises.stacks_as_found, "later"),
            (stacks_apart, "blind spot"),
            (stacks_that_forget, "residual stack"),
            (stacks_exchanged, "later"),
            (stacks_without_tanh, "tanh"),
            (stacks_deaf, "earlier are lost"),
            (lambda v, h, *maps: exercises.stacks_mended(v, h, *maps)[1], "two tensors"),
            (lambda v, h, *maps: (0, 1), "two tensors"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)
