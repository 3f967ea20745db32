"""What several test modules of `collapse` are given."""

from __future__ import annotations

from hypothesis import settings

from genbook.kit import data

FEW = settings(max_examples=20, deadline=None)


RING, GRID = data.ring_centres(), data.grid_centres()
