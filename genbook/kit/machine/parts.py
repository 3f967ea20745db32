r"""What a machine is made of: programs and where their numbers come from, controls, layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbook.kit.machine import noise
from genbook.kit.machine.program import Program

__all__ = ["Act", "Choice", "Group", "Layer", "Machine", "Slider", "Twin"]


@dataclass(frozen=True)
class Slider:
    r"""A number that the reader chooses; a source ``control:name`` gives it.

    Args:
        name: in the programs' sources and in the page's address.
        label: what the reader reads.
        values: from left to right.
        start: the index of the first.
    """

    name: str
    label: str
    values: tuple[float, ...]
    start: int = 0


@dataclass(frozen=True)
class Choice:
    r"""A word that the reader chooses; it picks one of an act's programs.

    Args:
        name: in the page's address.
        label: what the reader reads.
        words: to choose from.
        start: the index of the first.
    """

    name: str
    label: str
    words: tuple[str, ...]
    start: int = 0


@dataclass(frozen=True)
class Group:
    r"""Numbers that the machine keeps from step to step, one array a leaf.

    Args:
        shapes: of the leaves.
        bounds: at the start a leaf is uniform in ± its bound; 0 makes zeros.
    """

    shapes: tuple[tuple[int, ...], ...]
    bounds: tuple[float, ...]


@dataclass(frozen=True)
class Act:
    r"""A program, where its inputs come from and where its outputs go.

    A source is the name of a group (all its leaves, in order), ``control:name``, ``normal:stream``,
    ``uniform:stream``, ``points`` (the data, padded with zeros) or ``count`` (how many they are).
    A target is the name of a group, or any other name, which the readout and the layers use.

    Args:
        programs: by the word of ``chosen``; a single one under ``""``.
        inputs: sources.
        outputs: targets.
        chosen: the choice that picks the program.
        times: the slider that says how often in a row; once if empty.
    """

    programs: Mapping[str, Program]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    chosen: str = ""
    times: str = ""


@dataclass(frozen=True)
class Layer:
    r"""Something that is drawn on the axes.

    Args:
        kind: ``field`` (a square of shares in [0, 1], from below), ``points`` or ``arrows``.
        of: the target that holds it, or ``points`` for the data.
        colour: a colour of the book, such as ``--gb-data``; for a field, of its upper end.
        other: for a field, the colour of its lower end; for arrows, the target they begin at.
    """

    kind: str
    of: str
    colour: str
    other: str = ""


@dataclass(frozen=True)
class Machine:
    r"""A computation that a reader steers.

    Args:
        name: of the machine, in the page's address.
        groups: what it keeps, by name.
        acts: what one step does, in order.
        view: what is computed for each drawing; its random numbers stay the same.
        controls: sliders and choices.
        data: presets that the reader can start from, each **[n, 2]**, by name.
        most: how many points the data may have.
        layers: what is drawn, from the back to the front.
        words: the readout; ``{target}`` is its number with three digits, ``{target%}`` in percent.
    """

    name: str
    groups: Mapping[str, Group]
    acts: tuple[Act, ...]
    view: Act
    controls: tuple[Slider | Choice, ...]
    data: Mapping[str, Tensor]
    most: int
    layers: tuple[Layer, ...]
    words: str


@dataclass
class Twin:
    r"""The machine in Python, number for number: what the page must do.

    Args:
        machine: the machine.
        seed: of its random numbers.
        settings: the value of each slider and the word of each choice.
        points: the data, **[n, 2]**.
        dtype: of what is computed; in double precision the twin tells whose rounding a gap is.
    """

    machine: Machine
    seed: int
    settings: Mapping[str, Any]
    points: Tensor
    dtype: torch.dtype = torch.float32
    state: dict[str, list[Tensor]] = field(default_factory=dict)
    targets: dict[str, Tensor] = field(default_factory=dict)
    played: int = 0

    def __post_init__(self) -> None:
        """Draw the start."""
        stream = 1_000
        for name, group in self.machine.groups.items():
            leaves = []
            for shape, bound in zip(group.shapes, group.bounds, strict=True):
                size = int(np.prod(shape))
                drawn = noise.uniform(size, key=self.seed, stream=stream, step=0)
                start = torch.from_numpy((2 * drawn - 1) * np.float32(bound)).reshape(shape)
                leaves.append(start.to(self.dtype))
                stream += 1
            self.state[name] = leaves

    def step(self) -> None:
        """One step of the machine."""
        for act in self.machine.acts:
            for _ in range(round(self.settings[act.times]) if act.times else 1):
                self.played += 1
                self._act(act, self.played)

    def look(self) -> None:
        """Compute what is drawn."""
        self._act(self.machine.view, 0)

    def _act(self, act: Act, moment: int) -> None:
        program = act.programs[self.settings[act.chosen] if act.chosen else ""]
        leaves: list[Tensor] = []
        shapes = iter(program.shapes)
        for source in act.inputs:
            if source in self.state:
                leaves += self.state[source]
                for _ in self.state[source]:
                    next(shapes)
            else:
                leaves.append(self._given(source, next(shapes), moment).to(self.dtype))
        found = iter(program.run_flat(leaves))
        for target in act.outputs:
            if target in self.state:
                self.state[target] = [next(found) for _ in self.state[target]]
            else:
                self.targets[target] = next(found)

    def _given(self, source: str, shape: tuple[int, ...], moment: int) -> Tensor:
        kind, _, name = source.partition(":")
        size = int(np.prod(shape))
        if kind == "control":
            return torch.tensor(float(self.settings[name]))
        if kind == "normal":
            drawn = noise.normal(size, key=self.seed, stream=int(name), step=moment)
            return torch.from_numpy(drawn).reshape(shape)
        if kind == "uniform":
            drawn = noise.uniform(size, key=self.seed, stream=int(name), step=moment)
            return torch.from_numpy(drawn).reshape(shape)
        if kind == "count":
            return torch.tensor(float(len(self.points)))
        padded = torch.zeros(shape)
        padded[: len(self.points)] = self.points
        return padded
