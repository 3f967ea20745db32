"""Exercises of the chapter on PixelCNN."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbook.kit.exercises import Exercise, Wrong, call
from genbook.pixelcnn.masks import MaskedConv, causal_mask
from genbook.pixelcnn.receptive_field import before, sensitivity

Map = Callable[[Tensor], Tensor]


def mask_by_hand(kernel: int, kind: str) -> Tensor:
    """Zeros and ones [kernel, kernel] of a grey masked convolution."""
    place = torch.arange(kernel * kernel).view(kernel, kernel)
    centre = kernel * kernel // 2
    return (place < centre + (kind == "B")).float()


def _mask_swapped(kernel: int, kind: str) -> Tensor:
    return mask_by_hand(kernel, "A" if kind == "B" else "B")


def _mask_rows(kernel: int, kind: str) -> Tensor:
    mask = torch.zeros(kernel, kernel)
    mask[: kernel // 2 + (kind == "B")] = 1
    return mask


def _check_mask(answer: Callable[[int, str], Tensor]) -> str | None:
    for kernel in (3, 5, 7):
        for kind in ("A", "B"):
            given = torch.as_tensor(call(answer, kernel, kind)).float()
            if given.shape != (kernel, kernel):
                return f"expected shape [{kernel}, {kernel}], got {list(given.shape)}."
            half = kernel // 2
            if given[half, half] != float(kind == "B"):
                return f"kind {kind}: the centre is wrong. Which of the two may see itself?"
            right = causal_mask(kernel, kind=kind)[0, 0]
            if not torch.equal(given[half], right[half]):
                return (
                    "the centre's row is wrong: open what lies to the left, nothing to the right."
                )
            if not torch.equal(given, right):
                return "rows above are open, rows below are closed."
    return None


mask = Exercise(
    name="mask",
    check=_check_mask,
    reference=mask_by_hand,
    wrong=(Wrong(_mask_swapped, "see itself"), Wrong(_mask_rows, "centre")),
)


def bits_by_hand(nats: float, height: int, width: int, colours: int) -> float:
    """Bits for each number of an image."""
    return nats / (height * width * colours * math.log(2))


def _bits_in_nats(nats: float, height: int, width: int, colours: int) -> float:
    return nats / (height * width * colours)


def _bits_a_pixel(nats: float, height: int, width: int, colours: int) -> float:
    return nats / (height * width * math.log(2))


def _check_bits(answer: Callable[[float, int, int, int], float]) -> str | None:
    value = float(call(answer, 5000.0, 32, 32, 3))
    right = bits_by_hand(5000.0, 32, 32, 3)
    if math.isclose(value, right * math.log(2), rel_tol=1e-6):
        return "that is nats per dimension: one bit is log 2 nats."
    if math.isclose(value, 3 * right, rel_tol=1e-6):
        return "that is bits per pixel: each colour is a dimension of its own."
    return None if math.isclose(value, right, rel_tol=1e-6) else f"expected {right:.4f}."


bits = Exercise(
    name="bits",
    check=_check_bits,
    reference=bits_by_hand,
    wrong=(Wrong(_bits_in_nats, "log 2"), Wrong(_bits_a_pixel, "colour")),
)


def residual_as_found(h: Tensor, look: Map) -> Tensor:
    """A residual block, with a bug."""
    out = h + look(h)
    return h + out


def residual_mended(h: Tensor, look: Map) -> Tensor:
    """What came in and what the block adds to it, each once."""
    return h + look(h)


def _residual_none(h: Tensor, look: Map) -> Tensor:
    return look(h)


def _check_residual(answer: Callable[[Tensor, Map], Tensor]) -> str | None:
    h = torch.linspace(-1, 1, 5)
    still = torch.as_tensor(call(answer, h, torch.zeros_like))
    if torch.allclose(still, 2 * h):
        return "a block that adds nothing doubles h: ten such blocks multiply it by 1024."
    if torch.allclose(still, torch.zeros_like(h)):
        return "a block that adds nothing loses h: where is the sum?"
    moved = torch.as_tensor(call(answer, h, torch.cos))
    return None if torch.allclose(moved, h + h.cos()) else "expected h + look(h)."


residual = Exercise(
    name="residual",
    check=_check_residual,
    reference=residual_mended,
    wrong=(Wrong(residual_as_found, "doubles"), Wrong(_residual_none, "loses h")),
)


def kinds_as_found(layers: int) -> list[str]:
    """The masks of a stack of convolutions, with a bug."""
    return ["A"] * layers


def kinds_mended(layers: int) -> list[str]:
    """A in the first layer, B in all others."""
    return ["A"] + ["B"] * (layers - 1)


def _kinds_leaking(layers: int) -> list[str]:
    return ["B"] * layers


def _stack(kinds: Sequence[str]) -> Map:
    source = torch.Generator().manual_seed(0)
    net = torch.nn.Sequential(*(MaskedConv(1, 1, 3, kind=k, generator=source) for k in kinds))
    return net.double()


def _check_kinds(answer: Callable[[int], list[str]]) -> str | None:
    given = list(call(answer, 3))
    if len(given) != 3 or set(given) - {"A", "B"}:
        return f"expected a list of three letters A or B, got {given!r}."
    seen = sensitivity(_stack(given), torch.zeros(1, 1, 5, 7).double(), (3, 3))[0] > 0
    if seen[3, 3]:
        return "the output sees its own pixel: the copy costs no nats, and nothing can be drawn."
    if not seen[3, 2]:
        return "the output no longer sees its left neighbour: each A moves the view one step away."
    return None if given == kinds_mended(3) else "one A is enough, and it must come first."


kinds = Exercise(
    name="kinds",
    check=_check_kinds,
    reference=kinds_mended,
    wrong=(Wrong(kinds_as_found, "left neighbour"), Wrong(_kinds_leaking, "own pixel")),
)


def stacks_as_found(
    v: Tensor, h: Tensor, vertical: Map, horizontal: Map, down: Map
) -> tuple[Tensor, Tensor]:
    """One layer of two stacks, with a bug."""
    u = vertical(v + h)
    return torch.tanh(u), h + torch.tanh(horizontal(h) + down(u))


def stacks_mended(
    v: Tensor, h: Tensor, vertical: Map, horizontal: Map, down: Map
) -> tuple[Tensor, Tensor]:
    """The vertical stack reads itself; the horizontal one reads both."""
    u = vertical(v)
    return torch.tanh(u), h + torch.tanh(horizontal(h) + down(u))


def _stacks_apart(
    v: Tensor, h: Tensor, vertical: Map, horizontal: Map, down: Map
) -> tuple[Tensor, Tensor]:
    return torch.tanh(vertical(v)), h + torch.tanh(horizontal(h))


def _check_stacks(answer: Callable[..., tuple[Tensor, Tensor]]) -> str | None:
    source = torch.Generator().manual_seed(1)

    def conv(kernel: int, kind: str, stack: str) -> Map:
        layer = MaskedConv(1, 1, kernel, kind=kind, stack=stack, generator=source)
        return layer.double()

    first = conv(3, "A", "vertical"), conv(3, "A", "horizontal"), conv(1, "B", "all")
    parts = [[conv(3, "B", "vertical"), conv(3, "B", "horizontal"), conv(1, "B", "all")]] * 2

    def net(x: Tensor) -> Tensor:
        v = first[0](x)
        h = first[1](x) + first[2](v)
        for part in parts:
            v, h = call(answer, v, h, *part)
        return h

    seen = sensitivity(net, torch.zeros(1, 1, 6, 7).double(), (4, 3))[0] > 0
    earlier = before((6, 7), (4, 3))
    if bool((seen & ~earlier).any()):
        return "pixels that come later are seen: what does the row of a vertical kernel reach?"
    if not bool(seen[2, 5]):
        return "the blind spot is back: the horizontal stack must hear from the vertical one."
    return None


stacks = Exercise(
    name="stacks",
    check=_check_stacks,
    reference=stacks_mended,
    wrong=(Wrong(stacks_as_found, "later"), Wrong(_stacks_apart, "blind spot")),
)

EXERCISES = (mask, bits, residual, kinds, stacks)
