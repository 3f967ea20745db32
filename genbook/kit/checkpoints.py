r"""Checkpoints: tensors in a safetensors file, the rest in its header, all of it or nothing.

A checkpoint holds named *parts*: modules, optimisers, schedulers, random generators,
:class:`~genbook.kit.data.Batches`, tensors. A run that loads them goes on as if it had never
stopped: on a CPU, bit for bit.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as bytes_from_tensors
from torch import Tensor, nn

from genbook.kit.files import replace_file

FORMAT = 1
"""The version of the layout described by :func:`save_checkpoint`."""

Tree = Any
"""Numbers, strings, ``None`` and tensors in dicts, lists and tuples."""


@runtime_checkable
class Stateful(Protocol):
    """What can tell its state and take one back."""

    def state_dict(self) -> Any:
        """The state: a tree of tensors and plain values."""

    def load_state_dict(self, state_dict: Any) -> Any:
        """Take a state back."""


Part = Stateful | torch.Generator | Tensor


@dataclass(frozen=True)
class Checkpoint:
    r"""What a checkpoint says besides the states it restored.

    Attributes:
        step: How many steps had been made.
        notes: What the caller wrote down.
    """

    step: int
    notes: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(
    path: str | os.PathLike[str],
    *,
    step: int,
    notes: Mapping[str, Any] | None = None,
    **parts: Part,
) -> None:
    r"""Write the parts of a run to a file, atomically.

    The file is a safetensors file. Its tensors are named ``part/key/…``; its header holds, under
    ``genbook``, a JSON object with ``format``, ``step``, ``notes``, a ``digest`` of the tensors'
    bytes and, for each part, its kind and the tree into which the tensors belong.

    Args:
        path: The file, which is replaced whole or not at all.
        step: How many steps have been made, ≥ 0.
        notes: Plain values to keep along: numbers, strings, lists, dicts.
        **parts: Modules, optimisers, generators, batches, tensors, by name.

    Raises:
        ValueError: If a part has no state, or its state holds something else than tensors and plain
            values.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> net, rng = nn.Linear(2, 1), torch.Generator().manual_seed(0)
        >>> with TemporaryDirectory() as folder:
        ...     save_checkpoint(Path(folder, "run"), step=7, notes={"lr": 0.1}, net=net, rng=rng)
        ...     load_checkpoint(Path(folder, "run"), net=net, rng=rng)
        Checkpoint(step=7, notes={'lr': 0.1})
    """
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise ValueError(f"step: expected a whole number ≥ 0, got {step!r}.")
    tensors: dict[str, Tensor] = {}
    described = {
        name: {"kind": _kind(name, part), "tree": _pack(_state(part), name, tensors)}
        for name, part in parts.items()
    }
    noted = _pack(dict(notes or {}), "notes", None)
    digest = _digest(bytes_from_tensors(tensors))
    header = {"format": FORMAT, "step": step, "notes": noted, "digest": digest, "parts": described}
    replace_file(path, bytes_from_tensors(tensors, {"genbook": json.dumps(header)}))


def load_checkpoint(path: str | os.PathLike[str], **parts: Part) -> Checkpoint:
    r"""Restore the parts of a run from a file, in place.

    Names, kinds and shapes are compared before anything is changed; a part that refuses its state
    all the same leaves every part as it was.

    Args:
        path: A file written by :func:`save_checkpoint`.
        **parts: The same names as when it was saved, with parts made the same way.

    Returns:
        The step and the notes.

    Raises:
        ValueError: If there is no such file, it is damaged, or the parts are not those saved; the
            error says which name or shape differs.
    """
    path = Path(path)
    header, tensors = _read(path)
    described = header["parts"]
    if described.keys() != parts.keys():
        raise ValueError(
            f"{path}: expected the parts {sorted(described)}, which were saved, got "
            f"{sorted(parts)}; pass the same names to load_checkpoint."
        )
    states = {name: _unpack(entry["tree"], tensors) for name, entry in described.items()}
    for name, part in parts.items():
        _compare(f"{path}: {name}", part, described[name]["kind"], states[name])
    _restore_all(parts, states)
    return Checkpoint(header["step"], _unpack(header["notes"], {}))


def _restore_all(parts: Mapping[str, Part], states: Mapping[str, Tree]) -> None:
    """Restore every part, or none: a part that refuses its state leaves the others as they were."""
    before = {name: copy.deepcopy(_state(part)) for name, part in parts.items()}
    done: list[str] = []
    try:
        for name, part in parts.items():
            done.append(name)
            _restore(part, states[name])
    except BaseException:
        for name in done:
            with suppress(Exception):
                _restore(parts[name], before[name])
        raise


def _kind(name: str, part: Part) -> str:
    """What a part is, in a word."""
    if isinstance(part, nn.Module):
        return "Module"
    if isinstance(part, (torch.Generator, Tensor, Stateful)):
        return type(part).__name__
    raise ValueError(
        f"{name}: expected a module, an optimiser, a generator, a tensor or something with "
        f"state_dict and load_state_dict, got {type(part).__name__}."
    )


def _state(part: Part) -> Tree:
    """A part's state; an optimiser's with the shapes of its parameters."""
    if isinstance(part, Tensor):
        return part
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, torch.optim.Optimizer):
        return {"state": part.state_dict(), "shapes": _parameter_shapes(part)}
    return part.state_dict()


def _restore(part: Part, state: Tree) -> None:
    """Put a state back."""
    if isinstance(part, Tensor):
        with torch.no_grad():
            part.copy_(state)
    elif isinstance(part, torch.Generator):
        part.set_state(state)
    elif isinstance(part, torch.optim.Optimizer):
        part.load_state_dict(state["state"])
    else:
        part.load_state_dict(state)


def _parameter_shapes(optimiser: torch.optim.Optimizer) -> list[list[list[int]]]:
    """The shape of each parameter in each group."""
    return [[list(p.shape) for p in group["params"]] for group in optimiser.param_groups]


def _compare(where: str, part: Part, kind: str, state: Tree) -> None:
    """Raise unless ``state`` fits the part."""
    if (mine := _kind(where, part)) != kind:
        raise ValueError(f"{where}: expected {kind}, which was saved, got {mine}.")
    if isinstance(part, torch.optim.Optimizer):
        if (shapes := _parameter_shapes(part)) != state["shapes"]:
            raise ValueError(
                f"{where}: expected parameters of shapes {state['shapes']}, got {shapes}."
            )
    elif isinstance(part, (nn.Module, torch.Generator, Tensor)):
        _compare_tensors(where, dict(_leaves(state)), dict(_leaves(_state(part))))


def _compare_tensors(where: str, saved: dict[str, Tensor], mine: dict[str, Tensor]) -> None:
    """Raise unless the names and the shapes are the same."""
    if saved.keys() != mine.keys():
        raise ValueError(
            f"{where}: the names differ; only in the file: {sorted(saved.keys() - mine.keys())}, "
            f"only here: {sorted(mine.keys() - saved.keys())}."
        )
    for name, tensor in mine.items():
        if saved[name].shape != tensor.shape or saved[name].dtype != tensor.dtype:
            raise ValueError(
                f"{where}{name}: expected {saved[name].dtype} {list(saved[name].shape)}, which was "
                f"saved, got {tensor.dtype} {list(tensor.shape)}."
            )


def _leaves(tree: Tree, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """The tensors of a tree with their names."""
    if isinstance(tree, Tensor):
        yield name, tree
    elif isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _leaves(value, f"{name}/{key}")
    elif isinstance(tree, (list, tuple)):
        for place, value in enumerate(tree):
            yield from _leaves(value, f"{name}/{place}")


def _pack(tree: Tree, name: str, tensors: dict[str, Tensor] | None) -> Any:
    """JSON for a tree; its tensors go to ``tensors`` under names that begin with ``name``."""
    if isinstance(tree, Tensor) and tensors is not None:
        if name in tensors:
            raise ValueError(f"{name}: two tensors of one name; rename the keys of the state.")
        tensors[name] = tree.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    if isinstance(tree, Mapping):
        keys = list(tree)
        if not all(isinstance(key, (str, int)) and not isinstance(key, bool) for key in keys):
            raise ValueError(f"{name}: expected string or whole-number keys, got {keys}.")
        return {"dict": [[key, _pack(tree[key], f"{name}/{key}", tensors)] for key in keys]}
    if isinstance(tree, (list, tuple)):
        word = "tuple" if isinstance(tree, tuple) else "list"
        return {word: [_pack(value, f"{name}/{i}", tensors) for i, value in enumerate(tree)]}
    raise ValueError(
        f"{name}: expected a tensor, number, string, list, tuple or dict, got "
        f"{type(tree).__name__}; save it another way, or leave it out."
    )


def _unpack(packed: Any, tensors: Mapping[str, Tensor]) -> Tree:
    """The tree that :func:`_pack` described."""
    if not isinstance(packed, dict):
        return packed
    ((word, content),) = packed.items()
    if word == "tensor":
        return tensors[content]
    if word == "dict":
        return {key: _unpack(value, tensors) for key, value in content}
    values = [_unpack(value, tensors) for value in content]
    return tuple(values) if word == "tuple" else values


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The header and the tensors of a file."""
    if not path.is_file():
        raise ValueError(f"load_checkpoint: expected a file, found none at {path}.")
    content = path.read_bytes()
    try:
        tensors = tensors_from_bytes(content)
        header = json.loads(json.loads(content[8 : _start(content)])["__metadata__"]["genbook"])
        if header["digest"] != _digest(content):
            raise ValueError("the digest of the tensors is another")
    except (SafetensorError, KeyError, TypeError, ValueError) as trouble:
        raise ValueError(
            f"{path}: expected a checkpoint written by save_checkpoint, got a file that is damaged "
            f"or another one ({trouble}); use an older checkpoint or begin again."
        ) from trouble
    if header["format"] != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {header['format']}.")
    return header, tensors


def _start(content: bytes) -> int:
    """Where the tensors' bytes begin in a safetensors file."""
    return 8 + int.from_bytes(content[:8], "little")


def _digest(content: bytes) -> str:
    """A checksum of the tensors' bytes."""
    return hashlib.blake2b(content[_start(content) :], digest_size=16).hexdigest()
