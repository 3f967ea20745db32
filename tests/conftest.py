"""Fixtures that every test module shares."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device that is there: the CPU always, a GPU when the machine has one."""
    return torch.device(request.param)


@pytest.fixture
def generator() -> torch.Generator:
    """A seeded source of randomness on the CPU."""
    return torch.Generator().manual_seed(20240)
