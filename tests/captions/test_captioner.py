"""The captioner: where the picture enters, and what a score is."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, scenes
from genbook.kit.device import seeded


@pytest.mark.parametrize("way", captioner.WAYS)
def test_a_score_is_the_sum_of_its_words(way):
    net = captioner.Captioner(way, 0)
    data = captioner.pairs(scenes.SEEN, 4, seeded(0))
    total = torch.zeros(4)
    for k in range(6):
        chances = net(data.pictures, data.captions[:, :k])[:, -1].log_softmax(1)
        total += chances.gather(1, data.captions[:, k : k + 1])[:, 0]
    assert torch.allclose(net.score(data.pictures, data.captions), total, atol=1e-4)


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="expected a way"):
        captioner.Captioner("twice", 0)


def test_training_lowers_the_loss_and_refuses_what_is_not_finite():
    data = captioner.pairs(scenes.SEEN, 200, seeded(0))
    losses = list(captioner.train(captioner.Captioner("every", 0), data, steps=40, seed=0))
    assert losses[-1] < 0.5 * losses[0]
    broken = captioner.Pairs(data.pictures * float("nan"), data.captions)
    with pytest.raises(ValueError, match="expected a finite loss"):
        next(captioner.train(captioner.Captioner("every", 0), broken, steps=1, seed=0))
