r"""DCGAN: eleven years of one architecture, guideline by guideline.

``strides``
    Strided and transposed convolutions, and how often the stamps of one overlap.
``norms``
    Batch normalisation, and its children that read a class or the code.
``networks``
    The generator and the discriminator, with a switch for each guideline.
``training``
    The game.
``latent``
    Walks, arithmetic, and what is measured on digits.
``concepts``
    Codes whose digits lean, and what adding a lean does to others.
``projection``
    The discriminator that projects on classes.
``studies``
    Broken guidelines, self-modulation and classes, over several seeds.
``larger``
    The same on MNIST and on photographs.
``probe``
    What D has learned without a label.
"""

from __future__ import annotations

from genbook.dcgan.concepts import Bank, Sums, collect, drawn, sums
from genbook.dcgan.latent import arc, arithmetic, ink, line, slant, spread_of_sum
from genbook.dcgan.networks import Design, Discriminator, Generator
from genbook.dcgan.norms import ClassNorm, Norm, SelfNorm
from genbook.dcgan.projection import Classes, linear_parts, off_projection, optimal_logit
from genbook.dcgan.strides import as_matrix, checkerboard, down, overlaps, up
from genbook.dcgan.training import Players, Recipe, codes, players, settled, train

__all__ = [
    "Bank",
    "ClassNorm",
    "Classes",
    "Design",
    "Discriminator",
    "Generator",
    "Norm",
    "Players",
    "Recipe",
    "SelfNorm",
    "Sums",
    "arc",
    "arithmetic",
    "as_matrix",
    "checkerboard",
    "codes",
    "collect",
    "down",
    "drawn",
    "ink",
    "line",
    "linear_parts",
    "off_projection",
    "optimal_logit",
    "overlaps",
    "players",
    "settled",
    "slant",
    "spread_of_sum",
    "sums",
    "train",
    "up",
]
