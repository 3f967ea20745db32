r"""Data sets as tensors: bundled digits and photographs, MNIST, toys, text.

A data set is one tensor on the device; minibatches are index slices of it (:func:`batches`). What
is random takes a ``torch.Generator``. Environment:

========================  ==================================================================
``GENBOOK_DATA``          a folder that holds ``mnist/`` or the IDX files themselves, gzip or raw
                          (a relative path counts from the current folder, then from the
                          repository); ``none`` for bundled data only
``GENBOOK_CACHE``         where downloads are kept (default: the platform's cache folder)
``GENBOOK_DOWNLOAD``      ``0`` forbids downloads
========================  ==================================================================
"""

from __future__ import annotations

from genbook.kit.data.binary import BINARISATIONS, binarise, coins
from genbook.kit.data.bundled import PHOTOGRAPHS, digits, photos
from genbook.kit.data.idx import read_idx, write_idx
from genbook.kit.data.images import Batches, ImageSet, batches
from genbook.kit.data.mnist_files import fetch_mnist, mnist
from genbook.kit.data.sequences import temporal_order
from genbook.kit.data.text import Text, python_source
from genbook.kit.data.toys import (
    grid,
    grid_centres,
    ring,
    ring_centres,
    swiss_roll,
)

__all__ = [
    "BINARISATIONS",
    "PHOTOGRAPHS",
    "Batches",
    "ImageSet",
    "Text",
    "batches",
    "binarise",
    "coins",
    "digits",
    "fetch_mnist",
    "grid",
    "grid_centres",
    "mnist",
    "photos",
    "python_source",
    "read_idx",
    "ring",
    "ring_centres",
    "swiss_roll",
    "temporal_order",
    "write_idx",
]
