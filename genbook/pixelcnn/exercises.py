"""Exercises of the chapter on PixelCNN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from genbook.kit.answers import (
    Hint,
    ReaderError,
    agree,
    call,
    differentiates,
    differs,
    known,
    numbers,
    same,
    shown,
)
from genbook.kit.exercises import Exercise
from genbook.pixelcnn.masks import MaskedConv, causal_mask
from genbook.pixelcnn.receptive_field import before, sensitivity

Map = Callable[[Tensor], Tensor]
Pair = tuple[Tensor, Tensor]
Rivals = Sequence[tuple[Callable[..., Any], str]]


def _noise(*shape: int, seed: int) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=source, dtype=torch.float64)


def _items(value: Any) -> list[Any]:
    """What an answer holds, in order; nothing if it holds nothing."""
    try:
        return list(call(list, value))
    except ReaderError as error:
        if isinstance(error.__cause__, TypeError):
            return []
        raise


# --- The mask ---------------------------------------------------------------------------------


def mask_by_hand(kernel: int, kind: str) -> Tensor:
    """Zeros and ones [kernel, kernel] of a grey masked convolution."""
    place = torch.arange(kernel * kernel).view(kernel, kernel)
    centre = kernel * kernel // 2
    return (place < centre + (kind == "B")).float()


def _whole_rows(kernel: int, kind: str) -> Tensor:
    mask = torch.zeros(kernel, kernel)
    mask[: kernel // 2 + (kind == "B")] = 1
    return mask


def _one_row(kernel: int, kind: str) -> Tensor:
    mask = mask_by_hand(kernel, kind)
    mask[: kernel // 2] = 0
    return mask


MASKS = tuple((kernel, kind) for kernel in (3, 5, 7, 1) for kind in ("A", "B"))

MASK_RIVALS: Rivals = (
    (
        lambda kernel, kind: mask_by_hand(kernel, "A" if kind == "B" else "B"),
        "A and B are swapped: which of the two may see itself?",
    ),
    (
        lambda kernel, kind: 1 - mask_by_hand(kernel, kind),
        "inside out: a 1 keeps a weight, a 0 masks it.",
    ),
    (
        lambda kernel, kind: mask_by_hand(kernel, kind).flip(0, 1),
        "that opens what comes later: a pixel sees those above it and those on its left.",
    ),
    (
        lambda kernel, kind: mask_by_hand(kernel, kind).T,
        "that reads column by column; an image is read row by row.",
    ),
    (
        lambda kernel, kind: mask_by_hand(kernel, kind).flip(1),
        "left and right are swapped in the centre's row.",
    ),
    (
        lambda kernel, kind: mask_by_hand(kernel, kind).flip(0),
        "upside down: the rows above come first, and are open.",
    ),
    (
        _whole_rows,
        "the centre's row is neither open nor closed as a whole: open what lies to the left.",
    ),
    (_one_row, "only the centre's row is open; the rows above come before it as well."),
)


def _check_mask(answer: Callable[[int, str], Tensor]) -> str | None:
    if (words := known(answer, MASK_RIVALS, MASKS)) is not None:
        return words
    for kernel, kind in MASKS:
        value = call(answer, kernel, kind)
        found = numbers(value, [kernel, kernel], "the mask")
        if not same(value, right := causal_mask(kernel, kind=kind)[0, 0]):
            return f"for kernel {kernel} and kind {kind}, {_misplaced(found, right.double())}"
    return None


def _misplaced(found: Tensor, right: Tensor) -> str:
    """Where a mask is wrong: at the centre, in its row, above or below."""
    odd = found[(found != 0) & (found != 1)]
    if len(odd):
        return f"expected zeros and ones, got {shown(odd[0])}."
    half = len(right) // 2
    if found[half, half] != right[half, half]:
        wanted, came = (shown(mask[half, half]) for mask in (right, found))
        return f"the centre should be {wanted}, got {came}: which of the two may see itself?"
    if not torch.equal(found[half], right[half]):
        return "the centre's row is wrong: open what lies to the left, nothing to the right."
    if not torch.equal(found[:half], right[:half]):
        return "the rows above should be open: ones."
    return "the rows below should be closed: zeros."


mask = Exercise(name="mask", check=_check_mask, reference=mask_by_hand)

# --- Narrowing ---------------------------------------------------------------------------------


def narrow_by_hand(low: int, width: int, counts: Sequence[int], level: int) -> tuple[int, int]:
    """The low end and the width of a level's share, in units T times as fine."""
    total = sum(counts)
    return low * total + width * sum(counts[:level]), width * counts[level]


SHARES = (
    (0, 1, [12, 4], 1),
    (3, 5, [1, 15], 0),
    (12, 4, [5, 8, 3], 1),
    (7, 9, [2, 4, 1, 1], 3),
    (7, 9, [2, 4, 1, 1], 2),
)

NARROW_RIVALS: Rivals = (
    (
        lambda low, width, counts, level: (
            low + width * sum(counts[:level]),
            width * counts[level],
        ),
        "the units are T times as fine: the old low end has to be counted in them, too.",
    ),
    (
        lambda low, width, counts, level: (
            low * sum(counts) + width * sum(counts[: level + 1]),
            width * counts[level],
        ),
        "that begins where the level's share ends: add up the counts before it.",
    ),
    (
        lambda low, width, counts, level: (
            low * sum(counts) + sum(counts[:level]),
            width * counts[level],
        ),
        "the counts before the level are shares of the interval: multiply them by its width.",
    ),
    (
        lambda low, width, counts, level: (
            low * sum(counts) + width * sum(counts[:level]),
            counts[level],
        ),
        "the new width is a share of the old one, which is missing.",
    ),
    (
        lambda low, width, counts, level: (
            low * sum(counts) + width * sum(counts[level + 1 :]),
            width * counts[level],
        ),
        "that stacks the levels from the top: level 0 comes first.",
    ),
    (
        lambda low, width, counts, level: (
            low + width * sum(counts[:level]) / sum(counts),
            width * counts[level] / sum(counts),
        ),
        "right in the old unit; count in units T times as fine, and stay with integers.",
    ),
    (
        lambda low, width, counts, level: (
            low * sum(counts) + width * sum(counts[:level]),
            low * sum(counts) + width * sum(counts[: level + 1]),
        ),
        "those are the two ends: return the low end and the width.",
    ),
)


def _share(low: int, width: int, counts: Sequence[int], level: int) -> str:
    return f"for low {low}, width {width}, counts {list(counts)} and level {level}"


def _check_narrow(answer: Callable[[int, int, Sequence[int], int], tuple[int, int]]) -> str | None:
    return known(answer, NARROW_RIVALS, SHARES) or agree(answer, narrow_by_hand, SHARES, _share)


narrow = Exercise(name="narrow", check=_check_narrow, reference=narrow_by_hand)

# --- Bug hunt: the residual -------------------------------------------------------------------


def residual_as_found(h: Tensor, look: Map) -> Tensor:
    """A residual block, with a bug."""
    out = h + look(h)
    return h + out


def residual_mended(h: Tensor, look: Map) -> Tensor:
    """What came in and what the block adds to it, each once."""
    return h + look(h)


def _smeared(h: Tensor) -> Tensor:
    return 1 + h * h.roll(1, -1)


BLOCKS = (
    (torch.linspace(-1, 1, 5, dtype=torch.float64), torch.zeros_like),
    (torch.linspace(-1, 1, 5, dtype=torch.float64), torch.cos),
    (_noise(2, 3, 4, 5, seed=0), _smeared),
)

LOOKS = {
    torch.zeros_like: "that adds nothing",
    torch.cos: "that adds cos h",
    _smeared: "that looks to the left",
}

RESIDUAL_RIVALS: Rivals = (
    (
        residual_as_found,
        "a block that adds nothing doubles h: ten such blocks multiply it by 1024.",
    ),
    (lambda h, look: look(h), "a block that adds nothing loses h: where is the sum?"),
    (lambda h, look: h, "that block never looks: look(h) is to be added."),
    (
        lambda h, look: (h + look(h)) / 2,
        "a block that adds nothing halves h: ten such blocks divide it by 1024.",
    ),
    (lambda h, look: h + 2 * look(h), "look(h) is added twice; once will do."),
    (lambda h, look: h - look(h), "the sign: the block adds look(h) to h."),
    (
        lambda h, look: h + look(h + look(h)),
        "look sees what it has added; it should see h, what came in.",
    ),
)


def _block(h: Tensor, look: Map) -> str:
    return f"for h of shape {list(h.shape)} and a block {LOOKS[look]}"


def _check_residual(answer: Callable[[Tensor, Map], Tensor]) -> str | None:
    hint = known(answer, RESIDUAL_RIVALS, BLOCKS)
    hint = hint or agree(answer, residual_mended, BLOCKS, _block)
    if hint is not None or differentiates(answer, residual_mended, BLOCKS[-1], leaves=(0,)):
        return hint
    return "the value is right, but not the gradient in h: what is detached?"


residual = Exercise(name="residual", check=_check_residual, reference=residual_mended)

# --- Bug hunt: the mask -----------------------------------------------------------------------


def kinds_as_found(layers: int) -> list[str]:
    """The masks of a stack of convolutions, with a bug."""
    return ["A"] * layers


def kinds_mended(layers: int) -> list[str]:
    """A in the first layer, B in all others."""
    return ["A"] + ["B"] * (layers - 1)


def stack_sees(kinds: Sequence[str]) -> Tensor:
    r"""What a stack of 3 × 3 convolutions sees around a pixel, far from the image's edge.

    Args:
        kinds: ``"A"`` or ``"B"``, one a layer, L ≥ 1 of them.

    Returns:
        Booleans ``[L + 2, 2 L + 3]``; the pixel is at row L, column L + 1.

    Example:
        >>> stack_sees(["A"]).int().tolist()
        [[0, 1, 1, 1, 0], [0, 1, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    source, depth = torch.Generator().manual_seed(0), len(kinds)
    layers = (MaskedConv(1, 1, 3, kind=kind, generator=source) for kind in kinds)
    net = torch.nn.Sequential(*layers).double()
    image = torch.zeros(1, 1, depth + 2, 2 * depth + 3, dtype=torch.float64)
    return sensitivity(net, image, (depth, depth + 1))[0] > 0


def _letters(value: Any, layers: int) -> list[str]:
    given = _items(value)
    if len(given) == layers and all(isinstance(k, str) and k in ("A", "B") for k in given):
        return [str(kind) for kind in given]
    expected = f"a list of letters A or B, {layers} long"
    raise Hint(f"for layers = {layers} expected {expected}, got {shown(given or value)}.")


def _check_kinds(answer: Callable[[int], list[str]]) -> str | None:
    for layers in (3, 2, 5, 1):
        given = _letters(call(answer, layers), layers)
        seen, where = stack_sees(given), f"with the masks {', '.join(given)}"
        if seen[layers, layers + 1]:
            return (
                f"{where} the output sees its own pixel: the copy costs no nats, and nothing can "
                "be drawn."
            )
        if not seen[layers, layers]:
            return (
                f"{where} the output no longer sees its left neighbour: each A moves the view one "
                "step away."
            )
    return None


kinds = Exercise(name="kinds", check=_check_kinds, reference=kinds_mended)

# --- Bug hunt: the stacks ---------------------------------------------------------------------


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


def _maps(inputs: int, kind: str, seed: int) -> tuple[Map, Map, Map]:
    """What a layer of two features looks with: vertically, horizontally, and down."""
    source = torch.Generator().manual_seed(seed)

    def conv(channels: int, kernel: int, kind: str, stack: str) -> Map:
        layer = MaskedConv(channels, 2, kernel, kind=kind, stack=stack, generator=source)
        return layer.double().requires_grad_(False)

    across = [conv(inputs, 3, kind, stack) for stack in ("vertical", "horizontal")]
    return across[0], across[1], conv(2, 1, "B", "all")


LAYERS = (
    (_noise(3, 2, 4, 5, seed=1), _noise(3, 2, 4, 5, seed=2), *_maps(2, "B", seed=3)),
    (_noise(1, 2, 6, 3, seed=4), _noise(1, 2, 6, 3, seed=5), *_maps(2, "B", seed=6)),
)

STACKS_RIVALS: Rivals = (
    (
        lambda *layer: stacks_mended(*layer)[::-1],
        "the right two, in the wrong order: return the new v, then the new h.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v).tanh(),
            (horizontal(h) + down(vertical(v))).tanh(),
        ),
        "the new h forgets the old one: the layer adds to it.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v).tanh(),
            down(vertical(v)).tanh(),
        ),
        "the new h forgets the old one, and the pixels on its left with it.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v).tanh(),
            h + down(vertical(v)).tanh(),
        ),
        "the horizontal stack no longer looks along its row: horizontal(h) is gone.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v).tanh(),
            h + (horizontal(h) + down(v)).tanh(),
        ),
        "nothing leaks, but the horizontal stack hears a layer late: down takes u, not v.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v).tanh(),
            h + (horizontal(h) + down(vertical(v).tanh())).tanh(),
        ),
        "nothing leaks, but you changed more than the bug: down takes u, before its tanh.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            vertical(v),
            stacks_mended(v, h, vertical, horizontal, down)[1],
        ),
        "nothing leaks, but you changed more than the bug: the new v is tanh u.",
    ),
    (
        lambda v, h, vertical, horizontal, down: (
            v + vertical(v).tanh(),
            stacks_mended(v, h, vertical, horizontal, down)[1],
        ),
        "nothing leaks, but you changed more than the bug: the new v is tanh u, without the old v.",
    ),
)


def _two(value: Any, shape: Sequence[int]) -> list[Any]:
    """The new v and the new h as they came, if they are numbers of that shape."""
    parts = _items(value)
    if len(parts) != 2:
        raise Hint(f"expected two of them, the new v and the new h, got {shown(value)}.")
    for part, name in zip(parts, ("the new v", "the new h"), strict=True):
        numbers(part, shape, name)
    return parts


def network_sees(answer: Callable[..., Any]) -> Tensor:
    r"""Which pixels move the output at row 4, column 3 of a network with two such layers.

    Args:
        answer: a layer, as :func:`stacks_mended`.

    Returns:
        Booleans ``[6, 7]``.

    Example:
        >>> network_sees(stacks_mended).int()[3:].tolist()
        [[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0]]
    """
    still = _noise(1, 1, 6, 7, seed=7)
    x = torch.cat([still, still + torch.eye(42).view(42, 1, 6, 7)])
    out = torch.stack([_network(answer, image[None])[0, :, 4, 3] for image in x])
    return ((out[1:] - out[0]).abs() > 1e-9).any(1).view(6, 7)


def _network(answer: Callable[..., Any], x: Tensor) -> Tensor:
    vertical, horizontal, down = _maps(1, "A", seed=8)
    v = vertical(x)
    h = horizontal(x) + down(v)
    for seed in (9, 10):
        v, h = map(numbers, _two(call(answer, v, h, *_maps(2, "B", seed=seed)), v.shape))
    return h


def _check_stacks(answer: Callable[..., Pair]) -> str | None:
    hints = [hint for layer in LAYERS if (hint := _layer_differs(answer, layer)) is not None]
    if not hints:
        return None
    if (words := known(answer, STACKS_RIVALS, LAYERS)) is not None:
        return words
    seen = network_sees(answer)
    if bool((seen & ~before((6, 7), (4, 3))).any()):
        return "pixels that come later are seen: what does the row of a vertical kernel reach?"
    if not bool(seen[2, 5]):
        return "the blind spot is back: the horizontal stack must hear from the vertical one."
    return f"nothing leaks, but you changed more than the bug: {hints[0]}"


def _layer_differs(answer: Callable[..., Pair], layer: Sequence[Any]) -> str | None:
    value, targets = call(answer, *layer), stacks_mended(*layer)
    parts = zip(_two(value, layer[0].shape), targets, ("v", "h"), strict=True)
    return next((hint for v, t, name in parts if (hint := differs(v, t, f"for {name}"))), None)


stacks = Exercise(name="stacks", check=_check_stacks, reference=stacks_mended)

EXERCISES = (mask, narrow, residual, kinds, stacks)
