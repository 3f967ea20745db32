"""Exercises of the chapter on the LSTM's gates."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from genbook.kit.exercises import Exercise, Wrong, call
from genbook.lstm import paths

# Which bias remembers?


def bias_by_hand(steps: float) -> float:
    """The forget bias whose cell keeps 1/e after so many steps."""
    return -math.log(math.expm1(1 / steps))


def _gate_not_bias(steps: float) -> float:
    return math.exp(-1 / steps)


def _half_life(steps: float) -> float:
    return -math.log(2 ** (1 / steps) - 1)


def _check_bias(answer: Callable[[float], float]) -> str | None:
    for steps in (3.0, 40.0):
        value = float(call(answer, steps))
        if math.isclose(value, math.exp(-1 / steps), rel_tol=1e-6):
            return "that is the gate f itself; the bias goes through a sigmoid: f = σ(b)."
        if math.isclose(value, _half_life(steps), rel_tol=1e-6):
            return "that bias keeps ½ after so many steps; the memory is where 1/e is left."
        if math.isclose(value, math.log(steps), rel_tol=1e-6):
            return "close for long memories: log τ is the rule of thumb; find the exact bias."
        kept = float(paths.memory(torch.tensor(value, dtype=torch.float64)))
        if not math.isclose(kept, steps, rel_tol=1e-4):
            return f"for {steps:g} steps your bias {value:.4f} remembers {kept:.4g} steps."
    return None


bias = Exercise(
    name="bias",
    check=_check_bias,
    reference=bias_by_hand,
    wrong=(
        Wrong(_gate_not_bias, "the gate f itself"),
        Wrong(_half_life, "keeps ½"),
        Wrong(math.log, "rule of thumb"),
    ),
)

# The direct path


def direct_by_hand(forget: Tensor) -> Tensor:
    """Row t: the product of the forget gates after step t."""
    path = torch.ones_like(forget)
    for t in range(len(forget) - 2, -1, -1):
        path[t] = path[t + 1] * forget[t + 1]
    return path


def _with_its_own_gate(forget: Tensor) -> Tensor:
    return forget.flip(0).cumprod(0).flip(0)


def _from_the_start(forget: Tensor) -> Tensor:
    return forget.cumprod(0)


def _check_direct(answer: Callable[[Tensor], Tensor]) -> str | None:
    generator = torch.Generator().manual_seed(5)
    forget = torch.rand(6, 3, generator=generator, dtype=torch.float64)
    value = torch.as_tensor(call(answer, forget.clone()))
    if value.shape != forget.shape:
        return (
            f"expected one row for each step, shape {list(forget.shape)}; got {list(value.shape)}."
        )
    if torch.allclose(value, _with_its_own_gate(forget)):
        return (
            "one gate too many: f_t stands between c_{t−1} and c_t, so row t begins with f_{t+1}."
        )
    if torch.allclose(value, _from_the_start(forget)):
        return "that is the path from the start to c_t; asked is the path from c_T back to c_t."
    return None if torch.allclose(value, paths.direct_path(forget)) else "the last row should be 1."


direct = Exercise(
    name="direct",
    check=_check_direct,
    reference=direct_by_hand,
    wrong=(
        Wrong(_with_its_own_gate, "one gate too many"),
        Wrong(_from_the_start, "from the start"),
    ),
)

# Bug hunt: a cell that runs, trains, and is wrong once weights are loaded


def loaded_step(
    x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    """One step from the blocks of a torch.nn.LSTM, meant to give its (h, c)."""
    i, f, o, g = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def mended_step(
    x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    """The same with PyTorch's order of blocks: i, f, g, o."""
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=-1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _forgets_h(
    x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=-1)
    c = torch.sigmoid(f) * h + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def _check_step(answer: Callable[..., tuple[Tensor, Tensor]]) -> str | None:
    generator = torch.Generator().manual_seed(6)
    cell = nn.LSTMCell(3, 4, dtype=torch.float64)
    weights = dict(cell.named_parameters())
    with torch.no_grad():
        for values in weights.values():
            values.normal_(generator=generator)
        x, h, c = (torch.randn(2, n, generator=generator, dtype=torch.float64) for n in (3, 4, 4))
        b = weights["bias_ih"] + weights["bias_hh"]
        arguments = (x, h, c, weights["weight_ih"], weights["weight_hh"], b)
        pair = call(answer, *arguments)
        if not (isinstance(pair, tuple) and len(pair) == 2):
            return "expected the pair (h, c)."
        if torch.allclose(pair[1], loaded_step(*arguments)[1]):
            return (
                "c is not torch's. All four blocks have one shape, so a wrong order raises "
                "nothing: compare i, f, g, o one by one with the documentation of nn.LSTM."
            )
        if torch.allclose(pair[1], _forgets_h(*arguments)[1]):
            return "the forget gate keeps the cell c, not the hidden state h."
        right = cell(x, (h, c))
    same = all(torch.allclose(a, b, atol=1e-10) for a, b in zip(pair, right, strict=True))
    return None if same else "c or h is not what torch.nn.LSTMCell gives."


step = Exercise(
    name="step",
    check=_check_step,
    reference=mended_step,
    wrong=(Wrong(loaded_step, "wrong order"), Wrong(_forgets_h, "not the hidden state")),
)

EXERCISES = (bias, direct, step)
