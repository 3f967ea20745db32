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
    "expm1": lambda x: torch.expm1(-x.abs()),
    "sqrt": lambda x: torch.sqrt(x * x + 0.1),
    "rsqrt": lambda x: torch.rsqrt(x * x + 0.1),
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "softplus": functional.softplus,
    "leaky": functional.leaky_relu,
    "relu": torch.relu,
    "elu": functional.elu,
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
    "gathered": lambda x: x[(x.detach().flatten().abs() * 0).long()] if x.ndim and len(x) else x,
    "gram": lambda x: x @ x.T if x.ndim == 2 else x,
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
SHAPES: tuple[tuple[int, ...], ...] = (
    (), (1,), (3,), (0,), (2, 3), (3, 3), (1, 3), (5, 1), (0, 3), (2, 3, 4), (2, 1, 3), (1, 1, 1),
)  # fmt: skip
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
