"""A machine's figure before its script has run: canvases on axes, columns that fall on a phone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from kit.test_machine import counter
from matplotlib.figure import Figure

from genbook.kit import svg
from genbook.kit.machine.first_frame import BESIDE, first_frame
from genbook.kit.machine.page import markup


def drawn(panels: int, inches: float, across: int = 0) -> tuple[Figure, str]:
    parts = counter()
    named = replace(parts.panels[0], title="a name")
    parts = replace(parts, panels=(named,) * panels, size=(inches, 2.0), across=across)
    figure = first_frame(parts)
    drawing = svg.render(figure, salt="gbmcounter", alt="")
    return figure, markup(parts, figure, drawing, "")


def boxes(text: str, tag: str) -> list[dict[str, float]]:
    """The shares that each such element's style speaks of."""
    styles = re.findall(rf'<{tag}[^>]* style="([^"]*)"', text)
    return [
        {name: float(value) / 100 for name, value in re.findall(r"([\w-]+):([\d.]+)%", style)}
        for style in styles
    ]


@pytest.mark.parametrize(("panels", "inches"), [(1, 4.0), (2, 4.0), (2, 8.0), (3, 8.0)])
def test_each_canvas_covers_its_axes_in_a_column_too(panels, inches):
    figure, text = drawn(panels, inches)
    canvases = boxes(text, "canvas")
    columns = boxes(text, 'div class="gb-column"') or [{}] * panels
    for axes, box, column in zip(figure.axes, canvases, columns, strict=True):
        start, share = column.get("--gb-left", 0.0), column.get("--gb-wide", 1.0)
        x0, y0, width, height = axes.get_position().bounds
        assert start + box["left"] * share == pytest.approx(x0, abs=1e-3)
        assert box["width"] * share == pytest.approx(width, abs=1e-3)
        assert box["top"] == pytest.approx(1 - y0 - height, abs=1e-3)
        assert box["height"] == pytest.approx(height, abs=1e-3)


@pytest.mark.parametrize("panels", [2, 3])
def test_a_row_too_wide_for_a_phone_falls_into_columns_of_one_panel(panels):
    figure, text = drawn(panels, 8.0)
    assert "gb-falling" in text
    shapes = [float(shape) for shape in re.findall(r"--gb-shape:([\d.]+)", text)]
    high = 72 * figure.get_size_inches()[1]
    for shape, (_, width) in zip(shapes, svg.columns(figure), strict=True):
        assert shape == pytest.approx(width / high, abs=1e-3)
    within = re.findall(
        r'<div class="gb-column"[^>]*><svg.*?</svg><canvas[^>]*></canvas></div>', text
    )
    assert len(within) == panels


@pytest.mark.parametrize(("panels", "inches", "across"), [(2, 3.0, 0), (4, 8.0, 2), (1, 8.0, 0)])
def test_what_fits_or_stands_in_rows_does_not_fall(panels, inches, across):
    _, text = drawn(panels, inches, across)
    assert "gb-falling" not in text
    assert "gb-column" not in text


@pytest.mark.parametrize(("count", "angle"), [(BESIDE, 0), (BESIDE + 1, 90)])
def test_many_words_under_a_panel_stand_upright(count, angle):
    parts = counter()
    panel = replace(parts.panels[0], ticks=("word",) * count)
    (axes,) = first_frame(replace(parts, panels=(panel,))).axes
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {angle}
