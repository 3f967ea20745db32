"""The machine that describes a painted scene computes what the network does."""

from __future__ import annotations

import pytest
import torch

from genbook.captions import captioner, machines, scenes, search
from genbook.kit.device import seeded
from genbook.kit.machine.parts import Twin


@pytest.mark.parametrize("way", captioner.WAYS)
def test_the_windows_are_the_convolution(way):
    net = captioner.Captioner(way, 3).double()
    x, words = torch.rand(256, generator=seeded(0)).double(), torch.tensor([1, 4, 2])
    ours = machines.logits(net, list(net.parameters()), x, words)
    assert torch.allclose(ours, net(x.view(1, 16, 16), words[None])[0], atol=1e-12)


def test_the_caption_is_the_greedy_one():
    net = captioner.Captioner("every", 1)
    x = scenes.render(scenes.SCENES[3], generator=seeded(0))
    said = machines.written(net, list(net.parameters()), x.flatten()).tolist()
    greedy = search.beam(net, x, 1, 6).words
    assert tuple(said[: len(greedy)]) == greedy


def test_a_step_goes_to_the_next_word_and_round():
    x = scenes.render(scenes.SCENES[3], generator=seeded(0))
    twin = Twin(
        machines.describing(captioner.Captioner("every", 1), {"a scene": x}), 1, {}, x.flatten()
    )
    numbers = []
    for _ in range(7):
        twin.look()
        numbers.append(int(twin.targets["number"]))
        assert twin.targets["chances"].sum().item() == pytest.approx(1, abs=1e-5)
        twin.step()
    assert numbers == [1, 2, 3, 4, 5, 6, 1]
