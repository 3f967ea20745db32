"""Drawings are the same each time, rounded, themed, and free of what a page can't use."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from genbook.kit import plotting, svg
from genbook.kit.svg import drawing, panels

STYLE = Path(plotting.__file__).parent / "static" / "explore.css"


def busy() -> Figure:
    figure, (left, right) = plotting.subplots(1, 2)
    x = np.linspace(0, 1, 30)
    left.plot(x, x**2, color=plotting.DATA)
    left.fill_between(x, x**2, color=plotting.MODEL, alpha=0.3)
    left.text(0.2, 0.5, "p & q < 1", color=plotting.CRITIC)
    right.scatter(x, x, color=plotting.GRADIENT)
    right.imshow(np.eye(3), extent=(0, 1, 0, 1), cmap="gray")
    right.set_title(r"$\sigma^2 = 1.5$ and more")
    return figure


def test_the_same_figure_gives_the_same_string() -> None:
    assert svg.render(busy(), salt="a", alt="x") == svg.render(busy(), salt="a", alt="x")


def test_drawing_twice_leaves_the_figure_as_it_was() -> None:
    figure = busy()
    size, dpi, canvas = tuple(figure.get_size_inches()), figure.dpi, figure.canvas
    first = svg.render(figure, salt="a")
    assert svg.render(figure, salt="a") == first
    assert (tuple(figure.get_size_inches()), figure.dpi, figure.canvas) == (size, dpi, canvas)


def test_coordinates_have_at_most_two_decimals() -> None:
    for node in svg.walk(svg.parse(svg.render(busy(), salt="a"))):
        for name in ("d", "x", "y", "dx", "dy", "width", "height"):
            assert not re.search(r"\.\d{3}", node.attributes.get(name, ""))


def test_ids_carry_the_salt_and_nothing_dangles() -> None:
    root = svg.parse(svg.render(busy(), salt="salty"))
    ids = [node.attributes["id"] for node in svg.walk(root) if "id" in node.attributes]
    assert ids
    assert all(name.startswith("salty-") for name in ids)
    assert svg.is_whole(root)


def test_two_salts_share_no_id() -> None:
    def ids(salt: str) -> set[str]:
        root = svg.parse(svg.render(busy(), salt=salt))
        return {node.attributes["id"] for node in svg.walk(root) if "id" in node.attributes}

    assert not ids("one") & ids("two")


def test_colours_become_variables_and_ink_the_text_colour() -> None:
    text = svg.render(busy(), salt="a")
    for name in ("data", "model", "critic-text", "gradient", "muted"):
        assert f"var(--gb-{name}," in text
    assert plotting.INK.lower() not in text.lower()
    assert "currentColor" in text


def test_what_a_page_cannot_use_is_gone() -> None:
    text = svg.render(busy(), salt="a")
    for word in ("<?xml", "DOCTYPE", "metadata", "<style", "font-family", "xlink", "DejaVu"):
        assert word not in text


def test_text_stays_text_and_is_escaped() -> None:
    text = svg.render(busy(), salt="a", alt='a "b" <c>')
    assert "p &amp; q &lt; 1" in text
    assert 'aria-label="a &quot;b&quot; &lt;c&gt;"' in text
    assert 'role="img"' in text


def test_a_formula_flows_in_a_few_runs() -> None:
    root = svg.parse(svg.render(busy(), salt="a"))
    runs = [node.text for node in svg.walk(root) if node.tag == "tspan"]
    assert "".join(runs).replace("\xa0", " ") == "σ2=1.5 and more"
    assert len(runs) <= 5


def test_stacked_formulas_keep_their_places() -> None:
    figure, axes = plotting.subplots(width=3, height=2)
    axes.set_title(r"$x_i^2$")
    root = svg.parse(svg.render(figure, salt="a"))
    assert all("x" in node.attributes for node in svg.walk(root) if node.tag == "tspan")


def test_a_small_image_keeps_its_own_pixels_in_grey() -> None:
    import base64
    import io

    from PIL import Image

    root = svg.parse(svg.render(busy(), salt="a"))
    (link,) = [n.attributes["href"] for n in svg.walk(root) if n.tag == "image"]
    image = Image.open(io.BytesIO(base64.b64decode(link.partition(",")[2])))
    assert (image.size, image.mode) == ((3, 3), "L")
    assert np.asarray(image).tolist() == (255 * np.eye(3)).tolist()


def test_a_filled_area_is_a_plain_path_wherever_it_lies() -> None:
    for low in (0.0, -50.0):  # inside the figure, and far outside
        figure, axes = plotting.subplots(width=3, height=2)
        axes.fill_between([0, 1], [1, 1], low, color=plotting.MODEL)
        axes.set(xlim=(0, 1), ylim=(0, 2))
        root = svg.parse(svg.render(figure, salt="a"))
        filled = [
            n for n in svg.walk(root) if "fill:var(--gb-model" in n.attributes.get("style", "")
        ]
        assert [node.tag for node in filled] == ["path"]
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", filled[0].attributes["d"])]
        box = axes.get_window_extent()
        scale = 72 / figure.dpi
        assert numbers[0] == pytest.approx(box.x0 * scale, abs=0.02)


@pytest.mark.parametrize("salt", ["", "1a", "a b", 'a"'])
def test_a_salt_that_is_no_word_is_refused(salt: str) -> None:
    with pytest.raises(ValueError, match="a letter first"):
        svg.render(busy(), salt=salt)


def test_matplotlibs_settings_are_put_back() -> None:
    before = dict(matplotlib.rcParams)
    svg.render(busy(), salt="a")
    assert dict(matplotlib.rcParams) == before


def luminance(code: str) -> float:
    code = code.lstrip("#")
    code = "".join(2 * letter for letter in code) if len(code) == 3 else code
    parts = [int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("theme", "ground"), [(0, "#ffffff"), (1, "#121212")])
def test_every_colour_of_the_book_contrasts_in_both_themes(theme: int, ground: str) -> None:
    blocks = re.findall(r"\{([^}]*)\}", STYLE.read_text(encoding="utf-8"))[:2]
    colours = dict(re.findall(r"--gb-([\w-]+): (#\w+)", blocks[theme]))
    names = [f"series-{k + 1}" for k in range(len(plotting.SERIES))]
    for name in ["data", "model", "critic", "gradient", "muted", *names]:
        for key, least in ((name, 3.0), (f"{name}-text", 4.5)):
            light, dark = sorted((luminance(colours[key]), luminance(ground)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, key


def test_the_light_theme_uses_the_colours_of_plotting() -> None:
    light = re.findall(r"\{([^}]*)\}", STYLE.read_text(encoding="utf-8"))[0]
    colours = dict(re.findall(r"--gb-([\w-]+): (#\w+)", light))
    for name in ("data", "model", "critic", "gradient", "muted"):
        assert colours[name] == getattr(plotting, name.upper()).lower()
    for place, code in enumerate(plotting.SERIES):
        assert colours[f"series-{place + 1}"] == code.lower()


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("inches", [5, 8, 12])
def test_columns_hold_whole_axes_and_no_more_than_a_phone_can_show(count, inches):
    figure, _ = plotting.subplots(1, count, width=inches, height=2)
    svg.render(figure, salt="one")
    columns, points = svg.columns(figure), 72 * inches
    assert sum(width for _, width in columns) == pytest.approx(points)
    held = []
    for left, width in columns:
        spans = [(a.get_position().x0 * points, a.get_position().x1 * points) for a in figure.axes]
        held.append(sum(left <= x0 and x1 <= left + width for x0, x1 in spans))
        assert held[-1] == 1 or width * panels.legible_scale(figure) <= panels.PHONE
    assert sum(held) == count


def test_neighbours_that_would_fit_a_phone_together_share_a_column():
    figure, _ = plotting.subplots(1, 8, width=7, height=2)
    svg.render(figure, salt="one")
    columns, scale = svg.columns(figure), panels.legible_scale(figure)
    for (_, one), (_, other) in pairwise(columns):
        assert (one + other) * scale > panels.PHONE


def test_axes_above_one_another_share_a_column():
    figure, _ = plotting.subplots(2, 2, width=9, height=4)
    svg.render(figure, salt="one")
    assert len(svg.columns(figure)) == 2


def test_stacked_windows_look_at_the_one_drawing():
    figure, _ = plotting.subplots(1, 2)
    drawing = svg.render(figure, salt="one")
    windows = svg.stacked(figure, salt="one")
    assert drawing.count('id="one-all"') == 1
    assert windows.count('href="#one-all"') == 2
    assert 'aria-hidden="true"' in windows


@pytest.mark.parametrize("words", ["plain", r"$\sigma^2 \leq \frac{1}{2}$", "two\nlines"])
def test_a_text_measured_once_stands_where_matplotlib_puts_it(words):
    def labelled() -> Figure:
        figure = Figure(figsize=(3, 2), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label=words)
        axes.set_title(words, fontsize=9)
        axes.legend()
        return figure

    with svg.settings(), matplotlib.rc_context({"svg.hashsalt": "genbook"}):
        usual = io.StringIO()
        FigureCanvasSVG(labelled()).print_svg(usual, metadata={"Date": None})
        ours = [drawing._printed(labelled()) for _ in range(2)]
    assert ours == [usual.getvalue()] * 2
