"""No function mixes the devices of its arguments with the CPU.

Every docstring's example runs with its tensors and generators on a second device (see
``elsewhere``), and so does a round of every loop that has no example.
"""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import pkgutil
import re
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from types import CodeType, FrameType, ModuleType
from typing import Any
from warnings import catch_warnings, filterwarnings

import pytest
import torch
from elsewhere import Mixed, _call, moved, second_device
from second_device_rounds import ROUNDS
from torch import Tensor, nn

import genbook

PAGES = ("figures", "exercises", "machines", "sphinx_ext", "__main__")
"""What only a page or a build runs: it reads numbers to draw and to compare them."""

EXCUSED: dict[str, str] = {
    "kit.machine.parts.Machine.beginning": "what a page begins with, read back as numbers",
    "kit.machine.parts.Twin.look": "repeats a page's arithmetic, which is the CPU's",
    "kit.machine.parts.Twin.step": "repeats a page's arithmetic, which is the CPU's",
    "games.plane.group": "a part of a page's machine, which reads weights back as numbers",
    "pixelcnn.studies.judge": "a part of a recorded study, which makes its network on the CPU",
    "pixelcnn.studies.long_run": "a part of a recorded study, which makes its network on the CPU",
    "translation.networks.sensitivity_rank": "vmap, which the stand-in device does not follow",
    "vae.study.nll_rows": "a recorded study, which asks for the real MNIST",
}
"""Functions that cannot run on a second device, and why."""


def rooms(package: str) -> Iterator[ModuleType]:
    """The modules of a package that handle tensors."""
    root = importlib.import_module(f"genbook.{package}")
    for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        if not set(found.name.split(".")) & set(PAGES):
            room = importlib.import_module(found.name)
            if {"torch", "Tensor"} & set(vars(room)):
                yield room


ON_A_DEVICE = re.compile(r"Tensor|Module|Generator\b|Streams|Device|\bdevice\b")

RULE = re.compile(r"Callable\[.*\]")
"""A rule that a record keeps works where it is called."""


def concerned(owner: Any, function: Any) -> bool:
    """Whether a device comes in with an argument, or with the object that has the method."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    takes = " ".join(f"{name}: {p.annotation}" for name, p in signature.parameters.items())
    scope = inspect.unwrap(function).__globals__
    return carries(takes, scope) or ("self" in signature.parameters and holds(owner))


def carries(annotation: str, scope: dict[str, Any], above: tuple[Any, ...] = ()) -> bool:
    """Whether an annotation names what has a device, or what holds such things."""
    if ON_A_DEVICE.search(annotation):
        return True
    return any(holds(scope.get(name), above) for name in re.findall(r"\w+", annotation))


def holds(thing: Any, above: tuple[Any, ...] = ()) -> bool:
    """Whether a class of the book, or a name for several, has a device: a network, a record."""
    if inspect.isclass(thing):
        if issubclass(thing, nn.Module):
            return True
        if not thing.__module__.startswith("genbook") or thing in above:
            return False
        scope, above = vars(sys.modules[thing.__module__]), (*above, thing)
        kept = vars(thing).get("__annotations__", {}).values()
        return any(carries(RULE.sub("", str(kind)), scope, above) for kind in kept)
    parts = () if typing.get_origin(thing) is Callable else typing.get_args(thing)
    return any(holds(part, above) or ON_A_DEVICE.search(str(part)) for part in parts)


def members(room: ModuleType) -> Iterator[tuple[str, Any, Any]]:
    """Name, what has the docstring, and function, of all that is public in a room."""
    for name, thing in vars(room).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != room.__name__:
            continue
        if getattr(thing, "_is_protocol", False):
            continue
        if inspect.isclass(thing):
            if not dataclasses.is_dataclass(thing) and "__init__" in vars(thing):
                yield f"{name}", thing, thing.__init__
            for part, method in vars(thing).items():
                method = getattr(method, "__func__", method)
                if inspect.isfunction(method) and (part == "__call__" or not part.startswith("_")):
                    yield f"{name}.{part}", thing, method
        elif inspect.isfunction(thing):
            yield name, thing, thing


@contextmanager
def entered() -> Iterator[set[CodeType]]:
    """The functions that were called."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def run_example(test: doctest.DocTest) -> None:
    """The statements of an example, on the second device; what they print is not looked at.

    Torch leaves the weights of a module alone that is read from a file here, and warns of it.
    """
    scope = {**test.globs, "_call": _call}
    for example in test.examples:
        try:
            with catch_warnings():
                filterwarnings("ignore", message="for weight: copying from a non-meta")
                filterwarnings("ignore", message="for bias: copying from a non-meta")
                exec(compile(moved(example.source), test.name, "exec"), scope)
        except Mixed:
            raise
        except Exception as fault:
            if example.exc_msg is None:
                raise AssertionError(f"{test.name}: {example.source.strip()}") from fault


def packages() -> list[str]:
    found = pkgutil.iter_modules(genbook.__path__)
    return sorted(module.name for module in found if module.ispkg)


@pytest.mark.parametrize("package", packages())
def test_what_takes_a_tensor_or_a_generator_runs_on_a_second_device(package: str) -> None:
    wanted: dict[str, CodeType] = {}
    finder, examples = doctest.DocTestFinder(recurse=False), {}
    for room in rooms(package):
        for name, owner, function in members(room):
            if not concerned(owner, function):
                continue
            full = f"{room.__name__.removeprefix('genbook.')}.{name}"
            wanted[full] = inspect.unwrap(function).__code__
            for thing in (owner, function):
                for test in finder.find(thing, full, room):
                    examples[id(thing)] = test
    with entered() as seen, second_device(), redirect_stdout(StringIO()):
        for test in examples.values():
            run_example(test)
        for play_round in ROUNDS.get(package, []):
            play_round()
    missing = {name for name, code in wanted.items() if code not in seen}
    assert missing == {name for name in EXCUSED if name.split(".")[0] == package}


MIXED: dict[str, Callable[[Tensor, Tensor, torch.Generator], object]] = {
    "sum": lambda here, there, _: here + there,
    "index": lambda here, there, _: there[torch.tensor([0, 1])],
    "gather": lambda here, there, _: there.gather(0, torch.tensor([0])),
    "weight": lambda here, there, _: nn.functional.linear(there, torch.ones(2, 3)),
    "stack": lambda here, there, _: torch.stack([here, there]),
    "choice": lambda here, there, _: torch.where(there > 0, there, here),
    "loss": lambda here, there, _: nn.functional.cross_entropy(there[None], torch.tensor([0])),
    "the device's generator": lambda here, there, source: torch.rand(3, generator=source),
    "the CPU's generator": lambda here, there, _: torch.rand(
        3, generator=torch.Generator(), device=there.device
    ),
    "filling": lambda here, there, _: there.normal_(generator=torch.Generator()),
    "a start": lambda here, there, source: nn.init.uniform_(here, generator=source),
    "array": lambda here, there, _: there.numpy(),
}


@pytest.mark.parametrize("name", list(MIXED))
def test_the_second_device_refuses_what_a_gpu_refuses(name: str) -> None:
    with second_device() as device:
        here, there = torch.ones(3), torch.ones(3, device=device)
        with pytest.raises((Mixed, TypeError)):
            MIXED[name](here, there, torch.Generator(device))


def test_the_second_device_allows_what_a_gpu_allows_and_computes_it() -> None:
    with second_device() as device:
        x = torch.arange(3.0, device=device)
        assert x.device == device
        assert (x * torch.tensor(2.0)).tolist() == [0.0, 2.0, 4.0]
        assert x.cpu().numpy().tolist() == [0.0, 1.0, 2.0]
        assert bool((x.new_tensor([1.0, 2.0, 3.0]) > x).all())
        assert x[x.argmax()].item() == 2.0
        assert x[[0, 2]].device == device
        net = nn.Linear(3, 1).to(device).double()
        net(x.double()).sum().backward()
        assert net.weight.grad.tolist() == [[0.0, 1.0, 2.0]]
        assert isinstance(torch.Generator(), torch.Generator)
    assert torch.rand(1).device.type == "cpu"
    assert torch.Generator().device.type == "cpu"
    assert isinstance(torch.zeros(1), Tensor)
