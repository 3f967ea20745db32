"""Laws of `genbook.pixelcnn.figures`."""

from __future__ import annotations

import torch

from genbook.pixelcnn import (
    figures,
)


def test_the_drawn_field_counts_what_the_theorem_counts():
    one, two = (figures.field(5, 5, 4, 3, name) for name in (figures.NETWORKS[0], "two stacks"))
    assert "6 in the blind spot" in one.get_label()
    assert "0 in the blind spot" in two.get_label()
    assert "leak" in figures.field(5, 5, 4, 3, figures.NETWORKS[1]).get_label()


def test_scrubbing_tells_the_chance_of_the_next_pixel():
    scrub = figures.Scrub(torch.ones(2, 3), torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]))
    assert scrub(4).get_label() == "pixel 4: p(white) = 0.500"
