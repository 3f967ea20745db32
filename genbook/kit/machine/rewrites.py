r"""Calls that no page knows, written with calls that it knows.

A :class:`~genbook.kit.machine.program.Program` keeps torch's own calls, so that in Python it stays
what it was traced from, bit for bit. Only what is written out for a page goes through here: a call
is replaced by a rule below, or by torch's own decomposition, and is then equal to rounding.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional
from torch.utils._pytree import tree_flatten

from genbook.kit.machine.program import (
    Call,
    Place,
    Program,
    UnknownOperation,
    call_of,
    places,
    program_of,
)

__all__ = ["rewritten"]


def rewritten(program: Program, known: Callable[[Call], bool]) -> Program:
    r"""The same computation, with other calls where the page lacks one.

    Args:
        program: see :func:`genbook.kit.machine.trace`.
        known: whether a page can compute a call as it stands.

    Returns:
        A program whose unknown calls are those that nothing is known to replace.

    Raises:
        UnknownOperation: If a result is used that a replacement does not make.

    Example:
        >>> from genbook.kit.machine import trace
        >>> program = trace(lambda x: x.unbind()[0], torch.zeros(3, 2))
        >>> list(rewritten(program, lambda call: "unbind" not in call.name).operations())
        ['select']
    """
    fresh = itertools.count(1 + max(_numbers(program)))
    kinds: dict[int, tuple[tuple[int, ...], torch.dtype]] = {
        number: (tuple(tensor.shape), tensor.dtype) for number, tensor in program.constants.items()
    }
    kinds.update(zip(program.inputs, zip(program.shapes, program.dtypes, strict=True), strict=True))
    constants, calls = dict(program.constants), list[Call]()
    now: dict[int, int] = {}  # a value's number here, where it has another than there
    parts: dict[int, list[int | None]] = {}  # what a call with several results made
    for old in program.calls:
        call = replace(
            old, arguments=_moved(old.arguments, now), options=_moved_options(old.options, now)
        )
        if call.name == "getitem" and old.arguments[0].number in parts:
            part = parts[old.arguments[0].number][call.arguments[1]]
            if part is None:
                raise UnknownOperation(
                    f"a page cannot compute result {call.arguments[1]} of a call, which comes "
                    f"from: {call.line}. Use its result 0 only."
                )
            now[call.result] = part
            continue
        kinds[call.result] = call.shape, call.dtype
        inner = None if known(call) else _inner(call, kinds)
        if inner is None:
            calls.append(call)
            continue
        made = dict(zip(inner.inputs, sorted(places(_all(call))), strict=True))
        for number, tensor in inner.constants.items():
            made[number] = next(fresh)
            constants[made[number]] = tensor
            kinds[made[number]] = tuple(tensor.shape), tensor.dtype
        for part_call in inner.calls:
            made[part_call.result] = next(fresh)
            kinds[made[part_call.result]] = part_call.shape, part_call.dtype
            calls.append(
                replace(
                    part_call,
                    arguments=_moved(part_call.arguments, made),
                    options=_moved_options(part_call.options, made),
                    result=made[part_call.result],
                    line=call.line,
                )
            )
        results = [None if number < 0 else made[number] for number in inner.outputs]
        parts[call.result] = results
        if len(results) == 1 and results[0] is not None:
            now[call.result] = results[0]
    outputs = tuple(now.get(number, number) for number in program.outputs)
    used = set(outputs).union(*(places(_all(call)) for call in calls)) if calls else set(outputs)
    return replace(
        program,
        constants={number: tensor for number, tensor in constants.items() if number in used},
        calls=_needed(calls, outputs),
        outputs=outputs,
    )


def _needed(calls: Sequence[Call], outputs: Sequence[int]) -> tuple[Call, ...]:
    used, kept = set(outputs), list[Call]()
    for call in reversed(calls):
        if call.result in used:
            used |= places(_all(call))
            kept.append(call)
    return tuple(reversed(kept))


def _inner(call: Call, kinds: Mapping[int, tuple[tuple[int, ...], torch.dtype]]) -> Program | None:
    """What stands for a call: a program of the tensors it mentions, in the order of numbers."""
    name = call.name.split(".")[1] if "." in call.name else call.name
    rule, table = RULES.get(name), _decompositions()
    operation = call_of(call.name)
    if rule is None and operation not in table:
        return None
    numbers = sorted(places(_all(call)))
    examples = [torch.zeros(kinds[n][0], dtype=kinds[n][1]) for n in numbers]

    def flat(*given: Tensor) -> list[Tensor | None]:
        held = dict(zip(numbers, given, strict=True))
        arguments = _filled(call.arguments, held)
        options = {key: _filled(value, held) for key, value in call.options.items()}
        try:
            made = (rule or operation)(*arguments, **options)
        except _Refused as reason:
            raise UnknownOperation(f"expected {reason} in: {call.line}.") from None
        return list(made) if isinstance(made, (list, tuple)) else [made]

    there: list[bool] = []

    def tensors(*given: Tensor) -> list[Tensor]:
        made = flat(*given)
        there[:] = [isinstance(part, Tensor) for part in made]
        return [part for part in made if isinstance(part, Tensor)]

    module = make_fx(
        functionalize(tensors, remove="mutations"),
        decomposition_table={} if rule else table,
    )(*examples)
    program = program_of(module, examples, tree_flatten(examples)[1], tree_flatten(examples)[1])
    found = iter(program.outputs)
    return replace(program, outputs=tuple(next(found) if part else -1 for part in there))


@lru_cache(maxsize=1)
def _decompositions() -> dict[Any, Callable[..., Any]]:
    wanted = {
        "addcdiv", "addcmul", "baddbmm", "gelu_backward", "hardsigmoid", "hardswish", "hardtanh",
        "native_layer_norm_backward", "silu", "silu_backward",
    }  # fmt: skip
    return {
        operation: rule
        for operation, rule in decomposition_table.items()
        if str(operation).startswith("aten.") and str(operation).split(".")[1] in wanted
    }


class _Refused(Exception):  # noqa: N818 (the name says what it is)
    """A rule does not cover these arguments."""


def _split(x: Tensor, size: int, axis: int = 0) -> list[Tensor]:
    long = x.shape[axis]
    starts = range(0, max(long, 1), max(size, 1))
    return [x.narrow(axis, start, min(size, long - start)) for start in starts]


def _split_with_sizes(x: Tensor, sizes: Sequence[int], axis: int = 0) -> list[Tensor]:
    starts = itertools.accumulate(sizes, initial=0)
    return [x.narrow(axis, start, size) for start, size in zip(starts, sizes, strict=False)]


def _unbind(x: Tensor, axis: int = 0) -> list[Tensor]:
    return [x.select(axis, k) for k in range(x.shape[axis])]


def _gelu(x: Tensor, *, approximate: str = "none") -> Tensor:
    if approximate == "tanh":
        return 0.5 * x * (1 + torch.tanh(0.7978845608028654 * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x * 0.7071067811865476))


def _spread(
    x: Tensor, axes: Sequence[int] | None, correction: float, keep: bool
) -> tuple[Tensor, Tensor]:
    """Variance and mean over axes; all of them if none are given."""
    axes = tuple(range(x.ndim)) if not axes else tuple(axes)
    mean = x.mean(axes, keepdim=True)
    count = torch.Size(x.shape[axis] for axis in axes).numel() if axes else 1
    divisor = max(count - correction, 0)
    total = ((x - mean) ** 2).sum(axes, keepdim=keep)
    variance = total / divisor if divisor else total * torch.inf
    return variance, mean if keep else x.mean(axes)


def _var_mean(
    x: Tensor, axes: Any = None, *, correction: float | None = None, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    if isinstance(axes, bool):
        raise _Refused("axes instead of a flag")
    return _spread(x, axes, 1 if correction is None else correction, keepdim)


def _logsumexp(x: Tensor, axes: Sequence[int], keep: bool = False) -> Tensor:
    over = tuple(axes)
    most = x.amax(over, keepdim=True)
    total = (x - most).exp().sum(over, keepdim=True).log() + most
    return total if keep or not x.ndim else total.sum(over)


def _normed(x: Tensor, axes: Sequence[int], eps: float) -> list[Tensor]:
    variance, mean = _spread(x, axes, 0, True)
    root = torch.rsqrt(variance + eps)
    return [(x - mean) * root, mean, root]


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias


def _layer_norm(
    x: Tensor, shape: Sequence[int], weight: Tensor | None, bias: Tensor | None, eps: float
) -> list[Tensor]:
    out, mean, root = _normed(x, tuple(range(-len(shape), 0)), eps)
    return [_scaled(out, weight, bias), mean, root]


def _group_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, count: int, channels: int, size: int,
    groups: int, eps: float,
) -> list[Tensor]:  # fmt: skip
    flat, mean, root = _normed(x.reshape(count, groups, -1), (2,), eps)
    tail = (1,) * (x.ndim - 2)
    weight, bias = (part if part is None else part.view(-1, *tail) for part in (weight, bias))
    return [_scaled(flat.reshape(x.shape), weight, bias), mean[..., 0], root[..., 0]]


def _batch_norm(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None,
    variance: Tensor | None, training: bool, _momentum: float, eps: float,
) -> list[Tensor | None]:  # fmt: skip
    axes, tail = (0, *range(2, x.ndim)), (-1, *(1,) * (x.ndim - 2))
    if training:
        variance, mean = _spread(x, axes, 0, False)
    assert mean is not None
    assert variance is not None
    weight, bias = (part if part is None else part.view(tail) for part in (weight, bias))
    out = (x - mean.view(tail)) * torch.rsqrt(variance.view(tail) + eps)
    return [_scaled(out, weight, bias), None, None]


def _batch_norm_in_use(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, variance: Tensor,
    momentum: float, eps: float,
) -> list[Tensor | None]:  # fmt: skip
    return _batch_norm(x, weight, bias, mean, variance, False, momentum, eps)


def _attention(
    queries: Tensor, keys: Tensor, values: Tensor, _dropout: float = 0.0, causal: bool = False,
    *, attn_mask: Tensor | None = None, scale: float | None = None,
) -> list[Tensor | None]:  # fmt: skip
    scale = scale if scale is not None else queries.shape[-1] ** -0.5
    scores = scale * (queries @ keys.transpose(-1, -2))
    if causal:
        rows, columns = (torch.arange(scores.shape[axis]) for axis in (-2, -1))
        scores = scores.masked_fill(columns[None] > rows[:, None], -torch.inf)
    if attn_mask is not None:
        scores = scores + attn_mask
    return [torch.softmax(scores, -1) @ values, None]


def _largest(x: Tensor, *axis: Any) -> Any:
    if not axis:
        return x.amax()
    return [x.amax(*axis), x.argmax(*axis)]


def _smallest(x: Tensor, *axis: Any) -> Any:
    if not axis:
        return x.amin()
    return [x.amin(*axis), (-x).argmax(*axis)]


def _topk(x: Tensor, count: int, axis: int = -1, largest: bool = True, *_: Any) -> list[Tensor]:
    values, order = torch.sort(x, dim=axis, descending=largest)
    return [values.narrow(axis, 0, count), order.narrow(axis, 0, count)]


def _index_add(x: Tensor, axis: int, index: Tensor, more: Tensor, *, alpha: float = 1) -> Tensor:
    if not x.ndim:
        return x + alpha * more.sum()
    rows = torch.index_put(
        x.transpose(0, axis), (index,), alpha * more.transpose(0, axis), accumulate=True
    )
    return rows.transpose(0, axis)


def _triangle(x: Tensor, diagonal: int, lower: bool) -> Tensor:
    rows, columns = torch.arange(x.shape[-2])[:, None], torch.arange(x.shape[-1])
    keep = columns - rows <= diagonal if lower else columns - rows >= diagonal
    return x.masked_fill(~keep, 0)


def _index_select(x: Tensor, axis: int, index: Tensor) -> Tensor:
    return x.transpose(0, axis)[index].transpose(0, axis)


def _patches(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], up: bool, outside: float,
) -> list[Tensor]:  # fmt: skip
    """The pixels under each place of a window, as so many strided pictures."""
    kh, kw = _pair(kernel)
    sh, sw = _pair(stride) if stride else (kh, kw)
    (ph, pw), (dh, dw) = _pair(padding), _pair(dilation)
    if up:
        raise _Refused("a pool with ceil_mode=False")
    if ph or pw:
        x = functional.pad(x, (pw, pw, ph, ph), value=outside)
    high, wide = x.shape[-2:]
    rows, columns = (high - dh * (kh - 1) - 1) // sh + 1, (wide - dw * (kw - 1) - 1) // sw + 1
    lines = [slice(r * dh, r * dh + sh * (rows - 1) + 1, sh) for r in range(kh)]
    columns_of = [slice(c * dw, c * dw + sw * (columns - 1) + 1, sw) for c in range(kw)]
    return [x[..., line, column] for line in lines for column in columns_of]


def _pair(sizes: Sequence[int]) -> tuple[int, int]:
    return (sizes[0], sizes[-1])


def _avg_pool2d(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,),
    up: bool = False, counts_padding: bool = True, divisor: int | None = None,
) -> Tensor:  # fmt: skip
    if any(padding) and not counts_padding:
        raise _Refused("a mean pool that counts its padding")
    total, *rest = _patches(x, kernel, stride, padding, (1,), up, 0.0)
    for part in rest:
        total = total + part
    return total / (divisor or _pair(kernel)[0] * _pair(kernel)[1])


def _max_pool2d(
    x: Tensor, kernel: Sequence[int], stride: Sequence[int] = (), padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,), up: bool = False,
) -> list[Tensor | None]:  # fmt: skip
    most, *rest = _patches(x, kernel, stride, padding, dilation, up, -torch.inf)
    for part in rest:
        most = torch.maximum(most, part)
    return [most, None]


def _pixel_shuffle(x: Tensor, factor: int) -> Tensor:
    """Channels to places within a square of side ``factor``."""
    *rest, channels, high, wide = x.shape
    parts = x.reshape(-1, channels // factor**2, factor, factor, high, wide)
    laid = parts.permute(0, 1, 4, 2, 5, 3)
    return laid.reshape(*rest, channels // factor**2, high * factor, wide * factor)


def _pixel_unshuffle(x: Tensor, factor: int) -> Tensor:
    """Places within a square of side ``factor`` to channels."""
    *rest, channels, high, wide = x.shape
    parts = x.reshape(-1, channels, high // factor, factor, wide // factor, factor)
    laid = parts.permute(0, 1, 3, 5, 2, 4)
    return laid.reshape(*rest, channels * factor**2, high // factor, wide // factor)


def _upsample_nearest2d(x: Tensor, size: Sequence[int], *_scales: Any) -> Tensor:
    (high, wide), (rows, columns) = x.shape[-2:], size
    if rows % high or columns % wide:
        raise _Refused("a whole multiple of rows and columns")
    down, across = rows // high, columns // wide
    spread = x[..., :, None, :, None].expand(*x.shape[:-2], high, down, wide, across)
    return spread.reshape(*x.shape[:-2], rows, columns)


def _convolution(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int],
    dilation: Sequence[int], transposed: bool, more: Sequence[int], groups: int,
) -> Tensor:  # fmt: skip
    """A transposed convolution: zeros between the pixels, then the turned kernel."""
    axes = x.ndim - 2
    stride, padding, dilation, more = (
        tuple(sizes) * (axes if len(sizes) == 1 else 1)
        for sizes in (stride, padding, dilation, more)
    )
    if not transposed or axes not in (1, 2):
        raise _Refused("a convolution over one or two axes")
    for axis, step in enumerate(stride):
        if step > 1:
            at = axis + 2
            spread = functional.pad(
                x.unsqueeze(at + 1), (*(0, 0) * (x.ndim - 1 - at), 0, step - 1)
            ).flatten(at, at + 1)
            x = spread.narrow(at, 0, spread.shape[at] - step + 1)
    edges: list[int] = []
    for axis in reversed(range(axes)):
        reach = dilation[axis] * (weight.shape[axis + 2] - 1) - padding[axis]
        edges += [reach, reach + more[axis]]
    x = functional.pad(x, edges)
    taps = weight.shape[2:]
    turned = weight.flip(tuple(range(2, 2 + axes)))
    turned = turned.reshape(groups, weight.shape[0] // groups, weight.shape[1], *taps)
    turned = turned.transpose(1, 2).reshape(groups * weight.shape[1], -1, *taps)
    none = [0] * axes
    return torch.ops.aten.convolution.default(
        x, turned, bias, [1] * axes, none, dilation, False, none, groups
    )


def _convolution_backward(
    slope: Tensor, x: Tensor, weight: Tensor, sizes: Sequence[int] | None, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool, _more: Sequence[int],
    groups: int, mask: Sequence[bool],
) -> list[Tensor | None]:  # fmt: skip
    if transposed or groups != 1:
        raise _Refused("the slope of a convolution in one group, not transposed")
    made: list[Tensor | None] = [None, None, None]
    axes = x.ndim - 2
    if mask[0]:
        rest = []
        for k in range(axes):
            reach = dilation[k] * (weight.shape[k + 2] - 1) + 1 - 2 * padding[k]
            rest.append(x.shape[k + 2] - (slope.shape[k + 2] - 1) * stride[k] - reach)
        made[0] = _convolution(slope, weight, None, stride, padding, dilation, True, rest, 1)
    if mask[1]:
        none = [0] * axes
        found = torch.ops.aten.convolution.default(
            x.transpose(0, 1),
            slope.transpose(0, 1),
            None,
            dilation,
            padding,
            stride,
            False,
            none,
            1,
        ).transpose(0, 1)
        for k in range(axes):
            found = found.narrow(k + 2, 0, weight.shape[k + 2])
        made[1] = found
    if mask[2]:
        made[2] = slope.sum((0, *range(2, x.ndim)))
    return made


RULES: Mapping[str, Callable[..., Any]] = {
    "_native_batch_norm_legit_no_training": _batch_norm_in_use,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "argmin": lambda x, *rest, **more: (-x).argmax(*rest, **more),
    "avg_pool2d": _avg_pool2d,
    "convolution": _convolution,
    "convolution_backward": _convolution_backward,
    "gelu": _gelu,
    "index_add": _index_add,
    "index_select": _index_select,
    "logsumexp": _logsumexp,
    "max": _largest,
    "max_pool2d_with_indices": _max_pool2d,
    "min": _smallest,
    "mv": lambda x, y: (x @ y[:, None])[:, 0],
    "native_batch_norm": _batch_norm,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
    "pixel_shuffle": _pixel_shuffle,
    "pixel_unshuffle": _pixel_unshuffle,
    "split": _split,
    "split_with_sizes": _split_with_sizes,
    "std": lambda x, *axes, **more: _var_mean(x, *axes, **more)[0].sqrt(),
    "topk": _topk,
    "tril": lambda x, diagonal=0: _triangle(x, diagonal, True),
    "triu": lambda x, diagonal=0: _triangle(x, diagonal, False),
    "unbind": _unbind,
    "unsafe_split": _split,
    "upsample_nearest2d": _upsample_nearest2d,
    "var": lambda x, *axes, **more: _var_mean(x, *axes, **more)[0],
    "var_mean": _var_mean,
}
"""What stands for an operation, by its name without overload."""


def _numbers(program: Program) -> list[int]:
    return [*program.inputs, *program.constants, *(call.result for call in program.calls), 0]


def _all(call: Call) -> tuple[Any, ...]:
    return (call.arguments, tuple(call.options.values()))


def _moved(argument: Any, now: Mapping[int, int]) -> Any:
    if isinstance(argument, Place):
        return Place(now.get(argument.number, argument.number))
    if isinstance(argument, tuple):
        return tuple(_moved(item, now) for item in argument)
    return argument


def _moved_options(options: Mapping[str, Any], now: Mapping[int, int]) -> dict[str, Any]:
    return {key: _moved(value, now) for key, value in options.items()}


def _filled(argument: Any, held: Mapping[int, Tensor]) -> Any:
    if isinstance(argument, Place):
        return held[argument.number]
    if isinstance(argument, tuple):
        return [_filled(item, held) for item in argument]
    return argument
