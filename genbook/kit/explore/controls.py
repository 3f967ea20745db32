"""What a reader may turn: sliders, menus, checkboxes and recorded steps, all on a finite grid."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

MOST_FRAMES = 500


@dataclass(frozen=True)
class Steps:
    r"""The steps of a recorded run, 0 … ``count`` − 1, with a play button.

    Args:
        count: how many there are.
    """

    count: int


def steps(count: int) -> Steps:
    r"""A slider with a play button for scrubbing through ``count`` recorded steps.

    Args:
        count: how many there are; ``draw`` gets 0 … ``count`` − 1.

    Returns:
        A control for :func:`~genbook.kit.explore.explore`.

    Raises:
        ValueError: if there are fewer than two.

    Example:
        >>> steps(50)
        Steps(count=50)
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 2:
        raise ValueError(f"expected a whole number of at least 2 steps, got {count!r}")
    return Steps(count)


@dataclass(frozen=True)
class Control:
    r"""One control and the values it can take.

    Args:
        name: the parameter of ``draw`` that it sets.
        kind: ``"slider"``, ``"menu"``, ``"checkbox"`` or ``"steps"``.
        values: in order.
        texts: how each value is written.
        label: what the reader sees beside it.
        unit: written after each value.
        start: place in ``values`` at first.
    """

    name: str
    kind: str
    values: tuple[Any, ...]
    texts: tuple[str, ...]
    label: str
    unit: str
    start: int


@dataclass(frozen=True)
class Grid:
    r"""All controls of an explorable; its points are its frames, the last control fastest.

    Args:
        controls: in the order of ``draw``'s call.
    """

    controls: tuple[Control, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Values a control."""
        return tuple(len(control.values) for control in self.controls)

    @property
    def count(self) -> int:
        """How many frames there are."""
        return math.prod(self.shape)

    @property
    def start(self) -> tuple[int, ...]:
        """The first frame's place."""
        return tuple(control.start for control in self.controls)

    def values(self, place: tuple[int, ...]) -> dict[str, Any]:
        """What ``draw`` is called with at ``place``."""
        return {c.name: c.values[i] for c, i in zip(self.controls, place, strict=True)}

    def places(self) -> Iterator[tuple[int, ...]]:
        """Every place, in order."""
        return product(*(range(size) for size in self.shape))

    def number(self, place: tuple[int, ...]) -> int:
        """Where ``place`` stands in :meth:`places`."""
        number = 0
        for size, index in zip(self.shape, place, strict=True):
            number = number * size + index
        return number


def grid(
    draw: Callable[..., Any],
    specs: Mapping[str, Any],
    *,
    start: Mapping[str, Any] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
) -> Grid:
    r"""Read the controls of an explorable.

    Args:
        draw: the function they drive.
        specs: a control's name → ``(lo, hi, step)``, a list, a bool or :func:`steps`.
        start: values to begin with.
        labels: what the reader sees instead of the name.
        units: written after the values.

    Returns:
        The grid of their values.

    Raises:
        ValueError: if a control has no parameter or a parameter no control, a specification or a
            start value is wrong, or there are more than 500 frames.

    Example:
        >>> grid(lambda mu: None, {"mu": (0, 1, 0.5)}).controls[0].values
        (0.0, 0.5, 1.0)
    """
    if not specs:
        raise ValueError("expected at least one control, e.g. mu=(-4, 4, 0.25), got none")
    _check_signature(draw, specs)
    start, labels, units = dict(start or {}), dict(labels or {}), dict(units or {})
    for word, given in (("start", start), ("labels", labels), ("units", units)):
        unknown = sorted(given.keys() - specs.keys())
        if unknown:
            raise ValueError(
                f"expected {word} for the controls {', '.join(specs)}, got one for {unknown[0]!r}"
            )
    made = Grid(
        tuple(
            _control(name, spec, start, labels.get(name, name), units.get(name, ""))
            for name, spec in specs.items()
        )
    )
    if made.count > MOST_FRAMES:
        raise ValueError(
            f"expected at most {MOST_FRAMES} frames, got {made.count} "
            f"({' × '.join(f'{c.name}: {len(c.values)}' for c in made.controls)}); "
            + coarser(made, MOST_FRAMES)
        )
    return made


def coarser(grid: Grid, frames: int) -> str:
    r"""Advice that brings ``grid`` down to ``frames``: which control to coarsen, and to what.

    Args:
        grid: the controls.
        frames: how many frames are wanted at most.

    Returns:
        The end of a sentence.

    Example:
        >>> coarser(grid(lambda mu: None, {"mu": (0, 100, 1)}), 51)
        'coarsen mu, for example to mu=(0, 100, 2) (51 values)'
    """
    widest = max(grid.controls, key=lambda control: len(control.values))
    others = grid.count // len(widest.values)
    room = max(frames // others, 2)
    if widest.kind == "slider":
        low, high = widest.values[0], widest.values[-1]
        step = _nice((high - low) / (room - 1), whole=isinstance(low, int))
        values = _arange(low, high, step)
        return (
            f"coarsen {widest.name}, for example to "
            f"{widest.name}=({low}, {high}, {step}) ({len(values)} values)"
        )
    if widest.kind == "steps":
        return f"record fewer steps for {widest.name}, for example {widest.name}=steps({room})"
    return f"give {widest.name} fewer entries, at most {room}"


def _nice(step: float, *, whole: bool) -> float | int:
    """The next larger step of one digit or two."""
    exponent = math.floor(math.log10(step))
    for digit in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10):
        candidate = float(f"{digit * 10.0**exponent:.6g}")
        if candidate >= step * (1 - 1e-9):
            return math.ceil(candidate) if whole else candidate
    return candidate


def _check_signature(draw: Callable[..., Any], specs: Mapping[str, Any]) -> None:
    if not callable(draw):
        raise ValueError(f"expected draw to be a function that returns a figure, got {draw!r}")
    name = getattr(draw, "__name__", "draw")
    parameters = inspect.signature(draw).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    ordinary = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    named = {key for key, parameter in parameters.items() if parameter.kind in ordinary}
    for control in specs:
        if control not in named and not takes_all:
            raise ValueError(
                f"expected controls for {name}({', '.join(parameters)}), got {control!r}, "
                f"which is not one of its parameters; add it to {name} or leave the control out"
            )
    for key, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY or (
            parameter.default is parameter.empty and key not in specs
        ):
            raise ValueError(
                f"expected a control for the parameter {key!r} of {name}, got controls for "
                f"{', '.join(specs)}; give one, e.g. {key}=(0, 1, 0.1), or give {key} a default"
            )


def _control(name: str, spec: Any, start: Mapping[str, Any], label: str, unit: str) -> Control:
    kind, values, texts = _values(name, spec)
    if name in start:
        first = _place(name, values, texts, start[name])
    elif kind == "checkbox":
        first = int(spec)
    else:
        first = len(values) // 2 if kind == "slider" else 0
    return Control(name, kind, values, texts, label, unit, first)


def _values(name: str, spec: Any) -> tuple[str, tuple[Any, ...], tuple[str, ...]]:
    if isinstance(spec, bool):
        return "checkbox", (False, True), ("off", "on")
    if isinstance(spec, Steps):
        return "steps", tuple(range(spec.count)), tuple(str(i) for i in range(spec.count))
    if isinstance(spec, list):
        texts = tuple(str(value) for value in spec)
        if len(spec) < 2 or len(set(texts)) < len(texts):
            raise ValueError(f"expected two or more different entries, got {name}={spec!r}")
        return "menu", tuple(spec), texts
    if isinstance(spec, tuple) and len(spec) == 3 and all(_is_number(x) for x in spec):
        return "slider", *_slider(name, *spec)
    raise ValueError(
        f"expected {name} to be (lo, hi, step), a list, a bool or steps(n), got {name}={spec!r}"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _slider(
    name: str, low: float, high: float, step: float
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    if not (step > 0 and high - low >= step):
        raise ValueError(
            "expected lo < hi and a positive step no longer than hi − lo, "
            f"got {name}=({low}, {high}, {step})"
        )
    values = _arange(low, high, step)
    digits = max(_digits(low), _digits(step))
    return values, tuple(f"{value:.{digits}f}".replace("-", "−") for value in values)


def _arange(low: float, high: float, step: float) -> tuple[Any, ...]:
    """Decimal steps, so that three times 0.1 is 0.3; whole numbers stay whole."""
    first, last, stride = Decimal(str(low)), Decimal(str(high)), Decimal(str(step))
    count = int((last - first) / stride) + 1
    kind = int if isinstance(low, int) and isinstance(step, int) else float
    return tuple(kind(first + i * stride) for i in range(count))


def _digits(value: float) -> int:
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def _place(name: str, values: tuple[Any, ...], texts: tuple[str, ...], wanted: Any) -> int:
    for place, value in enumerate(values):
        same = (
            math.isclose(value, wanted, abs_tol=1e-9)
            if _both_numbers(value, wanted)
            else (value is wanted or bool(value == wanted))
        )
        if same:
            return place
    if _both_numbers(values[0], wanted):
        near = sorted(sorted(values, key=lambda value: abs(value - wanted))[:2])
        raise ValueError(
            f"expected start[{name!r}] on the grid, got {wanted!r}; the nearest are "
            f"{' and '.join(str(value) for value in near)}"
        )
    raise ValueError(f"expected start[{name!r}] to be one of {', '.join(texts)}, got {wanted!r}")


def _both_numbers(value: Any, wanted: Any) -> bool:
    return _is_number(value) and _is_number(wanted)
