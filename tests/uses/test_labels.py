"""A model a class: Bayes' rule, the mixture, and rejection."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from genbook.kit.device import seeded
from genbook.uses import labels, tables


def labeller(classes: int = 3) -> labels.Labeller:
    chances = 0.05 + 0.9 * torch.rand(classes, 256, generator=seeded(0), dtype=torch.float64)
    return labels.Labeller(tuple(tables.Table(row) for row in chances))


def pages() -> torch.Tensor:
    return torch.tensor(list(product((0.0, 1.0), repeat=6))).view(-1, 2, 3)


def test_labels_follow_bayes_rule_by_hand():
    own = labeller()
    joint = torch.stack([(-t.nats(pages())).exp() for t in own.tables], 1) / 3
    assert torch.allclose(own.chances(pages()), joint / joint.sum(1, keepdim=True), atol=1e-12)
    assert torch.allclose(own.whole(pages()), -joint.sum(1).log(), atol=1e-12)


def test_the_mixture_is_a_distribution():
    assert (-labeller().whole(pages())).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_a_mixture_of_costs_far_apart_is_the_best_of_them_and_its_share():
    costs = torch.tensor([[900.0, 2_000.0], [3_000.0, 800.0], [5.0, 5.0]]).double()
    wanted = torch.tensor([900.0, 800.0, 5.0 - math.log(2)]).double() + math.log(2)
    assert torch.allclose(labels.mixed(costs), wanted, atol=1e-12)


def test_each_class_is_counted_from_its_own_images():
    images = torch.bernoulli(torch.full((9, 4, 4), 0.5), generator=seeded(1))
    told = torch.arange(9) % 3
    own = labels.by_class(images, told, 3)
    for k in range(3):
        assert torch.equal(own.tables[k].ink, tables.fit(images[told == k]).ink)


def test_what_is_kept_is_the_cheapest_and_no_more_than_asked_is_left_out():
    costs, right = torch.tensor([3.0, 1.0, 2.0, 9.0]), torch.tensor([False, True, True, False])
    assert labels.rejecting(costs, right, 0.0) == (0.5, 9.0)
    assert labels.rejecting(costs, right, 0.25) == (pytest.approx(2 / 3), 3.0)
    assert labels.rejecting(costs, right, 0.5) == (1.0, 2.0)


def test_bad_input_is_refused():
    labels.check_classes(torch.tensor([2, 0, 1, 1]), 3)
    with pytest.raises(ValueError, match=r"3 classes, got none of \[0, 2\]"):
        labels.check_classes(torch.tensor([1, 1]), 3)
    with pytest.raises(ValueError, match=r"none of \[1\]"):
        labels.by_class(torch.zeros(2, 2, 2), torch.zeros(2).long(), 2)
    with pytest.raises(ValueError, match="share"):
        labels.rejecting(torch.zeros(2), torch.ones(2).bool(), 1.0)
