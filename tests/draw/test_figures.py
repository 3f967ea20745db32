"""Drawings of the chapter on DRAW: dots and frames stand where the filters are."""

from __future__ import annotations

import pytest
import torch

from genbook.draw import figures
from genbook.draw.network import DRAW, Drawing
from genbook.draw.windows import window
from genbook.kit import studies
from genbook.kit.device import seeded


def offsets(axes):
    """The dots of a panel, [n, 2]."""
    return torch.tensor(axes.lines[0].get_xydata())


@pytest.mark.parametrize("size", [5, 9])
def test_at_stride_one_the_dots_stand_on_the_outermost_pixels(size):
    axes = figures.attention(torch.rand(size, size), 0.0, 0.0, 1.0, 0.05).axes[0]
    left, right, low, high = axes.images[0].get_extent()
    assert (left, low) == (-right, -high)
    assert axes.get_xlim() == (left, right)
    half = (right - left) / size / 2
    dots = offsets(axes)
    assert len(dots) == figures.PATCH**2
    assert dots.min().item() == pytest.approx(left + half)
    assert dots.max().item() == pytest.approx(right - half)


def test_the_dots_stand_on_what_is_read():
    """One white pixel: a sharp window on it reads it, and the middle dot lies inside it."""
    image = torch.zeros(9, 9)
    image[2, 6] = 1
    axes = figures.attention(image, 0.4, 0.4, 0.5, 0.05).axes
    seen = torch.as_tensor(axes[1].images[0].get_array())
    assert seen[2, 2] == pytest.approx(1, abs=1e-3)
    assert seen.sum() == pytest.approx(1, abs=1e-3)
    left, right, *_ = axes[0].images[0].get_extent()
    pixel = (right - left) / 9
    cross = axes[0].lines[1].get_xydata()[0]
    assert (cross[0] - left) // pixel == 6
    assert (right - cross[1]) // pixel == 2
    back = torch.as_tensor(axes[2].images[0].get_array())
    assert int(back.flatten().argmax()) == 2 * 9 + 6
    assert back.max() == pytest.approx(1)


def test_dots_off_the_page_are_not_drawn_and_the_label_counts_in_pixels():
    figure = figures.attention(torch.ones(9, 9), 0.8, 0.0, 0.5, 0.25)
    axes = figure.axes[0]
    _, right, *_ = axes.images[0].get_extent()
    dots = offsets(axes)
    assert len(dots) == 15
    assert dots.max() < right
    assert figure.get_label() == (
        "centre column 9.0, row 5.0; stride 1.0 pixels; sigma 0.5 pixels; mean grey read 1.00"
    )


@pytest.mark.parametrize("start", ["the paper's", "ours"])
@pytest.mark.parametrize("patch", [2, 3, 5, 8])
@pytest.mark.parametrize("share", [0.15, 1.0])
def test_no_weight_leaves_the_panel(patch, share, start):
    right = figures.coverage(patch, share, start).axes[1]
    line = torch.tensor(right.lines[0].get_ydata())
    assert line.max() < right.get_ylim()[1]
    assert line.sum().item() == pytest.approx(patch)
    torch.testing.assert_close(line, line.flip(0))


def test_the_papers_two_filters_leave_the_middle_blind_and_ours_do_not():
    label = figures.coverage(2, 1.0, "the paper's").get_label()
    assert "σ = 1.0" in label
    assert "100% of the middle" in label
    label = figures.coverage(2, 0.35, "ours").get_label()
    assert "σ = 4.7" in label
    assert ": 0% of the middle" in label


@pytest.fixture
def drawings():
    numbers, raw = seeded(1), torch.zeros(3, 2, 5)
    raw[1, 1] = torch.tensor([0.25, -0.5, 0.0, -1.0, 0.0])
    raw[2] = torch.tensor([0.0, 0.0, 0.0, 2.0, 0.0])
    none = torch.zeros(3, 0)
    strokes = torch.randn(3, 2, 7, 7, generator=numbers)
    start = torch.randn(7, 7, generator=numbers)
    return {"one": Drawing(start, strokes, none, none, none, raw)}


@pytest.mark.parametrize("step", [0, 1, 2])
def test_the_rows_are_the_canvas_and_the_stroke_of_that_step(drawings, step):
    figure = figures.canvas(drawings, "one", step, 3)
    top, bottom = (torch.as_tensor(axes.images[0].get_array()) for axes in figure.axes)
    drawn = drawings["one"]
    total = drawn.start + drawn.strokes[: step + 1].sum(0)
    for number in (0, 1):
        cut = slice(8 * number, 8 * number + 7)
        torch.testing.assert_close(top[:, cut], total[number].sigmoid())
        torch.testing.assert_close(bottom[:, cut], drawn.strokes[step, number].sigmoid())
    spent = drawn.strokes[step].abs().mean().item()
    assert figure.get_label() == f"one, step {step + 1}: mean change of the log-odds {spent:.2f}"
    assert f"step {step + 1} of 3" in figure.axes[0].get_title(loc="left")


def test_frames_stand_on_the_outermost_filters_in_pixels_of_their_image(drawings):
    frames = figures.canvas(drawings, "one", 1, 3).axes[0].patches
    where = window(drawings["one"].written[1], 7, 3)
    for number, frame in enumerate(frames):
        x, y = frame.get_xy()
        half = where.stride[number].item()
        assert x == pytest.approx(8 * number + where.x[number].item() - half - 1)
        assert y == pytest.approx(where.y[number].item() - half - 1)
        assert (frame.get_width(), frame.get_height()) == pytest.approx((2 * half, 2 * half))
    wide = figures.canvas(drawings, "one", 2, 3).axes[0].patches[1]
    assert wide.get_bbox().extents == pytest.approx([7.5, -0.5, 14.5, 6.5])


def test_a_drawing_without_windows_has_no_frames():
    net = DRAW(7, steps=3, hidden=4, latent=2)
    figure = figures.canvas({"whole": net.sample(2, seeded(0))}, "whole", 7, 7)
    assert not figure.axes[0].patches
    assert "step 3 of 3" in figure.axes[0].get_title(loc="left")


def test_the_curves_are_the_records_means_and_the_bands_its_seeds():
    found = studies.load("draw_windows")
    left, right = figures.bounds(found).axes
    assert len(left.lines) == len(left.collections) == 5
    for line, band in zip(left.lines, left.collections, strict=True):
        edges = band.get_paths()[0].vertices
        for steps, mean in zip(*line.get_data(), strict=True):
            runs = found.column("bound", looks=line.get_label(), steps=int(steps))
            assert mean == pytest.approx(sum(runs) / 3)
            heights = edges[edges[:, 0] == steps, 1]
            assert (heights.min(), heights.max()) == pytest.approx((min(runs), max(runs)))
    counts, means = right.lines[0].get_data()
    assert list(counts) == [4, 8, 16]
    for count, mean in zip(counts, means, strict=True):
        name = "window of 5 × 5" + ("" if count == 8 else f", {count} glimpses")
        assert mean == pytest.approx(sum(found.column("bound", looks=name, steps=800)) / 3)


def test_the_schematic_sends_the_decoders_window_to_read_and_to_write():
    figure = figures.machinery()
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words.count("g, δ, σ, γ") == 2
