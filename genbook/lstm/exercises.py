"""Exercises of the chapter on the LSTM's gates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from genbook.kit.answers import Hint, agree, call, differs, numbers, same, shown, tolerance
from genbook.kit.device import seeded
from genbook.kit.exercises import Exercise
from genbook.lstm import paths, truncation

Rivals = Sequence[tuple[Callable[..., Any], str]]


def _known(
    answer: Callable[..., Any], rivals: Rivals, cases: Sequence[Sequence[Any]]
) -> str | None:
    """The words for the known mistake that an answer makes in every case."""
    found = [(case, call(answer, *case)) for case in cases]
    for rival, words in rivals:
        if all(same(given, rival(*case)) for case, given in found):
            return words
    return None


# Which bias remembers?


def bias_by_hand(steps: float) -> float:
    """The forget bias whose cell keeps 1/e after so many steps."""
    return -math.log(math.expm1(1 / steps))


BIAS_RIVALS: Rivals = (
    (
        lambda steps: math.exp(-1 / steps),
        "that is the gate f itself; the bias goes through a sigmoid: f = σ(b).",
    ),
    (
        lambda steps: -math.log(2 ** (1 / steps) - 1),
        "that bias keeps ½ after so many steps; the memory is where 1/e is left.",
    ),
    (math.log, "close for long memories: log τ is the rule of thumb; find the exact bias."),
    (
        lambda steps: math.log(math.expm1(1 / steps)),
        "the sign is turned: a large bias must open the gate.",
    ),
    (
        lambda steps: -math.log((1 - 1 / math.e) ** (-1 / steps) - 1),
        "that bias has lost 1/e after so many steps; it should have kept 1/e.",
    ),
)


def _check_bias(answer: Callable[[float], Any]) -> str | None:
    cases = [(steps,) for steps in (3.0, 40.0, 0.5, 1000.0)]
    for (steps,) in cases:
        value = call(answer, steps)
        if not same(value, bias_by_hand(steps)):
            bias_given = numbers(value, [])
            kept = float(paths.memory(bias_given))
            hint = f"for {steps:g} steps your bias {shown(value)} remembers {kept:.4g} steps."
            return _known(answer, BIAS_RIVALS, cases) or hint
    return None


bias = Exercise(name="bias", check=_check_bias, reference=bias_by_hand)

# The direct path


def direct_by_hand(forget: Tensor) -> Tensor:
    """Row t: the product of the forget gates after step t."""
    path = torch.ones_like(forget)
    for t in range(len(forget) - 2, -1, -1):
        path[t] = path[t + 1] * forget[t + 1]
    return path


DIRECT_RIVALS: Rivals = (
    (
        lambda forget: forget.flip(0).cumprod(0).flip(0),
        "one gate too many: f_t stands between c_{t−1} and c_t, so row t begins with f_{t+1}.",
    ),
    (
        lambda forget: forget.cumprod(0),
        "that is the path from the start to c_t; asked is the path from c_T back to c_t.",
    ),
    (
        lambda forget: paths.direct_path(forget).flip(0),
        "the rows stand in the wrong order: row 1 has the longest way back, the last row is 1.",
    ),
    (
        lambda forget: torch.cat([forget[1:], torch.ones_like(forget[:1])]),
        "those are single gates; the way back from c_T passes all of them: take their product.",
    ),
    (
        lambda forget: forget.prod(0).expand_as(forget),
        "that is the product of all gates in each row; row t has only those after step t.",
    ),
)


def _check_direct(answer: Callable[[Tensor], Any]) -> str | None:
    source = seeded(5)
    shapes = ((6, 3), (1, 2), (9, 1))
    cases = [(torch.rand(shape, generator=source, dtype=torch.float64),) for shape in shapes]

    def describe(forget: Tensor) -> str:
        return f"for gates of shape {list(forget.shape)}"

    hint = agree(answer, paths.direct_path, cases, describe)
    return None if hint is None else _known(answer, DIRECT_RIVALS, cases[::2]) or hint


direct = Exercise(name="direct", check=_check_direct, reference=direct_by_hand)

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


def _keeps_h(
    x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor
) -> tuple[Tensor, Tensor]:
    i, f, g, o = (x @ w_x.T + h @ w_h.T + b).chunk(4, dim=-1)
    c = torch.sigmoid(f) * h + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


Step = Callable[..., Any]


def _step_case(seed: int, batch: int, inputs: int, hidden: int) -> tuple[Tensor, ...]:
    """x, h, c and the weights of a torch.nn.LSTMCell, none of which wants a gradient."""
    source = seeded(seed)
    cell = nn.LSTMCell(inputs, hidden, dtype=torch.float64)
    weights = {name: values.detach() for name, values in cell.named_parameters()}
    for values in weights.values():
        values.normal_(generator=source)
    sizes = (inputs, hidden, hidden)
    given = [torch.randn(batch, n, generator=source, dtype=torch.float64) for n in sizes]
    b = weights["bias_ih"] + weights["bias_hh"]
    return (*given, weights["weight_ih"], weights["weight_hh"], b)


def _by_torch(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> Tensor:
    """(h, c) of a torch.nn.LSTMCell, stacked."""
    cell = nn.LSTMCell(x.shape[-1], h.shape[-1], dtype=torch.float64)
    state = {"weight_ih": w_x, "weight_hh": w_h, "bias_ih": b, "bias_hh": torch.zeros_like(b)}
    cell.load_state_dict(state)
    with torch.no_grad():
        return torch.stack(cell(x, (h, c)))


def _pair(answer: Step, case: Sequence[Tensor]) -> tuple[Tensor, Tensor, float]:
    """The h and c that an answer gives, and how close they must come."""
    given = call(answer, *case)
    is_pair = isinstance(given, (tuple, list)) or getattr(given, "ndim", 0) == case[1].ndim + 1
    if not is_pair or len(given) != 2:
        raise Hint(f"expected the pair (h, c), got {shown(given)}.")
    h, c = (numbers(part, case[1].shape, name) for part, name in zip(given, "hc", strict=True))
    rtol = max(map(tolerance, given))
    return h, c, rtol


def _check_step(answer: Step) -> str | None:
    for case in (_step_case(6, 2, 3, 4), _step_case(7, 5, 1, 2)):
        h, c, rtol = _pair(answer, case)
        right_h, right_c = _by_torch(*case)
        if same(h, right_c, rtol=rtol) and same(c, right_h, rtol=rtol):
            return "expected the pair (h, c), got (c, h)."
        if same(c, loaded_step(*case)[1], rtol=rtol):
            return (
                "c is not torch's. All four blocks have one shape, so a wrong order raises "
                "nothing: compare i, f, g, o one by one with the documentation of nn.LSTM."
            )
        if same(c, _keeps_h(*case)[1], rtol=rtol):
            return "the forget gate keeps the cell c, not the hidden state h."
        if (hint := differs(c, right_c, "for c", rtol=rtol)) is not None:
            return hint
        if (hint := differs(h, right_h, "c is right; for h", rtol=rtol)) is not None:
            return hint
    return None


step = Exercise(name="step", check=_check_step, reference=mended_step)

# A gradient that is stopped early


def truncated_by_hand(
    x: Tensor, decay: float, weight: float, target: float, window: int
) -> tuple[float, float]:
    """Run forward, then go back window steps from the loss."""
    cells = [0.0]
    for value in x.tolist():
        cells.append(decay * cells[-1] + weight * value)
    back = cells[-1] - target
    by_decay = by_weight = 0.0
    for t in range(len(x), len(x) - window, -1):
        by_decay += back * cells[t - 1]
        by_weight += back * float(x[t - 1])
        back *= decay
    return by_decay, by_weight


Truncation = Callable[..., Any]


def _stopped(
    x: Tensor, decay: float, weight: float, target: float, window: int, *, emptied: bool = False
) -> Tensor:
    """The loss's truncated gradient by autograd; emptied: from a state of 0 at the window."""
    seen = x[-window:] if emptied else x
    last = truncation.leaky(seen, torch.tensor(decay).to(x), torch.tensor(weight).to(x))[-1]
    return (last - target) * truncation.truncated_gradient(seen, decay, weight, window)


TRUNCATED_RIVALS: Rivals = (
    (
        lambda x, decay, weight, target, window: _stopped(x, decay, weight, target, len(x)),
        "that is the full gradient: stop after window steps.",
    ),
    (
        lambda x, decay, weight, target, window: _stopped(
            x, decay, weight, target, window, emptied=True
        ),
        "you emptied the cell where the window begins; only the gradient stops there, the state "
        "enters as a number.",
    ),
    (
        lambda x, decay, weight, target, window: _stopped(x, decay, weight, target, window + 1),
        "one step too many: a window of 1 sees the last step alone.",
    ),
    (
        lambda x, decay, weight, target, window: truncation.truncated_gradient(
            x, decay, weight, window
        ),
        "that is the derivative of c_T; the loss multiplies it by c_T − target.",
    ),
    (
        lambda x, decay, weight, target, window: _stopped(x, decay, weight, target, window).flip(0),
        "expected the pair (by λ, by w); yours is turned round.",
    ),
)


def _check_truncated(answer: Truncation) -> str | None:
    source = seeded(8)
    cases = [
        (torch.randn(length, generator=source, dtype=torch.float64), *numbers_given, window)
        for length, numbers_given, window in (
            (7, (0.8, 1.5, 0.3), 3),
            (5, (-0.6, 0.7, -1.0), 1),
            (9, (1.0, -1.2, 0.5), 8),
        )
    ]
    full = (cases[0][0], 0.9, 1.1, 0.2, 7)

    def describe(x: Tensor, decay: float, weight: float, target: float, window: int) -> str:
        return f"for {len(x)} steps and window {window}"

    hint = agree(answer, _stopped, [*cases, full], describe)
    return None if hint is None else _known(answer, TRUNCATED_RIVALS, cases) or hint


truncated = Exercise(name="truncated", check=_check_truncated, reference=truncated_by_hand)

EXERCISES = (bias, direct, step, truncated)
