"""Laws of `genbook.games.classifier`."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genbook.games import classifier
from genbook.kit import data


def test_a_reader_counts_each_sample_once():
    images = torch.eye(10)[torch.tensor([[3, 3, 7], [0, 1, 2]])]
    counts = classifier.Reader(nn.Identity(), 1.0, "none").classes(images)
    assert counts.sum(1).tolist() == [3, 3]
    assert counts[0, [3, 7]].tolist() == [2, 1]
    assert counts[1, :3].tolist() == [1, 1, 1]


def test_a_share_right_is_that_of_the_labels_that_it_gives():
    images = torch.eye(10)[torch.tensor([3, 3, 7, 0])].reshape(4, 1, 2, 5)
    told = data.ImageSet("x", images, torch.tensor([3, 2, 7, 1]))
    assert classifier.Reader(nn.Identity(), 0.0, "none").share_right(told) == 0.5


def test_a_step_of_gradient_descent_is_softmax_less_truth():
    net = nn.Linear(1, 2, bias=False)
    nn.init.zeros_(net.weight)
    batch = torch.ones(1, 1), torch.tensor([1])
    classifier.fit_classifier(net, [batch], torch.optim.SGD(net.parameters(), 1.0))
    torch.testing.assert_close(net.weight.detach().flatten(), torch.tensor([-0.5, 0.5]))


def test_no_minibatch_trains_nothing():
    net = nn.Linear(1, 2)
    before = net.weight.detach().clone()
    classifier.fit_classifier(net, [], torch.optim.SGD(net.parameters(), 1.0))
    assert torch.equal(net.weight, before)


def test_images_without_a_seed_axis_and_no_steps_are_refused():
    with pytest.raises(ValueError, match="expected samples"):
        classifier.Reader(nn.Identity(), 1.0, "none").classes(torch.zeros(2, 10))
    with pytest.raises(ValueError, match="expected images"):
        classifier.learn_to_read(data.digits("train"), data.digits("test"), steps=0)
