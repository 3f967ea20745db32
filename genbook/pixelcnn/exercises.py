"""Exercises of the chapter on PixelCNN."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from genbook.kit.answers import Hint, agree, call, differs, numbers, same, shown
from genbook.kit.exercises import Exercise
from genbook.pixelcnn.masks import MaskedConv, causal_mask
from genbook.pixelcnn.receptive_field import before, sensitivity

Map = Callable[[Tensor], Tensor]
Block = Callable[[Tensor, Map], Any]

# --- A mask -----------------------------------------------------------------------------------


def mask_by_hand(kernel: int, kind: str) -> Tensor:
    """Zeros and ones [kernel, kernel] of a grey masked convolution."""
    place = torch.arange(kernel * kernel).view(kernel, kernel)
    centre = kernel * kernel // 2
    return (place < centre + (kind == "B")).float()


def _check_mask(answer: Callable[[int, str], Any]) -> str | None:
    for kernel in (3, 5, 7):
        for kind in ("A", "B"):
            given = numbers(call(answer, kernel, kind), [kernel, kernel])
            right = causal_mask(kernel, kind=kind)[0, 0].double()
            if (hint := _mask_hint(given, right, kernel // 2, kind)) is not None:
                return hint
    return None


def _mask_hint(given: Tensor, right: Tensor, half: int, kind: str) -> str | None:
    if not bool(((given == 0) | (given == 1)).all()):
        return f"a mask holds zeros and ones only, yours of kind {kind} other numbers too."
    if given[half, half] != right[half, half]:
        return f"kind {kind}: the centre is wrong. Which of the two may see itself?"
    if not torch.equal(given[half], right[half]):
        return "the centre's row is wrong: open what lies to the left, nothing to the right."
    if not torch.equal(given, right):
        return "rows above are open, rows below are closed."
    return None


mask = Exercise(name="mask", check=_check_mask, reference=mask_by_hand)

# --- Bits for each number ---------------------------------------------------------------------


def bits_by_hand(nats: float, height: int, width: int, colours: int) -> float:
    """Bits for each number of an image."""
    return nats / (height * width * colours * math.log(2))


BITS_CASES = ((5000.0, 32, 32, 3), (80.0, 28, 24, 1), (900.0, 16, 20, 4))
BITS_RIVALS: Sequence[tuple[Callable[[float, int, int, int], float], str]] = (
    (lambda n, h, w, c: n / (h * w * c), "that is nats per dimension: one bit is log 2 nats."),
    (
        lambda n, h, w, c: n / (h * w * math.log(2)),
        "that is bits per pixel: each colour is a dimension of its own.",
    ),
    (
        lambda n, h, w, c: n * math.log(2) / (h * w * c),
        "a bit is log 2 = 0.69 nats, so there are more bits than nats: divide by log 2.",
    ),
    (lambda n, h, w, c: n / math.log(2), "that is bits of the whole image: share them out."),
    (
        lambda n, h, w, c: n / (h * h * c * math.log(2)),
        "height times width, and you take one of the two twice.",
    ),
    (
        lambda n, h, w, c: n / (w * w * c * math.log(2)),
        "height times width, and you take one of the two twice.",
    ),
    (
        lambda n, h, w, c: n / (h * w * c * math.log(10)),
        "log 10 turns nats into decimal digits; a bit is log 2 nats.",
    ),
)


def _check_bits(answer: Callable[[float, int, int, int], Any]) -> str | None:
    if (hint := agree(answer, bits_by_hand, BITS_CASES, _with_image)) is None:
        return None
    for rival, words in BITS_RIVALS:
        if all(same(call(answer, *case), rival(*case)) for case in BITS_CASES):
            return words
    return hint


def _with_image(nats: float, height: int, width: int, colours: int) -> str:
    return f"for {nats:g} nats and {height} × {width} pixels of {colours} colours"


bits = Exercise(name="bits", check=_check_bits, reference=bits_by_hand)

# --- The residual -----------------------------------------------------------------------------


def residual_as_found(h: Tensor, look: Map) -> Tensor:
    """A residual block, with a bug."""
    out = h + look(h)
    return h + out


def residual_mended(h: Tensor, look: Map) -> Tensor:
    """What came in and what the block adds to it, each once."""
    return h + look(h)


LOOKS: Sequence[tuple[str, Map]] = (
    ("nothing", torch.zeros_like),
    ("cos h", torch.cos),
    ("3h − 1", lambda h: 3 * h - 1),
    ("its neighbour", lambda h: h.roll(1, -1)),
)


def _check_residual(answer: Block) -> str | None:
    h = torch.linspace(-1, 1.5, 6, dtype=torch.float64).view(1, 2, 3)
    still = call(answer, h, torch.zeros_like)
    if same(still, 2 * h):
        return "a block that adds nothing doubles h: ten such blocks multiply it by 1024."
    if same(still, 0 * h):
        return "a block that adds nothing loses h: where is the sum?"
    for name, look in LOOKS:
        target = residual_mended(h, look)
        if (hint := differs(call(answer, h, look), target, f"where look gives {name}")) is not None:
            return f"expected h + look(h): {hint}"
    return None


residual = Exercise(name="residual", check=_check_residual, reference=residual_mended)

# --- The kinds of a stack ---------------------------------------------------------------------


def kinds_as_found(layers: int) -> list[str]:
    """The masks of a stack of convolutions, with a bug."""
    return ["A"] * layers


def kinds_mended(layers: int) -> list[str]:
    """A in the first layer, B in all others."""
    return ["A"] + ["B"] * (layers - 1)


SIZE, HERE = (7, 11), (5, 5)


def _seen(net: Map) -> Tensor:
    """Which pixels reach the output at one place."""
    return sensitivity(net, torch.zeros(1, 1, *SIZE).double(), HERE)[0] > 0


def _stack(kinds: Sequence[str]) -> Map:
    source = torch.Generator().manual_seed(0)
    net = torch.nn.Sequential(*(MaskedConv(1, 1, 3, kind=k, generator=source) for k in kinds))
    return net.double()


def _letters(given: Any, layers: int) -> list[str]:
    try:
        letters = [str(letter) for letter in given]
    except TypeError:
        raise Hint(f"expected {layers} letters A or B, got {shown(given)}.") from None
    if len(letters) != layers or set(letters) - {"A", "B"}:
        raise Hint(f"expected {layers} letters A or B, got {shown(letters)}.")
    return letters


def _check_kinds(answer: Callable[[int], Any]) -> str | None:
    for layers in (3, 1, 2, 5):
        letters = _letters(call(answer, layers), layers)
        seen, wanted = _seen(_stack(letters)), _seen(_stack(kinds_mended(layers)))
        where = f"{layers} layers {''.join(letters)}"
        if bool(seen[HERE]):
            return f"{where}: the output sees its own pixel, so the copy costs no nats."
        if not torch.equal(seen, wanted):
            return (
                f"{where}: the output no longer sees its left neighbour; "
                "each A moves the view one step away, and one A is enough."
            )
    return None


kinds = Exercise(name="kinds", check=_check_kinds, reference=kinds_mended)

# --- Two stacks -------------------------------------------------------------------------------


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


Layer = Callable[..., tuple[Tensor, Tensor]]


def _two(given: Any) -> tuple[Tensor, Tensor]:
    """What a layer returned, as v and h."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise Hint(f"expected two tensors, v and h, got {shown(given)}.")
    if not all(isinstance(part, Tensor) for part in given):
        raise Hint("expected two tensors, v and h: gradients must pass through the layer.")
    return given[0], given[1]


def _net(layer: Layer) -> Map:
    """A first layer and two of the reader's, with weights of their own."""
    source = torch.Generator().manual_seed(1)

    def conv(kernel: int, kind: str, stack: str) -> Map:
        part = MaskedConv(1, 1, kernel, kind=kind, stack=stack, generator=source)
        return part.double()

    first = conv(3, "A", "vertical"), conv(3, "A", "horizontal"), conv(1, "B", "all")
    parts = [
        (conv(3, "B", "vertical"), conv(3, "B", "horizontal"), conv(1, "B", "all"))
        for _ in range(2)
    ]

    def net(x: Tensor) -> Tensor:
        v = first[0](x)
        h = first[1](x) + first[2](v)
        for part in parts:
            v, h = _two(call(layer, v, h, *part))
        return h

    return net


def _check_stacks(answer: Layer) -> str | None:
    seen, wanted = _seen(_net(answer)), _seen(_net(stacks_mended))
    if bool((seen & ~before(SIZE, HERE)).any()):
        return "pixels that come later are seen: what does the row of a vertical kernel reach?"
    if not bool(seen[HERE[0] - 2, HERE[1] + 2]):
        return "the blind spot is back: the horizontal stack must hear from the vertical one."
    if not torch.equal(seen, wanted):
        return "pixels that came earlier are lost: each stack reads what it said a layer before."
    return _check_layer(answer)


def _check_layer(answer: Layer) -> str | None:
    """What the receptive field cannot tell: h is carried on, and a layer ends in tanh."""
    v, h = torch.linspace(-1, 1, 12, dtype=torch.float64).view(2, 1, 1, 2, 3)
    _, still = _two(call(answer, v, h, *[torch.zeros_like] * 3))
    if not same(still, h):
        return "where the convolutions add nothing, h must stay as it is: it is a residual stack."
    loud = [lambda x: 100 * x] * 3
    high, wide = _two(call(answer, v, h, *loud))
    if float(high.detach().abs().max()) > 1 or float((wide - h).detach().abs().max()) > 1:
        return "a layer adds at most ± 1 to h and gives v within ± 1: where is tanh?"
    return None


stacks = Exercise(name="stacks", check=_check_stacks, reference=stacks_mended)

EXERCISES = (mask, bits, residual, kinds, stacks)
