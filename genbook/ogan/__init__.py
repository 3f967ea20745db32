r"""O-GAN: a discriminator that is also an encoder.

``codes``
    A code's average, deviation and direction; correlation and squared error, taken apart.
``training``
    A generator, an encoder whose average judges, and the autoencoder beside them.
"""

from __future__ import annotations

from genbook.ogan.codes import (
    ErrorParts,
    Parts,
    chance_below,
    chance_density,
    correlation,
    error_parts,
    parts,
    squared_error,
)
from genbook.ogan.training import (
    Players,
    Recipe,
    encoder_loss,
    generator_loss,
    meeting,
    tie,
    train,
    train_autoencoder,
)

__all__ = [
    "ErrorParts",
    "Parts",
    "Players",
    "Recipe",
    "chance_below",
    "chance_density",
    "correlation",
    "encoder_loss",
    "error_parts",
    "generator_loss",
    "meeting",
    "parts",
    "squared_error",
    "tie",
    "train",
    "train_autoencoder",
]
