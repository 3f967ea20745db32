"""Laws of `genbook.pixelcnn.likelihood`."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbook.kit.device import seeded
from genbook.pixelcnn import (
    likelihood,
    masks,
    receptive_field,
    row_lstm,
)
from genbook.pixelcnn import studies as pixel_studies
from genbook.pixelcnn.network_caches import recall
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN
from tests.pixelcnn.given import FEW, any_net_of, each, kinds, labels_of, net_of


@pytest.mark.parametrize(
    ("options", "shape"),
    [({}, (3, 3)), ({"colours": 3}, (2, 2)), ({"levels": 3}, (2, 3)), ({"levels": 4}, (1, 5))],
)
@kinds
def test_probabilities_of_all_images_sum_to_one(kind, options, shape):
    net = net_of(kind, channels=6, depth=1, first=3, **options)
    every = likelihood.all_images(*shape, **options)
    assert likelihood.nll(net, every).neg().exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_every_class_of_a_conditional_model_is_a_distribution():
    net = net_of(GatedPixelCNN, channels=4, depth=1, first=3, classes=3)
    every = likelihood.all_images(3, 3)
    totals = [
        likelihood.nll(net, every, torch.full((512,), y)).neg().exp().sum().item() for y in range(3)
    ]
    assert totals == pytest.approx([1, 1, 1], abs=1e-12)


def test_batches_do_not_change_the_likelihood():
    net = net_of(PixelCNN, channels=4, depth=1)
    x = torch.rand(7, 1, 5, 5, generator=seeded(0)).round().double()
    torch.testing.assert_close(likelihood.nll(net, x, batch=3), likelihood.nll(net, x))


@given(levels=st.integers(2, 256))
@FEW
def test_quantising_twice_changes_nothing(levels):
    once = likelihood.quantise(torch.rand(40, dtype=torch.float64), levels)
    assert torch.equal(likelihood.quantise(once, levels), once)


def test_uniform_bytes_cost_eight_bits():
    assert likelihood.bits_per_dim(12 * math.log(256), 12) == pytest.approx(8)


def test_training_lowers_the_cost_and_repeats_itself():
    x = (torch.arange(16).view(1, 1, 4, 4) % 2).float().expand(20, 1, 4, 4)
    last = []
    for _ in range(2):
        net = GatedPixelCNN(4, 1, first=3, generator=seeded(0))
        how = likelihood.PixelTraining(60, 10, 2e-2, None, every=1)
        costs = [step.terms["nll"] for step in likelihood.train(net, x, how, seeded(1))]
        last.append(costs)
    assert last[0] == last[1]
    assert costs[-1] < 0.5 * costs[0]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: masks.causal_mask(4, kind="A"), "odd kernel"),
        (lambda: masks.causal_mask(3, kind="C"), "'A' or 'B'"),
        (lambda: masks.causal_mask(3, 2, 2, kind="A", colours=3), "multiples of 3"),
        (lambda: masks.causal_mask(3, kind="A", stack="left"), "stack"),
        (lambda: masks.causal_mask(1, kind="A", stack="vertical"), "see nothing"),
        (lambda: masks.check_images(torch.zeros(3, 3), 1), "expected images"),
        (lambda: masks.check_labels(None, 2, 3), "expected labels"),
        (lambda: masks.check_labels(torch.tensor([5]), 1, 3), "int64 labels"),
        (lambda: net_of(PixelCNN, channels=3), "multiples of 2"),
        (lambda: net_of(GatedPixelCNN, channels=4, levels=1), "two levels"),
        (lambda: row_lstm.RowLSTM(0, generator=seeded(0)), "channels"),
        (lambda: row_lstm.GridRecurrence(0, generator=seeded(0)), "channels"),
        (lambda: row_lstm.skew(torch.zeros(3)), "rows and columns"),
        (lambda: row_lstm.unskew(torch.zeros(3, 2)), "skewed"),
        (
            lambda: receptive_field.sensitivity(lambda x: x, torch.zeros(1, 1, 2, 2), (2, 0)),
            "inside",
        ),
        (
            lambda: receptive_field.sensitivity(lambda x: x / 0, torch.ones(1, 1, 2, 2), (0, 0)),
            "finite",
        ),
        (lambda: receptive_field.field((3, 3), (1, 1), 2, 1, stacks=1), "odd kernel"),
        (lambda: receptive_field.field((3, 3), (1, 1), 3, 1, stacks=3), "two stacks"),
        (lambda: receptive_field.blind_share(0), "one layer"),
        (lambda: receptive_field.sheared_coins(0, (3, 3), seeded(0)), "expected"),
        (lambda: receptive_field.sheared(torch.zeros(3)), "expected images"),
        (lambda: likelihood.quantise(torch.ones(2), 1), "two levels"),
        (lambda: likelihood.bits_per_dim(1.0, 0), "dimension"),
        (lambda: likelihood.all_images(5, 5), "at most"),
        (lambda: likelihood.PixelTraining(0), "positive"),
        (lambda: likelihood.PixelTraining(1, binarisation="half"), "binarisation"),
        (
            lambda: likelihood.nll(net_of(PixelCNN), torch.full((1, 1, 3, 3), 0.5).double()),
            "levels",
        ),
        (lambda: pixel_studies.network("RNN", seeded(0)), "family"),
    ],
)
def test_bad_input_is_refused_with_words(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


@each
@torch.no_grad()
def test_remembered_logits_are_those_of_a_whole_pass(kind, options):
    net, labels = any_net_of(kind, **options), labels_of(options)
    x = likelihood.quantise(
        torch.rand(2, net.colours, 4, 5, generator=seeded(2)).double(), net.levels
    )
    memory, whole = recall(net, x.shape, labels), net(x, labels)
    for row in range(4):
        memory.enter_row(row)
        for column in range(5):
            for colour in range(net.colours):
                logits = memory.logits(column, colour)
                torch.testing.assert_close(
                    logits, whole[:, colour, :, row, column], rtol=0, atol=1e-12
                )
                memory.tell(column, colour, x[:, colour, row, column])
