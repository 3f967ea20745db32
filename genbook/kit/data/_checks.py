"""Checks of arguments that several data sets share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch


def whole(name: str, value: int, least: int) -> int:
    """``value`` if it is a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}: expected a whole number ≥ {least}, got {value!r}.")
    return value


def real(name: str, value: float, *, above: float = -math.inf, least: float = -math.inf) -> float:
    """``value`` if it is a finite number, > ``above`` and ≥ ``least``."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value <= above or value < least:
        bound = (
            f" > {above:g}" if above > -math.inf else f" ≥ {least:g}" if least > -math.inf else ""
        )
        raise ValueError(f"{name}: expected a finite number{bound}, got {value!r}.")
    return value


def one_of(name: str, value: str, allowed: Sequence[str]) -> str:
    """``value`` if it is allowed."""
    if value not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, allowed))}, got {value!r}.")
    return value


def random_source(generator: torch.Generator) -> torch.Generator:
    """``generator`` if it is one."""
    if not isinstance(generator, torch.Generator):
        raise ValueError(
            f"generator: expected a torch.Generator, got {type(generator).__name__}; "
            "make one with genbook.kit.device.seeded(0)."
        )
    return generator
