"""Laws of `genbook.invertible.figures`."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from invertible.given import normal

from genbook.invertible import figures, flows, inverses, norms, traces
from genbook.kit.plotting import tile


def read(line):
    """The places and heights of a line or a row of dots."""
    return (np.asarray(torch.as_tensor(part), dtype=float) for part in line.get_data())


@pytest.mark.parametrize(
    ("c", "kind", "sent"),
    [*product((0.3, 0.95, 1.0, 1.05, 1.5), ("pulls", "pushes"), figures.SENT)],
)
def test_the_hook_draws_the_block_the_search_and_its_error(c, kind, sent):
    def block(x):
        return x + (-c if kind == "pulls" else c) * math.tanh(x)

    x = figures.SENT[sent]
    y, stops = block(x), [block(x)]
    for _ in range(figures.STEPS):
        stops.append(y - (block(stops[-1]) - stops[-1]))
    left, right = figures.lost(c, kind, sent).axes
    curve, level, ends, own = left.lines
    places, heights = read(curve)
    assert heights == pytest.approx([block(p) for p in places])
    assert list(level.get_ydata()) == pytest.approx([y, y])
    assert [list(part) for part in read(ends)] == [pytest.approx(stops[-2:]), [y, y]]
    assert [list(part) for part in read(own)] == [[x], pytest.approx([y])]
    assert f"y = {y:.3f}" in left.get_title(loc="left") + left.get_title()
    steps, errors = read(right.lines[0])
    assert steps.tolist() == list(range(figures.STEPS + 1))
    seen = [max(abs(stop - x), figures.FLOOR) for stop in stops]
    assert errors == pytest.approx(seen, rel=1e-6)


def test_far_from_0_is_where_five_percent_too_much_do_no_harm():
    for kind in ("pulls", "pushes"):
        ends = {
            sent: list(read(figures.lost(1.05, kind, sent).axes[1].lines[0]))[1][-1]
            for sent in figures.SENT
        }
        assert ends["far from 0"] <= figures.FLOOR
        assert ends["near 0"] > 0.1


def test_the_hook_shows_a_bound_only_where_there_is_one_and_it_bounds():
    for c, there in ((0.5, True), (0.95, True), (1.0, False), (1.05, False)):
        error, bound = figures.lost(c, "pulls", "near 0").axes[1].lines
        below, above = (list(read(line))[1] for line in (error, bound))
        assert bool(np.isfinite(above).any()) is there
        if there:
            assert (below <= above).all()
            x = torch.tensor(0.2, dtype=torch.float64)
            y = x + inverses.bend(x, c, "pulls")
            first = inverses.bend(y, c, "pulls").abs().item()
            assert above[0] == pytest.approx(first / (1 - c))


@pytest.mark.parametrize(("steps", "seed"), [(1, 0), (3, 2), (20, 1)])
def test_stems_and_curve_are_what_power_iteration_does(steps, seed):
    weight, start = norms.cold_start(64, 32, [seed])
    u, seen = start[0] / start[0].norm(), []
    for _ in range(20):
        v = weight[0] @ u / (weight[0] @ u).norm()
        before, u = u, weight[0].T @ v / (weight[0].T @ v).norm()
        seen.append((v @ weight[0] @ u).item())
        if len(seen) == steps:
            now = u
    assert not torch.equal(before, start[0])
    _, values, ways = torch.linalg.svd(weight[0], full_matrices=False)
    left, right = figures.cold(steps, seed).axes
    places, heights = read(left.lines[0])
    assert places == pytest.approx(values.numpy())
    assert heights == pytest.approx((ways @ now).abs().numpy(), abs=1e-9)
    counts, curve = read(right.lines[0])
    assert counts.tolist() == list(range(1, 21))
    assert curve == pytest.approx(np.array(seen) / values[0].item())
    share = seen[steps - 1] / values[0].item()
    assert [part.item() for part in read(right.lines[1])] == pytest.approx([steps, share])
    words = right.get_title(loc="left") + right.get_title()
    assert f"{share:.3f} of the norm" in words
    assert f"{1 / share:.3f} long" in words


@pytest.mark.parametrize("kind", figures.KERNELS)
@pytest.mark.parametrize("width", [1, 3, 5, 7])
def test_bars_are_the_norms_under_their_names(kind, width):
    kernel, side = figures._kernel(kind, width), figures.SIDE
    right = figures.waves(kind, width).axes[2]
    labels = [label.get_text() for label in right.get_yticklabels()]
    names = dict(zip(right.get_yticks(), labels, strict=True))
    found = {names[bar.get_y() + bar.get_height() / 2]: bar.get_width() for bar in right.patches}
    written = torch.linalg.matrix_norm(norms.as_matrix(kernel, side, side), 2)
    ratio = (written / kernel.square().sum().sqrt()).item()
    assert found == {
        "reshaped": 1,
        "convolution": pytest.approx(ratio),
        "√(hw) · reshaped": width,
    }
    words = {round(float(text.get_position()[1])): text.get_text() for text in right.texts}
    assert {names[row]: word for row, word in words.items()} == {
        name: f"{value:.2f}" for name, value in found.items()
    }
    assert 1 - 1e-9 <= ratio <= width + 1e-9


@pytest.mark.parametrize("kind", figures.KERNELS)
@pytest.mark.parametrize("width", [3, 5, 7])
def test_the_constant_image_stands_in_the_centre_and_is_the_longest_of_ones_and_brush(kind, width):
    kernel = figures._kernel(kind, width)
    shown, waves = (figures.waves(kind, width).axes[k].images[0].get_array() for k in (0, 1))
    rim = (7 - width) // 2
    inner = np.asarray(shown)[rim : 7 - rim, rim : 7 - rim]
    assert inner == pytest.approx((kernel[0, 0] / kernel.abs().max()).numpy())
    assert np.abs(shown).sum() == pytest.approx(np.abs(inner).sum())
    half = figures.SIDE // 2
    most = norms.convolution_norm(kernel, figures.SIDE, figures.SIDE)
    assert waves.max() == pytest.approx(1)
    assert waves[half, half] == pytest.approx((kernel.sum().abs() / most).item(), abs=1e-9)
    longest = np.unravel_index(waves.argmax(), waves.shape) == (half, half)
    assert bool(np.all(longest)) is (kind in ("all ones", "a soft brush"))


@pytest.mark.parametrize(("c", "terms"), [(0.5, 1), (0.9, 5), (0.95, 30)])
def test_the_series_is_drawn_of_a_number_and_of_a_matrix(c, terms):
    left, right = figures.series(c, terms).axes
    whole, summed = left.lines
    x, heights = read(whole)
    assert heights == pytest.approx(np.log1p(x))
    assert (x.min(), x.max()) == pytest.approx((-c, c))
    powers = [0.0] + [(-1) ** (k - 1) / k for k in range(1, terms + 1)]
    assert list(read(summed))[1] == pytest.approx(np.polynomial.polynomial.polyval(x, powers))
    error, bound, here = right.lines
    counts, errors = read(error)
    limits = list(read(bound))[1]
    assert counts.tolist() == list(range(1, figures.TERMS + 1))
    assert limits == pytest.approx([traces.truncation_bound(c, 8, int(n)) for n in counts])
    assert (errors < limits / 10).all()
    assert [part.item() for part in read(here)] == [terms, errors[terms - 1]]
    j = c * figures._drawn()
    assert torch.linalg.matrix_norm(j, 2).item() == pytest.approx(c)
    exact = torch.linalg.slogdet(torch.eye(8) + j).logabsdet
    first = (j.trace() - exact).abs().item()
    second = (j.trace() - (j @ j).trace() / 2 - exact).abs().item()
    assert errors[:2] == pytest.approx([first, second])


def test_a_row_shows_the_image_and_the_stops_asked_for():
    images, stops = torch.rand(2, 1, 4, 4), torch.rand(6, 2, 1, 4, 4)
    figure = figures.home(images, {"a": stops, "b": 1 - stops}, (0, 1, 5))
    for axes, row in zip(figure.axes, (stops, 1 - stops), strict=True):
        strip = torch.stack([images[0], row[0, 0], row[1, 0], row[5, 0]])
        shown = np.asarray(axes.images[0].get_array())
        assert shown == pytest.approx(tile(strip, columns=4), abs=1e-6)


def still(*shift):
    """A network that moves all points by the same way."""
    net = flows.IResNet(2, 4, 1, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.shifts[2].copy_(torch.tensor(shift))
    return net


def test_a_density_stands_where_the_axes_say():
    points = normal(20, 2)
    figure = figures.densities(points, {"a": still(2.0, -1.0), "b": still(0.0, 3.0)})
    dots, *panels = figure.axes
    assert np.stack(list(read(dots.lines[0])), 1) == pytest.approx(points.numpy())
    for panel, name, centre in zip(panels, "ab", ((-2, 1), (0, -3)), strict=True):
        assert (panel.get_title(loc="left") or panel.get_title()) == name
        (image,) = panel.images
        left, right, bottom, top = image.get_extent()
        pixels = np.asarray(image.get_array())
        row, column = np.unravel_index(pixels.argmax(), pixels.shape)
        x = left + (right - left) * (column + 0.5) / pixels.shape[1]
        y = bottom + (top - bottom) * (row + 0.5) / pixels.shape[0]
        assert image.origin == "lower"
        assert (x, y) == pytest.approx(centre, abs=0.06)
        assert pixels.max() == pytest.approx(math.sqrt(1 / (2 * math.pi)), abs=1e-3)


def test_the_schematic_subtracts_on_the_way_back():
    words = {text.get_text() for axes in figures.block().axes for text in axes.texts}
    assert {"+", "y − g(xₙ)", "xₙ₊₁", "again"} <= words
