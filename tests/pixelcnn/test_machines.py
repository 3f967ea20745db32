"""The machine that finishes images: its chances and its bits are the network's."""

from __future__ import annotations

import math

import pytest
import torch

from genbook.kit.device import seeded
from genbook.kit.machine import weights
from genbook.kit.machine.parts import Twin
from genbook.pixelcnn import likelihood, machines
from genbook.pixelcnn.networks import GatedPixelCNN, PixelCNN

SIZE = (5, 6)


@pytest.fixture(scope="module", params=[GatedPixelCNN, PixelCNN])
def net(request):
    return request.param(8, 1, first=3, generator=seeded(0))


@pytest.fixture(scope="module")
def machine(net):
    top = torch.zeros(SIZE)
    top[1, 2:4] = 1
    return machines.completing(net, SIZE, {"a bar": top, "nothing": torch.zeros(SIZE)})


@pytest.fixture(scope="module")
def rounded(net):
    """The network as the page has it."""
    other = type(net)(8, 1, first=3, generator=seeded(0))
    with torch.no_grad():
        for own, new in zip(
            other.parameters(), weights.rounded(machines.open_weights(net)), strict=True
        ):
            own.copy_(new)
    return other


def played(machine, top, steps):
    twin = Twin(machine, 1, machine.beginning(), machine.data[top])
    for _ in range(steps):
        twin.step()
    twin.look()
    return twin


def test_with_open_weights_the_network_says_what_it_said(net):
    x = torch.rand(1, 1, *SIZE, generator=seeded(1)).round()
    said = machines.chances(net, machines.open_weights(net), x)
    wanted = net(x).softmax(2)[0, 0, 1].flatten()
    torch.testing.assert_close(said, wanted)


@pytest.mark.parametrize("rows", [0, 1, 3, 5])
def test_what_is_free_begins_below_all_ink(rows):
    ink = torch.zeros(SIZE)
    if rows:
        ink[rows - 1, 4] = 1
        ink[0, 0] = 1
    assert machines.first_free(ink.flatten(), SIZE[1]).item() == rows * SIZE[1]


def test_the_top_stays_and_the_rest_is_drawn_pixel_by_pixel(machine):
    before = played(machine, "a bar", 0).targets
    after = played(machine, "a bar", 7).targets
    free = 2 * SIZE[1]
    assert torch.equal(before["ink"][:free], after["ink"][:free])
    assert before["left"].item() == math.prod(SIZE) - free
    assert after["left"].item() == math.prod(SIZE) - free - 7
    assert after["ink"][free + 7 :].count_nonzero() == 0


@pytest.mark.parametrize("top", ["a bar", "nothing"])
def test_top_and_rest_cost_minus_log_p_of_the_finished_image(machine, rounded, top):
    done = played(machine, top, math.prod(SIZE) + 3).targets
    assert done["left"].item() == 0
    image = done["ink"].view(1, 1, *SIZE)
    wanted = likelihood.nll(rounded, image)[0] / math.log(2)
    torch.testing.assert_close(done["yours"] + done["spent"], wanted, rtol=1e-5, atol=1e-5)
    assert (done["yours"] > 0) == (top == "a bar")
    assert done["next"].item() == 0


@pytest.mark.parametrize("lean", [-1.5, 1.5])
def test_a_pixel_is_ink_as_often_as_its_chance_says(lean):
    leaning = GatedPixelCNN(8, 1, first=3, generator=seeded(0))
    with torch.no_grad():
        leaning.head.out.bias.copy_(torch.tensor([0.0, lean]))
    machine = machines.completing(leaning, SIZE, {"nothing": torch.zeros(SIZE)})
    start = played(machine, "nothing", 0).targets["next"].item()
    assert (start > 0.7) == (lean > 0)
    assert not 0.3 < start < 0.7
    drawn = []
    for seed in range(300):
        twin = Twin(machine, seed, machine.beginning(), machine.data["nothing"])
        twin.step()
        drawn.append(twin.state["canvas"][0][0].item())
    error = math.sqrt(start * (1 - start) / len(drawn))
    assert abs(sum(drawn) / len(drawn) - start) < 4 * error


def test_networks_with_colours_or_classes_are_refused():
    for options in ({"levels": 4}, {"classes": 3}):
        net = GatedPixelCNN(8, 1, first=3, generator=seeded(0), **options)
        with pytest.raises(ValueError, match="two levels without classes"):
            machines.completing(net, SIZE, {"nothing": torch.zeros(SIZE)})
    net = GatedPixelCNN(8, 1, first=3, generator=seeded(0))
    with pytest.raises(ValueError, match="tops of shape"):
        machines.completing(net, SIZE, {"nothing": torch.zeros(3, 3)})
