"""Right and wrong answers to the exercises of the chapter `pixelcnn`."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from exercising import Answers, assert_judged, judged

from genbook.pixelcnn import exercises
from genbook.pixelcnn.arithmetic_coding import Interval
from genbook.pixelcnn.masks import causal_mask
from genbook.pixelcnn.receptive_field import before, field

by_hand = exercises.mask_by_hand
mended = exercises.stacks_mended


def mask_in_numpy(kernel, kind):
    mask = np.zeros((kernel, kernel))
    half = kernel // 2
    mask[:half] = 1
    mask[half, : half + (kind == "B")] = 1
    return mask


def mask_in_lists(kernel, kind):
    half = kernel // 2
    last = (half, half) if kind == "B" else (half, half - 1)
    return [[int((r, c) <= last) for c in range(kernel)] for r in range(kernel)]


def mask_of_booleans(kernel, kind):
    half = kernel // 2
    r, c = torch.meshgrid(torch.arange(kernel), torch.arange(kernel), indexing="ij")
    return (r < half) | ((r == half) & ((c < half) | ((c == half) & (kind == "B"))))


def mask_of_a_layer(kernel, kind):
    return causal_mask(kernel, kind=kind).squeeze((0, 1)).int()


def mask_by_counting(kernel, kind):
    count = kernel**2 // 2 + (kind == "B")
    return torch.tensor([1.0] * count + [0.0] * (kernel**2 - count)).reshape(kernel, kernel)


def mask_of_three(_kernel, kind):
    return by_hand(3, kind)


def mask_with_more_below(kernel, kind):
    mask = by_hand(kernel, kind)
    mask[kernel // 2 + 1 :, 0] = 1
    return mask


def mask_with_less_above(kernel, kind):
    mask = by_hand(kernel, kind)
    mask[: kernel // 2, -1] = 0
    return mask


def mask_with_one_on_the_left(kernel, kind):
    mask = by_hand(kernel, kind)
    mask[kernel // 2, : kernel // 2 - 1] = 0
    return mask


def narrow_in_numpy(low, width, counts, level):
    ends = np.concatenate([[0], np.cumsum(counts)])
    return np.array([low * ends[-1] + width * ends[level], width * counts[level]])


def narrow_as_tensor(low, width, counts, level):
    counts = torch.tensor(counts)
    return torch.stack([low * counts.sum() + width * counts[:level].sum(), width * counts[level]])


def narrow_by_the_room(low, width, counts, level):
    part = Interval(low, width).narrow(counts, level)
    return [part.low, part.width]


def narrow_one_by_one(low, width, counts, level):
    begin = low * sum(counts)
    for count in counts[:level]:
        begin += width * count
    return (begin, width * counts[level])


def residual_in_place(h, look):
    h += look(h)
    return h


def residual_in_lists(h, look):
    return (look(h) + h).tolist()


def residual_by_sum(h, look):
    return torch.stack([h, look(h)]).sum(0)


def residual_in_numpy(h, look):
    return h.numpy() + look(h).numpy()


def residual_detached(h, look):
    return h + look(h.detach())


def kinds_in_words(layers):
    return "A" + "B" * (layers - 1)


def kinds_from_the_end(layers):
    return ["B"] * (layers - 1) + ["A"]


def kinds_in_the_middle(layers):
    return tuple("A" if place == layers // 2 else "B" for place in range(layers))


def kinds_in_numpy(layers):
    return np.where(np.arange(layers) == 0, "A", "B")


def kinds_that_raise_late(layers):
    yield "A"
    yield ["B"][layers]


def kinds_one_by_one(layers):
    return (kind for kind in exercises.kinds_mended(layers))


def stacks_in_a_list(v, h, vertical, horizontal, down):
    u = vertical(v)
    return [u.tanh(), torch.tanh(down(u) + horizontal(h)).add(h)]


def stacks_in_numpy(v, h, vertical, horizontal, down):
    u = vertical(v)
    return np.tanh(u.numpy()), h.numpy() + np.tanh((horizontal(h) + down(u)).numpy())


def stacks_in_one_tensor(*layer):
    return torch.stack(mended(*layer))


def stacks_in_single(*layer):
    return tuple(part.float() for part in mended(*layer))


def stacks_image_by_image(v, h, *maps):
    pairs = [mended(a[None], b[None], *maps) for a, b in zip(v, h, strict=True)]
    return tuple(torch.cat(parts) for parts in zip(*pairs, strict=True))


def stacks_in_place(v, h, vertical, horizontal, down):
    u = vertical(v)
    h += torch.tanh_(horizontal(h) + down(u))
    return u.tanh_(), h


def stacks_one_by_one(*layer):
    yield from mended(*layer)


def stacks_apart(v, h, vertical, horizontal, _down):
    return torch.tanh(vertical(v)), h + torch.tanh(horizontal(h))


def stacks_of_one(v, h, vertical, horizontal, down):
    return torch.tanh(vertical(h)), h + torch.tanh(horizontal(h) + down(vertical(v)))


def stacks_without_residual(v, h, vertical, horizontal, down):
    u = vertical(v)
    return torch.tanh(u), torch.tanh(horizontal(h) + down(u))


def stacks_without_h(v, _h, vertical, _horizontal, down):
    u = vertical(v)
    return torch.tanh(u), torch.tanh(down(u))


def stacks_without_a_row(v, h, vertical, _horizontal, down):
    u = vertical(v)
    return torch.tanh(u), h + torch.tanh(down(u))


def stacks_a_layer_late(v, h, vertical, horizontal, down):
    return torch.tanh(vertical(v)), h + torch.tanh(horizontal(h) + down(v))


def stacks_with_rectifiers(v, h, vertical, horizontal, down):
    u = vertical(v)
    return u.relu(), h + (horizontal(h) + down(u)).relu()


def stacks_of_the_first_image(*layer):
    return tuple(part[:1].expand_as(part) for part in mended(*layer))


def misspelt(*arguments):
    return arguments[0].seen_from_above()


ANSWERS = {
    "mask": Answers(
        right=(
            mask_in_numpy,
            mask_in_lists,
            mask_of_booleans,
            mask_of_a_layer,
            mask_by_counting,
        ),
        wrong=(
            (lambda k, kind: by_hand(k, "A" if kind == "B" else "B"), "see itself"),
            (lambda k, kind: 1 - by_hand(k, kind), "inside out"),
            (lambda k, kind: by_hand(k, kind).flip(0, 1), "comes later"),
            (lambda k, kind: mask_in_numpy(k, kind).T, "column by column"),
            (lambda k, kind: mask_in_numpy(k, kind)[:, ::-1].copy(), "left and right"),
            (lambda k, kind: by_hand(k, kind).flip(0), "upside down"),
            (exercises._whole_rows, "as a whole"),
            (lambda k, kind: causal_mask(k, kind=kind, stack="horizontal")[0, 0], "rows above"),
            (lambda k, kind: by_hand(k, "A"), "kernel 3 and kind B, the centre should be 1, got 0"),
            (lambda k, kind: by_hand(k, "B"), "kernel 3 and kind A, the centre should be 0, got 1"),
            (mask_of_three, "expected shape [5, 5] as the mask, got shape [3, 3]"),
            (lambda k, kind: causal_mask(k, kind=kind), "got shape [1, 1, 3, 3]"),
            (lambda k, kind: by_hand(k, kind).flatten(), "got shape [9]"),
            (mask_with_more_below, "for kernel 3 and kind A, the rows below"),
            (mask_with_less_above, "for kernel 3 and kind A, the rows above"),
            (mask_with_one_on_the_left, "for kernel 5 and kind A, the centre's row"),
            (lambda k, kind: by_hand(k, kind) / 2, "expected zeros and ones, got 0.5"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
    "narrow": Answers(
        right=(narrow_in_numpy, narrow_as_tensor, narrow_by_the_room, narrow_one_by_one),
        wrong=(
            (lambda a, w, f, k: (a + w * sum(f[:k]), w * f[k]), "the old low end"),
            (lambda a, w, f, k: (a * sum(f) + w * sum(f[: k + 1]), w * f[k]), "before it"),
            (lambda a, w, f, k: (a * sum(f) + sum(f[:k]), w * f[k]), "multiply them"),
            (lambda a, w, f, k: (a * sum(f) + w * sum(f[:k]), f[k]), "which is missing"),
            (
                lambda a, w, f, k: (a * sum(f) + w * sum(f[k + 1 :]), w * f[k]),
                "level 0 comes first",
            ),
            (lambda a, w, f, k: (a + w * sum(f[:k]) / sum(f), w * f[k] / sum(f)), "integers"),
            (
                lambda a, w, f, k: (a * sum(f) + w * sum(f[:k]), a * sum(f) + w * sum(f[: k + 1])),
                "the two ends",
            ),
            (lambda a, w, f, k: (a * 16 + w * sum(f[:k]), w * f[k]), "counts [2, 4, 1, 1]"),
            (lambda a, w, f, k: w * f[k], "expected shape [2]"),
            (lambda a, w, f, k: "01", "expected numbers as your answer"),
        ),
    ),
    "residual": Answers(
        right=(
            residual_in_place,
            residual_in_lists,
            residual_by_sum,
            residual_in_numpy,
            lambda h, look: torch.add(h, look(h)).float(),
        ),
        wrong=(
            (exercises.residual_as_found, "doubles"),
            (lambda h, look: (2 * h + look(h)).tolist(), "doubles"),
            (lambda h, look: look(h), "loses h"),
            (lambda h, look: h, "never looks"),
            (lambda h, look: (h + look(h)) / 2, "halves"),
            (lambda h, look: h + look(h) + look(h), "added twice"),
            (lambda h, look: h - look(h), "sign"),
            (lambda h, look: h + look(h + look(h)), "what came in"),
            (lambda h, look: (h + look(h)) / math.sqrt(2), "a block that adds nothing expected"),
            (lambda h, look: h * (1 + look(h)), "a block that adds cos h expected"),
            (lambda h, look: h[:1] + look(h[:1]), "expected shape [5] as your answer, got shape"),
            (residual_detached, "detached"),
            (lambda h, look: h.detach() + look(h), "detached"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
    "kinds": Answers(
        right=(
            kinds_in_words,
            kinds_from_the_end,
            kinds_in_the_middle,
            kinds_in_numpy,
            kinds_one_by_one,
        ),
        wrong=(
            (exercises.kinds_as_found, "with the masks A, A, A the output no longer sees its left"),
            (lambda layers: ["B"] * layers, "with the masks B, B, B the output sees its own pixel"),
            (lambda layers: ["A", "A", "B", "B", "B"][:layers], "masks A, A, B the output no long"),
            (lambda layers: ["B", "A"] * layers, "expected a list of letters A or B, 3 long, got"),
            (lambda layers: ["A", "B", "B"], "for layers = 2 expected"),
            (
                lambda layers: ["B", "A", "B", "A", "B"][-layers:],
                "masks B, A, B, A, B the output no",
            ),
            (
                lambda layers: ["B", "B", "A"][:layers],
                "with the masks B, B the output sees its own",
            ),
            (lambda layers: ["a"] + ["b"] * (layers - 1), "letters A or B"),
            (lambda layers: [["A"]] + [["B"]] * (layers - 1), "letters A or B"),
            (lambda layers: torch.tensor([0, 1, 1]), "letters A or B, 3 long, got [0, 1, 1]"),
            (lambda layers: 3, "for layers = 3 expected"),
            (kinds_that_raise_late, "your code raised IndexError"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
    "stacks": Answers(
        right=(
            stacks_in_a_list,
            stacks_in_numpy,
            stacks_in_one_tensor,
            stacks_in_single,
            stacks_image_by_image,
            stacks_in_place,
            stacks_one_by_one,
        ),
        wrong=(
            (exercises.stacks_as_found, "come later"),
            (stacks_of_one, "come later"),
            (stacks_apart, "blind spot"),
            (stacks_without_residual, "forgets the old one: the layer adds"),
            (stacks_without_h, "pixels on its left"),
            (stacks_without_a_row, "along its row"),
            (stacks_a_layer_late, "a layer late"),
            (lambda v, h, *maps: mended(v, h, *maps)[::-1], "wrong order"),
            (lambda v, h, *maps: mended(v, h, *maps)[1], "expected two of them"),
            (lambda v, h, *maps: (*mended(v, h, *maps), v), "expected two of them"),
            (lambda v, h, *maps: (v, mended(v, h, *maps)[1].mean(0)), "as the new h, got shape [2"),
            (lambda v, h, *maps: ("v", "h"), "expected numbers as the new v, got 'v'"),
            (stacks_with_rectifiers, "changed more than the bug: for v expected"),
            (stacks_of_the_first_image, "changed more than the bug: for v expected"),
            (misspelt, "your code raised AttributeError"),
        ),
    ),
}


@judged(exercises.EXERCISES, ANSWERS)
def test_every_answer_gets_its_verdict(exercise, answer, hint):
    assert_judged(exercise, answer, hint)


RIVALS = (
    [(exercises.mask, rival, words) for rival, words in exercises.MASK_RIVALS]
    + [(exercises.narrow, rival, words) for rival, words in exercises.NARROW_RIVALS]
    + [(exercises.residual, rival, words) for rival, words in exercises.RESIDUAL_RIVALS]
    + [(exercises.stacks, rival, words) for rival, words in exercises.STACKS_RIVALS]
)


@pytest.mark.parametrize(("exercise", "rival", "words"), RIVALS)
def test_every_known_mistake_gets_its_own_hint(exercise, rival, words):
    assert exercise.verdict(rival) == f"✗ {exercise.name}: {words}"


@pytest.mark.parametrize("kinds", list(itertools.product("AB", repeat=4)), ids="".join)
def test_one_a_anywhere_sees_what_the_theorem_says_and_no_other_stack_does(kinds):
    expected = field((6, 11), (4, 5), kernel=3, layers=4, stacks=1)
    assert torch.equal(exercises.stack_sees(kinds), expected) == (kinds.count("A") == 1)


def test_the_mended_layer_sees_all_and_only_what_comes_before_within_its_reach():
    seen = exercises.network_sees(mended)
    assert torch.equal(seen, field((6, 7), (4, 3), kernel=3, layers=3, stacks=2))
    assert not bool((seen & ~before((6, 7), (4, 3))).any())
