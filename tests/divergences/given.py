"""What several test modules of `divergences` are given."""

from __future__ import annotations

from hypothesis import settings

FEW = settings(max_examples=25, deadline=None)
