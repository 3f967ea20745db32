"""Explorables: what they accept, what they refuse, and that nothing is lost on the way."""

from __future__ import annotations

import base64
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from genbook.kit import explore as package
from genbook.kit import plotting, svg
from genbook.kit.explore import delta, explorable, explore, frames, standalone, steps
from genbook.kit.explore.controls import coarser, grid
from genbook.kit.explore.frames import Artist
from genbook.kit.explore.live import Explorable
from genbook.kit.explore.numbers import ALPHABET, pack, unpack
from genbook.kit.explore.stage import AxisLines
from genbook.kit.svg import Node

X = np.linspace(-6, 6, 120)


def curves(mu: float, sigma: float) -> Figure:
    figure, (left, right) = plotting.subplots(1, 2)
    p = np.exp(-0.5 * X**2)
    q = np.exp(-0.5 * ((X - mu) / sigma) ** 2) / sigma
    left.plot(X, p, color=plotting.DATA)
    left.plot(X, q, color=plotting.MODEL)
    left.set(xlim=(-6, 6), ylim=(0, 2), title=rf"$\mu$ = {mu:.2f}")
    right.fill_between(X, p - q, color=plotting.CRITIC, alpha=0.3)
    right.set(xlim=(-6, 6), ylim=(-2, 2))
    return figure


def line(slope: float) -> Figure:
    figure, axes = plotting.subplots(width=3, height=2)
    axes.plot([0, 1], [0, slope], color=plotting.MODEL)
    axes.set(xlim=(0, 1), ylim=(0, 4))
    return figure


def changing(kind: str, more: bool, step: int) -> Figure:
    """Elements come, go and change their number."""
    figure, axes = plotting.subplots(width=3, height=2)
    if kind == "points":
        axes.scatter(np.arange(step + 3), np.arange(step + 3), color=plotting.DATA)
    elif kind == "picture":
        axes.imshow(np.outer(np.arange(4), np.arange(4)) * (step + 1), vmin=0, vmax=40)
    else:
        axes.contour(np.add.outer(np.arange(9) ** 2, step * np.arange(9)), levels=4)
    if more:
        axes.plot([0, 5], [0, step], color=plotting.MODEL, label="more")
        axes.legend()
    axes.set(xlim=(0, 8), ylim=(0, 8), aspect="auto")
    return figure


def jumping(slope: float) -> Figure:
    figure, axes = plotting.subplots(width=3, height=2)
    axes.plot([0, 1], [0, slope])
    axes.set(title="loss")
    return figure


WORDS = {"caption": "What to see.", "alt": "A drawing."}
LEVELS: tuple[float, float, float] = (0.0, 4.0, 0.5)


# numbers and texts


@given(st.lists(st.integers(-31_000_000, 31_000_000) | st.integers(-30, 30) | st.just(0)))
@settings(deadline=None, max_examples=100)
def test_packing_numbers_loses_nothing(numbers: list[int]) -> None:
    text = pack(numbers)
    assert list(unpack(text)) == numbers
    assert set(text) <= set(ALPHABET)
    assert not set(text) & set('"&<>\\ ')


def test_a_number_too_large_to_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="31 million"):
        pack([10**9])


@given(st.lists(st.integers(-99_999, 99_999), min_size=1, max_size=9), st.booleans())
@settings(deadline=None, max_examples=25)
def test_a_text_parts_into_skeleton_and_numbers_and_back(numbers: list[int], closed: bool) -> None:
    skeleton = f"M{len(numbers)}" + ("Z" if closed else "")
    text = delta.join(skeleton, numbers)
    assert delta.split(text) == (skeleton, numbers)


@pytest.mark.parametrize("text", ["p = 0.50", "007", "-0", "#0072b2"])
def test_a_text_that_would_not_come_back_is_left_alone(text: str) -> None:
    assert delta.split(text) is None


# frames and what changes between them


def searched(values: list[int], against: list[int]) -> str:
    """Every way of writing a stream, the first of the cheapest: what the short cut must give."""
    numbers, base = np.array(values, dtype=np.int64), np.array(against, dtype=np.int64)
    alike = len(values) == len(against)
    if alike and (numbers == base).all():
        return ALPHABET[delta.SAME]
    ways = []
    for mode, (absolute, order) in enumerate(delta.MODES, start=1):
        if absolute or alike:
            rest = numbers if absolute else numbers - base
            for _ in range(order):
                rest = np.diff(rest, prepend=0)
            size = np.abs(rest)
            cost = ((size > 27) + 1.0 * (size > 1300) + (size != 0) * 0.5 + 0.5).sum()
            ways.append((float(cost), mode, rest.tolist()))
    _, mode, rest = min(ways)
    return ALPHABET[mode] + pack(rest)


near = st.integers(-3000, 3000) | st.integers(-29, 29) | st.sampled_from([0, 27, 28, 1300, 1301])


@given(st.lists(st.tuples(near, near), max_size=12), st.integers(0, 12))
@settings(deadline=None, max_examples=200)
def test_a_stream_is_written_as_the_search_through_all_modes_would(
    pairs: list[tuple[int, int]], kept: int
) -> None:
    values, against = [a for a, _ in pairs], [b for _, b in pairs]
    for base in (against, against[:kept], values):
        assert delta._stream(values, base) == searched(values, base)


def encoded(draw: Any, **specs: Any) -> tuple[list[Node], delta.Encoded]:
    artist = Artist(draw, grid(draw, specs), salt="a", alt="x")
    drawn = artist.frames()
    return drawn, delta.encode(drawn, artist.grid.shape, artist.grid.number(artist.grid.start))


@pytest.mark.parametrize(
    ("draw", "specs"),
    [
        (curves, {"mu": (-2, 2, 1), "sigma": (0.2, 2, 0.6)}),
        (changing, {"kind": ["points", "picture", "contours"], "more": False, "step": steps(4)}),
    ],
)
def test_decoding_gives_exactly_what_python_drew(draw: Any, specs: dict[str, Any]) -> None:
    drawn, code = encoded(draw, **specs)
    for number, frame in enumerate(drawn):
        assert svg.serialise(delta.decode(code, number)) == svg.serialise(frame)


names = st.sampled_from("abc")
values = st.sampled_from(["0", "1.5", "M0 1 2 3", "M0 1 2 3 4 5", "x < y", "#fff"])
leaves = st.builds(
    lambda tag, attributes, text: Node(tag, attributes, text),
    names,
    st.dictionaries(st.sampled_from(["d", "x"]), values, max_size=2),
    st.sampled_from(["", "", "0.25", "word"]),
)
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda tag, children: Node(tag, {}, children=children), names, st.lists(inner, max_size=3)
    ),
    max_leaves=6,
)


def plain(node: Node) -> Any:
    """Everything but the order of attributes."""
    return node.tag, node.attributes, node.text, [plain(child) for child in node.children]


@given(st.lists(trees, min_size=6, max_size=6), st.integers(0, 5))
@settings(deadline=None, max_examples=25)
def test_any_change_of_structure_survives(children: list[Node], start: int) -> None:
    drawn = [Node("svg", {}, children=[child]) for child in children]
    code = delta.encode(drawn, (2, 3), start)
    json.dumps(code.json())
    for number, frame in enumerate(drawn):
        assert plain(delta.decode(code, number)) == plain(frame)


def test_a_curve_is_stored_once_for_each_value_of_what_it_depends_on() -> None:
    def draw(first: float, second: float) -> Figure:
        figure, axes = plotting.subplots(width=3, height=2)
        axes.plot(X, np.sin(X + first))
        axes.plot(X, np.cos(X + second))
        axes.set(xlim=(-6, 6), ylim=(-1, 1))
        return figure

    _, code = encoded(draw, first=(0, 1, 0.25), second=(0, 1, 0.5))
    assert [(c.name, c.axes, len(c.codes)) for c in code.columns] == [
        ("d", (0,), 5),
        ("d", (1,), 3),
    ]


def test_a_two_panel_line_figure_takes_less_than_a_kilobyte_a_frame() -> None:
    _, code = encoded(curves, mu=(-2, 2, 1), sigma=(0.2, 2, 0.3))
    assert len(json.dumps(code.json())) / 35 < 1000


def test_frames_drawn_by_two_processes_are_those_drawn_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = grid(line, {"slope": LEVELS})
    monkeypatch.setattr(frames, "_can_fork", lambda count: True)
    both = Artist(line, board, salt="a", alt="x").frames()
    monkeypatch.setattr(frames, "_can_fork", lambda count: False)
    one = Artist(line, board, salt="a", alt="x").frames()
    assert [svg.serialise(node) for node in both] == [svg.serialise(node) for node in one]


def test_a_second_process_that_dies_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    here = os.getpid()

    def draw(slope: float) -> Figure:
        if os.getpid() != here:
            raise MemoryError
        return line(slope)

    monkeypatch.setattr(frames, "_can_fork", lambda count: True)
    assert len(Artist(draw, grid(draw, {"slope": LEVELS}), salt="a", alt="x").frames()) == 9


@pytest.mark.parametrize("draw", [curves, line])
def test_shared_axis_lines_change_nothing(draw: Any) -> None:
    specs = {"mu": (-2, 2, 2), "sigma": (0.2, 2, 0.9)} if draw is curves else {"slope": LEVELS}
    artist = Artist(draw, grid(draw, specs), salt="a", alt="x")
    for place, node in zip(artist.grid.places(), artist.frames(), strict=True):
        assert svg.serialise(node) == svg.serialise(artist.frame(place))


def test_axes_without_lines_or_ticks_are_not_drawn_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(slope: float) -> Figure:
        figure = line(slope)
        figure.axes[0].set(xticks=[], yticks=[])
        return figure

    def in_full(self: Artist, place: tuple[int, ...]) -> Any:
        full.append(place)
        return frame(self, place)

    full: list[tuple[int, ...]] = []
    frame = Artist.frame
    monkeypatch.setattr(Artist, "frame", in_full)
    artist = Artist(draw, grid(draw, {"slope": LEVELS}), salt="a", alt="x")
    drawn = artist.frames()
    assert len(full) == 2
    for place, node in zip(artist.grid.places(), drawn, strict=True):
        assert svg.serialise(node) == svg.serialise(artist.frame(place))


def test_axis_lines_that_differ_are_drawn_each_time() -> None:
    def draw(slope: float) -> Figure:
        figure = line(slope)
        figure.axes[0].set_xlabel(f"slope {slope}")
        figure.axes[0].set_xticks([0, 1], labels=["low", f"high {slope}"])
        return figure

    artist = Artist(draw, grid(draw, {"slope": LEVELS}), salt="a", alt="x")
    drawn = [svg.serialise(node) for node in artist.frames()]
    for place, text in zip(artist.grid.places(), drawn, strict=True):
        assert text == svg.serialise(artist.frame(place))
        assert f"slope {artist.grid.values(place)['slope']}<" in text


def test_each_kind_of_axis_lines_is_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(slope: float, unit: str) -> Figure:
        figure = line(slope)
        figure.axes[0].set_xticks([0, 1], labels=["0", unit])
        return figure

    whole: list[str] = []
    usual = AxisLines._whole

    def counted(self: AxisLines, figure: Figure, marked: Any, signature: str) -> Node:
        whole.append(signature)
        return usual(self, figure, marked, signature)

    monkeypatch.setattr(AxisLines, "_whole", counted)
    board = grid(draw, {"slope": LEVELS, "unit": ["metre", "foot"]})
    artist = Artist(draw, board, salt="a", alt="x")
    drawn = artist.frames()
    assert len(whole) == len(set(whole)) == 2
    for place, node in zip(artist.grid.places(), drawn, strict=True):
        assert svg.serialise(node) == svg.serialise(artist.frame(place))


# controls


def test_sliders_take_decimal_steps() -> None:
    board = grid(lambda a: None, {"a": (0.1, 0.7, 0.2)})
    assert board.controls[0].values == (0.1, 0.3, 0.5, 0.7)
    assert board.controls[0].texts == ("0.1", "0.3", "0.5", "0.7")


def test_whole_sliders_give_whole_numbers() -> None:
    values = grid(lambda a: None, {"a": (-2, 2, 2)}).controls[0].values
    assert values == (-2, 0, 2)
    assert all(isinstance(value, int) for value in values)


def test_first_values_are_the_middle_the_first_and_the_bool() -> None:
    specs = {"a": (0, 4, 1), "b": ["x", "y"], "c": True, "d": steps(5)}
    board = grid(lambda a, b, c, d: None, specs)
    assert board.values(board.start) == {"a": 2, "b": "x", "c": True, "d": 0}
    moved = grid(lambda a, b, c, d: None, specs, start={"a": 3.0, "b": "y", "c": False, "d": 4})
    assert moved.values(moved.start) == {"a": 3, "b": "y", "c": False, "d": 4}


def test_places_are_numbered_with_the_last_control_fastest() -> None:
    board = grid(lambda a, b: None, {"a": (0, 2, 1), "b": (0, 3, 1)})
    assert [board.number(place) for place in board.places()] == list(range(12))
    assert list(board.places()) == list(product(range(3), range(4)))


@pytest.mark.parametrize(
    ("specs", "options", "message"),
    [
        ({}, {}, "at least one control"),
        ({"b": (0, 1, 0.5)}, {}, "'b', which is not one of its parameters"),
        ({"a": (0, 1, 0.5), "b": True}, {}, "'b', which is not one of its parameters"),
        ({"a": (1, 0, 0.5)}, {}, "lo < hi"),
        ({"a": (0, 1, 0)}, {}, "lo < hi"),
        ({"a": (0, 1, 2)}, {}, "lo < hi"),
        ({"a": (0, float("nan"), 1)}, {}, r"\(lo, hi, step\)"),
        ({"a": (0, 1)}, {}, r"\(lo, hi, step\)"),
        ({"a": "words"}, {}, r"\(lo, hi, step\)"),
        ({"a": ["x"]}, {}, "two or more different"),
        ({"a": ["x", "x"]}, {}, "two or more different"),
        ({"a": (0, 600, 1)}, {}, r"coarsen a, for example to a=\(0, 600, 2\)"),
        ({"a": (0, 1, 0.25)}, {"start": {"a": 0.3}}, "nearest are 0.25 and 0.5"),
        ({"a": ["x", "y"]}, {"start": {"a": "z"}}, "one of x, y"),
        ({"a": (0, 1, 0.5)}, {"start": {"b": 1}}, "start for the controls a"),
        ({"a": (0, 1, 0.5)}, {"labels": {"b": "B"}}, "labels for the controls a"),
        ({"a": (0, 1, 0.5)}, {"units": {"b": "m"}}, "units for the controls a"),
    ],
)
def test_a_bad_control_is_refused(specs: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        grid(lambda a: None, specs, **options)


def test_a_parameter_without_a_control_is_refused() -> None:
    with pytest.raises(ValueError, match="a control for the parameter 'sigma' of curves"):
        grid(curves, {"mu": (0, 1, 0.5)})


def test_a_parameter_with_a_default_needs_no_control() -> None:
    assert grid(lambda a, b=1: None, {"a": (0, 1, 0.5)}).count == 3
    assert grid(lambda **all: None, {"a": (0, 1, 0.5)}).count == 3


@pytest.mark.parametrize("count", [1, 0, -3, 2.5, True, "ten"])
def test_too_few_steps_are_refused(count: Any) -> None:
    with pytest.raises(ValueError, match="at least 2 steps"):
        steps(count)


@given(st.integers(501, 5000), st.sampled_from([1, 0.1, 0.25]))
@settings(deadline=None, max_examples=25)
def test_advice_on_a_slider_too_fine_is_sound(count: int, step: float) -> None:
    with pytest.raises(ValueError, match="coarsen a") as caught:
        grid(lambda a: None, {"a": (0, (count - 1) * step, step)})
    advice = re.search(r"a=\((\S+), (\S+), (\S+)\) \(", str(caught.value))
    assert advice
    spec = tuple(float(part) for part in advice.groups())
    assert 100 <= grid(lambda a: None, {"a": spec}).count <= 500


def test_advice_on_steps_and_menus() -> None:
    board = grid(lambda a: None, {"a": steps(400)})
    assert coarser(board, 100) == "record fewer steps for a, for example a=steps(100)"
    board = grid(lambda a: None, {"a": [str(k) for k in range(9)]})
    assert coarser(board, 4) == "give a fewer entries, at most 4"


# explore


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    seen: list[Any] = []
    monkeypatch.setattr(package, "display", lambda thing, **_: seen.append(thing))
    return seen


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def test_the_build_gets_html_and_jupyter_a_widget(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBOOK_STATIC", "1")
    explore(line, slope=LEVELS, **WORDS)
    monkeypatch.delenv("GENBOOK_STATIC")
    explore(line, slope=LEVELS, **WORDS)
    bundle, widget = shown
    assert set(bundle) == {"text/html", "text/plain"}
    assert isinstance(widget, Explorable)
    assert repr(widget) == bundle["text/plain"] == "<Explorable: What to see.>"


def test_the_page_stands_without_its_script() -> None:
    html = standalone(line, slope=LEVELS, **WORDS)
    plain = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert "<svg" in plain
    assert "<figcaption>What to see.</figcaption>" in plain
    assert 'aria-label="A drawing."' in plain
    assert re.search(r'class="gb-controls"[^>]* hidden', plain)
    assert "slope = 2.0" in plain


def test_the_page_asks_no_other_host() -> None:
    assert not re.search(
        r"https?:|//[a-z]|\bimport\b|\bfetch\(", standalone(line, slope=LEVELS, **WORDS)
    )


def ids_in(html: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]*)"', html))


def test_figures_of_other_data_share_no_id_though_their_words_are_the_same() -> None:
    def steeper(slope: float) -> Figure:
        return line(slope + 0.1)

    steeper.__name__ = line.__name__
    first, second = (ids_in(standalone(d, slope=LEVELS, **WORDS)) for d in (line, steeper))
    assert first
    assert not first & second


def test_a_cell_run_twice_gives_the_same_page() -> None:
    first, second = (standalone(line, slope=LEVELS, **WORDS) for _ in range(2))
    assert first == second


def test_a_page_with_other_frames_is_another_edition() -> None:
    def bent(slope: float) -> Figure:
        return line(slope if slope != LEVELS[0] else slope + 0.01)

    bent.__name__ = line.__name__
    pages = [standalone(d, slope=LEVELS, **WORDS) for d in (line, bent)]
    editions = [re.search(r'data-edition="(\w+)"', page) for page in pages]
    assert ids_in(pages[0]) == ids_in(pages[1])
    assert len({found[1] for found in editions if found}) == 2


def test_words_cannot_end_the_script() -> None:
    html = standalone(
        line, slope=LEVELS, labels={"slope": "</script><b>"}, caption="c", alt="</script>"
    )
    assert data_of(html)["controls"][0]["label"] == "</script><b>"
    assert html.count("</script>") == 2


def test_labels_and_units_reach_the_page() -> None:
    html = standalone(line, slope=LEVELS, labels={"slope": "rise"}, units={"slope": "m"}, **WORDS)
    control = data_of(html)["controls"][0]
    assert (control["label"], control["unit"]) == ("rise", "m")
    assert "rise = 2.0 m" in html


def test_dragging_exports_the_first_axes_box_and_limits() -> None:
    drag = data_of(standalone(line, slope=LEVELS, drag=(None, "slope"), **WORDS))["drag"]
    assert drag["controls"] == [None, 0]
    assert drag["limits"] == [[0.0, 1.0], [0.0, 4.0]]
    left, top, width, height = drag["box"]
    assert 0 < left < left + width < 100
    assert 0 < top < top + height < 100


@pytest.mark.parametrize("drag", [("mu",), ("slope", "other"), (None, None), ("slope", "flag")])
def test_dragging_what_is_no_slider_is_refused(drag: Any) -> None:
    def draw(slope: float, flag: bool) -> Figure:
        return line(slope)

    with pytest.raises(ValueError, match="expected drag to name the sliders"):
        standalone(draw, slope=LEVELS, flag=True, drag=drag, **WORDS)


def test_dragging_over_limits_that_move_is_refused() -> None:
    with pytest.raises(ValueError, match="fixed limits under drag"):
        standalone(jumping, slope=LEVELS, drag=("slope", None), rescale=True, **WORDS)


@pytest.mark.parametrize("word", ["caption", "alt"])
def test_missing_words_are_refused(word: str) -> None:
    with pytest.raises(ValueError, match=f"expected a {word}"):
        standalone(line, slope=LEVELS, **{**WORDS, word: " "})


def test_a_draw_without_a_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="return a matplotlib figure, got NoneType"):
        standalone(lambda slope: None, slope=LEVELS, **WORDS)


def test_limits_that_jump_are_refused_by_name() -> None:
    with pytest.raises(
        ValueError, match=r"y limits of axes 0 \('loss'\) to stay at .* rescale=True"
    ):
        standalone(jumping, slope=LEVELS, **WORDS)


def test_limits_may_move_when_that_is_said() -> None:
    assert "<svg" in standalone(jumping, slope=LEVELS, rescale=True, **WORDS)


def test_another_number_of_axes_is_refused() -> None:
    def draw(slope: float) -> Figure:
        figure, _ = plotting.subplots(1, 1 if slope < 3 else 2)
        return figure

    with pytest.raises(ValueError, match="draw the same axes in every frame"):
        standalone(draw, slope=LEVELS, **WORDS)


def test_a_draw_that_is_not_pure_is_refused() -> None:
    rng = np.random.default_rng(0)

    def draw(slope: float) -> Figure:
        return line(slope + rng.random())

    with pytest.raises(ValueError, match="the same figure each time"):
        standalone(draw, slope=LEVELS, **WORDS)


def test_too_many_bytes_are_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explorable, "MOST_BYTES", 100)
    with pytest.raises(ValueError, match=r"at most 1 MB of frames.*coarsen slope"):
        standalone(line, slope=(0, 4, 0.1), **WORDS)


def test_references_are_drawn_for_the_browser_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENBOOK_EXPLORE_RECORD", str(tmp_path / "references"))
    html = standalone(line, slope=LEVELS, **WORDS)
    (path,) = (tmp_path / "references").iterdir()
    record = json.loads(path.read_text(encoding="utf-8"))
    assert f'id="{record["name"]}"' in html
    assert record["frames"] == 9
    assert len(record["points"]) == 5
    assert all(point["svg"].startswith("<svg") for point in record["points"])


# live


def widget_of(draw: Any, **specs: Any) -> Explorable:
    made = explorable.plan(draw, explorable.Options(caption="c", alt="a", controls=specs))
    return Explorable(made.artist, name=made.name, caption="c", spec=made.spec)


def test_in_jupyter_a_figure_brings_an_image_for_readers_who_see_no_widget() -> None:
    shown = widget_of(line, slope=LEVELS)
    bundle = shown._repr_mimebundle_()[0]
    assert bundle["text/plain"] == "<Explorable: c>"
    first = base64.b64decode(bundle["image/png"])
    shown.place = [8]
    bundle = shown._repr_mimebundle_()[0]
    assert first[:8] == b"\x89PNG\r\n\x1a\n" == base64.b64decode(bundle["image/png"])[:8]
    assert base64.b64decode(bundle["image/png"]) != first


def ask(widget: Explorable, *place: int, number: int = 1) -> dict[str, Any]:
    widget.request = {"view": "v", "number": number, "place": list(place)}
    return dict(widget.reply)


def test_a_request_is_answered_with_the_drawing_of_its_place() -> None:
    widget = widget_of(line, slope=LEVELS)
    first = widget.drawing
    reply = ask(widget, 7)
    assert reply == {"view": "v", "number": 1, "place": [7], "error": ""}
    assert widget.drawing != first
    assert widget.drawing == svg.serialise(widget._artist.frame((7,)))
    assert widget.place == [7]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_a_drawing_that_fails_is_answered_and_the_last_one_stays(error: BaseException) -> None:
    def draw(slope: float) -> Figure:
        if slope > 3:
            raise error
        return line(slope)

    widget = widget_of(draw, slope=LEVELS)
    good = widget.drawing
    reply = ask(widget, 8)
    assert reply["error"].startswith(type(error).__name__)
    assert widget.drawing == good
    assert widget.place == [4]
    assert ask(widget, 0, number=2)["error"] == ""


def test_a_jump_shows_as_an_error_in_the_widget() -> None:
    assert "y limits" in ask(widget_of(jumping, slope=LEVELS), 8)["error"]
