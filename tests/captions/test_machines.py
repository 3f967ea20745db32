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


@pytest.mark.parametrize("place", [0, 2, 5])
def test_slopes_chances_and_letters_are_those_of_the_word(place):
    net = captioner.Captioner("every", 1)
    x = scenes.render(scenes.SCENES[3], generator=seeded(0))
    held = list(net.parameters())
    said = machines.written(net, held, x.flatten())
    leaf = x.clone().requires_grad_()
    chances = net(leaf[None], said[None, :place])[0, -1].log_softmax(0)
    slope = torch.autograd.grad(chances[said[place]], leaf)[0].abs().flatten()
    at = torch.tensor([float(place)])
    size, now, letters, number, sure = machines.seen(net, held, at, x.flatten())
    torch.testing.assert_close(size, slope / slope.max(), atol=1e-5, rtol=0)
    torch.testing.assert_close(now, chances.detach().exp(), atol=1e-5, rtol=0)
    assert float(sure) == pytest.approx(float(now[said[place]]), abs=1e-6)
    assert int(number) == place + 1
    shown = letters.view(6, machines.LETTERS, 3)
    texts = [
        "".join(machines.ALPHABET[int(n) - 1] for n in row if n > 0).strip()
        for row in shown[:, :, 0]
    ]
    names = [machines.WORDS[n].replace("END", ".") for n in said.tolist()]
    assert texts == [*names[: place + 1], *[""] * (5 - place)]
    assert shown[:, 0, 1].tolist() == [float(k == place) for k in range(6)]
