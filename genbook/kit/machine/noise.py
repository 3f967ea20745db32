r"""Random numbers that Python and a page draw alike: a counter in, bits out.

Threefry-2×32 with 20 rounds (Salmon et al. 2011) turns a key and a counter into 64 bits by adding,
rotating and xor alone, which are the same everywhere. So the page's n-th number is Python's n-th.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genbook.kit.machine.scripts import script

__all__ = ["SCRIPT", "normal", "threefry", "uniform"]

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
Words = NDArray[np.uint32]

SCRIPT = script("noise")
"""The twin on the page."""


def threefry(key: int, stream: int, first: int, second: Words) -> tuple[Words, Words]:
    r"""64 bits for each counter.

    Args:
        key: 32 bits, the seed.
        stream: 32 bits, what the numbers are for.
        first: 32 bits of the counter, such as the step.
        second: the other 32 bits, [n].

    Returns:
        Two words of 32 bits a counter, each [n].

    Example:
        >>> [hex(int(word[0])) for word in threefry(0, 0, 0, np.zeros(1, np.uint32))]
        ['0x6b200159', '0x99ba4efe']
    """
    keys = [np.uint32(k) for k in (key, stream, key ^ stream ^ PARITY)]
    with np.errstate(over="ignore"):
        x = np.full_like(second, np.uint32(first)) + keys[0]
        y = second.astype(np.uint32) + keys[1]
        for group in range(5):
            for turn in ROTATIONS[group % 2]:
                x = x + y
                y = ((y << np.uint32(turn)) | (y >> np.uint32(32 - turn))) ^ x
            x = x + keys[(group + 1) % 3]
            y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x, y


def uniform(size: int, *, key: int, stream: int, step: int) -> NDArray[np.float32]:
    r"""Numbers of [0, 1), equal to the page's bit for bit.

    Args:
        size: n, how many.
        key: the seed.
        stream: what they are for.
        step: of the run; each has its own numbers.

    Returns:
        [n], multiples of 2⁻²⁴.

    Example:
        >>> bool((uniform(4, key=1, stream=0, step=0) < 1).all())
        True
    """
    one, two = _words(size, key, stream, step)
    return np.stack([one, two], 1).reshape(-1)[:size].astype(np.float32) / np.float32(1 << 24)


def normal(size: int, *, key: int, stream: int, step: int) -> NDArray[np.float32]:
    r"""Standard normal numbers by Box and Muller, equal to the page's to the last bits.

    Args:
        size: n, how many.
        key: the seed.
        stream: what they are for.
        step: of the run.

    Returns:
        [n].

    Example:
        >>> normal(3, key=1, stream=0, step=0).shape
        (3,)
    """
    one, two = _words(size, key, stream, step)
    radius = np.sqrt(-2 * np.log((one + 0.5) / (1 << 24)))
    angle = 2 * np.pi * two / (1 << 24)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return pairs.reshape(-1)[:size].astype(np.float32)


def _words(size: int, key: int, stream: int, step: int) -> tuple[NDArray[np.float64], ...]:
    counters = np.arange((size + 1) // 2, dtype=np.uint32)
    return tuple(
        (w >> np.uint32(8)).astype(np.float64) for w in threefry(key, stream, step, counters)
    )
