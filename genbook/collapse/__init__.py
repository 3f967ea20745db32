r"""When the generator forgets.

``causes``
    Why a generator forgets: a critic that stands still, a critic that cannot see, one that
    circles.
``critics``
    Critics that resist collapse: they see several samples at once, or may not be steep.
``digits``
    Ten digits as ten modes: a classifier trained on the spot reads what a generator draws.
``limits``
    Exact limits of the scores: what the data, or a perfect sampler of few modes, would get.
``onset``
    Generators that look further ahead, on rings that may differ from slice to slice.
``published``
    What two papers report on the ring of eight and the grid of 25, and their protocols.
``remedies``
    Remedies side by side: one pair of networks, one budget, one benchmark at a time.
``studies``
    The recorded runs: every method on one small budget, and one remedy given ten times as much.
"""

from __future__ import annotations

from genbook.collapse.causes import Elsewhere, bilinear, bilinear_step, push, stale
from genbook.collapse.critics import (
    MinibatchStd,
    Packed,
    PlacedWaves,
    SpectralLinear,
    SpectralMLP,
    Waves,
    spectral_norm,
)
from genbook.collapse.digits import (
    ITERATIONS,
    NAMES,
    Drawn,
    digit_rows,
    draw_digits,
    image_players,
    reading,
)
from genbook.collapse.limits import ceiling, histogram_floor, kept_modes, packed_tv
from genbook.collapse.onset import NETWORKS, looked_at, own_rings, small_game, small_players
from genbook.collapse.published import (
    PACGAN,
    PUBLISHED,
    VEEGAN,
    Protocol,
    Published,
    mean_and_error,
)
from genbook.collapse.remedies import (
    GRID,
    METHODS,
    PLAIN,
    RING,
    Benchmark,
    Budget,
    Method,
    Moment,
    flat_slopes,
    method,
    moments,
    players,
    watch,
    widened,
)
from genbook.collapse.studies import PATIENT, as_rows

__all__ = [
    "GRID",
    "ITERATIONS",
    "METHODS",
    "NAMES",
    "NETWORKS",
    "PACGAN",
    "PATIENT",
    "PLAIN",
    "PUBLISHED",
    "RING",
    "VEEGAN",
    "Benchmark",
    "Budget",
    "Drawn",
    "Elsewhere",
    "Method",
    "MinibatchStd",
    "Moment",
    "Packed",
    "PlacedWaves",
    "Protocol",
    "Published",
    "SpectralLinear",
    "SpectralMLP",
    "Waves",
    "as_rows",
    "bilinear",
    "bilinear_step",
    "ceiling",
    "digit_rows",
    "draw_digits",
    "flat_slopes",
    "histogram_floor",
    "image_players",
    "kept_modes",
    "looked_at",
    "mean_and_error",
    "method",
    "moments",
    "own_rings",
    "packed_tv",
    "players",
    "push",
    "reading",
    "small_game",
    "small_players",
    "spectral_norm",
    "stale",
    "watch",
    "widened",
]
