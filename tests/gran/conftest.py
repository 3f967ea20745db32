"""Fixtures of several test modules of `gran`."""

from __future__ import annotations

import pytest

from genbook.gran import studies
from genbook.kit import data


@pytest.fixture(scope="package")
def place():
    images = data.digits("train", device="cpu"), data.digits("test", device="cpu")
    return studies.hall(*images, studies.TINY)


@pytest.fixture(scope="package")
def runs(place):
    return studies.train_all(place, 0, (1, 3))
