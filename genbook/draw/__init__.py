r"""Drawing through a window, step by step.

``network``
    DRAW: a variational autoencoder whose decoder adds to a canvas.
``studies``
    Train DRAW on binary images; the recorded study with and without windows.
``windows``
    Windows of Gaussian filters: where they sit, what they read, what they write.
"""

from __future__ import annotations

from genbook.draw.network import DRAW, Drawing, code_length, negative_bound, open_windows
from genbook.draw.studies import (
    ABLATION,
    CAUSES,
    FIVE,
    FOUR_GLIMPSES,
    MEAN,
    RIM,
    SIXTEEN_GLIMPSES,
    TWO,
    WHOLE,
    WINDOW,
    Looks,
    bound,
    build,
    gains,
    mean_image_bound,
    sight,
)
from genbook.draw.windows import Window, filter_bank, read, window, write

__all__ = [
    "ABLATION",
    "CAUSES",
    "DRAW",
    "FIVE",
    "FOUR_GLIMPSES",
    "MEAN",
    "RIM",
    "SIXTEEN_GLIMPSES",
    "TWO",
    "WHOLE",
    "WINDOW",
    "Drawing",
    "Looks",
    "Window",
    "bound",
    "build",
    "code_length",
    "filter_bank",
    "gains",
    "mean_image_bound",
    "negative_bound",
    "open_windows",
    "read",
    "sight",
    "window",
    "write",
]
