"""Laws of `genbook.pixelcnn.networks`."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn import (
    likelihood,
    receptive_field,
    sampling,
)
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from genbook.pixelcnn.receptive_field import before
from genbook.pixelcnn.row_lstm import RowLSTM
from tests.pixelcnn.given import FEW, any_net_of, net_of


def test_nll_is_the_sum_over_pixels_of_one_conditional_each():
    net = net_of(GatedPixelCNN, channels=4, depth=1, first=3)
    x = torch.rand(3, 1, 4, 5, generator=seeded(0)).round().double()
    by_hand = torch.zeros(3, dtype=torch.float64)
    for row in range(4):
        for column in range(5):
            past = torch.where(receptive_field.before((4, 5), (row, column)), x, 0.0)
            logits = net(past)[:, 0, :, row, column].log_softmax(1)
            by_hand -= logits.gather(1, x[:, 0, row, column, None].long())[:, 0]
    torch.testing.assert_close(likelihood.nll(net, x), by_hand.detach())


sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@FEW
@given(size=sizes, kernel=st.sampled_from([1, 3, 5, 7]), kind=st.sampled_from([0, 1, 2]))
def test_memories_fit_images_of_any_size(size, kernel, kind):
    net = any_net_of((GatedPixelCNN, PixelCNN, RowLSTM)[kind], first=max(3, kernel), kernel=kernel)
    both = [sampling.sample(net, 2, size, seeded(4), cached=cached) for cached in (False, True)]
    assert torch.equal(*both)


def test_one_image_and_many_are_drawn_alike():
    net = any_net_of(PixelCNN)
    many = sampling.sample(net, 5, (4, 4), seeded(0))
    assert many.shape == (5, 1, 4, 4)
    assert many.requires_grad is False
    likelihood.pixel_nll(net, many).sum().backward()  # what was drawn is an ordinary tensor


@pytest.mark.parametrize("kind", [GatedPixelCNN, PixelCNN, RowLSTM])
def test_samples_follow_the_exact_probabilities(kind):
    net = any_net_of(kind, first=3, channels=4, depth=1)
    drawn = sampling.sample(net, 40_000, (2, 2), seeded(0)).flatten(1)
    counts = torch.bincount((drawn @ drawn.new_tensor([8, 4, 2, 1])).long(), minlength=16)
    exact = likelihood.nll(net, likelihood.all_images(2, 2)).neg().exp()
    chi2 = ((counts - 40_000 * exact) ** 2 / (40_000 * exact)).sum()
    assert chi2 < 37.7  # the 0.1 % point with 15 degrees of freedom


def test_known_pixels_are_kept_and_the_rest_is_drawn():
    net = any_net_of(GatedPixelCNN)
    start = torch.rand(3, 1, 5, 4, generator=seeded(0)).round().double()
    known = before((5, 4), (2, 1))
    both = [
        sampling.sample(net, 3, (5, 4), seeded(1), start=start, known=known, cached=cached)
        for cached in (True, False)
    ]
    assert torch.equal(*both)
    assert torch.equal(both[0][..., known], start[..., known])
    assert not torch.equal(both[0], start)


@pytest.mark.parametrize("kind", [GatedPixelCNN, PixelCNN, RowLSTM])
def test_greedy_images_take_the_likelier_level_everywhere(kind):
    net = any_net_of(kind)
    both = [sampling.sample(net, 1, (4, 5), seeded(n), cached=n > 0, greedy=True) for n in (0, 1)]
    assert torch.equal(*both)
    assert torch.equal(net(both[0]).argmax(2).to(both[0]), both[0])
