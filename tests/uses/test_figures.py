"""Drawings of the chapter: they say what they show."""

from __future__ import annotations

import pytest
import torch

from genbook.kit.device import seeded
from genbook.uses import figures, outliers, samplers, tables


def test_the_share_of_pairs_is_the_detectors():
    digits = torch.bernoulli(torch.full((30, 4, 4), 0.6), generator=seeded(0))
    others = {"empty": torch.zeros(30, 4, 4)}
    table = tables.fit(digits)
    for corrected in (False, True):
        shown = figures.histogram_of_costs(table, digits, others, "empty", corrected)
        costs = [
            table.nats(x) - corrected * outliers.compressed(x) for x in (digits, others["empty"])
        ]
        assert shown.get_label().startswith(f"empty: {outliers.detected(*costs):.1%} of pairs")


@pytest.mark.parametrize("stranger", [0.5, 1.0])
def test_strangers_without_entropy_pass(stranger):
    label = figures.two_coins(0.7, 0.7, stranger).get_label()
    assert label.endswith("pass" if stranger == 1.0 else "stand out")


def test_the_accuracy_does_not_hang_on_the_spread_and_the_loss_does():
    labels = [figures.shrunk(2.0, t).get_label() for t in (0.5, 1.0)]
    assert [f"accuracy {samplers.tight_classes(2.0, 1.0)[0]:.1%}" in x for x in labels] == [
        True
    ] * 2
    assert labels[0].split("entropy")[1] != labels[1].split("entropy")[1]
