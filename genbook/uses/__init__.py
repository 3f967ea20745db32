r"""What generative models are good for: outliers, labels, features, teaching.

``tables``
    The smallest model of black and white images.
``outliers``
    Likelihood as a detector, and a correction by compression.
``detectors``
    Others: how a page is redrawn, and a classifier's doubt.
``labels``
    A model a class: labels by Bayes' rule, and a score that rejects.
``conditional``
    Pages of a class: a VAE for each, a PixelCNN that is told which.
``samplers``
    Samplers of labelled images, judged by what a classifier learns from them.
``ranking``
    Whether the likelier model teaches better.
``probes``
    A linear reader on top of features.
"""

from __future__ import annotations

from genbook.uses.conditional import ClassPixels, ClassVAEs, pixelcnn_by_class, vae_by_class
from genbook.uses.detectors import (
    Subspace,
    doubts,
    principal,
    share_below,
    small_reader,
    steps_of,
    told,
)
from genbook.uses.labels import Labeller, by_class, mixed, rejecting
from genbook.uses.outliers import (
    compressed,
    detected,
    divergence,
    entropy,
    mean_score,
    strangers,
)
from genbook.uses.probes import few_labels, read_linearly
from genbook.uses.ranking import agreement
from genbook.uses.samplers import (
    Cloud,
    cheating,
    cloud,
    drawn,
    of_codes,
    of_pixels,
    of_tables,
    taught,
    thresholded,
    tight_classes,
)
from genbook.uses.tables import Table, binary, cheapest, contexts, fit

__all__ = [
    "ClassPixels",
    "ClassVAEs",
    "Cloud",
    "Labeller",
    "Subspace",
    "Table",
    "agreement",
    "binary",
    "by_class",
    "cheapest",
    "cheating",
    "cloud",
    "compressed",
    "contexts",
    "detected",
    "divergence",
    "doubts",
    "drawn",
    "entropy",
    "few_labels",
    "fit",
    "mean_score",
    "mixed",
    "of_codes",
    "of_pixels",
    "of_tables",
    "pixelcnn_by_class",
    "principal",
    "read_linearly",
    "rejecting",
    "share_below",
    "small_reader",
    "steps_of",
    "strangers",
    "taught",
    "thresholded",
    "tight_classes",
    "told",
    "vae_by_class",
]
