"""Exercises of the chapter on PixelCNN."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from genbook.kit.exercises import Exercise, Wrong, call
from genbook.pixel_masks import causal_mask


def mask_by_hand(kernel: int, kind: str) -> Tensor:
    """A grey mask [kernel, kernel]: rows above, then the pixels to the left."""
    mask = torch.zeros(kernel * kernel)
    mask[: kernel * kernel // 2 + (kind == "B")] = 1
    return mask.view(kernel, kernel)


def _mask_swapped(kernel: int, kind: str) -> Tensor:
    return mask_by_hand(kernel, "A" if kind == "B" else "B")


def _mask_below(kernel: int, kind: str) -> Tensor:
    return mask_by_hand(kernel, kind).flip(0)


def _check_mask(answer: Callable[[int, str], Tensor]) -> str | None:
    for kernel in (3, 5):
        for kind in "AB":
            given = torch.as_tensor(call(answer, kernel, kind)).float()
            if given.shape != (kernel, kernel):
                return f"expected the shape [{kernel}, {kernel}], got {list(given.shape)}."
            if given[kernel // 2 + 1 :].any():
                return "rows below the centre are open: they come later in reading order."
            if given[kernel // 2, kernel // 2] != (kind == "B"):
                return f"look at the centre of kind {kind}: A hides it, B shows it."
            if not torch.equal(given, causal_mask(kernel, kind=kind)[0, 0]):
                return "above: every column; on the centre's row: only what stands to its left."
    return None


mask = Exercise(
    name="mask",
    check=_check_mask,
    reference=mask_by_hand,
    wrong=(Wrong(_mask_swapped, "centre"), Wrong(_mask_below, "below")),
)


def bits_by_hand(nats: float, dimensions: int) -> float:
    """Bits per dimension of an image that costs so many nats."""
    return nats / (dimensions * math.log(2))


def _check_bits(answer: Callable[[float, int], float]) -> str | None:
    value = float(call(answer, 80.0, 784))
    right = bits_by_hand(80.0, 784)
    if math.isclose(value, 80 / 784, rel_tol=1e-6):
        return "that is nats a dimension; a bit is log 2 nats."
    if math.isclose(value, 80 / math.log(2), rel_tol=1e-6):
        return "these are the bits of the whole image; divide by the dimensions."
    return None if math.isclose(value, right, rel_tol=1e-6) else f"expected {right:.4f}."


bits = Exercise(
    name="bits",
    check=_check_bits,
    reference=bits_by_hand,
    wrong=(
        Wrong(lambda nats, dims: nats / dims, "log 2"),
        Wrong(lambda nats, dims: nats / math.log(2), "divide"),
    ),
)

Convs = tuple[Tensor, Tensor]


def mask_a_twice(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Two masked 3×3 convolutions, as someone wrote them."""
    a = causal_mask(3, kind="A")
    return conv2d(conv2d(x, first * a, padding=1), second * a, padding=1)


def mask_a_then_b(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Mask A once, at the image; mask B from then on."""
    a, b = causal_mask(3, kind="A"), causal_mask(3, kind="B")
    return conv2d(conv2d(x, first * a, padding=1), second * b, padding=1)


def _mask_b_twice(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    b = causal_mask(3, kind="B")
    return conv2d(conv2d(x, first * b, padding=1), second * b, padding=1)


def _check_two(answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> str | None:
    weights = torch.ones(1, 1, 3, 3)
    x = torch.zeros(1, 1, 5, 5, requires_grad=True)
    out = call(answer, x, weights, weights)
    (slope,) = torch.autograd.grad(out[0, 0, 3, 2], x)
    if slope[0, 0, 3, 2] != 0:
        return "the output sees its own pixel: the first mask must be A."
    if slope[0, 0, 3, 1] == 0:
        return "the left neighbour is lost: mask A shifts once more in every layer that uses it."
    return None


twice = Exercise(
    name="twice",
    check=_check_two,
    reference=mask_a_then_b,
    wrong=(Wrong(mask_a_twice, "left neighbour"), Wrong(_mask_b_twice, "own pixel")),
)

EXERCISES = (mask, bits, twice)
