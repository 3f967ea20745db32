r"""What a machine is made of: programs and where their numbers come from, controls, layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genbook.kit.machine import noise, weights
from genbook.kit.machine.program import Program

__all__ = ["Act", "Choice", "Group", "Hand", "Layer", "Machine", "Panel", "Slider", "Twin"]


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
        restarts: whether another word begins anew.
    """

    name: str
    label: str
    words: tuple[str, ...]
    start: int = 0
    restarts: bool = True


@dataclass(frozen=True)
class Group:
    r"""Numbers that the machine keeps from step to step, one array a leaf.

    Args:
        shapes: of the leaves.
        bounds: at the start a leaf is uniform in ± its bound; 0 makes zeros.
        packed: trained numbers to begin with instead, see :mod:`genbook.kit.machine.weights`.
        lasting: whether they outlive a new beginning, as what was read of a text does; an act of
            the opening must then bring them to what it would have made of zeros.
    """

    shapes: tuple[tuple[int, ...], ...]
    bounds: tuple[float, ...]
    packed: str = ""
    lasting: bool = False

    @classmethod
    def trained(cls, tensors: Sequence[Tensor]) -> Group:
        r"""A group that begins with these tensors, rounded to 8 bits as pages have them.

        Args:
            tensors: of float32, finite.

        Returns:
            Its shapes, and their numbers packed.

        Example:
            >>> group = Group.trained([torch.ones(2, 3), torch.zeros(2)])
            >>> group.shapes, len(group.packed)
            (((2, 3), (2,)), 32)
        """
        shapes = tuple(tuple(tensor.shape) for tensor in tensors)
        return cls(shapes, (0.0,) * len(shapes), weights.pack(tensors))


@dataclass(frozen=True)
class Act:
    r"""A program, where its inputs come from and where its outputs go.

    A source is the name of a group (all its leaves, in order), ``control:name``, ``normal:stream``,
    ``uniform:stream``, ``data`` (the reader's numbers, padded with zeros), ``count`` (how many
    items they are) or ``at`` (the item that the reader looks at; −1 for the last). A target is the
    name of a group, or any other name, which the readout and the layers use.

    Args:
        programs: by the word of ``chosen``; a single one under ``""``.
        inputs: sources.
        outputs: targets.
        chosen: the choice that picks the program.
        times: the slider that says how often in a row; once if empty.
        until: a target of the act, one number; while it is above 0 the act is repeated.
    """

    programs: Mapping[str, Program]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    chosen: str = ""
    times: str = ""
    until: str = ""


@dataclass(frozen=True)
class Layer:
    r"""Something that is drawn on a panel.

    =========  ==================================================  ==========================
    kind       numbers of ``of``                                   ``other``
    =========  ==================================================  ==========================
    points     pairs (x, y)
    path       pairs (x, y), joined
    arrows     pairs (u, v)                                        the target they begin at
    field      shares in [0, 1], rows from below, a square         colour of the lower end
    line       heights over even x, the panel's edges among them
    bars       heights of even bars over the panel's width
    image      darkness in [0, 1], rows from above                 how many columns
    letters    triples: 1 + place in the alphabet, or 0; a shade   colour of the lower end
               in [−1, 1]; 1 if written by the machine, + 2 if
               looked at; on a grid of the panel's limits
    shades     shades in [−1, 1], side by side                     colour of the lower end
    guesses    pairs: 1 + place in the alphabet, its height
    =========  ==================================================  ==========================

    Args:
        kind: see the table.
        of: the target that holds its numbers, or ``data``.
        colour: a colour of the book, such as ``--gb-data``; of the upper end where there are two.
        other: see the table.
        first: where in the target its numbers begin.
        many: how many they are; all that follow if 0.
    """

    kind: str
    of: str
    colour: str
    other: str = ""
    first: int = 0
    many: int = 0


@dataclass(frozen=True)
class Hand:
    r"""How the reader makes data, with a pointer or with keys.

    ``points`` adds points. ``place`` moves one point. ``bars`` sets the heights of even bars,
    ``curve`` those over even places, the panel's edges among them.
    ``paint`` darkens pixels of a grid, rows from above; with the shift key held it rubs out.
    ``text`` takes letters of the machine's alphabet, typed in a field below, and chooses the letter
    that is looked at.

    Args:
        kind: one of these.
        words: what the picture is and what to do, for the screen reader.
        first: where in the data its numbers begin.
        many: how many numbers they are; points have no limit of their own.
        columns: of the grid to paint on.
        grain: to what the page's address rounds a number.
    """

    kind: str
    words: str
    first: int = 0
    many: int = 0
    columns: int = 0
    grain: float = 0.02


def painting(what: str, pixels: int, columns: int) -> Hand:
    r"""A hand that darkens pixels, with what is said to those who do not see it.

    Args:
        what: the picture is, such as ``"A digit"``.
        pixels: of the grid.
        columns: of the grid.

    Returns:
        The hand.

    Example:
        >>> painting("A digit", 64, 8).words.split(".")[0]
        'A digit'
    """
    return Hand(
        "paint",
        f"{what}. Paint with the pointer; with the shift key it rubs out. The arrow keys move a "
        "frame, the space bar darkens a pixel there.",
        many=pixels,
        columns=columns,
    )


@dataclass(frozen=True)
class Panel:
    r"""One pair of axes.

    Args:
        x: limits from left to right.
        y: limits from below.
        layers: what is drawn, from the back to the front.
        hand: how the reader makes data here.
        title: above the axes.
        xlabel: below them.
        ylabel: beside them; without labels and ticks if both are empty.
        ticks: words under even bars.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    layers: tuple[Layer, ...]
    hand: Hand | None = None
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    ticks: tuple[str, ...] = ()


def image_panel(
    of: str, colour: str, title: str, shape: tuple[int, int], hand: Hand | None = None
) -> Panel:
    r"""A panel that shows an image, a unit a pixel.

    Args:
        of: the target that holds its pixels, rows from above.
        colour: of a whole pixel of ink.
        title: above it.
        shape: height and width.
        hand: how the reader paints on it.

    Returns:
        The panel.

    Example:
        >>> image_panel("data", "--gb-data", "paint here", (8, 8)).layers[0].many
        64
    """
    height, width = shape
    layers = (Layer("image", of, colour, str(width), many=height * width),)
    return Panel((0.0, float(width)), (0.0, float(height)), layers, hand, title)


@dataclass(frozen=True)
class Machine:
    r"""A computation that a reader steers.

    Args:
        name: of the machine, in the page's address.
        groups: what it keeps, by name.
        acts: what one step does, in order.
        view: what is computed for each drawing; its random numbers stay the same.
        controls: sliders and choices.
        data: presets that the reader can start from, by name: points **[n, 2]**, or as many
            numbers as the hands make.
        most: how many points the data may have; for other hands, how many numbers they are.
        panels: what is drawn, from left to right.
        words: the readout; ``{target}`` is its number with three digits, ``{target%}`` in percent,
            ``{target#}`` a whole number, ``{target@}`` the letter at that place in the alphabet.
        also: more that is computed for each drawing, after the view.
        opening: what is done once before the first step, such as laying the data into a group.
        restarts: whether other data begin anew; otherwise the machine goes on with them.
        empty: what is said when there are no data.
        called: what the reader's numbers are called, such as "the data".
        size: width and height of the figure in inches.
        preview: how many steps the picture shows where no script runs.
        across: how many panels stand side by side; all of them if 0.
        heights: of the rows of panels, in shares; equal if empty.
        alphabet: the letters that a text may have, each once.
        pace: how many steps, at most, a running machine makes between two drawings.
    """

    name: str
    groups: Mapping[str, Group]
    acts: tuple[Act, ...]
    view: Act
    controls: tuple[Slider | Choice, ...]
    data: Mapping[str, Tensor]
    most: int
    panels: tuple[Panel, ...]
    words: str
    also: tuple[Act, ...] = ()
    opening: tuple[Act, ...] = ()
    restarts: bool = True
    empty: str = "Draw some data: click or drag on the picture."
    called: str = "the data"
    size: tuple[float, float] = (4.2, 4.0)
    preview: int = 0
    across: int = 0
    heights: tuple[float, ...] = ()
    alphabet: str = ""
    pace: int = 200

    @property
    def item(self) -> int:
        """How many numbers an item of the data has: two for points, else one."""
        hands = [panel.hand.kind for panel in self.panels if panel.hand]
        return 2 if "points" in hands or not hands else 1

    @property
    def growing(self) -> bool:
        """Whether the data have as many items as the reader likes."""
        return self.item == 2 or any(p.hand and p.hand.kind == "text" for p in self.panels)

    @property
    def random(self) -> bool:
        """Whether another seed makes a difference."""
        acts = (*self.opening, *self.acts, self.view, *self.also)
        sources = [source.split(":")[0] for act in acts for source in act.inputs]
        bounds = [bound for group in self.groups.values() for bound in group.bounds]
        return any(bounds) or "normal" in sources or "uniform" in sources

    def beginning(self) -> dict[str, Any]:
        """The settings that it begins with: a number for each slider, a word for each choice."""
        return {
            c.name: (c.words if isinstance(c, Choice) else c.values)[c.start] for c in self.controls
        }


@dataclass
class Twin:
    r"""The machine in Python, number for number: what the page must do.

    Args:
        machine: the machine.
        seed: of its random numbers.
        settings: the value of each slider and the word of each choice.
        data: points **[n, 2]**, or the numbers of other hands.
        dtype: of what is computed; in double precision the twin tells whose rounding a gap is.
        at: the item that the reader looks at; −1 for the last.
    """

    machine: Machine
    seed: int
    settings: Mapping[str, Any]
    data: Tensor
    dtype: torch.dtype = torch.float32
    at: int = -1
    state: dict[str, list[Tensor]] = field(default_factory=dict)
    targets: dict[str, Tensor] = field(default_factory=dict)
    played: int = 0

    def __post_init__(self) -> None:
        """Draw the start."""
        stream = 1_000
        for name, group in self.machine.groups.items():
            if group.packed:
                held = weights.unpack(group.packed, group.shapes)
                self.state[name] = [leaf.to(self.dtype) for leaf in held]
                continue
            leaves = []
            for shape, bound in zip(group.shapes, group.bounds, strict=True):
                size = int(np.prod(shape))
                drawn = noise.uniform(size, key=self.seed, stream=stream, step=0)
                start = torch.from_numpy((2 * drawn - 1) * np.float32(bound)).reshape(shape)
                leaves.append(start.to(self.dtype))
                stream += 1
            self.state[name] = leaves
        for act in self.machine.opening:
            self._act(act, 0)

    def step(self) -> None:
        """One step of the machine."""
        for act in self.machine.acts:
            for _ in range(round(self.settings[act.times]) if act.times else 1):
                self.played += 1
                self._act(act, self.played)

    def look(self) -> None:
        """Compute what is drawn."""
        for act in (self.machine.view, *self.machine.also):
            self._act(act, 0)

    def _act(self, act: Act, moment: int) -> None:
        self._once(act, moment)
        while act.until and self.targets[act.until] > 0:
            self._once(act, moment)

    def _once(self, act: Act, moment: int) -> None:
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
        if kind == "at":
            return torch.tensor(float(self.at))
        numbers = self.data.flatten()
        if kind == "count":
            return torch.tensor(float(len(numbers) // self.machine.item))
        padded = torch.zeros(size)
        padded[: len(numbers)] = numbers
        return padded.reshape(shape)
