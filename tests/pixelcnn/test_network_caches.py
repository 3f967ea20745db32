"""Laws of `genbook.pixelcnn.network_caches`."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.pixelcnn import sampling
from genbook.pixelcnn.network_caches import recall
from genbook.pixelcnn.networks import GatedPixelCNN
from tests.pixelcnn.given import any_net_of, each, labels_of


@each
def test_cached_samples_equal_naive_ones_bit_by_bit(kind, options):
    net, labels = any_net_of(kind, **options), labels_of(options)
    for size in ((5, 7), (6, 3), (1, 1)):
        slow, fast = (
            sampling.sample(net, 2, size, seeded(2), labels=labels, cached=cached)
            for cached in (False, True)
        )
        assert torch.equal(slow, fast)


def test_a_network_without_a_cache_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match="cached=False"):
        recall(torch.nn.Linear(1, 1), (1, 1, 3, 3), None)


@pytest.mark.parametrize("cached", [False, True])
def test_predictions_on_the_way_are_those_of_one_pass(cached):
    net = GatedPixelCNN(6, 2, colours=3, levels=4, generator=seeded(0)).double()
    x = torch.randint(0, 4, (2, 3, 4, 5), generator=seeded(1)).double() / 3
    torch.testing.assert_close(sampling.predictions(net, x, cached=cached), net(x))
    with pytest.raises(ValueError, match="3 colours"):
        sampling.predictions(net, x[:, :1])
