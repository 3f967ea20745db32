"""A figure used again is a new figure, whatever was drawn on it before."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, PercentFormatter

from genbook.kit import plotting, recycling, svg
from genbook.kit.explore import frames
from genbook.kit.explore.controls import grid
from genbook.kit.explore.frames import Artist, styled
from genbook.kit.rollback import Memory

X = np.linspace(0.1, 2, 9)


@pytest.fixture(autouse=True, scope="module")
def _quick_collections() -> Iterator[None]:
    """The collector looks at what these tests make, as it does in a build."""
    gc.freeze()
    yield
    gc.unfreeze()


def _legend(axes: Axes) -> None:
    axes.plot(X, X**2, label="square")
    axes.legend(loc="upper left")


def _ticks(axes: Axes) -> None:
    axes.set_xticks([0, 1], labels=["low", "high"])
    axes.yaxis.set_major_locator(FixedLocator([0.5, 1.5]))
    axes.yaxis.set_major_formatter(PercentFormatter())
    axes.tick_params(axis="x", rotation=30, colors="red", length=9)


def _spines(axes: Axes) -> None:
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_position(("data", 0.5))
    axes.spines["top"].set(visible=True, color="red")


def _shared(axes: Axes) -> None:
    figure = axes.figure
    assert isinstance(figure, Figure)
    other = figure.add_axes((0.7, 0.7, 0.2, 0.2), sharex=axes)
    other.plot(X, X)


def _bar(axes: Axes) -> None:
    figure = axes.figure
    assert isinstance(figure, Figure)
    figure.colorbar(axes.imshow(np.eye(3)), ax=axes)


def _turned(axes: Axes) -> None:
    axes.figure.set_facecolor("yellow")
    axes.set_facecolor("0.9")
    axes.invert_yaxis()


ACTIONS: dict[str, Callable[[Axes], Any]] = {
    "line": lambda axes: axes.plot(X, X),
    "dots": lambda axes: axes.scatter(X, X, c=X),
    "limits": lambda axes: axes.set(xlim=(0.3, 9), ylim=(2, 5)),
    "titles": lambda axes: (axes.set_title(r"$\mu^2$"), axes.set_title("left", loc="left", y=1.1)),
    "labels": lambda axes: axes.set(xlabel="x", ylabel="y"),
    "ticks": _ticks,
    "legend": _legend,
    "image": lambda axes: axes.imshow(np.eye(3), interpolation="nearest"),
    "log": lambda axes: axes.set(xscale="log", yscale="log", xlim=(0.1, 10), ylim=(0.1, 10)),
    "symlog": lambda axes: axes.set_yscale("symlog"),
    "twin": lambda axes: axes.twinx().plot(X, 50 * X),
    "inset": lambda axes: axes.inset_axes((0.5, 0.5, 0.4, 0.4)).plot(X, X),
    "shared": _shared,
    "colours": _bar,
    "off": lambda axes: axes.set_axis_off(),
    "hidden": lambda axes: axes.set_visible(False),
    "no axis": lambda axes: axes.xaxis.set_visible(False),
    "aspect": lambda axes: axes.set_aspect("equal"),
    "grid": lambda axes: axes.grid(True, which="both", color="red"),
    "text": lambda axes: axes.text(0.5, 0.5, "a word", color="red"),
    "arrow": lambda axes: axes.annotate("b", (0, 0), (1, 1), arrowprops={"arrowstyle": "->"}),
    "area": lambda axes: axes.fill_between(X, X, alpha=0.3),
    "spines": _spines,
    "margins": lambda axes: axes.margins(0.4),
    "cycle": lambda axes: axes.set_prop_cycle(color=["red", "blue"]),
    "top": lambda axes: axes.xaxis.tick_top(),
    "minor": lambda axes: axes.minorticks_on(),
    "name": lambda axes: axes.figure.set_label("a note"),
    "over": lambda axes: axes.figure.suptitle("above all"),
    "clear": lambda axes: axes.clear(),
    "turned": _turned,
    "removed": lambda axes: axes.remove(),
}
SHAPES: tuple[dict[str, Any], ...] = (
    {},
    {"ncols": 2},
    {"nrows": 2, "ncols": 2, "sharex": True, "height": 4.0},
    {"ncols": 2, "width_ratios": [1, 2], "sharey": "row"},
)


def drawn(shape: dict[str, Any], actions: list[tuple[int, str]]) -> str:
    """What comes of drawing ``actions``, each on the axes of its number, on a figure of a shape."""
    figure, axes = plotting.subplots(**shape)
    places = list(np.atleast_1d(axes).flat)
    for place, name in actions:
        if places[place % len(places)].figure is not None:
            ACTIONS[name](places[place % len(places)])
    with svg.settings():
        for _ in range(2):  # the first drawing settles the layout
            root = svg.draw(figure, salt="a")
    return svg.serialise(root)


def outcome(shape: dict[str, Any], actions: list[tuple[int, str]]) -> str:
    """The drawing, or the kind of error where matplotlib cannot draw such a mixture."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return drawn(shape, actions)
        except Exception as error:
            return type(error).__name__


steps = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(sorted(ACTIONS))), max_size=6)


@given(st.sampled_from(SHAPES), st.lists(steps, min_size=2, max_size=4))
@settings(deadline=None, max_examples=25)
def test_a_figure_used_again_draws_what_a_new_one_does(
    shape: dict[str, Any], turns: list[list[tuple[int, str]]]
) -> None:
    with styled(), recycling.recycling() as pool:
        for actions in turns:
            with recycling.nothing_recycled():
                fresh = outcome(shape, actions)
            again = outcome(shape, actions)
            pool.take_back()
            assert again == fresh


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_no_action_leaves_a_trace(name: str) -> None:
    shape = {"ncols": 2, "sharex": True}
    with styled():
        clean = drawn(shape, [(0, "line")])
        with recycling.recycling() as pool:
            outcome(shape, [(0, name)])
            pool.take_back()
            gc.collect()
            assert drawn(shape, [(0, "line")]) == clean


def test_a_figure_is_used_again_when_nobody_holds_it() -> None:
    with styled(), recycling.recycling() as pool:
        numbers = set()
        for _ in range(5):
            figure, _ = plotting.subplots()
            numbers.add(id(figure))
            del figure, _
            pool.take_back()
    assert len(numbers) == 1


def test_a_figure_that_somebody_holds_is_not_used_again() -> None:
    with styled(), recycling.recycling() as pool:
        first, _ = plotting.subplots()
        pool.take_back()
        second, _ = plotting.subplots()
    assert first is not second


@pytest.mark.parametrize("other", [{"width": 3.0}, {"ncols": 2}, {"sharex": True}])
def test_other_arguments_give_another_figure(other: dict[str, Any]) -> None:
    with styled(), recycling.recycling() as pool:
        figure, axes = plotting.subplots()
        number = id(figure)
        del figure, axes
        pool.take_back()
        assert id(plotting.subplots(**other)[0]) != number


def test_other_settings_give_another_figure() -> None:
    with styled(), recycling.recycling() as pool:
        figure, axes = plotting.subplots()
        del figure, axes
        pool.take_back()
        with matplotlib.rc_context({"axes.facecolor": "red"}):
            assert plotting.subplots()[1].get_facecolor() == (1, 0, 0, 1)


def test_an_argument_that_is_an_object_is_not_recycled() -> None:
    with styled(), recycling.recycling() as pool:
        plotting.subplots(subplot_kw={"sharex": plotting.subplots()[1]})
        assert len(pool._lent) == 1


def test_figures_that_are_kept_in_secret_are_refused() -> None:
    def turn(pool: recycling.Pool) -> list[Any]:
        made = [plotting.subplots()]
        pool.take_back()
        return made

    with styled(), recycling.recycling() as pool:
        kept = [turn(pool) for _ in range(recycling.RESTING)]
        with pytest.raises(ValueError, match="a new figure each time"):
            turn(pool)
    assert len(kept) == recycling.RESTING


def test_a_free_figure_of_another_kind_does_not_keep_the_collector_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    usual = recycling._loan
    monkeypatch.setattr(recycling, "_loan", lambda make, key: made.append(key) or usual(make, key))
    gc.disable()
    try:
        with styled(), recycling.recycling() as pool:
            plotting.subplots(width=3)
            pool.take_back()
            for _ in range(12):
                circle: list[Any] = [plotting.subplots()]
                circle.append(circle)
                del circle
                pool.take_back()
    finally:
        gc.enable()
    assert len(made) == 1 + recycling.RESTING


def pool_used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each later explorable was drawn on figures used again."""
    seen: list[bool] = []
    usual = recycling.lets_go
    monkeypatch.setattr(recycling, "lets_go", lambda make: seen.append(usual(make)) or seen[-1])
    monkeypatch.setattr(frames, "_can_fork", lambda count: False)
    return seen


def checked(draw: Any) -> None:
    """Every frame is the one drawn anew."""
    artist = Artist(draw, grid(draw, {"a": (0, 4, 0.5)}), salt="a", alt="x")
    for place, node in zip(artist.grid.places(), artist.frames(), strict=True):
        assert svg.serialise(node) == svg.serialise(artist.frame(place))


def test_a_draw_that_keeps_its_figures_gets_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    @cache
    def draw(a: float) -> Figure:
        figure, axes = plotting.subplots(width=3, height=2)
        axes.plot([0, 1], [0, a])
        axes.set(xlim=(0, 1), ylim=(0, 4))
        return figure

    seen = pool_used(monkeypatch)
    checked(draw)
    assert seen == [False]


def test_a_draw_that_uses_pyplot_is_right_and_leaves_no_figure_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def draw(a: float) -> Figure:
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.plot([0, 1], [0, a])
        axes.set(xlim=(0, 1), ylim=(0, 4))
        return figure

    pool_used(monkeypatch)
    before = plt.get_fignums()
    checked(draw)
    assert plt.get_fignums() == before


def test_a_draw_with_twins_and_added_axes_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(a: float) -> Figure:
        figure, axes = plotting.subplots(width=3, height=2)
        axes.plot([0, 1], [0, a])
        axes.set(xlim=(0, 1), ylim=(0, 4))
        twin = axes.twinx()
        twin.plot([0, 1], [a, 0])
        twin.set_ylim(0, 9)
        figure.add_axes((0.5, 0.5, 0.2, 0.2)).set(xlim=(0, 2), ylim=(0, 2))
        return figure

    seen = pool_used(monkeypatch)
    checked(draw)
    assert seen == [True]


def test_memory_brings_back_attributes_containers_arrays_and_slots() -> None:
    class Slotted:
        __slots__ = ("__hidden", "value")

        def __init__(self) -> None:
            self.value, self.__hidden = 1, [1]

        def change(self) -> None:
            self.value = 2
            self.__hidden = [2]

        def all(self) -> tuple[int, list[int]]:
            return self.value, self.__hidden

    class Thing:
        pass

    thing: Any = Thing()
    thing.slotted, thing.array, thing.table = Slotted(), np.arange(3.0), {"a": {1}, "b": [thing]}
    memory = Memory(thing)
    thing.slotted.change()
    thing.array += 1
    thing.table["a"].add(2)
    thing.table["b"].clear()
    thing.table["c"] = thing.new = 0
    memory.restore()
    assert thing.slotted.all() == (1, [1])
    assert thing.array.tolist() == [0, 1, 2]
    assert thing.table == {"a": {1}, "b": [thing]}
    assert not hasattr(thing, "new")
