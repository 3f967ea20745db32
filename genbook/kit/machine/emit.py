r"""Programs as straight-line JavaScript over ``Float32Array``.

Views (transposed, expanded, sliced) cost nothing: they are the same numbers read in another order.
Chains of element-wise calls become one loop, and run into the sum that ends them. A buffer is used
again as soon as nobody needs what it holds. Calls that are not here are first written with others
(:mod:`genbook.kit.machine.rewrites`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from genbook.kit.machine.program import Call, Place, Program, UnknownOperation
from genbook.kit.machine.rewrites import rewritten
from genbook.kit.machine.scripts import script

__all__ = ["javascript"]

ELEMENTWISE: Mapping[str, str] = {
    "abs": "Math.abs({0})",
    "add": "({0}+{1})",
    "bitwise_and": "({0}&{1})",
    "bitwise_not": "(1-{0})",
    "bitwise_or": "({0}|{1})",
    "ceil": "Math.ceil({0})",
    "clamp_max": "Math.min({0},{1})",
    "clamp_min": "Math.max({0},{1})",
    "cos": "Math.cos({0})",
    "div": "({0}/{1})",
    "elu": "elu({0})",
    "erf": "erf({0})",
    "exp2": "Math.pow(2,{0})",
    "eq": "(+({0}==={1}))",
    "exp": "Math.exp({0})",
    "expm1": "Math.expm1({0})",
    "floor": "Math.floor({0})",
    "ge": "(+({0}>={1}))",
    "gt": "(+({0}>{1}))",
    "le": "(+({0}<={1}))",
    "log": "Math.log({0})",
    "log10": "Math.log10({0})",
    "log1p": "Math.log1p({0})",
    "log2": "Math.log2({0})",
    "logical_and": "({0}&&{1}?1:0)",
    "isnan": "(+Number.isNaN({0}))",
    "logical_not": "(+!{0})",
    "logical_or": "({0}||{1}?1:0)",
    "lt": "(+({0}<{1}))",
    "masked_fill": "({1}?{2}:{0})",
    "maximum": "Math.max({0},{1})",
    "minimum": "Math.min({0},{1})",
    "mul": "({0}*{1})",
    "ne": "(+({0}!=={1}))",
    "neg": "(-{0})",
    "reciprocal": "(1/{0})",
    "relu": "Math.max({0},0)",
    "rsqrt": "(1/Math.sqrt({0}))",
    "rsub": "({1}-{0})",
    "sgn": "Math.sign({0})",
    "sigmoid": "sigmoid({0})",
    "sigmoid_backward": "sigmoidBack({0},{1})",
    "sign": "Math.sign({0})",
    "sin": "Math.sin({0})",
    "sqrt": "Math.sqrt({0})",
    "sub": "({0}-{1})",
    "tanh": "tanh({0})",
    "tanh_backward": "tanhBack({0},{1})",
    "trunc": "Math.trunc({0})",
    "where": "({0}?{1}:{2})",
}
"""What is done with each number alone: a page's expression of the arguments."""

VIEWS = {
    "_unsafe_view", "as_strided", "expand", "flip", "permute", "select", "slice", "squeeze", "t",
    "transpose", "unsqueeze", "view",
}  # fmt: skip
FILLS = {
    "full": 1, "full_like": 1, "new_full": 2, "new_ones": None, "new_zeros": None, "ones": None,
    "ones_like": None, "scalar_tensor": 0, "zeros": None, "zeros_like": None,
}  # fmt: skip

PRELUDE = script("arithmetic")
"""What programs share on a page."""


@dataclass(frozen=True)
class View:
    """Numbers of a buffer in some order: element (i, j) is at offset + i·stride₀ + j·stride₁."""

    buffer: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int = 0


@dataclass(frozen=True)
class Filled:
    """One number everywhere."""

    value: float
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Pending:
    """An element-wise call that waits for the loop it will run in."""

    template: str
    operands: tuple[Any, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Several:
    """The results of a call that has more than one."""

    parts: tuple[View, ...]
    shape: tuple[int, ...]


Value = View | Filled | Pending | Several


def javascript(program: Program) -> str:
    r"""A program as an expression of JavaScript that makes a fresh instance of it.

    The instance holds ``inputs`` and ``outputs``, lists of ``Float32Array``, and ``run()``, which
    computes these from those. Outputs are overwritten by the next run.

    Args:
        program: see :func:`genbook.kit.machine.trace`.

    Returns:
        Script, to be run after :data:`PRELUDE`.

    Raises:
        UnknownOperation: If the program has a call that a page cannot compute: with the operation,
            its shapes, the line of Python it came from, and what to do.

    Example:
        >>> import torch
        >>> from genbook.kit.machine import trace
        >>> text = javascript(trace(lambda x: 2 * x + 1, torch.zeros(3)))
        >>> "for(" in text, text.count("new Float32Array")
        (True, 2)
    """
    return _Writer(program).script()


class _Writer:
    def __init__(self, program: Program) -> None:
        self.program = program = rewritten(program, _known)
        self.body: list[str] = []
        self.sizes: list[int] = []
        self.kept: set[int] = set()  # buffers that are never used again: inputs, constants, outputs
        self.constants: dict[int, Tensor] = {}
        self.values: dict[int, Value] = {}
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.free: dict[int, list[int]] = {}
        self.left: dict[int, int] = {}  # uses of a buffer still to come

    def script(self) -> str:
        program = self.program
        self.last = self._last_uses()
        self.uses = self._uses()
        for number, shape in zip(program.inputs, program.shapes, strict=True):
            self.values[number] = self._fresh(shape, keep=True)
        for number, tensor in program.constants.items():
            if tensor.numel() and bool((tensor == tensor.flatten()[0]).all()):
                self.values[number] = Filled(float(tensor.flatten()[0]), tuple(tensor.shape))
            else:
                view = self._fresh(tuple(tensor.shape), keep=True)
                self.constants[view.buffer] = tensor
                self.values[number] = view
        for place, call in enumerate(program.calls):
            self.values[call.result] = self._call(call)
            value = self.values[call.result]
            kept = self.uses[call.result] != 1 or call.result in program.outputs
            if kept and not isinstance(value, Several):
                self.values[call.result] = self._settled(value)
            self._release(place)
        outputs = [self._contiguous(self.values[number]) for number in program.outputs]
        return self._assembled(outputs)

    def _assembled(self, outputs: Sequence[View]) -> str:
        lines = [f"const b{k}=new Float32Array({size});" for k, size in enumerate(self.sizes)]
        for buffer, tensor in self.constants.items():
            lines.append(_written_constant(buffer, tensor.flatten().tolist()))
        names = [f"b{self.values[number].buffer}" for number in self.program.inputs]  # type: ignore[union-attr]
        handed = [
            f"b{view.buffer}"
            if view.offset == 0 and _size(view.shape) == self.sizes[view.buffer]
            else f"b{view.buffer}.subarray({view.offset},{view.offset + _size(view.shape)})"
            for view in outputs
        ]
        return (
            "(()=>{" + "\n".join(lines) + f"\nreturn{{inputs:[{','.join(names)}],"
            f"outputs:[{','.join(handed)}],run(){{\n" + "\n".join(self.body) + "\n}}})()"
        )

    # Buffers

    def _fresh(self, shape: tuple[int, ...], keep: bool = False) -> View:
        size = _size(shape)
        spare = self.free.get(size, [])
        if spare and not keep:
            buffer = spare.pop()
        else:
            buffer = len(self.sizes)
            self.sizes.append(size)
        if keep:
            self.kept.add(buffer)
        return View(buffer, shape, _strides(shape))

    def _uses(self) -> dict[int, int]:
        uses: dict[int, int] = {}
        for call in self.program.calls:
            for number in _mentions(call):
                uses[number] = uses.get(number, 0) + 1
        return uses | {call.result: uses.get(call.result, 0) for call in self.program.calls}

    def _last_uses(self) -> dict[int, int]:
        last = {number: len(self.program.calls) for number in self.program.outputs}
        for place, call in enumerate(self.program.calls):
            for number in _mentions(call):
                last[number] = max(last.get(number, 0), place)
        return last

    def _release(self, place: int) -> None:
        """Give back buffers that no value still needed looks at."""
        for number in [n for n in self.values if self.last.get(n, -1) <= place]:
            if number not in self.program.inputs:
                del self.values[number]
        busy = set(self.kept)
        for value in self.values.values():
            busy |= _buffers(value)
        spare = {buffer for found in self.free.values() for buffer in found}
        for buffer, size in enumerate(self.sizes):
            if buffer not in busy and buffer not in spare:
                self.free.setdefault(size, []).append(buffer)

    # Calls

    def _call(self, call: Call) -> Value:
        name = _short(call)
        if name in VIEWS:
            return self._view(name, call)
        if name in FILLS:
            return Filled(_filled(name, call), call.shape)
        template = _template(name, call)
        if template is not None:
            operands = tuple(self._operand(argument) for argument in _operands(name, call))
            return Pending(template, operands, call.shape)
        rule: Callable[[Call], Value] | None = getattr(self, f"_op_{name}", None)
        if rule is None:
            raise UnknownOperation(
                f"a page cannot compute {name} ({call.name}, result of shape {call.shape}), which "
                f"comes from: {call.line}. Write it with other operations, or add a rule for it to "
                "genbook/kit/machine/emit.py and to its test."
            )
        return rule(call)

    def _operand(self, argument: Any) -> Value | float:
        return self.values[argument.number] if isinstance(argument, Place) else float(argument)

    def _settled(self, value: Value | float) -> View | Filled:
        """The value as numbers of a buffer; one number everywhere stays what it is."""
        assert not isinstance(value, Several), "a result of several is chosen first"
        if isinstance(value, (int, float)):
            return Filled(float(value), ())
        if isinstance(value, Pending):
            return self._stored(value, value.shape)
        return value

    def _stored(self, value: Value, shape: tuple[int, ...]) -> View:
        out = self._fresh(shape)
        self.body.append(
            _loop(shape, [out, value], lambda at, read: f"b{out.buffer}[{at}]={read};")
        )
        return out

    def _contiguous(self, value: Value) -> View:
        if isinstance(value, View) and value.strides == _strides(value.shape):
            return value
        return self._stored(value, value.shape)

    def _view(self, name: str, call: Call) -> Value:
        argument = self._operand(call.arguments[0])
        assert not isinstance(argument, float)
        value = self._settled(argument)
        shape = call.shape
        if isinstance(value, Filled):
            return Filled(value.value, shape)
        old, strides, offset = value.shape, list(value.strides), value.offset
        given = call.arguments[1:]
        if name in {"view", "_unsafe_view"}:
            return _reshaped(value, shape) or _reshaped(self._contiguous(value), shape)  # type: ignore[return-value]
        if name == "expand":
            missing = len(shape) - len(old)
            old, strides = (1,) * missing + old, [0] * missing + strides
            strides = [0 if a == 1 != b else s for a, b, s in zip(old, shape, strides, strict=True)]
        elif name == "t":
            strides.reverse()
        elif name == "transpose":
            one, two = (axis % len(old) for axis in given[:2])
            strides[one], strides[two] = strides[two], strides[one]
        elif name == "permute":
            strides = [strides[axis] for axis in given[0]]
        elif name == "unsqueeze":
            strides.insert(given[0] % len(shape), 0)
        elif name == "squeeze":
            axes = given[0] if given else range(len(old))
            axes = {
                axis % len(old) for axis in (axes if isinstance(axes, (tuple, range)) else (axes,))
            }
            strides = [s for k, s in enumerate(strides) if not (k in axes and old[k] == 1)]
        elif name == "select":
            axis, index = given[0] % len(old), given[1]
            offset += strides.pop(axis) * (index % old[axis])
        elif name == "slice":
            axis = given[0] % len(old) if given else 0
            start = (given[1] or 0) if len(given) > 1 else 0
            start = max(0, start + old[axis]) if start < 0 else min(start, old[axis])
            offset += strides[axis] * start
            strides[axis] *= given[3] if len(given) > 3 else 1
        elif name == "flip":
            for axis in {axis % len(old) for axis in given[0]}:
                offset += strides[axis] * max(old[axis] - 1, 0)
                strides[axis] = -strides[axis]
        elif name == "as_strided":
            strides, offset = list(given[1]), given[2] if len(given) > 2 and given[2] else 0
        return View(value.buffer, shape, tuple(strides), offset)

    # Rules for calls that are neither views nor element-wise

    def _op_clone(self, call: Call) -> Value:
        return self._contiguous(self._settled(self._operand(call.arguments[0])))

    def _op__to_copy(self, call: Call) -> Value:
        operand = self._operand(call.arguments[0])
        whole = "int" in str(call.dtype)
        return Pending("Math.trunc({0})" if whole else "{0}", (operand,), call.shape)

    def _op_mm(self, call: Call) -> Value:
        a, b = (self._buffered(argument) for argument in call.arguments[:2])
        return self._product(a, b)

    def _op_addmm(self, call: Call) -> Value:
        bias = self._operand(call.arguments[0])
        a, b = (self._buffered(argument) for argument in call.arguments[1:3])
        if {call.options.get("alpha", 1), call.options.get("beta", 1)} != {1}:
            raise UnknownOperation(f"expected addmm without factors in: {call.line}.")
        return Pending("({0}+{1})", (self._product(a, b), bias), call.shape)

    def _op_bmm(self, call: Call) -> Value:
        a, b = (self._buffered(argument) for argument in call.arguments[:2])
        out = self._fresh(call.shape)
        for k in range(call.shape[0]):
            part = View(out.buffer, call.shape[1:], out.strides[1:], k * out.strides[0])
            self._multiply(part, _chosen(a, k), _chosen(b, k))
        return out

    def _product(self, a: View, b: View) -> View:
        out = self._fresh((a.shape[0], b.shape[1]))
        self._multiply(out, a, b)
        return out

    def _multiply(self, out: View, a: View, b: View) -> None:
        (n, k), m = a.shape, b.shape[1]
        target = f"b{out.buffer}" if out.offset == 0 else f"b{out.buffer}.subarray({out.offset})"
        self.body.append(
            f"mm({target},{n},{k},{m},b{a.buffer},{a.offset},{a.strides[0]},{a.strides[1]},"
            f"b{b.buffer},{b.offset},{b.strides[0]},{b.strides[1]});"
        )

    def _buffered(self, argument: Any) -> View:
        value = self._settled(self._operand(argument))
        return value if isinstance(value, View) else self._stored(value, value.shape)

    def _op_sum(self, call: Call) -> Value:
        return self._reduced(call, "s+={0};", "s=0")

    def _op_mean(self, call: Call) -> Value:
        count = _size(self._shape(call.arguments[0])) // max(_size(call.shape), 1)
        return self._reduced(call, "s+={0};", "s=0", f"s/{count}" if count else "NaN")

    def _op_amax(self, call: Call) -> Value:
        return self._reduced(call, "s=Math.max(s,{0});", "s=-Infinity")

    def _op_amin(self, call: Call) -> Value:
        return self._reduced(call, "s=Math.min(s,{0});", "s=Infinity")

    def _op_linalg_vector_norm(self, call: Call) -> Value:
        order = call.arguments[1] if len(call.arguments) > 1 else 2
        if order != 2:
            raise UnknownOperation(f"expected a norm of order 2, got {order} in: {call.line}.")
        moved = Call(
            call.name, (call.arguments[0], *call.arguments[2:]), {}, call.result, call.shape,
            call.dtype, call.line,
        )  # fmt: skip
        return self._reduced(moved, "{{const x={0};s+=x*x}}", "s=0", "Math.sqrt(s)")

    def _shape(self, argument: Any) -> tuple[int, ...]:
        value = self._operand(argument)
        return () if isinstance(value, float) else value.shape

    def _reduced(self, call: Call, each: str, begin: str, end: str = "s") -> View:
        value = self._operand(call.arguments[0])
        assert not isinstance(value, float)
        rank = len(value.shape)
        axes = (
            call.arguments[1] if len(call.arguments) > 1 and call.arguments[1] is not None else ()
        )
        axes = axes if isinstance(axes, tuple) else (axes,)
        gone = {axis % rank for axis in axes} if axes else set(range(rank))
        stay = [axis for axis in range(rank) if axis not in gone]
        value = value if not stay or isinstance(value, View) else self._settled(value)
        order = [*stay, *sorted(gone)]
        value = _permuted(value, order) if order != list(range(rank)) else value
        outer = tuple(value.shape[: len(stay)])
        out = self._fresh(call.shape)
        target = View(out.buffer, outer, _strides(outer))
        self.body.append(_reduction(value, target, len(stay), each, begin, end))
        return out

    def _op_cumsum(self, call: Call) -> Value:
        value, axis = self._buffered(call.arguments[0]), call.arguments[1]
        out = self._fresh(value.shape)
        if not value.shape:
            return self._stored(value, ())
        axis %= len(value.shape)
        rows = [k for k in range(len(value.shape)) if k != axis]
        long, step_in, step_out = value.shape[axis], value.strides[axis], out.strides[axis]
        outer = tuple(value.shape[k] for k in rows)
        source = View(value.buffer, outer, tuple(value.strides[k] for k in rows), value.offset)
        target = View(out.buffer, outer, tuple(out.strides[k] for k in rows))
        self.body.append(
            _loop(outer, [target, source], lambda at, read: (
                f"{{let s=0;for(let k=0;k<{long};k++){{"
                f"s+=b{value.buffer}[{_place(read)}+k*{step_in}];b{out.buffer}[{at}+k*{step_out}]=s}}}}"
            ))
        )  # fmt: skip
        return out

    def _op__softmax(self, call: Call) -> Value:
        return self._softmax(call, "b{out}[{o}]=Math.exp(b{x}[{i}]-h)/s")

    def _op__log_softmax(self, call: Call) -> Value:
        return self._softmax(call, "b{out}[{o}]=b{x}[{i}]-h-Math.log(s)")

    def _softmax(self, call: Call, each: str) -> View:
        value, axis = self._buffered(call.arguments[0]), call.arguments[1]
        out = self._fresh(value.shape)
        if not value.shape:
            return out
        axis %= len(value.shape)
        rows = [k for k in range(len(value.shape)) if k != axis]
        long, step_in, step_out = value.shape[axis], value.strides[axis], out.strides[axis]
        outer = tuple(value.shape[k] for k in rows)
        source = View(value.buffer, outer, tuple(value.strides[k] for k in rows), value.offset)
        target = View(out.buffer, outer, tuple(out.strides[k] for k in rows))

        def write(at: str, read: str) -> str:
            i = f"{_place(read)}+k*{step_in}"
            line = each.format(out=out.buffer, x=value.buffer, o=f"{at}+k*{step_out}", i=i)
            over = f"for(let k=0;k<{long};k++)"
            return (
                f"{{let h=-Infinity,s=0;{over}h=Math.max(h,b{value.buffer}[{i}]);"
                f"{over}s+=Math.exp(b{value.buffer}[{i}]-h);"
                f"{over}{line}}}"
            )

        self.body.append(_loop(outer, [target, source], write))
        return out

    def _op__softmax_backward_data(self, call: Call) -> Value:
        return self._softmax_back(call, "s+=g*y", "y*(g-s)")

    def _op__log_softmax_backward_data(self, call: Call) -> Value:
        return self._softmax_back(call, "s+=g", "g-Math.exp(y)*s")

    def _softmax_back(self, call: Call, summed: str, each: str) -> View:
        slope, value = (self._buffered(argument) for argument in call.arguments[:2])
        out = self._fresh(value.shape)
        if not value.shape:
            return self._zeroed(out)
        axis = call.arguments[2] % len(value.shape)
        rows = [k for k in range(len(value.shape)) if k != axis]
        outer = tuple(value.shape[k] for k in rows)

        def row(view: View) -> View:
            return View(view.buffer, outer, tuple(view.strides[k] for k in rows), view.offset)

        def write(at: str, one: str, two: str) -> str:
            g = f"b{slope.buffer}[{_place(one)}+k*{slope.strides[axis]}]"
            y = f"b{value.buffer}[{_place(two)}+k*{value.strides[axis]}]"
            loop = f"for(let k=0;k<{value.shape[axis]};k++){{const g={g},y={y};"
            return (
                f"{{let s=0;{loop}{summed}}}"
                f"{loop}b{out.buffer}[{at}+k*{out.strides[axis]}]={each}}}}}"
            )

        self.body.append(_loop(outer, [row(out), row(slope), row(value)], write))
        return out

    def _zeroed(self, out: View) -> View:
        self.body.append(f"b{out.buffer}.fill(0);")
        return out

    def _op_slice_backward(self, call: Call) -> Value:
        slope, (_, axis, start, _, step) = call.arguments[0], call.arguments[1:6]
        out = self._zeroed(self._fresh(call.shape))
        axis %= len(call.shape)
        strides = list(out.strides)
        start = max(0, start + call.shape[axis]) if start < 0 else min(start, call.shape[axis])
        offset = strides[axis] * start
        strides[axis] *= step
        return self._written(out, slope, tuple(strides), offset)

    def _op_select_backward(self, call: Call) -> Value:
        slope, _, axis, index = call.arguments[:4]
        out = self._zeroed(self._fresh(call.shape))
        axis %= len(call.shape)
        strides = list(out.strides)
        offset = strides.pop(axis) * (index % call.shape[axis])
        return self._written(out, slope, tuple(strides), offset)

    def _written(self, out: View, slope: Any, strides: tuple[int, ...], offset: int) -> View:
        value = self._settled(self._operand(slope))
        target = View(out.buffer, value.shape, strides, offset)
        self.body.append(
            _loop(value.shape, [target, value], lambda at, read: f"b{out.buffer}[{at}]={read};")
        )
        return out

    def _op_index_put(self, call: Call) -> Value:
        base, indices, values = call.arguments[:3]
        adds = call.arguments[3] if len(call.arguments) > 3 else False
        if len(indices) != 1:
            raise UnknownOperation(f"expected one index, along the first axis, in: {call.line}.")
        out = self._stored(self._settled(self._operand(base)), call.shape)
        index = self._buffered(indices[0])
        value = self._settled(self._operand(values))
        tail = call.shape[1:]
        shape = (*index.shape, *tail)
        spread = View(index.buffer, shape, (*index.strides, *(0 for _ in tail)), index.offset)
        inner = View(out.buffer, shape, (*(0 for _ in index.shape), *out.strides[1:]))
        rows, step = call.shape[0], out.strides[0]
        self.body.append(
            _loop(shape, [inner, spread, value], lambda at, read, new: (
                f"{{let r={read};if(r<0)r+={rows};"
                f"b{out.buffer}[{at}+r*{step}]{'+' if adds else ''}={new}}}"
            ))
        )  # fmt: skip
        return out

    def _op_index(self, call: Call) -> Value:
        value = self._buffered(call.arguments[0])
        indices = call.arguments[1]
        if len(indices) != 1:
            raise UnknownOperation(f"expected one index, along the first axis, in: {call.line}.")
        return self._rows(value, self._buffered(indices[0]), call.shape)

    def _op_convolution(self, call: Call) -> Value:
        x, weight = (self._buffered(argument) for argument in call.arguments[:2])
        bias, stride, padding, dilation, _, _, groups = call.arguments[2:9]
        out = self._fresh(call.shape)
        one = len(call.shape) == 3  # a line is a picture of one row
        lead, taps, kernel = x.shape[:2], x.shape[2:], weight.shape[2:]
        steps = x.strides
        if one:
            taps, kernel, steps = (1, *taps), (1, *kernel), (*steps[:2], 0, steps[2])
        place = (1, *call.shape[2:]) if one else call.shape[2:]
        stride, padding, dilation = (
            (rest, *tuple(sizes) * (2 if len(sizes) == 1 else 1))[-2:]
            for sizes, rest in ((stride, 1), (padding, 0), (dilation, 1))
        )
        if one:
            stride, padding, dilation = (1, stride[1]), (0, padding[1]), (1, dilation[1])
        weight = self._contiguous(weight)
        sizes = [*lead, *taps, weight.shape[0], *kernel, *place]
        sizes += [*stride, *padding, *dilation, groups]
        if _size(call.shape):
            self.body.append(
                f"conv(b{out.buffer},b{x.buffer},{x.offset},{_list(steps)},"
                f"b{weight.buffer},{weight.offset},{_list(sizes)});"
            )
        if bias is None:
            return out
        row, tail = self._buffered(bias), len(call.shape) - 2
        shape, strides = (*row.shape, *(1,) * tail), (*row.strides, *(0,) * tail)
        spread = View(row.buffer, shape, strides, row.offset)
        return Pending("({0}+{1})", (out, spread), call.shape)

    def _op_constant_pad_nd(self, call: Call) -> Value:
        value = self._settled(self._operand(call.arguments[0]))
        edges = call.arguments[1]
        number = call.arguments[2] if len(call.arguments) > 2 else 0
        if isinstance(value, Filled):
            value = self._stored(value, value.shape)
        out = self._fresh(call.shape)
        self.body.append(f"b{out.buffer}.fill({_number(float(number))});")
        shape, offset, start = list(value.shape), value.offset, 0
        for k in range(len(edges) // 2):
            axis, (before, after) = len(shape) - 1 - k, edges[2 * k : 2 * k + 2]
            start += max(before, 0) * out.strides[axis]
            offset += max(-before, 0) * value.strides[axis]
            shape[axis] += min(before, 0) + min(after, 0)
        inner = tuple(max(size, 0) for size in shape)
        target = View(out.buffer, inner, out.strides, start)
        source = View(value.buffer, inner, value.strides, offset)
        self.body.append(
            _loop(inner, [target, source], lambda at, read: f"b{out.buffer}[{at}]={read};")
        )
        return out

    def _op_argmax(self, call: Call) -> Value:
        value = self._buffered(call.arguments[0])
        if len(call.arguments) < 2 or call.arguments[1] is None:
            value = self._contiguous(value)
            value = View(value.buffer, (_size(value.shape),), (1,), value.offset)
        axis = call.arguments[1] if len(call.arguments) > 1 and call.arguments[1] is not None else 0
        out = self._fresh(call.shape)
        if not value.shape:
            return self._zeroed(out)
        axis %= len(value.shape)
        outer = tuple(size for k, size in enumerate(value.shape) if k != axis)
        target = View(out.buffer, outer, _strides(outer))
        self.body.append(
            _loop(outer, [target, _without(value, axis)], lambda at, read: (
                f"b{out.buffer}[{at}]=top(b{value.buffer},{_place(read)},"
                f"{value.strides[axis]},{value.shape[axis]});"
            ))
        )  # fmt: skip
        return out

    def _op_sort(self, call: Call) -> Value:
        value = self._buffered(call.arguments[0])
        given = dict(zip(("dim", "descending"), call.arguments[1:], strict=False))
        given.update(call.options)
        axis, sign = given.get("dim", -1), -1 if given.get("descending", False) else 1
        out, order = self._fresh(value.shape), self._fresh(value.shape)
        if not value.shape:
            return Several((value, self._zeroed(order)), ())
        axis %= len(value.shape)
        lines = [_without(view, axis) for view in (out, order, value)]
        self.body.append(
            _loop(lines[0].shape, lines, lambda at, where, read: (
                f"sorted(b{out.buffer},{at},{out.strides[axis]},b{order.buffer},{_place(where)},"
                f"{order.strides[axis]},b{value.buffer},{_place(read)},{value.strides[axis]},"
                f"{value.shape[axis]},{sign});"
            ))
        )  # fmt: skip
        return Several((out, order), ())

    def _op_getitem(self, call: Call) -> Value:
        several = self.values[call.arguments[0].number]
        assert isinstance(several, Several)
        return several.parts[call.arguments[1]]

    def _op_gather(self, call: Call) -> Value:
        value, index = (self._buffered(call.arguments[k]) for k in (0, 2))
        out = self._fresh(call.shape)
        if not call.shape:
            return self._stored(View(value.buffer, (), (), value.offset), ())
        axis = call.arguments[1] % len(call.shape)
        steps = list(value.strides)
        step, steps[axis] = steps[axis], 0
        others = View(value.buffer, call.shape, tuple(steps), value.offset)
        self.body.append(
            _loop(call.shape, [out, index, others], lambda at, read, rest: (
                f"b{out.buffer}[{at}]=b{value.buffer}[{_place(rest)}+{read}*{step}];"
            ))
        )  # fmt: skip
        return out

    def _op_scatter(self, call: Call) -> Value:
        return self._scattered(call, "")

    def _op_scatter_add(self, call: Call) -> Value:
        return self._scattered(call, "+")

    def _scattered(self, call: Call, adds: str) -> Value:
        base, index = (self._settled(self._operand(call.arguments[k])) for k in (0, 2))
        out = self._stored(base, call.shape)
        index = self._buffered(call.arguments[2])
        new = self._settled(self._operand(call.arguments[3]))
        if isinstance(new, View):
            new = View(new.buffer, index.shape, new.strides, new.offset)
        axis = call.arguments[1] % max(len(call.shape), 1)
        steps = list(out.strides)
        step = 0
        if steps:
            step, steps[axis] = steps[axis], 0
        others = View(out.buffer, index.shape, tuple(steps))
        self.body.append(
            _loop(index.shape, [others, index, new], lambda at, read, given: (
                f"b{out.buffer}[{at}+{read}*{step}]{adds}={given};"
            ))
        )  # fmt: skip
        return out

    def _op_embedding(self, call: Call) -> Value:
        return self._rows(
            self._buffered(call.arguments[0]), self._buffered(call.arguments[1]), call.shape
        )

    def _rows(self, value: View, index: View, shape: tuple[int, ...]) -> View:
        out = self._fresh(shape)
        tail = shape[len(index.shape) :]
        spread = View(index.buffer, shape, (*index.strides, *(0 for _ in tail)), index.offset)
        inner = View(
            value.buffer, shape, (*(0 for _ in index.shape), *value.strides[1:]), value.offset
        )
        rows, step = value.shape[0], value.strides[0]
        self.body.append(
            _loop(shape, [out, spread, inner], lambda at, read, rest: (
                f"{{let r={read};if(r<0)r+={rows};"
                f"b{out.buffer}[{at}]=b{value.buffer}[{_place(rest)}+r*{step}]}}"
            ))
        )  # fmt: skip
        return out

    def _op_cat(self, call: Call) -> Value:
        parts = [self._settled(self._operand(argument)) for argument in call.arguments[0]]
        parts = [part for part in parts if part.shape != (0,)]
        axis = call.arguments[1] if len(call.arguments) > 1 else 0
        out = self._fresh(call.shape)
        axis %= len(call.shape)
        at = 0
        for part in parts:
            target = View(out.buffer, part.shape, out.strides, at * out.strides[axis])
            at += part.shape[axis]
            self.body.append(
                _loop(part.shape, [target, part], lambda at, read: f"b{out.buffer}[{at}]={read};")
            )
        return out

    def _op_stack(self, call: Call) -> Value:
        out = self._fresh(call.shape)
        axis = (call.arguments[1] if len(call.arguments) > 1 else 0) % len(call.shape)
        strides = out.strides[:axis] + out.strides[axis + 1 :]
        for place, argument in enumerate(call.arguments[0]):
            part = self._settled(self._operand(argument))
            target = View(out.buffer, part.shape, strides, place * out.strides[axis])
            self.body.append(
                _loop(part.shape, [target, part], lambda at, read: f"b{out.buffer}[{at}]={read};")
            )
        return out


def _written_constant(buffer: int, numbers: Sequence[float]) -> str:
    if list(numbers) == list(range(len(numbers))):
        return f"b{buffer}.forEach((_,k)=>b{buffer}[k]=k);"
    text = json.dumps([float(f"{x:.9g}") for x in numbers], separators=(",", ":"))
    return f"b{buffer}.set({text});"


# Loops


def _loop(shape: tuple[int, ...], values: Sequence[Any], write: Callable[..., str]) -> str:
    """A loop over ``shape``: ``write`` gets the first value's place and the others' readings."""
    leaves: list[View] = []
    for value in values:
        _collect(value, shape, leaves)
    sizes, strides = _collapsed(shape, [leaf.strides for leaf in leaves])
    names = "ijlnpq"[: len(sizes)]
    if len(sizes) > len("ijlnpq"):
        raise UnknownOperation(f"expected at most six axes, got shape {shape}.")
    place = iter(
        _index(leaf.offset, names, steps) for leaf, steps in zip(leaves, strides, strict=True)
    )
    first = next(place)
    text = write(first, *(_read(value, place) for value in values[1:]))
    for name, size in reversed(list(zip(names, sizes, strict=True))):
        text = f"for(let {name}=0;{name}<{size};{name}++){text}"
    return text if 0 not in shape else ""


def _reduction(value: Value, target: View, stay: int, each: str, begin: str, end: str) -> str:
    outer, inner = value.shape[:stay], value.shape[stay:]
    shape = (*outer, *inner)
    leaves: list[View] = []
    _collect(value, shape, leaves)
    wide = View(target.buffer, shape, (*target.strides, *(0 for _ in inner)))
    every = [wide, *leaves]
    out_sizes, out_strides = _collapsed(outer, [leaf.strides[:stay] for leaf in every])
    in_sizes, in_strides = _collapsed(inner, [leaf.strides[stay:] for leaf in every])
    outer_names, inner_names = "ijl"[: len(out_sizes)], "npq"[: len(in_sizes)]
    if len(out_sizes) > 3 or len(in_sizes) > 3:
        raise UnknownOperation(f"expected fewer axes in a sum, got shape {shape}.")
    places = [
        _index(leaf.offset, outer_names + inner_names, (*a, *b))
        for leaf, a, b in zip(every, out_strides, in_strides, strict=True)
    ]
    read = _read(value, iter(places[1:]))
    text = each.format(read)
    for name, size in reversed(list(zip(inner_names, in_sizes, strict=True))):
        text = f"for(let {name}=0;{name}<{size};{name}++){text}"
    text = "" if 0 in inner else text
    text = f"{{let {begin};{text}b{target.buffer}[{places[0]}]={end}}}"
    for name, size in reversed(list(zip(outer_names, out_sizes, strict=True))):
        text = f"for(let {name}=0;{name}<{size};{name}++){text}"
    return "" if 0 in outer else text


def _collect(value: Any, shape: tuple[int, ...], leaves: list[View]) -> None:
    if isinstance(value, View):
        leaves.append(_broadcast(value, shape))
    elif isinstance(value, Pending):
        for operand in value.operands:
            _collect(operand, shape, leaves)


def _read(value: Any, places: Any) -> str:
    if isinstance(value, View):
        return f"b{value.buffer}[{next(places)}]"
    if isinstance(value, Filled):
        return _number(value.value)
    if isinstance(value, Pending):
        return value.template.format(*(_read(operand, places) for operand in value.operands))
    return _number(value)


def _place(reading: str) -> str:
    """What stands between the brackets of a reading."""
    return reading[reading.index("[") + 1 : -1]


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    text = repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return f"({text})" if text.startswith("-") else text


def _index(offset: int, names: str, strides: Sequence[int]) -> str:
    terms = [
        name if stride == 1 else f"{name}*{stride}"
        for name, stride in zip(names, strides, strict=True)
        if stride
    ]
    if offset or not terms:
        terms.append(str(offset))
    return "+".join(terms)


def _collapsed(
    shape: Sequence[int], strides: Sequence[Sequence[int]]
) -> tuple[list[int], list[list[int]]]:
    """Fewer, longer axes where every value allows it."""
    sizes: list[int] = []
    steps: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if sizes and all(s[-1] == own[axis] * size for s, own in zip(steps, strides, strict=True)):
            sizes[-1] *= size
            for s, own in zip(steps, strides, strict=True):
                s[-1] = own[axis]
        else:
            sizes.append(size)
            for s, own in zip(steps, strides, strict=True):
                s.append(own[axis])
    return sizes, steps


def _broadcast(view: View, shape: tuple[int, ...]) -> View:
    missing = len(shape) - len(view.shape)
    old = (1,) * missing + view.shape
    strides = (0,) * missing + view.strides
    spread = tuple(0 if a == 1 else s for a, s in zip(old, strides, strict=True))
    return View(view.buffer, shape, spread, view.offset)


def _permuted(value: Value, order: Sequence[int]) -> Value:
    shape = tuple(value.shape[axis] for axis in order)
    if isinstance(value, View):
        return View(value.buffer, shape, tuple(value.strides[k] for k in order), value.offset)
    if isinstance(value, Filled):
        return Filled(value.value, shape)
    raise AssertionError("only what stands in a buffer is permuted")


def _chosen(view: View, index: int) -> View:
    return View(
        view.buffer, view.shape[1:], view.strides[1:], view.offset + index * view.strides[0]
    )


def _reshaped(view: View, shape: tuple[int, ...]) -> View | None:
    """The view in another shape, or nothing where its numbers would have to move."""
    if 0 in shape:
        return View(view.buffer, shape, _strides(shape), view.offset)
    sizes, (steps,) = _collapsed(view.shape, [view.strides])
    new: list[int] = []
    sizes, steps = list(sizes), list(steps)
    for size in reversed(shape):
        if size == 1:
            new.insert(0, 0)
            continue
        if not sizes or sizes[-1] % size:
            return None
        new.insert(0, steps[-1])
        sizes[-1] //= size
        steps[-1] *= size
        if sizes[-1] == 1:
            sizes.pop()
            steps.pop()
    return View(view.buffer, shape, tuple(new), view.offset)


def _buffers(value: Any) -> set[int]:
    if isinstance(value, View):
        return {value.buffer}
    if isinstance(value, Pending):
        return set().union(*map(_buffers, value.operands))
    if isinstance(value, Several):
        return {part.buffer for part in value.parts}
    return set()


def _without(view: View, axis: int) -> View:
    """The beginnings of the lines along an axis."""
    keep = [k for k in range(len(view.shape)) if k != axis]
    return View(
        view.buffer,
        tuple(view.shape[k] for k in keep),
        tuple(view.strides[k] for k in keep),
        view.offset,
    )


def _list(numbers: Sequence[int]) -> str:
    return "[" + ",".join(map(str, numbers)) + "]"


def _short(call: Call) -> str:
    """The operation's name without overload."""
    return call.name.split(".")[1] if "." in call.name else call.name


def _known(call: Call) -> bool:
    """Whether there is a rule for a call as it stands."""
    name = _short(call)
    if name == "convolution":
        return not call.arguments[6] and len(call.shape) in (3, 4)
    if name == "index_select":
        return False
    if name in VIEWS or name in FILLS or _template(name, call) is not None:
        return True
    return hasattr(_Writer, f"_op_{name}")


def _size(shape: Sequence[int]) -> int:
    return math.prod(shape)


def _strides(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def _mentions(call: Call) -> list[int]:
    found = []

    def look(argument: Any) -> None:
        if isinstance(argument, Place):
            found.append(argument.number)
        elif isinstance(argument, (list, tuple)):
            for item in argument:
                look(item)

    look(call.arguments)
    look(tuple(call.options.values()))
    return found


def _filled(name: str, call: Call) -> float:
    where = FILLS[name]
    if where is None:
        return float("ones" in name)
    return float(call.arguments[where])


def _operands(name: str, call: Call) -> Sequence[Any]:
    if name in {"leaky_relu", "softplus"}:
        return call.arguments[:1]
    if name in {"leaky_relu_backward", "softplus_backward"}:
        return call.arguments[:2]
    if name == "clamp":
        return call.arguments[:1]
    if name == "elu":
        return call.arguments[:1]
    if name == "elu_backward":
        return (call.arguments[0], call.arguments[5])
    return [argument for argument in call.arguments if argument is not None]


def _template(name: str, call: Call) -> str | None:
    """The page's expression for an element-wise call, or nothing if it is none."""
    arguments = call.arguments
    factor = arguments[2] if name == "rsub" and len(arguments) > 2 else call.options.get("alpha", 1)
    if name in {"add", "sub"} and factor != 1:
        return f"({{0}}{'+' if name == 'add' else '-'}{_number(float(factor))}*{{1}})"
    if name == "div" and call.options.get("rounding_mode") is not None:
        return {"floor": "Math.floor({0}/{1})", "trunc": "Math.trunc({0}/{1})"}[
            call.options["rounding_mode"]
        ]
    if name == "elu" and any(argument != 1 for argument in arguments[1:]):
        return None
    if name == "pow":
        if arguments[1:] == (2,) or arguments[1:] == (2.0,):
            return "(({0})**2)"
        return "Math.pow({0},{1})"
    if name == "lerp":
        return "({0}+{2}*({1}-{0}))" if isinstance(arguments[0], Place) else None
    if name == "elu_backward" and arguments[1:5] == (1, 1, 1, False):
        return "({1}>0?{0}:{0}*Math.exp({1}))"
    if name == "leaky_relu":
        return f"leaky({{0}},{arguments[1] if len(arguments) > 1 else 0.01})"
    if name == "leaky_relu_backward":
        return f"leakyBack({{0}},{{1}},{arguments[2]})"
    if name == "threshold_backward":
        return "({1}>{2}?{0}:0)"
    if name == "softplus":
        beta, limit = (arguments[1:] + (1, 20)[len(arguments) - 1 :])[:2]
        return f"softplus({{0}},{beta},{limit})"
    if name == "softplus_backward":
        return f"softplusBack({{0}},{{1}},{arguments[2]},{arguments[3]})"
    if name == "clamp":
        low = arguments[1] if len(arguments) > 1 and arguments[1] is not None else "-Infinity"
        high = arguments[2] if len(arguments) > 2 and arguments[2] is not None else "Infinity"
        return f"clamp({{0}},{low},{high})"
    return ELEMENTWISE.get(name)
