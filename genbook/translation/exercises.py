"""Exercises of the chapter on translating pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from genbook.kit.exercises import Exercise, Wrong, call
from genbook.translation.networks import Layer, receptive_field

Field = Callable[[Sequence[Layer]], int]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]
Maps = Callable[[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]

STACKS = (((3, 1),), ((4, 2), (4, 1)), ((5, 1), (3, 2), (3, 1)), ((4, 2), (4, 2), (1, 1)))


# --- The patch --------------------------------------------------------------------------------


def _without_strides(layers: Sequence[Layer]) -> int:
    return 1 + sum(kernel - 1 for kernel, _ in layers)


def _own_stride(layers: Sequence[Layer]) -> int:
    side, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        side += (kernel - 1) * jump
    return side


def _product_of_kernels(layers: Sequence[Layer]) -> int:
    side = 1
    for kernel, _ in layers:
        side *= kernel
    return side


def _check_field(answer: Field) -> str | None:
    values = [call(answer, layers) for layers in STACKS]
    if values == [_without_strides(layers) for layers in STACKS]:
        return "you ignore the strides: one step of a later layer is several pixels of the image."
    if values == [_own_stride(layers) for layers in STACKS]:
        return (
            "a layer's own stride moves its neighbours, not its own kernel: count earlier strides."
        )
    if values == [_product_of_kernels(layers) for layers in STACKS]:
        return "kernels overlap, so their sides do not multiply; each adds k − 1 steps."
    for layers, value in zip(STACKS, values, strict=True):
        if value != receptive_field(layers):
            return f"for {layers} expected {receptive_field(layers)}, got {value!r}."
    return None


field = Exercise(
    name="field",
    check=_check_field,
    reference=receptive_field,
    wrong=(
        Wrong(_without_strides, "strides"),
        Wrong(_own_stride, "own stride"),
        Wrong(_product_of_kernels, "do not multiply"),
    ),
)


# --- The pair's loss --------------------------------------------------------------------------


def pair_loss(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    """The generator's loss of Pix2Pix with λ = 100: −log D on average, plus 100 times L1."""
    return torch.nn.functional.softplus(-verdicts).mean() + 100 * (y - fake).abs().mean()


def saturating_pair_loss(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    """The same, meant to be; it trains badly."""
    return -torch.nn.functional.softplus(verdicts).mean() + 100 * (y - fake).abs().mean()


def _flipped(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    return torch.nn.functional.softplus(verdicts).mean() + 100 * (y - fake).abs().mean()


def _squared(y: Tensor, fake: Tensor, verdicts: Tensor) -> Tensor:
    return torch.nn.functional.softplus(-verdicts).mean() + 100 * (y - fake).square().mean()


def _check_pair(answer: Loss) -> str | None:
    source = torch.Generator().manual_seed(0)
    y, fake = torch.rand(2, 4, 1, 8, 8, generator=source)
    verdicts = torch.randn(4, 1, 2, 2, generator=source)
    value = call(answer, y, fake, verdicts)
    if not isinstance(value, Tensor) or value.ndim:
        return "expected one number, a tensor without axes."
    if torch.allclose(value, saturating_pair_loss(y, fake, verdicts)):
        return "that is log(1 − D), which saturates while the critic wins: use −log D."
    if torch.allclose(value, _flipped(y, fake, verdicts)):
        return "that is the critic's term, −log(1 − D): the generator wants verdicts of *real*."
    if torch.allclose(value, _squared(y, fake, verdicts)):
        return "the distance is L1, not L2: its best constant is the median."
    return None if torch.allclose(value, pair_loss(y, fake, verdicts)) else "not yet."


pair = Exercise(
    name="pair",
    check=_check_pair,
    reference=pair_loss,
    wrong=(
        Wrong(saturating_pair_loss, "saturates"),
        Wrong(_flipped, "critic's term"),
        Wrong(_squared, "median"),
    ),
)


# --- A cycle that closes too easily -----------------------------------------------------------


def short_circuit(
    there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Tensor:
    """Meant to be both cycles; one of them is something else."""
    return (back(there(x)) - x).abs().mean() + (there(y) - y).abs().mean()


def both_cycles(
    there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Tensor:
    """The cycle loss of a CycleGAN, forward and backward."""
    return (back(there(x)) - x).abs().mean() + (there(back(y)) - y).abs().mean()


def _detached(
    there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Tensor:
    forward = (back(there(x).detach()) - x).abs().mean()
    return forward + (there(back(y).detach()) - y).abs().mean()


def _between(
    there: Callable[[Tensor], Tensor], back: Callable[[Tensor], Tensor], x: Tensor, y: Tensor
) -> Tensor:
    return (there(x) - y).abs().mean() + (back(y) - x).abs().mean()


def _check_cycles(answer: Maps) -> str | None:
    x, y = torch.tensor([[0.0, 0.5]]), torch.tensor([[2.0, 7.0]])
    scale = torch.tensor(2.0, requires_grad=True)

    def there(v: Tensor) -> Tensor:
        return scale * v + 1

    def back(v: Tensor) -> Tensor:
        return (v - 1) / 2

    value = call(answer, there, back, x, y)
    if not isinstance(value, Tensor) or value.ndim:
        return "expected one number, a tensor without axes."
    if torch.allclose(value, short_circuit(there, back, x, y)):
        return "the second term is an identity term, G(y) ≈ y; the cycle goes y → F → G."
    if torch.allclose(value, _between(there, back, x, y)):
        return "x and y are no pair: nothing says that G(x) should be this y."
    if not torch.allclose(value, both_cycles(there, back, x, y)):
        return "these two maps undo each other, so the loss should be zero."
    scale = torch.tensor(3.0, requires_grad=True)
    (slope,) = torch.autograd.grad(call(answer, there, back, x, y), scale, allow_unused=True)
    (wanted,) = torch.autograd.grad(both_cycles(there, back, x, y), scale)
    if slope is None or not torch.allclose(slope, wanted):
        return "the value is right, the gradient is not: is the picture in the middle detached?"
    return None


cycles = Exercise(
    name="cycles",
    check=_check_cycles,
    reference=both_cycles,
    wrong=(
        Wrong(short_circuit, "identity term"),
        Wrong(_between, "no pair"),
        Wrong(_detached, "detached"),
    ),
)


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


def _storing_both(kept: list[int], new: int, coin: float, place: int) -> int:
    old, kept[place] = kept[place], new
    return new if coin < 0.5 else old


def _check_pool(answer: Callable[[list[int], int, float, int], int]) -> str | None:
    tails, heads = [1, 2, 3], [1, 2, 3]
    old, new = call(answer, tails, 9, 0.8, 1), call(answer, heads, 9, 0.2, 1)
    if (old, new) != (2, 9):
        return "heads (coin < ½) returns the new one, tails the stored one at that place."
    if tails == [1, 2, 3]:
        return "after tails the new one is lost: it has to take the old one's place."
    if heads != [1, 2, 3]:
        return "after heads the pool should stay as it is: the new one has just been shown."
    return None if tails == [1, 9, 3] else "the new one belongs where the old one was."


pool = Exercise(
    name="pool",
    check=_check_pool,
    reference=mended_pool,
    wrong=(Wrong(stuck_pool, "lost"), Wrong(_storing_both, "stay as it is")),
)

EXERCISES = (field, pair, cycles, pool)
