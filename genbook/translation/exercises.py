"""Exercises of the chapter on translating pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from genbook.kit.answers import (
    alone,
    call,
    call_in_place,
    differentiates,
    differs,
    numbers,
    same,
    shown,
)
from genbook.kit.exercises import Exercise
from genbook.translation.networks import Layer, receptive_field

Field = Callable[[Sequence[Layer]], int]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
Map = Callable[[Tensor], Tensor]
Maps = Callable[[Map, Map, Tensor, Tensor], Tensor]

# --- The patch --------------------------------------------------------------------------------

STACKS = (
    ((3, 1),),
    ((4, 2), (4, 1)),
    ((5, 1), (3, 2), (3, 1)),
    ((4, 2), (4, 2), (1, 1)),
    ((4, 2), (4, 2), (4, 2), (4, 1), (4, 1)),
    ((3, 3), (3, 1), (3, 2), (2, 1)),
)


def _without_strides(layers: Sequence[Layer]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _own_stride(layers: Sequence[Layer]) -> int:
    side, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        side += (kernel - 1) * jump
    return side


def _last_stride(layers: Sequence[Layer]) -> int:
    side, before = 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * before
        before = stride
    return side


def _product_of_kernels(layers: Sequence[Layer]) -> int:
    side = 1
    for kernel, _ in layers:
        side *= kernel
    return side


MISTAKES = (
    (
        _without_strides,
        "you ignore the strides: one step of a later layer is several pixels of the image.",
    ),
    (
        _own_stride,
        "a layer's own stride moves its neighbours, not its own kernel: count earlier strides.",
    ),
    (
        _last_stride,
        "one stride is not enough: a step is as wide as the product of all strides before it.",
    ),
    (
        _product_of_kernels,
        "kernels overlap, so their sides do not multiply; each adds k − 1 steps.",
    ),
)


def _check_field(answer: Field) -> str | None:
    values = [numbers(call(answer, layers), []) for layers in STACKS]
    for mistake, hint in MISTAKES:
        if values == [float(mistake(layers)) for layers in STACKS]:
            return hint
    for layers, value in zip(STACKS, values, strict=True):
        if not same(value, receptive_field(layers)):
            return differs(value, receptive_field(layers), f"for {layers}")
    return None


field = Exercise(name="field", check=_check_field, reference=receptive_field)


# --- The pair's loss --------------------------------------------------------------------------


def pair_loss(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    """The generator's loss of Pix2Pix with λ = 100: −log D on average, plus 100 times L1."""
    return torch.nn.functional.softplus(-verdicts).mean() + 100 * (y - fake).abs().mean()


def saturating_pair_loss(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    """The same, meant to be; it trains badly."""
    return -torch.nn.functional.softplus(verdicts).mean() + 100 * (y - fake).abs().mean()


def _flipped(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    return torch.nn.functional.softplus(verdicts).mean() + 100 * (y - fake).abs().mean()


def _cut_off(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    chances, real = verdicts.sigmoid(), torch.ones_like(verdicts)
    adversarial = torch.nn.functional.binary_cross_entropy(chances, real)
    return adversarial + 100 * (y - fake).abs().mean()


def _squared(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    return torch.nn.functional.softplus(-verdicts).mean() + 100 * (y - fake).square().mean()


def _summed(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    return torch.nn.functional.softplus(-verdicts).sum() + 100 * (y - fake).abs().sum()


PAIR_MISTAKES = (
    (
        saturating_pair_loss,
        "that is log(1 − D), which saturates while the critic wins: use −log D.",
    ),
    (_flipped, "that is the critic's term, −log(1 − D): the generator wants verdicts of *real*."),
    (_squared, "the distance is L1, not L2: its best constant is the median."),
    (
        _cut_off,
        "work on the logits (softplus, logsigmoid): beyond −100 this function cuts the logarithm "
        "off.",
    ),
    (_summed, "that is summed over pixels and verdicts; both terms are means."),
)


def _check_pair(answer: Loss) -> str | None:
    source = torch.Generator().manual_seed(0)
    cases = []
    for scale in (1.0, 60.0):
        y, fake = torch.rand(2, 4, 1, 8, 8, generator=source, dtype=torch.float64)
        verdicts = scale * torch.randn(4, 1, 2, 2, generator=source, dtype=torch.float64)
        cases.append((y, fake, verdicts))
        value, right = call(answer, y, fake, verdicts), pair_loss(y, fake, verdicts)
        if same(value, right):
            continue
        for mistake, hint in PAIR_MISTAKES:
            if same(value, mistake(y, fake, verdicts)):
                return hint
        if scale > 1 and not right <= numbers(value, []) < math.inf:
            return "right for small verdicts alone: work on the logits (softplus, logsigmoid)."
        return differs(value, right, f"for verdicts of size {scale:g}")
    if not all(differentiates(_in_torch(answer), pair_loss, case, (1, 2)) for case in cases):
        return "the value is right, the gradient is not: what is detached?"
    return None


def _in_torch(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The same answer; a tensor alone in a list is taken out, and one without a graph has slope 0.

    A number of Python or NumPy stays as it is.
    """

    def value_of(*given: Any) -> Any:
        value = alone(answer(*given))
        if isinstance(value, Tensor) and not value.requires_grad:
            return value.detach().requires_grad_()
        return value

    return value_of


pair = Exercise(name="pair", check=_check_pair, reference=pair_loss)


# --- A cycle that closes too easily -----------------------------------------------------------


def short_circuit(there: Map, back: Map, x: Tensor, y: Tensor) -> Tensor:
    """Meant to be both cycles; one of them is something else."""
    return (back(there(x)) - x).abs().mean() + (there(y) - y).abs().mean()


def both_cycles(there: Map, back: Map, x: Tensor, y: Tensor) -> Tensor:
    """The cycle loss of a CycleGAN, forward and backward."""
    return (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()


def _between(there: Map, back: Map, x: Tensor, y: Tensor) -> Tensor:
    return (there(x) - y).abs().mean() + (back(y) - x).abs().mean()


def _forward_only(there: Map, back: Map, x: Tensor, y: Tensor) -> Tensor:
    return (back(there(x)) - x).abs().mean()


def _scaled(factor: Tensor | float, shift: float) -> Map:
    return lambda v: factor * v + shift


def _check_cycles(answer: Maps) -> str | None:
    x = torch.tensor([[0.0, 0.5]], dtype=torch.float64)
    y = torch.tensor([[2.0, 7.0]], dtype=torch.float64)
    inverse = _scaled(2.0, 1.0), _scaled(0.5, -0.5)
    lossy = _scaled(2.0, 1.0), _scaled(0.3, 0.2)
    for maps in (inverse, lossy):
        value = call(answer, *maps, x, y)
        if same(value, both_cycles(*maps, x, y)):
            continue
        if same(value, short_circuit(*maps, x, y)):
            return "the second term is an identity term, G(y) ≈ y; the cycle goes y → F → G."
        if same(value, _between(*maps, x, y)):
            return "x and y are no pair: nothing says that G(x) should be this y."
        if same(value, _forward_only(*maps, x, y)):
            return "that is one cycle, x → G → F; the other starts at y."
        if maps is inverse:
            return f"these two maps undo each other: the loss should be zero, got {shown(value)}."
        return differs(value, both_cycles(*maps, x, y), "for maps that do not undo each other")
    return _slope_of_cycles(answer, x, y)


def _slope_of_cycles(answer: Maps, x: Tensor, y: Tensor) -> str | None:
    def of(loss: Callable[..., Any]) -> Callable[..., Any]:
        return lambda a, b: loss(_scaled(a, 1.0), _scaled(b, -0.5), x + 0.25, y)

    factors = torch.tensor([3.0, 0.5], dtype=torch.float64).unbind()
    if not differentiates(_in_torch(of(answer)), of(both_cycles), factors, (0, 1)):
        return "the value is right, the gradient is not: is the picture in the middle detached?"
    return None


cycles = Exercise(name="cycles", check=_check_cycles, reference=both_cycles)


# --- A pool that never forgets ----------------------------------------------------------------


def stuck_pool(kept: list[int], new: int, coin: float, place: int) -> int:
    """Meant to be one exchange with a full pool; the critic sees the same old fakes for ever."""
    return new if coin < 0.5 else kept[place]


def mended_pool(kept: list[int], new: int, coin: float, place: int) -> int:
    """One exchange with a full pool: the new one, or a stored one whose place it takes."""
    if coin < 0.5:
        return new
    old, kept[place] = kept[place], new
    return old


def _check_pool(answer: Callable[[list[int], int, float, int], int]) -> str | None:
    for place in (1, 0, 2):
        tails, heads = [1, 2, 3], [1, 2, 3]
        stored = tails[place]
        shown_after_tails = call_in_place(answer, tails, 9, 0.8, place)
        shown_after_heads = call_in_place(answer, heads, 9, 0.2, place)
        if not (same(shown_after_tails, stored) and same(shown_after_heads, 9)):
            return (
                "heads (coin < ½) returns the new one, tails the stored one at that place; got "
                f"{shown(shown_after_heads)} after heads, {shown(shown_after_tails)} after tails."
            )
        if tails == [1, 2, 3]:
            return "after tails the new one is lost: it has to take the old one's place."
        if heads != [1, 2, 3]:
            return "after heads the pool should stay as it is: the new one has just been shown."
        if tails != [9 if k == place else k + 1 for k in range(3)]:
            return f"the new one belongs where the old one was; the pool is now {tails}."
    return None


pool = Exercise(name="pool", check=_check_pool, reference=mended_pool)

EXERCISES = (field, pair, cycles, pool)
