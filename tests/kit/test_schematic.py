"""A schematic has every part, every wire, and a thickness that grows with what flows."""

from __future__ import annotations

import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from genbook.kit import svg
from genbook.kit.schematic import SMALLEST, WIDEST, Box, Wire, schematic

BOXES = [Box("z", 0, 0, "noise", framed=False), Box("g", 2, 0, "G"), Box("d", 4, 1, "D")]


def patches(figure, kind):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, kind)]


def test_every_part_and_every_wire_is_drawn_with_its_words():
    figure = schematic(BOXES, [Wire("z", "g"), Wire("g", "d", "fakes", bend=0.2)], title="A game")
    assert len(patches(figure, FancyBboxPatch)) == 3
    assert len(patches(figure, FancyArrowPatch)) == 2
    drawn = svg.render(figure, salt="s", alt="x")
    for words in ("noise", "G", "D", "fakes", "A game"):
        assert f">{words}<" in drawn


def test_a_wire_is_as_thick_as_what_flows_through_it():
    shares = (0.0, 0.5, 1.0)
    found = [
        patches(schematic(BOXES, [Wire("z", "g", share=share)]), FancyArrowPatch)[0].get_linewidth()
        for share in shares
    ]
    assert found == pytest.approx([SMALLEST, (SMALLEST + WIDEST) / 2, WIDEST])


def test_all_boxes_lie_inside_the_axes():
    axes = schematic(BOXES, []).axes[0]
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    for box in BOXES:
        assert left < box.x - box.width / 2 < box.x + box.width / 2 < right
        assert low < box.y - box.height / 2 < box.y + box.height / 2 < high


@pytest.mark.parametrize(
    ("boxes", "wires", "said"),
    [
        ([], [], "names that differ"),
        ([Box("a", 0, 0, ""), Box("a", 1, 0, "")], [], "names that differ"),
        (BOXES, [Wire("z", "nowhere")], "nowhere"),
        (BOXES, [Wire("z", "g", share=1.5)], "1.5"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused(boxes, wires, said):
    with pytest.raises(ValueError, match=said):
        schematic(boxes, wires)
