"""Fixtures of several test modules of `gan`."""

from __future__ import annotations

import pytest

from genbook.gan import scenes as gan_runs
from tests.gan.given import RING


@pytest.fixture(scope="module")
def forked():
    return gan_runs.forked_run(RING, seed=0, rounds=6, fork=2, every=2, width=8, resolution=5)
