"""Laws of `genbook.pixelcnn.figures`."""

from __future__ import annotations

import torch

from genbook.pixelcnn import (
    figures,
)


def test_the_drawn_field_counts_what_the_theorem_counts():
    one, two = (figures.field(5, 5, 4, name) for name in (figures.NETWORKS[0], "two stacks"))
    assert "6 in the blind spot" in one.get_label()
    assert "0 in the blind spot" in two.get_label()
    assert "leak" in figures.field(5, 5, 4, figures.NETWORKS[1]).get_label()


def test_a_point_is_read_as_the_image_whose_interval_holds_it():
    said = figures.narrowing(0.3).get_label()
    assert said == "p = 0.0469, −log2 p = 4.42 bits; the file 010010 has 6"
    assert "the file 0000 has 4" in figures.narrowing(0.0).get_label()


def test_the_rule_of_the_example_is_a_distribution_over_sixteen_images():
    for before in ([], [0], [1], [0, 1], [1, 1], [0, 0, 0], [0, 1, 0], [1, 0, 1]):
        counts = figures.copied_counts(before)
        assert sum(counts) == 2**figures.NEIGHBOURS
        assert min(counts) > 0


def test_spending_counts_the_bits_of_the_rows_so_far():
    images = torch.tensor([[[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    bits = torch.tensor([[[1.0, 2.0], [0.5, 0.25]], [[0.0, 0.0], [0.0, 3.0]]])
    spending = figures.Spending(images, bits, ["0", "1"], [6, 5])
    assert spending("0", 1).get_label() == "3.0 of 3.8 bits; the file has 6"
    assert spending("1", 2).get_label() == "3.0 of 3.0 bits; the file has 5"


def test_completions_have_a_panel_for_each_number_of_rows():
    truth = torch.ones(2, 1, 4, 4)
    figure = figures.completions(
        truth, {1: torch.zeros(3, 2, 1, 4, 4), 3: torch.zeros(3, 2, 1, 4, 4)}
    )
    assert [axes.get_title("left") for axes in figure.axes] == ["1 rows given", "3 rows given"]
