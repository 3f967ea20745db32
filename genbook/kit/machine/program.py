r"""A torch function as a list of calls: what a page computes, and nothing else.

:func:`trace` runs a function once on example tensors and writes down each operation that torch
performs, those of ``torch.autograd.grad`` among them. What comes out is a :class:`Program`: its
calls are torch's own, so that in Python it gives what the function gives, bit for bit.
"""

from __future__ import annotations

import itertools
import linecache
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx
from torch._guards import TracingContext, tracing
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten

__all__ = ["Call", "Place", "Program", "UnknownOperation", "trace"]

SAME = {"aten.detach.default", "aten.alias.default", "aten.lift_fresh_copy.default"}
"""Calls whose result is their argument."""

FLOATS = {torch.float32}
WHOLE = {torch.int64, torch.bool}


class UnknownOperation(NotImplementedError):  # noqa: N818 (the name says what it is)
    """A page cannot compute this operation."""


@dataclass(frozen=True)
class Place:
    r"""Where a call finds an argument: a value of the program.

    Args:
        number: Which value.
    """

    number: int


@dataclass(frozen=True)
class Call:
    r"""One operation.

    Args:
        name: torch's name of it, such as ``aten.mm.default``.
        arguments: numbers, flags, lists of these, and :class:`Place`.
        options: arguments by name.
        result: the number of the value it makes.
        shape: of the result.
        dtype: of the result.
        line: the line of Python it comes from, as far as known.
    """

    name: str
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    result: int
    shape: tuple[int, ...]
    dtype: torch.dtype
    line: str

    def __post_init__(self) -> None:
        """Give the call options of its own."""
        object.__setattr__(self, "options", dict(self.options))


@dataclass(frozen=True)
class Program:
    r"""A traced function.

    Args:
        inputs: numbers of the values that are given, in the order of the function's leaves.
        shapes: the shape of each input.
        dtypes: the dtype of each input.
        constants: values that the function brings along, by number.
        calls: what is computed, in order.
        outputs: numbers of the values that are handed back.
    """

    inputs: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[torch.dtype, ...]
    constants: Mapping[int, Tensor]
    calls: tuple[Call, ...]
    outputs: tuple[int, ...]
    given: TreeSpec = field(repr=False)
    handed_back: TreeSpec = field(repr=False)

    def run(self, *arguments: Any) -> Any:
        r"""Compute in Python, with torch's own operations.

        Args:
            arguments: as the traced function takes them, tensors of the shapes it was traced with.

        Returns:
            What the function returns, bit for bit.

        Raises:
            ValueError: If there are other tensors than those it was traced with.

        Example:
            >>> double = trace(lambda x: (2 * x).sum(), torch.zeros(3))
            >>> double.run(torch.tensor([1.0, 2.0, 3.0])).item()
            12.0
        """
        leaves, spec = tree_flatten(arguments)
        if spec != self.given:
            raise ValueError(f"expected arguments laid out as {self.given}, got {spec}.")
        return tree_unflatten(self.run_flat(leaves), self.handed_back)

    def run_flat(self, leaves: Sequence[Tensor]) -> list[Tensor]:
        r"""Compute from the leaves of the arguments, in order, the leaves of the result.

        Args:
            leaves: tensors of the shapes of the program.

        Returns:
            Tensors.

        Raises:
            ValueError: If there are other tensors than those it was traced with.

        Example:
            >>> sums = trace(lambda pair: pair[0] + pair[1], [torch.zeros(2), torch.zeros(2)])
            >>> sums.run_flat([torch.ones(2), torch.ones(2)])[0].tolist()
            [2.0, 2.0]
        """
        if len(leaves) != len(self.shapes):
            raise ValueError(f"expected {len(self.shapes)} tensors, got {len(leaves)}.")
        for number, (leaf, shape) in enumerate(zip(leaves, self.shapes, strict=True)):
            if tuple(leaf.shape) != shape:
                raise ValueError(
                    f"expected tensor {number} of shape {shape}, got {tuple(leaf.shape)}; "
                    "a program has the shapes it was traced with: trace it again."
                )
        values: dict[int, Any] = dict(zip(self.inputs, leaves, strict=True))
        values.update(self.constants)
        for call in self.calls:
            values[call.result] = call_of(call.name)(
                *_filled(call.arguments, values), **_filled_options(call.options, values)
            )
        return [values[number] for number in self.outputs]

    def operations(self) -> dict[str, int]:
        """How often each operation occurs, by torch's name without its overload."""
        counts: dict[str, int] = {}
        for call in self.calls:
            name = call.name.split(".")[1] if "." in call.name else call.name
            counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))


def trace(function: Callable[..., Any], *examples: Any) -> Program:
    r"""Write down what a function computes.

    The function must compute the same calls whatever its tensors hold: a branch on a tensor's value
    is an error of torch's. Random numbers are arguments; a function that draws some is refused.

    Args:
        function: takes and returns tensors, or lists, tuples and dicts of them.
        examples: tensors of the shapes that it will be given.

    Returns:
        The program, without calls whose results nobody uses, equal calls made once.

    Raises:
        ValueError: If an example is no tensor of float32, int64 or bool, or a result depends on
            random numbers.

    Example:
        >>> program = trace(lambda x, w: torch.tanh(x @ w), torch.zeros(2, 3), torch.zeros(3, 1))
        >>> [call.name for call in program.calls]
        ['aten.mm.default', 'aten.tanh.default']
    """
    leaves, given = tree_flatten(examples)
    for number, leaf in enumerate(leaves):
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"expected tensors, got {type(leaf).__name__} as leaf {number}; "
                "wrap a number: torch.tensor(0.1)."
            )
        if leaf.dtype not in FLOATS | WHOLE:
            raise ValueError(f"expected float32, int64 or bool, got {leaf.dtype} as leaf {number}.")
    leaves = [leaf.clone() for leaf in leaves]  # one tensor given twice is two arguments
    shape_of_result: list[TreeSpec] = []

    lines: list[str] = []

    def flat(*given_leaves: Tensor) -> list[Tensor]:
        with _Lines(lines):
            result = function(*tree_unflatten(list(given_leaves), given))
        out, spec = tree_flatten(result)
        shape_of_result.append(spec)
        return [leaf.detach() for leaf in out]

    one_for_all = TracingContext(FakeTensorMode())  # else torch makes one for every call
    with fx.traceback.preserve_node_meta(), tracing(one_for_all):
        module = make_fx(flat)(*leaves)
        calls = (node for node in module.graph.nodes if node.op == "call_function")
        for node, line in zip(calls, lines, strict=False):
            node.stack_trace = line
        again = fx.Interpreter(module).run
        module = make_fx(functionalize(again, remove="mutations"))(*leaves)
    return program_of(module, leaves, given, shape_of_result[-1])


def program_of(
    module: fx.GraphModule, leaves: Sequence[Tensor], given: TreeSpec, handed_back: TreeSpec
) -> Program:
    """The calls of a traced module."""
    count = itertools.count()
    number: dict[fx.Node, int] = {}
    inputs: list[int] = []
    constants: dict[int, Tensor] = {}
    calls: list[Call] = []
    known: dict[str, int] = {}
    outputs: tuple[int, ...] = ()
    for node in module.graph.nodes:
        if node.op == "output":
            outputs = tuple(number[leaf] for leaf in tree_flatten(node.args)[0])
            continue
        if node.op == "placeholder":
            number[node] = next(count)
            inputs.append(number[node])
            continue
        if node.op == "get_attr":
            number[node] = next(count)
            constants[number[node]] = getattr(module, node.target).detach().clone()
            continue
        name = _name(node.target)
        arguments = _placed(node.args, number)
        options = {key: _placed(value, number) for key, value in node.kwargs.items()}
        if name in SAME:
            number[node] = arguments[0].number
            continue
        if "rand" in name or "bernoulli" in name or "dropout" in name:
            raise ValueError(
                f"expected a function that is given its random numbers, got {name} in "
                f"{_line(node)}; pass them as an argument."
            )
        key = repr((name, arguments, sorted(options.items())))
        if key in known:
            number[node] = known[key]
            continue
        if not places(arguments) and not places(tuple(options.values())):
            number[node] = known[key] = next(count)
            constants[number[node]] = call_of(name)(*arguments, **options)
            continue
        value = node.meta.get("val")
        number[node] = known[key] = next(count)
        tensor = value if isinstance(value, Tensor) else torch.zeros(())
        calls.append(
            Call(
                name,
                arguments,
                options,
                number[node],
                tuple(tensor.shape),
                tensor.dtype,
                _line(node),
            )
        )
    used = _used(calls, outputs)
    return Program(
        tuple(inputs),
        tuple(tuple(leaf.shape) for leaf in leaves),
        tuple(leaf.dtype for leaf in leaves),
        {place: value for place, value in constants.items() if place in used},
        tuple(call for call in calls if call.result in used),
        outputs,
        given,
        handed_back,
    )


def _used(calls: Sequence[Call], outputs: Sequence[int]) -> set[int]:
    used = set(outputs)
    for call in reversed(calls):
        if call.result in used:
            used |= places(call.arguments) | places(tuple(call.options.values()))
    return used


def places(argument: Any) -> set[int]:
    """The values that an argument refers to."""
    if isinstance(argument, Place):
        return {argument.number}
    if isinstance(argument, (list, tuple)):
        return set().union(*map(places, argument))
    return set()


def _placed(argument: Any, number: Mapping[fx.Node, int]) -> Any:
    if isinstance(argument, fx.Node):
        return Place(number[argument])
    if isinstance(argument, (list, tuple)):
        return tuple(_placed(item, number) for item in argument)
    return argument


def _filled(argument: Any, values: Mapping[int, Any]) -> Any:
    if isinstance(argument, Place):
        return values[argument.number]
    if isinstance(argument, tuple):
        return tuple(_filled(item, values) for item in argument)
    return argument


def _filled_options(options: Mapping[str, Any], values: Mapping[int, Any]) -> dict[str, Any]:
    return {key: _filled(value, values) for key, value in options.items()}


def _name(target: Any) -> str:
    return "getitem" if target is operator.getitem else str(target)


def call_of(name: str) -> Callable[..., Any]:
    """Torch's function of that name."""
    if name == "getitem":
        return operator.getitem
    namespace, packet, overload = name.split(".")
    return getattr(getattr(getattr(torch.ops, namespace), packet), overload)


def _line(node: fx.Node) -> str:
    return node.stack_trace or "an unknown line"


class _Lines(TorchDispatchMode):
    """Notes for each call of torch the line of Python that asked for it."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        frame = sys._getframe(1)
        while frame.f_back is not None and _is_torchs(frame.f_code.co_filename):
            frame = frame.f_back
        path, number = frame.f_code.co_filename, frame.f_lineno
        text = linecache.getline(path, number).strip()
        self.lines.append(f"{Path(path).name}, line {number}: {text}")
        return func(*args, **(kwargs or {}))


def _is_torchs(path: str) -> bool:
    return path.startswith(_TORCH) or path == __file__


_TORCH = str(Path(torch.__file__).parent)
