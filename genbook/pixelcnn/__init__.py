r"""One pixel at a time: PixelRNN and PixelCNN.

``arithmetic_coding``
    Arithmetic coding: a network's probabilities turned into a file, and back, exactly.
``likelihood``
    Exact likelihood of images under a pixel model: binarisation, nats, bits, and training.
``masks``
    Masks A and B, and the convolution that keeps to them.
``network_caches``
    A memory for each of the three networks: what the rows above say, and how a row is wired.
``networks``
    Networks that paint one pixel at a time: PixelCNN, plain and gated.
``one_layer``
    Drawing with a single masked convolution: what a row cache is, before there are many layers.
``receptive_field``
    What an output has seen: exact Jacobians, and receptive fields by theory.
``row_cache``
    What the pixels of a row tell each other: the part of a cache that all networks share.
``row_lstm``
    Recurrent networks over pixels: the grid recurrence, by diagonals, and a small Row LSTM.
``sampling``
    Drawing images pixel by pixel: by the definition, and with what was computed before kept.
``studies``
    The recorded studies of the PixelCNN chapter: nats under three binarisations, and costs.
"""

from __future__ import annotations

from genbook.pixelcnn.arithmetic_coding import (
    PRECISION,
    Choose,
    Interval,
    decode,
    encode,
    frequencies,
    off_the_shelf,
    rounding_cost,
    visit,
    walk,
)
from genbook.pixelcnn.likelihood import (
    PixelTraining,
    all_images,
    bits_per_dim,
    level_of,
    nll,
    pixel_nll,
    quantise,
    train,
)
from genbook.pixelcnn.masks import (
    MaskedConv,
    causal_mask,
    check_images,
    check_labels,
    own_row,
)
from genbook.pixelcnn.network_caches import GatedMemory, PlainMemory, RowLSTMMemory, recall
from genbook.pixelcnn.networks import (
    GatedLayer,
    GatedPixelCNN,
    Head,
    PixelCNN,
    PixelModel,
    ResidualBlock,
    gate,
)
from genbook.pixelcnn.one_layer import Draw, row_by_row
from genbook.pixelcnn.receptive_field import (
    before,
    blind_share,
    blind_spot,
    field,
    sensitivity,
    sheared,
    sheared_coins,
)
from genbook.pixelcnn.row_cache import Above, Memory, Unit, affine, along, same
from genbook.pixelcnn.row_lstm import GridRecurrence, RowLayer, RowLSTM, lstm_step, skew, unskew
from genbook.pixelcnn.sampling import LongWay, Way, paint, pick_level, sample
from genbook.pixelcnn.studies import (
    FAMILIES,
    PUBLISHED,
    NllConfig,
    T,
    costs,
    judge,
    large,
    long_run,
    network,
    probe,
)

__all__ = [
    "FAMILIES",
    "PRECISION",
    "PUBLISHED",
    "Above",
    "Choose",
    "Draw",
    "GatedLayer",
    "GatedMemory",
    "GatedPixelCNN",
    "GridRecurrence",
    "Head",
    "Interval",
    "LongWay",
    "MaskedConv",
    "Memory",
    "NllConfig",
    "PixelCNN",
    "PixelModel",
    "PixelTraining",
    "PlainMemory",
    "ResidualBlock",
    "RowLSTM",
    "RowLSTMMemory",
    "RowLayer",
    "T",
    "Unit",
    "Way",
    "affine",
    "all_images",
    "along",
    "before",
    "bits_per_dim",
    "blind_share",
    "blind_spot",
    "causal_mask",
    "check_images",
    "check_labels",
    "costs",
    "decode",
    "encode",
    "field",
    "frequencies",
    "gate",
    "judge",
    "large",
    "level_of",
    "long_run",
    "lstm_step",
    "network",
    "nll",
    "off_the_shelf",
    "own_row",
    "paint",
    "pick_level",
    "pixel_nll",
    "probe",
    "quantise",
    "recall",
    "rounding_cost",
    "row_by_row",
    "same",
    "sample",
    "sensitivity",
    "sheared",
    "sheared_coins",
    "skew",
    "train",
    "unskew",
    "visit",
    "walk",
]
