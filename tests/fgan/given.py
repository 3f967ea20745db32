"""What several test modules of `fgan` are given."""

from __future__ import annotations

import pytest
from hypothesis import settings

from genbook.games import duality

FEW = settings(max_examples=15, deadline=None)


SMOOTH = [convex for convex in duality.TABLE if convex.name != "total variation"]


each = pytest.mark.parametrize("convex", duality.TABLE, ids=lambda convex: convex.name)


smooth = pytest.mark.parametrize("convex", SMOOTH, ids=lambda convex: convex.name)
