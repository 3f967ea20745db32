"""Random programs over the operations that a page knows, and what runs them in a browser."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from playwright.sync_api import Page
from torch import Tensor
from torch.nn import functional
from torch.utils._pytree import tree_leaves

from genbook.kit.machine import Program, javascript
from genbook.kit.machine.emit import PRELUDE

ALONE: dict[str, Callable[[Tensor], Tensor]] = {
    "abs": torch.abs,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "exp of −|x|": lambda x: torch.exp(-x.abs()),
    "log": lambda x: torch.log(x.abs() + 0.5),
    "log1p": lambda x: torch.log1p(x * x),
    "log2": lambda x: torch.log2(x.abs() + 0.5),
    "log10": lambda x: torch.log10(x.abs() + 0.5),
    "expm1": lambda x: torch.expm1(-x.abs()),
    "sqrt": lambda x: torch.sqrt(x * x + 0.1),
    "rsqrt": lambda x: torch.rsqrt(x * x + 0.1),
    "square": lambda x: x**2,
    "minus a square": lambda x: -(x**2),
    "cube": lambda x: x**3,
    "softplus": functional.softplus,
    "leaky": functional.leaky_relu,
    "relu": torch.relu,
    "elu": functional.elu,
    "clamp from below": lambda x: x.clamp_min(0.1) + x.clamp(min=-0.2),
    "clamp from above": lambda x: x.clamp_max(0.1),
    "clamp": lambda x: x.clamp(-0.5, 0.7),
    "from 1": lambda x: 1 - x,
    "sin": torch.sin,
    "sign": torch.sign,
    "plus a comparison": lambda x: x + (x > 0).float(),
    "plus no comparison": lambda x: x + torch.logical_not(x > 0).float(),
    "where": lambda x: torch.where(x > 0.1, x, 0.5 * x - 1),
    "masked": lambda x: x.masked_fill(x < 0, 0.25),
    "softmax": lambda x: torch.softmax(x, -1) if x.ndim else x,
    "log softmax": lambda x: torch.log_softmax(x, 0) if x.ndim else x,
    "cumsum": lambda x: torch.cumsum(x, 0) if x.ndim else x,
    "mean of the last": lambda x: x.mean(-1) if x.ndim and x.shape[-1] else x,
    "sum of the first": lambda x: x.sum(0) if x.ndim else x,
    "sum of all": lambda x: x.sum(),
    "largest": lambda x: x.amax(-1, keepdim=True) if x.ndim and x.shape[-1] else x,
    "norm": lambda x: torch.linalg.vector_norm(x, dim=-1) if x.ndim else x,
    "turned": lambda x: x.transpose(0, -1) if x.ndim else x,
    "flat": lambda x: x.reshape(-1),
    "column": lambda x: x[..., None],
    "squeezed": lambda x: x.squeeze(),
    "first of the last": lambda x: x[..., 0] if x.ndim and x.shape[-1] else x,
    "every other": lambda x: x[::2] if x.ndim else x,
    "repeated": lambda x: x[None].expand(2, *x.shape),
    "twice": lambda x: torch.cat([x, -x]) if x.ndim else x,
    "stacked": lambda x: torch.stack([x, 2 * x], -1),
    "stacked in front": lambda x: torch.stack([x, x.detach() * 0, -x]),
    "gathered": lambda x: x[(x.detach().flatten().abs() * 0).long()] if x.ndim and len(x) else x,
    "gelu": functional.gelu,
    "gelu, by tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "silu": functional.silu,
    "variance": lambda x: torch.var_mean(x, -1, correction=0)[0] if x.ndim and x.numel() else x,
    "second half": lambda x: x.chunk(2)[-1] if x.ndim and len(x) else x,
    "unbound": lambda x: x.unbind()[0] if x.ndim and len(x) else x,
    "padded and cropped": lambda x: functional.pad(x, (2, -1), value=0.5) if x.ndim else x,
    "sorted": lambda x: torch.sort(x, 0, descending=True)[0] if x.ndim else x,
    "ranks": lambda x: torch.argsort(x, -1).float() if x.ndim and not tied(x) else x,
    "chosen columns": lambda x: x.index_select(-1, order_of(x)) if x.ndim and x.numel() else x,
    "gathered along": lambda x: x.gather(-1, x.argsort(-1)) if x.ndim and x.numel() else x,
    "scattered": lambda x: torch.zeros_like(x).scatter_add(0, nil(x), x) if x.ndim else x,
    "place of the largest": lambda x: x.argmax(0).float() if x.ndim and len(x) else x,
    "largest with its place": lambda x: torch.max(x, -1)[0] if x.ndim and x.shape[-1] else x,
    "normed": lambda x: functional.layer_norm(x, x.shape[-1:]) if x.ndim and x.numel() else x,
    "gram": lambda x: x @ x.T if x.ndim == 2 else x,
    "times a vector": lambda x: torch.mv(x, x[0]) if x.ndim == 2 and len(x) else x,
    "gram, batched": lambda x: torch.bmm(x, x.transpose(1, 2)) if x.ndim == 3 else x,
}
TOGETHER: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "+": torch.add,
    "−": torch.sub,
    "·": torch.mul,
    "/": lambda x, y: x / (y.abs() + 0.5),
    "max": torch.maximum,
    "min": torch.minimum,
    "a + 3 b": lambda x, y: torch.add(x, y, alpha=3),
    "lerp": lambda x, y: torch.lerp(x, y.expand_as(x) if y.ndim <= x.ndim else x, 0.3),
}


def nil(x: Tensor) -> Tensor:
    """Zeros as indices."""
    return (x.detach() * 0).long()


def tied(x: Tensor) -> bool:
    """Whether equal numbers leave an order open."""
    return x.detach().unique().numel() < x.numel()


def order_of(x: Tensor) -> Tensor:
    """Indices along the last axis, from the back."""
    return torch.arange(x.shape[-1]).flip(0)


SHAPES: tuple[tuple[int, ...], ...] = (
    (), (1,), (3,), (0,), (2, 3), (3, 3), (1, 3), (5, 1), (0, 3), (2, 3, 4), (2, 1, 3), (1, 1, 1),
)  # fmt: skip
WHOLE: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...]]] = {
    "attention": (
        lambda q, k, v: functional.scaled_dot_product_attention(q[None], k[None], v[None]),
        ((2, 3, 4), (2, 3, 4), (2, 3, 4)),
    ),
    "batch norm in use": (
        lambda x, m, v, w: functional.batch_norm(x, m, v * v, w, m),
        ((3, 4, 2, 2), (4,), (4,), (4,)),
    ),
    "batch norm in training": (
        lambda x, w: functional.batch_norm(x, None, None, w, w, training=True),
        ((3, 4, 5), (4,)),
    ),
    "convolution": (
        lambda x, w, b: functional.conv2d(x, w, b, (2, 1), (1, 2), (1, 2)),
        ((2, 3, 9, 8), (4, 3, 3, 2), (4,)),
    ),
    "convolution, one pixel": (
        lambda x, w: functional.conv2d(x, w), ((1, 1, 1, 1), (1, 1, 1, 1))
    ),
    "convolution, no image": (
        lambda x, w: functional.conv2d(x, w, padding=1), ((0, 2, 3, 3), (4, 2, 3, 3))
    ),
    "convolution in groups": (
        lambda x, w: functional.conv2d(x, w, groups=2), ((2, 4, 5, 5), (6, 2, 3, 3))
    ),
    "convolution, turned": (
        lambda x, w: functional.conv2d(x.transpose(2, 3), w.transpose(0, 1), padding=1),
        ((1, 3, 5, 4), (3, 2, 3, 3)),
    ),
    "convolution, masked": (
        lambda x, w: functional.conv2d(
            functional.pad(x, (1, 0, 1, -1)), w * torch.ones(3, 3).tril()[None, None]
        ),
        ((1, 2, 5, 5), (3, 2, 3, 3)),
    ),
    "convolution of a line": (
        lambda x, w, b: functional.conv1d(x, w, b, 2, 1, 2), ((2, 3, 9), (4, 3, 3), (4,))
    ),
    "convolution, its slopes": (
        lambda x, w: slopes(lambda x, w: functional.conv2d(x, w, None, (2, 1), 1, (1, 2)), x, w),
        ((2, 3, 8, 9), (4, 3, 3, 2)),
    ),
    "transposed convolution": (
        lambda x, w, b: functional.conv_transpose2d(x, w, b, 2, 1, output_padding=1),
        ((2, 3, 4, 5), (3, 4, 3, 3), (4,)),
    ),
    "transposed convolution in groups": (
        lambda x, w: functional.conv_transpose2d(x, w, None, (1, 3), groups=2, dilation=2),
        ((2, 4, 4, 5), (4, 3, 3, 2)),
    ),
    "transposed convolution of a line": (
        lambda x, w: functional.conv_transpose1d(x, w, stride=2), ((2, 4, 4), (4, 3, 3))
    ),
    "embedding": (lambda w: functional.embedding(torch.tensor([1, 0, 1]), w), ((3, 4),)),
    "group norm": (lambda x, w: functional.group_norm(x, 2, w, w), ((3, 4, 2, 2), (4,))),
    "GRU": (
        lambda x, h, a, b: torch.gru_cell(x, h, a, b), ((2, 3), (2, 4), (12, 3), (12, 4))
    ),
    "layer norm": (lambda x, w: functional.layer_norm(x, (4,), w, w), ((3, 4), (4,))),
    "log-sum-exp": (lambda x: x.logsumexp(1), ((3, 4),)),
    "LSTM": (
        lambda x, h, c, a, b: torch.lstm_cell(x, (h, c), a, b),
        ((2, 3), (2, 4), (2, 4), (16, 3), (16, 4)),
    ),
    "max pool": (lambda x: functional.max_pool2d(x, 3, 2, 1), ((1, 2, 5, 4),)),
    "mean pool": (
        lambda x: [functional.avg_pool2d(x, 2), functional.avg_pool2d(x, 3, 2, 1)],
        ((1, 2, 5, 4),),
    ),
    "nearest neighbours": (lambda x: functional.interpolate(x, scale_factor=2), ((1, 2, 3, 4),)),
    "pixels shuffled": (
        lambda x: [functional.pixel_shuffle(x, 2), functional.pixel_unshuffle(x, 2)],
        ((2, 8, 4, 6),),
    ),
    "places": (
        lambda x: [x.argmax(), x.argmax(1, True), x.argmin(0), *x.min(1), *x.max(0)], ((3, 4),)
    ),
    "scattered": (
        lambda x: [
            torch.zeros(3, 4).scatter(1, torch.tensor([[0], [2], [3]]), 1.0),
            torch.zeros(3, 4).scatter(0, torch.tensor([[0, 1, 2, 0]]), x),
        ],
        ((3, 4),),
    ),
    "sorted": (
        lambda x: [*torch.sort(x, 0), *torch.sort(x, 1, descending=True)], ((3, 4),)
    ),
    "the largest two": (lambda x: torch.topk(x, 2), ((3, 4),)),
    "variances": (lambda x: [x.std(), x.var(1), x.var((0, 1), correction=0)], ((3, 4),)),
}  # fmt: skip
"""Operations that want tensors of their own shapes."""


def slopes(function: Callable[..., Tensor], *given: Tensor) -> Any:
    """Of the squares that the function gives."""
    own = [x.detach().requires_grad_() for x in given]
    return torch.autograd.grad((function(*own) ** 2).sum(), own)


MOST = 4_000
"""Numbers a value may have: repeated doubling ends there."""


def random_function(
    dice: random.Random, length: int
) -> tuple[Callable[..., Any], list[Tensor], list[str]]:
    """A function of one to three tensors, its example, and the names of its steps."""
    torch.manual_seed(dice.randrange(10**6))
    example = [torch.randn(dice.choice(SHAPES)) for _ in range(dice.randint(1, 3))]
    steps: list[tuple[str, int, int]] = []
    values = list(example)
    while len(steps) < length:
        one, two = dice.randrange(len(values)), dice.randrange(len(values))
        name = dice.choice([*ALONE, *TOGETHER, *TOGETHER])
        made = _made(name, values[one], values[two])
        if made is not None:
            steps.append((name, one, two))
            values.append(made)
    slope = dice.random() < 0.5

    def function(*given: Tensor) -> Any:
        own = [x.detach().requires_grad_() for x in given] if slope else list(given)
        held: list[Tensor] = list(own)
        for name, one, two in steps:
            held.append(_applied(name, held[one], held[two]))
        out = held[-1]
        if not slope or not out.requires_grad:
            return [out.detach()]
        found = torch.autograd.grad(out.sum(), own, allow_unused=True)
        return [out.detach(), *(g for g in found if g is not None)]

    return function, example, [name for name, _, _ in steps]


def _applied(name: str, one: Tensor, two: Tensor) -> Tensor:
    return ALONE[name](one) if name in ALONE else TOGETHER[name](one, two)


def _made(name: str, one: Tensor, two: Tensor) -> Tensor | None:
    try:
        made = _applied(name, one, two)
    except RuntimeError:  # shapes that do not go together
        return None
    if made.ndim > 4 or made.numel() > MOST or not bool(torch.isfinite(made).all()):
        return None
    return made


def run_on_page(page: Page, program: Program, arguments: Sequence[Any]) -> list[Tensor]:
    """What a page computes, flat."""
    given = [leaf.flatten().float().tolist() for leaf in tree_leaves(arguments)]
    text = f"""given => {{{PRELUDE}
        const machine = {javascript(program)};
        given.forEach((numbers, k) => machine.inputs[k].set(numbers));
        machine.run();
        const first = machine.outputs.map(out => [...out].map(String));
        machine.run();
        const again = machine.outputs.map(out => [...out].map(String));
        return [first, JSON.stringify(first) === JSON.stringify(again)];
    }}"""
    found, same = page.evaluate(text, json.loads(json.dumps(given)))
    assert same, "a second run on the same inputs gives other outputs"
    return [torch.tensor([float(number) for number in numbers]) for numbers in found]
