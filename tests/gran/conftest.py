"""Fixtures of several test modules of `gran`."""

from __future__ import annotations

import pytest

from genbook.gran import (
    players,
)
from genbook.kit import data


@pytest.fixture(scope="module")
def small():
    images = data.digits("test", device="cpu")
    arena = players.Arena(2, 2, 50, 50)
    return players.tournament(players.PLAYERS, images, images, [0, 1], arena)
