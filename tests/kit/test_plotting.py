"""One look for every figure: contrast measured, images tiled without loss, words required."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from genbook.kit import plotting, svg
from genbook.kit.plotting import Picture, image_grid, subplots, tile

ROLES = (plotting.DATA, plotting.MODEL, plotting.CRITIC, plotting.GRADIENT)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("color", [*ROLES, plotting.MUTED, *plotting.SERIES])
def test_lines_stand_out_from_white_paper(color):
    assert contrast(color, "#ffffff") >= 3


def test_no_colour_has_two_meanings():
    assert len({*ROLES, plotting.MUTED, plotting.INK, *plotting.SERIES}) == 6 + len(plotting.SERIES)


DEUTERANOPIA = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])


@pytest.mark.parametrize(("first", "second"), list(combinations(ROLES, 2)))
def test_roles_stay_apart_for_red_green_colour_blindness(first, second):
    def seen(color: str) -> np.ndarray:
        rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return DEUTERANOPIA @ rgb

    assert np.abs(seen(first) - seen(second)).max() > 0.15


def test_tiles_hold_every_pixel_in_reading_order():
    images = torch.arange(6.0).reshape(6, 1, 1, 1) / 10
    canvas = tile(images, columns=3, padding=0)
    np.testing.assert_allclose(canvas, [[0.0, 0.1, 0.2], [0.3, 0.4, 0.5]], rtol=1e-6)


def test_colour_images_keep_their_channels():
    assert tile(torch.rand(2, 3, 4, 5), columns=2).shape == (4, 11, 3)


def test_gaps_are_grey_and_values_are_clamped():
    canvas = tile(torch.full((2, 1, 1, 1), 7.0), columns=2)
    assert canvas.tolist() == [[1.0, 0.5, 1.0]]


def test_image_grid_draws_one_image_without_axes():
    _, axes = subplots()
    image_grid(axes, torch.rand(4, 8, 8), columns=2)
    assert len(axes.images) == 1
    assert not axes.axison


@pytest.mark.parametrize(
    "call",
    [
        lambda: subplots(width=0),
        lambda: tile(torch.zeros(2, 2), columns=1),
        lambda: tile(torch.zeros(2, 2, 3, 3), columns=1),
        lambda: tile(torch.zeros(0, 3, 3), columns=1),
        lambda: image_grid(subplots()[1], torch.zeros(1, 2, 2), columns=0),
        lambda: Picture(subplots()[0], caption=" ", alt="b"),
        lambda: Picture(subplots()[0], caption="a", alt=""),
    ],
)
def test_bad_input_is_explained(call):
    with pytest.raises(ValueError, match="expected"):
        call()


def test_a_picture_carries_its_words_into_the_page():
    figure, axes = subplots(width=2, height=1)
    axes.plot([0, 1], [0, 1], color=plotting.DATA)
    html = Picture(figure, caption="A rise.", alt="A rising line.").bundle()["text/html"]
    assert "<figcaption>A rise.</figcaption>" in html
    assert 'aria-label="A rising line."' in html
    assert "--gb-data" in html


def bundle_of(values, *, panels=1, caption="A rise."):
    figure, axes = subplots(1, panels, width=4, height=2)
    for each in np.atleast_1d(axes):
        each.plot(values)
    return Picture(figure, caption=caption, alt="A rising line.").bundle()


def ids_in(html):
    return set(re.findall(r'\bid="([^"]*)"', html))


@pytest.mark.parametrize("panels", [1, 3])
def test_pictures_of_other_data_share_no_id_though_their_words_are_the_same(panels):
    first, second = (bundle_of(values, panels=panels)["text/html"] for values in ([1, 2], [2, 1]))
    assert ids_in(first)
    assert not ids_in(first) & ids_in(second)
    assert plotting.UNNAMED not in first


def three_squares() -> Figure:
    figure, axes = subplots(1, 3, width=9, height=2.5)
    for panel in axes:
        panel.imshow([[0.0, 1.0]], interpolation="none")
    return figure


def test_on_a_phone_a_picture_is_cut_where_its_panels_stand_after_the_layout():
    page = Picture(three_squares(), caption="Three.", alt="Three.").bundle()["text/html"]
    cut = [float(left) for left in re.findall(r'gb-panel".*?viewBox="([\d.]+) 0', page)]
    settled = three_squares()
    svg.render(settled, salt="one")
    assert cut == pytest.approx([left for left, _ in svg.columns(settled)], abs=0.01)


def test_a_picture_drawn_twice_is_the_same():
    assert bundle_of([1, 2]) == bundle_of([1, 2])


def test_off_the_page_a_picture_brings_its_own_style(monkeypatch):
    monkeypatch.delenv("GENBOOK_STATIC", raising=False)
    html = bundle_of([1, 2], panels=3)["text/html"]
    assert "<style>" in html
    assert ".gb-panels{display:none" in html.replace(" ", "")
    monkeypatch.setenv("GENBOOK_STATIC", "1")
    assert set(bundle_of([1, 2])) == {"text/plain", "text/html"}
    assert "<style>" not in bundle_of([1, 2])["text/html"]


def test_off_the_page_a_picture_brings_an_image_on_white():
    image = Image.open(io.BytesIO(base64.b64decode(bundle_of([1, 2])["image/png"])))
    assert image.size[0] == 440
    assert image.size[1] > 220  # the caption stands below
    pixels = np.asarray(image.convert("RGBA"))
    assert (pixels[0, 0] == 255).all()
    assert (pixels[..., 3] == 255).all()
    assert (pixels[..., :3] < 128).any()


def test_an_image_carries_its_caption_as_words():
    figure, _ = subplots(width=4, height=2)
    sizes = [
        Image.open(io.BytesIO(base64.b64decode(plotting.png(figure, caption=caption)))).size
        for caption in ("", "One <b>line</b> &amp; costs 5 $.", "A longer caption. " * 10)
    ]
    assert sizes[0] == (440, 220)
    assert 220 < sizes[1][1] < sizes[2][1]
    bare = plotting.png(figure, caption="One line & costs 5 $.")
    assert plotting.png(figure, caption="One <b>line</b> &amp; costs 5 $.") == bare


def test_an_image_leaves_the_figure_as_it_was():
    figure, axes = subplots(width=2, height=1)
    axes.plot([1, 2])
    before = svg.render(figure, salt="one")
    plotting.png(figure)
    assert svg.render(figure, salt="one") == before


def test_a_picture_that_cannot_be_drawn_stops_the_cell():
    figure, axes = subplots()
    axes.set_title("$\\frac{$")
    with pytest.raises(ValueError, match="frac"):
        plotting.picture(figure, caption="Broken.", alt="Broken.")


@pytest.mark.parametrize("number", range(20))
def test_any_caption_gives_a_drawing(number):
    figure, _ = subplots(width=2, height=1)
    assert "<svg" in Picture(figure, caption=str(number), alt="x").bundle()["text/html"]


def test_a_tint_is_clear_at_zero_and_coloured_by_sign():
    shown = plotting.tint(torch.tensor([[-1.0, 0.0, 0.5]]), above="#0000ff", below="#ff0000")
    np.testing.assert_allclose(shown[0, :, 3], [0.55, 0.0, 0.275])
    np.testing.assert_allclose(shown[0, [0, 2], :3], [[1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize("value", [1.5, float("nan")])
def test_a_tint_of_more_than_one_is_refused(value):
    with pytest.raises(ValueError, match=r"expected numbers in \[−1, 1\]"):
        plotting.tint(torch.tensor([[value]]))


def test_ink_stays_legible_on_the_strongest_tint():
    for ink, paper, colours in (
        ("#1a1a1a", 1.0, plotting.SERIES[:2]),
        ("#e8e8e8", 18 / 255, plotting.SERIES[:2]),
    ):
        for colour in colours:
            mixed = 0.55 * plotting.tint(torch.ones(1, 1), above=colour)[0, 0, :3] + 0.45 * paper
            shade = "#" + "".join(f"{round(255 * part):02x}" for part in mixed)
            assert contrast(ink, shade) >= 4.5


LIMITS: dict[str, Callable[[Axes], object]] = {
    "as it comes": lambda axes: None,
    "narrow": lambda axes: axes.set_xlim(0.5, 1.5),
    "upside down": lambda axes: axes.set_xlim(3.0, 0.5),
    "logarithmic": lambda axes: axes.set(xscale="log", xlim=(0.1, 100.0)),
    "with a line": lambda axes: axes.plot([0.2, 7.0], [0.0, 1.0]),
    "fixed and with a line": lambda axes: [axes.set_xlim(0.9, 1.1), axes.plot([0.2, 7.0], [0, 1])],
}


LABELS = ["one", "$\\pi$", "four"]


@pytest.mark.parametrize(
    "given", [{}, {"labels": LABELS}, {"labels": LABELS, "fontsize": 6, "family": "monospace"}]
)
@pytest.mark.parametrize("line_after", [False, True])
@pytest.mark.parametrize("limits", LIMITS)
def test_ticks_stand_and_look_as_if_matplotlib_had_set_them(limits, line_after, given):
    drawings = []
    for place in (
        lambda axes: axes.xaxis.set_ticks([1, 3, 4], **given),
        lambda axes: plotting.place_ticks(axes.xaxis, [1, 3, 4], **given),
    ):
        figure, (left, _) = subplots(1, 2, sharex=True)
        LIMITS[limits](left)
        place(left)
        if line_after:
            left.plot([0.05, 9.0], [0.0, 1.0])
        drawings.append(svg.render(figure, salt="one"))
    assert drawings[0] == drawings[1]


def test_placing_ticks_makes_none():
    _, axes = subplots()
    plotting.place_ticks(axes.xaxis, range(9))
    assert len(vars(axes.xaxis).get("majorTicks", ())) <= 1


@pytest.mark.parametrize(("places", "labels"), [([], None), ([1, 2], ["one"]), ([1], [])])
def test_ticks_want_a_place_and_a_label_each(places, labels):
    _, axes = subplots()
    with pytest.raises(ValueError, match="expected at least one place and a label for each"):
        plotting.place_ticks(axes.xaxis, places, labels)
