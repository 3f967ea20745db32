"""Laws of `genbook.wgan.figures`."""

from __future__ import annotations

import pytest

from genbook.wgan import figures


@pytest.mark.parametrize("kind", figures.HEAPS)
def test_histograms_are_distributions(kind):
    for shift in figures.WALK:
        heights = figures.histogram(kind, shift)
        assert heights.sum().item() == pytest.approx(1)
        assert heights.min() >= 0
