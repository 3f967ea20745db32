"""A second device on a machine that has none: tensors of two devices meet and are refused.

Tensors of torch's ``meta`` device have no numbers, so nothing that reads one back can run, and some
operations mix them with the CPU's without a word (an index, a weight of ``linear``, a generator).
Here each of them holds its numbers in a CPU tensor: every operation is computed, every loop runs to
its end, and what CUDA would refuse is refused.

What CUDA allows stays allowed: a CPU number (a tensor without axes) in arithmetic, and a copy from
one device to the other that the code asks for. Only an index on the CPU, which CUDA would copy at
every step, is refused.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from genbook.kit import device as devices

ELSEWHERE = torch.device("meta")
"""The second device."""

COPIES = {torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default}
READS = {
    getattr(Tensor, name)
    for name in (
        "item",
        "tolist",
        "__bool__",
        "__float__",
        "__int__",
        "__index__",
        "__repr__",
        "__format__",
    )
}
FROM_NUMBERS = {torch.tensor, torch.as_tensor, torch.asarray}
_CPUGenerator = torch.Generator


class Mixed(RuntimeError):  # noqa: N818 (the name says what happened)
    """Tensors or generators of two devices met."""


class Held(Tensor):
    """A tensor of the second device; ``held`` has its numbers."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> Held:
        tensor = Tensor._make_wrapper_subclass(
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=ELSEWHERE,
        )
        tensor.held = held
        return tensor

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})

    def tolist(self) -> Any:
        return self.held.tolist()

    def numpy(self, *, force: bool = False) -> Any:
        raise TypeError("a tensor of another device has no array; use Tensor.cpu() first")

    def __array__(self, dtype: Any = None) -> Any:
        return self.numpy()


def _compute(function: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Run an operation on the numbers; its result lives where its arguments do."""
    tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, Tensor)]
    away = [x for x in tensors if isinstance(x, Held)]
    axes = [x for x in tensors if not isinstance(x, Held) and x.ndim]
    if away and axes and function not in COPIES:
        shapes = [list(x.shape) for x in axes]
        raise Mixed(f"{function}: tensors of the CPU {shapes} met tensors of another device")
    if isinstance(kwargs.get("device"), torch.device):
        there = kwargs["device"].type == ELSEWHERE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
        if function is torch.ops.aten._to_copy.default and there != bool(away):
            kwargs["non_blocking"] = False
    else:
        there = bool(away)
    known = {id(x.held): x for x in away}
    args, kwargs = tree_map_only(Held, lambda x: x.held, (args, kwargs))
    result = function(*args, **kwargs)

    def wrapped(x: Tensor) -> Tensor:
        if not there:
            return x
        return known[id(x)] if id(x) in known else Held(x)

    return tree_map_only(Tensor, wrapped, result)


class _Operations(TorchDispatchMode):
    """Sees what makes a tensor from nothing."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})


class _Functions(TorchFunctionMode):
    """Reads numbers back and holds generators against what they fill."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in READS:
            return function(_numbers(args[0]), *args[1:], **kwargs)
        if function is Tensor.__getitem__:
            args = (args[0], _listed(args[1], args[0].device))
        if function in FROM_NUMBERS and kwargs.get("device") is not None:
            device = kwargs.pop("device")
            return function(*args, **kwargs).to(device)
        if function is Tensor.new_tensor:
            kwargs = {"dtype": args[0].dtype, **kwargs}
            return torch.tensor(*args[1:], **kwargs).to(args[0].device)
        result = function(*args, **kwargs)
        if function == Tensor.data.__set__ and isinstance(args[1], Held):
            args[0].held = args[1].held
        source = kwargs.get("generator")
        drawn = isinstance(source, _CPUGenerator) and isinstance(result, Tensor)
        if drawn and source.device.type != result.device.type:
            name = getattr(function, "__name__", function)
            raise Mixed(f"{name}: a generator of {source.device} fills {result.device}")
        return result


def _listed(index: Any, device: torch.device) -> Any:
    """An index whose lists of numbers stand on the device, where CUDA puts them by itself."""
    if isinstance(index, list):
        return torch.tensor(index).to(device)
    return tuple(_listed(i, device) for i in index) if isinstance(index, tuple) else index


def _numbers(tensor: Tensor) -> Tensor:
    plain = tensor.detach()
    return plain.held if isinstance(plain, Held) else tensor


class _AnyGenerator(type(_CPUGenerator)):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _CPUGenerator)


class _Generator(_CPUGenerator, metaclass=_AnyGenerator):
    """A generator that says where it was made for."""

    def __new__(cls, device: Any = "cpu") -> Any:
        made = _CPUGenerator.__new__(cls, "cpu")
        made.home = torch.device(device)
        return made

    @property
    def device(self) -> torch.device:
        return self.home


def _resolve(device: Any) -> torch.device:
    """As in the kit, but the second device is there and the best one."""
    return ELSEWHERE if device in (None, "auto") else torch.device(device)


@contextmanager
def second_device() -> Iterator[torch.device]:
    """Make the second device one that this machine has, and the one that ``auto`` picks."""
    optimiser = sys.modules["torch.optim.optimizer"]
    with ExitStack() as stack:
        for owner, name, value in (
            (torch, "Generator", _Generator),
            (torch, "inference_mode", torch.no_grad),  # it passes Tensor.to by
            (devices, "_resolve", _resolve),
            (optimiser, "_get_fused_kernels_supported_devices", lambda: ["cpu", "meta"]),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        lifted = torch._C._only_lift_cpu_tensors()
        torch._C._set_only_lift_cpu_tensors(True)
        stack.callback(torch._C._set_only_lift_cpu_tensors, lifted)
        stack.enter_context(_Functions())
        stack.enter_context(_Operations())
        yield ELSEWHERE


@lru_cache(maxsize=4096)
def _takes_device(function: Any) -> bool:
    if function in _device_constructors() or function is _Generator:
        return True
    if not str(getattr(function, "__module__", "")).startswith(("genbook", "torch.nn")):
        return False
    return "device" in inspect.signature(function).parameters


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call it; where it leaves the device to a default, on the second device."""
    takes = isinstance(function, type | type(_call) | type(len)) and _takes_device(function)
    if takes and "device" not in kwargs:
        try:
            return function(*args, **kwargs, device=ELSEWHERE)
        except TypeError as fault:
            if "multiple values" not in str(fault):
                raise
    made = function(*args, **kwargs)
    return made.to(ELSEWHERE) if isinstance(made, nn.Module) else made


class _Moved(ast.NodeTransformer):
    """Every call through ``_call``; every ``"cpu"`` is the second device."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        return ast.Call(ast.Name("_call", ast.Load()), [node.func, *node.args], node.keywords)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(ELSEWHERE.type) if node.value == "cpu" else node


def moved(source: str) -> str:
    """The statements with everything that they make on the second device."""
    return ast.unparse(ast.fix_missing_locations(_Moved().visit(ast.parse(source)))) + "\n"
