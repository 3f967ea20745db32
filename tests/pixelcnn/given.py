"""What several test modules of `pixelcnn` are given."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from genbook.pixelcnn.row_lstm import RowLSTM

FEW = settings(max_examples=12, deadline=None)


sizes = st.tuples(st.integers(2, 7), st.integers(2, 7))


kinds = pytest.mark.parametrize("kind", [PixelCNN, GatedPixelCNN], ids=lambda kind: kind.__name__)


def net_of(kind, seed=0, **options):
    return kind(generator=seeded(seed), **options).double()


NETWORKS = [
    (GatedPixelCNN, {}),
    (GatedPixelCNN, {"colours": 3, "levels": 5}),
    (GatedPixelCNN, {"classes": 2}),
    (GatedPixelCNN, {"first": 5, "kernel": 5}),
    (GatedPixelCNN, {"first": 3, "kernel": 1}),
    (GatedPixelCNN, {"depth": 0}),
    (PixelCNN, {}),
    (PixelCNN, {"colours": 3, "levels": 5}),
    (PixelCNN, {"first": 3, "kernel": 5}),
    (PixelCNN, {"first": 5, "kernel": 1}),
    (PixelCNN, {"depth": 0}),
    (RowLSTM, {}),
    (RowLSTM, {"levels": 4, "first": 3, "kernel": 5}),
    (RowLSTM, {"depth": 0}),
]


each = pytest.mark.parametrize(("kind", "options"), NETWORKS)


def any_net_of(kind, **options):
    """A network with biases that are not zero, in doubles."""
    net = kind(generator=seeded(0), **{"channels": 6, "depth": 2, **options}).double()
    with torch.no_grad():
        for name, values in net.named_parameters():
            if name.endswith("bias"):
                values += 0.3 * torch.randn(values.shape, generator=seeded(1))
    return net


def labels_of(options, count=2):
    return torch.arange(count) % options["classes"] if "classes" in options else None
